"""A worker: any number of them, on any number of hosts, share one database."""

import asyncio
import gc
import logging
import signal
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from gesdash.child import end_with_parent
from jobs.db import connections
from jobs.polling import client, projects
from jobs.polling.health import POLLS, REST

log = logging.getLogger(__name__)
# How long tasks that have begun may take to end; a round gives back its claims at once.
STOP_SECONDS = 2.5
RETRY_SECONDS = 5  # after the database was lost


class Command(BaseCommand):
    help = "Poll GES and look for new jobs, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_parent()
        _collect_seldom()
        projects.sync_projects()
        connections.release_connection()
        asyncio.run(_work_until_stopped())


def _collect_seldom() -> None:
    """Freeze loaded objects, and collect garbage after 50,000 new objects instead of 2,000.

    A poll makes many objects and no cycles.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _work_until_stopped() -> None:
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        client.stop()

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, end)
    while not stop.is_set():
        try:
            await _work(stop)
        # The database is unavailable, or was; a round keeps its answers until it can record them.
        except Exception:
            log.exception("The worker lost its database; it tries again in %s s.", RETRY_SECONDS)
            await _wait(stop, RETRY_SECONDS)


async def _work(stop: asyncio.Event) -> None:
    """Run two workers: one for rounds, one at a time, and one for everything else.

    So nothing else waits for a round, nor a round for the nightly tasks.
    """
    connector = app.connector
    assert isinstance(connector, DjangoConnector)  # noqa: S101
    with app.replace_connector(connector.get_worker_connector()) as working:
        async with working.open_async():
            options: dict[str, Any] = {
                "delete_jobs": "always",
                "install_signal_handlers": False,
                "shutdown_graceful_timeout": STOP_SECONDS,
            }
            workers = [
                asyncio.create_task(
                    working.run_worker_async(queues=[POLLS], name="polls", concurrency=1, **options)
                ),
                asyncio.create_task(
                    working.run_worker_async(queues=[REST], name="rest", concurrency=3, **options)
                ),
            ]
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([*workers, stopped], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            for worker in workers:
                worker.cancel()
            ended = await asyncio.gather(*workers, return_exceptions=True)
    if error := next((result for result in ended if isinstance(result, Exception)), None):
        raise error


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
