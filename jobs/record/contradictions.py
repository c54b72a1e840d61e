"""Replies that contradict the one before them: which pairs are compared, and the rows that result.

A contradiction belongs to the later reply of a pair and is found by when that was first seen. So a
reply that comes late, between two that were compared, touches only its own and those of the next.
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
from jobs.record.runs import (
    ContradictionPlace,
    ContradictionValue,
    History,
    ReplyRun,
)

_COLUMNS = ["job_id", "seen_at", "kind", "count", "says"]


@dataclass(slots=True)
class ContradictionCheck:
    """The replies of one job that are compared, and the contradictions found.

    Contradictions of the replies first seen at the moments `examined` are derived anew.
    """

    examined: set[datetime] = field(default_factory=set)
    pairs: list[tuple[ReplyRun | None, ReplyRun]] = field(default_factory=list)
    found: dict[ContradictionPlace, ContradictionValue] = field(default_factory=dict)

    def compare(self, before: JobReply | None, after: JobReply, seen_at: datetime) -> None:
        """Add what `after` contradicts of `before`."""
        for contradiction in contradictions_between(before, after):
            place = seen_at, contradiction.kind.value
            count, says = self.found.get(place, (0, contradiction.says.as_json()))
            self.found[place] = count + 1, says


type Checks = Mapping[int, ContradictionCheck]  # by job


def checks_of_batch(histories: Iterable[History]) -> dict[int, ContradictionCheck]:
    """By job: this batch's new replies with those before them, and with those after them."""
    checks: dict[int, ContradictionCheck] = {}
    for history in histories:
        runs = history.snapshots
        moments = {
            run.first_seen_at
            for index, run in enumerate(runs)
            if run.is_new or (index and runs[index - 1].is_new)
        }
        if moments:
            pairs = [pair for pair in _neighbours(runs) if pair[1].first_seen_at in moments]
            checks[history.job.pk] = ContradictionCheck(moments, pairs)
    return checks


def compare_pairs(checks: Iterable[ContradictionCheck], stored: Mapping[int, JobReply]) -> None:
    """Compare their pairs. `stored`: by key, the replies that did not come in this batch."""
    for check in checks:
        for before, after in check.pairs:
            reply = after.reply(stored)
            if reply is not None:
                check.compare(before.reply(stored) if before else None, reply, after.first_seen_at)


def _neighbours(runs: list[ReplyRun]) -> Iterator[tuple[ReplyRun | None, ReplyRun]]:
    for index, after in enumerate(runs):
        before = runs[index - 1] if index else None
        if before is None or before.content != after.content:
            yield before, after


def check_all_replies(
    histories: Collection[History],
) -> tuple[dict[int, JobReply], dict[int, ContradictionCheck]]:
    """By job: the newest reply, and all stored replies compared. One body is held at a time."""
    newest_keys = {run.order for history in histories if (run := history.newest())}
    removed = _removed_replies(history.job.pk for history in histories)
    checks = {
        history.job.pk: ContradictionCheck(_comparable(history.snapshots, removed[history.job.pk]))
        for history in histories
    }

    newest_replies: dict[int, JobReply] = {}
    before: JobReply | None = None
    last_job, last_body = None, b""
    for stored in read_all(checks):
        job = stored.job
        if job != last_job:
            before = None
        if job != last_job or stored.body != last_body:
            if stored.reply is not None and stored.seen_at in checks[job].examined:
                checks[job].compare(before, stored.reply, stored.seen_at)
            before = stored.reply
        if stored.key in newest_keys and stored.reply is not None:
            newest_replies[job] = stored.reply
        last_job, last_body = job, stored.body
    return newest_replies, checks


def _removed_replies(jobs: Iterable[int]) -> dict[int, list[datetime]]:
    """By job, when the replies that retention deleted were first seen."""
    removed: dict[int, list[datetime]] = defaultdict(list)
    tombstones = Tombstone.objects.filter(job__in=list(jobs))
    for job, seen_at in tombstones.values_list("job_id", "first_seen_at"):
        removed[job].append(seen_at)
    return removed


def _comparable(runs: list[ReplyRun], removed: list[datetime]) -> set[datetime]:
    """When the replies were first seen whose neighbour before them is stored, or never was one."""
    moments = sorted(
        [(run.first_seen_at, True) for run in runs] + [(seen_at, False) for seen_at in removed]
    )
    return {
        moment
        for index, (moment, is_stored) in enumerate(moments)
        if is_stored and (not index or moments[index - 1][1])
    }


def write_contradictions(histories: Sequence[History], checks: Checks, writes: Writes) -> None:
    """Bring the rows of the examined moments to what was found, and count them on the job.

    A contradiction whose reply, or the one before it, is no longer stored stays as it is.
    """
    checked = [
        (history, checks[history.job.pk]) for history in histories if history.job.pk in checks
    ]
    stored = {
        (history.job.pk, *place): row
        for history, check in checked
        for place, row in history.contradictions.items()
        if place[0] in check.examined
    }
    wanted = {
        (history.job.pk, *place): value
        for history, check in checked
        for place, value in check.found.items()
    }
    added, changed, removed = compared(stored, wanted)

    writes.insert(Contradiction, _COLUMNS, [(*place, *wanted[place]) for place in added])
    writes.update(
        Contradiction,
        ["id", "count", "says"],
        [(stored[place][0], *wanted[place]) for place in changed],
    )
    writes.delete(Contradiction, [stored[place][0] for place in removed])

    for history, check in checked:
        unexamined = sum(place[0] not in check.examined for place in history.contradictions)
        history.job.contradiction_count = (
            history.earlier_contradictions + unexamined + len(check.found)
        )
