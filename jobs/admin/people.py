"""Projects, graphs, their members, and access keys."""

from decimal import Decimal
from typing import Any, override

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from jobs.admin.big_tables import ReadOnly
from jobs.admin.graphs import correct_graph
from jobs.admin.visible import Visible, VisibleFilter
from jobs.decisions import review
from jobs.models import AccessKey, Graph, Membership, Project


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """The members of a project."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user"]

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _owns(request, obj)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _owns(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _owns(request, obj)


@admin.register(Project)
class ProjectAdmin(Visible):
    """GES projects.

    Address and credentials come from the settings: nobody may send a secret elsewhere from here.
    """

    project_path = "pk"
    list_display = ["project_id", "name", "endpoint", "credentials", "discovered_at", "problem"]
    list_filter = [("problem", admin.EmptyFieldListFilter)]
    search_fields = ["project_id", "name"]
    ordering = ["name", "project_id"]
    fields = [
        "project_id",
        "name",
        "endpoint",
        "credentials",
        "discovered_at",
        "problem",
        "keeps",
        "keep_days",
    ]
    inlines = [MembershipInline]

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> list[str]:
        """All but the name once it is there; administrators also set the retention."""
        kept = ["endpoint", "credentials", "discovered_at", "problem"]
        kept += [] if request.user.is_superuser else ["keeps", "keep_days"]
        return ["project_id", *kept] if obj else kept

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Administrators add a project for responses that `ingest` brings."""
        return request.user.is_superuser and super().has_add_permission(request)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_change_permission(request, obj) and _owns(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return request.user.is_superuser and super().has_delete_permission(request, obj)


@admin.register(Membership)
class MembershipAdmin(Visible):
    """Roles of users in projects."""

    list_display = ["user", "project", "role"]
    list_filter = ["role", ("project", VisibleFilter)]
    search_fields = ["user__username", "project__name", "project__project_id"]
    list_select_related = ["user", "project"]
    ordering = ["project", "user", "pk"]
    autocomplete_fields = ["user", "project"]

    @override
    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = Project.objects.owned_by(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _owns(request, None)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_change_permission(request, obj) and _owns(
            request, obj.project if obj else None
        )

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        # Owners delete one by one, since a list shows other projects' too.
        return allowed and (
            request.user.is_superuser or (obj is not None and _owns(request, obj.project))
        )


@admin.register(Graph)
class GraphAdmin(ReadOnly):
    """Graphs as discovered; owners set the failure threshold for imports without a review."""

    list_display = ["name", "graph_id", "project", "tolerated_loss", "is_deleted"]
    list_filter = [
        "is_deleted",
        ("tolerated_loss", admin.EmptyFieldListFilter),
        ("project", VisibleFilter),
    ]
    search_fields = ["name", "graph_id__startswith"]
    search_help_text = gettext_lazy("Search by part of a name, or the start of an ID.")
    list_select_related = ["project"]
    ordering = ["name", "pk"]
    fields = ["project", "name", "graph_id", "is_deleted", "merged_into", "tolerated_loss"]
    readonly_fields = ["project", "name", "graph_id", "is_deleted", "merged_into"]

    @override
    def has_change_permission(self, request: HttpRequest, obj: Graph | None = None) -> bool:
        return request.user.has_perm("jobs.change_graph") and _owns(
            request, obj.project if obj else None
        )

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(
            lambda request, pk: correct_graph(self.admin_site, request, pk)
        )
        return [path("<int:pk>/correct/", view, name="jobs_graph_correct"), *super().get_urls()]

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if (
            row
            and request.user.has_perm("jobs.add_correction")
            and row.project.may_be_corrected_by(request.user)
        ):
            extra["correct_url"] = reverse("admin:jobs_graph_correct", args=[row.pk])
        return super().change_view(request, object_id, form_url, extra)

    @override
    def save_model(self, request: HttpRequest, obj: Graph, form: Any, change: bool) -> None:
        share: Decimal | None = form.cleaned_data["tolerated_loss"]
        review.set_tolerance(obj, share, now=timezone.now())


@admin.register(AccessKey)
class AccessKeyAdmin(Visible):
    """Keys for programs: created by their users or by the command `key`, revoked here."""

    list_display = [
        "access_key",
        "name",
        "user",
        "all_projects",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "all_projects"]
    search_fields = ["access_key__startswith", "name", "user__username"]
    list_select_related = ["user"]
    ordering = ["-created_at", "-pk"]
    autocomplete_fields = ["projects"]
    fields = [
        "access_key",
        "name",
        "user",
        "all_projects",
        "projects",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "requests_per_minute",
    ]
    readonly_fields = ["access_key", "user", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[AccessKey]) -> None:
        """Revoke those that still are valid."""
        now = timezone.now()
        done = [key.revoke(now) for key in chosen]
        messages.success(
            request,
            gettext("%(done)d revoked; %(skipped)d already revoked.")
            % {"done": done.count(True), "skipped": done.count(False)},
        )

    @override
    def narrowed(self, rows: QuerySet[AccessKey], request: HttpRequest) -> QuerySet[AccessKey]:
        # Another's key may name projects that this user must not see.
        return rows.filter(user=request.user.pk)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a secret is shown once, to the user who creates the key

    @override
    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # a revoked key stays, so that its use can be traced


def _owns(request: HttpRequest, project: Project | None) -> bool:
    """Whether the user owns the project, or any project where none is given."""
    return (
        project.is_owned_by(request.user)
        if project
        else Project.objects.owned_by(request.user).exists()
    )
