"""Verifies stored jobs, replies and checkpoints, all of them or a part."""

from collections.abc import Iterator

from django.db import transaction

from jobs.chain.forms import START, CheckpointForm, checkpoint_digest, moment
from jobs.models import Checkpoint, Project
from jobs.models.job import JobQuerySet
from jobs.proof.chains import check_chains
from jobs.proof.projections import check_rows
from jobs.proof.seal import ChainState, sealed_form, state
from jobs.proof.walk import Walk
from jobs.record.lookup import lock_jobs
from jobs.sentences import gettext_noop

# Of one transaction; bound the memory and how long a job is locked.
MAX_BATCH_JOBS = 200
MAX_BATCH_ROWS = 5_000  # files and replies


def walk_jobs(jobs: JobQuerySet, walk: Walk) -> Iterator[Walk]:
    """Verify chains and rows, one transaction per batch; yields the walk after each batch."""
    for batch in _batches(jobs):
        with transaction.atomic():
            locked = lock_jobs(batch)
            broken = check_chains(locked, walk)
            # Rows derived from replies that were tampered with are no fault of their own.
            check_rows({pk: job for pk, job in locked.items() if pk not in broken}, walk)
            transaction.set_rollback(True)
        walk.jobs += len(locked)
        yield walk


def _batches(jobs: JobQuerySet) -> Iterator[list[int]]:
    batch: list[int] = []
    rows = 0
    for pk, files, replies in (
        jobs.order_by("pk")
        .values_list("pk", "file_count", "chain_length")
        .iterator(chunk_size=2000)
    ):
        batch.append(pk)
        rows += files + replies
        if len(batch) >= MAX_BATCH_JOBS or rows >= MAX_BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def walk_checkpoints(project: Project, walk: Walk, *, every: bool = False) -> None:
    """Verify the chain of checkpoints, and the root of the newest or, with `every`, of all."""
    previous_digest, number = START, 0
    newest = None
    for checkpoint in (
        project.checkpoints.select_related("project").order_by("number").iterator(chunk_size=500)
    ):
        walk.checkpoints += 1
        _check_checkpoint(checkpoint, number + 1, previous_digest, walk)
        if every:
            check_root(project, sealed_form(checkpoint), walk)
        previous_digest, number = bytes(checkpoint.digest), checkpoint.number
        newest = checkpoint

    if newest is not None and not every:
        check_root(project, sealed_form(newest), walk)
    _check_count(project, number, walk)


def _check_checkpoint(
    checkpoint: Checkpoint, number: int, previous_digest: bytes, walk: Walk
) -> None:
    """Verify the number of a checkpoint and its digest."""
    if checkpoint.number != number:
        walk.fault(
            gettext_noop(
                "Project {project}: checkpoint {number} is missing; the next existing "
                "one is number {next}."
            ),
            project=checkpoint.project.project_id,
            number=number,
            next=checkpoint.number,
        )
    elif bytes(checkpoint.before) != previous_digest or checkpoint_digest(
        sealed_form(checkpoint)
    ) != bytes(checkpoint.digest):
        walk.fault(
            gettext_noop(
                "Project {project}, checkpoint {number}: its digest is {found}; expected "
                "{expected} from its content and the previous checkpoint."
            ),
            project=checkpoint.project.project_id,
            number=checkpoint.number,
            found=bytes(checkpoint.digest).hex(),
            expected=checkpoint_digest(
                sealed_form(checkpoint)._replace(before=previous_digest)
            ).hex(),
        )


def _check_count(project: Project, number: int, walk: Walk) -> None:
    """Verify that no checkpoint after `number` is missing that a former verification found."""
    former = project.verifications.filter(job_id="").order_by("-checkpoints").first()
    if former is not None and former.checkpoints > number:
        walk.fault(
            gettext_noop(
                "Project {project}: checkpoint {number} is missing; it existed when "
                "verified on {when}."
            ),
            project=project.project_id,
            number=number + 1,
            when=moment(former.ended_at),
        )


def check_root(project: Project, sealed: CheckpointForm, walk: Walk) -> None:
    """Verify that the stored replies give the counts and the root of a checkpoint."""
    current = state(project, sealed.up_to)
    if current != ChainState(sealed.jobs, sealed.replies, sealed.root):
        walk.fault(
            gettext_noop(
                "Project {project}, checkpoint {number} of {when}: the stored responses "
                "give {jobs} jobs, {replies} responses, root {found}; expected "
                "{expected_jobs} jobs, {expected_replies} responses, root {expected}."
            ),
            project=project.project_id,
            number=sealed.number,
            when=moment(sealed.sealed_at),
            jobs=current.jobs,
            replies=current.replies,
            found=current.root.hex(),
            expected_jobs=sealed.jobs,
            expected_replies=sealed.replies,
            expected=sealed.root.hex(),
        )
