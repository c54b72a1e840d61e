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
from jobs.polling.worker_round import REPLIES_PER_BATCH
from jobs.proof.seal import seal_all
from jobs.retention.prune import prune

log = logging.getLogger(__name__)
ROUND_SECONDS = 20
NIGHT_SECONDS = 3000  # what is not pruned by then is left to the next night


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="dispatch")
def dispatch(timestamp: int = 0) -> None:
    """Queue as many rounds as there is work for, at most one for each worker.

    A round that waits already is not queued again.
    """
    now = timezone.now()
    Presence.objects.note(now)
    max_rounds = max(workers_alive(), 1)
    due = Watch.objects.due(now).values_list("pk")[: max_rounds * REPLIES_PER_BATCH]
    for number in range(-(-len(due) // REPLIES_PER_BATCH)):
        try:
            poll.configure(queueing_lock=f"poll {number}").defer()
        except exceptions.AlreadyEnqueued:
            continue


@app.task(queue=POLLS)
def poll() -> None:
    """Poll what is due for one round; several workers share the watches by their leases."""
    Presence.objects.note(timezone.now())
    worker_round.poll_for(ROUND_SECONDS)


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="discover")
def discover(timestamp: int = 0) -> None:
    """Queue a look at each project's lists."""
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
        row = Project.objects.filter(pk=project).first()
        if not is_ours or row is None:
            return
        former_problem = row.problem
        with suppress(CancelledError):  # this process is to stop; the next look goes on from there
            discovery.discover(row)
        row.refresh_from_db(fields=["problem"])
        if row.problem and row.problem != former_problem:
            log.warning("Project %s: %s", row.project_id, row.problem)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="drop_stalled")
async def drop_stalled(timestamp: int = 0) -> None:
    """Drop the tasks of dead workers; the next tick does their work."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="forget_calls")
def forget_calls(timestamp: int = 0) -> None:
    """Delete the answers that were kept for callers who asked at the same time."""
    single_flight.delete_old_calls(timezone.now())


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="seal")
def seal(timestamp: int = 0) -> None:
    """Cover what was recorded since the last hour with a checkpoint, in each project."""
    seal_all(now=timezone.now())


@app.periodic(cron="23 3 * * *")
@app.task(queueing_lock="retain")
def retain(timestamp: int = 0) -> None:
    """Delete the responses each project's retention policy does not keep, batch by batch.

    A worker that stops leaves the rest to the next night.
    """
    deadline = monotonic() + NIGHT_SECONDS
    # Those first that have waited longest, should a night not be enough.
    projects = Project.objects.exclude(keeps=Keeping.ALL).annotate(last=Max("prunings__made_at"))
    for project in projects.order_by(F("last").asc(nulls_first=True), "pk"):
        for _batch in prune(project, now=timezone.now()):
            if client.stop_requested.is_set() or monotonic() > deadline:
                return
