"""When nobody observed a graph's jobs, and between which moments their changes came unseen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    RowRange,
    Value,
    Window,
)
from django.db.models.functions import JSONObject

from jobs.diagnosis.gaps import Stretch, gaps, joined
from jobs.models import Graph, Job, Miss, Presence, Snapshot
from jobs.models.presence import PAUSE
from jobs.queries.changes import MIN_UNOBSERVED, ReplyChange

MAX_JOBS = 400
MAX_FAILED_POLLS = 400  # runs of them
MAX_CHANGES = 20  # of one job
# A change is wide enough to be seen on an axis of this many parts.
AXIS_PARTS = 500


@dataclass(frozen=True, slots=True)
class Unobserved:
    """Times in which nothing was learnt of a graph's jobs: no worker, or no usable response."""

    absences: list[Stretch]
    failed_polls: list[Stretch]


def unobserved(graph: Graph, begin: datetime, end: datetime) -> Unobserved:
    """When nobody observed this graph's jobs; touching runs of failed polls are one. One query."""
    misses = Miss.objects.filter(job__graph=graph, last_seen_at__gte=begin)
    failed = misses.order_by("-last_seen_at").values_list(
        Value("failed"), "first_seen_at", "last_seen_at"
    )
    present = Presence.objects.stretches(graph.project_id, end).values_list(
        Value("present"), "first_at", "last_at"
    )

    stretches: dict[str, list[Stretch]] = {"failed": [], "present": []}
    for kind, first, last in failed[:MAX_FAILED_POLLS].union(present, all=True):
        stretches[kind].append((first, last))
    absences = gaps(stretches["present"], begin, end, longer_than=PAUSE)
    return Unobserved(absences, joined(stretches["failed"]))


@dataclass(frozen=True, slots=True)
class JobTimes:
    """A job with the changes of it that came between two moments far enough apart to be seen."""

    job: Job
    changes: list[ReplyChange]


def jobs_between(graph: Graph, begin: datetime, end: datetime) -> list[JobTimes]:
    """The newest jobs of a graph that ran between these times.

    One more than MAX_JOBS when there are more than that.
    """
    is_inside = (
        Q(end_time__gte=begin)
        | Q(end_time=None, begin_time__gte=begin)
        | Q(end_time=None, verdict__in=["running", "pending"])
    )
    jobs = Job.objects.filter(graph=graph, begin_time__lte=end).filter(is_inside)
    columns = jobs.order_by("-begin_time").only(
        "pk", "job_name", "verdict", "begin_time", "end_time"
    )
    rows = columns.annotate(wide_changes=_wide_changes(begin, end))[: MAX_JOBS + 1]
    return [JobTimes(job, _changes(vars(job)["wide_changes"])) for job in rows]


def _wide_changes(begin: datetime, end: datetime) -> ArraySubquery:
    """For each job of a queryset, its newest changes whose moment is widely uncertain."""
    seen_before = Window(
        Max("last_seen_at", output_field=DateTimeField()),
        partition_by=F("job"),
        order_by=[F("first_seen_at").asc(), F("id").asc()],
        frame=RowRange(start=None, end=-1),
    )
    width = ExpressionWrapper(F("first_seen_at") - F("since"), output_field=DurationField())
    min_width = max(MIN_UNOBSERVED, (end - begin) / AXIS_PARTS)
    snapshots = (
        Snapshot.objects.filter(job=OuterRef("pk"))
        .annotate(since=seen_before)
        .annotate(width=width)
        .filter(width__gt=min_width, first_seen_at__gte=begin)
    )
    times = JSONObject(since="since", at="first_seen_at")
    return ArraySubquery(snapshots.order_by("-first_seen_at").values(times=times)[:MAX_CHANGES])


def _changes(rows: list[dict[str, Any]] | None) -> list[ReplyChange]:
    read_time = datetime.fromisoformat
    return [ReplyChange(read_time(row["since"]), read_time(row["at"])) for row in rows or ()]
