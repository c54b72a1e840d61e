"""Query string -> rows, for pages, API and export alike."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from jobs.diagnosis.ledger import Ledger
from jobs.ges.words import Verdict
from jobs.models import Job
from jobs.models.job import JobQuerySet

PAGE_SIZE, MAX_PAGE_SIZE = 50, 500
DEFAULT_SORT = "-begin_time"
SORTS = ("begin_time", "end_time", "loss_rate", "observed_at", "job_name")
_STEERING = {"sort", "page_size", "cursor", "format"}


def _time(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _share(value: str) -> Decimal:
    share = Decimal(value)
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _one_of(words: type[Verdict] | type[Ledger]) -> Callable[[str], str]:
    return lambda value: words(value).value


def _text(value: str) -> str:
    if "\x00" in value or len(value) > 1024:
        raise ValueError
    return value


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: how its value is read, what it finds, and the words for a value that won't do."""

    read: Callable[[str], Any]
    find: Callable[[Any], Q]
    expected: str


def _words(words: type[Verdict] | type[Ledger]) -> str:
    return "one of " + ", ".join(word.value for word in words)


_TIME = "a time such as 2026-01-31 or 2026-01-31T08:15:00Z"
_TEXT = "text of at most 1,024 characters"
FILTERS: dict[str, Filter] = {
    "project": Filter(_text, lambda v: Q(project__project_id=v), _TEXT),
    "graph": Filter(_text, lambda v: Q(graph__graph_id=v) | Q(graph__name=v), _TEXT),
    "verdict": Filter(_one_of(Verdict), lambda v: Q(verdict=v), _words(Verdict)),
    "status": Filter(_text, lambda v: Q(status__iexact=v), _TEXT),
    "job_name": Filter(_text, lambda v: Q(job_name__iexact=v), _TEXT),
    "job_type": Filter(_text, lambda v: Q(job_type__iexact=v), _TEXT),
    "job_id": Filter(_text, lambda v: Q(job_id__startswith=v), _TEXT),
    "path": Filter(_text, lambda v: Q(pk__in=_with_file(path__contains=v)), _TEXT),
    "cause": Filter(_text, lambda v: Q(pk__in=_with_file(cause__icontains=v)), _TEXT),
    "ledger": Filter(_one_of(Ledger), lambda v: Q(ledger=v), _words(Ledger)),
    "began_after": Filter(_time, lambda v: Q(begin_time__gte=v), _TIME),
    "began_before": Filter(_time, lambda v: Q(begin_time__lt=v), _TIME),
    "ended_after": Filter(_time, lambda v: Q(end_time__gte=v), _TIME),
    "ended_before": Filter(_time, lambda v: Q(end_time__lt=v), _TIME),
    "loss_over": Filter(_share, lambda v: Q(loss_rate__gt=v), "a number from 0 to 1, such as 0.05"),
}


def _with_file(**condition: str) -> QuerySet[Any]:
    from jobs.models import ImportFile

    return ImportFile.objects.filter(**condition).values("job")


