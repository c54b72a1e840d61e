"""`/`: what needs a person now, and the last 30 days at a glance."""

import zlib
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.models import Job, Project
from jobs.models.job import JobQuerySet
from jobs.pages.overview.as_of import past_overview
from jobs.pages.overview.charts import charts
from jobs.queries.lost_files import lost_since
from jobs.queries.overview import overdue_graphs, sums_by_day, top_causes
from jobs.queries.review_queue import queue_of
from jobs.queries.running import running_jobs
from jobs.web.live import is_unchanged, token, with_change
from jobs.web.rendering import render_page
from jobs.web.time_zone import midnight

DAYS = 30
MAX_RUNNING = 8  # shown
MAX_UNFINISHED = 60  # looked at for being stuck
MAX_OVERDUE = 8
MAX_CAUSES = 6
DAY = timedelta(days=1)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Imports to review, stuck jobs, overdue graphs; charts; failure reasons; running jobs."""
    if "as_of" in request.GET:
        return past_overview(request)
    now = timezone.now()
    projects = list(with_change(request.user))
    seen = _token(projects, now)
    if is_unchanged(request, seen):
        return HttpResponse(status=204)

    # The projects are the reader's: their keys need no second query.
    jobs = Job.objects.counted()
    if not request.user.is_superuser:
        jobs = jobs.filter(project__in=[project.pk for project in projects])
    context = {"seen": seen, "projects": projects} | _figures(jobs, now)
    return render_page(request, "pages/overview/page.html", "now", context)


def _token(projects: list[Project], now: datetime) -> str:
    """What the page depends on, for `is_unchanged`."""
    changes = [changed for project in projects if (changed := vars(project)["changed"])]
    problems = "\n".join(f"{project.problem} {project.clock_skew}" for project in projects)
    # A job gets stuck and a graph overdue without a word of GES: redrawn every ten minutes.
    ten_minutes = f"{timezone.localtime(now):%Y%m%d%H%M}"[:-1]
    return token(max(changes, default=""), ten_minutes, zlib.crc32(problems.encode()))


def _figures(jobs: JobQuerySet, now: datetime) -> dict[str, Any]:
    days = _last_days(timezone.localdate(now))
    recent = jobs.filter(begin_time__gte=midnight(days[0]), begin_time__lt=midnight(days[-1] + DAY))
    unfinished = running_jobs(jobs, now, MAX_UNFINISHED)
    queue = queue_of(jobs, now)
    sums, implausible_jobs = sums_by_day(recent)
    drawn = charts(days, sums)
    return {
        "queue": queue,
        "lost_files": lost_since(jobs, now - DAY)["files"],
        "stuck": [running for running in unfinished if running.is_stuck],
        "running": unfinished[:MAX_RUNNING],
        "quiet": overdue_graphs(recent, now, MAX_OVERDUE),
        **vars(drawn),
        "implausible": implausible_jobs,
        "causes": top_causes(recent, MAX_CAUSES),
        "has_jobs": bool(drawn.total_jobs or unfinished or queue.rows) or jobs.exists(),
    }


def _last_days(today: date) -> list[date]:
    return [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
