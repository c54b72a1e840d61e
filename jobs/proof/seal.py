"""Checkpoints: the heads of all chains of a project under one hash, each chained to the one before."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import pglock
from django.db import connection, transaction
from django.db.models import Sum

from jobs.chain.forms import START, CheckpointForm, checkpoint_digest, head_leaf
from jobs.chain.merkle import Root
from jobs.db.locks import RECORDING_LOCK
from jobs.db.streaming import streamed
from jobs.models import Checkpoint, Project

log = logging.getLogger(__name__)


class Head(NamedTuple):
    """The newest reply of a job, as it was at some time."""

    job_id: str
    number: int
    link: bytes

    @property
    def leaf(self) -> bytes:
        """Its place in the tree."""
        return head_leaf(self.job_id, self.number, self.link)


class DoesNotFit(Exception):
    """The stored replies no longer give the root of the newest checkpoint, so that nothing is sealed on top of it."""


# One probe of an index a job; a reply that retention took away counts by its tombstone. In the order of bytes, on any database.
_HEADS = """
SELECT j.job_id, head.number, head.link FROM jobs_job j CROSS JOIN LATERAL (
    (SELECT number, link FROM jobs_snapshot WHERE job_id = j.id AND id <= %(up_to)s ORDER BY number DESC LIMIT 1)
    UNION ALL
    (SELECT number, link FROM jobs_tombstone WHERE job_id = j.id AND id <= %(up_to)s ORDER BY number DESC LIMIT 1)
    ORDER BY number DESC LIMIT 1
) AS head WHERE j.project_id = %(project)s ORDER BY j.job_id COLLATE "C"
"""


def heads(project: Project, up_to: int) -> Iterator[Head]:
    """The head of each job that had a reply when `up_to` was the newest one, in the order of the tree; streamed."""
    for row in streamed(_HEADS, {"project": project.pk, "up_to": up_to}):
        job_id, number, link = row
        yield Head(job_id, number, bytes(link))


class ChainState(NamedTuple):
    """A project's tree at one time."""

    jobs: int
    replies: int
    root: bytes


def state(project: Project, up_to: int) -> ChainState:
    """Root and counts of the heads as they were when `up_to` was the newest reply."""
    tree, replies = Root(), 0
    for head in heads(project, up_to):
        tree.add(head.leaf)
        replies += head.number
    return ChainState(tree.size, replies, tree.value())


def newest_reply() -> int:
    """The key under which every reply is stored for good: nothing recorded from now on comes below it."""
    with transaction.atomic(), connection.cursor() as cursor:
        pglock.advisory(RECORDING_LOCK, xact=True).acquire()  # waits for those who are recording
        cursor.execute(
            "SELECT coalesce(max(id), 0) FROM (SELECT max(id) id FROM jobs_snapshot UNION ALL SELECT max(id) FROM jobs_tombstone) x"
        )
        [(key,)] = cursor.fetchall()
    return int(key)


def recorded(project: Project) -> int:
    """How many replies were ever recorded, by the lengths of the chains."""
    return project.jobs.aggregate(sum=Sum("chain_length"))["sum"] or 0


def seal(project: Project, *, now: datetime) -> Checkpoint | None:
    """Make the next checkpoint of a project; None when nothing came since the last.

    Raises: DoesNotFit when the last one no longer fits what is stored, which `verify` then explains.
    """
    last = project.checkpoints.order_by("-number").first()
    if recorded(project) == (last.replies if last else 0):
        return None
    up_to = newest_reply()
    if last is not None and state(project, last.up_to) != ChainState(
        last.jobs, last.replies, bytes(last.root)
    ):
        raise DoesNotFit(
            f"Checkpoint {last.number} of project {project.project_id} no longer fits the stored replies."
        )
    found = state(project, up_to)
    sealed = CheckpointForm(
        bytes(last.digest) if last else START,
        project.project_id,
        last.number + 1 if last else 1,
        now,
        up_to,
        *found,
    )
    return Checkpoint.objects.create(
        project=project,
        number=sealed.number,
        sealed_at=now,
        up_to=up_to,
        jobs=found.jobs,
        replies=found.replies,
        root=found.root,
        before=sealed.before,
        digest=checkpoint_digest(sealed),
    )


def seal_all(*, now: datetime) -> int:
    """Seal what is new in every project; how many checkpoints were made. One project's trouble is not the others'."""
    made = 0
    for project in Project.objects.order_by("pk"):
        try:
            made += seal(project, now=now) is not None
        except DoesNotFit as wrong:
            log.error("%s Nothing more of it is sealed; run manage.py verify.", wrong)
    return made


def sealed_form(one: Checkpoint) -> CheckpointForm:
    """What a stored checkpoint says, as it is hashed."""
    return CheckpointForm(
        bytes(one.before),
        one.project.project_id,
        one.number,
        one.sealed_at,
        one.up_to,
        one.jobs,
        one.replies,
        bytes(one.root),
    )
