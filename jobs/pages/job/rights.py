"""Rights on a job beyond those of its project's roles."""

from typing import Literal

from django.http import HttpRequest

from jobs.models import Job


def may_correct(request: HttpRequest, job: Job, action: Literal["add", "change"]) -> bool:
    """Whether this user may correct the job.

    Needs Django's permission and the fixer's role in the project.
    """
    if not request.user.has_perm(f"jobs.{action}_correction"):
        return False
    return job.project.may_be_corrected_by(request.user)
