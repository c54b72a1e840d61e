"""Filters: from a query string to a condition. Each has one name and one meaning everywhere."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import Enum, auto
from functools import reduce
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from jobs.lists.kinds import Kind
from jobs.lists.paging import invalid_value

#: Parameters that steer a list without choosing its rows.
STEERING = ("sort", "page_size", "cursor", "zone")


class Place(Enum):
    """Where the form of a list shows a filter."""

    OPEN = auto()
    #: Under "More filters", which is open while one of them is used.
    FOLDED = auto()
    #: Among the folded ones, and only while it is used: links set it, nobody types it.
    WHEN_USED = auto()
    #: The page has a control of its own for it.
    ELSEWHERE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The one source of a filter's form field, API parameter, command option and docs.

    `label` is its name on pages, `description` the English sentence for programs and docs,
    `example` the placeholder of its field.
    """

    name: str
    kind: Kind
    label: str | Promise
    description: str
    find: Callable[[Any], Q]
    place: Place = Place.FOLDED
    example: str | Promise = ""


def by_name(*filters: Filter) -> dict[str, Filter]:
    """The table of a list's filters, in the order of its form."""
    return {each.name: each for each in filters}


@dataclass(frozen=True, slots=True)
class Selection:
    """The condition that each used filter sets, and a sentence for each invalid name or value."""

    conditions: Mapping[str, Q]
    problems: list[str]

    def condition(self, *, without: str = "") -> Q:
        """All conditions together, but for the filter `without`."""
        chosen = [q for name, q in self.conditions.items() if name != without]
        return reduce(and_, chosen, Q())


def select(
    params: QueryDict,
    filters: Mapping[str, Filter],
    *,
    zone: tzinfo = UTC,
    labelled: bool = False,
) -> Selection:
    """Read the filters that are used; other parameters are passed over, see `unknown_names`.

    Repeated values of one filter mean or, different filters mean and; an empty value filters
    nothing, an invalid one is left out. `zone` is that of times which name none, unless the
    parameter `zone` names another. Problems call a filter by its label where it is `labelled`, else
    by its name.
    """
    conditions: dict[str, Q] = {}
    problems: list[str] = []
    zone = _zone(params.get("zone", ""), problems, default=zone)
    for name in params:
        if name not in filters:
            continue
        each = filters[name]
        found = []
        for text in filter(None, map(str.strip, params.getlist(name))):
            try:
                found.append(each.find(each.kind.read(text, zone)))
            except (ValueError, ArithmeticError, LookupError):
                called = str(each.label) if labelled else name
                problems.append(invalid_value(called, text, str(each.kind.expected)))
        if found:
            conditions[name] = reduce(or_, found)
    return Selection(conditions, problems)


def unknown_names(params: QueryDict, known: Collection[str]) -> list[str]:
    """A sentence for each parameter that is none of the known ones."""
    return [
        _("%(name)s: unknown filter; expected one of %(known)s.")
        % {"name": name[:60], "known": ", ".join(known)}
        for name in params
        if name not in known
    ]


def keys_of(rows: QuerySet[Any]) -> list[int]:
    """As values, not as a subquery: the planner then knows how many there are.

    Which of the list's indexes it chooses depends on that.
    """
    return list(rows.values_list("pk", flat=True))


def _zone(name: str, problems: list[str], *, default: tzinfo) -> tzinfo:
    if not name:
        return default
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        problems.append(invalid_value("zone", name, _("a time zone such as Asia/Shanghai")))
        return default
