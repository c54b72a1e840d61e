"""How figures, times and verdicts look."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.models import ImportFile, Job
from jobs.models.job import Ledger, Verdict

register = template.Library()
_SHAPES = {
    "success": "✓",
    "partial": "◐",
    "failed": "✕",
    "running": "▶",
    "pending": "○",
    "cancelled": "⊘",
    "unknown": "?",
}


@register.simple_tag
def verdict(word: str) -> SafeString:
    """A verdict as a badge: a shape, a colour and the word."""
    label = Verdict(word).label
    return format_html('<span class="verdict {}"><i aria-hidden="true">{}</i>{}</span>', word, _SHAPES[word], label)


@register.filter
def ledger(word: str | None) -> str:
    """The ledger's label."""
    return str(Ledger(word).label) if word else "–"


@register.filter
def number(value: int | None) -> str:
    """A count with separators; a dash when it is unknown."""
    return "–" if value is None else f"{value:,}"


@register.filter
def percent(value: Any) -> str:
    """A share as percent; a loss too small to show is not shown as none."""
    if value is None:
        return "–"
    share = float(value) * 100
    return f"{share:.2f}%" if share else "0%"


@register.filter
def duration(value: timedelta | None) -> str:
    """Hours, minutes and seconds, the two largest."""
    if value is None:
        return "–"
    seconds = int(value.total_seconds())
    if seconds < 0:
        return "–"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


@register.filter
def took(job: Job) -> str:
    """How long a job took."""
    return duration(job.end_time - job.begin_time if job.begin_time and job.end_time else None)


@register.simple_tag
def when(value: Any) -> SafeString | str:
    """A time in UTC; the page's script puts it in the reader's zone."""
    if value is None:
        return "–"
    text = f"{value:%Y-%m-%d %H:%M:%S}"
    return format_html('<time datetime="{}" title="{} UTC">{} UTC</time>', value.isoformat(), text, text)


@register.filter
def middle(value: str) -> str:
    """A long id with its middle left out."""
    return value if len(value) <= 16 else f"{value[:8]}…{value[-6:]}"


@register.filter
def bad_width(file: ImportFile) -> float | None:
    """The failed share of a file's lines as the width of a bar of 100; a loss is at least a visible sliver."""
    tried = (file.failed_lines or 0) + (file.successful_lines or 0)
    if not tried or file.failed_lines is None:
        return None
    share = 100 * file.failed_lines / tried
    return max(3.0, round(share, 1)) if share else 0.0


@register.filter
def lost_lines(job: Job) -> int | None:
    """The failed lines of a job, as far as they are known."""
    found: int | None = job.lines.get("all", {}).get("failed")
    return found


@register.filter
def lost_at_least(job: Job) -> bool:
    """Whether more lines may be lost than are known: some file has no figures."""
    return lost_lines(job) is not None and not job.lines["all"]["complete"]
