"""Replies that contradict the one before them, as rows: which pairs are to be compared, and what came of it.

A mark belongs to the later reply of a pair and is found by when that was first seen, so that a reply that comes late, between
two that were compared, touches only its own mark and the next one's.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from jobs.diagnosis.changes import backwards
from jobs.ges.reply import JobReply
from jobs.models import OddReply, Tombstone
from jobs.record.bulk import copy_rows
from jobs.record.history import History, Run
from jobs.record.replies import read_all, read_replies

_COLUMNS = ["job_id", "seen_at", "kind", "count", "says"]

type Mark = tuple[int, dict[str, Any]]  # how many, and the sentence about the first


@dataclass(slots=True)
class Marks:
    """What was found in one job's replies; `examined` says of which moments the marks are told anew."""

    examined: set[datetime] = field(default_factory=set)
    found: dict[tuple[datetime, str], Mark] = field(default_factory=dict)

    def compare(self, before: JobReply | None, after: JobReply, seen_at: datetime) -> None:
        """Mark what `after` says against `before`."""
        for one in backwards(before, after):
            count, says = self.found.get((seen_at, one.kind.value), (0, one.says.as_json()))
            self.found[seen_at, one.kind.value] = (count + 1, says)


def mark_new(histories: Iterable[History]) -> dict[int, Marks]:
    """By job: what the replies of this batch say against those before them, and those after them against these.

    Bodies are read only where two neighbours differ and one of them was stored before.
    """
    marks: dict[int, Marks] = {}
    pairs: list[tuple[Marks, Run | None, Run]] = []
    for history in histories:
        runs = history.snapshots
        moments = {run.first_seen_at for at, run in enumerate(runs) if run.is_new or (at and runs[at - 1].is_new)}
        if moments:
            of = marks[history.job.pk] = Marks(moments)
            pairs += [(of, before, after) for before, after in _neighbours(runs) if after.first_seen_at in moments]
    stored = read_replies(run.order for _, *pair in pairs for run in pair if run and run.newest is None)
    for of, before, after in pairs:
        if (reply := _reply(after, stored)) is not None:
            of.compare(_reply(before, stored), reply, after.first_seen_at)
    return marks


def _reply(run: Run | None, stored: Mapping[int, JobReply]) -> JobReply | None:
    if run is None:
        return None
    return stored.get(run.order) if run.newest is None else run.newest.reply


def _neighbours(runs: list[Run]) -> Iterator[tuple[Run | None, Run]]:
    for at, after in enumerate(runs):
        before = runs[at - 1] if at else None
        if before is None or before.content != after.content:
            yield before, after


def read_through(histories: Collection[History]) -> tuple[dict[int, JobReply], dict[int, Marks]]:
    """By job: the newest reply, and what all its stored replies say against each other. One body is held at a time."""
    newest = {run.order for history in histories if (run := history.newest())}
    gone = _removed(history.job.pk for history in histories)
    marks = {history.job.pk: Marks(_comparable(history.snapshots, gone[history.job.pk])) for history in histories}
    replies: dict[int, JobReply] = {}
    before: JobReply | None = None
    last, last_body = None, b""
    for job, order, seen_at, body, reply in read_all(marks):
        if job != last:
            before = None
        if job != last or body != last_body:
            if reply is not None and seen_at in marks[job].examined:
                marks[job].compare(before, reply, seen_at)
            before = reply
        if order in newest and reply is not None:
            replies[job] = reply
        last, last_body = job, body
    return replies, marks


def _removed(jobs: Iterable[int]) -> dict[int, list[datetime]]:
    """By job, when the replies that retention took were first seen."""
    found: dict[int, list[datetime]] = defaultdict(list)
    for job, seen_at in Tombstone.objects.filter(job__in=list(jobs)).values_list("job_id", "first_seen_at"):
        found[job].append(seen_at)
    return found


def _comparable(runs: list[Run], removed: list[datetime]) -> set[datetime]:
    """When the replies were first seen that still have their neighbour before them, or never had one."""
    moments = [(run.first_seen_at, True) for run in runs] + [(seen_at, False) for seen_at in removed]
    moments.sort()
    return {at for number, (at, is_here) in enumerate(moments) if is_here and (not number or moments[number - 1][1])}


def write_marks(histories: Collection[History], marks: Mapping[int, Marks], *, anew: bool) -> None:
    """Make the rows of the examined moments these and count them; `anew` does not trust that a job has none.

    A mark stays as it is where its reply, or the one before it, is no longer stored.
    """
    jobs = {history.job.pk: history.job for history in histories if history.job.pk in marks}
    asked = [pk for pk, job in jobs.items() if anew or job.odd_count]
    moments = {} if anew else {"seen_at__in": set().union(*(marks[pk].examined for pk in asked))}
    stored: dict[tuple[int, datetime, str], tuple[int, Mark]] = {}
    if asked:
        rows = OddReply.objects.filter(job__in=asked, **moments)
        for pk, job_id, seen_at, kind, count, says in rows.values_list("pk", *_COLUMNS).iterator():
            if seen_at in marks[job_id].examined:
                stored[job_id, seen_at, kind] = (pk, (count, says))
    wanted = {(pk, *place): mark for pk in jobs for place, mark in marks[pk].found.items()}
    gone = {place: pk for place, (pk, mark) in stored.items() if wanted.get(place) != mark}
    new = {place: mark for place, mark in wanted.items() if place not in stored or place in gone}
    if gone:
        OddReply.objects.filter(pk__in=gone.values()).delete()
    copy_rows(OddReply, _COLUMNS, [(*place, *mark) for place, mark in new.items()])
    _count(jobs, asked, Counter(pk for pk, _at, _kind in new), changed={pk for pk, _at, _kind in (*gone, *new)}, anew=anew)


def _count(
    jobs: Mapping[int, Any], asked: Collection[int], new: Counter[int], *, changed: Collection[int], anew: bool
) -> None:
    counted = asked if anew else [pk for pk in asked if pk in changed]
    rows = OddReply.objects.filter(job__in=counted).values_list("job").annotate(Count("pk")) if counted else ()
    totals = dict.fromkeys(counted, 0) | {pk: number for pk, number in new.items() if pk not in counted} | dict(rows)
    for pk, total in totals.items():
        jobs[pk].odd_count = total
