"""One job: what became of it first, then file by file, and what to decide about it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.decisions import corrections
from jobs.diagnosis.explain import explain
from jobs.ges.errors import GesError
from jobs.models import Correction, Graph, Job
from jobs.models.correction import STANDING
from jobs.pages.job.as_of import moments, past
from jobs.pages.job.files import files_of
from jobs.pages.job.misses import said_of_error
from jobs.pages.job.review import review_context
from jobs.polling import on_demand
from jobs.queries.changes import last_change, newest_runs
from jobs.queries.headline import headline_of
from jobs.queries.running import running, took_of_like
from jobs.web.live import is_unchanged, token
from jobs.web.rendering import render_page
from jobs.web.signed_in import signed_in

ODD = 4  # contradictions shown; the history has them all


@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; while the job runs, its live part asks for itself and gets 204 until something is new."""
    if "as_of" in request.GET:
        return past(request, visible(request, pk))
    one = visible(request, pk, marked=False)
    now = timezone.now()
    # A job gets stuck without a word of GES: drawn anew every ten minutes.
    seen = token(
        one.observed_at or "",
        one.changed_at or "",
        "" if one.is_final else f"{now:%Y%m%d%H%M}"[:-1],
    )
    if is_unchanged(request, seen):
        return HttpResponse(status=204)
    corrections, reviewed = corrections_of(one), review_context(request, one)
    runs = newest_runs(one)
    known = moments(runs, corrections, reviewed["reviews"])
    context: dict[str, Any] = {
        "job": one,
        "seen": seen,
        "is_final": one.is_final,
        "headline": headline_of(one),
        "running": None
        if one.is_final
        else running(one, list(took_of_like(one.graph_id, one.job_name)), now),
        "change": last_change(one, runs),
        "explanations": explanations(one.fail_reason),
        **files_of(request, one),
        "totals": [
            (kind, one.lines[kind])
            for kind in ("vertex", "edge", "all")
            if one.lines.get(kind, {}).get("total") is not None
        ],
        "corrections": corrections,
        "figures": _figures(one),
        "moments": known if len(known) > 1 else [],
        "moment": len(known) - 1,
        "may_correct": _may_correct(request, one, "add"),
        "contradictions": list(one.contradictions.order_by("-seen_at", "kind")[:ODD])
        if one.contradiction_count
        else [],
        "more_odd": max(0, one.contradiction_count - ODD),
        **reviewed,
    }
    return render_page(request, "pages/job/page.html", "live", context)


def visible(request: HttpRequest, pk: int, *, marked: bool = True) -> Job:
    """The job, or 404 where this user may not see it; `marked` with the corrections that stand over it."""
    rows = Job.objects.visible_to(request.user).select_related("graph", "project", "watch")
    return get_object_or_404(rows.prefetch_related(STANDING) if marked else rows, pk=pk)


def corrections_of(one: Job) -> list[Correction]:
    """The newest corrections of a job and its files, undone ones too; graphs in them by their names.

    The job gets those that stand, of itself and its files, as `standing`.
    """
    newest = one.corrections.order_by("-pk").values("pk")[:CORRECTIONS]
    rows = one.corrections.filter(Q(reverted_at=None) | Q(pk__in=newest)).select_related(
        "actor", "reverted_by"
    )
    found = list(rows.order_by("-pk"))
    one.standing = [correction for correction in found if correction.reverted_at is None]  # type: ignore[attr-defined]
    named = [correction for correction in found if correction.field == "graph"]
    if named:
        graphs = Graph.objects.filter(project=one.project_id)
        pks = {
            int(value)
            for row in named
            for value in (row.observed, row.newest, row.corrected)
            if value
        }
        names = {str(graph.pk): str(graph) for graph in graphs.filter(pk__in=pks)}
        for row in named:
            row.graph_names = names  # type: ignore[attr-defined]
    return found[:CORRECTIONS]


CORRECTIONS = 50  # rows of the table


def explanations(text: str) -> list[Any]:
    """What GES's codes and known causes in this text mean."""
    return list(explain(text)) if text else []


@dataclass(frozen=True, slots=True)
class Figure:
    """Where a figure comes from: its name, what it is now, the formula, and GES's fields."""

    anchor: str
    name: str
    formula: str
    fields: str


def _figures(one: Job) -> list[Figure]:
    version = "jobDetail"
    return [
        Figure("verdict", _("Status"), _("GES status combined with what its files report"), "status"),
        Figure("lines", _("Total lines"), _("sum over vertex and edge files; “at least” if a file has no line counts"), f"{version}.*.totalLines"),
        Figure("failed", _("Failed lines"), _("sum over vertex and edge files; metadata rows are never counted"), f"{version}.*.failedLines"),
        Figure("loaded", _("Loaded lines"), _("sum over vertex and edge files"), f"{version}.*.successfulLines"),
        Figure("loss", _("Failure rate"), _("failed ÷ (failed + loaded), only if every file has line counts"), "failedLines, successfulLines"),
        Figure("ledger", _("Count check"), _("each file: total = failed + loaded, and the status agrees; the job "
"takes the result of its worst file"), "totalLines, failedLines, successfulLines, status"),
        Figure("took", _("Duration"), _("end time − start time"), "endTime, beginTime"),
    ]  # fmt: skip


def _may_correct(request: HttpRequest, one: Job, what: str) -> bool:
    """A correction needs the permission, and the fixer's role in the project."""
    if not request.user.has_perm(f"jobs.{what}_correction"):
        return False
    return one.project.may_be_corrected_by(request.user)


@require_POST
def poll_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask GES about this job at once; reviewers and above, since each call counts against the project's budget."""
    one = visible(request, pk)
    if not one.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    try:
        if one.graph.graph_id is None:
            raise GesError(_("GES no longer lists this graph, so its jobs cannot be queried."))
        on_demand.poll_now(one)
        messages.success(request, _("GES responded; the latest status is shown."))
    except GesError as wrong:
        messages.error(
            request, _("No usable response from GES: %(why)s") % {"why": said_of_error(wrong)}
        )
    return redirect("pages:job", pk=pk)


@require_POST
def undo_correction(request: HttpRequest, pk: int, correction_pk: int) -> HttpResponse:
    """Take a correction back."""
    one = visible(request, pk)
    if not _may_correct(request, one, "change"):
        raise PermissionDenied
    correction = get_object_or_404(Correction, pk=correction_pk, job=one)
    try:
        corrections.revert(
            correction,
            reason=request.POST.get("reason", ""),
            actor=signed_in(request),
            now=timezone.now(),
        )
        messages.success(request, _("The correction is undone; the GES value is shown again."))
    except ValueError as wrong:
        messages.error(request, str(wrong))
    return redirect("pages:job", pk=pk)
