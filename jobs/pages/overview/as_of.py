"""The overview as it was known at a moment: `/?as_of=2026-11-24T10:00:00Z`."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.as_of.overview import MAX_FOLDED, overview_as_known
from jobs.pages.job.as_of import read_as_of
from jobs.web.rendering import render_page


def past_overview(request: HttpRequest) -> HttpResponse:
    """Open reviews, running jobs and thirty days in figures."""
    problems: list[str] = []
    at = read_as_of(request.GET.get("as_of", ""), timezone.now(), problems)
    context: dict[str, Any] = {"as_of": at, "problems": problems}
    overview = overview_as_known(request.user, at)
    if overview is None:
        text = _(
            "More than %(most)s jobs have changed since then; choose a later time, "
            "or open a single graph or job."
        )
        context["too_many"] = text % {"most": MAX_FOLDED}
    else:
        context |= vars(overview)
    return render_page(request, "pages/overview/as_of.html", "past", context)
