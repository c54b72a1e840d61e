"""How figures, times and verdicts look."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django import template
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import get_language, gettext, gettext_lazy

from jobs.diagnosis.causes import varying
from jobs.export.job import rfc3339
from jobs.models import Graph, ImportFile, Job
from jobs.models.correction import field_label as label_of_field
from jobs.models.job import LedgerChoices, ReviewState, VerdictChoices
from jobs.queries.job_files import FileGroup
from jobs.sentences import Sentence

register = template.Library()


def is_unknown(value: Any) -> bool:
    """Whether there is nothing to show; a template gives "" for what a missing thing would have."""
    return value is None or value == ""


@register.simple_tag
def verdict(word: str) -> SafeString:
    """A verdict as a shape, a colour and the word."""
    label = VerdictChoices(word).label
    return format_html(
        '<span class="verdict {}"><svg class="v" aria-hidden="true"><use href="#v-{}"/></svg>{}</span>',
        word,
        word,
        label,
    )


@register.simple_tag
def shape(word: str) -> SafeString:
    """Only the shape of a verdict, where its word stands beside it."""
    return format_html('<svg class="v {}" aria-hidden="true"><use href="#v-{}"/></svg>', word, word)


@register.simple_tag
def strip(jobs: list[dict[str, Any]]) -> SafeString:
    """Jobs as a row of shapes, each a link; a list has fifteen hundred of them, so they are made here, not by the template."""
    marks = ((reverse("pages:job", args=[job["pk"]]), f"{job['job_name']}: {VerdictChoices(job['verdict']).label}", job["verdict"])
             for job in jobs)  # fmt: skip
    return format_html_join(
        "",
        '<a href="{0}" title="{1}" aria-label="{1}"><svg class="v {2}" aria-hidden="true"><use href="#v-{2}"/></svg></a>',
        marks,
    )


@register.filter
def verdict_label(word: str) -> str:
    """The verdict's word."""
    return str(VerdictChoices(word).label)


@register.filter
def ledger(word: str | None) -> str:
    """The ledger's label."""
    return str(LedgerChoices(word).label) if word else "–"


@register.filter
def review_label(word: str) -> str:
    """Where a review stands, in words."""
    return str(ReviewState(word).label) if word else ""


@register.filter
def sentence(value: Any) -> str:
    """A structured sentence in the reader's language; its figures get separators."""
    said = value if isinstance(value, Sentence) else Sentence.from_json(value)
    return said.fill(gettext(said.text))


@register.filter
def field_label(name: str) -> str:
    """A field of a job or a file, or a whole file, in words."""
    return gettext("file") if name == "file" else label_of_field(name)


@register.filter
def kind_label(kind: str) -> str:
    """The kind of a file, in words."""
    return str(ImportFile.Kind(kind).label)


WHOLE_NAME = 40  # characters of a file's name that fit a phone's line
_PLACEHOLDERS = {
    "‹id›": gettext_lazy("‹id›"),
    "‹number›": gettext_lazy("‹number›"),
    "‹time›": gettext_lazy("‹time›"),
    "‹path›": gettext_lazy("‹path›"),
    "‹value›": gettext_lazy("‹value›"),
}


@register.filter
def placeholders(pattern: str) -> str:
    """A cause's pattern with its placeholders in the reader's language."""
    for word, label in _PLACEHOLDERS.items():
        pattern = pattern.replace(word, str(label))
    return pattern


@register.filter
def varied(text: str | None) -> str:
    """What of a cause's text is its own, where its pattern has placeholders."""
    return " · ".join(varying(text or ""))


@register.filter
def at(values: Any, key: Any) -> Any:
    """What a mapping has for a key; None where it has nothing, or where there is no mapping."""
    return values.get(key) if values else None


def local_time(value: datetime) -> datetime:
    """The time in the reader's zone; as it is where that zone has no such year, as of a year 1 that means no time."""
    try:
        return timezone.localtime(value)
    except OverflowError:
        return value


@register.filter
def shown(value: Any) -> str:
    """A value of any type, short enough for a line."""
    if is_unknown(value):
        return "–"
    if isinstance(value, datetime):
        return f"{local_time(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= 160 else f"{text[:159]}…"


@register.filter
def number(value: int | Decimal | None) -> str:
    """A count with separators; a dash when it is unknown."""
    return "–" if is_unknown(value) else f"{value:,}"


@register.filter
def compact(value: int | Decimal | None) -> str:
    """A count for a narrow place: 9,999 whole, above that 12 k, 4.2 M, 3 G, 1.5 T, P, E; in Chinese 1.2 万, 4.2 亿."""
    if value is None or is_unknown(value) or -10_000 < value < 10_000:
        return number(value)
    if (get_language() or "").startswith("zh"):
        unit, size = (
            ("亿", Decimal(value).scaleb(-8))
            if abs(Decimal(value)) >= 10**8
            else ("万", Decimal(value).scaleb(-4))
        )
        return f"{size:,.1f}".removesuffix(".0") + f" {unit}"
    power = min((Decimal(value).adjusted()) // 3, 6)
    size, unit = Decimal(value).scaleb(-3 * power), " kMGTPE"[power]
    return f"{size:,.1f}".removesuffix(".0") + f" {unit}"


@register.filter
def signed(value: int | Decimal | None) -> str:
    """A difference with its sign."""
    if is_unknown(value):
        return "–"
    return f"{value:+,}" if value else "0"


@register.filter
def percent(value: Any) -> str:
    """A share as percent; a loss too small to show is not shown as none."""
    if is_unknown(value):
        return "–"
    share = float(value) * 100
    if not share:
        return "0%"
    return f"{share:.2f}%" if share >= 0.01 else "<0.01%"


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


@register.simple_tag
def when(value: datetime | None, style: str = "long") -> SafeString | str:
    """A time in the reader's zone: `long` to the second with the zone, `short` to the minute; UTC and how long ago beside it."""
    if value is None or is_unknown(value):
        return "–"
    local = local_time(value)
    title = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC · {_relative(value)}"
    text = (
        f"{local:%Y-%m-%d %H:%M}"
        if style == "short"
        else f"{local:%Y-%m-%d %H:%M:%S} {zone_of(local)}"
    )
    focus = mark_safe(' tabindex="0"') if style == "long" else ""
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>', value.isoformat(), title, focus, text
    )