def filtered(params: QueryDict, queryset: JobQuerySet) -> tuple[JobQuerySet, list[str]]:
    """The jobs asked for, and a sentence for each name or value that won't do; those are left out of the filtering.

    Repeated filters mean or, different ones mean and; an empty value asks nothing.
    """
    problems: list[str] = []
    for name in params:
        if name in _STEERING:
            continue
        if name not in FILTERS:
            problems.append(f"{name[:60]}: there is no such filter; known are {', '.join([*FILTERS, 'sort', 'page_size'])}.")
            continue
        found = Q()
        for value in filter(None, (value.strip() for value in params.getlist(name))):
            try:
                found |= FILTERS[name].find(FILTERS[name].read(value))
            except (ValueError, ArithmeticError):
                problems.append(f"{name}: {value[:60]!r} won't do; expected {FILTERS[name].expected}.")
        queryset = queryset.filter(found)
    return queryset, problems


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the positions of the pages beside them (values for `cursor`)."""

    rows: list[Job]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class _Position:
    sort: str
    value: Any
    pk: int
    backwards: bool

    def text(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        value = str(value) if isinstance(value, Decimal) else value
        raw = json.dumps([self.sort, value, self.pk, self.backwards]).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def page_of(params: QueryDict, queryset: JobQuerySet) -> tuple[Page, list[str]]:
    """One page by position, so that the ten-thousandth costs what the first does; and sentences, as `filtered`."""
    problems: list[str] = []
    sort = params.get("sort") or DEFAULT_SORT
    if sort.lstrip("-") not in SORTS or sort.startswith("--"):
        problems.append(
            f"sort: {sort[:60]!r} won't do; expected one of {', '.join(SORTS)}, with - in front for the opposite."
        )
        sort = DEFAULT_SORT
    size = _page_size(params.get("page_size", ""), problems)
    position = _read_cursor(params.get("cursor", ""), sort, problems)
    queryset = queryset.select_related("graph", "project")
    backwards = position is not None and position.backwards
    descending = sort.startswith("-") != backwards
    column = F(sort.lstrip("-"))
    # Unknown values stand first where the largest do: a job that has not begun is the newest.
    order = column.desc(nulls_first=True) if descending else column.asc(nulls_last=True)
    queryset = queryset.order_by(order, "-pk" if descending else "pk")
    if position is not None:
        queryset = queryset.filter(_beyond(sort.lstrip("-"), position, descending=descending))
    rows = list(queryset[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, position is not None)
    return Page(
        rows,
        _place(sort, rows[-1], backwards=False) if rows and has_next else None,
        _place(sort, rows[0], backwards=True) if rows and has_previous else None,
    ), problems


def _place(sort: str, row: Job, *, backwards: bool) -> str:
    return _Position(sort, getattr(row, sort.lstrip("-")), row.pk, backwards).text()


def _beyond(column: str, at: _Position, *, descending: bool) -> Q:
    """The rows after a position. Null counts as the largest value, as in PostgreSQL."""
    same = Q(**{column: at.value} if at.value is not None else {f"{column}__isnull": True})
    same &= Q(pk__lt=at.pk) if descending else Q(pk__gt=at.pk)
    if at.value is None:
        return same | Q(**{f"{column}__isnull": False}) if descending else same
    if descending:
        return same | Q(**{f"{column}__lt": at.value})
    return same | Q(**{f"{column}__gt": at.value}) | Q(**{f"{column}__isnull": True})


def _page_size(value: str, problems: list[str]) -> int:
    if not value:
        return PAGE_SIZE
    if value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= MAX_PAGE_SIZE:
        return int(value)
    problems.append(f"page_size: {value[:60]!r} won't do; expected a number from 1 to {MAX_PAGE_SIZE}.")
    return PAGE_SIZE


def _read_cursor(value: str, sort: str, problems: list[str]) -> _Position | None:
    if not value:
        return None
    try:
        raw = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        of, at, pk, backwards = raw
        if of != sort or not isinstance(pk, int) or not 0 <= pk < 2**63 or not isinstance(backwards, bool):
            raise ValueError
        return _Position(sort, _cursor_value(sort.lstrip("-"), at), pk, backwards)
    except (ValueError, TypeError, ArithmeticError, binascii.Error, RecursionError):
        problems.append("cursor: this is not a position in this list and sort order; the first page is shown.")
        return None


def _cursor_value(column: str, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    if column == "job_name":
        return value
    return _share(value) if column == "loss_rate" else _time(value)


def bounded_count(queryset: QuerySet[Any], limit: int = 10_000) -> tuple[int, bool]:
    """How many rows, and whether there are more than `limit`: "10,000+" costs no more than that many."""
    count = queryset.order_by()[: limit + 1].count()
    return min(count, limit), count > limit
