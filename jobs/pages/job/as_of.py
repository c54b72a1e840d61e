"""One job as it was known at a moment, which the address names: `?as_of=2026-11-24T10:00:00Z`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.as_of.graphs import caveats
from jobs.as_of.jobs import JobAsOf, jobs_as_of
from jobs.diagnosis.explain import explain
from jobs.ges.words import Verdict
from jobs.lists.kinds import TIME_WORDS, read_when
from jobs.lists.paging import invalid_value
from jobs.models import Correction, ImportFile, Job, Review
from jobs.queries.changes import Runs, newest_runs
from jobs.queries.headline import headline_of, line_totals
from jobs.templatetags.times import zone_of
from jobs.web.rendering import render_page

MAX_DECISIONS = 60  # corrections and reviews that give moments to choose from
MAX_FILES = 500
MAX_REVIEWS = 20
_BADNESS = {Verdict.FAILED.value: 2, Verdict.PARTIAL.value: 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """When something about a job became known or was decided."""

    at: datetime
    what: str


def read_as_of(text: str, now: datetime, problems: list[str]) -> datetime:
    """The moment asked for; now, with a sentence in problems, if it is invalid or in the future."""
    try:
        at = read_when(text, UTC)
    except (ValueError, OverflowError):
        problems.append(invalid_value("as_of", text, str(TIME_WORDS)))
        return now
    if at > now:
        problems.append(
            _("as_of: %(value)s is in the future; current data is shown.") % {"value": text[:60]}
        )
        return now
    return at


def past(request: HttpRequest, job: Job) -> HttpResponse:
    """The page as of a moment; nothing on it can be changed."""
    problems: list[str] = []
    at = read_as_of(request.GET.get("as_of", ""), timezone.now(), problems)
    job_as_of = jobs_as_of([job], at).get(job.pk)
    known_moments = moments(
        newest_runs(job),
        job.corrections.order_by("-pk")[:MAX_DECISIONS],
        job.reviews.order_by("-pk")[:MAX_DECISIONS],
    )
    earlier = (number for number, moment in enumerate(known_moments) if moment.at <= at)
    context: dict[str, Any] = {
        "job": job_as_of.job if job_as_of else job,
        "as_of": at,
        "past": job_as_of,
        "problems": problems,
        "moments": known_moments,
        "moment": max(earlier, default=0),
    }
    if job_as_of:
        context |= _known(job, job_as_of, at)
    else:
        context["nothing"] = _nothing_known(job, at)
    return render_page(request, "pages/job/as_of.html", "past", context)


def _known(stored: Job, job_as_of: JobAsOf, at: datetime) -> dict[str, Any]:
    job = job_as_of.job
    data_files = [file for file in job_as_of.files if file.kind != ImportFile.Kind.SCHEMA]
    data_files.sort(key=lambda file: (-_BADNESS.get(file.verdict, 0), -(file.failed_lines or 0)))
    schemas = [file for file in job_as_of.files if file.kind == ImportFile.Kind.SCHEMA]
    reviews = Review.objects.filter(job=stored, made_at__lte=at).select_related("actor")
    return {
        "unsure": caveats([job.graph], at),
        "is_final": job.is_final,
        "headline": headline_of(job),
        "explanations": explain(job.fail_reason),
        "totals": line_totals(job),
        "files": data_files[:MAX_FILES],
        "more_files": len(data_files) > MAX_FILES,
        "schemas": schemas[:MAX_FILES],
        "corrections": job.standing,
        "reviews": list(reviews.order_by("-pk")[:MAX_REVIEWS]),
    }


def _nothing_known(job: Job, at: datetime) -> str:
    """Why nothing is known of a job at that moment."""
    oldest_first = job.snapshots.order_by("first_seen_at")
    first_seen_at = oldest_first.values_list("first_seen_at", flat=True).first()
    if first_seen_at is None:
        return _("GES has not returned any data for this job yet.")
    if first_seen_at > at:
        local = timezone.localtime(first_seen_at)
        text = _(
            "Nothing was known about this job at that time: its first response from "
            "GES was seen on %(first)s."
        )
        return text % {"first": f"{local:%Y-%m-%d %H:%M:%S} {zone_of(local)}"}
    return _(
        "What was known about this job at that time is no longer available: the "
        "response was deleted by retention."
    )


def moments(
    runs: Runs, corrections: Iterable[Correction], reviews: Iterable[Review]
) -> list[Moment]:
    """When something about a job became known, or one of these was decided; oldest first."""
    known_moments = [
        Moment(first_seen_at, _("new response from GES")) for first_seen_at, _last in runs
    ]
    for correction in corrections:
        known_moments.append(Moment(correction.made_at, _("correction")))
        if correction.reverted_at is not None:
            known_moments.append(Moment(correction.reverted_at, _("correction undone")))
    known_moments += [Moment(review.made_at, _("decision")) for review in reviews]
    return sorted(known_moments, key=lambda moment: moment.at)
