"""`/`: what needs a person now, and the last 30 days at a glance."""

from datetime import timedelta

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.ges.words import Verdict
from jobs.models import Job, Project
from jobs.pages.rendering import render_page

SHOWN = 8


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Imports that lost data, what runs, and counts a verdict."""
    since = timezone.now() - timedelta(days=30)
    jobs = Job.objects.visible_to(request.user).select_related("graph", "project")
    recent = jobs.filter(begin_time__gte=since)
    counts = dict(recent.order_by().values_list("verdict").annotate(Count("pk")))
    lossy = recent.filter(verdict__in=[Verdict.PARTIAL, Verdict.FAILED], file_count__gt=0).order_by("-begin_time", "-pk")
    context = {
        "projects": Project.objects.visible_to(request.user),
        "lossy": lossy[:SHOWN],
        "unfinished": jobs.unfinished().exclude(observed_at=None).order_by("-first_seen_at")[:SHOWN],
        "counts": [(verdict, counts.get(verdict.value, 0)) for verdict in Verdict],
        "has_jobs": jobs.exists(),
    }
    return render_page(request, "pages/overview.html", "now", context)
