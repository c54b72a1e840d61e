"""Actions of the job list: stop and resume polling, rebuild from stored replies."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import record
from jobs.admin.correcting_many import MAX_ROWS as MOST
from jobs.audit.entries import note
from jobs.models import Job, Project, Watch
from jobs.models.audit import AuditAction, AuditObject


class Watching:
    """Actions on jobs that change no value."""

    @admin.action(
        description=gettext_lazy("Pause tracking"),
        permissions=["correct"],
    )
    def stop_watching(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Plan no further poll; a poll under way still records its answer."""
        jobs = _theirs(request, chosen.filter(watch__next_poll_at__isnull=False))
        Watch.objects.stop(jobs)
        _note(request, jobs, {"watched": True}, {"watched": False})
        messages.success(request, _("Tracking paused for %(count)s jobs.") % {"count": len(jobs)})

    @admin.action(description=gettext_lazy("Resume tracking"), permissions=["correct"])
    def resume_watching(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Ask at once about those that have not ended, and go on."""
        open_jobs = Job.objects.unfinished().filter(
            pk__in=chosen.values("pk"), graph__graph_id__isnull=False
        )
        jobs = _theirs(request, open_jobs.exclude(watch__next_poll_at__isnull=False))
        _resume(request, jobs, {})

    @admin.action(
        description=gettext_lazy("Rebuild from stored responses"), permissions=["correct"]
    )
    def read_again(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Derive chosen jobs from their replies, as `rebuild` does, after a parser was fixed."""
        jobs = _theirs(request, chosen)
        if jobs:
            record.rebuild(jobs, now=timezone.now(), with_contradictions=True)
        messages.success(
            request, _("%(count)s jobs rebuilt from their stored responses.") % {"count": len(jobs)}
        )


def take_up(request: HttpRequest, chosen: QuerySet[Watch]) -> None:
    """Poll jobs at once whose reply could not be recorded.

    The audit log keeps why each had been set aside.
    """
    aside = Watch.objects.quarantined().filter(pk__in=chosen.values("pk"))
    jobs = _theirs(request, Job.objects.filter(pk__in=aside.values("job")))
    _resume(request, jobs, dict(aside.filter(job__in=jobs).values_list("job_id", "problem")))


def _resume(request: HttpRequest, jobs: list[Job], problems: dict[int, str]) -> None:
    """`problems`: by job, why it had been set aside."""
    now = timezone.now()
    with transaction.atomic():
        Watch.objects.resume({job.pk: now for job in jobs}, with_quarantined=True)
        for job in jobs:
            before = {"watched": False} | (
                {"problem": problems[job.pk]} if problems.get(job.pk) else {}
            )
            _note(request, [job], before, {"watched": True})
    messages.success(request, _("Tracking resumed for %(count)s jobs.") % {"count": len(jobs)})


def _theirs(request: HttpRequest, chosen: QuerySet[Job]) -> list[Job]:
    """Those in projects where one corrects; said where there are more than are taken at once."""
    jobs = list(
        chosen.filter(project__in=Project.objects.correctable_by(request.user)).order_by("pk")[
            : MOST + 1
        ]
    )
    if len(jobs) > MOST:
        messages.warning(
            request,
            _("Only the first %(most)s were processed; repeat the action for the rest.")
            % {"most": f"{MOST:,}"},
        )
    return jobs[:MOST]


def _note(
    request: HttpRequest, jobs: list[Job], before: dict[str, Any], after: dict[str, Any]
) -> None:
    for job in jobs:
        note(
            AuditAction.CHANGED,
            AuditObject.WATCH,
            request=request,
            actor=request.user,
            object_id=job.pk,
            object_name=job.job_id,
            project_id=job.project_id,
            job_id=job.pk,
            graph_id=job.graph_id,
            before=before,
            after=after,
        )
