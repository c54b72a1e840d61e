"""Observations folded into runs: equal neighbours are one row with first and last time seen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from jobs.chain.forms import START, ReplyFacts, link
from jobs.db.bulk import Writes, copy_rows
from jobs.ges.errors import NotAJobStatus
from jobs.ges.shapes import JobReply
from jobs.models import Correction, Job, Miss, Snapshot, Tombstone
from jobs.record.observations import Observation

MISS_BODY = (
    16 * 1024
)  # bytes kept of an answer that is no status: enough to see what it was, and few enough for JSON
_NEW = 2**63  # above every key: a new row comes after those that are stored
_SNAPSHOT_COLUMNS = [
    "job_id", "source", "version", "http_status", "content_type", "body", "sha256", "first_seen_at", "last_seen_at", "seen",
    "number", "link",
]  # fmt: skip
TOMBSTONE_COLUMNS = [
    "id", "job_id", "number", "source", "version", "http_status", "content_type", "sha256", "first_seen_at", "last_seen_at",
    "seen", "link", "size",
]  # fmt: skip
_MISS_COLUMNS = [
    "job_id",
    "source",
    "kind",
    "detail",
    "http_status",
    "body",
    "first_seen_at",
    "last_seen_at",
    "seen",
]

type Mark = tuple[
    int, dict[str, Any]
]  # of an odd reply: how many, and the sentence about the first
type MarkPlace = tuple[datetime, str]  # of a mark: when the reply was first seen, and the kind


@dataclass(slots=True, eq=False)
class ReplyRun:
    """Equal observations in a row: a Snapshot or a Miss, stored or new."""

    order: int  # the key, or above every key
    source: str
    content: Any  # what makes two of a source equal: the digest of a reply; kind and HTTP status of a miss
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int
    version: int = 0  # of a reply
    newest: Observation | None = None  # the newest observation of this batch in it
    begun: Observation | None = None  # the one it began with, where that is of this batch
    in_chain: tuple[int, bytes] | None = None  # the number and the link of a new reply

    @property
    def is_new(self) -> bool:
        """Whether it has no row yet."""
        return self.order >= _NEW

    def covers(self, at: datetime) -> bool:
        """Whether it was seen by then and still is."""
        return self.first_seen_at <= at <= self.last_seen_at

    def reply(self, stored: Mapping[int, JobReply]) -> JobReply | None:
        """What it says. `stored`: by key, the replies that did not come in this batch; one that can't be read is left out."""
        return self.newest.reply if self.newest else stored.get(self.order)


@dataclass(slots=True)
class History:
    """One job's runs, each list by the time first seen, and which of them this batch made or prolonged.

    With it, what else stands of a job that its row is derived from, or that is derived beside it.
    """

    job: Job
    snapshots: list[ReplyRun] = field(default_factory=list)
    misses: list[ReplyRun] = field(default_factory=list)
    changed: dict[int, ReplyRun] = field(default_factory=dict)
    latest: datetime | None = None  # of this batch's observations
    chained: bool = False  # whether the job's chain grew
    buried: list[tuple[Any, ...]] = field(
        default_factory=list
    )  # replies that another gesdash had removed
    corrections: list[Correction] = field(default_factory=list)  # that are not undone
    marks: dict[MarkPlace, tuple[int, Mark]] = field(
        default_factory=dict
    )  # odd replies as stored, with their keys
    earlier_marks: int = (
        0  # how many odd replies stand besides, which were seen before those of this batch
    )
    decided: str | None = None  # what its newest review says
    tolerated: Decimal | None = None  # the loss that its graph tolerates

    def newest(self) -> ReplyRun | None:
        """The reply that was seen last, which is what the job's row says."""
        return max(self.snapshots, key=lambda run: (run.last_seen_at, run.order), default=None)

    def covering(self, source: str, digest: bytes, at: datetime) -> ReplyRun | None:
        """The run of this very reply that this moment is in."""
        runs = (run for run in self.snapshots if (run.source, run.content) == (source, digest))
        return next((run for run in runs if run.covers(at)), None)

    def before(self, source: str, version: int, at: datetime) -> ReplyRun | None:
        """The one begun last by then; callers of both versions of the API may come by turns, so each has its own."""
        return run_before(
            [run for run in self.snapshots if (run.source, run.version) == (source, version)], at
        )

    def facts(self, one: Observation, version: int, digest: bytes) -> ReplyFacts:
        """What a reply says for good, as the next of the chain."""
        job, status = self.job, one.http_status or 200
        told = (one.source, version, status, one.content_type[:255], one.observed_at, digest)
        return ReplyFacts(job.project.project_id, job.job_id, job.chain_length + 1, *told)

    def next_link(self, facts: ReplyFacts) -> bytes:
        """The link of a reply that would come next."""
        return link(bytes(self.job.chain_link or START), facts)

    def chain(self, facts: ReplyFacts) -> tuple[int, bytes]:
        """Put one more reply on the job's chain; its number and link."""
        self.job.chain_link = self.next_link(facts)
        self.chained, self.job.chain_length = True, facts.number
        return facts.number, self.job.chain_link


