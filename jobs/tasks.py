"""Procrastinate's tasks: thin."""

import time

from django.utils import timezone
from procrastinate.contrib.django import app

from jobs import crowd, polling
from jobs.models import Project, Watch

ROUND_SECONDS = 20


@app.periodic(cron="*/5 * * * * *")
@app.task(queueing_lock="poll_due", pass_context=False)
def poll_due(timestamp: int) -> None:
    """Ask about all that is due; several workers share the watches by their leases."""
    until = time.monotonic() + ROUND_SECONDS
    while time.monotonic() < until:
        if not polling.poll_due(timezone.now()):
            if not Watch.objects.due(timezone.now()).exists():
                break
            time.sleep(0.5)  # what is due waits for the call budget, which refills by the second


@app.periodic(cron="*/15 * * * * *")
@app.task(queueing_lock="discover", lock="discover")
def discover(timestamp: int = 0) -> None:
    """Look at each project's task centre for jobs nobody named."""
    for project in Project.objects.exclude(credentials=""):
        polling.discover(project)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="forget_calls")
def forget_calls(timestamp: int = 0) -> None:
    """Drop answers that were kept for a crowd."""
    crowd.forget(timezone.now())
