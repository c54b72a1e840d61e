"""Unfinished jobs: how long they have run, against what is usual for jobs like them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from jobs.diagnosis.usual import Usual, is_stuck, usual_duration
from jobs.models import Job
from jobs.models.job import JobQuerySet

MAX_ALIKE = 20  # jobs that show what is usual


@dataclass(frozen=True, slots=True)
class RunningJob:
    """An unfinished job, how long it has run, and what is usual for jobs like it."""

    job: Job
    running_for: timedelta | None
    usual: Usual | None

    @property
    def is_stuck(self) -> bool:
        """Whether it has run far longer than is usual."""
        return (
            self.usual is not None
            and self.running_for is not None
            and is_stuck(self.running_for, self.usual)
        )


def running_job(job: Job, now: datetime) -> RunningJob:
    """An unfinished job beside the durations of its like. One query."""
    return _compared(job, list(_durations_alike(job.graph_id, job.job_name)), now)


def running_jobs(jobs: JobQuerySet, now: datetime, most: int) -> list[RunningJob]:
    """The unfinished among these jobs that have a response, longest running first. One query."""
    durations = ArraySubquery(_durations_alike(OuterRef("graph"), OuterRef("job_name")))
    unfinished = jobs.unfinished().exclude(observed_at=None).select_related("graph")
    rows = unfinished.annotate(durations_alike=durations).order_by("begin_time", "pk")
    return [_compared(job, vars(job)["durations_alike"], now) for job in rows[:most]]


def _durations_alike(graph: int | OuterRef, job_name: str | OuterRef) -> QuerySet[Job, Any]:
    """The durations of the newest finished jobs of this name on this graph."""
    alike = Job.objects.counted().filter(graph=graph, job_name=job_name, duration__isnull=False)
    return alike.order_by("-begin_time").values_list("duration", flat=True)[:MAX_ALIKE]


def _compared(job: Job, durations: list[timedelta], now: datetime) -> RunningJob:
    running_for = now - job.begin_time if job.begin_time else None
    return RunningJob(job, running_for, usual_duration(durations))
