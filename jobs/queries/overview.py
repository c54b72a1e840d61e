"""The overview's figures: sums by day, overdue graphs and the costliest failure reasons."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, NullIf, TruncDate

from jobs.diagnosis.usual import is_quiet
from jobs.models import ImportFile, Job
from jobs.models.job import JobQuerySet

# Lines: a larger figure is no count, and would hide all others in a sum.
MAX_PLAUSIBLE_LINES = 10**15
_IMPLAUSIBLE_LOADED = Q(successful_lines__gt=MAX_PLAUSIBLE_LINES)
_IMPLAUSIBLE_FAILED = Q(failed_lines__gt=MAX_PLAUSIBLE_LINES)
MIN_IMPORTS = 3  # fewer show no habit


def plausible_sums() -> dict[str, Count | Sum]:
    """Annotations for grouped jobs: how many, and their loaded and failed lines."""
    return {
        "job_count": Count("*"),
        "loaded_lines": Sum("successful_lines", filter=~_IMPLAUSIBLE_LOADED),
        "lost_lines": Sum("failed_lines", filter=~_IMPLAUSIBLE_FAILED),
    }


@dataclass(slots=True)
class DaySums:
    """The jobs that began on one day; `losing_verdicts` are those of jobs with failed lines."""

    jobs_by_verdict: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    loaded_lines: int = 0
    lost_lines: int = 0
    losing_verdicts: list[str] = field(default_factory=list)


def sums_by_day(jobs: JobQuerySet) -> tuple[dict[date, DaySums], int]:
    """Sums by day in the current time zone, and how many jobs with implausible counts they omit.

    A day without jobs has empty sums.
    """
    by_day_and_verdict = (
        jobs.annotate(day=TruncDate("begin_time")).order_by().values("day", "verdict")
    )
    rows: QuerySet[Job, Any] = by_day_and_verdict.annotate(
        **plausible_sums(),
        implausible=Count("begin_time", filter=_IMPLAUSIBLE_LOADED | _IMPLAUSIBLE_FAILED),
    )

    days: dict[date, DaySums] = defaultdict(DaySums)
    implausible_jobs = 0
    for row in rows:
        sums = days[row["day"]]
        sums.jobs_by_verdict[row["verdict"]] += row["job_count"]
        sums.loaded_lines += int(row["loaded_lines"] or 0)
        sums.lost_lines += int(row["lost_lines"] or 0)
        if row["lost_lines"]:
            sums.losing_verdicts.append(row["verdict"])
        implausible_jobs += row["implausible"]
    return days, implausible_jobs


@dataclass(frozen=True, slots=True)
class OverdueGraph:
    """A graph (by key) without an import since `newest`, though one usually began every `gap`."""

    graph: int
    name: str
    newest: datetime
    gap: timedelta


def overdue_graphs(jobs: JobQuerySet, now: datetime, most: int) -> list[OverdueGraph]:
    """Graphs whose regular imports have stopped, judged by these jobs; longest overdue first."""
    rows: QuerySet[Job, Any] = (
        jobs.filter(file_count__gt=0, graph__is_deleted=False)
        .order_by()
        .values("graph", name=Coalesce(NullIf("graph__name", Value("")), "graph__graph_id"))
        .annotate(imports=Count("*"), oldest=Min("begin_time"), newest=Max("begin_time"))
        .filter(imports__gte=MIN_IMPORTS)
    )
    overdue = []
    for row in rows:
        gap = (row["newest"] - row["oldest"]) / (row["imports"] - 1)
        if is_quiet(row["newest"], gap, row["imports"], now):
            overdue.append(OverdueGraph(row["graph"], row["name"], row["newest"], gap))
    return sorted(overdue, key=lambda graph: graph.newest)[:most]


@dataclass(frozen=True, slots=True)
class CauseCost:
    """What a cause (by key) has cost: files, lines (None when not counted) and graphs."""

    cause_group: int
    pattern: str
    since: datetime
    files: int
    lost: int | None
    graphs: int


def top_causes(jobs: JobQuerySet, most: int) -> list[CauseCost]:
    """The causes that cost these jobs most lines, the costliest first."""
    lossy = jobs.filter(lost_file_count__gt=0).order_by()
    files = ImportFile.objects.filter(job__in=lossy, cause_group__isnull=False).order_by()
    by_cause: QuerySet[ImportFile, Any] = files.values(
        "cause_group", pattern=F("cause_group__pattern"), since=F("cause_group__first_seen_at")
    )
    costs = by_cause.annotate(
        files=Count("*"), lost=Sum("failed_lines"), graphs=Count("job__graph", distinct=True)
    )
    costliest = costs.order_by(F("lost").desc(nulls_last=True), "-files")
    return [CauseCost(**row) for row in costliest[:most]]
