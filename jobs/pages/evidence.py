"""Downloads of evidence: of one job, or of a filtered list."""

from contextlib import closing
from tempfile import TemporaryFile
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jobs.audit.entries import note
from jobs.evidence.bundle import evidence
from jobs.evidence.gather import TooMuch
from jobs.lists.jobs import filtered
from jobs.models import Job
from jobs.models.audit import AuditAction, AuditObject
from jobs.models.job import JobQuerySet
from jobs.pages.job.lookup import visible_job
from jobs.pages.jobs import list_params

MAX_EVIDENCE_JOBS = 5_000  # a browser waits until the zip is made


@require_safe
def of_job(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The evidence bundle of one job."""
    job = visible_job(request, pk)
    response = _zip(Job.objects.filter(pk=job.pk), f"evidence-{job.job_id}.zip")
    _note_export(
        request,
        {"job_id": job.job_id},
        project_id=job.project_id,
        job_id=job.pk,
        graph_id=job.graph_id,
    )
    return response


@require_safe
def of_list(request: HttpRequest) -> HttpResponseBase:
    """The evidence bundle of every job the list's filters find; the list names invalid filters."""
    params = list_params(request)
    jobs, problems = filtered(params, Job.objects.visible_to(request.user))
    list_url = f"{reverse('pages:jobs')}?{request.GET.urlencode()}"
    if problems:
        return redirect(list_url)
    try:
        response = _zip(jobs, "evidence.zip")
    except TooMuch:
        text = _(
            "A browser can download the evidence bundle of at most %(jobs)s jobs; "
            "select fewer jobs, or ask an operator to run “evidence -o FILE.zip” "
            "with the same filters, which has no limit on the number of jobs."
        )
        messages.error(request, text % {"jobs": f"{MAX_EVIDENCE_JOBS:,}"})
        return redirect(list_url)
    filters = {name: values for name, values in params.lists() if any(values)}
    _note_export(request, {"filters": filters})
    return response


def _zip(jobs: JobQuerySet, name: str) -> FileResponse:
    """The bundle, made before it is sent: a view must not read the database after it has ended,
    whoever stops listening.

    Raises: TooMuch for more than MAX_EVIDENCE_JOBS.
    """
    with closing(evidence(jobs, MAX_EVIDENCE_JOBS)) as pieces:
        first = next(pieces)  # raises TooMuch
        file = TemporaryFile()  # noqa: SIM115  the response closes it
        file.write(first)
        file.writelines(pieces)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    response["Cache-Control"] = "no-store"
    return response


def _note_export(request: HttpRequest, exported: dict[str, Any], **target: int) -> None:
    note(
        AuditAction.EXPORTED,
        AuditObject.EXPORT,
        request=request,
        actor=request.user,
        object_name="evidence",
        after=exported,
        **target,
    )
