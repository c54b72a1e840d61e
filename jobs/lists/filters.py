"""Query string -> rows, for pages, API and export alike. A filter has one name and one meaning everywhere."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.diagnosis.ledger import Ledger
from jobs.ges.words import Verdict
from jobs.lists.paging import DURATION, NUMBER, TEXT, TIME, Page, invalid_value, page
from jobs.models import Correction, Graph, ImportFile, Job, Project
from jobs.models.correction import STANDING
from jobs.models.job import ENDED_UNBEGUN, JobQuerySet, ReviewState

DEFAULT_SORT = "-begin_time"
SORTS = {
    "begin_time": TIME,
    "end_time": TIME,
    "duration": DURATION,
    "failed_lines": NUMBER,
    "loss_rate": NUMBER,
    "job_name": TEXT,
}
#: Words that steer a list without choosing its rows.
STEERING = ("sort", "page_size", "cursor", "zone")
COUNTED, COUNTED_BY_FILES = 10_000, 1_000
#: Filters that look at the jobs' files.
OF_FILES = ("path", "cause", "cause_group")


_AGO = re.compile(r"(\d{1,4})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAYS_BACK = {"today": 0, "yesterday": 1, "今天": 0, "昨天": 1}


def read_when(value: str, zone: tzinfo) -> datetime:
    """A time in UTC: an ISO time, of `zone` where it names none; 24h, 7d or 4w ago; or the start of today or yesterday there.

    Relative words are of the moment they are read at, so that a saved view does not age. Raises: ValueError.
    """
    word, now = value.casefold(), timezone.now()
    if ago := _AGO.fullmatch(word):
        return now - int(ago[1]) * _UNITS[ago[2]]
    if word in _DAYS_BACK:
        day = now.astimezone(zone).date() - timedelta(days=_DAYS_BACK[word])
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=zone).astimezone(UTC) if at.tzinfo is None else at.astimezone(UTC)


def _share(value: str, _zone: tzinfo) -> Decimal:
    share = Decimal(value[:-1]) / 100 if value.endswith("%") else Decimal(value)
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _text(value: str, _zone: tzinfo) -> str:
    if "\x00" in value or len(value) > 1024:
        raise ValueError
    return value


def _number(value: str, _zone: tzinfo) -> int:
    if not value.isascii() or not value.isdigit() or int(value) >= 2**63:
        raise ValueError
    return int(value)


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: how its value is read, what it finds, the words for a value that won't do, and what a page calls it."""

    read: Callable[[str, tzinfo], Any]
    find: Callable[[Any], Q]
    expected: str | Promise
    label: str | Promise


def _one_of(
    words: type[StrEnum] | type[ReviewState], find: Callable[[Any], Q], label: Promise
) -> Filter:
    values = [word.value for word in words]
    return Filter(lambda value, _zone: words(value).value, find, ", ".join(values), label)


def _ended_before(at: datetime) -> Q:
    """What ended before began before, which is where the list's order begins to look; the few that did not are named."""
    odd = _keys(Job.objects.filter(ENDED_UNBEGUN, end_time__lt=at))
    began = Q(begin_time__lt=at)
    return Q(end_time__lt=at) & (began | Q(pk__in=odd) if odd else began)


def _lossy(share: Decimal) -> Q:
    """No share of lines is lost without a file that lost some: the few jobs that did have an index of their own."""
    return Q(loss_rate__gt=share, lost_file_count__gt=0)


TIME_WORDS = gettext_lazy(
    "a time such as 2026-01-31, 2026-01-31T08:15:00Z, 24h, 7d, 4w, today or yesterday"
)
_TEXT = gettext_lazy("text of at most 1,024 characters")


def _said(find: Callable[[Any], Q], label: Promise) -> Filter:
    return Filter(_text, find, _TEXT, label)


def _dated(find: Callable[[Any], Q], label: Promise) -> Filter:
    return Filter(read_when, find, TIME_WORDS, label)


def _yes_or_no(yes: Q, label: Promise) -> Filter:
    words = {"yes": yes, "no": ~yes}
    return Filter(lambda value, _zone: words[value], lambda found: found, ", ".join(words), label)


