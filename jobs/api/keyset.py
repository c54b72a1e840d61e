"""Pages by position: `{"next", "previous", "results"}`, with the cursors of the pages."""

from typing import Any, override

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.errors import BadRequest
from jobs.api.parameters import POSITION
from jobs.lists.filters import select, unknown_names
from jobs.lists.kinds import JsonSchema
from jobs.lists.paging import KNOWN_NUMBER, Page, page


class Keyset(BasePagination):
    """The newest rows first, as the filters of the view choose them.

    A name or a value that is not valid is a 400 that names it.
    """

    @override
    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        filters = getattr(view, "filters", {})
        selection = select(request.GET, filters)
        rows = queryset.filter(selection.condition())
        self._page, problems = page(request.GET, rows, {"id": KNOWN_NUMBER}, "-id")
        self._request = request

        problems += selection.problems
        problems += unknown_names(request.GET, [*filters, *(each.name for each in POSITION)])
        if problems:
            raise BadRequest(" ".join(problems))
        return self._page.rows

    @override
    def get_paginated_response(self, data: Any) -> Response:
        return Response(page_object(self._request, self._page, data))

    @override
    def get_paginated_response_schema(self, schema: JsonSchema) -> JsonSchema:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


def page_object(request: Request, rows: Page, results: list[Any]) -> dict[str, Any]:
    """A page with the addresses of the pages beside it."""
    return {
        "next": _address(request, rows.next),
        "previous": _address(request, rows.previous),
        "results": results,
    }


def _address(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
