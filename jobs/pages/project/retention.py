"""The retention rule of a project: set by its owners, with a preview of what it would delete."""

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
from jobs.pages.project.page import owned_project, render_project
from jobs.retention.prune import Pruned, prune

MAX_DAYS = 36_500
COUNTING_SECONDS = 2  # for a preview; what takes longer to count is given as "at least"


@require_POST
def set_retention(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the rule; or with `count` show what it would delete, and save nothing."""
    project = owned_project(request, pk)
    keeps = request.POST.get("keeps", "")
    days = request.POST.get("keep_days", "").strip()
    rule = {"keeps": keeps, "keep_days": days[:20]}
    if problem := _problem(keeps, days):
        return render_project(request, project, rule, problem=problem)
    project.keeps = keeps
    project.keep_days = int(days)
    if "count" in request.POST:
        return render_project(request, project, rule, preview=preview(project))
    project.save(update_fields=["keeps", "keep_days"])
    messages.success(request, _("Saved. What the rule no longer keeps is deleted overnight."))
    return redirect("pages:project", pk=pk)


def _problem(keeps: str, days: str) -> str:
    """Why this rule is invalid, in a sentence; empty for a valid one."""
    if keeps not in Keeping.values:
        return invalid_value("keeps", keeps, ", ".join(Keeping.values))
    is_number = days.isascii() and days.isdigit() and len(days) < 6
    if is_number and 1 <= int(days) <= MAX_DAYS:
        return ""
    text = _(
        "“%(value)s” is not a valid number of days; expected a whole number from 1 to %(most)s."
    )
    return text % {"value": days[:20], "most": f"{MAX_DAYS:,}"}


def preview(project: Project) -> str:
    """What the rule would delete now, in a sentence."""
    total = Pruned()
    until = monotonic() + COUNTING_SECONDS
    is_complete = True
    for pruned in prune(project, now=timezone.now(), dry_run=True):
        total += pruned
        if monotonic() > until:
            is_complete = False
            break
    text = (
        _(
            "%(replies)s responses (%(size)s) of %(jobs)s jobs and %(misses)s runs "
            "of failed polls would be deleted."
        )
        if is_complete
        else _(
            "At least %(replies)s responses (%(size)s) of %(jobs)s jobs and "
            "%(misses)s runs of failed polls would be deleted."
        )
    )
    return text % {
        "replies": f"{total.replies:,}",
        "size": filesizeformat(total.size),
        "jobs": f"{total.jobs:,}",
        "misses": f"{total.misses:,}",
    }
