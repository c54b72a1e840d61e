"""Evidence to download: one job's, or that of a filtered list."""

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
from jobs.pages.job.page import visible
from jobs.pages.jobs import asked_of_list

MOST = 5_000  # jobs: a browser waits until the zip is made


@require_safe
def of_job(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One job's."""
    one = visible(request, pk)
    response = _zip(Job.objects.filter(pk=one.pk), f"evidence-{one.job_id}.zip")
    _note(
        request,
        {"job_id": one.job_id},
        project_id=one.project_id,
        job_id=one.pk,
        graph_id=one.graph_id,
    )
    return response


@require_safe
def of_list(request: HttpRequest) -> HttpResponseBase:
    """That of every job the filters of the list find; a filter that won't do is said on the list."""
    params = asked_of_list(request)
    jobs, problems = filtered(params, Job.objects.visible_to(request.user))
    back = f"{reverse('pages:jobs')}?{request.GET.urlencode()}"
    if problems:
        return redirect(back)
    try:
        response = _zip(jobs, "evidence.zip")
    except TooMuch:
        text = _(
            "A browser can download the evidence bundle of at most %(jobs)s jobs; "
            "select fewer jobs, or ask an operator to run “evidence -o FILE.zip” "
            "with the same filters, which has no limit on the number of jobs."
        )
        messages.error(request, text % {"jobs": f"{MOST:,}"})
        return redirect(back)
    _note(request, {"filters": {name: values for name, values in params.lists() if any(values)}})
    return response


def _zip(jobs: JobQuerySet, name: str) -> FileResponse:
    """Made before it is sent: what reads the database must end with the view, whoever stops listening."""
    with closing(evidence(jobs, MOST)) as pieces:
        first = next(pieces)  # whether it is too much shows here
        file = TemporaryFile()  # noqa: SIM115  the response closes it
        file.write(first)
        file.writelines(pieces)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    response["Cache-Control"] = "no-store"
    return response


def _note(request: HttpRequest, asked: dict[str, Any], **place: int) -> None:
    note(
        AuditAction.EXPORTED,
        AuditObject.EXPORT,
        request=request,
        actor=request.user,
        object_name="evidence",
        after=asked,
        **place,
    )
