"""Pages by position: the ten-thousandth costs what the first does, and a row that comes or goes moves nobody's page."""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict
from django.utils.translation import gettext as _

PAGE_SIZE, MAX_PAGE_SIZE = 50, 500
DIGITS = 30  # before the point and after it: more than a sum of lines can have


def invalid_value(name: str, value: str, expected: str) -> str:
    """The sentence for a parameter that can't be used: which, what it was, and what was expected."""
    return _("%(name)s: “%(value)s” is not valid; expected %(expected)s.") % {
        "name": name,
        "value": value[:60],
        "expected": expected,
    }


def read_choice(
    params: QueryDict, name: str, words: Collection[str], default: str, problems: list[str]
) -> str:
    """A parameter that takes one of a few words; of another it is said, and the default stands."""
    value = params.get(name, "")
    if value and value not in words:
        problems.append(invalid_value(name, value, ", ".join(words)))
    return value if value in words else default


def read_pk(value: str) -> int | None:
    """The number of a row, None when this text is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def read_time(value: str) -> datetime:
    """An ISO time as UTC; one without a zone is UTC."""
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _read_text(value: str) -> str:
    value.encode()  # half of a surrogate pair is a ValueError
    if "\x00" in value:
        raise ValueError
    return value


def _read_number(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite() or not -DIGITS < number.adjusted() < DIGITS:
        raise ValueError
    return number


def _read_seconds(value: str) -> timedelta:
    return timedelta(seconds=float(value))


@dataclass(frozen=True, slots=True)
class Column:
    """A column to sort by: how a position's text is read back, whether unknown counts as the largest value, and occurs at all.

    A job that has not begun is the newest; a loss that is not known is not the largest, so it stands last either way.
    """

    read: Callable[[str], Any]
    unknown_is_largest: bool = False
    has_unknown: bool = True


TIME, NUMBER, DURATION = (
    Column(read_time, unknown_is_largest=True),
    Column(_read_number),
    Column(_read_seconds),
)
TEXT, SCORE = Column(_read_text, has_unknown=False), Column(_read_number, has_unknown=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the positions of the pages beside them (values for `cursor`)."""

    rows: list[Any]
    next: str | None
    previous: str | None
    sort: str


@dataclass(frozen=True, slots=True)
class _Position:
    sort: str
    value: Any
    pk: int
    backwards: bool

    def text(self) -> str:
        raw = json.dumps([self.sort, _as_text(self.value), self.pk, self.backwards]).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return value.isoformat() if isinstance(value, datetime) else str(value)


def page(
    params: QueryDict,
    queryset: QuerySet[Any],
    sorts: Mapping[str, Column],
    default: str,
    size: int = PAGE_SIZE,
) -> tuple[Page, list[str]]:
    """One page of rows, and a sentence for each of `sort`, `page_size` and `cursor` that won't do."""
    problems: list[str] = []
    sort = params.get("sort") or default
    if sort.removeprefix("-") not in sorts:
        expected = _("one of %(words)s, optionally with a leading - to reverse the order") % {
            "words": ", ".join(sorts)
        }
        problems.append(invalid_value("sort", sort, expected))
        sort = default
    size = _page_size(params.get("page_size", ""), size, problems)
    name, column = sort.removeprefix("-"), sorts[sort.removeprefix("-")]
    at = _read_cursor(params.get("cursor", ""), sort, column, problems)
    backwards = at is not None and at.backwards
    rows = _read(
        queryset,
        name,
        column,
        at,
        size + 1,
        descending=sort.startswith("-") != backwards,
        backwards=backwards,
    )
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, at is not None)
    return Page(
        rows,
        _place(sort, rows[-1], backwards=False) if rows and has_next else None,
        _place(sort, rows[0], backwards=True) if rows and has_previous else None,
        sort,
    ), problems


def _place(sort: str, row: Any, *, backwards: bool) -> str:
    return _Position(sort, getattr(row, sort.removeprefix("-")), row.pk, backwards).text()


def _read(
    queryset: QuerySet[Any],
    name: str,
    column: Column,
    at: _Position | None,
    wanted: int,
    *,
    descending: bool,
    backwards: bool,
) -> list[Any]:
    """The next rows. Known and unknown values are read apart: each is one range of one index, from the position on, where a
    condition with "or" would walk everything before it."""
    pk, beyond = ("-pk", "pk__lt") if descending else ("pk", "pk__gt")
    known = queryset.order_by(f"-{name}" if descending else name, pk)
    unknown = queryset.filter(**{f"{name}__isnull": True}).order_by(pk)
    if column.has_unknown:
        known = known.filter(**{f"{name}__isnull": False})
    is_unknown_first = descending if column.unknown_is_largest else backwards
    parts = [unknown, known] if is_unknown_first else [known, unknown]
    if at is None and (column.unknown_is_largest or not column.has_unknown):
        parts = [queryset.order_by(*known.query.order_by)]  # the whole index, from its end
    elif at is not None and at.value is None:
        unknown = unknown.filter(**{beyond: at.pk})
        parts = [unknown, known] if is_unknown_first else [unknown]
    elif at is not None:
        compare = TupleLessThan if descending else TupleGreaterThan
        known = known.filter(compare(Tuple(F(name), F("pk")), (at.value, at.pk)))
        parts = [known] if is_unknown_first or not column.has_unknown else [known, unknown]
    rows: list[Any] = []
    for part in parts:
        if len(rows) < wanted:
            rows += part[: wanted - len(rows)]
    return rows


def _page_size(value: str, default: int, problems: list[str]) -> int:
    if not value:
        return default
    if value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= MAX_PAGE_SIZE:
        return int(value)
    problems.append(
        invalid_value(
            "page_size", value, _("a number from 1 to %(most)s") % {"most": MAX_PAGE_SIZE}
        )
    )
    return default


def _read_cursor(value: str, sort: str, column: Column, problems: list[str]) -> _Position | None:
    if not value:
        return None
    try:
        of, at, pk, backwards = json.loads(
            base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        )
        if (
            of != sort
            or not isinstance(pk, int)
            or not 0 <= pk < 2**63
            or not isinstance(backwards, bool)
        ):
            raise ValueError
        if not isinstance(at, str) and (at is not None or not column.has_unknown):
            raise ValueError
        return _Position(sort, None if at is None else column.read(at), pk, backwards)
    except (ValueError, TypeError, ArithmeticError, binascii.Error, RecursionError):
        problems.append(
            invalid_value(
                "cursor",
                value,
                _("a position in this list and sort order; showing the first page"),
            )
        )
        return None
