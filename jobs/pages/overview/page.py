"""`/`: what needs a person now, and the last 30 days at a glance."""

import zlib
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, NullIf, TruncDate
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs.diagnosis.usual import is_quiet
from jobs.models import ImportFile, Job
from jobs.models.job import JobQuerySet, VerdictChoices
from jobs.pages.drawing.charts import PLAUSIBLE, Part, bars
from jobs.pages.lost_files import lost_since
from jobs.pages.overview.as_of import past_overview
from jobs.queries.review_queue import queue_of
from jobs.queries.running import Running, running, took_of_like
from jobs.web.live import is_unchanged, token, with_change
from jobs.web.rendering import render_page
from jobs.web.time_zone import midnight

DAYS, SHOWN, CAUSES = 30, 8, 6
RUNNING = 60  # unfinished jobs looked at for being stuck
# From the ground up: what went well carries the rest.
STACK = (
    VerdictChoices.SUCCESS,
    VerdictChoices.RUNNING,
    VerdictChoices.PENDING,
    VerdictChoices.CANCELLED,
    VerdictChoices.UNKNOWN,
    VerdictChoices.PARTIAL,
    VerdictChoices.FAILED,
)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Imports to review, stuck jobs, quiet graphs; charts; causes; what runs."""
    if "as_of" in request.GET:
        return past_overview(request)
    now = timezone.now()
    projects = list(with_change(request.user))
    changes = [changed for one in projects if (changed := getattr(one, "changed", None))]
    # A job gets stuck and a graph falls silent without a word of GES: drawn anew every ten minutes.
    problems = zlib.crc32("\n".join(f"{one.problem} {one.clock_skew}" for one in projects).encode())
    seen = token(max(changes, default=""), f"{timezone.localtime(now):%Y%m%d%H%M}"[:-1], problems)
    if is_unchanged(request, seen):
        return HttpResponse(status=204)
    # The projects are the reader's: their keys need no second query.
    jobs = Job.objects.counted()
    if not request.user.is_superuser:
        jobs = jobs.filter(project__in=[one.pk for one in projects])
    first = timezone.localdate(now) - timedelta(days=DAYS - 1)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    recent = jobs.filter(
        begin_time__gte=midnight(first), begin_time__lt=midnight(days[-1] + timedelta(days=1))
    )
    unfinished = _running(jobs, now)
    context = {
        "seen": seen,
        "projects": projects,
        "queue": queue_of(jobs, now),
        "lost_files": lost_since(jobs, now - timedelta(days=1))["files"],
        "stuck": [one for one in unfinished if one.is_stuck],
        "running": unfinished[:SHOWN],
        "quiet": _quiet(recent, now),
        **_charts(recent, days),
        "causes": _top_causes(recent),
    }
    context["has_jobs"] = (
        bool(context["total_jobs"] or unfinished or context["queue"].rows) or jobs.exists()
    )
    return render_page(request, "pages/overview/page.html", "now", context)


def _running(jobs: JobQuerySet, now: datetime) -> list[Running]:
    took = ArraySubquery(took_of_like(OuterRef("graph"), OuterRef("job_name")))
    rows = jobs.unfinished().exclude(observed_at=None).select_related("graph").annotate(took=took)
    return [
        running(job, getattr(job, "took", []), now)
        for job in rows.order_by("begin_time", "pk")[:RUNNING]
    ]


def _quiet(recent: JobQuerySet, now: datetime) -> list[dict[str, Any]]:
    """Graphs that imported regularly and have stopped."""
    rows: QuerySet[Job, Any] = (
        recent.filter(file_count__gt=0, graph__is_deleted=False)
        .order_by()
        .values("graph", name=Coalesce(NullIf("graph__name", Value("")), "graph__graph_id"))
        .annotate(imports=Count("*"), first=Min("begin_time"), newest=Max("begin_time"))
        .filter(imports__gte=3)
    )
    found = [
        row | {"gap": (row["newest"] - row["first"]) / (row["imports"] - 1)}
        for row in rows
        if is_quiet(
            row["newest"],
            (row["newest"] - row["first"]) / (row["imports"] - 1),
            row["imports"],
            now,
        )
    ]
    return sorted(found, key=lambda row: row["newest"])[:SHOWN]


def _charts(recent: JobQuerySet, days: list[date]) -> dict[str, Any]:
    days_of = recent.annotate(day=TruncDate("begin_time")).order_by().values("day", "verdict")
    good, bad = Q(successful_lines__gt=PLAUSIBLE), Q(failed_lines__gt=PLAUSIBLE)
    rows = days_of.annotate(
        n=Count("*"),
        loaded=Sum("successful_lines", filter=~good),
        lost=Sum("failed_lines", filter=~bad),
        odd=Count("begin_time", filter=good | bad),
    )
    odd = 0
    jobs: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    loaded: dict[date, int] = defaultdict(int)
    lost: dict[date, int] = defaultdict(int)
    losing: dict[date, list[str]] = defaultdict(list)  # verdicts of the jobs that lost lines
    for row in rows:
        odd += row["odd"]
        jobs[row["day"]][row["verdict"]] += row["n"]
        loaded[row["day"]] += int(row["loaded"] or 0)
        lost[row["day"]] += int(row["lost"] or 0)
        if row["lost"]:
            losing[row["day"]].append(row["verdict"])
    by_verdict, most_jobs = bars([_verdict_parts(day, jobs[day]) for day in days])
    up, most_loaded = bars(
        [[_lines_part(day, loaded[day], "good", _("loaded"), [])] for day in days]
    )
    down, most_lost = bars(
        [[_lines_part(day, lost[day], "failed", _("failed"), losing[day])] for day in days],
        hanging=True,
    )
    totals = {word: sum(jobs[day][word] for day in days) for word in VerdictChoices.values}
    words = [word for word in VerdictChoices.values if totals[word]]
    return {
        "days": days,
        "middle_day": days[len(days) // 2],
        "job_marks": by_verdict,
        "most_jobs": most_jobs,
        "loaded_marks": up,
        "lost_marks": down,
        "most_loaded": most_loaded,
        "most_lost": most_lost,
        "totals": [
            (word, totals[word], _list_url(days[0], days[-1], verdict=[word])) for word in words
        ],
        "total_jobs": sum(totals.values()),
        "total_loaded": sum(loaded.values()),
        "total_lost": sum(lost.values()),
        "implausible": odd,
        "table": [
            (day, [jobs[day][word] for word in words], loaded[day], lost[day])
            for day in reversed(days)
            if any(jobs[day].values())
        ],
        "lost_url": _list_url(
            days[0], days[-1], verdict=sorted({word for words in losing.values() for word in words})
        ),
    }


def _verdict_parts(day: date, counted: dict[str, int]) -> list[Part]:
    shown = date_format(day, "DATE_FORMAT")
    return [
        Part(
            counted[word],
            word,
            _list_url(day, day, verdict=[word]),
            f"{shown}: {counted[word]:,} {VerdictChoices(word).label}",
        )
        for word in STACK
    ]


def _lines_part(day: date, value: int, kind: str, word: str, verdicts: list[str]) -> Part:
    label = _("%(day)s: %(count)s %(what)s lines") % {
        "day": date_format(day, "DATE_FORMAT"),
        "count": f"{value:,}",
        "what": word,
    }
    return Part(value, kind, _list_url(day, day, verdict=verdicts), label)


def _list_url(first: date, last: date, **more: list[str]) -> str:
    """The list of the jobs that began on these days, in the reader's zone."""
    asked = [
        ("began_after", first.isoformat()),
        ("began_before", (last + timedelta(days=1)).isoformat()),
    ]
    asked += [("zone", str(timezone.get_current_timezone())), ("hidden", "no")]
    return f"{reverse('pages:jobs')}?{urlencode(asked + [(name, v) for name, values in more.items() for v in values])}"


def _top_causes(recent: JobQuerySet) -> list[dict[str, Any]]:
    lossy = recent.filter(lost_file_count__gt=0).order_by()
    rows: Any = ImportFile.objects.filter(job__in=lossy, cause_group__isnull=False).order_by()
    of_cause = rows.values(
        "cause_group", pattern=F("cause_group__pattern"), since=F("cause_group__first_seen_at")
    )
    summed = of_cause.annotate(
        files=Count("*"), lost=Sum("failed_lines"), graphs=Count("job__graph", distinct=True)
    )
    return list(summed.order_by(F("lost").desc(nulls_last=True), "-files")[:CAUSES])
