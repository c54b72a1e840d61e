"""Between which two moments a job changed: polling is not continuous, so none is exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from jobs.diagnosis.gaps import seen_before
from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models import Job, Snapshot

MIN_UNOBSERVED = timedelta(seconds=1)  # a shorter time is not worth showing
MAX_RUNS = 60
# Newest replies compared: more than there are sources, each of which may bring the final status.
MAX_COMPARED = 6

type Runs = Sequence[tuple[datetime, datetime]]
"""When each reply was first and last seen, newest first."""


@dataclass(frozen=True, slots=True)
class ReplyChange:
    """A change after `since`, seen at `at`; `since` is None when nothing was seen before."""

    since: datetime | None
    at: datetime

    @property
    def unobserved(self) -> timedelta | None:
        """For how long the change may have gone unseen."""
        return None if self.since is None else self.at - self.since

    @property
    def is_wide(self) -> bool:
        """Whether that time is long enough to be shown."""
        return self.unobserved is not None and self.unobserved >= MIN_UNOBSERVED


def change_to(snapshot: Snapshot, others: list[Snapshot]) -> ReplyChange:
    """When this reply came to be, judged by when the others were seen."""
    runs = ((other.first_seen_at, other.last_seen_at) for other in others)
    return ReplyChange(seen_before(snapshot.first_seen_at, runs), snapshot.first_seen_at)


def parsed_reply(job: Job, snapshot: Snapshot) -> JobReply | None:
    """A stored reply, parsed; None where an earlier version accepted what this one cannot read."""
    body = bytes(snapshot.body)
    try:
        return parse_reply(body, http_status=snapshot.http_status, job_id=job.job_id)
    except GesError:
        return None


def newest_runs(job: Job) -> Runs:
    """The runs of the newest MAX_RUNS replies; reads no body."""
    return list(_newest_first(job).values_list("first_seen_at", "last_seen_at")[:MAX_RUNS])


def last_change(job: Job, runs: Runs) -> ReplyChange | None:
    """The newest change of a job: of a final one to its final status, of another to any reply."""
    if not runs:
        return None
    index = _first_with_final_status(job) if job.is_final and len(runs) > 1 else 0
    changed_at = runs[index][0]
    return ReplyChange(seen_before(changed_at, runs[index + 1 : MAX_COMPARED]), changed_at)


def _first_with_final_status(job: Job) -> int:
    """The place, newest first, of the first reply with the final status. Reads bodies."""
    snapshots = list(_newest_first(job)[:MAX_COMPARED])
    replies = (parsed_reply(job, snapshot) for snapshot in snapshots)
    statuses = (reply.status if reply else None for reply in replies)
    final = next(statuses)
    return next(
        (number for number, status in enumerate(statuses) if status != final), len(snapshots) - 1
    )


def _newest_first(job: Job) -> "QuerySet[Snapshot]":
    return job.snapshots.order_by("-first_seen_at", "-pk")
