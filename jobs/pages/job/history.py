"""What GES said about one job, reply by reply: what changed between them, and when nobody observed it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs.audit.entries import note_download
from jobs.diagnosis.changes import changes, contradictions_between
from jobs.diagnosis.verdict import job_verdict
from jobs.lists.paging import invalid_value, read_pk
from jobs.models import Job, Miss, Presence, Snapshot
from jobs.models.job import VerdictChoices
from jobs.pages.drawing.axis import Axis, absence, axis, gap, unsure
from jobs.pages.drawing.charts import Span
from jobs.pages.job.misses import said_of_miss
from jobs.pages.job.page import visible
from jobs.queries.changes import ReplyChange, change_to, read
from jobs.web.rendering import render_page

REPLIES, MISSES, CHANGES, WARNINGS = 20, 50, 8, 4
OTHERS, ALL_CHANGES = 100, 500


@dataclass(slots=True)
class Step:
    """One reply, one run of failed polls, or one time without a worker; and what was new in it."""

    at: datetime
    until: datetime
    seen: int
    snapshot: Snapshot | None = None
    miss: Miss | None = None
    says: str = ""
    verdict: str = (
        VerdictChoices.UNKNOWN.value
    )  # of this reply, which need not be the job's of today
    changed: list[Any] = field(default_factory=list)
    more: int = 0
    warnings: list[Any] = field(default_factory=list)
    more_warnings: int = 0
    change: ReplyChange | None = None  # when this reply came to be, where that is known
    is_new_word: bool = False
    away: bool = False  # no worker was polling

    @property
    def took(self) -> timedelta:
        """How long it lasted."""
        return self.until - self.at


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest replies, misses and times without a worker, newest first; earlier ones by a link."""
    one = visible(request, pk)
    replies, misses = (
        one.snapshots.order_by("-first_seen_at", "-pk"),
        one.misses.defer("body").order_by("-first_seen_at"),
    )
    asked, problems = request.GET.get("before", ""), []
    anchor = replies.filter(pk=read_pk(asked) or 0).first() if asked else None
    if anchor is not None:
        same = Q(first_seen_at=anchor.first_seen_at, pk__lt=anchor.pk)
        replies = replies.filter(same | Q(first_seen_at__lt=anchor.first_seen_at))
        misses = misses.filter(first_seen_at__lt=anchor.first_seen_at)
    elif asked:
        problems.append(invalid_value("before", asked, _("the number of a response of this job")))
    # One more than is shown: the oldest of a page is compared with the one before it.
    found = list(replies[: REPLIES + 1])
    if len(found) > REPLIES:
        misses = misses.filter(first_seen_at__gte=found[REPLIES - 1].first_seen_at)
    failed = list(misses[: MISSES + 1])
    oldest = found[REPLIES - 1].first_seen_at if len(found) > REPLIES else one.first_seen_at
    life = _life(one)
    end = anchor.first_seen_at if anchor else life
    steps = [*_replies(one, found), *_misses(failed[:MISSES]), *_away(one, life, oldest, end)]
    context = {
        "job": one,
        "problems": problems,
        "steps": sorted(steps, key=lambda step: step.at, reverse=True),
        "axis": _axis(steps, oldest, end, until_now=anchor is None and not one.is_final),
        "verdicts": sorted(
            {(step.verdict, VerdictChoices(step.verdict).label) for step in steps if step.snapshot}
        ),
        "more_misses": len(failed) > MISSES,
        "more_before": found[REPLIES - 1].pk if len(found) > REPLIES else None,
        "is_first_page": anchor is None,
        "removed": one.tombstones.aggregate(
            count=Count("pk"), first=Min("first_seen_at"), last=Max("last_seen_at")
        ),
    }
    return render_page(request, "pages/job/history.html", "history", context)


