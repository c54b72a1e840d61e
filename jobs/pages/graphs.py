"""Graphs, and the jobs of one graph."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, prefetch_related_objects
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
from jobs.lists.paging import TEXT, page, read_choice
from jobs.models import Correction, Graph, Job
from jobs.models.correction import OF_GRAPH
from jobs.models.job import VerdictChoices
from jobs.pages.drawing.axis import Axis, axis, unobserved_spans, unsure
from jobs.pages.drawing.charts import Span
from jobs.pages.job.as_of import read_as_of
from jobs.pages.jobs import job_list
from jobs.polling import watches
from jobs.queries.graphs import graph_rows, newest_imports, with_last_jobs
from jobs.queries.unobserved import MAX_JOBS, JobTimes, jobs_between, unobserved
from jobs.web.addresses import at_cursor
from jobs.web.rendering import is_part, render_page

DAY = timedelta(days=1)
MAX_DAILY_IMPORTS = 5  # with more in the last day, a week on one axis would squeeze them
PERIODS = {"1": 1, "7": 7, "30": 30}  # days
MAX_MOVED = 1000  # jobs that people moved, looked up for a graph at an earlier time


@require_safe
def graphs(request: HttpRequest) -> HttpResponse:
    """Every graph this user may see: its newest import, and how its last jobs went."""
    visible = Graph.objects.visible_to(request.user).select_related("project")
    text = request.GET.get("name", "").replace("\x00", "").strip()
    if text:
        visible = visible.filter(Q(name__icontains=text) | Q(graph_id__startswith=text))
    annotated = with_last_jobs(visible, timezone.now())
    part, problems = page(request.GET, annotated, {"name": TEXT}, "name")
    context = {
        "page": part,
        "problems": problems,
        "graphs": graph_rows(part.rows),
        "name": text,
        "next_url": at_cursor(request, part.next),
        "previous_url": at_cursor(request, part.previous),
    }
    return render_page(request, "pages/graphs.html", "graphs", context)


@require_safe
def graph(request: HttpRequest, pk: int) -> HttpResponse:
    """One graph: how its imports went, when its jobs ran, and all of them."""
    graph = _visible_graph(request, pk)
    if "as_of" in request.GET:
        return render_page(request, "pages/graph.html", "jobs", _as_known(request, graph))
    context = job_list(request, Job.objects.filter(graph=graph), of_graph=True) | {"graph": graph}
    if not is_part(request):
        context |= _head(request, graph, context["problems"])
    return render_page(request, "pages/graph.html", "jobs", context)


def _head(request: HttpRequest, graph: Graph, problems: list[str]) -> dict[str, Any]:
    """The part of the page above the list."""
    now = timezone.now()
    imports = newest_imports(graph)
    of_last_day = [job for job in imports if job.begin_time and job.begin_time > now - DAY]
    default = "1" if len(of_last_day) > MAX_DAILY_IMPORTS else "7"
    days = read_choice(request.GET, "days", PERIODS, default, problems)
    return {
        "axis": _axis(graph, now - timedelta(days=PERIODS[days]), now),
        "days": days,
        "newest": imports[0] if imports else None,
        "usual": usual_duration([job.duration for job in imports if job.duration is not None]),
        "may_review": graph.project.may_be_reviewed_by(request.user),
        "owns": graph.project.is_owned_by(request.user),
    }


def _as_known(request: HttpRequest, graph: Graph) -> dict[str, Any]:
    """The graph and the rows of this page as they were known at the time asked for.

    Its jobs of that time, also those that people have moved away since, without those unknown then.
    """
    moved = moved_jobs(graph, MAX_MOVED + 1)
    of_graph = Q(graph=graph)
    if moved:
        of_graph |= Q(pk__in=moved[:MAX_MOVED])
    context: dict[str, Any] = job_list(request, Job.objects.filter(of_graph), of_graph=True)
    at = read_as_of(request.GET["as_of"], timezone.now(), context["problems"])

    rows = context["page"].rows
    known_jobs = jobs_as_of(rows, at)
    jobs = [known_jobs[row.pk].job for row in rows if row.pk in known_jobs]
    unsure_about = caveats([graph], at)
    if len(moved) > MAX_MOVED:
        text = _(
            "More than %(most)s jobs were moved to or from this graph; only some of "
            "them are listed here."
        )
        unsure_about.append(text % {"most": f"{MAX_MOVED:,}"})
    graph_then = graphs_as_of([graph], at)[graph.pk]
    graph_then.standing = []  # today's corrections say nothing about that time
    return context | {
        "graph": graph_then,
        "as_of": at,
        "unsure": unsure_about,
        "page": replace(context["page"], rows=[job for job in jobs if job.graph_id == graph.pk]),
    }


def _visible_graph(request: HttpRequest, pk: int) -> Graph:
    """The graph with its corrections, or 404 where this user may not see it."""
    corrections = Correction.objects.standing().filter(graph=OuterRef("pk"))
    visible = Graph.objects.visible_to(request.user).select_related("project")
    graph = get_object_or_404(visible.annotate(is_corrected=Exists(corrections)), pk=pk)
    if vars(graph)["is_corrected"]:  # few are
        prefetch_related_objects([graph], OF_GRAPH)
    return graph


def _axis(graph: Graph, begin: datetime, end: datetime) -> Axis:
    """Its jobs on a time axis, and the times nobody observed them."""
    jobs = jobs_between(graph, begin, end)
    spans = [_span(job_times, end) for job_times in jobs[:MAX_JOBS]]
    gaps = unobserved_spans(unobserved(graph, begin, end))
    return axis(spans, gaps, begin, end, until_now=True, cut=len(jobs) > MAX_JOBS)


def _span(job_times: JobTimes, now: datetime) -> Span:
    job = job_times.job
    begin = job.begin_time or now
    end = begin if job.is_final else now
    if job.end_time and job.end_time >= begin:
        end = job.end_time
    label = f"{job.job_name} · {VerdictChoices(job.verdict).label}"
    change_label = _("%(job)s: changed at some point in this interval") % {"job": label}
    changes = tuple(
        unsure(change_label, change.since, change.at)
        for change in job_times.changes
        if change.since is not None
    )
    href = reverse("pages:job", args=[job.pk])
    return Span(begin, end, job.verdict, href, label, unsure=changes)


@require_POST
def watch_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Track a job of this graph by its id; for reviewers, since it costs calls of the API quota."""
    graph = _visible_graph(request, pk)
    if not graph.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    job_id = request.POST.get("job_id", "").strip()
    try:
        if graph.graph_id is None:
            raise ValueError(_("GES no longer lists this graph, so its jobs cannot be queried."))
        job = watches.watch(graph.project, graph.graph_id, job_id, timezone.now())
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("pages:graph", pk=pk)
    messages.success(request, _("The job is now tracked; waiting for its first response."))
    return redirect("pages:job", pk=job.pk)


@require_POST
def set_tolerance(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the share of lines this graph's imports may lose without a review."""
    graph = _visible_graph(request, pk)
    if not graph.project.is_owned_by(request.user):
        raise PermissionDenied
    share = request.POST.get("share", "").strip() or None
    try:
        moved = review.set_tolerance(graph, share, now=timezone.now())
    except ValueError as error:
        messages.error(request, str(error))
    else:
        text = _("Saved. %(count)s imports moved into or out of the review queue.")
        messages.success(request, text % {"count": moved})
    return redirect("pages:graph", pk=pk)
