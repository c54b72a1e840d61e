"""The reader's time zone: the chosen one, else the browser's, else UTC."""

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

CHOSEN_COOKIE = "gesdash_zone"
BROWSER_COOKIE = "gesdash_browser_zone"


def read_zone(name: str) -> ZoneInfo | None:
    """The zone of this name, None when there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None


def midnight(day: date) -> datetime:
    """The time at which this day begins for the reader."""
    return timezone.make_aware(datetime.combine(day, time.min))


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Activates the reader's zone, in which a page shows times and reads those typed into it."""

    def respond(request: HttpRequest) -> HttpResponse:
        names = (request.COOKIES.get(cookie, "") for cookie in (CHOSEN_COOKIE, BROWSER_COOKIE))
        zone = next(filter(None, map(read_zone, names)), None)
        with timezone.override(zone or "UTC"):
            return get_response(request)

    return respond
