"""`Job.review`: decided by a person, within the graph's tolerance, or waiting for review."""

from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q
from django.db.models.functions import Greatest

from jobs.ges.words import Verdict
from jobs.models import Graph, Job
from jobs.models.job import ReviewState
from jobs.record.runs import History

IMPORT = "ImportGraph"  # GES's job name; an import that failed early has no files to be known by
_ALL_LINES = F("failed_lines") + F("successful_lines")


def needs_review(job: Job) -> bool:
    """An import that has ended and did not load all of its files."""
    return job.verdict in {Verdict.PARTIAL, Verdict.FAILED} and (
        job.file_count > 0 or job.job_name == IMPORT
    )


def is_within_tolerance(job: Job, tolerated: Decimal | None) -> bool:
    """Whether the failed lines are known and tolerated; by lines, since the rate is rounded."""
    if (
        tolerated is None
        or job.loss_rate is None
        or job.failed_lines is None
        or job.successful_lines is None
    ):
        return False
    return job.failed_lines <= tolerated * (job.failed_lines + job.successful_lines)


def within_tolerance(tolerated: Decimal | None) -> Q:
    """`is_within_tolerance` as a condition on jobs."""
    if tolerated is None:
        return Q(pk__in=[])
    return Q(loss_rate__isnull=False, failed_lines__lte=_ALL_LINES * tolerated)


def undecided_review(job: Job, tolerated: Decimal | None) -> str:
    """The state of a job that nobody decided about."""
    if not needs_review(job):
        return ""
    if is_within_tolerance(job, tolerated):
        return ReviewState.TOLERATED.value
    return ReviewState.WAITING.value


def derive_review(history: History) -> None:
    """Set a locked job's review, in memory, from its figures, last review and tolerance."""
    job = history.job
    if history.decided and needs_review(job):
        job.review = history.decided
    else:
        job.review = undecided_review(job, history.tolerated)


def set_review_state(job: Job, state: str, *, now: datetime) -> None:
    """Store what a person decided about a locked job."""
    Job.objects.filter(pk=job.pk).update(review=state, changed_at=Greatest("changed_at", now))


def set_tolerated(graph: Graph, tolerated: Decimal | None, *, now: datetime) -> int:
    """Put the jobs of a graph that nobody decided about under a new tolerance; how many changed.

    Under TOLERANCE_LOCK, held alone: recorders, who derive the state too, hold it shared.
    """
    undecided = Job.objects.filter(graph=graph, reviews=None)
    changed = {"changed_at": Greatest("changed_at", now)}

    waiting = undecided.filter(within_tolerance(tolerated), review=ReviewState.WAITING)
    tolerated_before = undecided.filter(review=ReviewState.TOLERATED)
    no_longer = tolerated_before.exclude(within_tolerance(tolerated))
    return waiting.update(review=ReviewState.TOLERATED, **changed) + no_longer.update(
        review=ReviewState.WAITING, **changed
    )
