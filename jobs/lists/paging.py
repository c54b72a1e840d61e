"""Pages by position: page 10,000 costs what the first does, and new or deleted rows shift none."""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict
from django.utils.translation import gettext as _

PAGE_SIZE, MAX_PAGE_SIZE = 50, 500
MAX_DIGITS = 30  # before the point and after it: more than a sum of lines can have


def invalid_value(name: str, value: str, expected: str) -> str:
    """The sentence for an invalid parameter: its name, its value, and what is valid."""
    return _("%(name)s: “%(value)s” is not valid; expected %(expected)s.") % {
        "name": name,
        "value": value[:60],
        "expected": expected,
    }


def read_choice(
    params: QueryDict, name: str, words: Collection[str], default: str, problems: list[str]
) -> str:
    """A parameter that takes one of a few words: the default, and a sentence, for any other."""
    value = params.get(name, "")
    if value and value not in words:
        problems.append(invalid_value(name, value, ", ".join(words)))
    return value if value in words else default


def read_pk(value: str) -> int | None:
    """The key of a row; None where the text is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def read_time(value: str) -> datetime:
    """An ISO time as UTC; one without a zone is UTC."""
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read_text(value: str) -> str:
    value.encode()  # half of a surrogate pair is a ValueError
    if "\x00" in value:
        raise ValueError
    return value


def _read_number(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite() or not -MAX_DIGITS < number.adjusted() < MAX_DIGITS:
        raise ValueError
    return number


def _read_seconds(value: str) -> timedelta:
    return timedelta(seconds=float(value))


@dataclass(frozen=True, slots=True)
class Column:
    """A column to sort by; `read` turns a cursor's text into its value.

    Unknown values are the largest or stand last either way: a job that has not begun is the newest,
    but an unknown failure rate is not the highest.
    """

    read: Callable[[str], Any]
    unknown_is_largest: bool = False
    has_unknown: bool = True


TIME = Column(read_time, unknown_is_largest=True)
NUMBER = Column(_read_number)
DURATION = Column(_read_seconds)
TEXT = Column(_read_text, has_unknown=False)
KNOWN_NUMBER = Column(_read_number, has_unknown=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the cursors of the pages beside them."""

    rows: list[Any]
    next: str | None
    previous: str | None
    sort: str


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place in a sort order, from which a page goes on; `value` is None where unknown."""

    sort: str
    value: Any
    pk: int
    backwards: bool

    @classmethod
    def of(cls, sort: str, row: Any, *, backwards: bool) -> Self:
        """The place of a row."""
        return cls(sort, getattr(row, sort.removeprefix("-")), row.pk, backwards)

    @classmethod
    def read(cls, cursor: str, sort: str, column: Column) -> Self:
        """Read a cursor of this order.

        Raises: ValueError, TypeError, ArithmeticError, binascii.Error or RecursionError.
        """
        padded = cursor + "=" * (-len(cursor) % 4)
        cursor_sort, text, pk, backwards = json.loads(base64.urlsafe_b64decode(padded))
        if cursor_sort != sort or not isinstance(backwards, bool):
            raise ValueError
        if not isinstance(pk, int) or not 0 <= pk < 2**63:
            raise ValueError
        if not isinstance(text, str) and (text is not None or not column.has_unknown):
            raise ValueError
        return cls(sort, None if text is None else column.read(text), pk, backwards)

    @property
    def cursor(self) -> str:
        """As a parameter of an address."""
        text = json.dumps([self.sort, _as_text(self.value), self.pk, self.backwards])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


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
    """One page of rows, and a sentence for each invalid `sort`, `page_size` and `cursor`."""
    problems: list[str] = []
    sort = _read_sort(params.get("sort", ""), sorts, default, problems)
    column = sorts[sort.removeprefix("-")]
    size = _read_page_size(params.get("page_size", ""), size, problems)
    position = _read_position(params.get("cursor", ""), sort, column, problems)

    backwards = position is not None and position.backwards
    rows = _read_rows(queryset, sort, column, position, wanted=size + 1, backwards=backwards)
    has_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()

    has_next = backwards or has_more
    has_previous = has_more if backwards else position is not None
    next_cursor = previous_cursor = None
    if rows and has_next:
        next_cursor = Position.of(sort, rows[-1], backwards=False).cursor
    if rows and has_previous:
        previous_cursor = Position.of(sort, rows[0], backwards=True).cursor
    return Page(rows, next_cursor, previous_cursor, sort), problems


def _read_rows(
    queryset: QuerySet[Any],
    sort: str,
    column: Column,
    position: Position | None,
    *,
    wanted: int,
    backwards: bool,
) -> list[Any]:
    """The next rows.

    Known and unknown values are read apart: each is one range of one index, from the position on,
    where a condition with "or" would walk everything before it.
    """
    name = sort.removeprefix("-")
    is_descending = sort.startswith("-") != backwards
    by_pk = "-pk" if is_descending else "pk"
    known = queryset.order_by(f"-{name}" if is_descending else name, by_pk)
    unknown = queryset.filter(**{f"{name}__isnull": True}).order_by(by_pk)
    if column.has_unknown:
        known = known.filter(**{f"{name}__isnull": False})

    is_unknown_first = is_descending if column.unknown_is_largest else backwards
    ranges = [unknown, known] if is_unknown_first else [known, unknown]
    if position is None and (column.unknown_is_largest or not column.has_unknown):
        ranges = [queryset.order_by(*known.query.order_by)]  # the whole index, from its end
    elif position is not None and position.value is None:
        beyond = "pk__lt" if is_descending else "pk__gt"
        unknown = unknown.filter(**{beyond: position.pk})
        ranges = [unknown, known] if is_unknown_first else [unknown]
    elif position is not None:
        compare = TupleLessThan if is_descending else TupleGreaterThan
        known = known.filter(compare(Tuple(F(name), F("pk")), (position.value, position.pk)))
        ranges = [known] if is_unknown_first or not column.has_unknown else [known, unknown]

    rows: list[Any] = []
    for each in ranges:
        if len(rows) < wanted:
            rows += each[: wanted - len(rows)]
    return rows


def _read_sort(value: str, sorts: Mapping[str, Column], default: str, problems: list[str]) -> str:
    if not value:
        return default
    if value.removeprefix("-") in sorts:
        return value
    expected = _("one of %(words)s, optionally with a leading - to reverse the order") % {
        "words": ", ".join(sorts)
    }
    problems.append(invalid_value("sort", value, expected))
    return default


def _read_page_size(value: str, default: int, problems: list[str]) -> int:
    if not value:
        return default
    if value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= MAX_PAGE_SIZE:
        return int(value)
    expected = _("a number from 1 to %(most)s") % {"most": MAX_PAGE_SIZE}
    problems.append(invalid_value("page_size", value, expected))
    return default


def _read_position(cursor: str, sort: str, column: Column, problems: list[str]) -> Position | None:
    if not cursor:
        return None
    try:
        return Position.read(cursor, sort, column)
    except (ValueError, TypeError, ArithmeticError, binascii.Error, RecursionError):
        expected = _("a position in this list and sort order; showing the first page")
        problems.append(invalid_value("cursor", cursor, expected))
        return None
