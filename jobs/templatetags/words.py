"""Verdicts and other values in words, and texts made to fit."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from jobs.diagnosis.causes import varying
from jobs.models import ImportFile
from jobs.models.correction import field_label as label_of_field
from jobs.models.job import LedgerChoices, ReviewState, VerdictChoices
from jobs.sentences import Sentence
from jobs.templatetags.figures import grouped, is_unknown
from jobs.templatetags.times import TO_THE_SECOND, local_time

register = template.Library()

MAX_LINE_LENGTH = 160  # characters
MAX_WHOLE_NAME = 40  # characters of a file's name that fit on a phone's line

_PLACEHOLDERS = {
    "‹id›": gettext_lazy("‹id›"),
    "‹number›": gettext_lazy("‹number›"),
    "‹time›": gettext_lazy("‹time›"),
    "‹path›": gettext_lazy("‹path›"),
    "‹value›": gettext_lazy("‹value›"),
}


@register.simple_tag
def verdict(word: str) -> SafeString:
    """A verdict as a shape, a colour and a word."""
    return format_html(
        '<span class="verdict {0}">'
        '<svg class="v" aria-hidden="true"><use href="#v-{0}"/></svg>{1}</span>',
        word,
        verdict_label(word),
    )


@register.simple_tag
def verdict_shape(word: str) -> SafeString:
    """Only the shape of a verdict, for a place where its word is beside it."""
    return format_html('<svg class="v {0}" aria-hidden="true"><use href="#v-{0}"/></svg>', word)


@register.simple_tag
def verdict_strip(jobs: list[dict[str, Any]]) -> SafeString:
    """A row of shapes, each a link to its job.

    A list of graphs has fifteen hundred of them: a template would be too slow.
    """
    shapes = (
        (
            reverse("pages:job", args=[job["pk"]]),
            f"{job['job_name']}: {verdict_label(job['verdict'])}",
            verdict_shape(job["verdict"]),
        )
        for job in jobs
    )
    return format_html_join("", '<a href="{0}" title="{1}" aria-label="{1}">{2}</a>', shapes)


@register.filter
def verdict_label(word: str) -> str:
    """A verdict in words."""
    return str(VerdictChoices(word).label)


@register.filter
def ledger_label(word: str | None) -> str:
    """A ledger in words."""
    return str(LedgerChoices(word).label) if word else "–"


@register.filter
def review_label(word: str) -> str:
    """The state of a review in words."""
    return str(ReviewState(word).label) if word else ""


@register.filter
def kind_label(kind: str) -> str:
    """The kind of a file in words."""
    return str(ImportFile.Kind(kind).label)


@register.filter
def field_label(name: str) -> str:
    """A field of a job or a file in words, or a whole file."""
    return gettext("file") if name == "file" else label_of_field(name)


@register.filter
def sentence(value: Any) -> str:
    """A structured sentence in the reader's language, its counts with digits in groups."""
    structured = value if isinstance(value, Sentence) else Sentence.from_json(value)
    return structured.fill(gettext(structured.text))


@register.filter
def translated(text: str) -> str:
    """A text that was marked for translation, in the reader's language."""
    return gettext(text)


@register.filter
def translated_placeholders(pattern: str) -> str:
    """A cause's pattern with its placeholders in the reader's language."""
    for placeholder, label in _PLACEHOLDERS.items():
        pattern = pattern.replace(placeholder, str(label))
    return pattern


@register.filter
def placeholder_values(text: str | None) -> str:
    """The parts of a cause's text that its pattern's placeholders stand for."""
    return " · ".join(varying(text or ""))


@register.filter
def one_line(value: Any) -> str:
    """A value of any type, short enough for a line."""
    if is_unknown(value):
        return "–"
    if isinstance(value, datetime):
        return f"{local_time(value):{TO_THE_SECOND}}"
    if isinstance(value, int | Decimal):
        return grouped(value)
    text = str(value)
    return text if len(text) <= MAX_LINE_LENGTH else f"{text[: MAX_LINE_LENGTH - 1]}…"


@register.filter
def shortened(value: str, most: int = 16) -> str:
    """A long id or path without its middle."""
    keep = most // 2
    return value if len(value) <= most else f"{value[:keep]}…{value[-(most - keep - 1) :]}"


@register.filter
def as_path(value: str) -> SafeString | str:
    """A file's path as code that breaks before its name; a name of usual length stays whole."""
    folder, slash, name = value.rpartition("/")
    if not slash or len(name) > MAX_WHOLE_NAME:
        return format_html("<code>{}</code>", value) if value else "–"
    return format_html('<code class="path">{}<wbr><span>{}</span></code>', folder + slash, name)


@register.filter
def as_hex(value: bytes) -> str:
    """A hash in lower-case hexadecimal digits."""
    return bytes(value).hex()


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """The mapping's value for a key; None if it has none, or if there is no mapping."""
    return mapping.get(key) if mapping else None