def _replies(job: Job, found: list[Snapshot]) -> Iterator[Step]:
    told = [read(job, snapshot) for snapshot in found]
    for number, snapshot in enumerate(found[:REPLIES]):
        earlier = told[number + 1] if number + 1 < len(found) else None
        reply = told[number]
        step = Step(snapshot.first_seen_at, snapshot.last_seen_at, snapshot.seen, snapshot=snapshot)
        change = change_to(snapshot, found[number + 1 :])
        step.change = change if change.is_wide else None
        if reply is not None:
            step.says, step.verdict = reply.status, job_verdict(reply.status, reply.files).value
            new = changes(earlier, reply) if earlier else []
            step.changed, step.more = new[:CHANGES], max(0, len(new) - CHANGES)
            step.is_new_word = earlier is not None and earlier.status != reply.status
            wrong = contradictions_between(earlier, reply)
            step.warnings, step.more_warnings = (
                [one.says for one in wrong[:WARNINGS]],
                max(0, len(wrong) - WARNINGS),
            )
        yield step


def _life(job: Job) -> datetime:
    """Up to when it is of interest whether anybody looked: its final reply, or now."""
    if not job.is_final:
        return timezone.now()
    newest: datetime | None = job.snapshots.aggregate(newest=Max("first_seen_at"))["newest"]
    return newest or job.first_seen_at


def _away(job: Job, life: datetime, begin: datetime, end: datetime) -> Iterator[Step]:
    """The times without a worker that began on this page, of all in the job's life."""
    for first, last in Presence.objects.away(job.project_id, job.first_seen_at, life):
        if begin <= first < end:
            yield Step(first, last, 1, says=_("Worker downtime"), away=True)


def _axis(steps: list[Step], begin: datetime, end: datetime, *, until_now: bool) -> Axis | None:
    """The same as a picture: what was said over the times it was seen, a lane a source, and what was not observed."""
    gaps = [
        (absence if one.away else gap)(one.at, one.until) for one in steps if one.snapshot is None
    ]
    told = [(one, one.snapshot) for one in steps if one.snapshot]
    lanes = sorted({reply.source for _step, reply in told})
    spans = []
    for one, reply in told:
        label = f"{one.says} · {reply.get_source_display()}"
        since = one.change.since if one.change and one.is_new_word else None
        parts = (unsure(label, since, one.at),) if since else ()
        spans.append(
            Span(
                one.at,
                one.until,
                one.verdict,
                f"#reply-{reply.pk}",
                label,
                lanes.index(reply.source),
                parts,
            )
        )
    end += (
        (end - begin) / 20 if not until_now else timedelta()
    )  # room for the last, however long it was seen again
    return axis(spans, gaps, begin, end, until_now=until_now) if begin < end else None


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
    context = {
        "job": one,
        "snapshot": reply,
        "sha256": bytes(reply.sha256).hex(),
        "size": len(body),
        **_pretty(body),
    }
    context |= _since(request, one, reply)
    return render_page(request, "pages/job/snapshot.html", "reply", context)


def _since(request: HttpRequest, job: Job, reply: Snapshot) -> dict[str, Any]:
    """What changed between this reply and any other that was chosen; by default the one before it."""
    others = list(
        job.snapshots.defer("body").exclude(pk=reply.pk).order_by("-first_seen_at", "-pk")[:OTHERS]
    )
    asked = request.GET.get("since", "")
    chosen = next((one for one in others if str(one.pk) == asked), None)
    if chosen is None and not asked:
        chosen = next((one for one in others if one.first_seen_at < reply.first_seen_at), None)
    told = read(job, chosen) if chosen else None
    now = read(job, reply)
    rows = changes(told, now) if told and now else []
    return {
        "others": others,
        "since": chosen,
        "changed": rows[:ALL_CHANGES],
        "more": max(0, len(rows) - ALL_CHANGES),
        "problem": invalid_value("since", asked, _("the number of another response of this job"))
        if asked and not chosen
        else "",
    }


def _pretty(body: bytes) -> dict[str, str]:
    as_received = body.decode("utf-8", "replace")
    try:
        # Half of a surrogate pair can't be sent; it shows as the escape it came as.
        pretty = (
            json.dumps(json.loads(body), indent=2, ensure_ascii=False)
            .encode("utf-8", "backslashreplace")
            .decode()
        )
    except (ValueError, RecursionError):
        pretty = _("This response is not JSON; it is shown below as received.")
    return {"pretty": pretty, "as_received": as_received}
