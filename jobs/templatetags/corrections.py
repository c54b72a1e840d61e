"""Marks of values and figures that corrections changed."""

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
MAX_NAMED_CORRECTIONS = 3  # in one mark


@register.simple_tag
def corrected(row: Any, *fields: str) -> SafeString | str:
    """The mark of a corrected value: GES's value, who corrected it, and why."""
    kind = getattr(row, "kind", "")
    corrections = [
        correction
        for correction in getattr(row, "standing", ())
        if correction.field in fields and correction.kind == kind
    ]
    return format_html_join(
        " ",
        '<span class="corrected" tabindex="0" title="{}">✎ <del>{}</del></span>',
        map(_mark, corrections),
    )


@register.simple_tag
def rests_on(job: Any, *path: str) -> SafeString | str:
    """The mark of a figure that corrections changed: its value without them, by whom, and why.

    `path`: a key of `Job.observed`, for lines with the kind and the figure.
    """
    if not job.observed:
        return ""

    current_values: Any = {
        **job.observed,
        "verdict": job.verdict,
        "ledger": job.ledger,
        "lines": job.lines,
    }
    current_values |= {
        "lost_file_count": job.lost_file_count,
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
    }
    observed, current = (_value_at(values, path) for values in (job.observed, current_values))
    standing = [
        correction
        for correction in getattr(job, "standing", ())
        if correction.kind or correction.field in {"status", "verdict"}
    ]
    if observed == current or (
        path == ("verdict",) and any(not correction.kind for correction in standing)
    ):
        return ""  # the same, or marked as corrected itself

    labels = {"verdict": verdict_label, "ledger": ledger_label, "loss_rate": percent}
    text = labels.get(path[0], grouped)(observed)
    basis = gettext("Based on corrected file values; GES values give %(observed)s.") % {
        "observed": text
    }
    reasons = "; ".join(
        f"{correction.where}, {correction.actor.get_username()}: {correction.reason[:200]}"
        for correction in standing[:MAX_NAMED_CORRECTIONS]
    )
    return format_html(
        '<span class="corrected" tabindex="0" title="{}">✎ <del>{}</del></span>',
        f"{basis} {reasons}".strip(),
        text,
    )


def _value_at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = (values or {}).get(key)
    return values


def _mark(correction: Correction) -> tuple[str, str]:
    values = {
        "who": correction.actor.get_username(),
        "at": f"{local_time(correction.made_at):{TO_THE_MINUTE}}",
        "why": correction.reason[:300],
    }
    title = gettext("GES value: %(observed)s; corrected by %(who)s, %(at)s: %(why)s")
    observed = one_line(correction_value(correction, correction.newest))
    flag = f" ({correction.get_flag_display()})" if correction.flag else ""
    return title % {"observed": observed, **values} + flag, observed


@register.simple_tag
def correction_value(correction: Correction, value: str | None) -> str | None:
    """The value of a correction in words: a graph by its name, where the page looked it up."""
    if value is None or value == "":
        return None
    if correction.field == "graph":
        names: dict[str, str] = getattr(correction, "graph_names", {})
        return names.get(value, gettext("graph %(number)s") % {"number": value})
    if correction.field in {"is_hidden", "is_deleted"}:
        return gettext("yes") if value == "yes" else gettext("no")
    return str(VerdictChoices(value).label) if correction.field == "verdict" else value
