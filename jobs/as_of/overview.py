"""The overview's figures as they were known at a moment.

A job whose row has not changed since then is counted as it stands; only the others are folded
from their replies, MAX_FOLDED at most.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from jobs.as_of.graphs import caveats, graphs_as_of
from jobs.as_of.jobs import jobs_as_of
from jobs.diagnosis.corrections import OWN_FIELDS
from jobs.ges.words import FINAL
from jobs.lists.counts import bounded_count
from jobs.models import Correction, Job, Project
from jobs.models.job import JobQuerySet, ReviewState, VerdictChoices
from jobs.models.roles import Viewer
from jobs.queries.overview import MAX_PLAUSIBLE_LINES, plausible_sums

PERIOD = timedelta(days=30)
MAX_ROWS = 20
MAX_FOLDED = 200  # jobs: the body of one reply each


@dataclass(frozen=True)
class OverviewAsKnown:
    """Thirty days in figures, the open reviews and the running jobs.

    `counts` are jobs by verdict, `unsure` sentences about what is not known of that moment.
    """

    counts: list[tuple[str, int]]
    loaded: int
    lost: int
    to_review: list[Job]
    to_review_count: int
    is_more_to_review: bool
    running: list[Job]
    unsure: list[str]


def overview_as_known(user: Viewer, at: datetime) -> OverviewAsKnown | None:
    """What this user's overview showed then; None where over MAX_FOLDED jobs have changed since."""
    known = Job.objects.visible_to(user).filter(first_seen_at__lte=at)
    known = known.select_related("graph", "project")
    # By project, as its index has it; in no order, since all of them are wanted or none.
    projects = list(Project.objects.visible_to(user).values_list("pk", flat=True))
    moved = _moved_since(projects, at)
    since = Q(changed_at__gt=at) | Q(pk__in=moved) if moved else Q(changed_at__gt=at)
    changed = list(known.filter(since, project__in=projects).order_by()[: MAX_FOLDED + 1])
    if len(changed) > MAX_FOLDED:
        return None
    folded = [past.job for past in jobs_as_of(changed, at).values()]
    unchanged = known.filter(changed_at__lte=at).exclude(pk__in=moved)
    return _overview(unchanged, folded, at)


def _moved_since(projects: Sequence[int], at: datetime) -> list[int]:
    """Jobs that people moved to another graph, or excluded from statistics, since; or undid it.

    Their rows do not tell when.
    """
    later = Correction.objects.filter(
        Q(made_at__gt=at) | Q(reverted_at__gt=at),
        field__in=OWN_FIELDS,
        kind="",
        job__project__in=projects,
    )
    pks = later.order_by("job").values_list("job_id", flat=True).distinct()[: MAX_FOLDED + 1]
    return [pk for pk in pks if pk is not None]


def _overview(unchanged: JobQuerySet, folded: list[Job], at: datetime) -> OverviewAsKnown:
    unchanged = unchanged.counted()
    counted = [job for job in folded if not job.is_hidden]
    open_states = ReviewState.open()
    open_rows = unchanged.filter(review__in=open_states)
    open_folded = [job for job in counted if job.review in open_states]
    open_count, is_more = bounded_count(open_rows)
    running_folded = [job for job in counted if job.verdict not in FINAL]
    to_review = _newest(open_rows, open_folded)
    running = _newest(unchanged.unfinished().exclude(observed_at=None), running_folded)
    shown = [*to_review, *running]
    _name_graphs(shown, {job.pk for job in folded}, at)

    sums = _sums(unchanged, counted, at)
    return OverviewAsKnown(
        counts=[
            (verdict, sums.jobs_by_verdict[verdict])
            for verdict in VerdictChoices.values
            if sums.jobs_by_verdict[verdict]
        ],
        loaded=sums.loaded_lines,
        lost=sums.lost_lines,
        to_review=to_review,
        to_review_count=open_count + len(open_folded),
        is_more_to_review=is_more,
        running=running,
        unsure=caveats({job.graph for job in shown}, at),
    )


@dataclass(slots=True)
class _Sums:
    jobs_by_verdict: Counter[str]
    loaded_lines: int = 0
    lost_lines: int = 0


def _sums(unchanged: JobQuerySet, folded: Sequence[Job], at: datetime) -> _Sums:
    """Sums over the jobs that began in the PERIOD before that moment."""
    sums = _Sums(Counter())
    recent = unchanged.filter(begin_time__gt=at - PERIOD, begin_time__lte=at).order_by()
    rows: QuerySet[Job, Any] = recent.values("verdict").annotate(**plausible_sums())
    for row in rows:
        sums.jobs_by_verdict[row["verdict"]] += row["job_count"]
        sums.loaded_lines += int(row["loaded_lines"] or 0)
        sums.lost_lines += int(row["lost_lines"] or 0)
    for job in folded:
        if job.begin_time and at - PERIOD < job.begin_time <= at:
            sums.jobs_by_verdict[job.verdict] += 1
            sums.loaded_lines += _plausible(job.successful_lines)
            sums.lost_lines += _plausible(job.failed_lines)
    return sums


def _plausible(lines: int | Decimal | None) -> int:
    return 0 if lines is None or lines > MAX_PLAUSIBLE_LINES else int(lines)


def _newest(unchanged: JobQuerySet, folded: Sequence[Job]) -> list[Job]:
    rows = [*unchanged.order_by("-begin_time", "-pk")[:MAX_ROWS], *folded]
    return sorted(rows, key=lambda job: (job.began_at, job.pk), reverse=True)[:MAX_ROWS]


def _name_graphs(jobs: Sequence[Job], folded: set[int], at: datetime) -> None:
    """Give the jobs that were not folded their graphs as these were known then."""
    rows = [job for job in jobs if job.pk not in folded]
    graphs = graphs_as_of((job.graph for job in rows), at)
    for job in rows:
        job.graph = graphs[job.graph_id]
