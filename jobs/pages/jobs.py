"""All jobs. The URL is the whole view: filters, order and position are in it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.lists.counts import bounded_count, count_limit, counts
from jobs.lists.filters import STEERING, select, unknown_names
from jobs.lists.jobs import FILTERS, filtered, page_of
from jobs.lists.paging import MAX_PAGE_SIZE, read_pk, read_time
from jobs.models import Job, SavedView
from jobs.models.job import JobQuerySet, LedgerChoices, ReviewState, VerdictChoices
from jobs.queries.reloads import reloaded
from jobs.web.live import newest_change
from jobs.web.rendering import render_page

MAX_VIEW = 4000  # characters of a saved view's query string
# The filters everybody uses stand open; the others fold away unless one is used.
FIRST = ("graph", "job_name", "review", "began_after", "began_before", "path", "cause")
RECENT = 1000  # jobs looked at for the names to choose from


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Every job this user may see."""
    context = job_list(request, Job.objects.visible_to(request.user))
    context["views"] = (
        SavedView.objects.visible_to(request.user)
        .select_related("owner")
        .order_by("name", "pk")[:50]
    )
    return render_page(request, "pages/jobs.html", "jobs", context)


def job_list(
    request: HttpRequest, queryset: JobQuerySet, *, few_names: bool = False
) -> dict[str, Any]:
    """What a list of jobs shows: a page of rows, counts a verdict, and what was asked.

    `few_names`: the names to choose from are those of the page alone, which costs no query.
    """
    params, drawn = asked_of_list(request), newest_change(request.user) or timezone.now()
    selection = select(params, FILTERS, zone=timezone.get_current_timezone(), labelled=True)
    page, problems = page_of(params, queryset.filter(selection.condition()))
    every_verdict = queryset.filter(selection.condition(without="verdict"))
    counted = counts(every_verdict, count_limit(params))
    asked = {name: values for name, values in params.lists() if any(values)}
    return {
        "page": page,
        "reloaded": reloaded(page.rows),
        "problems": unknown_names(params, [*FILTERS, *STEERING]) + selection.problems + problems,
        "counts": counted,
        "tabs": [
            (word, counted.by_verdict.get(word, 0))
            for word in VerdictChoices.values
            if word in counted.by_verdict
        ],
        "next_url": at_cursor(request, page.next),
        "previous_url": at_cursor(request, page.previous),
        "verdicts": VerdictChoices.choices,
        "ledgers": LedgerChoices.choices,
        "reviews": ReviewState.choices,
        "names": _names(page.rows if few_names else queryset, asked),
        "asked": {name: values[0] for name, values in asked.items()},
        "also": [
            one
            for name in FILTERS
            if name != "verdict"
            for one in _also(request, name, asked.get(name, [])[1:])
        ],
        "asked_verdicts": asked.get("verdict", []),
        "zone": str(
            timezone.get_current_timezone()
        ),  # its key: the name of a fixed one would be "+08"
        "is_filtered": any(name in FILTERS for name in asked),
        "has_more_filters": any(
            name in FILTERS and name not in (*FIRST, "verdict") for name in asked
        ),
        "query": view_query(request.GET),
        "news_url": f"{reverse('pages:jobs-news')}?{news_query(request, page.rows, drawn)}",
    }


def asked_by_reader(params: QueryDict, queryset: JobQuerySet) -> tuple[JobQuerySet, list[str]]:
    """`filtered` for a page: times without a zone are in the reader's, filters go by their label."""
    return filtered(params, queryset, zone=timezone.get_current_timezone(), labelled=True)


def _names(jobs: JobQuerySet | list[Job], asked: dict[str, list[str]]) -> list[str]:
    """The job names to choose from: those of the newest jobs, and what was asked for."""
    if isinstance(jobs, list):
        named = [job.job_name for job in jobs]
    else:
        named = list(
            jobs.order_by("-begin_time", "-pk").values_list("job_name", flat=True)[:RECENT]
        )
    return sorted({*named, *asked.get("job_name", [])} - {""})[:40]


def _also(request: HttpRequest, name: str, values: list[str]) -> list[dict[str, Any]]:
    """The further values of one filter, which its field has no room for, each with the address that asks it no more."""
    also = []
    for value in filter(None, values):
        query = request.GET.copy()
        query.pop("cursor", None)
        query.setlist(name, [other for other in query.getlist(name) if other != value])
        also.append(
            {
                "name": name,
                "label": FILTERS[name].label,
                "value": value,
                "shown": _shown(name, value),
                "without": f"{request.path}?{query.urlencode()}",
            }
        )
    return also


def _shown(name: str, value: str) -> str:
    """A value as the form's own field shows it."""
    words: dict[str, Any] = {
        "review": dict(ReviewState.choices),
        "ledger": dict(LedgerChoices.choices),
    }.get(name, {})
    return str(words.get(value, value))


def asked_of_list(request: HttpRequest) -> QueryDict:
    """The parameters of the list itself, without those of the page around it."""
    params = request.GET.copy()
    for name in ("days", "seen", "as_of"):
        params.pop(name, None)
    return params


