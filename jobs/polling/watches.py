"""Which jobs are polled: those that somebody names, and those in GES's lists."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from jobs.ges.fields import MAX_ID, IdFault, id_fault
from jobs.ges.words import Verdict
from jobs.models import Job, Project, Watch
from jobs.models.watch import Claimed
from jobs.polling import schedule
from jobs.record import find_graph, find_jobs

_PLANNED_BY = ("graph_id", "job_name", "verdict", "begin_time", "first_seen_at")


def watch_unfinished(jobs: Iterable[Job | Claimed]) -> None:
    """Watch those of these jobs that are not final, where GES can be asked about them.

    The first poll is due when the newest reply is no longer fresh.
    """
    pks = {job.pk for job in jobs}
    unfinished = (
        Job.objects.unfinished()
        .filter(pk__in=pks, graph__graph_id__isnull=False)
        .exclude(project__endpoint="")
    )
    unwatched = unfinished.filter(Q(watch=None) | Q(watch__next_poll_at=None, watch__problem=""))
    now = timezone.now()
    Watch.objects.resume(
        {job.pk: _first_poll_at(job, now) for job in unwatched.only(*_PLANNED_BY, "observed_at")}
    )


def _first_poll_at(job: Job, now: datetime) -> datetime:
    interval = schedule.poll_interval(Verdict(job.verdict), now - job.began_at)
    if job.observed_at is None or interval is None:
        return now
    return max(now, job.observed_at + interval)


def watch(project: Project, graph_id: str, job_id: str, now: datetime, graph_name: str = "") -> Job:
    """Start watching a job; watching it twice changes nothing.

    Raises: ValueError with a sentence, for an id that GES can't have given or a job of another
    graph.
    """
    check_id(graph_id, gettext("graph ID"))
    check_id(job_id, gettext("job ID"))
    graph = find_graph(project, graph_id, graph_name)
    job = find_jobs(project, [(graph, job_id, now)])[job_id]
    if job.graph_id != graph.pk:
        values = {"job": job_id, "right": str(job.graph), "wrong": str(graph)}
        raise ValueError(
            gettext("Job %(job)s belongs to graph %(right)s, not to %(wrong)s.") % values
        )
    if not job.is_final:
        Watch.objects.start(job, now)
    return job


def check_id(value: str, label: str) -> str:
    """Return the id, if GES can have given it.

    Raises: ValueError with a sentence; `label` names the id in it.
    """
    match id_fault(value):
        case IdFault.LENGTH:
            values = {"what": label, "count": len(value), "most": MAX_ID}
            raise ValueError(
                gettext("The %(what)s has %(count)s characters; expected 1 to %(most)s.") % values
            )
        case IdFault.CHARACTERS:
            text = gettext(
                "The %(what)s %(value)s contains a slash or unprintable characters, or "
                "consists only of dots; GES IDs never do."
            )
            raise ValueError(text % {"what": label, "value": f"{value!r:.80}"})
    return value
