"""The same cause over files, jobs and graphs, and what the team knows of it."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.decisions import review
from jobs.lists.paging import read_choice
from jobs.models import Cause, ImportFile, Job
from jobs.pages.drawing.charts import Part, bars
from jobs.pages.job.page import explanations
from jobs.pages.job.review import read_note
from jobs.web.form_recovery import recover_form
from jobs.web.rendering import render_page
from jobs.web.signed_in import signed_in
from jobs.web.time_zone import midnight

SPANS, SHOWN = {"7": 7, "30": 30, "90": 90}, 100
NEW_DAYS = 7  # a cause first seen since is called new
TREND = 15  # bars of a cause's trend in the list
LAST = 20  # files of a cause shown as examples


@require_safe
def causes(request: HttpRequest) -> HttpResponse:
    """Causes of the last days, what cost most first."""
    problems: list[str] = []
    days = read_choice(request.GET, "days", SPANS, "30", problems)
    since = timezone.now() - timedelta(days=SPANS[days])
    wanted = request.GET.get("has", "").replace("\x00", "").strip()
    tomorrow = midnight(timezone.localdate() + timedelta(days=1))
    begun = (
        Job.objects.visible_to(request.user)
        .counted()
        .filter(begin_time__gte=since, begin_time__lt=tomorrow)
    )
    lossy = begun.filter(lost_file_count__gt=0).order_by()
    rows = ImportFile.objects.filter(job__in=lossy, cause_group__isnull=False).order_by()
    if wanted:
        has = Q(pattern__icontains=wanted) | Q(note__icontains=wanted)
        rows = rows.filter(
            cause_group__in=list(
                Cause.objects.visible_to(request.user).filter(has).values_list("pk", flat=True)
            )
        )
    summed: Any = rows.values("cause_group").annotate(
        files=Count("*"),
        lost=Sum("failed_lines"),
        jobs=Count("job", distinct=True),
        graphs=Count("job__graph", distinct=True),
        newest=Max("job__begin_time"),
    )
    found = list(summed.order_by(F("lost").desc(nulls_last=True), "-files")[: SHOWN + 1])
    known = Cause.objects.select_related("project").in_bulk([row["cause_group"] for row in found])
    context = {
        "rows": _with_trend(found[:SHOWN], known, rows, SPANS[days]),
        "has_more": len(found) > SHOWN,
        "problems": problems,
        "days": days,
        "has": wanted,
        "new_since": timezone.now() - timedelta(days=NEW_DAYS),
    }
    return render_page(request, "pages/causes.html", "causes", context)


def _with_trend(found: Any, known: dict[int, Cause], rows: Any, days: int) -> list[dict[str, Any]]:
    """Each cause with the files it cost, over the span in as many bars as fit a cell."""
    first = timezone.localdate() - timedelta(days=days - 1)
    # No day to come: a time of the year 9999 may be of no year that Python knows in the reader's zone.
    begun = rows.filter(
        cause_group__in=known,
        job__begin_time__lt=midnight(timezone.localdate() + timedelta(days=1)),
    )
    by_day = begun.values("cause_group", day=TruncDate("job__begin_time")).annotate(n=Count("*"))
    counted: dict[int, list[int]] = {pk: [0] * TREND for pk in known}
    for row in by_day:
        place = (row["day"] - first).days * TREND // days
        counted[row["cause_group"]][min(max(place, 0), TREND - 1)] += row["n"]
    return [
        row
        | {
            "cause": known[row["cause_group"]],
            "trend": bars([[Part(n, "failed", "", "")] for n in counted[row["cause_group"]]])[0],
            "trend_label": ", ".join(map(str, counted[row["cause_group"]])),
        }
        for row in found
    ]


@require_safe
def cause(request: HttpRequest, pk: int) -> HttpResponse:
    """One cause: what it means, its trend, where it struck last, and how the team fixed it."""
    one = get_object_or_404(
        Cause.objects.visible_to(request.user).select_related("project", "note_by"), pk=pk
    )
    first = timezone.localdate() - timedelta(days=29)
    rows = ImportFile.objects.filter(cause_group=one, job__is_hidden=False)
    days = [first + timedelta(days=number) for number in range(30)]
    begun = {
        "job__begin_time__gte": midnight(first),
        "job__begin_time__lt": midnight(days[-1] + timedelta(days=1)),
    }
    recent = rows.filter(**begun).order_by()
    by_day = recent.values(day=TruncDate("job__begin_time")).annotate(
        files=Count("*"), lost=Sum("failed_lines")
    )
    counted: dict[Any, Any] = {row["day"]: row for row in by_day}
    marks, most = bars([[_part(day, counted.get(day))] for day in days])
    sums = rows.aggregate(
        files=Count("*"),
        lost=Sum("failed_lines"),
        jobs=Count("job", distinct=True),
        graphs=Count("job__graph", distinct=True),
    )
    context = {
        "cause": one,
        "sums": sums,
        "explanations": explanations(one.example),
        "marks": marks,
        "most": most,
        "days": days,
        "table": [(day, counted[day]) for day in reversed(days) if day in counted],
        "files": rows.select_related("job__graph").order_by("-job__begin_time", "-pk")[:LAST],
        "may_review": one.project.may_be_reviewed_by(request.user),
        "typed_note": recover_form(request, reverse("pages:note", args=[one.pk])).get(
            "note", one.note
        ),
    }
    return render_page(request, "pages/cause.html", "cause", context)


def _part(day: date, row: dict[str, Any] | None) -> Part:
    files = row["files"] if row else 0
    label = _("%(day)s: %(files)s files") % {
        "day": date_format(day, "DATE_FORMAT"),
        "files": f"{files:,}",
    }
    return Part(files, "failed", "#files", label)


@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down how a cause was fixed."""
    one = get_object_or_404(Cause.objects.visible_to(request.user).select_related("project"), pk=pk)
    if not one.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    try:
        review.save_note(one, read_note(request), actor=signed_in(request), now=timezone.now())
    except ValueError as wrong:
        messages.error(request, str(wrong))
    else:
        messages.success(request, _("The note is saved."))
    return redirect("pages:cause", pk=pk)
