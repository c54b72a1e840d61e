"""What came over HTTP from GES, before anybody read it."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

MAX_BODY = 8 * 1024 * 1024  # bytes of an answer, past which it is not read


class Answer(NamedTuple):
    """What came over HTTP, whatever it says; `retry_after` in seconds."""

    http_status: int
    body: bytes
    content_type: str
    request_id: str | None
    retry_after: float | None
    observed_at: datetime
    seconds: float | None = None  # from asking to the end of it
    date: str | None = None  # GES's, as its header tells it
    asked_at: datetime | None = None
    heard_at: datetime | None = None  # when its head was there

    @property
    def clock_skew(self) -> timedelta | None:
        """How far GES's clock, by its Date header, is ahead of ours; that tells no more than whole seconds."""
        there = _http_date(self.date or "")
        if there is None or self.asked_at is None or self.heard_at is None:
            return None
        # The middle of the second it tells, and of the time in which it was told.
        return (
            there + timedelta(seconds=0.5) - (self.asked_at + (self.heard_at - self.asked_at) / 2)
        )


@lru_cache(maxsize=64)  # all answers of one second tell the same
def _http_date(date: str) -> datetime | None:
    try:
        there = parsedate_to_datetime(date)
        return there.replace(tzinfo=UTC) if there.tzinfo is None else there.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
