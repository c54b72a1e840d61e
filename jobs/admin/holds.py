"""Jobs that are held as evidence."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from jobs.admin.visible import Visible, VisibleFilter
from jobs.models import Hold, Job, Project


@admin.register(Hold)
class HoldAdmin(Visible):
    """Whatever the rule of the project, no reply of such a job goes."""

    project_path = "job__project"
    list_display = ["job", "reason", "actor", "made_at"]
    list_filter = [("job__project", VisibleFilter)]
    search_fields = ["job__job_id__startswith", "reason"]
    search_help_text = gettext_lazy("Search by the start of a job ID, or part of a reason.")
    list_select_related = ["job", "actor"]
    ordering = ["-made_at", "-pk"]
    autocomplete_fields = ["job"]
    fields = ["job", "reason", "actor", "made_at"]
    readonly_fields = ["actor", "made_at"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only a job whose imports one may decide about."""
        kwargs["queryset"] = Job.objects.filter(
            project__in=Project.objects.reviewable_by(request.user)
        )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        """Those who may decide about its imports."""
        return super().has_change_permission(request, obj) and _may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        """The same."""
        return super().has_delete_permission(request, obj) and _may(request, obj)

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        """With who held it, and when."""
        obj.actor, obj.made_at = request.user, timezone.now()  # type: ignore[assignment]
        super().save_model(request, obj, form, change)


def _may(request: HttpRequest, hold: Hold | None) -> bool:
    return hold is None or hold.job.project.may_be_reviewed_by(request.user)
