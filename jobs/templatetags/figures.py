"""Formats of counts and shares."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from jobs.models import ImportFile, Job

register = template.Library()

MIN_BAR_PERCENT = 3.0  # the least that can be seen


def is_unknown(value: Any) -> bool:
    """Whether there is nothing to show; a template passes "" for a value that does not exist."""
    return value is None or value == ""


@register.filter
def is_known(value: Any) -> bool:
    """Whether there is something to show; zero is."""
    return not is_unknown(value)


@register.filter
def grouped(value: int | Decimal | None) -> str:
    """A count with its digits in groups of three, or a dash if it is unknown."""
    return "–" if is_unknown(value) else f"{value:,}"


@register.filter
def bad_count(value: int | Decimal | None) -> SafeString | str:
    """A count of what was lost, highlighted unless it is zero or unknown."""
    return format_html('<b class="bad">{}</b>', grouped(value)) if value else grouped(value)


@register.filter
def compact(value: int | Decimal | None) -> str:
    """A count for a narrow place: whole up to 9,999, then 12 k, 4.2 M, 3 G, 1.5 T, P and E.

    In Chinese 1.2 万 and 4.2 亿.
    """
    if value is None or is_unknown(value) or -10_000 < value < 10_000:
        return grouped(value)

    count = Decimal(value)
    if (get_language() or "").startswith("zh"):
        power, unit = (8, "亿") if abs(count) >= 10**8 else (4, "万")
    else:
        thousands = min(count.adjusted() // 3, 6)
        power, unit = 3 * thousands, " kMGTPE"[thousands]
    return f"{count.scaleb(-power):,.1f}".removesuffix(".0") + f" {unit}"


@register.filter
def signed(value: int | Decimal | None) -> str:
    """A difference with its sign."""
    if is_unknown(value):
        return "–"
    return f"{value:+,}" if value else "0"


@register.filter
def percent(value: Any) -> str:
    """A share as a percentage; a loss too small to show does not look like no loss."""
    if is_unknown(value):
        return "–"
    share = float(value) * 100
    if not share:
        return "0%"
    return f"{share:.2f}%" if share >= 0.01 else "<0.01%"


@register.filter
def share_of(failed: int | Decimal | None, good: int | Decimal | None) -> Decimal | None:
    """The failed share of lines; None if one of the counts is unknown."""
    if failed is None or good is None or not failed + good:
        return None
    return Decimal(failed) / Decimal(failed + good)


@register.filter
def loss_share(source: ImportFile | Job | None) -> Decimal | None:
    """The share of lines that failed, not rounded; None if GES did not count them all."""
    if source is None or (isinstance(source, Job) and source.loss_rate is None):
        return None
    return share_of(source.failed_lines, source.successful_lines)


@register.filter
def bar_width(failed: int | Decimal, good: int | Decimal) -> float:
    """The failed share of lines in a bar 100 wide; any loss can be seen."""
    share = share_of(failed, good)
    return max(MIN_BAR_PERCENT, round(100 * float(share), 1)) if share else 0.0


@register.filter
def lost_at_least(job: Job) -> bool:
    """Whether more lines may be lost than are known, because some file has no counts."""
    return job.failed_lines is not None and not job.lines["all"]["complete"]
