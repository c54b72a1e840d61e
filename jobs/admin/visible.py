"""Rows of the user's projects, wherever rows are shown or chosen; superusers see all."""

from typing import Any, override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.models import Project

MAX_CHOICES = 200  # of a filter; more are found by search


class Visible(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of the user's projects; `project_path` leads from a row to its project."""

    project_path = "project"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows this user may see; lists, pages, searches and choices all start from it."""
        rows = super().get_queryset(request)
        return rows if _sees_all(request) else self.narrowed(rows, request)

    def narrowed(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """The rows that a user who is no superuser may see."""
        return rows.filter(**{f"{self.project_path}__in": Project.objects.visible_to(request.user)})

    @override
    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", _rows_of(self.admin_site, db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @override
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", _rows_of(self.admin_site, db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class VisibleFilter(admin.RelatedFieldListFilter):
    """A filter by a related row, with the visible rows as its choices."""

    @override
    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[Any, Any]]:
        rows = _rows_of(model_admin.admin_site, field, request)[:MAX_CHOICES]
        return [(row.pk, str(row)) for row in rows]


def _sees_all(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser and request.user.is_active)


def _rows_of(site: admin.AdminSite, field: Any, request: HttpRequest) -> QuerySet[Any]:
    """The rows that a related field may name, by the admin of their own model."""
    return site.get_model_admin(field.remote_field.model).get_queryset(request)
