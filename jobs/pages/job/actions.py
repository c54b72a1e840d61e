"""What the buttons of a job's page do, apart from the review."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jobs.decisions import corrections
from jobs.ges.errors import GesError
from jobs.models import Correction
from jobs.pages.job.lookup import visible_job
from jobs.pages.job.misses import error_text
from jobs.pages.job.rights import may_correct
from jobs.polling import on_demand
from jobs.web.signed_in import signed_in


@require_POST
def poll_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask GES about this job at once; for reviewers, since it costs a call of the API quota."""
    job = visible_job(request, pk)
    if not job.project.may_be_reviewed_by(request.user):
        raise PermissionDenied
    try:
        if job.graph.graph_id is None:
            raise GesError(_("GES no longer lists this graph, so its jobs cannot be queried."))
        on_demand.poll_now(job)
        messages.success(request, _("GES responded; the latest status is shown."))
    except GesError as error:
        text = _("No usable response from GES: %(why)s")
        messages.error(request, text % {"why": error_text(error)})
    return redirect("pages:job", pk=pk)


@require_POST
def undo_correction(request: HttpRequest, pk: int, correction_pk: int) -> HttpResponse:
    """Undo a correction of this job or of one of its files."""
    job = visible_job(request, pk)
    if not may_correct(request, job, "change"):
        raise PermissionDenied
    correction = get_object_or_404(Correction, pk=correction_pk, job=job)
    try:
        corrections.revert(
            correction,
            reason=request.POST.get("reason", ""),
            actor=signed_in(request),
            now=timezone.now(),
        )
        messages.success(request, _("The correction is undone; the GES value is shown again."))
    except ValueError as error:
        messages.error(request, str(error))
    return redirect("pages:job", pk=pk)
