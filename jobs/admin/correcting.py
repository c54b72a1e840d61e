"""Laying a right value over what GES said, with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import record
from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS
from jobs.models import Correction, ImportFile, Job, Project

LABELS = {
    "status": gettext_lazy("status"),
    "job_name": gettext_lazy("job name"),
    "job_type": gettext_lazy("job type"),
    "begin_time": gettext_lazy("begin"),
    "end_time": gettext_lazy("end"),
    "fail_reason": gettext_lazy("fail reason"),
    "verdict": gettext_lazy("verdict"),
    "graph": gettext_lazy("graph"),
    "is_hidden": gettext_lazy("out of the statistics"),
    "path": gettext_lazy("path"),
    "cause": gettext_lazy("cause"),
    "log": gettext_lazy("log"),
    "total_lines": gettext_lazy("total lines"),
    "failed_lines": gettext_lazy("failed lines"),
    "successful_lines": gettext_lazy("successful lines"),
}


@dataclass(frozen=True)
class Place:
    """A job or one of its files, whose values may be corrected."""

    job: Job
    file: ImportFile | None

    @property
    def fields(self) -> tuple[str, ...]:
        """What may be corrected there."""
        return FILE_FIELDS if self.file else JOB_FIELDS

    @property
    def kind(self) -> str:
        """The file's; empty for the job itself."""
        return self.file.kind if self.file else ""

    @property
    def position(self) -> int | None:
        """The file's."""
        return self.file.position if self.file else None

    @property
    def where(self) -> str:
        """How an address names it."""
        return f"{self.kind}:{self.position}" if self.file else "job"

    def values(self) -> list[dict[str, Any]]:
        """Each field as shown now, and as GES said it where a correction stands over it."""
        standing = Correction.objects.filter(job=self.job, kind=self.kind, position=self.position, reverted_at=None)
        observed = dict(standing.values_list("field", "observed"))
        row = self.file or self.job
        return [
            {
                "name": name,
                "label": LABELS[name],
                "shown": _as_text(getattr(row, name)),
                "observed": observed.get(name, _as_text(getattr(row, name))),
                "is_corrected": name in observed,
            }
            for name in self.fields
        ]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


class CorrectionForm(forms.Form):
    """One value of a job or of one of its files, with the reason for it; the place is that of the page it came from."""

    where = forms.CharField(widget=forms.HiddenInput)
    field = forms.ChoiceField(label=gettext_lazy("Value to correct"))
    corrected = forms.CharField(
        label=gettext_lazy("Right value"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Empty means unknown. Times as 2026-01-31T08:15:00Z."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.fields["field"].choices = [(name, LABELS[name]) for name in place.fields]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The value must be one of its field's kind."""
        given = self.cleaned_data
        if {"field", "corrected"} <= given.keys():
            try:
                record.check_value(given["field"], given["corrected"], self.place.kind)
            except ValueError as wrong:
                self.add_error("corrected", str(wrong))
        return given


def may_correct(request: HttpRequest, job: Job) -> bool:
    """With the permission to correct, and as a fixer of that project."""
    allowed = Project.objects.correctable_by(request.user)
    return request.user.has_perm("jobs.add_correction") and allowed.filter(pk=job.project_id).exists()


def correct(site: admin.AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """The page on which a value is corrected."""
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related("graph"), pk=pk)
    if not may_correct(request, job):
        raise PermissionDenied
    place = _place(job, request.POST.get("where") or request.GET.get("where") or "job")
    field = request.GET.get("field", "")
    start = {
        "where": place.where,
        "field": field,
        "corrected": _as_text(getattr(place.file or job, field)) if field in place.fields else "",
    }
    form = CorrectionForm(request.POST or None, place=place, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            record.correct(
                job,
                kind=place.kind,
                position=place.position,
                field=form.cleaned_data["field"],
                corrected=form.cleaned_data["corrected"],
                reason=form.cleaned_data["reason"],
                actor=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            )
        except ValueError as wrong:  # the file went away meanwhile
            form.add_error(None, str(wrong))
        else:
            messages.success(request, _("Corrected. What GES said is kept beside it."))
            return redirect("pages:job", pk=pk)
    context = {
        **site.each_context(request),
        "form": form,
        "job": job,
        "file": place.file,
        "where": place.where,
        "values": place.values(),
        "opts": Job._meta,
        "title": _("Correct a value"),
    }
    return render(request, "admin/jobs/correct.html", context)


def _place(job: Job, where: str) -> Place:
    if where == "job":
        return Place(job, None)
    kind, _colon, position = where.partition(":")
    if not (position.isascii() and position.isdigit() and len(position) < 10):
        raise Http404(f"{where!r:.80} is no place in a job; expected job, or a kind and a position such as vertex:0.")
    return Place(job, get_object_or_404(job.files, kind=kind, position=int(position)))
