"""What a person corrected, beside what GES says."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from jobs.models import Correction
from jobs.models.job import VerdictChoices
from jobs.templatetags.figures import grouped, percent
from jobs.templatetags.times import TO_THE_MINUTE, local_time
from jobs.templatetags.words import ledger_label, one_line, verdict_label

register = template.Library()
TOLD = 3  # corrections named in one mark


@register.simple_tag
def corrected(row: Any, *fields: str) -> SafeString | str:
    """The mark of a value that a person corrected: what GES says, who says otherwise, and why."""
    kind = getattr(row, "kind", "")
    found = [
        one for one in getattr(row, "standing", ()) if one.field in fields and one.kind == kind
    ]
    return format_html_join(
        " ",
        '<span class="corrected" tabindex="0" title="{}">✎ <del>{}</del></span>',
        map(_mark, found),
    )


@register.simple_tag
def rests_on(job: Any, *path: str) -> SafeString | str:
    """The mark of a figure that corrections changed: what GES's values alone make of it, whose corrections, and why.

    `path`: a key of `Job.observed`, for lines with the kind and the figure.
    """
    if not job.observed:
        return ""
    now: Any = {**job.observed, "verdict": job.verdict, "ledger": job.ledger, "lines": job.lines}
    now |= {
        "lost_file_count": job.lost_file_count,
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
    }
    observed, current = (_at(values, path) for values in (job.observed, now))
    standing = [
        one
        for one in getattr(job, "standing", ())
        if one.kind or one.field in {"status", "verdict"}
    ]
    if observed == current or (path == ("verdict",) and any(not one.kind for one in standing)):
        return ""  # the same, or marked as corrected itself
    labels = {"verdict": verdict_label, "ledger": ledger_label, "loss_rate": percent}
    text = labels.get(path[0], grouped)(observed)
    told = gettext("Based on corrected file values; GES values give %(observed)s.") % {
        "observed": text
    }
    why = "; ".join(
        f"{one.where}, {one.actor.get_username()}: {one.reason[:200]}" for one in standing[:TOLD]
    )
    return format_html(
        '<span class="corrected" tabindex="0" title="{}">✎ <del>{}</del></span>',
        f"{told} {why}".strip(),
        text,
    )


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = (values or {}).get(key)
    return values


def _mark(one: Correction) -> tuple[str, str]:
    said = {
        "who": one.actor.get_username(),
        "at": f"{local_time(one.made_at):{TO_THE_MINUTE}}",
        "why": one.reason[:300],
    }
    told = gettext("GES value: %(observed)s; corrected by %(who)s, %(at)s: %(why)s")
    observed = one_line(correction_value(one, one.newest))
    flag = f" ({one.get_flag_display()})" if one.flag else ""
    return told % {"observed": observed, **said} + flag, observed


@register.simple_tag
def correction_value(one: Correction, value: str | None) -> str | None:
    """The value of a correction in words: a graph by its name, where the page looked it up."""
    if value is None or value == "":
        return None
    if one.field == "graph":
        names: dict[str, str] = getattr(one, "graph_names", {})
        return names.get(value, gettext("graph %(number)s") % {"number": value})
    if one.field in {"is_hidden", "is_deleted"}:
        return gettext("yes") if value == "yes" else gettext("no")
    return str(VerdictChoices(value).label) if one.field == "verdict" else value
