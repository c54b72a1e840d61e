"""Procrastinate's tasks: thin. The sixth field of a cron line is its seconds."""

import logging
from concurrent.futures import CancelledError
from contextlib import suppress
from time import monotonic

import pglock
from django.db.models import F, Max
from django.utils import timezone
from procrastinate import exceptions
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from jobs.db.locks import DISCOVERY_LOCK, of_project
from jobs.models import Presence, Project, Watch
from jobs.models.project import Keeping
from jobs.polling import client, discovery, single_flight, worker_round
from jobs.polling.health import POLLS, workers_alive
from jobs.polling.worker_round import BATCH
from jobs.proof.seal import seal_all
from jobs.retention.prune import prune

log = logging.getLogger(__name__)
ROUND_SECONDS = 20
NIGHT_SECONDS = 3000  # what is not removed by then goes the next night


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="dispatch")
def dispatch(timestamp: int = 0) -> None:
    """Have as many rounds begun as there is work for, at most one for each worker; a round that waits already is enough."""
    now = timezone.now()
    Presence.objects.note(now)
    most = max(workers_alive(), 1)
    due = len(Watch.objects.due(now).values_list("pk")[: most * BATCH])
    for number in range(-(-due // BATCH)):
        try:
            poll.configure(queueing_lock=f"poll {number}").defer()
        except exceptions.AlreadyEnqueued:
            continue


@app.task(queue=POLLS)
def poll() -> None:
    """Ask about all that is due; several workers share the watches by their leases."""
    Presence.objects.note(timezone.now())
    worker_round.poll_for(ROUND_SECONDS)


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="discover")
def discover(timestamp: int = 0) -> None:
    """Have each project's lists looked at."""
    Presence.objects.note(timezone.now())
    for pk in Project.objects.exclude(credentials="").values_list("pk", flat=True):
        try:
            look.configure(queueing_lock=f"look {pk}").defer(project=pk)
        except exceptions.AlreadyEnqueued:
            continue


@app.task
def look(project: int) -> None:
    """Look at a project's lists for jobs nobody named; one worker at a time."""
    Presence.objects.note(timezone.now())
    with pglock.advisory(of_project(DISCOVERY_LOCK, project), timeout=0) as is_ours:
        found = Project.objects.filter(pk=project).first()
        if not is_ours or found is None:
            return
        before = found.problem
        with suppress(CancelledError):  # this process is to stop; the next look goes on from there
            discovery.discover(found)
        found.refresh_from_db(fields=["problem"])
        if found.problem and found.problem != before:
            log.warning("Project %s: %s", found.project_id, found.problem)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="drop_stalled")
async def drop_stalled(timestamp: int = 0) -> None:
    """Forget what a worker that died had begun; the next tick does the work."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="forget_calls")
def forget_calls(timestamp: int = 0) -> None:
    """Drop answers that were kept for a crowd."""
    single_flight.forget(timezone.now())


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="seal")
def seal(timestamp: int = 0) -> None:
    """Put what was recorded since the last hour under a checkpoint, in each project."""
    seal_all(now=timezone.now())


@app.periodic(cron="23 3 * * *")
@app.task(queueing_lock="retain")
def retain(timestamp: int = 0) -> None:
    """Let go what each project's rule lets go, batch by batch; a worker that stops leaves the rest to the next night."""
    until = monotonic() + NIGHT_SECONDS
    # Those first that have waited longest, should a night not be enough.
    waiting = Project.objects.exclude(keeps=Keeping.ALL).annotate(last=Max("prunings__made_at"))
    for project in waiting.order_by(F("last").asc(nulls_first=True), "pk"):
        for _done in prune(project, now=timezone.now()):
            if client.stopping.is_set() or monotonic() > until:
                return
