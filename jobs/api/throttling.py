"""How often one key may ask: apart from the call budget, which guards GES."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from jobs.models import AccessKey

PIECES = 20  # a minute's requests are drawn from the database in so many pieces, not one by one


@dataclass(slots=True)
class _Drawn:
    """What this process drew for one key and minute, and has not used."""

    minute: datetime
    left: int


_drawn: dict[int, _Drawn] = {}


class KeyThrottle(BaseThrottle):
    """429 over a key's requests a minute, counted over all server processes."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """A person with a session is not counted."""
        return not isinstance(request.auth, AccessKey) or _draw(request.auth, timezone.now())

    def wait(self) -> float:
        """Seconds to the next minute."""
        return 60.0 - timezone.now().second


def _draw(key: AccessKey, now: datetime) -> bool:
    minute = now.replace(second=0, microsecond=0)
    drawn = _drawn.get(key.pk)
    # Threads may draw at the same time: each such draw is counted in the database, so the limit holds.
    if drawn is not None and drawn.minute == minute and drawn.left > 0:
        drawn.left -= 1
        return True
    limit = key.requests_per_minute or settings.KEY_REQUESTS
    for count in {max(limit // PIECES, 1): None, 1: None}:
        if key.count_requests(count, limit=limit, now=now):
            _drawn[key.pk] = _Drawn(minute, count - 1)
            return True
    return False
