"""Stored replies, read again."""

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models import Snapshot

log = logging.getLogger(__name__)
BODIES_AT_ONCE = 20  # bodies held: each may have 8 MiB


def read_replies(keys: Iterable[int]) -> dict[int, JobReply]:
    """By key; what can't be read any more is left out."""
    if not (asked := set(keys)):
        return {}
    rows = Snapshot.objects.filter(pk__in=asked).values_list("pk", "http_status", "body")
    found = (
        (pk, read_reply(pk, status, bytes(body)))
        for pk, status, body in rows.iterator(chunk_size=BODIES_AT_ONCE)
    )
    return {pk: reply for pk, reply in found if reply is not None}


def read_all(jobs: Collection[int]) -> Iterator[tuple[int, int, datetime, bytes, JobReply | None]]:
    """Job, key, when first seen, body and reply of all replies of these jobs, each job's in the order they were seen."""
    rows = Snapshot.objects.filter(job__in=jobs).order_by("job", "first_seen_at", "pk")
    for job, pk, seen_at, status, body in rows.values_list(
        "job_id", "pk", "first_seen_at", "http_status", "body"
    ).iterator(chunk_size=BODIES_AT_ONCE):
        yield job, pk, seen_at, bytes(body), read_reply(pk, status, bytes(body))


def read_reply(pk: int, http_status: int, body: bytes) -> JobReply | None:
    """A stored reply; none where it can't be read any more."""
    try:
        return parse_reply(body, http_status=http_status)
    except GesError as wrong:  # read by a version that took it; what stands is kept
        log.warning("Reply %s can't be read any more: %s", pk, wrong)
        return None
