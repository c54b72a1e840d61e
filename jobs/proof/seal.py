"""Checkpoints: all chain heads of a project under one hash, each chained to the one before."""

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
    """The head of a job's chain at some time: its newest reply's number and link."""

    job_id: str
    number: int
    link: bytes

    @property
    def leaf(self) -> bytes:
        """The hash that stands for it in the Merkle tree."""
        return head_leaf(self.job_id, self.number, self.link)


class DoesNotFit(Exception):
    """The stored replies no longer give the newest checkpoint's root, so nothing more is sealed."""


# One index probe per job; a reply that retention removed counts by its tombstone.
# In the order of bytes, whatever the collation of the database.
_HEADS = """
SELECT j.job_id, head.number, head.link FROM jobs_job j CROSS JOIN LATERAL (
    (SELECT number, link FROM jobs_snapshot WHERE job_id = j.id AND id <= %(up_to)s
     ORDER BY number DESC LIMIT 1)
    UNION ALL
    (SELECT number, link FROM jobs_tombstone WHERE job_id = j.id AND id <= %(up_to)s
     ORDER BY number DESC LIMIT 1)
    ORDER BY number DESC LIMIT 1
) AS head WHERE j.project_id = %(project)s ORDER BY j.job_id COLLATE "C"
"""


def heads(project: Project, up_to: int) -> Iterator[Head]:
    """Stream the head of each job as of reply `up_to`, in the order of the tree.

    Jobs that had no reply then are left out.
    """
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
    """The newest reply's key; whatever is recorded from now on gets a greater one."""
    with transaction.atomic(), connection.cursor() as cursor:
        pglock.advisory(RECORDING_LOCK, xact=True).acquire()  # waits for recorders
        cursor.execute(
            "SELECT coalesce(max(id), 0) FROM (SELECT max(id) id FROM jobs_snapshot"
            " UNION ALL SELECT max(id) FROM jobs_tombstone) x"
        )
        [(key,)] = cursor.fetchall()
    return int(key)


def recorded(project: Project) -> int:
    """The number of replies ever recorded, by the lengths of the chains."""
    return project.jobs.aggregate(sum=Sum("chain_length"))["sum"] or 0


def seal(project: Project, *, now: datetime) -> Checkpoint | None:
    """Make the next checkpoint of a project; None if nothing was recorded since the last.

    Raises: DoesNotFit if the last one no longer fits the stored replies; `verify` explains why.
    """
    last = project.checkpoints.order_by("-number").first()
    if recorded(project) == (last.replies if last else 0):
        return None

    up_to = newest_reply()
    if last is not None and state(project, last.up_to) != ChainState(
        last.jobs, last.replies, bytes(last.root)
    ):
        raise DoesNotFit(
            f"Checkpoint {last.number} of project {project.project_id} "
            "no longer fits the stored replies."
        )

    current = state(project, up_to)
    sealed = CheckpointForm(
        bytes(last.digest) if last else START,
        project.project_id,
        last.number + 1 if last else 1,
        now,
        up_to,
        *current,
    )
    return Checkpoint.objects.create(
        project=project,
        number=sealed.number,
        sealed_at=now,
        up_to=up_to,
        jobs=current.jobs,
        replies=current.replies,
        root=current.root,
        before=sealed.before,
        digest=checkpoint_digest(sealed),
    )


def seal_all(*, now: datetime) -> int:
    """Seal every project with new replies; gives the number of new checkpoints.

    A project that can't be sealed does not stop the others.
    """
    count = 0
    for project in Project.objects.order_by("pk"):
        try:
            count += seal(project, now=now) is not None
        except DoesNotFit as error:
            log.error("%s It is no longer sealed; run manage.py verify.", error)
    return count


def sealed_form(checkpoint: Checkpoint) -> CheckpointForm:
    """The stored checkpoint in the form that is hashed."""
    return CheckpointForm(
        bytes(checkpoint.before),
        checkpoint.project.project_id,
        checkpoint.number,
        checkpoint.sealed_at,
        checkpoint.up_to,
        checkpoint.jobs,
        checkpoint.replies,
        bytes(checkpoint.root),
    )