FILTERS: dict[str, Filter] = {
    "project": _said(
        lambda v: Q(project__in=_keys(Project.objects.filter(project_id=v))),
        gettext_lazy("Project"),
    ),
    "graph": _said(
        lambda v: Q(graph__in=_keys(Graph.objects.filter(Q(graph_id__startswith=v) | Q(name=v)))),
        gettext_lazy("Graph"),
    ),
    "verdict": _one_of(Verdict, lambda v: Q(verdict=v), gettext_lazy("Status")),
    "review": _one_of(ReviewState, lambda v: Q(review=v), gettext_lazy("Review")),
    "status": _said(lambda v: Q(status__iexact=v), gettext_lazy("GES status")),
    "job_name": _said(lambda v: Q(job_name__iexact=v), gettext_lazy("Job name")),
    "job_type": _said(lambda v: Q(job_type__iexact=v), gettext_lazy("Job type")),
    "job_id": _said(lambda v: Q(job_id__startswith=v), gettext_lazy("Job ID starts with")),
    "path": _said(
        lambda v: Q(pk__in=_with_file(path__contains=v)), gettext_lazy("File path contains")
    ),
    "cause": _said(
        lambda v: Q(pk__in=_with_file(cause__icontains=v)), gettext_lazy("Failure reason contains")
    ),
    "cause_group": Filter(
        _number,
        lambda v: Q(pk__in=_with_file(cause_group=v)),
        gettext_lazy("the number of a failure reason"),
        gettext_lazy("Failure reason number"),
    ),
    "ledger": _one_of(Ledger, lambda v: Q(ledger=v), gettext_lazy("Count check")),
    "began_after": _dated(lambda v: Q(begin_time__gte=v), gettext_lazy("Start time from")),
    "began_before": _dated(lambda v: Q(begin_time__lt=v), gettext_lazy("Start time to")),
    "ended_after": _dated(lambda v: Q(end_time__gte=v), gettext_lazy("End time from")),
    "ended_before": _dated(_ended_before, gettext_lazy("End time to")),
    "loss_over": Filter(
        _share,
        _lossy,
        gettext_lazy("a rate from 0 to 1, such as 0.05 or 5%"),
        gettext_lazy("Failure rate over"),
    ),
    "contradictions": _yes_or_no(
        Q(contradiction_count__gt=0), gettext_lazy("Inconsistent responses")
    ),
    "hidden": _yes_or_no(Q(is_hidden=True), gettext_lazy("Excluded from statistics")),
}


def _keys(rows: QuerySet[Any]) -> list[int]:
    """As values, not as a subquery: the planner then knows how many jobs they have, which decides between its indexes."""
    return list(rows.values_list("pk", flat=True))


def _with_file(**condition: Any) -> QuerySet[Any]:
    return ImportFile.objects.filter(**condition).values("job")


def filtered(
    params: QueryDict,
    queryset: JobQuerySet,
    *,
    but: str = "",
    zone: tzinfo = UTC,
    labelled: bool = False,
) -> tuple[JobQuerySet, list[str]]:
    """The jobs asked for, and a sentence for each name or value that won't do; those are left out of the filtering.

    `but` is a filter passed over; for the rest see `conditions`.
    """
    asked, problems = conditions(params, FILTERS, but=but, zone=zone, labelled=labelled)
    return queryset.filter(asked), problems


def conditions(
    params: QueryDict,
    filters: Mapping[str, Filter],
    *,
    but: str = "",
    zone: tzinfo = UTC,
    labelled: bool = False,
) -> tuple[Q, list[str]]:
    """What these filters ask for. Repeated ones mean or, different ones mean and; an empty value asks nothing.

    `zone` is that of times which name none, unless the parameter `zone` says another; a sentence is `labelled` with the field's
    label where people read it, else with the parameter's name.
    """
    problems: list[str] = []
    zone = _zone(params.get("zone", ""), problems, default=zone)
    asked = Q()
    for name in params:
        if name in STEERING or name == but:
            continue
        if name not in filters:
            known = ", ".join([*filters, *STEERING])
            problems.append(
                _("%(name)s: unknown filter; expected one of %(known)s.")
                % {"name": name[:60], "known": known}
            )
            continue
        found = Q()
        for value in filter(None, (value.strip() for value in params.getlist(name))):
            try:
                found |= filters[name].find(filters[name].read(value, zone))
            except (ValueError, ArithmeticError, LookupError):
                called = str(filters[name].label) if labelled else name
                problems.append(invalid_value(called, value, str(filters[name].expected)))
        asked &= found
    return asked, problems


def _zone(name: str, problems: list[str], *, default: tzinfo = UTC) -> tzinfo:
    """The zone of times that name none: `default` unless `zone` says another."""
    if not name:
        return default
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        problems.append(invalid_value("zone", name, _("a time zone such as Asia/Shanghai")))
        return default


def page_of(params: QueryDict, queryset: JobQuerySet) -> tuple[Page, list[str]]:
    """One page of jobs, and sentences as `filtered`."""
    standing = Correction.objects.standing().filter(job=OuterRef("pk"), kind="")
    rows = queryset.select_related("graph", "project").annotate(is_corrected=Exists(standing))
    part, problems = page(params, rows, SORTS, DEFAULT_SORT)
    for job in part.rows:
        if not job.is_corrected:
            job.standing = []
    prefetch_related_objects(
        [job for job in part.rows if job.is_corrected], STANDING
    )  # few are, and mostly none
    return part, problems


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs a verdict, over the newest `limit`; `over` when there are more than those."""

    by_verdict: dict[str, int]
    over: bool
    limit: int

    @property
    def total(self) -> int:
        """All of them, at most `limit`."""
        return min(sum(self.by_verdict.values()), self.limit)


def most_counted(params: QueryDict) -> int:
    """How many jobs are counted; those asked for by their files cost more to find."""
    return COUNTED_BY_FILES if any(params.get(name) for name in OF_FILES) else COUNTED


def counts(queryset: JobQuerySet, limit: int = COUNTED) -> Counts:
    """Count by verdict at a cost that does not grow with the table."""
    newest = queryset.order_by("-begin_time", "-pk").values_list("verdict", flat=True)[: limit + 1]
    found = Counter(newest)
    return Counts(found, found.total() > limit, limit)


def bounded_count(queryset: QuerySet[Any], limit: int = COUNTED) -> tuple[int, bool]:
    """How many rows, and whether there are more than `limit`: "10,000+" costs no more than that many."""
    count = queryset.order_by()[: limit + 1].count()
    return min(count, limit), count > limit