def at_cursor(request: HttpRequest, cursor: str | None) -> str | None:
    """This address at another position; None where there is none."""
    if cursor is None:
        return None
    query = request.GET.copy()
    query.pop("seen", None)
    query["cursor"] = cursor
    return f"{request.path}?{query.urlencode()}"


def view_query(params: QueryDict) -> str:
    """The filters and the order, without the position: what a saved view keeps."""
    return urlencode(
        [
            (k, v)
            for k, values in params.lists()
            for v in values
            if v and (k in FILTERS or k in {"sort", "zone", "page_size"})
        ]
    )


def news_query(request: HttpRequest, rows: list[Job], drawn: datetime) -> str:
    """What the list asks to learn of anything newer: its filters, the newest change it shows, and its rows that may still change."""
    graph = request.resolver_match.kwargs.get("pk", "") if request.resolver_match else ""
    open_rows = ",".join(str(row.pk) for row in rows if not row.is_final)
    steering = [("after", drawn.isoformat()), ("rows", open_rows), ("of", graph)]
    return f"{view_query(request.GET)}&{urlencode([(k, v) for k, v in steering if v])}"


@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """What changed since a list was drawn: its running rows in place, and how many jobs are new. 204 when nothing did."""
    after, newest = _time(request.GET.get("after", "")), newest_change(request.user)
    told = _time(request.GET.get("told", "")) or after
    if after is None or told is None or newest is None or newest <= told:
        return HttpResponse(status=204)
    asked = request.GET.copy()
    rows, of = asked.pop("rows", [""])[0], read_pk(asked.pop("of", [""])[0])
    for name in ("after", "told"):
        asked.pop(name, None)
    queryset = Job.objects.visible_to(request.user)
    if of is not None:
        queryset = queryset.filter(graph=of)
    shown = [pk for one in rows.split(",")[:MAX_PAGE_SIZE] if (pk := read_pk(one)) is not None]
    found, _problems = asked_by_reader(asked, queryset)
    count, over = bounded_count(found.filter(first_seen_at__gt=after), 1000)
    changed = list(
        queryset.filter(pk__in=shown, changed_at__gt=told).select_related("graph", "project")
    )
    if not changed and not found.filter(first_seen_at__gt=told).exists():
        return HttpResponse(status=204)
    place = reverse("pages:jobs") if of is None else reverse("pages:graph", args=[of])
    context = {
        "rows": changed,
        "reloaded": reloaded(changed),
        "count": count,
        "over": over,
        "graph": of,
        "swap": True,
        "poll_url": _polled_again(request, changed, newest),
        "list_url": f"{place}?{view_query(asked)}",
    }
    return render(request, "pages/jobs.html#news", context)  # a part and never a page, whoever asks


def _time(value: str) -> datetime | None:
    try:
        return read_time(value.replace(" ", "+"))
    except (ValueError, ArithmeticError):
        return None


def _polled_again(request: HttpRequest, changed: list[Job], told: datetime) -> str:
    """The same question, without the rows that have ended and without what is told now."""
    asked = request.GET.copy()
    asked["told"] = told.isoformat()
    ended = {str(job.pk) for job in changed if job.is_final}
    asked["rows"] = ",".join(pk for pk in asked.get("rows", "").split(",") if pk not in ended)
    return f"{reverse('pages:jobs-news')}?{asked.urlencode()}"


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep these filters under a name; the same name again replaces one's own."""
    query = view_query(QueryDict(request.POST.get("query", "")))
    back = f"{reverse('pages:jobs')}?{query}"
    name = request.POST.get("name", "").replace("\x00", "").strip()
    if not 0 < len(name) <= 80:
        messages.error(
            request, _("The name of the view is not valid; expected 1 to 80 characters.")
        )
        return redirect(back)
    if len(query) > MAX_VIEW:
        messages.error(
            request, _("The filters are too long to save; expected at most 4,000 characters.")
        )
        return redirect("pages:jobs")
    values = {"query": query, "is_shared": "is_shared" in request.POST}
    try:
        with transaction.atomic():
            SavedView.objects.update_or_create(
                owner_id=request.user.pk,
                name=name,
                defaults=values,
                create_defaults={**values, "created_at": timezone.now()},
            )
    except IntegrityError:
        messages.error(request, _("A view with this name was saved just now; try again."))
    else:
        messages.success(request, _("Saved as “%(name)s”.") % {"name": name})
    return redirect(back)


@require_POST
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own view away."""
    view = get_object_or_404(SavedView, pk=pk, owner=request.user.pk)
    view.delete()
    messages.success(request, _("The view “%(name)s” was deleted.") % {"name": view.name})
    return redirect("pages:jobs")


@require_safe
def view_count(request: HttpRequest, pk: int) -> HttpResponse:
    """How many jobs a saved view shows to this user; a part, asked for when the menu opens."""
    view = get_object_or_404(SavedView.objects.visible_to(request.user), pk=pk)
    found, _problems = asked_by_reader(QueryDict(view.query), Job.objects.visible_to(request.user))
    count, over = bounded_count(found)
    return HttpResponse(f"{count:,}{'+' if over else ''}", content_type="text/plain; charset=utf-8")
