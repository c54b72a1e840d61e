"""Lists of big tables by position: links to the pages beside this one, and no count."""

from collections.abc import Mapping
from typing import Any, ClassVar, override

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from jobs.admin.big_tables import ReadOnly
from jobs.lists.paging import KNOWN_NUMBER, Column, page

CURSOR = "cursor"


class KeysetList(ChangeList):
    """The admin's own list, ordered by one column that an index has in that order."""

    model_admin: "BigTable"
    is_keyset = True
    cursor = ""
    sort = ""

    @override
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        # The cursor is no filter, and only the links to the pages beside carry one.
        self.cursor = self.params.pop(CURSOR, self.cursor)
        self.filter_params.pop(CURSOR, None)
        if order := self.params.get(ORDER_VAR):
            self.params[ORDER_VAR] = order.partition(".")[0]
        return super().get_queryset(request, exclude_parameters)

    @override
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The column that the user chose, or the list's own; then the key."""
        wanted = [
            *super().get_ordering(request, queryset)[:1],
            *self.model_admin.get_ordering(request),
        ]
        sorts = self.model_admin.sorts
        self.sort = next(name for name in map(str, wanted) if name.removeprefix("-") in sorts)
        return [self.sort, "-pk" if self.sort.startswith("-") else "pk"]

    @override
    def get_results(self, request: HttpRequest) -> None:
        params = QueryDict(mutable=True)
        params.update({"sort": self.sort, CURSOR: self.cursor})
        rows_page, problems = page(
            params, self.queryset, self.model_admin.sorts, self.sort, self.list_per_page
        )
        for problem in problems:
            messages.warning(request, problem)

        self.result_list = rows_page.rows
        self.previous = self._link(rows_page.previous)
        self.next = self._link(rows_page.next)
        self.result_count = self.full_result_count = len(rows_page.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True

    def _link(self, cursor: str | None) -> str | None:
        return self.get_query_string({CURSOR: cursor}) if cursor else None


class BigTable(ReadOnly):
    """A list whose last page costs what its first does.

    `sorts`: the columns that may order it, each with its index.
    """

    sorts: ClassVar[Mapping[str, Column]] = {"id": KNOWN_NUMBER}
    ordering = ["-id"]

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetList

    @override
    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.get_list_display(request) if name in self.sorts]
