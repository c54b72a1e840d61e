"""Rows that the caller of the API may see."""

from rest_framework.request import Request

from jobs.api.errors import NotFound
from jobs.models import Job


def visible_job(request: Request, pk: int) -> Job:
    """The job with this key. Raises: NotFound, also where the caller may not see it."""
    visible = Job.objects.visible_to(request.user).select_related("graph", "project")
    if (job := visible.filter(pk=pk).first()) is None:
        raise NotFound("There is no such job, or you may not see it.")
    return job
