"""The review queue of the overview: imports that need a person, one row a graph."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from jobs.models import Job
from jobs.models.job import JobQuerySet, ReviewState
from jobs.queries.reloads import LostFile, Reload, loaded_by_one, lost_files_of

MAX_WAITING = 999  # imports looked at; more are counted as 999+
MAX_GRAPHS = 8
MAX_TRIED = 5  # imports of a graph, to find one that no later import has repaired
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """The import of a graph to look at first, with its main failure reason.

    `reload` is the import that has repaired it, `others` how many more of the graph wait.
    """

    job: Job
    reason: str
    reload: Reload | None
    others: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The graphs to look at first; `count` imports wait in all, or more than that when `over`."""

    rows: list[QueueRow]
    count: int
    over: bool


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The columns of a waiting import that decide its place in the queue."""

    pk: int
    graph_pk: int
    begin_time: datetime | None
    failed_lines: Decimal | None

    def weight(self, now: datetime) -> tuple[bool, Decimal | datetime, datetime | Decimal, int]:
        """The last day before earlier ones; of that day the largest loss first, else the newest.

        An unknown loss counts as the largest, and an import without a begin as one of today.
        """
        begin = self.begin_time or now
        lost = Decimal("Infinity") if self.failed_lines is None else self.failed_lines
        if begin >= now - DAY:
            return True, lost, begin, self.pk
        return False, begin, lost, self.pk


def queue_of(jobs: JobQuerySet, now: datetime) -> Queue:
    """The open reviews among these jobs, a row a graph, in the order of `_Waiting.weight`."""
    open_jobs = jobs.filter(review__in=ReviewState.open()).order_by("-begin_time", "-pk")
    columns = open_jobs.values_list("pk", "graph_id", "begin_time", "failed_lines")
    waiting = [_Waiting(*row) for row in columns[: MAX_WAITING + 1]]

    by_graph: dict[int, list[_Waiting]] = defaultdict(list)
    for candidate in waiting:
        by_graph[candidate.graph_pk].append(candidate)
    for candidates in by_graph.values():
        candidates.sort(key=lambda candidate: candidate.weight(now), reverse=True)
    heaviest = sorted(
        by_graph.values(), key=lambda candidates: candidates[0].weight(now), reverse=True
    )

    rows = _rows([candidates[:MAX_TRIED] for candidates in heaviest[:MAX_GRAPHS]], by_graph)
    return Queue(rows, min(len(waiting), MAX_WAITING), len(waiting) > MAX_WAITING)


def _rows(
    tried: Sequence[Sequence[_Waiting]], by_graph: Mapping[int, Sequence[_Waiting]]
) -> list[QueueRow]:
    job_pks = [candidate.pk for candidates in tried for candidate in candidates]
    jobs_by_pk = Job.objects.select_related("graph").in_bulk(job_pks)
    lost_files = lost_files_of(jobs_by_pk.values())
    reloads = loaded_by_one(lost_files)

    rows = []
    for candidates in tried:
        jobs = [jobs_by_pk[one.pk] for one in candidates if one.pk in jobs_by_pk]
        job = _first_to_review(jobs, reloads)
        if job is not None:
            reason = _main_reason(job, lost_files.get(job.pk, ()))
            others = len(by_graph[job.graph_id]) - 1
            rows.append(QueueRow(job, reason, reloads.get(job.pk), others))
    return rows


def _first_to_review(jobs: Sequence[Job], reloads: Mapping[int, Reload]) -> Job | None:
    """The first that no later import has repaired; where all are repaired, the first."""
    return next((job for job in jobs if job.pk not in reloads), jobs[0] if jobs else None)


def _main_reason(job: Job, lost_files: Sequence[LostFile]) -> str:
    """The failure reason of the file that lost most lines, else the job's own."""
    explained = [file for file in lost_files if file.cause]
    if not explained:
        return job.fail_reason
    return max(explained, key=lambda file: file.failed_lines or 0).cause
