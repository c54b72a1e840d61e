"""The queue of the overview: imports that lost data and wait for somebody, one row a graph."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from jobs.models import Job
from jobs.models.job import JobQuerySet, ReviewState
from jobs.reloads import LostFile, Reload, by_one, lost_files_of

MOST = 999  # looked at; more are counted as 999+
SHOWN = 8
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
    waiting = jobs.filter(review__in=[ReviewState.WAITING, ReviewState.TO_FIX]).order_by("-begin_time", "-pk")
    light = [_Light(*row) for row in waiting.values_list("pk", "graph", "begin_time", "failed_lines")[: MOST + 1]]
    graphs: dict[int, list[_Light]] = defaultdict(list)
    for one in light:
        graphs[one.graph].append(one)
    heads = sorted(
        (max(rows, key=lambda one: _weight(one, now)) for rows in graphs.values()), key=lambda one: _weight(one, now)
    )
    chosen = heads[::-1][:SHOWN]
    known = Job.objects.select_related("graph").in_bulk([one.pk for one in chosen])
    shown = [known[one.pk] for one in chosen if one.pk in known]
    lost = lost_files_of(shown)
    reloads = by_one(lost)
    rows = [Waiting(job, _reason(job, lost), reloads.get(job.pk), len(graphs[job.graph_id]) - 1) for job in shown]
    return Queue(rows, min(len(light), MOST), len(light) > MOST)


def _weight(one: _Light, now: datetime) -> tuple[Any, ...]:
    """Unknown is no small loss, and a job that has not told its begin is of today."""
    begin = one.begin_time or now
    lost = Decimal("Infinity") if one.failed_lines is None else one.failed_lines
    return (True, lost, begin, one.pk) if begin >= now - DAY else (False, begin, lost, one.pk)


def _reason(job: Job, lost: Mapping[int, Sequence[LostFile]]) -> str:
    """The cause of the file that lost most."""
    told = [file for file in lost.get(job.pk, ()) if file.cause]
    return max(told, key=lambda file: file.failed_lines or 0).cause if told else job.fail_reason
