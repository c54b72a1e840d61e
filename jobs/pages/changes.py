"""When GES came to say what it says: between which moments, since nobody asks all the time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.diagnosis.gaps import seen_before
from jobs.ges.errors import GesError
from jobs.ges.reply import JobReply, parse_reply
from jobs.models import Job, Snapshot

LEAST = timedelta(seconds=1)
LOOKED_AT = 6  # of the newest replies: more than there are sources, for each may tell the final word


@dataclass(frozen=True, slots=True)
class Change:
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


def change_to(snapshot: Snapshot, others: list[Snapshot]) -> Change:
    """When this reply came to be, as the others tell."""
    return Change(
        seen_before(snapshot.first_seen_at, ((o.first_seen_at, o.last_seen_at) for o in others)), snapshot.first_seen_at
    )


def read(job: Job, snapshot: Snapshot) -> JobReply | None:
    """What a stored reply says; None where a former version took what this one can't read."""
    try:
        return parse_reply(bytes(snapshot.body), http_status=snapshot.http_status, job_id=job.job_id)
    except GesError:
        return None


def last_change(job: Job) -> Change | None:
    """When GES's newest change came: of a final job that of its word, of another that of anything."""
    newest = list(job.snapshots.defer("body").order_by("-first_seen_at", "-pk")[:LOOKED_AT])
    if not newest:
        return None
    changed = 0
    if job.is_final and len(newest) > 1:
        words = (reply.status if (reply := read(job, one)) else None for one in newest)
        final = next(words)
        changed = next((number for number, word in enumerate(words) if word != final), len(newest) - 1)
    return change_to(newest[changed], newest[changed + 1 :])
