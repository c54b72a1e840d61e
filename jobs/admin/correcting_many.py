"""One value corrected in many rows: chosen in a list, seen before it is made, for one reason, all or none."""

import zlib
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.admin.correcting import choose_graph
from jobs.decisions import corrections, values
from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, as_text
from jobs.lists.paging import read_pk
from jobs.models import Correction, Graph, ImportFile, Job, Project
from jobs.models.correction import field_label
from jobs.record.lookup import lock_jobs

MOST = 1_000  # rows at once


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """What becomes of one row."""

    row: Job | ImportFile
    before: str
    after: str
    verdict: tuple[str, str]
    ledger: tuple[str, str]


class ManyForm(forms.Form):
    """The field, its right value and why; the rows are those that were chosen."""

    rows = forms.CharField(widget=forms.HiddenInput)
    field = forms.ChoiceField(label=gettext_lazy("Value to correct"))
    corrected = forms.CharField(
        label=gettext_lazy("Corrected value"),
        required=False,
        help_text=gettext_lazy(
            "Leave empty for unknown. Enter times as 2026-01-31T08:15:00Z, flags as "
            "yes or no, and a status by its code, such as partial."
        ),
    )
    graph = forms.ModelChoiceField(
        Graph.objects.none(), required=False, label=gettext_lazy("Corrected graph")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, of_files: bool, graphs: QuerySet[Graph], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = FILE_FIELDS if of_files else JOB_FIELDS
        self.of_files = of_files
        self.fields["field"].choices = [(name, field_label(name)) for name in names]  # type: ignore[attr-defined]
        if of_files:
            del self.fields["graph"]
        else:
            choose_graph(
                self.fields["graph"],
                graphs,
                gettext_lazy("Only when the value to correct is the graph."),
            )

    def clean(self) -> dict[str, Any]:
        """The value must be one of its field's kind."""
        given = self.cleaned_data
        if given.get("field") == "graph":
            given["corrected"] = str(given["graph"].pk) if given.get("graph") else ""
        if {"field", "corrected"} <= given.keys():
            try:
                values.check_value(
                    given["field"], given["corrected"], "vertex" if self.of_files else ""
                )
            except ValueError as wrong:
                self.add_error("corrected", str(wrong))
        return given


def begin(request: HttpRequest, chosen: QuerySet[Any]) -> str | None:
    """The rows an action was asked for, as the form carries them; None, and why, where they are too many."""
    pks = list(chosen.order_by().values_list("pk", flat=True)[: MOST + 1])
    if len(pks) > MOST:
        text = _(
            "More than %(most)s rows are selected, which is the limit for one "
            "correction. Narrow down the list first."
        )
        messages.error(request, text % {"most": f"{MOST:,}"})
        return None
    return ",".join(map(str, sorted(pks)))


def correct_many(
    site: admin.AdminSite, request: HttpRequest, model: type[Job] | type[ImportFile], rows: str
) -> HttpResponse:
    """The form; then every change as it would be; then, where nothing changed since, all of them."""
    if not request.user.has_perm("jobs.add_correction"):
        raise PermissionDenied
    chosen = _chosen(request, model, rows)
    graphs = Graph.objects.filter(project__in={_job(row).project_id for row in chosen})
    of_files = model is ImportFile
    is_sent = "field" in request.POST
    form = ManyForm(
        request.POST if is_sent else None, of_files=of_files, graphs=graphs, initial={"rows": rows}
    )
    context: dict[str, Any] = {
        "form": form,
        "count": len(chosen),
        "of_files": of_files,
        "media": form.media,
    }
    if not chosen:
        messages.error(
            request, _("None of the selected rows is in a project where you can make corrections.")
        )
        return redirect(f"admin:jobs_{model._meta.model_name}_changelist")
    if is_sent and form.is_valid():
        seen = request.POST.get("seen", "") if "make" in request.POST else None
        try:
            lines, mark = _apply(request, chosen, form.cleaned_data, seen)
        except ValueError as wrong:
            form.add_error(None, str(wrong))
        else:
            if seen == mark:
                messages.success(request, _("%(count)s values corrected.") % {"count": len(lines)})
                return redirect(f"admin:jobs_{model._meta.model_name}_changelist")
            context |= {"lines": lines, "seen": mark, "changed_since": seen is not None}
            context["not_adding_up"] = sum(line.ledger[1] == "does_not_add_up" for line in lines)
    context |= {
        **site.each_context(request),
        "opts": model._meta,
        "title": _("Correct multiple rows"),
    }
    return render(request, "admin/jobs/correct_many.html", context)


def _chosen(request: HttpRequest, model: type[Any], rows: str) -> list[Any]:
    """Those of the chosen rows that are in projects where one corrects; a project one can't see has none."""
    pks = [pk for text in rows.split(",")[: MOST + 1] if (pk := read_pk(text)) is not None][:MOST]
    theirs = Project.objects.correctable_by(request.user)
    path = "project" if model is Job else "job__project"
    found = model._default_manager.filter(pk__in=pks, **{f"{path}__in": theirs})
    return list(
        found.select_related("graph") if model is Job else found.select_related("job__graph")
    )


def _job(row: Any) -> Job:
    return row if isinstance(row, Job) else row.job


@transaction.atomic
def _apply(
    request: HttpRequest, rows: list[Any], given: dict[str, Any], seen: str | None
) -> tuple[list[PreviewLine], str]:
    """Make the changes and read what came of them; kept only where `seen` is the mark of how things stood before.

    Raises: ValueError with a sentence; nothing is made then.
    """
    field = given["field"]
    jobs = {_job(row).pk for row in rows}
    lock_jobs(jobs)
    before = _facts(rows, field)
    standing = (
        Correction.objects.standing()
        .filter(job__in=jobs, field=field)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    mark = str(
        zlib.crc32(
            repr((sorted(before.items()), list(standing), field, given["corrected"])).encode()
        )
    )
    changes = [
        corrections.NewCorrection(row, field, given["corrected"])
        if isinstance(row, Job)
        else corrections.NewCorrection(row.job, field, given["corrected"], row.kind, row.position)
        for row in rows
    ]
    corrections.correct_all(changes, reason=given["reason"], actor=request.user, now=timezone.now())  # type: ignore[arg-type]
    after = _facts(rows, field)
    if seen != mark:
        transaction.set_rollback(True)
    lines = []
    for row in rows:
        was, now = before[row.pk], after[row.pk]
        lines.append(PreviewLine(row, was[0], now[0], (was[1], now[1]), (was[2], now[2])))
    return lines, mark


def _facts(rows: list[Any], field: str) -> dict[int, tuple[str, str, str]]:
    """By row: its value, its job's verdict or its own, and the ledger."""
    found = type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows])
    if field == "graph":
        found = found.select_related("graph")
    return {
        row.pk: (
            str(row.graph) if field == "graph" else as_text(getattr(row, field)) or "–",
            row.verdict,
            row.ledger or "",
        )
        for row in found
    }
