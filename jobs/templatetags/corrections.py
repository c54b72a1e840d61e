"""What a person corrected, beside what GES says."""

from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from jobs.models import Correction
from jobs.models.job import Verdict
from jobs.templatetags.gesdash import local_time, shown

register = template.Library()


@register.simple_tag
def corrected(row: Any, *fields: str) -> SafeString | str:
    """The mark of a value that a person corrected: what GES says, who says otherwise, and why."""
    kind = getattr(row, "kind", "")
    found = [one for one in getattr(row, "standing", ()) if one.field in fields and one.kind == kind]
    return format_html_join(" ", '<span class="corrected" tabindex="0" title="{}">✎ <del>{}</del></span>', map(_mark, found))


def _mark(one: Correction) -> tuple[str, str]:
    said = {"who": one.actor.get_username(), "at": f"{local_time(one.made_at):%Y-%m-%d %H:%M}", "why": one.reason[:300]}
    told = gettext("GES says %(observed)s; corrected by %(who)s, %(at)s: %(why)s")
    observed = shown(correction_value(one, one.newest))
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
    return str(Verdict(value).label) if one.field == "verdict" else value
