"""Lists of big tables in the admin, by position: the pages beside this one, never a count."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from jobs.admin.big_tables import ReadOnly
from jobs.lists.paging import SCORE, Column, page

CURSOR = "cursor"


class KeysetList(ChangeList):
    """Filters, search and order are the admin's own; only one column orders, one that an index has in that order."""

    model_admin: "BigTable"
    is_keyset = True
    cursor = sort = ""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """All that fit; the position is no filter, and leaves every link but those to the pages beside."""
        self.cursor = self.params.pop(CURSOR, self.cursor)
        self.filter_params.pop(CURSOR, None)
        if order := self.params.get(ORDER_VAR):
            self.params[ORDER_VAR] = order.partition(".")[0]
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The column chosen in the head of the table, or the list's own; then the row's number."""
        wanted = [
            *super().get_ordering(request, queryset)[:1],
            *self.model_admin.get_ordering(request),
        ]
        self.sort = next(
            one for one in map(str, wanted) if one.removeprefix("-") in self.model_admin.sorts
        )
        return [self.sort, "-pk" if self.sort.startswith("-") else "pk"]

    def get_results(self, request: HttpRequest) -> None:
        """One page, and the addresses of those beside it."""
        asked = QueryDict(mutable=True)
        asked.update({"sort": self.sort, CURSOR: self.cursor})
        found, problems = page(
            asked, self.queryset, self.model_admin.sorts, self.sort, self.list_per_page
        )
        for one in problems:
            messages.warning(request, one)
        self.result_list = found.rows
        self.previous, self.next = (
            at and self.get_query_string({CURSOR: at}) for at in (found.previous, found.next)
        )
        self.result_count = self.full_result_count = len(found.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True


class BigTable(ReadOnly):
    """A list whose last page costs what its first does. `sorts`: the columns that may order it, each with its index."""

    sorts: ClassVar[Mapping[str, Column]] = {"id": SCORE}
    ordering = ["-id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """By position."""
        return KeysetList

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """What has an index to be read along."""
        return [name for name in self.get_list_display(request) if name in self.sorts]
