"""Correcting one value over what GES gave, with a reason."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.admin.correction_form import CorrectionForm
from jobs.admin.places import Place
from jobs.decisions import corrections
from jobs.diagnosis.ledger import Ledger
from jobs.models import Graph, Job, Project
from jobs.record.lookup import lock_jobs
from jobs.web.form_recovery import recover_form
from jobs.web.signed_in import signed_in


class OneCorrectionForm(CorrectionForm):
    """A value of one place, with the fingerprints of its fields as the person saw them."""

    where = forms.CharField(widget=forms.HiddenInput)
    known = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        graphs = Graph.objects.filter(project=place.job.project_id)
        super().__init__(
            *args, field_names=place.field_names, file_kind=place.kind, graphs=graphs, **kwargs
        )
        self.fields["corrected"].widget = forms.Textarea(attrs={"rows": 2})


def may_correct(request: HttpRequest, job: Job) -> bool:
    """With the permission to correct, and as a fixer of that project."""
    projects = Project.objects.correctable_by(request.user)
    return (
        request.user.has_perm("jobs.add_correction") and projects.filter(pk=job.project_id).exists()
    )


def correct(site: admin.AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """The page on which one value is corrected."""
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related("graph"), pk=pk)
    if not may_correct(request, job):
        raise PermissionDenied
    place = Place.read(job, request.POST.get("where") or request.GET.get("where") or "job")
    form = OneCorrectionForm(request.POST or None, place=place, initial=_initial(request, place))

    if request.method == "POST" and form.is_valid():
        try:
            _correct(request, place, form.cleaned_data)
        except ValueError as error:  # somebody else was first, or the file is gone
            form.add_error(None, str(error))
            job.refresh_from_db()
            place = Place.read(job, place.where)
            data = request.POST.copy()
            data["known"] = json.dumps(place.fingerprints())
            form.data = data  # sent again, it corrects the values that are shown now
        else:
            messages.success(request, _("Corrected. The GES value is kept."))
            _warn_of_mismatch(request, place)
            return redirect("pages:job", pk=pk)

    reply, text = place.newest_reply()
    context = {
        **site.each_context(request),
        "reply": reply,
        "reply_text": text,
        "media": form.media,
        "form": form,
        "job": job,
        "file": place.file,
        "where": place.where,
        "values": place.values(),
        "opts": Job._meta,
        "title": _("Correct a value"),
    }
    return render(request, "admin/jobs/correct.html", context)


def _initial(request: HttpRequest, place: Place) -> dict[str, Any]:
    field = request.GET.get("field", "")
    has_text = field in place.field_names and field != "graph"
    return {
        "where": place.where,
        "field": field,
        "corrected": place.shown(field) if has_text else "",
        "graph": place.job.graph_id,
        **recover_form(request, request.path),
        "known": json.dumps(place.fingerprints()),
    }


@transaction.atomic
def _correct(request: HttpRequest, place: Place, given: dict[str, Any]) -> None:
    """Correct the value. Raises: ValueError with a sentence, also if it changed meanwhile."""
    lock_jobs([place.job.pk])
    place.job.refresh_from_db()
    locked = Place.read(place.job, place.where)
    _check_unchanged(locked, given["field"], given["known"])
    corrections.correct(
        locked.job,
        kind=locked.kind,
        position=locked.position,
        field=given["field"],
        corrected=given["corrected"],
        reason=given["reason"],
        actor=signed_in(request),
        now=timezone.now(),
    )


def _check_unchanged(place: Place, field: str, known: str) -> None:
    """Raises: ValueError if the value is another than the one whose fingerprint is known."""
    fingerprints = _read_fingerprints(known)
    if field not in fingerprints or fingerprints[field] == place.fingerprints()[field]:
        return
    correction = place.corrections().get(field)
    if correction is not None and not str(fingerprints[field]).startswith(f"{correction.pk}."):
        values = {
            "who": correction.actor.get_username(),
            "value": correction.corrected or "–",
            "why": correction.reason[:300],
        }
        text = _(
            "%(who)s corrected this to %(value)s in the meantime (reason: %(why)s). "
            "Nothing was saved; submit again to correct it anyway."
        )
        raise ValueError(text % values)
    text = _(
        "This value changed to %(value)s in the meantime. Nothing was saved; "
        "submit again to correct it anyway."
    )
    raise ValueError(text % {"value": place.shown(field)[:300] or "–"})


def _read_fingerprints(known: str) -> dict[str, Any]:
    try:
        fingerprints = json.loads(known or "{}")
    except (ValueError, RecursionError):
        return {}
    return fingerprints if isinstance(fingerprints, dict) else {}


def _warn_of_mismatch(request: HttpRequest, place: Place) -> None:
    """Counts that disagree are accepted, with a warning."""
    if place.file is None:
        return
    place.file.refresh_from_db()
    if place.file.ledger == Ledger.DOES_NOT_ADD_UP:
        text = _(
            "The values of this file are no longer consistent; its count check shows a mismatch."
        )
        messages.warning(request, text)
