"""Lists of big tables: read-only, and never counted past a bound."""

from typing import Any, cast, override

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from jobs.admin.visible import Visible

MAX_COUNTED = 10_000  # rows


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """A list of millions opens as fast as a short one."""

    @cached_property
    def count(self) -> int:
        """At most the bound."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:MAX_COUNTED].count()


class ReadOnly(Visible):
    """Shown, never written here."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would be an exact count
    list_per_page = 50

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
