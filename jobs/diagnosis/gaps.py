"""What was not observed: when nobody asked, and how long before it was seen a change may have come. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

type Stretch = tuple[datetime, datetime]  # first and last moment


def gaps(
    runs: Iterable[Stretch], begin: datetime, end: datetime, *, longer_than: timedelta
) -> list[Stretch]:
    """What lies between these runs, which may overlap, and from the last of them to `end`; cut to begin and end.

    Before the first run nothing is known, so there is no gap either.
    """
    found = []
    until: datetime | None = None
    for first, last in [*sorted(runs), (end, end)]:
        if until is not None and first - until > longer_than:
            cut = max(until, begin), min(first, end)
            if cut[0] < cut[1]:
                found.append(cut)
        until = last if until is None else max(until, last)
    return found


def joined(runs: Iterable[Stretch]) -> list[Stretch]:
    """Runs that touch as one, the oldest first."""
    found: list[Stretch] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def seen_before(first_seen_at: datetime, earlier: Iterable[Stretch]) -> datetime | None:
    """When anything was last seen before this was first seen: the change to it came between the two.

    `earlier` are the runs of other replies; one that was still seen afterwards, as an item of a job list may be, tells nothing.
    """
    return max(
        (last for first, last in earlier if first <= first_seen_at and last <= first_seen_at),
        default=None,
    )
