"""All responses of GES about one job, one by one, with what changed and when nobody observed it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs.diagnosis.changes import Changed, changes, contradictions_between
from jobs.diagnosis.verdict import job_verdict
from jobs.ges.shapes import JobReply
from jobs.lists.paging import invalid_value, read_pk
from jobs.models import Job, Miss, Presence, Snapshot
from jobs.models.job import VerdictChoices
from jobs.pages.drawing.axis import Axis, absence, axis, failed_poll, unsure
from jobs.pages.drawing.charts import Span
from jobs.pages.job.lookup import visible_job
from jobs.pages.job.misses import miss_text
from jobs.queries.changes import ReplyChange, change_to, parsed_reply
from jobs.sentences import Sentence
from jobs.web.rendering import render_page

MAX_REPLIES = 20  # a page
MAX_MISSES = 50  # a page
MAX_CHANGES = 8  # of one reply
MAX_WARNINGS = 4  # of one reply


@dataclass(slots=True)
class Step:
    """One reply, one run of failed polls, or one time without a worker (`away`).

    `verdict` is that of the reply, which need not be the job's of today; `change` is set where
    the time in which the reply may have changed is wide.
    """

    at: datetime
    until: datetime
    seen: int
    snapshot: Snapshot | None = None
    miss: Miss | None = None
    says: str = ""
    verdict: str = VerdictChoices.UNKNOWN.value
    changed: list[Changed] = field(default_factory=list)
    more: int = 0
    warnings: list[Sentence] = field(default_factory=list)
    more_warnings: int = 0
    change: ReplyChange | None = None
    is_new_word: bool = False
    away: bool = False

    @property
    def took(self) -> timedelta:
        """How long it lasted."""
        return self.until - self.at


@dataclass(frozen=True, slots=True)
class _Page:
    """The replies and misses of one page, newest first, older than `anchor` if there is one.

    There is one reply more than MAX_REPLIES where there are older ones, and so for misses.
    """

    snapshots: list[Snapshot]
    misses: list[Miss]
    anchor: Snapshot | None

    @property
    def oldest(self) -> Snapshot | None:
        """The last reply shown, where there are older ones."""
        return self.snapshots[MAX_REPLIES - 1] if len(self.snapshots) > MAX_REPLIES else None


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Replies, failed polls and worker downtimes, newest first; earlier ones by a link."""
    job = visible_job(request, pk)
    problems: list[str] = []
    anchor = _anchor(job, request.GET.get("before", ""), problems)
    page = _read_page(job, anchor)
    life_end = _life_end(job)
    begin = page.oldest.first_seen_at if page.oldest else job.first_seen_at
    end = anchor.first_seen_at if anchor else life_end
    steps = [
        *_reply_steps(job, page.snapshots),
        *_miss_steps(page.misses[:MAX_MISSES]),
        *_absence_steps(job, life_end, begin, end),
    ]
    verdicts = {step.verdict for step in steps if step.snapshot}
    context = {
        "job": job,
        "problems": problems,
        "steps": sorted(steps, key=lambda step: step.at, reverse=True),
        "axis": _axis(steps, begin, end, until_now=anchor is None and not job.is_final),
        "verdicts": sorted((verdict, VerdictChoices(verdict).label) for verdict in verdicts),
        "more_misses": len(page.misses) > MAX_MISSES,
        "more_before": page.oldest.pk if page.oldest else None,
        "is_first_page": anchor is None,
        "removed": job.tombstones.aggregate(
            count=Count("pk"), first=Min("first_seen_at"), last=Max("last_seen_at")
        ),
    }
    return render_page(request, "pages/job/history.html", "history", context)


def _anchor(job: Job, text: str, problems: list[str]) -> Snapshot | None:
    """The reply before which the page begins; None for the first page."""
    if not text:
        return None
    anchor = job.snapshots.filter(pk=read_pk(text) or 0).first()
    if anchor is None:
        problems.append(invalid_value("before", text, _("the number of a response of this job")))
    return anchor


