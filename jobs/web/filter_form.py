"""The form of a list's filters: typed fields for a template, made from the table of the filters."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from jobs.lists.filters import Filter, Place
from jobs.lists.kinds import Choice, Choices, Time


@dataclass(frozen=True, slots=True)
class Field:
    """One field: a choice where it has `choices`, even if none is left, else a line of text."""

    name: str
    label: str
    value: str
    choices: Choices | None = None
    example: str = ""
    zone: str = ""  # of times which name none: the first field of a time says it for all

    @classmethod
    def of(cls, each: Filter, params: QueryDict, choices: Choices | None, zone: str) -> Self:
        """The field of a filter, with its first value; the others are `OtherValue`s."""
        return cls(
            name=each.name,
            label=str(each.label),
            value=next(iter(params.getlist(each.name)), ""),
            choices=choices_of(each) if choices is None else choices,
            example=str(each.example),
            zone=zone,
        )


@dataclass(frozen=True, slots=True)
class OtherValue:
    """A further value of a filter, for which its field has no room."""

    name: str
    label: str
    value: str
    shown: str
    without: str  # the address of the list without it


@dataclass(frozen=True, slots=True)
class FilterForm:
    """The fields that are always open, those folded under "More filters", and further values."""

    fields: list[Field]
    more_fields: list[Field]
    is_more_used: bool
    other_values: list[OtherValue]


def filter_form(
    request: HttpRequest,
    filters: Mapping[str, Filter],
    *,
    choices: Mapping[str, Choices] | None = None,
    without: Collection[str] = (),
) -> FilterForm:
    """The form of a list for the values in the address.

    `choices`: of filters whose values depend on the rows; `without`: filters that the page sets.
    """
    params = request.GET
    zone = params.get("zone") or str(timezone.get_current_timezone())
    first_time = next((name for name, each in filters.items() if isinstance(each.kind, Time)), "")

    def fields(*places: Place) -> Iterator[Field]:
        for place in places:
            for name, each in filters.items():
                if each.place is place and name not in without:
                    yield Field.of(
                        each, params, (choices or {}).get(name), zone if name == first_time else ""
                    )

    folded = list(fields(Place.FOLDED))
    used = [field for field in fields(Place.WHEN_USED) if field.value]
    return FilterForm(
        fields=list(fields(Place.OPEN)),
        more_fields=folded + used,
        is_more_used=any(field.value for field in folded) or bool(used),
        other_values=list(_other_values(request, filters)),
    )


def choices_of(each: Filter) -> Choices | None:
    """The words of a choice with their labels; None for another kind."""
    return each.kind.choices if isinstance(each.kind, Choice) else None


def _other_values(request: HttpRequest, filters: Mapping[str, Filter]) -> Iterator[OtherValue]:
    for name, each in filters.items():
        if each.place is Place.ELSEWHERE:
            continue
        labels = dict(choices_of(each) or ())
        for value in filter(None, request.GET.getlist(name)[1:]):
            query = request.GET.copy()
            query.pop("cursor", None)
            query.setlist(name, [other for other in query.getlist(name) if other != value])
            yield OtherValue(
                name=name,
                label=str(each.label),
                value=value,
                shown=str(labels.get(value, value)),
                without=f"{request.path}?{query.urlencode()}",
            )
