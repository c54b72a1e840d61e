"""Projects, graphs, who may see them, and keys."""

from django.contrib import admin
from django.http import HttpRequest

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
    """Keys for programs; made by the command `key`, taken away here."""

    list_display = ["access_key", "user", "created_at", "expires_at"]
    search_fields = ["access_key", "user__username"]
    list_select_related = ["user"]
    fields = ["access_key", "user", "projects", "created_at", "expires_at"]
    readonly_fields = ["access_key", "user", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A key's secret is shown once, by the command that makes it."""
        return False
