"""Projects, graphs, who may see them, and keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.admin.big_tables import ReadOnly
from jobs.models import AccessKey, Graph, Membership, Project


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who may see a project."""

    model = Membership
    extra = 0


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """GES projects; their secrets are in the settings, never here."""

    list_display = ["project_id", "name", "endpoint", "credentials", "discovered_at", "problem"]
    search_fields = ["project_id", "name"]
    readonly_fields = ["discovered_at", "problem"]
    inlines = [MembershipInline]


@admin.register(Graph)
class GraphAdmin(ReadOnly):
    """Graphs, as discovered."""

    list_display = ["name", "graph_id", "project", "is_deleted"]
    list_filter = ["project", "is_deleted"]
    search_fields = ["name", "graph_id"]
    list_select_related = ["project"]


@admin.register(AccessKey)
class AccessKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Keys for programs; made by their users, or by the command `key`, and revoked here."""

    list_display = ["access_key", "name", "user", "all_projects", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "all_projects"]
    search_fields = ["access_key", "name", "user__username"]
    list_select_related = ["user"]
    fields = [
        "access_key", "name", "user", "all_projects", "projects", "created_at", "expires_at", "last_used_at", "revoked_at",
        "requests_per_minute",
    ]  # fmt: skip
    readonly_fields = ["access_key", "user", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    @admin.action(description=_("Revoke the chosen keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[AccessKey]) -> None:
        """Those still standing; says how many were and how many were not."""
        now = timezone.now()
        done = [key.revoke(now) for key in chosen]
        messages.success(
            request,
            gettext("%(done)d revoked, %(skipped)d were revoked before.")
            % {"done": done.count(True), "skipped": done.count(False)},
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A key's secret is shown once, to the one who makes it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Revoked keys stay, so that what was done with them can be told."""
        return False
