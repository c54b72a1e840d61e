"""What GES said about one job, reply by reply: what changed between them, and when it said nothing usable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs.diagnosis.changes import backwards, changes
from jobs.diagnosis.verdict import job_verdict
from jobs.ges.errors import GesError
from jobs.ges.reply import JobReply, parse_reply
from jobs.ges.words import Verdict
from jobs.models import Job, Miss, Snapshot
from jobs.pages.job import visible
from jobs.pages.misses import said_of_miss
from jobs.pages.rendering import render_page
from jobs.paging import read_pk, won_t_do
from jobs.trail import note_download

REPLIES, MISSES, CHANGES, WARNINGS = 20, 50, 8, 4
OTHERS, ALL_CHANGES = 100, 500


@dataclass(slots=True)
class Step:
    """One reply or one run of failed polls, and what was new in it."""

    at: datetime
    until: datetime
    seen: int
    snapshot: Snapshot | None = None
    miss: Miss | None = None
    says: str = ""
    verdict: str = Verdict.UNKNOWN.value  # of this reply, which need not be the job's of today
    changed: list[Any] = field(default_factory=list)
    more: int = 0
    warnings: list[Any] = field(default_factory=list)
    more_warnings: int = 0
    after: timedelta | None = None


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest replies and misses, newest first; earlier ones by a link."""
    one = visible(request, pk)
    replies, misses = one.snapshots.order_by("-first_seen_at", "-pk"), one.misses.defer("body").order_by("-first_seen_at")
    asked, problems = request.GET.get("before", ""), []
    anchor = replies.filter(pk=read_pk(asked) or 0).first() if asked else None
    if anchor is not None:
        same = Q(first_seen_at=anchor.first_seen_at, pk__lt=anchor.pk)
        replies = replies.filter(same | Q(first_seen_at__lt=anchor.first_seen_at))
        misses = misses.filter(first_seen_at__lt=anchor.first_seen_at)
    elif asked:
        problems.append(won_t_do("before", asked, _("the number of a reply of this job")))
    # One more than is shown: the oldest of a page is compared with the one before it.
    found = list(replies[: REPLIES + 1])
    if len(found) > REPLIES:
        misses = misses.filter(first_seen_at__gte=found[REPLIES - 1].first_seen_at)
    missed = list(misses[: MISSES + 1])
    steps = sorted([*_replies(one, found), *_misses(missed[:MISSES])], key=lambda step: step.at, reverse=True)
    context = {
        "job": one,
        "problems": problems,
        "steps": steps,
        "more_misses": len(missed) > MISSES,
        "more_before": found[REPLIES - 1].pk if len(found) > REPLIES else None,
        "is_first_page": anchor is None,
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
            step.says, step.verdict = reply.status, job_verdict(reply.status, reply.files).value
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
        says = said_of_miss(miss)
        yield Step(miss.first_seen_at, miss.last_seen_at, miss.seen, miss=miss, says=says)


@require_safe
def snapshot(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """One reply: readable, or with `?raw` the very bytes."""
    one = visible(request, pk)
    reply = get_object_or_404(Snapshot, pk=snapshot_pk, job=one)
    body = bytes(reply.body)
    if "raw" in request.GET:
        note_download(request, request.user, reply, one)
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
        # Half of a surrogate pair can't be sent; it shows as the escape it came as.
        pretty = json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    except (ValueError, RecursionError):
        pretty = _("This reply is not JSON; it stands below as received.")
    return {"pretty": pretty, "as_received": as_received}
