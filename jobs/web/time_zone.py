"""The reader's time zone: chosen, else the browser's, else UTC."""

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

CHOSEN, BROWSERS = "gesdash_zone", "gesdash_browser_zone"


def read_zone(name: str) -> ZoneInfo | None:
    """The zone of this name, None when there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None


def midnight(day: date) -> datetime:
    """When this day begins for the reader."""
    return timezone.make_aware(datetime.combine(day, time.min))


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Times of a page are shown, and times typed into it read, in the reader's zone."""

    def answer(request: HttpRequest) -> HttpResponse:
        zone = read_zone(request.COOKIES.get(CHOSEN, "")) or read_zone(
            request.COOKIES.get(BROWSERS, "")
        )
        with timezone.override(zone or "UTC"):
            return get_response(request)

    return answer
