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
from jobs.lists.filters import TIME_WORDS, read_when
from jobs.lists.paging import invalid_value
from jobs.models import Correction, Job, Review
from jobs.queries.changes import Runs, newest_runs
from jobs.queries.headline import headline_of
from jobs.templatetags.gesdash import zone_of
from jobs.web.rendering import render_page

MOMENTS, FILES = 60, 500
_WORST = {Verdict.FAILED.value: 2, Verdict.PARTIAL.value: 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """When something came to be known or was decided."""

    at: datetime
    what: str


def read_as_of(value: str, now: datetime, problems: list[str]) -> datetime:
    """The moment that is asked for; of one that can't be, it is said why, and now stands."""
    try:
        at = read_when(value, UTC)
    except (ValueError, OverflowError):
        problems.append(invalid_value("as_of", value, str(TIME_WORDS)))
        return now
    if at > now:
        problems.append(
            _("as_of: %(value)s is in the future; current data is shown.") % {"value": value[:60]}
        )
        return now
    return at


def past(request: HttpRequest, one: Job) -> HttpResponse:
    """The page; it changes nothing and offers nothing to change."""
    problems: list[str] = []
    at = read_as_of(request.GET.get("as_of", ""), timezone.now(), problems)
    found = jobs_as_of([one], at).get(one.pk)
    corrections, reviews = (
        one.corrections.order_by("-pk")[:MOMENTS],
        one.reviews.order_by("-pk")[:MOMENTS],
    )
    known = moments(newest_runs(one), corrections, reviews)
    context: dict[str, Any] = {
        "job": found.job if found else one,
        "as_of": at,
        "past": found,
        "problems": problems,
        "moments": known,
        "moment": max(
            (number for number, moment in enumerate(known) if moment.at <= at), default=0
        ),
    }
    if found:
        context["unsure"] = caveats([found.job.graph], at)
    context |= _shown(one, found, at) if found else {"nothing": _nothing(one, at)}
    return render_page(request, "pages/past.html", "past", context)


def _shown(one: Job, found: JobAsOf, at: datetime) -> dict[str, Any]:
    job = found.job
    data = [file for file in found.files if file.kind != "schema"]
    data.sort(key=lambda file: (-_WORST.get(file.verdict, 0), -(file.failed_lines or 0)))
    reviews = Review.objects.filter(job=one, made_at__lte=at).select_related("actor")
    return {
        "is_final": job.is_final,
        "headline": headline_of(job),
        "explanations": list(explain(job.fail_reason)) if job.fail_reason else [],
        "totals": [
            (kind, job.lines[kind])
            for kind in ("vertex", "edge", "all")
            if job.lines[kind]["total"] is not None
        ],
        "files": data[:FILES],
        "more_files": len(data) > FILES,
        "schemas": [file for file in found.files if file.kind == "schema"][:FILES],
        "corrections": getattr(job, "standing", []),
        "reviews": list(reviews.order_by("-pk")[:20]),
    }


def _nothing(one: Job, at: datetime) -> str:
    first = one.snapshots.order_by("first_seen_at").values_list("first_seen_at", flat=True).first()
    if first is None:
        return _("GES has not returned any data for this job yet.")
    if first > at:
        said = {
            "first": f"{timezone.localtime(first):%Y-%m-%d %H:%M:%S} {zone_of(timezone.localtime(first))}"
        }
        return (
            _(
                "Nothing was known about this job at that time: its first response from "
                "GES was seen on %(first)s."
            )
            % said
        )
    return _(
        "What was known about this job at that time is no longer available: the "
        "response was deleted by retention."
    )


def moments(
    runs: Runs, corrections: Iterable[Correction], reviews: Iterable[Review]
) -> list[Moment]:
    """When something about a job came to be known, or one of these was decided; oldest first."""
    found = [Moment(at, _("new response from GES")) for at, _last in runs]
    for correction in corrections:
        found.append(Moment(correction.made_at, _("correction")))
        if correction.reverted_at is not None:
            found.append(Moment(correction.reverted_at, _("correction undone")))
    found += [Moment(review.made_at, _("decision")) for review in reviews]
    return sorted(found, key=lambda one: one.at)
