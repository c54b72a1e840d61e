"""Observations folded into runs: equal neighbours are one row with first and last time seen."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.chain.forms import START, Facts, link
from jobs.ges.errors import NotAJobStatus
from jobs.models import Job, Miss, Snapshot
from jobs.record.bulk import copy_rows, update_rows
from jobs.record.observations import Observation

MISS_BODY = 64 * 1024  # bytes kept of an answer that is no status: enough to see what it was
_NEW = 2**63  # above every key: a new row comes after those that are stored
_SNAPSHOT_COLUMNS = [
    "job_id", "source", "version", "http_status", "content_type", "body", "sha256", "first_seen_at", "last_seen_at", "seen",
    "number", "link",
]  # fmt: skip
_MISS_COLUMNS = ["job_id", "source", "kind", "detail", "http_status", "body", "first_seen_at", "last_seen_at", "seen"]


@dataclass(slots=True, eq=False)
class Run:
    """Equal observations in a row: a Snapshot or a Miss, stored or new."""

    order: int  # the key, or above every key
    source: str
    content: Any  # what makes two of a source equal: the digest of a reply; kind and HTTP status of a miss
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int
    newest: Observation | None = None  # the newest observation of this batch in it

    @property
    def is_new(self) -> bool:
        """Whether it has no row yet."""
        return self.order >= _NEW

    def covers(self, at: datetime) -> bool:
        """Whether it was seen by then and still is."""
        return self.first_seen_at <= at <= self.last_seen_at


@dataclass(slots=True)
class History:
    """One job's runs, each list by the time first seen, and which of them this batch made or prolonged."""

    job: Job
    snapshots: list[Run] = field(default_factory=list)
    misses: list[Run] = field(default_factory=list)
    changed: dict[int, Run] = field(default_factory=dict)
    latest: datetime | None = None  # of this batch's observations
    chained: bool = False  # whether the job's chain grew

    def newest(self) -> Run | None:
        """The reply that was seen last, which is what the job's row says."""
        return max(self.snapshots, key=lambda run: (run.last_seen_at, run.order), default=None)

    def chain(self, facts: Facts) -> bytes:
        """Put one more reply on the job's chain; its link."""
        self.chained, self.job.chain_length = True, facts.number
        self.job.chain_link = link(bytes(self.job.chain_link or START), facts)
        return self.job.chain_link


def read_histories(jobs: Collection[Job], with_snapshots: Iterable[Job], with_misses: Iterable[Job]) -> dict[int, History]:
    """The stored runs of those jobs that need them: no bodies, and for a job just made no question."""
    histories = {job.pk: History(job) for job in jobs}
    if asked := [job.pk for job in with_snapshots]:
        rows = Snapshot.objects.filter(job__in=asked).order_by("first_seen_at", "pk")
        for job_id, pk, source, sha256, first, last, seen in rows.values_list(
            "job_id", "pk", "source", "sha256", "first_seen_at", "last_seen_at", "seen"
        ):
            histories[job_id].snapshots.append(Run(pk, source, bytes(sha256), first, last, seen))
    if asked := [job.pk for job in with_misses]:
        missed = Miss.objects.filter(job__in=asked).order_by("first_seen_at", "pk")
        for job_id, pk, source, kind, status, first, last, seen in missed.values_list(
            "job_id", "pk", "source", "kind", "http_status", "first_seen_at", "last_seen_at", "seen"
        ):
            histories[job_id].misses.append(Run(pk, source, (kind, status), first, last, seen))
    return histories


def fold_reply(history: History, one: Observation) -> bool:
    """Put one reply where it belongs: into a run that covers it, onto its equal neighbour, or into a new run (True)."""
    digest = hashlib.sha256(one.body or b"").digest()
    runs = [run for run in history.snapshots if run.source == one.source]
    if any(run.content == digest and run.covers(one.observed_at) for run in runs):
        return False
    before = _before(runs, one.observed_at)
    if before is not None and before.content == digest:
        _prolong(history, before, one)
        return False
    _begin(history, history.snapshots, digest, one)
    return True


def fold_miss(history: History, one: Observation) -> None:
    """The same for a failed poll; a reply in between ends a run of misses."""
    error = one.error or NotAJobStatus("There was no answer.")
    content = (error.kind, one.http_status)
    alike = [run for run in history.misses if (run.source, run.content) == (one.source, content)]
    if any(run.covers(one.observed_at) for run in alike):
        return
    before = _before(history.misses, one.observed_at)
    if before in alike and before is not None and not _answered_between(history, before.last_seen_at, one.observed_at):
        _prolong(history, before, one)
    else:
        _begin(history, history.misses, content, one)


def _before(runs: list[Run], at: datetime) -> Run | None:
    return next((run for run in reversed(runs) if run.first_seen_at <= at), None)


def _answered_between(history: History, start: datetime, end: datetime) -> bool:
    return any(run.last_seen_at > start and run.first_seen_at <= end for run in history.snapshots)


def _prolong(history: History, run: Run, one: Observation) -> None:
    run.last_seen_at, run.seen, run.newest = one.observed_at, run.seen + 1, one
    history.changed[id(run)] = run


def _begin(history: History, runs: list[Run], content: Any, one: Observation) -> None:
    run = Run(_NEW + len(history.changed), one.source, content, one.observed_at, one.observed_at, 1, one)
    history.changed[id(run)] = run
    runs.append(run)
    if len(runs) > 1:
        runs.sort(key=lambda row: row.first_seen_at)


def write_runs(histories: Iterable[History]) -> None:
    """Store what was begun, prolong what was seen again."""
    new_snapshots, new_misses, seen_again, missed_again = [], [], [], []
    for history in histories:
        for run in history.changed.values():
            one = run.newest
            assert one is not None  # noqa: S101  a changed run was changed by an observation
            if one.reply is not None and run.is_new:
                new_snapshots.append(_snapshot(history, run, one))
            elif one.reply is not None:
                seen_again.append((run.order, run.last_seen_at, run.seen))
            elif run.is_new:
                new_misses.append(_miss(history.job, run, one))
            else:
                missed_again.append((run.order, run.last_seen_at, run.seen, _detail(one), _cut(one.body)))
    copy_rows(Snapshot, _SNAPSHOT_COLUMNS, new_snapshots)
    copy_rows(Miss, _MISS_COLUMNS, new_misses)
    update_rows(Snapshot, ["id", "last_seen_at", "seen"], seen_again)
    update_rows(Miss, ["id", "last_seen_at", "seen", "detail", "body"], missed_again)


def _snapshot(history: History, run: Run, one: Observation) -> tuple[Any, ...]:
    assert one.reply is not None  # noqa: S101
    job, number = history.job, history.job.chain_length + 1
    content_type = one.content_type[:255]
    told = (run.source, one.reply.version, one.http_status or 200, content_type)
    chained = history.chain(Facts(job.project.project_id, job.job_id, number, *told, run.first_seen_at, run.content))
    return (
        job.pk, *told, one.body or b"", run.content, run.first_seen_at, run.last_seen_at, run.seen, number, chained,
    )  # fmt: skip


def _miss(job: Job, run: Run, one: Observation) -> tuple[Any, ...]:
    kind, status = run.content
    return (
        job.pk, run.source, kind, _detail(one), status, _cut(one.body), run.first_seen_at, run.last_seen_at, run.seen,
    )  # fmt: skip


def _detail(one: Observation) -> str:
    return str(one.error or NotAJobStatus("There was no answer."))[:2000].replace("\x00", "")


def _cut(body: bytes | None) -> bytes | None:
    return None if body is None else body[:MISS_BODY]
