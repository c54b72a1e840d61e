"""Failure reasons over files, jobs and graphs, and how the team has fixed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.decisions import review
from jobs.diagnosis.explain import explain
from jobs.lists.paging import read_choice
from jobs.models import Cause, ImportFile, Job
from jobs.pages.drawing.charts import BarPart, Mark, bars
from jobs.pages.job.review import read_note
from jobs.queries.causes import (
    CauseLosses,
    cause_days,
    causes_containing,
    costliest_causes,
    files_by_part,
    files_with_causes,
    sums_of_files,
)
from jobs.web.form_recovery import recover_form
from jobs.web.rendering import render_page
from jobs.web.signed_in import signed_in
from jobs.web.time_zone import midnight

PERIODS = {"7": 7, "30": 30, "90": 90}  # days
MAX_CAUSES = 100
NEW_DAYS = 7  # a cause first seen since is called new
TREND_BARS = 15
CHART_DAYS = 30
MAX_EXAMPLES = 20  # files
DAY = timedelta(days=1)


@require_safe
def causes(request: HttpRequest) -> HttpResponse:
    """The failure reasons of the last days, the costliest first."""
    problems: list[str] = []
    days = read_choice(request.GET, "days", PERIODS, "30", problems)
    text = request.GET.get("has", "").replace("\x00", "").strip()
    # No day to come: a time of the year 9999 may have no date in the reader's zone.
    tomorrow = midnight(timezone.localdate() + DAY)
    since = timezone.now() - timedelta(days=PERIODS[days])
    jobs = Job.objects.visible_to(request.user).counted()
    files = files_with_causes(jobs.filter(begin_time__gte=since, begin_time__lt=tomorrow))
    if text:
        files = files.filter(cause_group__in=causes_containing(request.user, text))

    losses = costliest_causes(files, MAX_CAUSES + 1)
    first_day = timezone.localdate() - timedelta(days=PERIODS[days] - 1)
    cause_pks = [loss.cause.pk for loss in losses]
    counts = files_by_part(files, cause_pks, first_day, PERIODS[days], TREND_BARS)
    context = {
        "rows": [_row(loss, counts[loss.cause.pk]) for loss in losses[:MAX_CAUSES]],
        "has_more": len(losses) > MAX_CAUSES,
        "problems": problems,
        "days": days,
        "has": text,
        "new_since": timezone.now() - timedelta(days=NEW_DAYS),
    }
    return render_page(request, "pages/causes.html", "causes", context)


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A cause, what it has cost, and its trend as bars and in words."""

    cause: Cause
    files: int
    lost: int | None
    jobs: int
    graphs: int
    newest: datetime
    trend: list[Mark]
    trend_label: str


def _row(losses: CauseLosses, counts: Sequence[int]) -> CauseRow:
    trend, _scale = bars([[BarPart(count, "failed", "", "")] for count in counts])
    label = ", ".join(map(str, counts))
    return CauseRow(
        cause=losses.cause,
        newest=losses.newest,
        trend=trend,
        trend_label=label,
        **losses.sums,
    )


@require_safe
def cause(request: HttpRequest, pk: int) -> HttpResponse:
    """One failure reason: its meaning, its trend, its newest files, and how the team fixed it."""
    cause = _visible_cause(request, pk, "note_by")
    files = ImportFile.objects.filter(cause_group=cause, job__is_hidden=False)
    action = reverse("pages:note", args=[cause.pk])
    context = {
        "cause": cause,
        "sums": sums_of_files(files),
        "explanations": explain(cause.example),
        **_chart(cause, timezone.localdate()),
        "files": files.select_related("job__graph").order_by("-job__begin_time", "-pk")[
            :MAX_EXAMPLES
        ],
        "may_review": cause.project.may_be_reviewed_by(request.user),
        "typed_note": recover_form(request, action).get("note", cause.note),
    }
    return render_page(request, "pages/cause.html", "cause", context)


def _chart(cause: Cause, today: date) -> dict[str, Any]:
    """Files by day, as bars and as a table."""
    days = [today - timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    files = ImportFile.objects.filter(
        cause_group=cause,
        job__is_hidden=False,
        job__begin_time__gte=midnight(days[0]),
        job__begin_time__lt=midnight(today + DAY),
    )
    by_day = cause_days(files)
    counts = {day: by_day[day].files if day in by_day else 0 for day in days}
    marks, most = bars([[_part(day, count)] for day, count in counts.items()])
    table = [(day, by_day[day]) for day in reversed(days) if day in by_day]
    return {"marks": marks, "most": most, "days": days, "table": table}


def _part(day: date, count: int) -> BarPart:
    label = _("%(day)s: %(files)s files") % {
        "day": date_format(day, "DATE_FORMAT"),
        "files": f"{count:,}",
    }
    return BarPart(count, "failed", "#files", label)


@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Save how a failure reason was fixed."""
    cause = _visible_cause(request, pk)
    if not cause.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    try:
        text = read_note(request)
        review.save_note(cause, text, actor=signed_in(request), now=timezone.now())
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The note is saved."))
    return redirect("pages:cause", pk=pk)


def _visible_cause(request: HttpRequest, pk: int, *related: str) -> Cause:
    visible = Cause.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("project", *related), pk=pk)
