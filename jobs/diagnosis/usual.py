"""The typical durations of a graph's jobs, and the typical gap between its imports."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MIN_JOBS = 3  # fewer do not show what is typical
_MIN_EXCESS = timedelta(minutes=10)  # so that jobs of seconds are not called stuck after a minute
#: So that graphs loaded every few minutes are not called quiet within the hour.
_MIN_SILENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Usual:
    """How long `count` jobs took: half of them at most `median`, nine in ten at most `p90`."""

    median: timedelta
    p90: timedelta
    count: int


def usual_duration(durations: Sequence[timedelta]) -> Usual | None:
    """The typical duration of these jobs; None with fewer than three.

    A negative duration, of clocks that disagree, is left out.
    """
    valid = sorted(duration for duration in durations if duration >= timedelta())
    if len(valid) < _MIN_JOBS:
        return None
    count = len(valid)
    median = (valid[(count - 1) // 2] + valid[count // 2]) / 2
    return Usual(median, valid[math.ceil(count * 0.9) - 1], count)


def is_stuck(running_for: timedelta, usual: Usual | None) -> bool:
    """Whether a job runs longer than twice the p90, and longer by ten minutes at least."""
    return usual is not None and running_for > max(2 * usual.p90, usual.p90 + _MIN_EXCESS)


def is_quiet(
    newest_begin: datetime | None, usual_gap: timedelta | None, imports: int, now: datetime
) -> bool:
    """Whether a graph's imports have ceased.

    That is: none for over twice the usual gap between two, and for at least a day.
    """
    if newest_begin is None or usual_gap is None or imports < _MIN_JOBS:
        return False
    silent = now - newest_begin
    return silent > 2 * usual_gap and silent >= _MIN_SILENCE
