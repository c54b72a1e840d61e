"""Gaps in observation: times without a poll, and how old a change may have been when seen. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

type Stretch = tuple[datetime, datetime]  # first and last moment


def gaps(
    runs: Iterable[Stretch], begin: datetime, end: datetime, *, longer_than: timedelta
) -> list[Stretch]:
    """The gaps between these runs, and from the last one to `end`, cut to begin and end.

    Runs may overlap. Before the first run nothing is known, so there is no gap either.
    """
    between: list[Stretch] = []
    until: datetime | None = None
    for first, last in [*sorted(runs), (end, end)]:
        if until is not None and first - until > longer_than:
            gap = max(until, begin), min(first, end)
            if gap[0] < gap[1]:
                between.append(gap)
        until = last if until is None else max(until, last)
    return between


def joined(runs: Iterable[Stretch]) -> list[Stretch]:
    """Runs that touch as one, the oldest first."""
    merged: list[Stretch] = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged


def seen_before(first_seen_at: datetime, earlier: Iterable[Stretch]) -> datetime | None:
    """The last observation before this was first seen; the change to it came between the two.

    `earlier` are the runs of other replies. A run that was still seen afterwards, as an item of a
    job list may be, does not count.
    """
    return max(
        (last for first, last in earlier if first <= first_seen_at and last <= first_seen_at),
        default=None,
    )
