"""Laying a right value over what GES said, with a reason."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.admin.bodies import readable
from jobs.decisions import corrections, values
from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, as_text
from jobs.diagnosis.ledger import Ledger
from jobs.models import Correction, Graph, ImportFile, Job, Project, Snapshot
from jobs.models.correction import field_label
from jobs.record.lookup import lock_jobs
from jobs.web.form_recovery import recover_form

SHOWN_OF_REPLY = 6_000  # characters


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

    def standing(self) -> dict[str, Correction]:
        """By field, the corrections that stand there."""
        rows = Correction.objects.standing().filter(
            job=self.job, kind=self.kind, position=self.position
        )
        return {one.field: one for one in rows.select_related("actor")}

    def values(self) -> list[dict[str, Any]]:
        """Each field as shown now, and as GES says it where a correction stands over it."""
        standing = self.standing()
        return [
            {
                "name": name,
                "label": field_label(name),
                "shown": self.shown(name),
                "observed": (standing[name].newest or "") if name in standing else self.shown(name),
                "correction": standing.get(name),
            }
            for name in self.fields
        ]

    def shown(self, field: str) -> str:
        """A value as its correction would be typed."""
        row: Any = self.file or self.job
        return as_text(row.graph_id if field == "graph" else getattr(row, field)) or ""

    def marks(self) -> dict[str, str]:
        """By field, what tells whether somebody changed it since: its correction and its value."""
        standing = self.standing()
        return {
            name: f"{standing[name].pk if name in standing else 0}.{zlib.crc32(self.shown(name).encode())}"
            for name in self.fields
        }

    def observed_reply(self) -> tuple[Snapshot | None, str]:
        """What GES said last, of a long reply the part about this place."""
        newest = self.job.snapshots.order_by("-last_seen_at", "-pk").first()
        if newest is None:
            return None, ""
        text = readable(bytes(newest.body))
        at = (
            text.find(json.dumps(self.file.path, ensure_ascii=False))
            if self.file and self.file.path
            else 0
        )
        start = max(at - SHOWN_OF_REPLY // 3, 0)
        cut = text[start : start + SHOWN_OF_REPLY]
        return newest, f"{'… ' if start else ''}{cut}{' …' if start + len(cut) < len(text) else ''}"


class CorrectionForm(forms.Form):
    """One value of a job or of one of its files, with the reason for it; the place is that of the page it came from."""

    where = forms.CharField(widget=forms.HiddenInput)
    known = forms.CharField(
        widget=forms.HiddenInput, required=False
    )  # what the person saw, by field
    field = forms.ChoiceField(label=gettext_lazy("Value to correct"))
    corrected = forms.CharField(
        label=gettext_lazy("Corrected value"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Leave empty for unknown. Enter times as 2026-01-31T08:15:00Z, flags as "
            "yes or no, and a status by its code, such as partial."
        ),
    )
    graph = forms.ModelChoiceField(
        Graph.objects.none(), required=False, label=gettext_lazy("Corrected graph")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.fields["field"].choices = [(name, field_label(name)) for name in place.fields]  # type: ignore[attr-defined]
        if place.file is not None:
            del self.fields["graph"]
        else:
            graphs = Graph.objects.filter(project=place.job.project_id)
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
                values.check_value(given["field"], given["corrected"], self.place.kind)
            except ValueError as wrong:
                self.add_error("corrected", str(wrong))
        return given


def may_correct(request: HttpRequest, job: Job) -> bool:
    """With the permission to correct, and as a fixer of that project."""
    allowed = Project.objects.correctable_by(request.user)
    return (
        request.user.has_perm("jobs.add_correction") and allowed.filter(pk=job.project_id).exists()
    )


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
        "corrected": place.shown(field) if field in place.fields and field != "graph" else "",
        "graph": job.graph_id,
        **recover_form(request, request.path),
        "known": json.dumps(place.marks()),
    }
    form = CorrectionForm(request.POST or None, place=place, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            _make(request, place, form.cleaned_data)
        except ValueError as wrong:  # somebody else was first, or the file went away meanwhile
            form.add_error(None, str(wrong))
            job.refresh_from_db()
            place = _place(job, place.where)
            again = request.POST.copy()
            again["known"] = json.dumps(place.marks())
            form.data = again
        else:
            messages.success(request, _("Corrected. The GES value is kept."))
            _warn_of_ledger(request, place)
            return redirect("pages:job", pk=pk)
    reply, text = place.observed_reply()
    context = {
        "reply": reply,
        "reply_text": text,
        "media": form.media,
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


@transaction.atomic
def _make(request: HttpRequest, place: Place, given: dict[str, Any]) -> None:
    """Correct, unless somebody else changed this value since the person saw it. Raises: ValueError with a sentence."""
    lock_jobs([place.job.pk])
    place.job.refresh_from_db()
    here = _place(place.job, place.where)
    _refuse_if_changed(here, given["field"], given["known"])
    corrections.correct(
        here.job,
        kind=here.kind,
        position=here.position,
        field=given["field"],
        corrected=given["corrected"],
        reason=given["reason"],
        actor=request.user,  # type: ignore[arg-type]
        now=timezone.now(),
    )


def _refuse_if_changed(place: Place, field: str, known: str) -> None:
    try:
        seen = json.loads(known or "{}")
    except (ValueError, RecursionError):
        seen = {}
    if not isinstance(seen, dict) or field not in seen or seen[field] == place.marks()[field]:
        return
    one = place.standing().get(field)
    if one is not None and not str(seen[field]).startswith(f"{one.pk}."):
        said = {
            "who": one.actor.get_username(),
            "value": one.corrected or "–",
            "why": one.reason[:300],
        }
        text = _(
            "%(who)s corrected this to %(value)s in the meantime (reason: %(why)s). "
            "Nothing was saved; submit again to correct it anyway."
        )
        raise ValueError(text % said)
    text = _(
        "This value changed to %(value)s in the meantime. Nothing was saved; "
        "submit again to correct it anyway."
    )
    raise ValueError(text % {"value": place.shown(field)[:300] or "–"})


def _warn_of_ledger(request: HttpRequest, place: Place) -> None:
    """Figures that don't add up are taken, and said to be such."""
    if place.file is None:
        return
    place.file.refresh_from_db()
    if place.file.ledger == Ledger.DOES_NOT_ADD_UP:
        messages.warning(
            request,
            _(
                "The values of this file are no longer consistent; its count check shows "
                "a mismatch."
            ),
        )


def choose_graph(field: Any, graphs: QuerySet[Graph], help_text: Any) -> None:
    """Let a graph be looked up as it is typed; a list of all would be long."""
    field.queryset, field.help_text = graphs, help_text
    field.widget = AutocompleteSelect(Correction._meta.get_field("graph"), admin.site)
    field.widget.choices = field.choices


def _place(job: Job, where: str) -> Place:
    if where == "job":
        return Place(job, None)
    kind, _colon, position = where.partition(":")
    if not (position.isascii() and position.isdigit() and len(position) < 10):
        raise Http404(
            f"{where!r:.80} is no place in a job; expected job, or a kind and a position such as vertex:0."
        )
    return Place(job, get_object_or_404(job.files, kind=kind, position=int(position)))
