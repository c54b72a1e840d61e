"""Correcting one value in many rows: chosen in a list, previewed, for one reason, all or none."""

from collections.abc import Sequence
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

from jobs.admin.correction_form import CorrectionForm, fingerprint
from jobs.decisions import corrections
from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, as_text
from jobs.diagnosis.ledger import Ledger
from jobs.lists.paging import read_pk
from jobs.models import Correction, Graph, ImportFile, Job, Project
from jobs.record.lookup import lock_jobs
from jobs.web.signed_in import signed_in

MAX_ROWS = 1_000  # of one action

type Row = Job | ImportFile


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """A row as it is and as it would be; pairs are before and after."""

    row: Row
    before: str
    after: str
    verdict: tuple[str, str]
    ledger: tuple[str, str]


class ManyCorrectionsForm(CorrectionForm):
    """One value of all chosen rows."""

    rows = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, of_files: bool, graphs: QuerySet[Graph], **kwargs: Any) -> None:
        super().__init__(
            *args,
            field_names=FILE_FIELDS if of_files else JOB_FIELDS,
            file_kind=ImportFile.Kind.VERTEX if of_files else "",
            graphs=graphs,
            **kwargs,
        )


def begin(request: HttpRequest, chosen: QuerySet[Any]) -> str | None:
    """The chosen rows as the form carries them; None with a message where they are too many."""
    pks = list(chosen.order_by().values_list("pk", flat=True)[: MAX_ROWS + 1])
    if len(pks) > MAX_ROWS:
        text = _(
            "More than %(most)s rows are selected, which is the limit for one "
            "correction. Narrow down the list first."
        )
        messages.error(request, text % {"most": f"{MAX_ROWS:,}"})
        return None
    return ",".join(map(str, sorted(pks)))


def correct_many(
    site: admin.AdminSite, request: HttpRequest, model: type[Row], pks: str
) -> HttpResponse:
    """First the form, then a preview of every change, then all changes if nothing changed since."""
    if not request.user.has_perm("jobs.add_correction"):
        raise PermissionDenied
    rows = _correctable_rows(request, model, pks)
    if not rows:
        messages.error(
            request, _("None of the selected rows is in a project where you can make corrections.")
        )
        return _to_list(model)

    of_files = model is ImportFile
    is_sent = "field" in request.POST
    form = ManyCorrectionsForm(
        request.POST if is_sent else None,
        of_files=of_files,
        graphs=Graph.objects.filter(project__in={_job_of(row).project_id for row in rows}),
        initial={"rows": pks},
    )
    context: dict[str, Any] = {}
    if is_sent and form.is_valid():
        seen = request.POST.get("seen", "") if "make" in request.POST else None
        try:
            lines, print_of_rows = _apply(request, rows, form.cleaned_data, seen)
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            if seen == print_of_rows:
                messages.success(request, _("%(count)s values corrected.") % {"count": len(lines)})
                return _to_list(model)
            context |= {"lines": lines, "seen": print_of_rows, "changed_since": seen is not None}
            context["not_adding_up"] = sum(
                line.ledger[1] == Ledger.DOES_NOT_ADD_UP for line in lines
            )

    context |= {
        **site.each_context(request),
        "form": form,
        "count": len(rows),
        "of_files": of_files,
        "media": form.media,
        "opts": model._meta,
        "title": _("Correct multiple rows"),
    }
    return render(request, "admin/jobs/correct_many.html", context)


def _to_list(model: type[Row]) -> HttpResponse:
    return redirect(f"admin:jobs_{model._meta.model_name}_changelist")


def _correctable_rows(request: HttpRequest, model: type[Row], pks: str) -> list[Row]:
    """The rows in projects where the user corrects; there is none in a project they can't see."""
    numbers = [read_pk(text) for text in pks.split(",")[: MAX_ROWS + 1]]
    known = [number for number in numbers if number is not None][:MAX_ROWS]
    projects = Project.objects.correctable_by(request.user)
    if model is Job:
        jobs = Job.objects.filter(pk__in=known, project__in=projects)
        return list(jobs.select_related("graph"))
    files = ImportFile.objects.filter(pk__in=known, job__project__in=projects)
    return list(files.select_related("job__graph"))


def _job_of(row: Row) -> Job:
    return row if isinstance(row, Job) else row.job


@transaction.atomic
def _apply(
    request: HttpRequest, rows: Sequence[Row], given: dict[str, Any], seen: str | None
) -> tuple[list[PreviewLine], str]:
    """Make the changes and read their results; kept only where `seen` is the rows' fingerprint.

    Raises: ValueError with a sentence; nothing is made then.
    """
    field, corrected = given["field"], given["corrected"]
    job_pks = {_job_of(row).pk for row in rows}
    lock_jobs(job_pks)
    before = _states(rows, field)
    standing = Correction.objects.standing().filter(job__in=job_pks, field=field).order_by("pk")
    correction_pks = list(standing.values_list("pk", flat=True))
    print_of_rows = fingerprint((sorted(before.items()), correction_pks, field, corrected))

    corrections.correct_all(
        [_correction_of(row, field, corrected) for row in rows],
        reason=given["reason"],
        actor=signed_in(request),
        now=timezone.now(),
    )
    after = _states(rows, field)
    if seen != print_of_rows:
        transaction.set_rollback(True)
    return [_preview_line(row, before[row.pk], after[row.pk]) for row in rows], print_of_rows


def _correction_of(row: Row, field: str, corrected: str) -> corrections.NewCorrection:
    if isinstance(row, Job):
        return corrections.NewCorrection(row, field, corrected)
    return corrections.NewCorrection(row.job, field, corrected, row.kind, row.position)


#: Of a row: the field's value, the verdict and the count check.
type State = tuple[str, str, str]


def _states(rows: Sequence[Row], field: str) -> dict[int, State]:
    """By the key of a row, as they are stored now."""
    stored: QuerySet[Any] = type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows])
    if field == "graph":
        stored = stored.select_related("graph")
    return {row.pk: (_value_of(row, field), row.verdict, row.ledger or "") for row in stored}


def _value_of(row: Any, field: str) -> str:
    return str(row.graph) if field == "graph" else as_text(getattr(row, field)) or "–"


def _preview_line(row: Row, before: State, after: State) -> PreviewLine:
    return PreviewLine(
        row=row,
        before=before[0],
        after=after[0],
        verdict=(before[1], after[1]),
        ledger=(before[2], after[2]),
    )
