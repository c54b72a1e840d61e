"""Who sees which rows: a staff user who is no superuser, those of their projects, wherever rows are shown or chosen."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.models import Project

SHOWN = 200  # choices of a filter; more are found by search


class Visible(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of the user's projects; `project_path` leads from a row to its project."""

    project_path = "project"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What this user may see; lists, pages, searches and choices all start from it."""
        rows = super().get_queryset(request)
        return rows if _sees_all(request) else self.narrowed(rows, request)

    def narrowed(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Those of the rows that a user who is no superuser may see."""
        return rows.filter(**{f"{self.project_path}__in": Project.objects.visible_to(request.user)})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only rows one may see can be chosen."""
        kwargs.setdefault("queryset", _rows_of(self.admin_site, db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only rows one may see can be chosen."""
        kwargs.setdefault("queryset", _rows_of(self.admin_site, db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class VisibleFilter(admin.RelatedFieldListFilter):
    """A filter by a related row that names only those one may see."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[Any, Any]]:
        """Key and name."""
        return [
            (row.pk, str(row)) for row in _rows_of(model_admin.admin_site, field, request)[:SHOWN]
        ]


def _sees_all(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser and request.user.is_active)


def _rows_of(site: admin.AdminSite, field: Any, request: HttpRequest) -> QuerySet[Any]:
    return site.get_model_admin(field.remote_field.model).get_queryset(request)
