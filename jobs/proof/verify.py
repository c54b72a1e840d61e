"""A walk over all that is stored, or a part of it, that finds what does not fit."""

from collections.abc import Iterator

from django.db import transaction

from jobs.chain.forms import START, CheckpointForm, checkpoint_digest, moment
from jobs.models import Project
from jobs.models.job import JobQuerySet
from jobs.proof.chains import check_chains
from jobs.proof.projections import check_rows
from jobs.proof.seal import ChainState, sealed_form, state
from jobs.proof.walk import Walk
from jobs.record.lookup import lock_jobs
from jobs.sentences import gettext_noop

BATCH_JOBS, BATCH_ROWS = (
    200,
    5_000,
)  # files and replies: what bounds the memory, and how long a job is locked


def walk_jobs(jobs: JobQuerySet, walk: Walk) -> Iterator[Walk]:
    """Check chains and rows, a transaction a batch; the walk so far after each."""
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
        if len(batch) >= BATCH_JOBS or rows >= BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def walk_checkpoints(project: Project, walk: Walk, *, every: bool = False) -> None:
    """The chain of checkpoints, and whether the newest (or every one) is what the stored replies give."""
    before, number = START, 0
    last = None
    for one in (
        project.checkpoints.select_related("project").order_by("number").iterator(chunk_size=500)
    ):
        walk.checkpoints += 1
        if one.number != number + 1:
            walk.fault(
                gettext_noop("Project {project}: checkpoint {number} is missing; the next existing "
"one is number {next}."),
                project=project.project_id, number=number + 1, next=one.number,
            )  # fmt: skip
        elif bytes(one.before) != before or checkpoint_digest(sealed_form(one)) != bytes(
            one.digest
        ):
            walk.fault(
                gettext_noop("Project {project}, checkpoint {number}: its digest is {found}; expected "
"{expected} from its content and the previous checkpoint."),
                project=project.project_id, number=one.number, found=bytes(one.digest).hex(),
                expected=checkpoint_digest(sealed_form(one)._replace(before=before)).hex(),
            )  # fmt: skip
        if every:
            check_root(project, sealed_form(one), walk)
        before, number, last = bytes(one.digest), one.number, one
    if last is not None and not every:
        check_root(project, sealed_form(last), walk)
    known = project.verifications.filter(job_id="").order_by("-checkpoints").first()
    if known is not None and known.checkpoints > number:
        walk.fault(
            gettext_noop("Project {project}: checkpoint {number} is missing; it existed when "
"verified on {when}."),
            project=project.project_id, number=number + 1, when=moment(known.ended_at),
        )  # fmt: skip


def check_root(project: Project, sealed: CheckpointForm, walk: Walk) -> None:
    """Whether the stored replies give what a checkpoint says."""
    found = state(project, sealed.up_to)
    if found != ChainState(sealed.jobs, sealed.replies, sealed.root):
        walk.fault(
            gettext_noop(
                "Project {project}, checkpoint {number} of {when}: the stored responses "
"give {jobs} jobs, {replies} responses, root {found}; expected "
"{expected_jobs} jobs, {expected_replies} responses, root {expected}."
            ),
            project=project.project_id, number=sealed.number, when=moment(sealed.sealed_at), jobs=found.jobs,
            replies=found.replies, found=found.root.hex(), expected_jobs=sealed.jobs, expected_replies=sealed.replies,
            expected=sealed.root.hex(),
        )  # fmt: skip
