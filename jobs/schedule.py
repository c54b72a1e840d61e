"""When to ask GES again. Pure: times in, times out.

| what is known | next poll |
|---|---|
| running or pending, seen for less than 5 min | 5 s |
| for less than an hour | 20 s |
| for less than a day | 2 min |
| longer, or an unknown word | 15 min |
| the poll failed n times | 5 s x 2^n, at most an hour, or as long as Retry-After says |
| a final word | never |
"""

from datetime import datetime, timedelta

from jobs.ges.words import Verdict

LEASE = timedelta(seconds=60)
LONGEST = timedelta(hours=1)
FIRST = timedelta(seconds=5)


def poll_interval(verdict: Verdict, age: timedelta) -> timedelta | None:
    """How long a reply stays fresh; `age` is the time since the job was first seen. None: never ask again."""
    if verdict.is_final:
        return None
    if verdict is Verdict.UNKNOWN:
        return timedelta(minutes=15)
    if age < timedelta(minutes=5):
        return FIRST
    if age < timedelta(hours=1):
        return timedelta(seconds=20)
    return timedelta(minutes=2) if age < timedelta(days=1) else timedelta(minutes=15)


def after_failure(failures: int, retry_after: float | None, jitter: float) -> timedelta:
    """How long to wait after the n-th failure in a row; `jitter` is 0 to 1 and adds up to a quarter."""
    if retry_after is not None:
        return min(timedelta(seconds=max(retry_after, 1)), LONGEST)
    wait: timedelta = FIRST * 2 ** min(failures, 10)
    return min(wait * (1 + jitter / 4), LONGEST)


def next_poll(verdict: Verdict, *, first_seen_at: datetime, now: datetime) -> datetime | None:
    """The time of the next poll, None after a final word."""
    interval = poll_interval(verdict, now - first_seen_at)
    return None if interval is None else now + interval
