"""Query parameters as the API describes them, made from the tables that read them."""

from collections.abc import Iterable, Mapping

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from jobs.api.labels import shown_as
from jobs.lists.filters import Filter
from jobs.lists.kinds import EMPTY, JsonSchema, Number, Text
from jobs.lists.paging import MAX_PAGE_SIZE, PAGE_SIZE

_SIZE: JsonSchema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_PAGE_SIZE,
    "default": PAGE_SIZE,
}
POSITION = [
    OpenApiParameter(
        "cursor", OpenApiTypes.STR, description="A position, from `next` or `previous`."
    ),
    OpenApiParameter("page_size", {"anyOf": [_SIZE, EMPTY]}, description="Rows of a page."),
]


def filter_parameters(
    filters: Mapping[str, Filter], *, is_repeated: bool = True
) -> list[OpenApiParameter]:
    """One parameter for each filter, with the label that pages show where it is another word.

    A text or a number is described as a list where it `is_repeated`.
    """
    return [
        OpenApiParameter(name, _schema(each, is_repeated), description=_description(each))
        for name, each in filters.items()
    ]


def sort_parameter(names: Iterable[str]) -> OpenApiParameter:
    """The order of a list; empty is its own."""
    orders = ["", *(f"{sign}{name}" for name in names for sign in ("", "-"))]
    return OpenApiParameter(
        "sort",
        {"type": "string", "enum": orders},
        description="The order of the rows; a leading `-` reverses it.",
    )


def _schema(each: Filter, is_repeated: bool) -> JsonSchema:
    if is_repeated and isinstance(each.kind, Text | Number):
        return {"type": "array", "items": each.kind.schema}
    return each.kind.schema


def _description(each: Filter) -> str:
    return f"{each.description} {shown_as(each.name, each.label)}".strip()