@register.simple_tag
def moments(first: datetime, last: datetime) -> tuple[SafeString, SafeString]:
    """Two times to the second in the reader's zone; of the second only the clock where both are of one day."""
    one, other = local_time(first), local_time(last)
    shown = f"{other:%H:%M:%S}" if one.date() == other.date() else f"{other:%Y-%m-%d %H:%M:%S}"
    time = '<time datetime="{}">{}</time>'
    return format_html(time, first.isoformat(), f"{one:%Y-%m-%d %H:%M:%S}"), format_html(
        time, last.isoformat(), shown
    )


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """How long ago, with the time beside it."""
    if value is None or is_unknown(value):
        return "–"
    local = local_time(value)
    title = f"{local:%Y-%m-%d %H:%M:%S} {zone_of(local)}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, _relative(value)
    )


def _relative(value: datetime) -> str:
    now = timezone.now()
    if timedelta(0) <= now - value < timedelta(minutes=1):
        return gettext("just now")
    if value < now:
        return gettext("%(time)s ago") % {"time": timesince(value, now, depth=1)}
    return gettext("in %(time)s") % {"time": timeuntil(value, now, depth=1)}


def zone_of(local: datetime) -> str:
    """The zone by its offset: a short name may be of several (CST is China's and Chicago's)."""
    return f"UTC{local:%:z}" if local.utcoffset() else "UTC"


@register.simple_tag
def zone_name() -> str:
    """The reader's zone, now."""
    return zone_of(timezone.localtime())


@register.filter
def moment(value: datetime | None) -> str:
    """A time in UTC to the second, the same for every reader and at every moment: for what is kept."""
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@register.filter
def hex(value: bytes) -> str:
    """A hash, in lower-case hex."""
    return bytes(value).hex()


@register.filter
def middle(value: str, most: int = 16) -> str:
    """A long id or path with its middle left out."""
    keep = most // 2
    return value if len(value) <= most else f"{value[:keep]}…{value[-(most - keep - 1) :]}"


@register.filter
def as_path(value: str) -> SafeString | str:
    """A file's path as code that breaks before its name, which is kept whole where it is no longer than most."""
    folder, slash, name = value.rpartition("/")
    if not slash or len(name) > WHOLE_NAME:
        return format_html("<code>{}</code>", value) if value else "–"
    return format_html('<code class="path">{}<wbr><span>{}</span></code>', folder + slash, name)


@register.filter
def bad_share(failed: int | Decimal, good: int | Decimal) -> float:
    """The failed share of lines as the width of a bar of 100; a loss is at least a visible sliver."""
    share = 100 * float(Decimal(failed) / Decimal(failed + good)) if failed + good else 0.0
    return max(3.0, round(share, 1)) if share else 0.0


@register.filter
def share_of(failed: int | Decimal | None, good: int | Decimal | None) -> Decimal | None:
    """The failed share of lines; None where one of them is not known."""
    if failed is None or good is None or not failed + good:
        return None
    return Decimal(failed) / Decimal(failed + good)


@register.filter
def loss(one: ImportFile | Job | None) -> Decimal | None:
    """The share of lines that failed, not rounded; None where GES did not count them all."""
    if one is None:
        return None
    if isinstance(one, Job) and one.loss_rate is None:
        return None
    return share_of(one.failed_lines, one.successful_lines)


@register.filter
def lost_at_least(job: Job) -> bool:
    """Whether more lines may be lost than are known: some file has no figures."""
    return job.failed_lines is not None and not job.lines["all"]["complete"]


@register.simple_tag(takes_context=True)
def url_with(context: dict[str, Any], **changes: Any) -> str:
    """This address with other parameters; one that is empty is left out, and a position never outlives a change."""
    query: QueryDict = context["request"].GET.copy()
    for name in ("cursor", "seen"):
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else context["request"].path


@register.simple_tag(takes_context=True)
def group_url(context: dict[str, Any], group: FileGroup) -> str:
    """The files of one group."""
    return url_with(context, group="", **{group.parameter: group.name})


@register.filter
def utc_input(value: datetime) -> str:
    """The time as a form's field has it, in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


@register.filter
def as_parameter(value: datetime) -> str:
    """The time as it stands in an address."""
    return quote(rfc3339(value) or "")


@register.filter
def graph_filter(graph: Graph) -> str:
    """What finds this graph in a list: its id, or its name where that is all that is known."""
    return graph.graph_id or graph.name


@register.filter
def in_language(text: str) -> str:
    """A text that was marked for translation, in the reader's language."""
    return gettext(text)


@register.inclusion_tag("parts/column.html", takes_context=True)
def column(context: dict[str, Any], name: str, label: str, css: str = "") -> dict[str, Any]:
    """The head of a column that can be sorted by; the largest first, and at the second click the smallest."""
    sort = context["page"].sort
    towards = {name: "ascending", f"-{name}": "descending"}.get(sort)
    href = url_with(context, sort=name if sort == f"-{name}" else f"-{name}")
    return {"label": label, "css": css, "href": href, "towards": towards}
