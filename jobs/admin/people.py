"""Projects, graphs, who may see them, and keys."""

from decimal import Decimal
from typing import Any

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
    """Who may see a project."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The project's owners."""
        return super().has_add_permission(request, obj) and _owns(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The project's owners."""
        return super().has_change_permission(request, obj) and _owns(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The project's owners."""
        return super().has_delete_permission(request, obj) and _owns(request, obj)


@admin.register(Project)
class ProjectAdmin(Visible):
    """GES projects. Address and credentials come from the settings: nobody may send a secret elsewhere from here."""

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

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> list[str]:
        """All but the name, once it is there; what may be removed is an administrator's to say."""
        kept = ["endpoint", "credentials", "discovered_at", "problem"]
        kept += [] if request.user.is_superuser else ["keeps", "keep_days"]
        return ["project_id", *kept] if obj else kept

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An administrator, who also sees it then: a project for replies that `ingest` brings."""
        return request.user.is_superuser and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """Its owners."""
        return super().has_change_permission(request, obj) and _owns(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """An administrator."""
        return request.user.is_superuser and super().has_delete_permission(request, obj)


@admin.register(Membership)
class MembershipAdmin(Visible):
    """Who may do what in which project."""

    list_display = ["user", "project", "role"]
    list_filter = ["role", ("project", VisibleFilter)]
    search_fields = ["user__username", "project__name", "project__project_id"]
    list_select_related = ["user", "project"]
    ordering = ["project", "user", "pk"]
    autocomplete_fields = ["user", "project"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only into a project that one owns."""
        if db_field.name == "project":
            kwargs["queryset"] = Project.objects.owned_by(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who owns a project."""
        return super().has_add_permission(request) and _owns(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """The project's owners."""
        return super().has_change_permission(request, obj) and _owns(
            request, obj.project if obj else None
        )

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """The project's owners; one by one, since a list shows other projects' too."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (
            request.user.is_superuser or (obj is not None and _owns(request, obj.project))
        )


@admin.register(Graph)
class GraphAdmin(ReadOnly):
    """Graphs, as discovered; people set the loss that an import may have without a review."""

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

    def has_change_permission(self, request: HttpRequest, obj: Graph | None = None) -> bool:
        """Owners of its project set the tolerated loss."""
        return request.user.has_perm("jobs.change_graph") and _owns(
            request, obj.project if obj else None
        )

    def get_urls(self) -> list[URLPattern]:
        """With the address of the correction."""
        view = self.admin_site.admin_view(
            lambda request, pk: correct_graph(self.admin_site, request, pk)
        )
        return [path("<int:pk>/correct/", view, name="jobs_graph_correct"), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the address of the correction for those who may make one."""
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if (
            row
            and request.user.has_perm("jobs.add_correction")
            and row.project.may_be_corrected_by(request.user)
        ):
            extra["correct_url"] = reverse("admin:jobs_graph_correct", args=[row.pk])
        return super().change_view(request, object_id, form_url, extra)

    def save_model(self, request: HttpRequest, obj: Graph, form: Any, change: bool) -> None:
        """The jobs nobody decided about follow."""
        share: Decimal | None = form.cleaned_data["tolerated_loss"]
        review.set_tolerance(obj, share, now=timezone.now())


@admin.register(AccessKey)
class AccessKeyAdmin(Visible):
    """Keys for programs; made by their users, or by the command `key`, and revoked here."""

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
        "access_key", "name", "user", "all_projects", "projects", "created_at", "expires_at", "last_used_at", "revoked_at",
        "requests_per_minute",
    ]  # fmt: skip
    readonly_fields = ["access_key", "user", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[AccessKey]) -> None:
        """Those still standing; says how many were and how many were not."""
        now = timezone.now()
        done = [key.revoke(now) for key in chosen]
        messages.success(
            request,
            gettext("%(done)d revoked; %(skipped)d already revoked.")
            % {"done": done.count(True), "skipped": done.count(False)},
        )

    def narrowed(self, rows: QuerySet[AccessKey], request: HttpRequest) -> QuerySet[AccessKey]:
        """One's own: another's may name projects one must not see."""
        return rows.filter(user=request.user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A key's secret is shown once, to the one who makes it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Revoked keys stay, so that what was done with them can be told."""
        return False


def _owns(request: HttpRequest, project: Project | None) -> bool:
    """Whether this user owns the project, or any where none is named."""
    return (
        project.is_owned_by(request.user)
        if project
        else Project.objects.owned_by(request.user).exists()
    )
