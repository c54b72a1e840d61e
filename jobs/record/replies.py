"""Stored replies, parsed again."""

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models import Snapshot

log = logging.getLogger(__name__)
BODIES_AT_ONCE = 20  # bodies held: each may have 8 MiB


class StoredReply(NamedTuple):
    """One Snapshot, parsed; `reply` is None where it can't be any more."""

    job: int
    key: int
    seen_at: datetime
    body: bytes
    reply: JobReply | None


def read_replies(keys: Iterable[int]) -> dict[int, JobReply]:
    """By key, without those that can't be parsed any more."""
    wanted = set(keys)
    if not wanted:
        return {}
    rows = Snapshot.objects.filter(pk__in=wanted).values_list("pk", "http_status", "body")
    replies = (
        (pk, read_reply(pk, http_status, bytes(body)))
        for pk, http_status, body in rows.iterator(chunk_size=BODIES_AT_ONCE)
    )
    return {pk: reply for pk, reply in replies if reply is not None}


def read_all(jobs: Collection[int]) -> Iterator[StoredReply]:
    """All replies of these jobs, each job's in the order they were first seen."""
    rows = Snapshot.objects.filter(job__in=jobs).order_by("job", "first_seen_at", "pk")
    columns = rows.values_list("job_id", "pk", "first_seen_at", "http_status", "body")
    for job, pk, seen_at, http_status, stored in columns.iterator(chunk_size=BODIES_AT_ONCE):
        body = bytes(stored)
        yield StoredReply(job, pk, seen_at, body, read_reply(pk, http_status, body))


def read_reply(pk: int, http_status: int, body: bytes) -> JobReply | None:
    """A stored reply, parsed; None where it can't be any more.

    A former version could parse it, so that what was derived from it is kept.
    """
    try:
        return parse_reply(body, http_status=http_status)
    except GesError as error:
        log.warning("Response %s can no longer be parsed: %s", pk, error)
        return None
