"""An HTTP response of GES, not parsed yet."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

MAX_BODY = 8 * 1024 * 1024  # bytes of an answer, past which it is not read


class Answer(NamedTuple):
    """An HTTP response of GES, whatever it says.

    Units: `retry_after` and `seconds` in seconds; `seconds` from the request to the body's end.
    """

    http_status: int
    body: bytes
    content_type: str
    request_id: str | None
    retry_after: float | None
    observed_at: datetime
    seconds: float | None = None
    date: str | None = None  # GES's header, as it came
    requested_at: datetime | None = None
    responded_at: datetime | None = None  # when its head was there

    @property
    def clock_skew(self) -> timedelta | None:
        """How far GES's clock is ahead of ours, by its Date header, which has whole seconds."""
        ges_time = _http_date(self.date or "")
        if ges_time is None or self.requested_at is None or self.responded_at is None:
            return None
        # The middle of GES's second, and of the time between request and response.
        our_time = self.requested_at + (self.responded_at - self.requested_at) / 2
        return ges_time + timedelta(seconds=0.5) - our_time


@lru_cache(maxsize=64)  # all answers of one second have the same
def _http_date(date: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(date)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
