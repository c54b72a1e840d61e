"""When GES came to say what it says: between which moments, since nobody asks all the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from jobs.diagnosis.gaps import seen_before
from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models import Job, Snapshot

LEAST = timedelta(seconds=1)
RUNS = 60
LOOKED_AT = (
    6  # of the newest replies: more than there are sources, for each may tell the final word
)


@dataclass(frozen=True, slots=True)
class ReplyChange:
    """Between which moments something came to be; `since` is None where nothing was seen before."""

    since: datetime | None
    at: datetime

    @property
    def unobserved(self) -> timedelta | None:
        """For how long it may have gone unseen."""
        return None if self.since is None else self.at - self.since

    @property
    def is_wide(self) -> bool:
        """Whether that is worth telling."""
        return self.unobserved is not None and self.unobserved >= LEAST


def change_to(snapshot: Snapshot, others: list[Snapshot]) -> ReplyChange:
    """When this reply came to be, as the others tell."""
    return ReplyChange(
        seen_before(snapshot.first_seen_at, ((o.first_seen_at, o.last_seen_at) for o in others)),
        snapshot.first_seen_at,
    )


def read(job: Job, snapshot: Snapshot) -> JobReply | None:
    """What a stored reply says; None where a former version took what this one can't read."""
    try:
        return parse_reply(
            bytes(snapshot.body), http_status=snapshot.http_status, job_id=job.job_id
        )
    except GesError:
        return None


type Runs = Sequence[
    tuple[datetime, datetime]
]  # when a reply was seen first and last; the newest first


def newest_runs(job: Job) -> Runs:
    """Of the newest RUNS replies; no body is read."""
    return list(_newest(job).values_list("first_seen_at", "last_seen_at")[:RUNS])


def last_change(job: Job, runs: Runs) -> ReplyChange | None:
    """When GES's newest change came: of a final job that of its word, of another that of anything."""
    if not runs:
        return None
    changed = 0
    if job.is_final and len(runs) > 1:
        newest = list(_newest(job)[:LOOKED_AT])
        words = (reply.status if (reply := read(job, one)) else None for one in newest)
        final = next(words)
        changed = next(
            (number for number, word in enumerate(words) if word != final), len(newest) - 1
        )
    at = runs[changed][0]
    return ReplyChange(seen_before(at, runs[changed + 1 : LOOKED_AT]), at)


def _newest(job: Job) -> "QuerySet[Snapshot]":
    return job.snapshots.order_by("-first_seen_at", "-pk")
