"""Observations folded into runs: equal neighbours are one row with first and last time seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from jobs.chain.forms import START, ReplyFacts, link
from jobs.ges.errors import GesError, NotAJobStatus
from jobs.ges.shapes import JobReply
from jobs.models import Correction, Job
from jobs.record.observations import Observation

_FIRST_NEW = 2**63  # above every key: a new row comes after those that are stored

#: Of a contradiction: when the reply that makes it was first seen, and its kind.
type ContradictionPlace = tuple[datetime, str]
#: What its row says: how many there are of the kind, and a sentence about the first.
type ContradictionValue = tuple[int, dict[str, Any]]


@dataclass(slots=True, eq=False)
class ReplyRun:
    """Equal observations in a row: a Snapshot or a Miss, stored or new."""

    order: int  # the key, or above every key
    source: str
    content: Any  # equal in equal observations: a reply's digest; a miss's kind and HTTP status
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
        return self.order >= _FIRST_NEW

    def covers(self, moment: datetime) -> bool:
        """Whether it was seen by then and is seen later."""
        return self.first_seen_at <= moment <= self.last_seen_at

    def reply(self, stored: Mapping[int, JobReply]) -> JobReply | None:
        """Its parsed reply; None where a stored one can't be read any more.

        `stored`: by key, the replies that did not come in this batch.
        """
        return self.newest.reply if self.newest else stored.get(self.order)


@dataclass(slots=True)
class History:
    """One job's runs, each list by the time first seen, with the changes that this batch makes.

    Beside them, whatever else its row is derived from, or is derived beside its row.
    """

    job: Job
    snapshots: list[ReplyRun] = field(default_factory=list)
    misses: list[ReplyRun] = field(default_factory=list)
    changed: dict[int, ReplyRun] = field(default_factory=dict)  # begun or prolonged, by identity
    latest: datetime | None = None  # of this batch's observations
    chained: bool = False  # whether the job's chain grew
    # Rows of replies that another gesdash had deleted.
    buried: list[tuple[Any, ...]] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)  # that stand
    # As stored, with their keys; those of replies older than this batch are only counted.
    contradictions: dict[ContradictionPlace, tuple[int, ContradictionValue]] = field(
        default_factory=dict
    )
    earlier_contradictions: int = 0
    decided: str | None = None  # the state of its newest review
    tolerated: Decimal | None = None  # the failure rate that its graph tolerates

    def newest(self) -> ReplyRun | None:
        """The reply that was seen last, from which the job's row is derived."""
        return max(self.snapshots, key=lambda run: (run.last_seen_at, run.order), default=None)

    def covering(self, source: str, digest: bytes, moment: datetime) -> ReplyRun | None:
        """The run of this very reply that this moment is in."""
        return next(
            (
                run
                for run in self.snapshots
                if (run.source, run.content) == (source, digest) and run.covers(moment)
            ),
            None,
        )

    def before(self, source: str, version: int, moment: datetime) -> ReplyRun | None:
        """The newest run begun by then.

        Callers of both versions of the API may come by turns, so each version has its own runs.
        """
        runs = [run for run in self.snapshots if (run.source, run.version) == (source, version)]
        return run_before(runs, moment)

    def facts(self, observation: Observation, version: int, digest: bytes) -> ReplyFacts:
        """The immutable facts of a reply that is next in the chain."""
        return ReplyFacts(
            self.job.project.project_id,
            self.job.job_id,
            self.job.chain_length + 1,
            observation.source,
            version,
            observation.http_status or 200,
            observation.content_type[:255],
            observation.observed_at,
            digest,
        )

    def next_link(self, facts: ReplyFacts) -> bytes:
        """The link of a reply that is next in the chain."""
        return link(bytes(self.job.chain_link or START), facts)

    def chain(self, facts: ReplyFacts) -> tuple[int, bytes]:
        """Put one more reply on the job's chain; its number and link."""
        self.job.chain_link = self.next_link(facts)
        self.job.chain_length = facts.number
        self.chained = True
        return facts.number, self.job.chain_link


def fold_reply(history: History, observation: Observation) -> bool:
    """Put a reply into a run that covers it, onto its equal neighbour, or into a new run (True)."""
    assert observation.reply is not None  # noqa: S101
    source, version = observation.source, observation.reply.version
    digest, moment = observation.digest, observation.observed_at
    if history.covering(source, digest, moment) is not None:
        return False

    before = history.before(source, version, moment)
    if before is not None and before.content == digest:
        prolong(history, before, observation)
        return False
    begin_reply(history, digest, observation)
    return True


def begin_reply(history: History, digest: bytes, observation: Observation) -> ReplyRun:
    """A new run of a reply, chained to the one recorded before."""
    assert observation.reply is not None  # noqa: S101
    run = begin(history, history.snapshots, digest, observation)
    run.in_chain = history.chain(history.facts(observation, observation.reply.version, digest))
    return run


def fold_miss(history: History, observation: Observation) -> None:
    """`fold_reply` for a failed poll; a reply in between ends a run of misses."""
    moment = observation.observed_at
    content = miss_content(observation)
    alike = [
        run for run in history.misses if (run.source, run.content) == (observation.source, content)
    ]
    if any(run.covers(moment) for run in alike):
        return

    before = run_before(history.misses, moment)
    if before in alike and not _has_reply_between(history, before.last_seen_at, moment):
        prolong(history, before, observation)
    else:
        begin(history, history.misses, content, observation)


def miss_content(observation: Observation) -> tuple[str, int | None]:
    """Whatever is equal in two observations that are one miss."""
    return error_of(observation).kind, observation.http_status


def error_of(observation: Observation) -> GesError:
    """Why a poll failed."""
    return observation.error or NotAJobStatus("There was no answer.")


def run_before(runs: list[ReplyRun], moment: datetime) -> ReplyRun | None:
    """The newest run that was begun by then."""
    return next((run for run in reversed(runs) if run.first_seen_at <= moment), None)


def _has_reply_between(history: History, start: datetime, end: datetime) -> bool:
    return any(run.last_seen_at > start and run.first_seen_at <= end for run in history.snapshots)


def prolong(history: History, run: ReplyRun, observation: Observation) -> None:
    """Let the run go on until this observation."""
    run.last_seen_at = observation.observed_at
    run.seen += 1
    run.newest = observation
    history.changed[id(run)] = run


def begin(
    history: History, runs: list[ReplyRun], content: Any, observation: Observation
) -> ReplyRun:
    """Add a new run to those of its kind."""
    run = ReplyRun(
        order=_FIRST_NEW + len(history.changed),
        source=observation.source,
        content=content,
        first_seen_at=observation.observed_at,
        last_seen_at=observation.observed_at,
        seen=1,
        version=observation.reply.version if observation.reply else 0,
        newest=observation,
        begun=observation,
    )
    history.changed[id(run)] = run
    runs.append(run)
    if len(runs) > 1:
        runs.sort(key=lambda other: other.first_seen_at)
    return run
