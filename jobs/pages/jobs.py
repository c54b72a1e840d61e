"""All jobs. The URL is the whole view: filters, order and position are in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from jobs.lists.counts import bounded_count, count_limit, counts
from jobs.lists.filters import STEERING, select, unknown_names
from jobs.lists.jobs import FILTERS, filtered, page_of
from jobs.lists.paging import MAX_PAGE_SIZE, read_pk, read_time
from jobs.models import Job, SavedView
from jobs.models.job import JobQuerySet, VerdictChoices
from jobs.queries.reloads import reloaded
from jobs.web.addresses import at_cursor
from jobs.web.filter_form import filter_form
from jobs.web.live import newest_change
from jobs.web.rendering import render_page

MAX_VIEWS = 50  # saved views in the menu
MAX_NEW_JOBS = 1000  # counted; more are shown as 1,000+
MAX_NAMED_JOBS = 1000  # newest jobs looked at for the names to choose from
MAX_NAMES = 40


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Every job this user may see."""
    context = job_list(request, Job.objects.visible_to(request.user))
    views = SavedView.objects.visible_to(request.user).select_related("owner")
    context["views"] = views.order_by("name", "pk")[:MAX_VIEWS]
    return render_page(request, "pages/jobs.html", "jobs", context)


def job_list(
    request: HttpRequest, queryset: JobQuerySet, *, of_graph: bool = False
) -> dict[str, Any]:
    """The context of a list of jobs: a page of rows, counts by verdict, and the filters.

    `of_graph`: its filter has no field, and the names to choose from are those of the page alone,
    which costs no query.
    """
    params = list_params(request)
    drawn_at = newest_change(request.user) or timezone.now()
    selection = select(params, FILTERS, zone=timezone.get_current_timezone(), labelled=True)
    page, page_problems = page_of(params, queryset.filter(selection.condition()))
    every_verdict = queryset.filter(selection.condition(without="verdict"))
    verdict_counts = counts(every_verdict, count_limit(params))
    names = _names(page.rows if of_graph else queryset, params.getlist("job_name"))
    return {
        "page": page,
        "reloaded": reloaded(page.rows),
        "problems": unknown_names(params, [*FILTERS, *STEERING])
        + selection.problems
        + page_problems,
        "counts": verdict_counts,
        "tabs": [
            (verdict, verdict_counts.by_verdict.get(verdict, 0))
            for verdict in VerdictChoices.values
            if verdict in verdict_counts.by_verdict
        ],
        "next_url": at_cursor(request, page.next),
        "previous_url": at_cursor(request, page.previous),
        **_filter_context(request, params, names, of_graph=of_graph),
        "query": view_query(request.GET),
        "news_url": f"{reverse('pages:jobs-news')}?{news_query(request, page.rows, drawn_at)}",
    }


def _filter_context(
    request: HttpRequest, params: QueryDict, names: list[str], *, of_graph: bool
) -> dict[str, Any]:
    """The form of the filters, and what the list around it asks of them."""
    used = {name: values for name, values in params.lists() if any(values)}
    return {
        "filter_form": filter_form(
            request,
            FILTERS,
            choices={"job_name": tuple((name, name) for name in names)},
            without=("graph",) if of_graph else (),
        ),
        "verdicts": VerdictChoices.choices,
        "asked_verdicts": used.get("verdict", []),
        "asked_sort": params.get("sort", ""),
        # The key of the zone: the name of a fixed one would be "+08".
        "zone": params.get("zone") or str(timezone.get_current_timezone()),
        "is_filtered": any(name in FILTERS for name in used),
    }


def filtered_for_reader(params: QueryDict, queryset: JobQuerySet) -> tuple[JobQuerySet, list[str]]:
    """`filtered` for a page: times without a zone are in the reader's, and problems name fields
    as the page does.
    """
    return filtered(params, queryset, zone=timezone.get_current_timezone(), labelled=True)


def _names(jobs: JobQuerySet | list[Job], chosen: list[str]) -> list[str]:
    """The job names to choose from: those of the newest jobs, and the chosen ones."""
    if isinstance(jobs, list):
        names = [job.job_name for job in jobs]
    else:
        newest_first = jobs.order_by("-begin_time", "-pk")
        names = list(newest_first.values_list("job_name", flat=True)[:MAX_NAMED_JOBS])
    return sorted({*names, *chosen} - {""})[:MAX_NAMES]


