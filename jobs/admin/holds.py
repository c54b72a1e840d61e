"""Legal holds: jobs whose responses retention must not delete."""

from typing import Any, override

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from jobs.admin.visible import Visible, VisibleFilter
from jobs.models import Hold, Job, Project
from jobs.web.signed_in import signed_in


@admin.register(Hold)
class HoldAdmin(Visible):
    """While a hold stands, the retention rule of the project does not apply to its job."""

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

    @override
    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        projects = Project.objects.reviewable_by(request.user)
        kwargs["queryset"] = Job.objects.filter(project__in=projects)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_review(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_review(request, obj)

    @override
    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        obj.actor, obj.made_at = signed_in(request), timezone.now()
        super().save_model(request, obj, form, change)


def _may_review(request: HttpRequest, hold: Hold | None) -> bool:
    return hold is None or hold.job.project.may_be_reviewed_by(request.user)
