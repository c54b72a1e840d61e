"""Replies that contradict the one before them, as rows: which pairs are to be compared, and what came of it.

A mark belongs to the later reply of a pair and is found by when that was first seen, so that a reply that comes late, between
two that were compared, touches only its own mark and the next one's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jobs.db.bulk import Writes, compared
from jobs.diagnosis.changes import contradictions_between
from jobs.ges.shapes import JobReply
from jobs.models import Contradiction, Tombstone
from jobs.record.replies import read_all
from jobs.record.runs import History, Mark, MarkPlace, ReplyRun

_COLUMNS = ["job_id", "seen_at", "kind", "count", "says"]


@dataclass(slots=True)
class Marks:
    """What was found in one job's replies; `examined` says of which moments the marks are told anew."""

    examined: set[datetime] = field(default_factory=set)
    pairs: list[tuple[ReplyRun | None, ReplyRun]] = field(default_factory=list)  # to be compared
    found: dict[MarkPlace, Mark] = field(default_factory=dict)

    def compare(self, before: JobReply | None, after: JobReply, seen_at: datetime) -> None:
        """Mark what `after` says against `before`."""
        for one in contradictions_between(before, after):
            count, says = self.found.get((seen_at, one.kind.value), (0, one.says.as_json()))
            self.found[seen_at, one.kind.value] = (count + 1, says)


def to_compare(histories: Iterable[History]) -> dict[int, Marks]:
    """By job: which replies of this batch are to be compared with those before them, and with those after them."""
    marks: dict[int, Marks] = {}
    for history in histories:
        runs = history.snapshots
        moments = {
            run.first_seen_at
            for at, run in enumerate(runs)
            if run.is_new or (at and runs[at - 1].is_new)
        }
        if moments:
            pairs = [
                (before, after)
                for before, after in _neighbours(runs)
                if after.first_seen_at in moments
            ]
            marks[history.job.pk] = Marks(moments, pairs)
    return marks


def compare(marks: Iterable[Marks], stored: Mapping[int, JobReply]) -> None:
    """Compare their pairs. `stored`: by key, the replies that did not come in this batch."""
    for of in marks:
        for before, after in of.pairs:
            if (reply := after.reply(stored)) is not None:
                of.compare(before.reply(stored) if before else None, reply, after.first_seen_at)


def _neighbours(runs: list[ReplyRun]) -> Iterator[tuple[ReplyRun | None, ReplyRun]]:
    for at, after in enumerate(runs):
        before = runs[at - 1] if at else None
        if before is None or before.content != after.content:
            yield before, after


def read_through(histories: Collection[History]) -> tuple[dict[int, JobReply], dict[int, Marks]]:
    """By job: the newest reply, and what all its stored replies say against each other. One body is held at a time."""
    newest = {run.order for history in histories if (run := history.newest())}
    gone = _removed(history.job.pk for history in histories)
    marks = {
        history.job.pk: Marks(_comparable(history.snapshots, gone[history.job.pk]))
        for history in histories
    }
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
    for job, seen_at in Tombstone.objects.filter(job__in=list(jobs)).values_list(
        "job_id", "first_seen_at"
    ):
        found[job].append(seen_at)
    return found


def _comparable(runs: list[ReplyRun], removed: list[datetime]) -> set[datetime]:
    """When the replies were first seen that still have their neighbour before them, or never had one."""
    moments = [(run.first_seen_at, True) for run in runs] + [
        (seen_at, False) for seen_at in removed
    ]
    moments.sort()
    return {
        at
        for number, (at, is_here) in enumerate(moments)
        if is_here and (not number or moments[number - 1][1])
    }


def write_marks(histories: Sequence[History], marks: Mapping[int, Marks], writes: Writes) -> None:
    """Make the rows of the examined moments these and count them.

    A mark stays as it is where its reply, or the one before it, is no longer stored.
    """
    told = [(history, marks[history.job.pk]) for history in histories if history.job.pk in marks]
    stored = {
        (history.job.pk, *place): row
        for history, of in told
        for place, row in history.marks.items()
        if place[0] in of.examined
    }
    wanted = {
        (history.job.pk, *place): mark for history, of in told for place, mark in of.found.items()
    }
    new, other, gone = compared(stored, wanted)
    writes.insert(Contradiction, _COLUMNS, [(*place, *wanted[place]) for place in new])
    writes.update(
        Contradiction,
        ["id", "count", "says"],
        [(stored[place][0], *wanted[place]) for place in other],
    )
    writes.delete(Contradiction, [stored[place][0] for place in gone])
    for history, of in told:
        unexamined = sum(seen_at not in of.examined for seen_at, _kind in history.marks)
        history.job.contradiction_count = history.earlier_marks + unexamined + len(of.found)
