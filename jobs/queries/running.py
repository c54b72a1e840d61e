"""Jobs that have not ended: how long they have run, against what is usual for their like."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from jobs.diagnosis.usual import Usual, is_stuck, usual_duration
from jobs.models import Job

LIKE = 20  # jobs that tell what is usual


@dataclass(frozen=True, slots=True)
class Running:
    """A job that has not ended, how long it has run, and what is usual for it."""

    job: Job
    running_for: timedelta | None
    usual: Usual | None

    @property
    def is_stuck(self) -> bool:
        """Whether it runs far longer than its like."""
        return (
            self.usual is not None
            and self.running_for is not None
            and is_stuck(self.running_for, self.usual)
        )


def took_of_like(graph: Any, job_name: Any) -> QuerySet[Job, Any]:
    """How long the newest jobs of this name on this graph took; values or references to an outer query."""
    like = Job.objects.counted().filter(graph=graph, job_name=job_name, duration__isnull=False)
    return like.order_by("-begin_time").values_list("duration", flat=True)[:LIKE]


def running(job: Job, took: list[timedelta], now: datetime) -> Running:
    """How a job that has not ended fares against these durations."""
    return Running(job, now - job.begin_time if job.begin_time else None, usual_duration(took))
