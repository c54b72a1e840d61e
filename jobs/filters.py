"""Query string -> rows, for pages, API and export alike. A filter has one name and one meaning everywhere."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.diagnosis.ledger import Ledger
from jobs.ges.words import Verdict
from jobs.models import Graph, ImportFile, Job, Project
from jobs.models.correction import STANDING
from jobs.models.job import ENDED_UNBEGUN, JobQuerySet, ReviewState
from jobs.paging import DURATION, NUMBER, TEXT, TIME, Page, page, won_t_do

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


def _time(value: str, zone: tzinfo) -> datetime:
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=zone).astimezone(UTC) if at.tzinfo is None else at.astimezone(UTC)


def _share(value: str, _zone: tzinfo) -> Decimal:
    share = Decimal(value)
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
    """One filter: how its value is read, what it finds, and the words for a value that won't do."""

    read: Callable[[str, tzinfo], Any]
    find: Callable[[Any], Q]
    expected: str | Promise


def _one_of(words: type[StrEnum] | type[ReviewState], find: Callable[[Any], Q]) -> Filter:
    values = [word.value for word in words]
    return Filter(lambda value, _zone: words(value).value, find, ", ".join(values))


def _ended_before(at: datetime) -> Q:
    """What ended before began before, which is where the list's order begins to look; the few that did not are named."""
    odd = _keys(Job.objects.filter(ENDED_UNBEGUN, end_time__lt=at))
    began = Q(begin_time__lt=at)
    return Q(end_time__lt=at) & (began | Q(pk__in=odd) if odd else began)


def _lossy(share: Decimal) -> Q:
    """No share of lines is lost without a file that lost some: the few jobs that did have an index of their own."""
    return Q(loss_rate__gt=share, lost_file_count__gt=0)


_TIME = gettext_lazy("a time such as 2026-01-31 or 2026-01-31T08:15:00Z")
_TEXT = gettext_lazy("text of at most 1,024 characters")
FILTERS: dict[str, Filter] = {
    "project": Filter(_text, lambda v: Q(project__in=_keys(Project.objects.filter(project_id=v))), _TEXT),
    "graph": Filter(_text, lambda v: Q(graph__in=_keys(Graph.objects.filter(Q(graph_id__startswith=v) | Q(name=v)))), _TEXT),
    "verdict": _one_of(Verdict, lambda v: Q(verdict=v)),
    "review": _one_of(ReviewState, lambda v: Q(review=v)),
    "status": Filter(_text, lambda v: Q(status__iexact=v), _TEXT),
    "job_name": Filter(_text, lambda v: Q(job_name__iexact=v), _TEXT),
    "job_type": Filter(_text, lambda v: Q(job_type__iexact=v), _TEXT),
    "job_id": Filter(_text, lambda v: Q(job_id__startswith=v), _TEXT),
    "path": Filter(_text, lambda v: Q(pk__in=_with_file(path__contains=v)), _TEXT),
    "cause": Filter(_text, lambda v: Q(pk__in=_with_file(cause__icontains=v)), _TEXT),
    "cause_group": Filter(_number, lambda v: Q(pk__in=_with_file(cause_group=v)), gettext_lazy("the number of a cause")),
    "ledger": _one_of(Ledger, lambda v: Q(ledger=v)),
    "began_after": Filter(_time, lambda v: Q(begin_time__gte=v), _TIME),
    "began_before": Filter(_time, lambda v: Q(begin_time__lt=v), _TIME),
    "ended_after": Filter(_time, lambda v: Q(end_time__gte=v), _TIME),
    "ended_before": Filter(_time, _ended_before, _TIME),
    "loss_over": Filter(_share, _lossy, gettext_lazy("a number from 0 to 1, such as 0.05")),
}


def _keys(rows: QuerySet[Any]) -> list[int]:
    """As values, not as a subquery: the planner then knows how many jobs they have, which decides between its indexes."""
    return list(rows.values_list("pk", flat=True))


def _with_file(**condition: Any) -> QuerySet[Any]:
    return ImportFile.objects.filter(**condition).values("job")


def filtered(params: QueryDict, queryset: JobQuerySet, *, but: str = "") -> tuple[JobQuerySet, list[str]]:
    """The jobs asked for, and a sentence for each name or value that won't do; those are left out of the filtering.

    Repeated filters mean or, different ones mean and; an empty value asks nothing; `but` is a filter passed over.
    """
    problems: list[str] = []
    zone = read_zone_parameter(params.get("zone", ""), problems)
    for name in params:
        if name in STEERING or name == but:
            continue
        if name not in FILTERS:
            known = ", ".join([*FILTERS, *STEERING])
            problems.append(
                _("%(name)s: there is no such filter; known are %(known)s.") % {"name": name[:60], "known": known}
            )
            continue
        found = Q()
        for value in filter(None, (value.strip() for value in params.getlist(name))):
            try:
                found |= FILTERS[name].find(FILTERS[name].read(value, zone))
            except (ValueError, ArithmeticError):
                problems.append(won_t_do(name, value, str(FILTERS[name].expected)))
        queryset = queryset.filter(found)
    return queryset, problems


def read_zone_parameter(name: str, problems: list[str]) -> tzinfo:
    """The zone of times that name none; UTC unless `zone` says another."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        problems.append(won_t_do("zone", name, _("a time zone such as Asia/Shanghai")))
        return UTC


def page_of(params: QueryDict, queryset: JobQuerySet) -> tuple[Page, list[str]]:
    """One page of jobs, and sentences as `filtered`."""
    rows = queryset.select_related("graph", "project").prefetch_related(STANDING)
    return page(params, rows, SORTS, DEFAULT_SORT)


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
