"""How long a project keeps replies that say nothing new: set by its owners, with what would go shown first."""

from time import monotonic

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jobs.lists.paging import invalid_value
from jobs.models import Project
from jobs.models.project import Keeping
from jobs.pages.project.page import owned, page_of_project
from jobs.retention.prune import Pruned, prune

MOST_DAYS = 36_500
COUNTING_SECONDS = 2  # for what would go; a longer count says "at least"


@require_POST
def set_retention(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the rule; or with `count` say what it would take away, and keep nothing."""
    one = owned(request, pk)
    keeps, days = request.POST.get("keeps", ""), request.POST.get("keep_days", "").strip()
    typed = {"keeps": keeps, "keep_days": days[:20]}
    if keeps not in Keeping.values:
        return page_of_project(
            request, one, typed, wrong=invalid_value("keeps", keeps, ", ".join(Keeping.values))
        )
    if not (days.isascii() and days.isdigit() and len(days) < 6 and 1 <= int(days) <= MOST_DAYS):
        wrong = _(
            "“%(value)s” is not a valid number of days; expected a whole number from 1 to %(most)s."
        )
        return page_of_project(
            request, one, typed, wrong=wrong % {"value": days[:20], "most": f"{MOST_DAYS:,}"}
        )
    one.keeps, one.keep_days = keeps, int(days)
    if "count" in request.POST:
        return page_of_project(request, one, typed, counted=would_go(one))
    one.save(update_fields=["keeps", "keep_days"])
    messages.success(request, _("Saved. What the rule no longer keeps is deleted overnight."))
    return redirect("pages:project", pk=pk)


def would_go(project: Project) -> str:
    """What the rule would take away now, in words."""
    total, until, is_whole = Pruned(), monotonic() + COUNTING_SECONDS, True
    for done in prune(project, now=timezone.now(), dry_run=True):
        total += done
        if monotonic() > until:
            is_whole = False
            break
    said = {
        "replies": f"{total.replies:,}", "size": filesizeformat(total.size), "jobs": f"{total.jobs:,}",
        "misses": f"{total.misses:,}",
    }  # fmt: skip
    if is_whole:
        return (
            _(
                "%(replies)s responses (%(size)s) of %(jobs)s jobs and %(misses)s runs "
                "of failed polls would be deleted."
            )
            % said
        )
    return (
        _(
            "At least %(replies)s responses (%(size)s) of %(jobs)s jobs and "
            "%(misses)s runs of failed polls would be deleted."
        )
        % said
    )
