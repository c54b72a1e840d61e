"""The job that an address names."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from jobs.models import Job
from jobs.models.correction import STANDING


def visible_job(request: HttpRequest, pk: int, *, with_corrections: bool = True) -> Job:
    """The job, with its own corrections as `standing`; or 404 where this user may not see it."""
    jobs = Job.objects.visible_to(request.user).select_related("graph", "project", "watch")
    return get_object_or_404(jobs.prefetch_related(STANDING) if with_corrections else jobs, pk=pk)
