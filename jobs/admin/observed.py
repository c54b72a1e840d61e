"""Observed rows, read-only; jobs and files lead to their corrections."""

from typing import Any, override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from jobs.admin.big_tables import ReadOnly
from jobs.admin.bodies import readable
from jobs.admin.correcting import correct, may_correct
from jobs.admin.correcting_many import begin, correct_many
from jobs.admin.keyset import BigTable
from jobs.admin.visible import VisibleFilter
from jobs.admin.watching import Watching, take_up
from jobs.lists.jobs import SORTS
from jobs.lists.paging import Column, read_time
from jobs.models import ImportFile, Job, Miss, Project, Snapshot, Watch


def may_correct_somewhere(request: HttpRequest) -> bool:
    """With the permission to correct, and as a fixer of some project."""
    return request.user.has_perm("jobs.add_correction") and Project.objects.corrects_anywhere(
        request.user
    )


class Correctable(BigTable):
    """Its page leads to the correction of a value, its list to that of one value in many rows."""

    actions = ["correct_many"]

    @admin.action(
        description=gettext_lazy("Correct one value of the selected rows"), permissions=["correct"]
    )
    def correct_many(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        """Show the form for the chosen rows."""
        rows = begin(request, chosen)
        return None if rows is None else correct_many(self.admin_site, request, self.model, rows)

    def has_correct_permission(self, request: HttpRequest) -> bool:
        """The admin asks for it by the action's permission."""
        return may_correct_somewhere(request)

    @override
    def get_urls(self) -> list[URLPattern]:

        def many(request: HttpRequest) -> HttpResponse:
            return correct_many(self.admin_site, request, self.model, request.POST.get("rows", ""))

        name = f"jobs_{self.opts.model_name}_correct_many"
        return [
            path("correct-many/", self.admin_site.admin_view(many), name=name),
            *super().get_urls(),
        ]

    def place(self, row: Any) -> tuple[Job, str]:
        """The job, and where in it: `job`, or a file's kind and position."""
        raise NotImplementedError

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None:
            job, where = self.place(row)
            if may_correct(request, job):
                extra["correct_url"] = (
                    f"{reverse('admin:jobs_job_correct', args=[job.pk])}?where={where}"
                )
        return super().change_view(request, object_id, form_url, extra)


@admin.register(Job)
class JobAdmin(Watching, Correctable):
    """Jobs; a wrong value is corrected from a job's own page."""

    list_display = [
        "job_id",
        "job_name",
        "graph",
        "verdict",
        "status",
        "ledger",
        "review",
        "begin_time",
        "loss_rate",
        "rows",
    ]
    list_filter = ["verdict", "ledger", "review", "is_hidden", ("project", VisibleFilter)]
    actions = ["correct_many", "stop_watching", "resume_watching", "read_again"]
    search_fields = ["job_id__startswith", "job_name__exact", "graph__name"]
    search_help_text = gettext_lazy(
        "Search by the start of a job ID, a full job name, or part of a graph name."
    )
    list_select_related = ["graph"]
    sorts = {**SORTS, "first_seen_at": Column(read_time, has_unknown=False)}
    ordering = ["-first_seen_at"]

    @admin.display(description=gettext_lazy("files"))
    def rows(self, job: Job) -> SafeString | str:
        """Their number, as a link to them."""
        if not job.file_count:
            return ""
        address = reverse("admin:jobs_importfile_changelist")
        return format_html('<a href="{}?job__id__exact={}">{}</a>', address, job.pk, job.file_count)

    @override
    def view_on_site(self, job: Job) -> str:
        return reverse("pages:job", args=[job.pk])

    @override
    def place(self, row: Job) -> tuple[Job, str]:
        return row, "job"

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(lambda request, pk: correct(self.admin_site, request, pk))
        return [path("<int:pk>/correct/", view, name="jobs_job_correct"), *super().get_urls()]


@admin.register(ImportFile)
class ImportFileAdmin(Correctable):
    """Files of imports; a wrong value is corrected from a file's own page."""

    project_path = "job__project"
    list_display = [
        "short_path",
        "kind",
        "position",
        "verdict",
        "status",
        "ledger",
        "total_lines",
        "failed_lines",
        "job",
    ]
    list_filter = ["verdict", "kind", "ledger", ("job__project", VisibleFilter)]
    search_fields = ["path", "job__job_id__startswith"]
    search_help_text = gettext_lazy("Search by part of a file path, or the start of a job ID.")
    list_select_related = ["job"]

    @admin.display(description=gettext_lazy("file path"))
    def short_path(self, file: ImportFile) -> str:
        """The end of a long path, which differs from its neighbours'."""
        return file.path if len(file.path) <= 80 else f"…{file.path[-80:]}"

    @override
    def place(self, row: ImportFile) -> tuple[Job, str]:
        return row.job, f"{row.kind}:{row.position}"


class WithBody(BigTable):
    """A body is read only on its row's page, and shown whatever it is."""

    project_path = "job__project"
    list_select_related = ["job"]

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")

    @admin.display(description=gettext_lazy("response"))
    def reply(self, row: Snapshot | Miss) -> SafeString | str:
        """The body: JSON with indents, anything else as text."""
        return "" if row.body is None else format_html("<pre>{}</pre>", readable(bytes(row.body)))


@admin.register(Snapshot)
class SnapshotAdmin(WithBody):
    """Responses, as received."""

    list_display = [
        "id",
        "job",
        "source",
        "version",
        "http_status",
        "first_seen_at",
        "last_seen_at",
        "seen",
    ]
    list_filter = ["source", ("job__project", VisibleFilter)]
    search_fields = ["job__job_id__startswith"]
    search_help_text = gettext_lazy("Search by the start of a job ID.")
    fields = [
        "job",
        "source",
        "version",
        "http_status",
        "first_seen_at",
        "last_seen_at",
        "seen",
        "digest",
        "reply",
    ]
    readonly_fields = ["digest", "reply"]

    @admin.display(description="SHA-256")
    def digest(self, snapshot: Snapshot) -> str:
        """Hex."""
        return bytes(snapshot.sha256).hex()


@admin.register(Miss)
class MissAdmin(WithBody):
    """Failed polls: those without a usable response."""

    list_display = [
        "id",
        "job",
        "kind",
        "http_status",
        "detail",
        "first_seen_at",
        "last_seen_at",
        "seen",
    ]
    list_filter = ["source", ("job__project", VisibleFilter)]
    search_fields = ["job__job_id__startswith", "kind__exact", "detail"]
    search_help_text = gettext_lazy(
        "Search by the start of a job ID, a type, or part of the details."
    )
    fields = [
        "job",
        "source",
        "kind",
        "detail",
        "http_status",
        "first_seen_at",
        "last_seen_at",
        "seen",
        "reply",
    ]
    readonly_fields = ["reply"]


class Quarantined(admin.SimpleListFilter):
    """Watches of quarantined jobs, which wait for a person."""

    title = gettext_lazy("quarantined")
    parameter_name = "set_aside"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("quarantined"))]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "yes":
            return queryset
        set_aside: QuerySet[Any] = queryset.set_aside()  # type: ignore[attr-defined]
        return set_aside


@admin.register(Watch)
class WatchAdmin(ReadOnly):
    """When each tracked job is polled next."""

    project_path = "job__project"
    list_display = ["job", "short_problem", "failures", "next_poll_at", "leased_until"]
    list_filter = [
        Quarantined,
        ("next_poll_at", admin.EmptyFieldListFilter),
        ("job__project", VisibleFilter),
    ]
    search_fields = ["job__job_id__startswith"]
    search_help_text = gettext_lazy("Search by the start of a job ID.")
    list_select_related = ["job"]
    ordering = ["next_poll_at"]
    actions = ["take_up"]

    @admin.display(description=gettext_lazy("problem"))
    def short_problem(self, watch: Watch) -> str:
        """Its start; the whole of it is on the watch's own page."""
        return Truncator(watch.problem).chars(200)

    @admin.action(
        description=gettext_lazy("Resume polling of quarantined jobs"), permissions=["correct"]
    )
    def take_up(self, request: HttpRequest, chosen: QuerySet[Watch]) -> None:
        """Those in projects where the user corrects."""
        take_up(request, chosen)

    def has_correct_permission(self, request: HttpRequest) -> bool:
        """The same as for the actions on jobs."""
        return may_correct_somewhere(request)
