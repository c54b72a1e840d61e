"""One job: its verdict first, then file by file."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs import polling, record
from jobs.ges.errors import GesError
from jobs.ges.words import Verdict
from jobs.models import Correction, ImportFile, Job, Snapshot
from jobs.pages.rendering import render_page

FILES = 200  # rows of files a page shows at first; the rest comes by a link
_WORST_FIRST = Case(
    When(verdict=Verdict.FAILED, then=Value(0)),
    When(verdict=Verdict.PARTIAL, then=Value(1)),
    When(verdict=Verdict.UNKNOWN, then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)


@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; while the job runs, its live part asks for itself every 5 s."""
    one = _visible(request, pk)
    files = one.files.exclude(kind="schema").order_by(_WORST_FIRST, "-failed_lines", "kind", "position")
    shown = list(files if "all" in request.GET else files[:FILES])
    context: dict[str, Any] = {
        "job": one,
        "is_final": one.is_final,
        "files": shown,
        "file_total": max(len(shown), one.file_count - _schemas(one).count()),
        "schemas": _schemas(one)[:FILES],
        "totals": [
            (kind, one.lines.get(kind))
            for kind in ("vertex", "edge", "all")
            if one.lines.get(kind, {}).get("total") is not None
        ],
        "duration": one.end_time - one.begin_time if one.end_time and one.begin_time else None,
        "contradictions": [file for file in shown if file.contradiction][:5],
        "snapshots": one.snapshots.defer("body").order_by("-last_seen_at", "-pk")[:20],
        "misses": one.misses.defer("body").order_by("-last_seen_at")[:20],
        "corrections": one.corrections.select_related("actor", "reverted_by").order_by("-pk")[:50],
    }
    return render_page(request, "pages/job.html", "live", context)


@require_POST
def poll_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask GES about this job at once."""
    one = _visible(request, pk)
    try:
        if one.graph.graph_id is None:
            raise GesError(_("GES no longer lists this graph, so its jobs can't be asked about."))
        polling.poll_now(one)
        messages.success(request, _("GES answered; this is its newest word."))
    except GesError as wrong:
        messages.error(request, _("GES gave no usable answer: %(why)s") % {"why": wrong})
    return redirect("pages:job", pk=pk)


@require_safe
def snapshot(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """One reply: readable, or with `?raw` the very bytes."""
    one = _visible(request, pk)
    reply = get_object_or_404(Snapshot, pk=snapshot_pk, job=one)
    body = bytes(reply.body)
    if "raw" in request.GET:
        response = HttpResponse(body, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="reply-{reply.pk}.json"'
        return response
    pretty = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    context = {"job": one, "snapshot": reply, "pretty": pretty, "sha256": bytes(reply.sha256).hex(), "size": len(body)}
    return render_page(request, "pages/snapshot.html", "reply", context)


@require_POST
def undo_correction(request: HttpRequest, pk: int, correction_pk: int) -> HttpResponse:
    """Take a correction back."""
    one = _visible(request, pk)
    if not request.user.has_perm("jobs.change_correction"):
        raise PermissionDenied
    correction = get_object_or_404(Correction, pk=correction_pk, job=one)
    try:
        record.revert(correction, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        messages.success(request, _("The correction is undone; what GES said shows again."))
    except ValueError as wrong:
        messages.error(request, str(wrong))
    return redirect("pages:job", pk=pk)


def _visible(request: HttpRequest, pk: int) -> Job:
    return get_object_or_404(Job.objects.visible_to(request.user).select_related("graph", "project"), pk=pk)


def _schemas(one: Job) -> "QuerySet[ImportFile]":
    return one.files.filter(kind="schema").order_by("position")
