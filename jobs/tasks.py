"""Procrastinate's tasks: thin. The sixth field of a cron line is its seconds."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from jobs import crowd, polling
from jobs.models import Project, Watch
from jobs.proof.seal import seal_all

log = logging.getLogger(__name__)
ROUND_SECONDS = 20
DISCOVERING = 0x676573  # any number, the same in every worker


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="poll_due", pass_context=False)
def poll_due(timestamp: int) -> None:
    """Ask about all that is due; several workers share the watches by their leases."""
    until = time.monotonic() + ROUND_SECONDS
    while time.monotonic() < until:
        if not polling.poll_due(timezone.now()):
            if not Watch.objects.due(timezone.now()).exists():
                break
            time.sleep(0.5)  # what is due waits for the call budget, which refills by the second


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="discover")
def discover(timestamp: int = 0) -> None:
    """Look at each project's task centre for jobs nobody named; one worker at a time."""
    with _turn() as is_ours:
        if is_ours:
            _discover_all()


@contextmanager
def _turn() -> Iterator[bool]:
    """Whether nobody else is at it. PostgreSQL gives back the turn of a worker that was killed; a job's lock would stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [DISCOVERING])
        is_ours = cursor.fetchone() == (True,)
        try:
            yield is_ours
        finally:
            if is_ours:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [DISCOVERING])


def _discover_all() -> None:
    for project in Project.objects.exclude(credentials=""):
        before = project.problem
        try:
            polling.discover(project)
        except Exception:  # one project's trouble is not the others'
            log.exception("Looking for new jobs of project %s failed.", project.project_id)
        project.refresh_from_db(fields=["problem"])
        if project.problem and project.problem != before:
            log.warning("Project %s: %s", project.project_id, project.problem)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="drop_stalled", pass_context=False)
async def drop_stalled(timestamp: int = 0) -> None:
    """Forget what a worker that died had begun; the next tick does the work."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="forget_calls")
def forget_calls(timestamp: int = 0) -> None:
    """Drop answers that were kept for a crowd."""
    crowd.forget(timezone.now())


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="seal")
def seal(timestamp: int = 0) -> None:
    """Put what was recorded since the last hour under a checkpoint, in each project."""
    seal_all(now=timezone.now())