def _read_page(job: Job, anchor: Snapshot | None) -> _Page:
    snapshots: QuerySet[Snapshot] = job.snapshots.order_by("-first_seen_at", "-pk")
    misses: QuerySet[Miss] = job.misses.defer("body").order_by("-first_seen_at")
    if anchor is not None:
        same_time = Q(first_seen_at=anchor.first_seen_at, pk__lt=anchor.pk)
        snapshots = snapshots.filter(same_time | Q(first_seen_at__lt=anchor.first_seen_at))
        misses = misses.filter(first_seen_at__lt=anchor.first_seen_at)
    # One more than is shown: the oldest of a page is compared with the one before it.
    page = _Page(list(snapshots[: MAX_REPLIES + 1]), [], anchor)
    if page.oldest is not None:
        misses = misses.filter(first_seen_at__gte=page.oldest.first_seen_at)
    page.misses.extend(misses[: MAX_MISSES + 1])
    return page


def _life_end(job: Job) -> datetime:
    """Until when it matters whether anybody observed the job: its newest reply if final, or now."""
    if not job.is_final:
        return timezone.now()
    newest: datetime | None = job.snapshots.aggregate(newest=Max("first_seen_at"))["newest"]
    return newest or job.first_seen_at


def _reply_steps(job: Job, snapshots: Sequence[Snapshot]) -> Iterator[Step]:
    """A step for each reply but one beyond MAX_REPLIES, which is only compared with."""
    replies = [parsed_reply(job, snapshot) for snapshot in snapshots]
    for number, snapshot in enumerate(snapshots[:MAX_REPLIES]):
        step = Step(snapshot.first_seen_at, snapshot.last_seen_at, snapshot.seen, snapshot=snapshot)
        change = change_to(snapshot, list(snapshots[number + 1 :]))
        step.change = change if change.is_wide else None
        earlier = replies[number + 1] if number + 1 < len(snapshots) else None
        if (reply := replies[number]) is not None:
            _describe(step, reply, earlier)
        yield step


def _describe(step: Step, reply: JobReply, earlier: JobReply | None) -> None:
    """Fill in what a reply says, and what is new in it."""
    step.says = reply.status
    step.verdict = job_verdict(reply.status, reply.files).value
    step.is_new_word = earlier is not None and earlier.status != reply.status
    changed = changes(earlier, reply) if earlier else []
    step.changed = changed[:MAX_CHANGES]
    step.more = max(0, len(changed) - MAX_CHANGES)
    contradictions = contradictions_between(earlier, reply)
    step.warnings = [contradiction.says for contradiction in contradictions[:MAX_WARNINGS]]
    step.more_warnings = max(0, len(contradictions) - MAX_WARNINGS)


def _miss_steps(misses: Iterable[Miss]) -> Iterator[Step]:
    for miss in misses:
        says = miss_text(miss)
        yield Step(miss.first_seen_at, miss.last_seen_at, miss.seen, miss=miss, says=says)


def _absence_steps(job: Job, life_end: datetime, begin: datetime, end: datetime) -> Iterator[Step]:
    """The worker downtimes in the job's life that began on this page."""
    for first, last in Presence.objects.away(job.project_id, job.first_seen_at, life_end):
        if begin <= first < end:
            yield Step(first, last, 1, says=_("Worker downtime"), away=True)


def _axis(steps: list[Step], begin: datetime, end: datetime, *, until_now: bool) -> Axis | None:
    """The steps as a picture: a lane for each source of replies, and the times not observed."""
    gaps = [
        absence(step.at, step.until) if step.away else failed_poll(step.at, step.until)
        for step in steps
        if step.snapshot is None
    ]
    replies = [(step, step.snapshot) for step in steps if step.snapshot]
    lanes = sorted({snapshot.source for _step, snapshot in replies})
    spans = [_span(step, snapshot, lanes) for step, snapshot in replies]
    if not until_now:
        end += (end - begin) / 20  # room for the last, however long it was seen again
    return axis(spans, gaps, begin, end, until_now=until_now) if begin < end else None


def _span(step: Step, snapshot: Snapshot, lanes: list[str]) -> Span:
    label = f"{step.says} · {snapshot.get_source_display()}"
    since = step.change.since if step.change and step.is_new_word else None
    return Span(
        begin=step.at,
        end=step.until,
        kind=step.verdict,
        href=f"#reply-{snapshot.pk}",
        label=label,
        lane=lanes.index(snapshot.source),
        unsure=(unsure(label, since, step.at),) if since else (),
    )
