"""Where an import that lost data stands: decided by a person, tolerated by its graph, or waiting."""

from decimal import Decimal

from django.db.models import F, Q

from jobs.ges.words import Verdict
from jobs.models import Job
from jobs.models.job import ReviewState
from jobs.record.runs import History

IMPORT = "ImportGraph"  # GES's job name; an import that failed early has no files to be known by
_TRIED = F("failed_lines") + F("successful_lines")


def lost_data(job: Job) -> bool:
    """Whether somebody has to look at it: an import that has ended and did not load all of its files."""
    return job.verdict in {Verdict.PARTIAL, Verdict.FAILED} and (
        job.file_count > 0 or job.job_name == IMPORT
    )


def within_tolerance(job: Job, tolerated: Decimal | None) -> bool:
    """Whether the loss is known and no larger; by the lines themselves, since the rate is rounded."""
    if (
        tolerated is None
        or job.loss_rate is None
        or job.failed_lines is None
        or job.successful_lines is None
    ):
        return False
    return job.failed_lines <= tolerated * (job.failed_lines + job.successful_lines)


def is_within(tolerated: Decimal | None) -> Q:
    """The same as a condition on jobs in the database."""
    if tolerated is None:
        return Q(pk__in=[])
    return Q(loss_rate__isnull=False, failed_lines__lte=_TRIED * tolerated)


def set_review(history: History) -> None:
    """Give this locked job the state its figures, its newest review and its graph's tolerance make."""
    job = history.job
    if not lost_data(job):
        job.review = ""
    elif history.decided:
        job.review = history.decided
    else:
        job.review = (
            ReviewState.TOLERATED
            if within_tolerance(job, history.tolerated)
            else ReviewState.WAITING
        ).value
