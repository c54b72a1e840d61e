"""Which jobs are polled: those that somebody names, and those that GES's lists tell of."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from jobs.ges.fields import MAX_ID
from jobs.ges.words import Verdict
from jobs.models import Job, Project, Watch
from jobs.models.watch import Claimed
from jobs.polling import schedule
from jobs.record import find_graph, find_jobs

_PLANNED_BY = ("graph_id", "job_name", "verdict", "begin_time", "first_seen_at")


def watch_unfinished(jobs: Iterable[Job | Claimed]) -> None:
    """Watch those of these jobs that have no final word, where GES can be asked about them; from when its word is old."""
    pks = {job.pk for job in jobs}
    found = (
        Job.objects.unfinished()
        .filter(pk__in=pks, graph__graph_id__isnull=False)
        .exclude(project__endpoint="")
    )
    unwatched = found.filter(Q(watch=None) | Q(watch__next_poll_at=None, watch__problem=""))
    now = timezone.now()
    rows = [
        Watch(job=job, next_poll_at=_gets_old_at(job, now))
        for job in unwatched.only(*_PLANNED_BY, "observed_at")
    ]
    Watch.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["job"],
        update_fields=["next_poll_at", "failures"],
    )


def _gets_old_at(job: Job, now: datetime) -> datetime:
    interval = schedule.poll_interval(Verdict(job.verdict), now - job.began_at)
    return (
        now if job.observed_at is None or interval is None else max(now, job.observed_at + interval)
    )


def watch(project: Project, graph_id: str, job_id: str, now: datetime, graph_name: str = "") -> Job:
    """Start watching a job; watching it twice changes nothing.

    Raises: ValueError with a sentence when an id can't be one.
    """
    check_id(graph_id, gettext("graph ID")), check_id(job_id, gettext("job ID"))
    graph = find_graph(project, graph_id, graph_name)
    job = find_jobs(project, [(graph, job_id, now)])[job_id]
    if job.graph_id != graph.pk:
        said = {"job": job_id, "right": str(job.graph), "wrong": str(graph)}
        raise ValueError(
            gettext("Job %(job)s belongs to graph %(right)s, not to %(wrong)s.") % said
        )
    if not job.is_final:
        Watch.objects.get_or_create(job=job, defaults={"next_poll_at": now})
    return job


def check_id(value: str, what: str) -> str:
    """The id, if GES could have given it.

    Raises: ValueError with a sentence.
    """
    if not value or len(value) > MAX_ID:
        said = {"what": what, "count": len(value), "most": MAX_ID}
        raise ValueError(
            gettext("The %(what)s has %(count)s characters; expected 1 to %(most)s.") % said
        )
    if not value.isprintable() or "/" in value or value in {".", ".."}:
        text = gettext(
            "The %(what)s %(value)s contains a slash or unprintable characters, or "
            "consists only of dots; GES IDs never do."
        )
        raise ValueError(text % {"what": what, "value": f"{value!r:.80}"})
    return value
