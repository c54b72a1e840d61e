"""What was observed, and its corrections."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs import record
from jobs.admin.big_tables import ReadOnly
from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS
from jobs.models import Correction, ImportFile, Job, Miss, Snapshot, Watch
from jobs.models.correction import field_label


class CorrectionForm(forms.Form):
    """One value of a job or of one of its files, with the reason for it."""

    where = forms.ChoiceField(label=_("Of"))
    field = forms.ChoiceField(
        label=_("Field"),
        choices=lambda: [(name, field_label(name)) for name in dict.fromkeys((*JOB_FIELDS, *FILE_FIELDS))],
    )
    corrected = forms.CharField(
        label=_("Right value"), required=False, help_text=_("Empty means unknown. Times as 2026-01-31T08:15:00Z.")
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, job: Job, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        files = job.files.order_by("kind", "position").values_list("kind", "position", "path")
        choices = [("job", gettext("the job itself"))] + [
            (f"{kind}:{position}", f"{ImportFile.Kind(kind).label} {position}: {at}") for kind, position, at in files
        ]
        self.fields["where"].choices = choices  # type: ignore[attr-defined]


@admin.register(Job)
class JobAdmin(ReadOnly):
    """Jobs; a wrong value is corrected by "Correct a value"."""

    list_display = ["job_id", "job_name", "graph", "verdict", "status", "ledger", "begin_time", "loss_rate", "fix"]
    list_filter = ["verdict", "ledger", "job_name", "project"]
    search_fields = ["job_id", "graph__name", "fail_reason"]
    date_hierarchy = None
    list_select_related = ["graph"]
    ordering = ["-first_seen_at", "-pk"]

    @admin.display(description="")
    def fix(self, job: Job) -> SafeString:
        """The way to a correction."""
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:jobs_job_correct", args=[job.pk]), gettext("Correct a value")
        )

    def get_urls(self) -> list[URLPattern]:
        """With the address of the correction."""
        view = self.admin_site.admin_view(self.correct)
        return [path("<int:pk>/correct/", view, name="jobs_job_correct"), *super().get_urls()]

    def correct(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lay a value over what GES said, with a reason."""
        if not request.user.has_perm("jobs.add_correction"):
            raise PermissionDenied
        job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
        form = CorrectionForm(request.POST or None, job=job, initial={"where": request.GET.get("where", "job")})
        if request.method == "POST" and form.is_valid():
            kind, _colon, position = form.cleaned_data["where"].partition(":")
            try:
                record.correct(
                    job,
                    kind="" if kind == "job" else kind,
                    position=int(position) if position else None,
                    field=form.cleaned_data["field"],
                    corrected=form.cleaned_data["corrected"],
                    reason=form.cleaned_data["reason"],
                    actor=request.user,  # type: ignore[arg-type]
                    now=timezone.now(),
                )
            except ValueError as wrong:
                form.add_error(None, str(wrong))
            else:
                messages.success(request, gettext("Corrected. What GES said is kept beside it."))
                return redirect("pages:job", pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "job": job,
            "opts": self.opts,
            "title": gettext("Correct a value"),
        }
        return render(request, "admin/jobs/correct.html", context)


@admin.register(ImportFile)
class ImportFileAdmin(ReadOnly):
    """Files of imports."""

    list_display = ["path", "kind", "verdict", "status", "ledger", "total_lines", "failed_lines", "job"]
    list_filter = ["verdict", "kind", "ledger"]
    search_fields = ["path", "cause", "job__job_id"]
    list_select_related = ["job"]
    ordering = ["-pk"]


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnly):
    """Replies, as received."""

    list_display = ["pk", "job", "source", "http_status", "first_seen_at", "last_seen_at", "seen"]
    list_filter = ["source", "version"]
    search_fields = ["job__job_id"]
    list_select_related = ["job"]
    fields = ["job", "source", "version", "http_status", "first_seen_at", "last_seen_at", "seen", "digest", "reply"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        """Bodies are read only on a reply's own page."""
        return super().get_queryset(request).defer("body")

    @admin.display(description="SHA-256")
    def digest(self, snapshot: Snapshot) -> str:
        """In hex."""
        return bytes(snapshot.sha256).hex()

    @admin.display(description=_("reply"))
    def reply(self, snapshot: Snapshot) -> SafeString:
        """The body, set out to be read."""
        return format_html("<pre>{}</pre>", json.dumps(json.loads(bytes(snapshot.body)), indent=2, ensure_ascii=False))


@admin.register(Miss)
class MissAdmin(ReadOnly):
    """Polls that got no usable answer."""

    list_display = ["job", "kind", "http_status", "detail", "first_seen_at", "last_seen_at", "seen"]
    list_filter = ["kind", "source"]
    search_fields = ["job__job_id", "detail"]
    list_select_related = ["job"]
    exclude = ["body"]
    ordering = ["-pk"]


@admin.register(Watch)
class WatchAdmin(ReadOnly):
    """What is asked about next."""

    list_display = ["job", "next_poll_at", "leased_until", "failures"]
    search_fields = ["job__job_id"]
    list_select_related = ["job"]
    ordering = ["next_poll_at"]


@admin.register(Correction)
class CorrectionAdmin(ReadOnly):
    """Who laid what over which value, and why; undone with one action."""

    list_display = ["job", "place", "observed", "corrected", "reason", "actor", "made_at", "reverted_at"]
    list_filter = ["field", ("reverted_at", admin.EmptyFieldListFilter), "actor"]
    search_fields = ["job__job_id", "reason"]
    list_select_related = ["job", "actor"]
    ordering = ["-pk"]
    actions = ["undo"]

    @admin.display(description=_("Of"))
    def place(self, correction: Correction) -> str:
        """What was corrected, in words."""
        return correction.where

    @admin.action(description=_("Undo the chosen corrections"), permissions=["undo"])
    def undo(self, request: HttpRequest, chosen: QuerySet[Correction]) -> None:
        """Those still standing; says how many were and how many were not."""
        standing = list(chosen.filter(reverted_at=None))
        skipped = chosen.count() - len(standing)
        for one in standing:
            record.revert(one, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        said = gettext("%(count)s undone, %(skipped)s were undone before.")
        messages.success(request, said % {"count": len(standing), "skipped": skipped})

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Who may change corrections."""
        return request.user.has_perm("jobs.change_correction")
