"""The overview as it was known at a moment: `/?as_of=2026-11-24T10:00:00Z`.

A row that has come to say nothing else since then says what it said then; only the others are folded anew, MOST at most.
"""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.as_of.graphs import caveats, graphs_as_of
from jobs.as_of.jobs import jobs_as_of
from jobs.diagnosis.corrections import OWN_FIELDS
from jobs.ges.words import FINAL
from jobs.lists.filters import bounded_count
from jobs.models import Correction, Job, Project
from jobs.models.job import JobQuerySet, ReviewState, VerdictChoices
from jobs.pages.drawing.charts import PLAUSIBLE
from jobs.pages.job.as_of import read_as_of
from jobs.web.rendering import render_page

DAYS, SHOWN = timedelta(days=30), 20
MOST = 200  # jobs folded: the body of one reply each


def past_overview(request: HttpRequest) -> HttpResponse:
    """What needed a person, what ran, and thirty days in figures."""
    problems: list[str] = []
    at = read_as_of(request.GET.get("as_of", ""), timezone.now(), problems)
    known = (
        Job.objects.visible_to(request.user)
        .filter(first_seen_at__lte=at)
        .select_related("graph", "project")
    )
    # By project, as its index has it; in no order, since all of them are wanted or none.
    projects = list(Project.objects.visible_to(request.user).values_list("pk", flat=True))
    moved = _moved_since(projects, at)
    since = Q(changed_at__gt=at) | Q(pk__in=moved) if moved else Q(changed_at__gt=at)
    changed = list(known.filter(since, project__in=projects).order_by()[: MOST + 1])
    context: dict[str, Any] = {"as_of": at, "problems": problems}
    if len(changed) > MOST:
        text = _(
            "More than %(most)s jobs have changed since then; choose a later time, "
            "or open a single graph or job."
        )
        context["too_many"] = text % {"most": MOST}
    else:
        folded = [past.job for past in jobs_as_of(changed, at).values()]
        context |= _figures(known.filter(changed_at__lte=at).exclude(pk__in=moved), folded, at)
        shown = [*context["to_review"], *context["running"]]
        _name_graphs(shown, {job.pk for job in folded}, at)
        context["unsure"] = caveats({job.graph for job in shown}, at)
    return render_page(request, "pages/past_overview.html", "past", context)


def _moved_since(projects: list[int], at: datetime) -> list[int]:
    """Jobs that people put to another graph or out of the statistics since, or back: their rows don't tell when."""
    later = Correction.objects.filter(
        Q(made_at__gt=at) | Q(reverted_at__gt=at),
        field__in=OWN_FIELDS,
        kind="",
        job__project__in=projects,
    )
    found = later.order_by("job").values_list("job_id", flat=True).distinct()[: MOST + 1]
    return [pk for pk in found if pk is not None]


def _figures(same: JobQuerySet, folded: list[Job], at: datetime) -> dict[str, Any]:
    same, folded = same.counted(), [job for job in folded if not job.is_hidden]
    recent = same.filter(begin_time__gt=at - DAYS, begin_time__lte=at).order_by()
    counted: Counter[str] = Counter()
    loaded = lost = 0
    good, bad = Q(successful_lines__gt=PLAUSIBLE), Q(failed_lines__gt=PLAUSIBLE)
    summed = recent.values("verdict").annotate(
        n=Count("*"),
        loaded=Sum("successful_lines", filter=~good),
        lost=Sum("failed_lines", filter=~bad),
    )
    rows = [(row["verdict"], row["n"], row["loaded"], row["lost"]) for row in summed]
    inside = [job for job in folded if job.begin_time and at - DAYS < job.begin_time <= at]
    rows += [
        (job.verdict, 1, _plausible(job.successful_lines), _plausible(job.failed_lines))
        for job in inside
    ]
    for verdict, count, more_loaded, more_lost in rows:
        counted[verdict] += count
        loaded, lost = loaded + int(more_loaded or 0), lost + int(more_lost or 0)
    waiting, is_more = bounded_count(same.filter(review__in=ReviewState.open()))
    to_review = [job for job in folded if job.review in ReviewState.open()]
    running = [job for job in folded if job.verdict not in FINAL]
    return {
        "counts": [(word, counted[word]) for word in VerdictChoices.values if counted[word]],
        "loaded": loaded,
        "lost": lost,
        "to_review": _newest(same.filter(review__in=ReviewState.open()), to_review),
        "to_review_count": waiting + len(to_review),
        "is_more_to_review": is_more,
        "running": _newest(same.unfinished().exclude(observed_at=None), running),
    }


def _name_graphs(shown: list[Job], folded: set[int], at: datetime) -> None:
    """Those of rows that were not folded as they were known then."""
    rows = [job for job in shown if job.pk not in folded]
    then = graphs_as_of((job.graph for job in rows), at)
    for job in rows:
        job.graph = then[job.graph_id]


def _newest(same: JobQuerySet, folded: list[Job]) -> list[Job]:
    rows = [*same.order_by("-begin_time", "-pk")[:SHOWN], *folded]
    return sorted(rows, key=lambda job: (job.began_at, job.pk), reverse=True)[:SHOWN]


def _plausible(lines: int | Decimal | None) -> int | Decimal:
    return 0 if lines is None or lines > PLAUSIBLE else lines
