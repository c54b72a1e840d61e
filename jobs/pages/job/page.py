"""One job: its outcome first, then file by file, and what to decide about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.diagnosis.explain import explain
from jobs.diagnosis.explanations import Explanation
from jobs.models import Contradiction, Correction, Job
from jobs.pages.job.as_of import Moment, moments, past
from jobs.pages.job.figures import Figure, figures
from jobs.pages.job.files import files_context
from jobs.pages.job.lookup import visible_job
from jobs.pages.job.review import review_context
from jobs.pages.job.rights import may_correct
from jobs.queries.changes import ReplyChange, last_change, newest_runs
from jobs.queries.corrections import load_corrections
from jobs.queries.headline import headline_of, line_totals
from jobs.queries.running import RunningJob, running_job
from jobs.sentences import Sentence
from jobs.web.live import is_unchanged, token
from jobs.web.rendering import render_page

MAX_CONTRADICTIONS = 4  # shown; the history has them all


@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; while the job runs its live part refreshes itself, with 204 when nothing is new."""
    if "as_of" in request.GET:
        return past(request, visible_job(request, pk))
    job = visible_job(request, pk, with_corrections=False)
    now = timezone.now()
    seen = _token(job, now)
    if is_unchanged(request, seen):
        return HttpResponse(status=204)

    corrections = load_corrections(job)
    reviewed = review_context(request, job)
    runs = newest_runs(job)
    known_moments = moments(runs, corrections, reviewed["reviews"])
    contradictions = _newest_contradictions(job)
    page = JobPage(
        job=job,
        seen=seen,
        is_final=job.is_final,
        headline=headline_of(job),
        running=None if job.is_final else running_job(job, now),
        change=last_change(job, runs),
        explanations=explain(job.fail_reason),
        totals=line_totals(job),
        corrections=corrections,
        figures=figures(),
        moments=known_moments if len(known_moments) > 1 else [],
        moment=len(known_moments) - 1,
        may_correct=may_correct(request, job, "add"),
        contradictions=contradictions,
        more_odd=max(0, job.contradiction_count - MAX_CONTRADICTIONS),
    )
    context = vars(page) | files_context(request, job) | reviewed
    return render_page(request, "pages/job/page.html", "live", context)


@dataclass(frozen=True)
class JobPage:
    """The context of the page, apart from its files and its review.

    `moment` is the place among `moments` of the one that is shown.
    """

    job: Job
    seen: str
    is_final: bool
    headline: list[Sentence]
    running: RunningJob | None
    change: ReplyChange | None
    explanations: list[Explanation]
    totals: list[tuple[str, dict[str, Any]]]
    corrections: list[Correction]
    figures: list[Figure]
    moments: Sequence[Moment]
    moment: int
    may_correct: bool
    contradictions: list[Contradiction]
    more_odd: int


def _token(job: Job, now: datetime) -> str:
    """What the page depends on, for `is_unchanged`."""
    # A job gets stuck without a word of GES: redrawn every ten minutes.
    ten_minutes = "" if job.is_final else f"{now:%Y%m%d%H%M}"[:-1]
    return token(job.observed_at or "", job.changed_at or "", ten_minutes)


def _newest_contradictions(job: Job) -> list[Contradiction]:
    if not job.contradiction_count:
        return []
    return list(job.contradictions.order_by("-seen_at", "kind")[:MAX_CONTRADICTIONS])
