"""What is usual for a graph: how long its jobs take, how often its imports come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_ENOUGH = 3  # jobs; fewer make no habit
_GRACE = timedelta(minutes=10)  # so that jobs of seconds are not called stuck after a minute
_SILENCE = timedelta(
    days=1
)  # so that graphs loaded every few minutes are not called quiet within the hour


@dataclass(frozen=True, slots=True)
class Usual:
    """How long `count` jobs took: half of them at most `median`, nine in ten at most `p90`."""

    median: timedelta
    p90: timedelta
    count: int


def usual_duration(durations: Sequence[timedelta]) -> Usual | None:
    """The habit of these jobs; None with fewer than three. A negative duration, of clocks that disagree, is left out."""
    known = sorted(one for one in durations if one >= timedelta())
    if len(known) < _ENOUGH:
        return None
    count = len(known)
    median = (known[(count - 1) // 2] + known[count // 2]) / 2
    return Usual(median, known[math.ceil(count * 0.9) - 1], count)


def is_stuck(running_for: timedelta, usual: Usual | None) -> bool:
    """Whether a job runs far longer than usual: twice what nine in ten need, and at least ten minutes more."""
    return usual is not None and running_for > max(2 * usual.p90, usual.p90 + _GRACE)


def is_quiet(
    newest_begin: datetime | None, usual_gap: timedelta | None, imports: int, now: datetime
) -> bool:
    """Whether a graph's imports have ceased: silent for over twice the usual gap between two, and for at least a day."""
    if newest_begin is None or usual_gap is None or imports < _ENOUGH:
        return False
    silent = now - newest_begin
    return silent > 2 * usual_gap and silent >= _SILENCE
