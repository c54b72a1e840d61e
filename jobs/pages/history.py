"""What GES said about one job, reply by reply: what changed between them, and when it said nothing usable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from jobs.diagnosis.changes import backwards, changes
from jobs.ges.errors import GesError
from jobs.ges.reply import JobReply, parse_reply
from jobs.models import Job, Miss, Snapshot
from jobs.pages.job import visible
from jobs.pages.rendering import render_page
from jobs.paging import won_t_do

REPLIES, CHANGES, WARNINGS = 20, 8, 4
OTHERS, ALL_CHANGES = 100, 500
KINDS = {
    "not_a_status": gettext_lazy("GES answered, but not with a job status"),
    "wrong_job": gettext_lazy("GES answered about another job"),
    "too_large": gettext_lazy("GES's answer was over the limit of 8 MiB"),
    "error_reply": gettext_lazy("GES answered with an error"),
    "refused": gettext_lazy("GES refused gesdash's credentials: check them in the settings"),
    "throttled": gettext_lazy("GES asked to be asked less often"),
    "unreachable": gettext_lazy("GES could not be reached: check the network and the endpoint"),
    "timeout": gettext_lazy("GES did not answer in time"),
    "no_credentials": gettext_lazy("The project has no credentials in the settings"),
}


@dataclass(slots=True)
class Step:
    """One reply or one run of failed polls, and what was new in it."""

    at: datetime
    until: datetime
    seen: int
    snapshot: Snapshot | None = None
    miss: Miss | None = None
    says: str = ""
    changed: list[Any] = field(default_factory=list)
    more: int = 0
    warnings: list[Any] = field(default_factory=list)
    more_warnings: int = 0
    after: timedelta | None = None


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest replies and misses, newest first; earlier ones by a link."""
    one = visible(request, pk)
    before = request.GET.get("before", "")
    replies = one.snapshots.order_by("-first_seen_at", "-pk")
    if before.isascii() and before.isdigit() and len(before) < 19:
        anchor = replies.filter(pk=int(before)).first()
        replies = replies.filter(first_seen_at__lt=anchor.first_seen_at) if anchor else replies
    # One more than is shown: the oldest of a page is compared with the one before it.
    found = list(replies[: REPLIES + 1])
    shown = found[:REPLIES]
    misses = one.misses.defer("body").order_by("-last_seen_at")
    if shown and (before or len(found) > REPLIES):
        misses = misses.filter(last_seen_at__gte=shown[-1].first_seen_at)
    steps = sorted([*_replies(one, found), *_misses(misses[:50])], key=lambda step: step.at, reverse=True)
    context = {
        "job": one,
        "steps": steps,
        "more_before": shown[-1].pk if len(found) > REPLIES else None,
        "is_first_page": not before,
    }
    return render_page(request, "pages/history.html", "history", context)


def _replies(job: Job, found: list[Snapshot]) -> Iterator[Step]:
    read = [_read(job, snapshot) for snapshot in found]
    for number, snapshot in enumerate(found[:REPLIES]):
        earlier = read[number + 1] if number + 1 < len(found) else None
        reply = read[number]
        step = Step(snapshot.first_seen_at, snapshot.last_seen_at, snapshot.seen, snapshot=snapshot)
        if number + 1 < len(found):
            step.after = snapshot.first_seen_at - found[number + 1].last_seen_at
        if reply is not None:
            step.says = reply.status
            new = changes(earlier, reply) if earlier else []
            step.changed, step.more = new[:CHANGES], max(0, len(new) - CHANGES)
            wrong = backwards(earlier, reply) if earlier else []
            step.warnings, step.more_warnings = wrong[:WARNINGS], max(0, len(wrong) - WARNINGS)
        yield step


def _read(job: Job, snapshot: Snapshot) -> JobReply | None:
    try:
        return parse_reply(bytes(snapshot.body), http_status=snapshot.http_status, job_id=job.job_id)
    except GesError:
        return None


def _misses(found: Any) -> Iterator[Step]:
    for miss in found:
        says = str(KINDS.get(miss.kind, miss.kind))
        yield Step(miss.first_seen_at, miss.last_seen_at, miss.seen, miss=miss, says=says)


@require_safe
def snapshot(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """One reply: readable, or with `?raw` the very bytes."""
    one = visible(request, pk)
    reply = get_object_or_404(Snapshot, pk=snapshot_pk, job=one)
    body = bytes(reply.body)
    if "raw" in request.GET:
        response = HttpResponse(body, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="reply-{reply.pk}.json"'
        return response
    context = {"job": one, "snapshot": reply, "sha256": bytes(reply.sha256).hex(), "size": len(body), **_pretty(body)}
    context |= _since(request, one, reply)
    return render_page(request, "pages/snapshot.html", "reply", context)


def _since(request: HttpRequest, job: Job, reply: Snapshot) -> dict[str, Any]:
    """What changed between this reply and any other that was chosen; by default the one before it."""
    others = list(job.snapshots.defer("body").exclude(pk=reply.pk).order_by("-first_seen_at", "-pk")[:OTHERS])
    asked = request.GET.get("since", "")
    chosen = next((one for one in others if str(one.pk) == asked), None)
    if chosen is None and not asked:
        chosen = next((one for one in others if one.first_seen_at < reply.first_seen_at), None)
    told = _read(job, chosen) if chosen else None
    now = _read(job, reply)
    rows = changes(told, now) if told and now else []
    return {
        "others": others,
        "since": chosen,
        "changed": rows[:ALL_CHANGES],
        "more": max(0, len(rows) - ALL_CHANGES),
        "problem": won_t_do("since", asked, _("the number of another reply of this job")) if asked and not chosen else "",
    }


def _pretty(body: bytes) -> dict[str, str]:
    as_received = body.decode("utf-8", "replace")
    try:
        pretty = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pretty = _("This reply is not JSON; it stands below as received.")
    return {"pretty": pretty, "as_received": as_received}
