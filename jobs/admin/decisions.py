"""What people said: corrections, reviews, notes on causes, saved views."""

from typing import Any

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
from jobs.admin.correcting_many import MOST
from jobs.admin.keyset import BigTable
from jobs.admin.visible import Visible, VisibleFilter
from jobs.decisions import corrections, review, values
from jobs.diagnosis.corrections import FILE_FIELDS, GRAPH_FIELDS, JOB_FIELDS
from jobs.models import Cause, Correction, Project, Review, SavedView
from jobs.models.correction import field_label

_SHOWN = (
    "job", "graph", "place", "observed", "newest", "corrected", "flag", "reason", "actor", "made_at", "reverted_at",
)  # fmt: skip


class WithReason(ActionForm):
    """An action that needs to be told why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=values.MAX_REASON
    )


class OfField(admin.SimpleListFilter):
    """By what was corrected: the fields that can be, not those a walk over all corrections finds."""

    title = gettext_lazy("field")
    parameter_name = "field"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Of jobs, of files and of graphs."""
        return [
            (name, field_label(name))
            for name in dict.fromkeys(JOB_FIELDS + FILE_FIELDS + GRAPH_FIELDS)
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Correction]
    ) -> QuerySet[Correction]:
        """Those of it."""
        return queryset.filter(field=self.value()) if self.value() else queryset


@admin.register(Correction)
class CorrectionAdmin(BigTable):
    """Who laid what over which value, and why; undone with one action, from the list or from a correction's own page."""

    list_display = _SHOWN
    list_filter = [
        "flag",
        OfField,
        ("reverted_at", admin.EmptyFieldListFilter),
        ("job__project", VisibleFilter),
    ]
    search_fields = ["job__job_id__startswith", "reason", "actor__username__exact"]
    search_help_text = gettext_lazy(
        "Search by the start of a job ID, part of a reason, or a user name."
    )
    list_select_related = ["job", "graph", "actor"]
    fields = [*_SHOWN, "reverted_by", "reverted_reason"]
    readonly_fields = ["place"]
    actions = ["undo"]
    action_form = WithReason

    @admin.display(description=gettext_lazy("corrected field"))
    def place(self, correction: Correction) -> str:
        """What was corrected, in words."""
        return correction.where

    def narrowed(self, rows: QuerySet[Correction], request: HttpRequest) -> QuerySet[Correction]:
        """Of the jobs and of the graphs of one's projects."""
        seen = Project.objects.visible_to(request.user)
        return rows.filter(Q(job__project__in=seen) | Q(graph__project__in=seen))

    @admin.action(
        description=gettext_lazy("Undo (show the GES value again)"),
        permissions=["undo"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def undo(self, request: HttpRequest, chosen: QuerySet[Correction]) -> None:
        """Those still standing, in projects where one may correct; says how many were and how many were not."""
        mine = Project.objects.correctable_by(request.user)
        theirs = chosen.filter(
            Q(job__project__in=mine) | Q(graph__project__in=mine), reverted_at=None
        )
        asked = chosen.count()
        on_its_page = f"{ActionLocation.CHANGE_FORM.value}-reason"  # where Django sets the location before the names
        try:
            undone = corrections.revert_all(
                list(theirs[:MOST]),
                reason=request.POST.get("reason") or request.POST.get(on_its_page, ""),
                actor=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            )
        except ValueError as wrong:
            messages.error(request, str(wrong))
            return
        if undone:
            said = ngettext("%(count)d correction undone.", "%(count)d corrections undone.", undone)
            messages.success(request, said % {"count": undone})
        if undone < asked:
            left = _(
                "%(count)d unchanged: already undone, or in a project where you are not a fixer."
            )
            messages.warning(request, left % {"count": asked - undone})

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Who may change corrections, and is a fixer somewhere."""
        return request.user.has_perm(
            "jobs.change_correction"
        ) and Project.objects.corrects_anywhere(request.user)


@admin.register(Review)
class ReviewAdmin(ReadOnly):
    """Decisions about imports that lost data; a new one is made on the job's page and none is ever changed."""

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
    """Causes of lost lines; only the team's note is written by people."""

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
        """Its beginning."""
        return cause.pattern if len(cause.pattern) <= 120 else f"{cause.pattern[:120]}…"

    def has_change_permission(self, request: HttpRequest, obj: Cause | None = None) -> bool:
        """Reviewers of its project write the note."""
        theirs = Project.objects.reviewable_by(request.user)
        permitted = request.user.has_perm("jobs.change_cause")
        return permitted and (
            theirs.exists() if obj is None else theirs.filter(pk=obj.project_id).exists()
        )

    def save_model(self, request: HttpRequest, obj: Cause, form: Any, change: bool) -> None:
        """Keep the note with who wrote it and when."""
        review.save_note(obj, obj.note, actor=request.user, now=timezone.now())  # type: ignore[arg-type]


@admin.register(SavedView)
class SavedViewAdmin(Visible):
    """Lists as somebody wants to find them again; others' can be looked at, one's own changed."""

    list_display = ["name", "owner", "is_shared", "query", "created_at"]
    list_filter = ["is_shared"]
    search_fields = ["name", "owner__username__exact"]
    search_help_text = gettext_lazy("Search by part of a name, or by the user name of the owner.")
    list_select_related = ["owner"]
    ordering = ["name", "pk"]
    fields = ["name", "owner", "query", "is_shared", "created_at"]
    readonly_fields = ["owner", "query", "created_at"]

    def narrowed(self, rows: QuerySet[SavedView], request: HttpRequest) -> QuerySet[SavedView]:
        """One's own and those that others share."""
        return rows.filter(pk__in=SavedView.objects.visible_to(request.user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A view is saved from the list it shows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: SavedView | None = None) -> bool:
        """Its owner."""
        return super().has_change_permission(request, obj) and _owns(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: SavedView | None = None) -> bool:
        """Its owner; one by one, since a list shows others' too."""
        return (
            super().has_delete_permission(request, obj) and obj is not None and _owns(request, obj)
        )


def _owns(request: HttpRequest, view: SavedView | None) -> bool:
    return view is None or request.user.is_superuser or view.owner_id == request.user.pk