def list_params(request: HttpRequest) -> QueryDict:
    """The parameters of the list itself, without those of the page around it."""
    params = request.GET.copy()
    for name in ("days", "seen", "as_of"):
        params.pop(name, None)
    return params


def view_query(params: QueryDict) -> str:
    """The filters and the order, without the position: what a saved view keeps."""
    kept = {*FILTERS, "sort", "zone", "page_size"}
    return urlencode(
        [
            (name, value)
            for name, values in params.lists()
            if name in kept
            for value in values
            if value
        ]
    )


def news_query(request: HttpRequest, rows: list[Job], drawn_at: datetime) -> str:
    """The parameters with which a list asks for news: its filters, when it was drawn, its rows
    that may still change, and its graph if it is of one.
    """
    graph = request.resolver_match.kwargs.get("pk", "") if request.resolver_match else ""
    open_rows = ",".join(str(row.pk) for row in rows if not row.is_final)
    steering = [("after", drawn_at.isoformat()), ("rows", open_rows), ("of", graph)]
    used = urlencode([(name, value) for name, value in steering if value])
    return f"{view_query(request.GET)}&{used}"


@dataclass(frozen=True, slots=True)
class _NewsRequest:
    """A request for news of a list drawn at `after`, whose rows were last told at `told_at`."""

    params: QueryDict
    rows: list[int]
    graph: int | None
    after: datetime | None
    told_at: datetime | None


def _read_news_request(request: HttpRequest) -> _NewsRequest:
    params = request.GET.copy()
    rows, graph, after_text, told_text = (
        params.pop(name, [""])[0] for name in ("rows", "of", "after", "told")
    )
    pks = (read_pk(row) for row in rows.split(",")[:MAX_PAGE_SIZE])
    return _NewsRequest(
        params=params,
        rows=[pk for pk in pks if pk is not None],
        graph=read_pk(graph),
        after=_read_time(after_text),
        told_at=_read_time(told_text) or _read_time(after_text),
    )


def _read_time(text: str) -> datetime | None:
    try:
        return read_time(text.replace(" ", "+"))
    except (ValueError, ArithmeticError):
        return None


@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """Changes since a list was drawn: its running rows in place, and how many jobs are new.

    204 when there are none.
    """
    news_request = _read_news_request(request)
    newest = newest_change(request.user)
    if (
        news_request.after is None
        or news_request.told_at is None
        or newest is None
        or newest <= news_request.told_at
    ):
        return HttpResponse(status=204)

    queryset = Job.objects.visible_to(request.user)
    if news_request.graph is not None:
        queryset = queryset.filter(graph=news_request.graph)
    matching, _problems = filtered_for_reader(news_request.params, queryset)
    new_count, over = bounded_count(
        matching.filter(first_seen_at__gt=news_request.after), MAX_NEW_JOBS
    )
    changes = queryset.filter(pk__in=news_request.rows, changed_at__gt=news_request.told_at)
    changed = list(changes.select_related("graph", "project"))
    if not changed and not matching.filter(first_seen_at__gt=news_request.told_at).exists():
        return HttpResponse(status=204)

    context = {
        "rows": changed,
        "reloaded": reloaded(changed),
        "count": new_count,
        "over": over,
        "graph": news_request.graph,
        "swap": True,
        "poll_url": _next_news_url(request, changed, newest),
        "list_url": _list_url(news_request),
    }
    return render(request, "pages/jobs.html#news", context)  # a part and never a page, whoever asks


def _list_url(news_request: _NewsRequest) -> str:
    """The list that asked, or that of its graph, without its position."""
    graph = news_request.graph
    address = reverse("pages:jobs") if graph is None else reverse("pages:graph", args=[graph])
    return f"{address}?{view_query(news_request.params)}"


def _next_news_url(request: HttpRequest, changed: list[Job], told_at: datetime) -> str:
    """The same request, without the rows that have ended and without what is told now."""
    query = request.GET.copy()
    query["told"] = told_at.isoformat()
    ended = {str(job.pk) for job in changed if job.is_final}
    query["rows"] = ",".join(pk for pk in query.get("rows", "").split(",") if pk not in ended)
    return f"{reverse('pages:jobs-news')}?{query.urlencode()}"
