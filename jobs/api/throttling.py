"""Requests per minute of one access key: apart from the API quota, which guards GES."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from jobs.models import AccessKey

# A minute's requests are drawn from the database in so many shares, not one by one.
SHARES_OF_A_MINUTE = 20


@dataclass(slots=True)
class _Drawn:
    """Requests that this process drew for one key and minute, and has not used."""

    minute: datetime
    left: int


_drawn: dict[int, _Drawn] = {}


class KeyThrottle(BaseThrottle):
    """429 over a key's requests a minute, counted over all server processes."""

    @override
    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, AccessKey):
            return True  # a person with a session
        return _use_one(request.auth, timezone.now())

    @override
    def wait(self) -> float:
        return 60.0 - timezone.now().second


def _use_one(key: AccessKey, now: datetime) -> bool:
    minute = now.replace(second=0, microsecond=0)
    drawn = _drawn.get(key.pk)
    # Threads may draw at the same time: the database counts each such draw, so the limit holds.
    if drawn is not None and drawn.minute == minute and drawn.left > 0:
        drawn.left -= 1
        return True

    limit = key.requests_per_minute or settings.KEY_REQUESTS
    share = max(limit // SHARES_OF_A_MINUTE, 1)
    # Near the limit a share may not fit any more, while a single request does.
    return _draw(key, share, limit, now) or (share > 1 and _draw(key, 1, limit, now))


def _draw(key: AccessKey, count: int, limit: int, now: datetime) -> bool:
    """Draw so many requests and use one of them, unless they are over the limit."""
    if not key.count_requests(count, limit=limit, now=now):
        return False
    _drawn[key.pk] = _Drawn(now.replace(second=0, microsecond=0), count - 1)
    return True
