"""Pages by position for the lists of the API: `{"next", "previous", "results"}`."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from jobs.api.errors import BadRequest
from jobs.lists.paging import MAX_PAGE_SIZE, PAGE_SIZE

_SIZE = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}


def text(longest: int) -> dict[str, Any]:
    """The schema of a text that is looked for; PostgreSQL stores no NUL."""
    return {"type": "string", "maxLength": longest, "pattern": "^[^\\u0000]*$"}


POSITION = [
    OpenApiParameter(
        "cursor", OpenApiTypes.STR, description="A position, from `next` or `previous`."
    ),
    OpenApiParameter("page_size", {"anyOf": [_SIZE, {"type": "string", "maxLength": 0}]}),
]


class Keyset(CursorPagination):
    """The newest first. A name or a value that won't do is a 400 that names it."""

    ordering = "-pk"
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """One page."""
        known = {"cursor", "page_size", *getattr(view, "filters", ())}
        if stray := sorted(set(request.query_params) - known):
            raise BadRequest(
                f"{stray[0][:60]}: there is no such filter; known are {', '.join(sorted(known))}."
            )
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """As asked, within bounds."""
        value = request.query_params.get("page_size", "")
        if not value:
            return PAGE_SIZE
        if (
            value.isascii()
            and value.isdigit()
            and len(value) < 6
            and 1 <= int(value) <= MAX_PAGE_SIZE
        ):
            return int(value)
        raise BadRequest(
            f"page_size: {value[:60]!r} won't do; expected a number from 1 to {MAX_PAGE_SIZE}."
        )

    def decode_cursor(self, request: Request) -> Any:
        """The position, or None at the start."""
        wrong = BadRequest(
            "cursor: this is not a position in this list; take one from `next` or `previous`."
        )
        try:
            cursor: Any = super().decode_cursor(request)
        except (NotFound, ValueError) as error:
            raise wrong from error
        at = None if cursor is None else cursor.position
        if at is not None and not (at.isascii() and at.isdigit() and int(at) < 2**63):
            raise wrong
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The shape of a page."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }
