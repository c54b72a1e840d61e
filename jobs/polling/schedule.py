"""When to poll again. Pure: times in, times out. The tables are those of docs/operate.md.

| what is known of the job | polled again after |
|---|---|
| pending or running, for less than 5 min | 5 s |
| longer; its typical end is far off | a quarter of the time until then, 20 s to 5 min |
| longer; near its typical end (80 % of the median to the p90) | 1/50 of the median, 5 s to 1 min |
| longer, with no typical end or past it: for less than an hour | 20 s |
| for less than a day | 2 min |
| for a day or more, or the GES status is unknown | 15 min |
| a final status, not yet confirmed | 10 min |
| a confirmed final status | never |

| what went wrong | polled again after, doubled for each failure in a row | at most |
|---|---|---|
| no response, a broken one, or a server error of GES (5xx) | 5 s | 10 min |
| not a job status | 10 s | 15 min |
| GES rate-limits | 10 s, or what Retry-After says | 1 h |
| GES rejects the credentials, or none are configured | 1 min | 15 min |
| about another job, over the size limit, or another error of GES | 1 min | 1 h |
| GES knows no such job | 1 min; 5 times at most, once if GES never reported the job | 1 h |

Each wait is extended at random by up to a quarter, so that what failed together does not come back
together; none exceeds an hour. After a final status the third failure is the last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.diagnosis.usual import Usual
from jobs.ges.errors import (
    CredentialsRefused,
    ErrorReply,
    GesError,
    NoCredentials,
    Throttled,
    TooLarge,
    Unreachable,
    WrongJob,
)
from jobs.ges.words import Verdict

LONGEST = timedelta(hours=1)
YOUNG = timedelta(minutes=5)
CONFIRM = timedelta(minutes=10)
SELDOM = timedelta(minutes=15)
BETWEEN_LOOKS = timedelta(seconds=15)  # at GES's job list
NEARLY = 0.8  # of the median: from here on the end may come
MAX_NOT_FOUND = 5
MAX_UNCONFIRMED = 3
NOT_FOUND = {"GES.8301", "GES.7007"}


def poll_interval(verdict: Verdict, age: timedelta, usual: Usual | None = None) -> timedelta | None:
    """How long a reply stays fresh; None for a final one.

    `age` is how long the job has run, as far as is known.
    """
    if verdict.is_final:
        return None
    if verdict is Verdict.UNKNOWN:
        return SELDOM
    if age < YOUNG:
        return timedelta(seconds=5)
    if usual is not None and age <= usual.p90:
        left = NEARLY * usual.median - age
        if left > timedelta():
            return _between(timedelta(seconds=20), left / 4, timedelta(minutes=5))
        return _between(timedelta(seconds=5), usual.median / 50, timedelta(minutes=1))
    if age < timedelta(hours=1):
        return timedelta(seconds=20)
    return timedelta(minutes=2) if age < timedelta(days=1) else SELDOM


def next_poll(
    verdict: Verdict,
    *,
    was_final: bool,
    began_at: datetime,
    now: datetime,
    usual: Usual | None = None,
) -> datetime | None:
    """The time of the next poll; None once a final status is confirmed, as `was_final` says."""
    interval = poll_interval(verdict, now - began_at, usual)
    if interval is None:
        return None if was_final else now + CONFIRM
    return now + interval


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waits after failures of one kind."""

    first: timedelta
    longest: timedelta

    def wait(self, failures: int, jitter: float) -> timedelta:
        """The wait after the n-th failure in a row; `jitter` is 0 to 1."""
        wait: timedelta = min(self.first * 2 ** min(failures - 1, 20), self.longest)
        return min(wait * (1 + jitter / 4), LONGEST)


def after_failure(
    error: GesError, failures: int, *, jitter: float, was_heard: bool = True, is_final: bool = False
) -> timedelta | None:
    """How long to wait after the n-th failure in a row; None: poll no more.

    `was_heard`: GES has given a status of this job before. `is_final`: its last one was final.
    """
    if is_final and failures >= MAX_UNCONFIRMED:
        return None
    if is_not_found(error) and (is_final or not was_heard or failures >= MAX_NOT_FOUND):
        return None
    if error.retry_after is not None:
        return min(timedelta(seconds=max(error.retry_after, 1)) * (1 + jitter / 4), LONGEST)
    backoff = next(backoff for applies, backoff in _BACKOFFS if applies(error))
    return backoff.wait(failures, jitter)


def is_not_found(error: GesError | None) -> bool:
    """Whether GES says that there is no such job (any more)."""
    return isinstance(error, ErrorReply) and error.code in NOT_FOUND


def _is_ges_down(error: GesError) -> bool:
    return isinstance(error, Unreachable) or (
        isinstance(error, ErrorReply) and error.http_status >= 500
    )


def _is_a(*kinds: type[GesError]) -> Callable[[GesError], bool]:
    return lambda error: isinstance(error, kinds)


def _between(least: timedelta, value: timedelta, most: timedelta) -> timedelta:
    return max(least, min(value, most))


_BACKOFFS: list[tuple[Callable[[GesError], bool], Backoff]] = [
    (_is_a(Throttled), Backoff(timedelta(seconds=10), LONGEST)),
    (
        _is_a(CredentialsRefused, NoCredentials),
        Backoff(timedelta(minutes=1), timedelta(minutes=15)),
    ),
    (_is_ges_down, Backoff(timedelta(seconds=5), timedelta(minutes=10))),
    (_is_a(ErrorReply, WrongJob, TooLarge), Backoff(timedelta(minutes=1), LONGEST)),
    (_is_a(GesError), Backoff(timedelta(seconds=10), timedelta(minutes=15))),
]
