"""One response of GES: formatted or as received, and what changed since another."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs.audit.entries import note_download
from jobs.diagnosis.changes import changes
from jobs.lists.paging import invalid_value
from jobs.models import Job, Snapshot
from jobs.pages.job.lookup import visible_job
from jobs.queries.changes import parsed_reply
from jobs.web.rendering import render_page

MAX_OTHERS = 100  # replies to compare with
MAX_CHANGES = 500


@require_safe
def snapshot(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """One reply: formatted, or with `?raw` the very bytes."""
    job = visible_job(request, pk)
    snapshot = get_object_or_404(Snapshot, pk=snapshot_pk, job=job)
    body = bytes(snapshot.body)
    if "raw" in request.GET:
        note_download(request, request.user, snapshot, job)
        response = HttpResponse(body, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="reply-{snapshot.pk}.json"'
        return response
    context = {
        "job": job,
        "snapshot": snapshot,
        "sha256": bytes(snapshot.sha256).hex(),
        "size": len(body),
        "pretty": _formatted(body),
        "as_received": body.decode("utf-8", "replace"),
        **_comparison(request, job, snapshot),
    }
    return render_page(request, "pages/job/snapshot.html", "reply", context)


def _comparison(request: HttpRequest, job: Job, snapshot: Snapshot) -> dict[str, Any]:
    """What changed between this reply and the one chosen; by default the one before it."""
    newest_first = job.snapshots.defer("body").exclude(pk=snapshot.pk)
    others = list(newest_first.order_by("-first_seen_at", "-pk")[:MAX_OTHERS])
    text = request.GET.get("since", "")
    chosen = next((other for other in others if str(other.pk) == text), None)
    problem = ""
    if chosen is None and text:
        problem = invalid_value("since", text, _("the number of another response of this job"))
    elif chosen is None:
        earlier = (other for other in others if other.first_seen_at < snapshot.first_seen_at)
        chosen = next(earlier, None)

    before = parsed_reply(job, chosen) if chosen else None
    after = parsed_reply(job, snapshot)
    changed = changes(before, after) if before and after else []
    return {
        "others": others,
        "since": chosen,
        "changed": changed[:MAX_CHANGES],
        "more": max(0, len(changed) - MAX_CHANGES),
        "problem": problem,
    }


def _formatted(body: bytes) -> str:
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _("This response is not JSON; it is shown below as received.")
    # Half of a surrogate pair can't be sent; it shows as the escape it came as.
    return text.encode("utf-8", "backslashreplace").decode()
