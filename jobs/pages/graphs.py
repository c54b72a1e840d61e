"""Graphs, and the jobs of one graph."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, Subquery, Sum, prefetch_related_objects
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.as_of.graphs import caveats, graphs_as_of, moved_jobs
from jobs.as_of.jobs import jobs_as_of
from jobs.decisions import review
from jobs.diagnosis.usual import usual_duration
from jobs.lists.paging import TEXT, page, read_choice, read_time
from jobs.models import Correction, Graph, Job
from jobs.models.correction import OF_GRAPH
from jobs.models.job import VerdictChoices
from jobs.pages.drawing.axis import MOST, Axis, axis, gaps_of, unsure, wide_changes
from jobs.pages.drawing.charts import Span
from jobs.pages.job.as_of import read_as_of
from jobs.pages.jobs import at_cursor, job_list
from jobs.polling import watches
from jobs.web.rendering import is_part, render_page

STRIP, IMPORTS = 15, 30
DAY, BUSY = (
    timedelta(days=1),
    5,
)  # imports of the last day: with more, a week on one axis would squeeze them
DAYS = {"1": 1, "7": 7, "30": 30}
MOST_MOVED = 1000  # jobs that people moved, looked up for a graph of the past


@require_safe
def graphs(request: HttpRequest) -> HttpResponse:
    """Every graph this user may see: its newest import, and how its last jobs went."""
    found = Graph.objects.visible_to(request.user).select_related("project")
    if wanted := request.GET.get("name", "").replace("\x00", "").strip():
        found = found.filter(Q(name__icontains=wanted) | Q(graph_id__startswith=wanted))
    last = Job.objects.filter(graph=OuterRef("pk")).order_by("-begin_time", "-pk")
    told = JSONObject(pk="pk", verdict="verdict", job_name="job_name")
    found = found.annotate(strip=ArraySubquery(last.values_list(told)[:STRIP]))
    newest = last.filter(file_count__gt=0).values("pk")[:1]
    lossy = Job.objects.counted().filter(
        graph=OuterRef("pk"),
        begin_time__gte=timezone.now() - timedelta(days=1),
        lost_file_count__gt=0,
    )
    lost = lossy.order_by().values("graph").annotate(lost=Sum("failed_lines")).values("lost")
    found = found.annotate(newest_import=newest, lost_since=Subquery(lost))
    shown, problems = page(request.GET, found, {"name": TEXT}, "name")
    imports = Job.objects.in_bulk(
        [graph.newest_import for graph in shown.rows if graph.newest_import]
    )
    context = {
        "page": shown,
        "problems": problems,
        "graphs": [
            (graph, imports.get(graph.newest_import), graph.strip[::-1]) for graph in shown.rows
        ],
        "name": wanted,
        "next_url": at_cursor(request, shown.next),
        "previous_url": at_cursor(request, shown.previous),
    }
    return render_page(request, "pages/graphs.html", "graphs", context)


@require_safe
def graph(request: HttpRequest, pk: int) -> HttpResponse:
    """One graph: how its imports went, when its jobs ran, and all of them."""
    one = _visible(request, pk)
    if "as_of" in request.GET:
        return render_page(request, "pages/graph.html", "jobs", _as_known(request, one))
    context = job_list(request, Job.objects.filter(graph=one), few_names=True) | {"graph": one}
    if not is_part(request):
        imports = _imports(one)
        is_busy = (
            sum(
                job.begin_time is not None and job.begin_time > timezone.now() - DAY
                for job in imports
            )
            > BUSY
        )
        days = read_choice(request.GET, "days", DAYS, "1" if is_busy else "7", context["problems"])
        usual = usual_duration([job.duration for job in imports if job.duration is not None])
        context |= {
            "axis": _axis(one, days),
            "days": days,
            "newest": imports[0] if imports else None,
            "usual": usual,
        }
        context |= {
            "may_review": one.project.may_be_reviewed_by(request.user),
            "owns": one.project.is_owned_by(request.user),
        }
    return render_page(request, "pages/graph.html", "jobs", context)


def _as_known(request: HttpRequest, one: Graph) -> dict[str, Any]:
    """The graph and the rows of this page as they were known at the moment that is asked for: its jobs of then, also those
    that people have moved away since, without those not heard of.
    """
    moved = moved_jobs(one, MOST_MOVED + 1)
    of_graph = Q(graph=one)
    if moved:
        of_graph |= Q(pk__in=moved[:MOST_MOVED])
    context: dict[str, Any] = job_list(request, Job.objects.filter(of_graph), few_names=True)
    at = read_as_of(request.GET["as_of"], timezone.now(), context["problems"])
    rows = context["page"].rows
    found = jobs_as_of(rows, at)
    known = [
        found[job.pk].job
        for job in rows
        if job.pk in found and found[job.pk].job.graph_id == one.pk
    ]
    unsure = caveats([one], at)
    if len(moved) > MOST_MOVED:
        text = _(
            "More than %(most)s jobs were moved to or from this graph; only some of "
            "them are listed here."
        )
        unsure.append(text % {"most": f"{MOST_MOVED:,}"})
    then = graphs_as_of([one], at)[one.pk]
    then.standing = []  # type: ignore[attr-defined]  # today's marks say nothing of then
    return context | {
        "graph": then,
        "as_of": at,
        "unsure": unsure,
        "page": replace(context["page"], rows=known),
    }


def _visible(request: HttpRequest, pk: int) -> Graph:
    """The graph, with the corrections that stand over it."""
    standing = Correction.objects.standing().filter(graph=OuterRef("pk"))
    rows = (
        Graph.objects.visible_to(request.user)
        .select_related("project")
        .annotate(is_corrected=Exists(standing))
    )
    found = get_object_or_404(rows, pk=pk)
    if getattr(found, "is_corrected", False):  # few are
        prefetch_related_objects([found], OF_GRAPH)
    return found


def _imports(graph: Graph) -> list[Job]:
    """Its newest imports, the newest first."""
    rows = (
        Job.objects.counted()
        .filter(graph=graph, file_count__gt=0)
        .select_related("graph", "project")
    )
    return list(rows.order_by("-begin_time", "-pk")[:IMPORTS])


def _axis(graph: Graph, days: str) -> Axis:
    """Its jobs on a time axis, and the times that nobody observed them."""
    end = timezone.now()
    begin = end - timedelta(days=DAYS[days])
    inside = Job.objects.filter(graph=graph, begin_time__lte=end).filter(
        Q(end_time__gte=begin)
        | Q(end_time=None, begin_time__gte=begin)
        | Q(end_time=None, verdict__in=["running", "pending"])
    )
    rows = inside.order_by("-begin_time").only(
        "pk", "job_name", "verdict", "begin_time", "end_time"
    )
    found = list(rows.annotate(changes=wide_changes(begin, end))[: MOST + 1])
    spans = [_span(job, end, getattr(job, "changes", [])) for job in found[:MOST]]
    return axis(
        spans, gaps_of(graph, begin, end), begin, end, until_now=True, cut=len(found) > MOST
    )


def _span(job: Job, now: datetime, changes: Iterable[dict[str, str]]) -> Span:
    begin = job.begin_time or now
    label = f"{job.job_name} · {VerdictChoices(job.verdict).label}"
    ended = (
        job.end_time if job.end_time and job.end_time >= begin else (begin if job.is_final else now)
    )
    said = _("%(job)s: changed at some point in this interval") % {"job": label}
    parts = tuple(unsure(said, read_time(one["since"]), read_time(one["at"])) for one in changes)
    return Span(begin, ended, job.verdict, reverse("pages:job", args=[job.pk]), label, unsure=parts)


@require_POST
def watch_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Start watching a job of this graph by its id; reviewers and above, since it costs calls of the project's budget."""
    one = _visible(request, pk)
    if not one.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    try:
        if one.graph_id is None:
            raise ValueError(_("GES no longer lists this graph, so its jobs cannot be queried."))
        job = watches.watch(
            one.project, one.graph_id, request.POST.get("job_id", "").strip(), timezone.now()
        )
    except ValueError as wrong:
        messages.error(request, str(wrong))
        return redirect("pages:graph", pk=pk)
    messages.success(request, _("The job is now tracked; waiting for its first response."))
    return redirect("pages:job", pk=job.pk)


@require_POST
def set_tolerance(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the share of lines that this graph's imports may lose without troubling anybody."""
    one = _visible(request, pk)
    if not one.project.is_owned_by(request.user):
        raise PermissionDenied
    try:
        moved = review.set_tolerance(
            one, request.POST.get("share", "").strip() or None, now=timezone.now()
        )
    except ValueError as wrong:
        messages.error(request, str(wrong))
    else:
        messages.success(
            request,
            _("Saved. %(count)s imports moved into or out of the review queue.") % {"count": moved},
        )
    return redirect("pages:graph", pk=pk)
