"""The queue of the overview: imports that lost data and wait for somebody, one row a graph."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from jobs.models import Job
from jobs.models.job import JobQuerySet, ReviewState
from jobs.queries.reloads import LostFile, Reload, by_one, lost_files_of

MOST = 999  # looked at; more are counted as 999+
SHOWN, TRIED = 8, 5  # graphs; and imports of each, for one that is not repaired yet
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The import of a graph to look at first: what cost it most, who loaded it since, how many others of the graph wait."""

    job: Job
    reason: str
    reload: Reload | None
    others: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The graphs to look at first, how many imports wait in all, and whether they are more than that."""

    rows: list[Waiting]
    count: int
    over: bool


@dataclass(frozen=True, slots=True)
class _Light:
    pk: int
    graph: Any
    begin_time: datetime | None
    failed_lines: Decimal | None


def queue_of(jobs: JobQuerySet, now: datetime) -> Queue:
    """Of each graph the largest loss of the last day, else the newest; graphs of the last day first, those by their loss."""
    waiting = jobs.filter(review__in=ReviewState.open()).order_by("-begin_time", "-pk")
    light = [
        _Light(*row)
        for row in waiting.values_list("pk", "graph", "begin_time", "failed_lines")[: MOST + 1]
    ]
    graphs: dict[int, list[_Light]] = defaultdict(list)
    for one in light:
        graphs[one.graph].append(one)
    for rows in graphs.values():
        rows.sort(key=lambda one: _weight(one, now), reverse=True)
    first = sorted(graphs.values(), key=lambda rows: _weight(rows[0], now), reverse=True)[:SHOWN]
    known = Job.objects.select_related("graph").in_bulk(
        [one.pk for rows in first for one in rows[:TRIED]]
    )
    lost = lost_files_of(known.values())
    repaired = by_one(lost)
    chosen = [
        _head([known[one.pk] for one in rows[:TRIED] if one.pk in known], repaired)
        for rows in first
    ]
    rows_shown = [
        Waiting(job, _reason(job, lost), repaired.get(job.pk), len(graphs[job.graph_id]) - 1)
        for job in chosen
        if job
    ]
    return Queue(rows_shown, min(len(light), MOST), len(light) > MOST)


def _head(jobs: Sequence[Job], repaired: Mapping[int, Reload]) -> Job | None:
    """The first that no later import repaired; where all are, the first."""
    return next((job for job in jobs if job.pk not in repaired), jobs[0] if jobs else None)


def _weight(one: _Light, now: datetime) -> tuple[Any, ...]:
    """Unknown is no small loss, and a job that has not told its begin is of today."""
    begin = one.begin_time or now
    lost = Decimal("Infinity") if one.failed_lines is None else one.failed_lines
    return (True, lost, begin, one.pk) if begin >= now - DAY else (False, begin, lost, one.pk)


def _reason(job: Job, lost: Mapping[int, Sequence[LostFile]]) -> str:
    """The cause of the file that lost most."""
    told = [file for file in lost.get(job.pk, ()) if file.cause]
    return max(told, key=lambda file: file.failed_lines or 0).cause if told else job.fail_reason
