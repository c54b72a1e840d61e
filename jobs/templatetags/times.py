"""How times and durations look."""

from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext

from jobs.templatetags.figures import is_unknown

register = template.Library()

TO_THE_MINUTE, TO_THE_SECOND = "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"


def local_time(value: datetime) -> datetime:
    """The time in the reader's zone, or as it is if the zone has no such year.

    GES sends a time of the year 1 for none.
    """
    try:
        return timezone.localtime(value)
    except OverflowError:
        return value


def zone_of(local: datetime) -> str:
    """The zone by its offset: CST is both China's and Chicago's."""
    return f"UTC{local:%:z}" if local.utcoffset() else "UTC"


@register.simple_tag
def zone_name() -> str:
    """The reader's zone, now."""
    return zone_of(timezone.localtime())


@register.simple_tag
def when(value: datetime | None, style: str = "long") -> SafeString | str:
    """A time in the reader's zone; its title says it in UTC and how long ago it is.

    `style`: "long" to the second with the zone, "short" to the minute.
    """
    if value is None or is_unknown(value):
        return "–"
    local = local_time(value)
    if style == "short":
        text, focus = f"{local:{TO_THE_MINUTE}}", SafeString()
    else:
        text = f"{local:{TO_THE_SECOND}} {zone_of(local)}"
        focus = SafeString(' tabindex="0"')
    return format_html(
        '<time datetime="{}" title="{} · {}"{}>{}</time>',
        value.isoformat(),
        as_utc(value),
        _relative(value),
        focus,
        text,
    )


@register.simple_tag
def time_range(first: datetime, last: datetime) -> tuple[SafeString, SafeString]:
    """Two times to the second in the reader's zone; the second without a date it shares."""
    begin, end = local_time(first), local_time(last)
    is_one_day = begin.date() == end.date()
    time = '<time datetime="{}">{}</time>'
    return (
        format_html(time, first.isoformat(), f"{begin:{TO_THE_SECOND}}"),
        format_html(time, last.isoformat(), f"{end:{'%H:%M:%S' if is_one_day else TO_THE_SECOND}}"),
    )


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """How long ago; its title says when."""
    if value is None or is_unknown(value):
        return "–"
    local = local_time(value)
    return format_html(
        '<time datetime="{}" title="{} {}">{}</time>',
        value.isoformat(),
        f"{local:{TO_THE_SECOND}}",
        zone_of(local),
        _relative(value),
    )


def _relative(value: datetime) -> str:
    now = timezone.now()
    if timedelta(0) <= now - value < timedelta(minutes=1):
        return gettext("just now")
    if value < now:
        return gettext("%(time)s ago") % {"time": timesince(value, now, depth=1)}
    return gettext("in %(time)s") % {"time": timeuntil(value, now, depth=1)}


@register.filter
def as_utc(value: datetime | None) -> str:
    """A time in UTC to the second: the same for every reader, for what is kept."""
    return "–" if value is None else f"{value.astimezone(UTC):{TO_THE_SECOND}} UTC"


@register.filter
def utc_input(value: datetime) -> str:
    """The time in UTC as the value of a form's field."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


@register.filter
def duration(value: timedelta | None) -> str:
    """The two largest units."""
    if value is None or is_unknown(value) or value < timedelta(0):
        return "–"
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)

    if days and not hours:
        return gettext("%(days)d d") % {"days": days}
    if days:
        return gettext("%(days)d d %(hours)02d h") % {"days": days, "hours": hours}
    if hours:
        return gettext("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return gettext("%(minutes)d min %(seconds)02d s") % {"minutes": minutes, "seconds": seconds}
    return gettext("%(seconds)d s") % {"seconds": seconds}