def fold_reply(history: History, one: Observation) -> bool:
    """Put one reply where it belongs: into a run that covers it, onto its equal neighbour, or into a new run (True)."""
    assert one.reply is not None  # noqa: S101
    digest = one.digest
    if history.covering(one.source, digest, one.observed_at) is not None:
        return False
    before = history.before(one.source, one.reply.version, one.observed_at)
    if before is not None and before.content == digest:
        prolong(history, before, one)
        return False
    begin_reply(history, digest, one)
    return True


def begin_reply(history: History, digest: bytes, one: Observation) -> ReplyRun:
    """A new run of a reply, chained to the one recorded before."""
    assert one.reply is not None  # noqa: S101
    run = begin(history, history.snapshots, digest, one)
    run.in_chain = history.chain(history.facts(one, one.reply.version, digest))
    return run


def fold_miss(history: History, one: Observation) -> None:
    """The same for a failed poll; a reply in between ends a run of misses."""
    error = one.error or NotAJobStatus("There was no answer.")
    content = (error.kind, one.http_status)
    alike = [run for run in history.misses if (run.source, run.content) == (one.source, content)]
    if any(run.covers(one.observed_at) for run in alike):
        return
    before = run_before(history.misses, one.observed_at)
    if (
        before in alike
        and before is not None
        and not _answered_between(history, before.last_seen_at, one.observed_at)
    ):
        prolong(history, before, one)
    else:
        begin(history, history.misses, content, one)


def run_before(runs: list[ReplyRun], at: datetime) -> ReplyRun | None:
    """The one that was begun last by then."""
    return next((run for run in reversed(runs) if run.first_seen_at <= at), None)


def _answered_between(history: History, start: datetime, end: datetime) -> bool:
    return any(run.last_seen_at > start and run.first_seen_at <= end for run in history.snapshots)


def prolong(history: History, run: ReplyRun, one: Observation) -> None:
    """The run goes on until this observation."""
    run.last_seen_at, run.seen, run.newest = one.observed_at, run.seen + 1, one
    history.changed[id(run)] = run


def begin(history: History, runs: list[ReplyRun], content: Any, one: Observation) -> ReplyRun:
    """A new run among those of its kind."""
    run = ReplyRun(
        _NEW + len(history.changed),
        one.source,
        content,
        one.observed_at,
        one.observed_at,
        1,
        one.reply.version if one.reply else 0,
        one,
        one,
    )
    history.changed[id(run)] = run
    runs.append(run)
    if len(runs) > 1:
        runs.sort(key=lambda row: row.first_seen_at)
    return run


def write_runs(histories: Collection[History], writes: Writes) -> None:
    """Store what was begun, prolong what was seen again. Replies are copied at once, as they may be large."""
    new_snapshots, new_misses, seen_again, missed_again = [], [], [], []
    for history in histories:
        for run in history.changed.values():
            one = run.newest
            assert one is not None  # noqa: S101  a changed run was changed by an observation
            if one.reply is not None and run.is_new:
                new_snapshots.append(_snapshot(history.job, run))
            elif one.reply is not None:
                seen_again.append((run.order, run.last_seen_at, run.seen))
            elif run.is_new:
                new_misses.append(_miss(history.job, run, one))
            else:
                missed_again.append(
                    (run.order, run.last_seen_at, run.seen, _detail(one), _cut(one.body))
                )
    copy_rows(Snapshot, _SNAPSHOT_COLUMNS, new_snapshots)
    copy_rows(
        Tombstone, TOMBSTONE_COLUMNS, [row for history in histories for row in history.buried]
    )
    writes.insert(Miss, _MISS_COLUMNS, new_misses)
    writes.update(Snapshot, ["id", "last_seen_at", "seen"], seen_again)
    writes.update(Miss, ["id", "last_seen_at", "seen", "detail", "body"], missed_again)


def _snapshot(job: Job, run: ReplyRun) -> tuple[Any, ...]:
    one = run.begun
    assert one is not None and one.reply is not None and run.in_chain is not None  # noqa: S101, PT018
    return (
        job.pk, run.source, one.reply.version, one.http_status or 200, one.content_type[:255], one.body or b"", run.content,
        run.first_seen_at, run.last_seen_at, run.seen, *run.in_chain,
    )  # fmt: skip


def _miss(job: Job, run: ReplyRun, one: Observation) -> tuple[Any, ...]:
    kind, status = run.content
    return (
        job.pk, run.source, kind, _detail(one), status, _cut(one.body), run.first_seen_at, run.last_seen_at, run.seen,
    )  # fmt: skip


def _detail(one: Observation) -> str:
    return str(one.error or NotAJobStatus("There was no answer."))[:2000].replace("\x00", "")


def _cut(body: bytes | None) -> bytes | None:
    return None if body is None else body[:MISS_BODY]
