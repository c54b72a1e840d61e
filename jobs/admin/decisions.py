"""Decisions of people: corrections, reviews, notes on failure reasons, saved views."""

from typing import Any, override

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.admin.helpers import ActionForm
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jobs.admin.big_tables import ReadOnly
from jobs.admin.correcting_many import MAX_ROWS
from jobs.admin.keyset import BigTable
from jobs.admin.visible import Visible, VisibleFilter
from jobs.decisions import corrections, review, values
from jobs.diagnosis.corrections import FILE_FIELDS, GRAPH_FIELDS, JOB_FIELDS
from jobs.models import Cause, Correction, Project, Review, SavedView
from jobs.models.correction import field_label
from jobs.web.signed_in import signed_in

_COLUMNS = (
    "job",
    "graph",
    "place",
    "observed",
    "newest",
    "corrected",
    "flag",
    "reason",
    "actor",
    "made_at",
    "reverted_at",
)


class ReasonForm(ActionForm):
    """An action that needs a reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=values.MAX_REASON
    )


class CorrectedField(admin.SimpleListFilter):
    """By the field: all that can be corrected, which needs no walk over all corrections."""

    title = gettext_lazy("field")
    parameter_name = "field"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (name, field_label(name))
            for name in dict.fromkeys(JOB_FIELDS + FILE_FIELDS + GRAPH_FIELDS)
        ]

    @override
    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Correction]
    ) -> QuerySet[Correction]:
        return queryset.filter(field=self.value()) if self.value() else queryset


@admin.register(Correction)
class CorrectionAdmin(BigTable):
    """Corrections with their reasons; undone from the list, or from a correction's own page."""

    list_display = _COLUMNS
    list_filter = [
        "flag",
        CorrectedField,
        ("reverted_at", admin.EmptyFieldListFilter),
        ("job__project", VisibleFilter),
    ]
    search_fields = ["job__job_id__startswith", "reason", "actor__username__exact"]
    search_help_text = gettext_lazy(
        "Search by the start of a job ID, part of a reason, or a user name."
    )
    list_select_related = ["job", "graph", "actor"]
    fields = [*_COLUMNS, "reverted_by", "reverted_reason"]
    readonly_fields = ["place"]
    actions = ["undo"]
    action_form = ReasonForm

    @admin.display(description=gettext_lazy("corrected field"))
    def place(self, correction: Correction) -> str:
        """The corrected value in words."""
        return correction.where

    @override
    def narrowed(self, rows: QuerySet[Correction], request: HttpRequest) -> QuerySet[Correction]:
        projects = Project.objects.visible_to(request.user)
        return rows.filter(Q(job__project__in=projects) | Q(graph__project__in=projects))

    @admin.action(
        description=gettext_lazy("Undo (show the GES value again)"),
        permissions=["undo"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def undo(self, request: HttpRequest, chosen: QuerySet[Correction]) -> None:
        """Undo the standing ones in projects where the user corrects."""
        projects = Project.objects.correctable_by(request.user)
        standing = chosen.filter(
            Q(job__project__in=projects) | Q(graph__project__in=projects), reverted_at=None
        )
        chosen_count = chosen.count()  # a filter of the list may leave out undone ones
        # On a correction's own page Django sets the location before the names.
        name_on_page = f"{ActionLocation.CHANGE_FORM.value}-reason"
        try:
            undone_count = corrections.revert_all(
                list(standing[:MAX_ROWS]),
                reason=request.POST.get("reason") or request.POST.get(name_on_page, ""),
                actor=signed_in(request),
                now=timezone.now(),
            )
        except ValueError as error:
            messages.error(request, str(error))
            return

        if undone_count:
            text = ngettext(
                "%(count)d correction undone.", "%(count)d corrections undone.", undone_count
            )
            messages.success(request, text % {"count": undone_count})
        if unchanged := chosen_count - undone_count:
            text = _(
                "%(count)d unchanged: already undone, or in a project where you are not a fixer."
            )
            messages.warning(request, text % {"count": unchanged})

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """With the permission to change corrections, and as a fixer of some project."""
        return request.user.has_perm(
            "jobs.change_correction"
        ) and Project.objects.corrects_anywhere(request.user)


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    """Reviews of imports with failures: made on the job's page, never changed."""

    project_path = "job__project"
    list_display = ["job", "state", "note", "fixed_by", "assignee", "due_on", "actor", "made_at"]
    list_filter = ["state", "due_on", ("job__project", VisibleFilter)]
    search_fields = [
        "job__job_id__startswith",
        "note",
        "actor__username__exact",
        "assignee__username__exact",
    ]
    search_help_text = gettext_lazy(
        "Search by the start of a job ID, part of a note, or a user name."
    )
    list_select_related = ["job", "fixed_by", "assignee", "actor"]
    ordering = ["-pk"]


@admin.register(Cause)
class CauseAdmin(ReadOnly):
    """Failure reasons; people write only the team's note."""

    list_display = ["short_pattern", "project", "first_seen_at", "last_seen_at", "note", "note_by"]
    list_filter = [("note", admin.EmptyFieldListFilter), ("project", VisibleFilter)]
    search_fields = ["pattern", "note"]
    search_help_text = gettext_lazy("Search by part of a failure reason or note.")
    list_select_related = ["project", "note_by"]
    ordering = ["-last_seen_at", "-pk"]
    fields = [
        "project",
        "pattern",
        "example",
        "first_seen_at",
        "last_seen_at",
        "note",
        "note_by",
        "note_at",
    ]
    readonly_fields = [
        "project",
        "pattern",
        "example",
        "first_seen_at",
        "last_seen_at",
        "note_by",
        "note_at",
    ]

    @admin.display(description=gettext_lazy("failure reason"))
    def short_pattern(self, cause: Cause) -> str:
        """Its start."""
        return cause.pattern if len(cause.pattern) <= 120 else f"{cause.pattern[:120]}…"

    @override
    def has_change_permission(self, request: HttpRequest, obj: Cause | None = None) -> bool:
        theirs = Project.objects.reviewable_by(request.user)
        permitted = request.user.has_perm("jobs.change_cause")
        return permitted and (
            theirs.exists() if obj is None else theirs.filter(pk=obj.project_id).exists()
        )

    @override
    def save_model(self, request: HttpRequest, obj: Cause, form: Any, change: bool) -> None:
        review.save_note(obj, obj.note, actor=signed_in(request), now=timezone.now())


@admin.register(SavedView)
class SavedViewAdmin(Visible):
    """Saved filters of the job list: a user changes their own, and sees what others share."""

    list_display = ["name", "owner", "is_shared", "query", "created_at"]
    list_filter = ["is_shared"]
    search_fields = ["name", "owner__username__exact"]
    search_help_text = gettext_lazy("Search by part of a name, or by the user name of the owner.")
    list_select_related = ["owner"]
    ordering = ["name", "pk"]
    fields = ["name", "owner", "query", "is_shared", "created_at"]
    readonly_fields = ["owner", "query", "created_at"]

    @override
    def narrowed(self, rows: QuerySet[SavedView], request: HttpRequest) -> QuerySet[SavedView]:
        return rows.filter(pk__in=SavedView.objects.visible_to(request.user))

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: SavedView | None = None) -> bool:
        return super().has_change_permission(request, obj) and _owns(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: SavedView | None = None) -> bool:
        return (
            super().has_delete_permission(request, obj) and obj is not None and _owns(request, obj)
        )


def _owns(request: HttpRequest, view: SavedView | None) -> bool:
    return view is None or request.user.is_superuser or view.owner_id == request.user.pk
