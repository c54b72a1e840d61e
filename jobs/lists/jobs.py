"""The list of jobs: its filters, its orders and its pages, for pages, API and commands alike."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from jobs.lists.filters import STEERING, Filter, Place, by_name, keys_of, select, unknown_names
from jobs.lists.kinds import YES_OR_NO, Number, Rate, Text, Time, choice_of
from jobs.lists.paging import DURATION, NUMBER, TEXT, TIME, Page, page
from jobs.models import Correction, Graph, ImportFile, Job, Project
from jobs.models.correction import STANDING
from jobs.models.job import (
    ENDED_UNBEGUN,
    JobQuerySet,
    LedgerChoices,
    ReviewState,
    VerdictChoices,
)

DEFAULT_SORT = "-begin_time"
SORTS = {
    "begin_time": TIME,
    "end_time": TIME,
    "duration": DURATION,
    "failed_lines": NUMBER,
    "loss_rate": NUMBER,
    "job_name": TEXT,
}


def _with_file(lookup: str) -> Callable[[Any], Q]:
    def find(value: Any) -> Q:
        return Q(pk__in=ImportFile.objects.filter(**{lookup: value}).values("job"))

    return find


def _ended_before(moment: datetime) -> Q:
    """A job that ended before a moment began before it, and the list's order begins to look there.

    The few that did not are named.
    """
    exceptions = keys_of(Job.objects.filter(ENDED_UNBEGUN, end_time__lt=moment))
    began = Q(begin_time__lt=moment)
    return Q(end_time__lt=moment) & (began | Q(pk__in=exceptions) if exceptions else began)


def _failing_over(rate: Decimal) -> Q:
    """Only files with failures give a job a failure rate: the few such jobs have an own index."""
    return Q(loss_rate__gt=rate, lost_file_count__gt=0)


def _yes_or_no(condition: Q) -> Callable[[str], Q]:
    return lambda word: condition if word == "yes" else ~condition


#: Pages, API, commands and docs show the filters in this order.
FILTERS = by_name(
    Filter(
        name="project",
        kind=Text(),
        label=gettext_lazy("Project"),
        description="Jobs of this project, by its ID in GES.",
        find=lambda text: Q(project__in=keys_of(Project.objects.filter(project_id=text))),
        place=Place.WHEN_USED,
    ),
    Filter(
        name="graph",
        kind=Text(),
        label=gettext_lazy("Graph"),
        description="Jobs of this graph, by its name or the start of its ID.",
        find=lambda text: Q(
            graph__in=keys_of(Graph.objects.filter(Q(graph_id__startswith=text) | Q(name=text)))
        ),
        place=Place.OPEN,
        example=gettext_lazy("name or start of ID"),
    ),
    Filter(
        name="verdict",
        kind=choice_of(VerdictChoices.choices),
        label=gettext_lazy("Status"),
        description="Jobs with this status, made from the GES status and the files together.",
        find=lambda word: Q(verdict=word),
        place=Place.ELSEWHERE,
    ),
    Filter(
        name="job_name",
        kind=Text(),
        label=gettext_lazy("Job name"),
        description="Jobs with this name, in any case.",
        find=lambda text: Q(job_name__iexact=text),
        place=Place.OPEN,
    ),
    Filter(
        name="review",
        kind=choice_of(ReviewState.choices),
        label=gettext_lazy("Review"),
        description="Imports with failures in this state of review.",
        find=lambda word: Q(review=word),
        place=Place.OPEN,
    ),
    Filter(
        name="began_after",
        kind=Time(),
        label=gettext_lazy("Start time from"),
        description="Jobs that started at this time or later.",
        find=lambda moment: Q(begin_time__gte=moment),
        place=Place.OPEN,
        example="24h, 7d, 2026-01-31 08:00",
    ),
    Filter(
        name="began_before",
        kind=Time(),
        label=gettext_lazy("Start time to"),
        description="Jobs that started before this time.",
        find=lambda moment: Q(begin_time__lt=moment),
        place=Place.OPEN,
        example=gettext_lazy("today, 2026-02-01"),
    ),
    Filter(
        name="path",
        kind=Text(),
        label=gettext_lazy("File path contains"),
        description="Jobs with a file whose path contains this.",
        find=_with_file("path__contains"),
        place=Place.OPEN,
    ),
    Filter(
        name="cause",
        kind=Text(),
        label=gettext_lazy("Failure reason contains"),
        description="Jobs with a file whose failure reason contains this, in any case.",
        find=_with_file("cause__icontains"),
        place=Place.OPEN,
    ),
    Filter(
        name="job_id",
        kind=Text(),
        label=gettext_lazy("Job ID starts with"),
        description="Jobs whose ID starts with this.",
        find=lambda text: Q(job_id__startswith=text),
    ),
    Filter(
        name="status",
        kind=Text(),
        label=gettext_lazy("GES status"),
        description="Jobs with this status word of GES, in any case.",
        find=lambda text: Q(status__iexact=text),
        example="partiallyFailed",
    ),
    Filter(
        name="job_type",
        kind=Text(),
        label=gettext_lazy("Job type"),
        description="Jobs of this type, in any case.",
        find=lambda text: Q(job_type__iexact=text),
        example="GraphManagement",
    ),
    Filter(
        name="ledger",
        kind=choice_of(LedgerChoices.choices),
        label=gettext_lazy("Count check"),
        description="Jobs whose line counts agree, disagree, or can't be checked.",
        find=lambda word: Q(ledger=word),
    ),
    Filter(
        name="loss_over",
        kind=Rate(),
        label=gettext_lazy("Failure rate over"),
        description="Jobs with a higher failure rate: failed lines of failed and loaded lines.",
        find=_failing_over,
        example="5%",
    ),
    Filter(
        name="ended_after",
        kind=Time(),
        label=gettext_lazy("End time from"),
        description="Jobs that ended at this time or later.",
        find=lambda moment: Q(end_time__gte=moment),
        example=gettext_lazy("7d, yesterday"),
    ),
    Filter(
        name="ended_before",
        kind=Time(),
        label=gettext_lazy("End time to"),
        description="Jobs that ended before this time.",
        find=_ended_before,
        example="2026-02-01",
    ),
    Filter(
        name="contradictions",
        kind=YES_OR_NO,
        label=gettext_lazy("Inconsistent responses"),
        description="Jobs with inconsistent responses of GES, or those without.",
        find=_yes_or_no(Q(contradiction_count__gt=0)),
    ),
    Filter(
        name="hidden",
        kind=YES_OR_NO,
        label=gettext_lazy("Excluded from statistics"),
        description="Jobs excluded from statistics, or those included.",
        find=_yes_or_no(Q(is_hidden=True)),
    ),
    Filter(
        name="cause_group",
        kind=Number(gettext_lazy("the number of a failure reason")),
        label=gettext_lazy("Failure reason number"),
        description="Jobs with a file that has this failure reason, by the number in its address.",
        find=_with_file("cause_group"),
        place=Place.WHEN_USED,
    ),
)
#: Filters that look at the jobs' files.
FILE_FILTERS = ("path", "cause", "cause_group")


def filtered(
    params: QueryDict, queryset: JobQuerySet, *, zone: tzinfo = UTC, labelled: bool = False
) -> tuple[JobQuerySet, list[str]]:
    """The jobs that the filters choose, and a sentence for each invalid name or value.

    An invalid filter is left out; for `zone` and `labelled` see `select`.
    """
    selection = select(params, FILTERS, zone=zone, labelled=labelled)
    problems = unknown_names(params, [*FILTERS, *STEERING]) + selection.problems
    return queryset.filter(selection.condition()), problems


def page_of(params: QueryDict, queryset: JobQuerySet) -> tuple[Page, list[str]]:
    """One page of jobs with their standing corrections, and sentences as `filtered`."""
    corrections = Correction.objects.standing().filter(job=OuterRef("pk"), kind="")
    rows = queryset.select_related("graph", "project").annotate(is_corrected=Exists(corrections))
    jobs_page, problems = page(params, rows, SORTS, DEFAULT_SORT)

    # Few jobs are corrected, and mostly none: no query is made for the others.
    for job in jobs_page.rows:
        if not job.is_corrected:
            job.standing = []
    prefetch_related_objects([job for job in jobs_page.rows if job.is_corrected], STANDING)
    return jobs_page, problems
