"""All jobs, graphs, and the jobs of one graph. The URL is the whole view."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs import polling
from jobs.filters import bounded_count, filtered, page_of
from jobs.models import Graph, Job
from jobs.models.job import JobQuerySet, Ledger, Verdict
from jobs.pages.rendering import render_page


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Every job this user may see."""
    return render_page(request, "pages/jobs.html", "jobs", _list(request, Job.objects.visible_to(request.user)))


@require_safe
def graphs(request: HttpRequest) -> HttpResponse:
    """The graphs with their newest import."""
    newest = Job.objects.filter(graph=OuterRef("pk"), file_count__gt=0).order_by("-begin_time", "-pk")
    found = Graph.objects.visible_to(request.user).select_related("project")
    found = found.annotate(job_count=Count("jobs"), newest_id=Subquery(newest.values("pk")[:1])).order_by(
        "is_deleted", "name", "pk"
    )
    rows = list(found[:500])
    newest_ids = [getattr(graph, "newest_id", None) for graph in rows]
    imports = Job.objects.in_bulk([pk for pk in newest_ids if pk])
    shown = [(graph, imports.get(pk)) for graph, pk in zip(rows, newest_ids, strict=True)]
    return render_page(request, "pages/graphs.html", "graphs", {"graphs": shown})


@require_safe
def graph(request: HttpRequest, pk: int) -> HttpResponse:
    """The jobs of one graph."""
    one = get_object_or_404(Graph.objects.visible_to(request.user).select_related("project"), pk=pk)
    context = _list(request, Job.objects.visible_to(request.user).filter(graph=one)) | {"graph": one}
    return render_page(request, "pages/jobs.html", "jobs", context)


@require_POST
def watch_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Start watching a job of this graph by its id."""
    one = get_object_or_404(Graph.objects.visible_to(request.user).select_related("project"), pk=pk)
    try:
        if one.graph_id is None:
            raise ValueError(_("GES no longer lists this graph, so its jobs can't be asked about."))
        job = polling.watch(one.project, one.graph_id, request.POST.get("job_id", "").strip(), timezone.now())
    except ValueError as wrong:
        messages.error(request, str(wrong))
        return redirect("pages:graph", pk=pk)
    messages.success(request, _("The job is being watched; its first reply is on its way."))
    return redirect("pages:job", pk=job.pk)


def _list(request: HttpRequest, queryset: JobQuerySet) -> dict[str, Any]:
    found, problems = filtered(request.GET, queryset)
    page, more = page_of(request.GET, found)
    count, over = bounded_count(found)
    names = queryset.exclude(job_name="").order_by("job_name").values_list("job_name", flat=True).distinct()[:40]
    return {
        "page": page,
        "problems": problems + more,
        "count": count,
        "over": over,
        "next_url": _with_cursor(request, page.next),
        "previous_url": _with_cursor(request, page.previous),
        "verdicts": Verdict.choices,
        "ledgers": Ledger.choices,
        "names": list(names),
        "asked": {name: request.GET.get(name, "") for name in request.GET},
        "is_filtered": any(value for name, value in request.GET.items() if name not in {"cursor", "sort", "page_size"}),
    }


def _with_cursor(request: HttpRequest, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"?{query.urlencode()}"
