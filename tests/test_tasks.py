"""The periodic tasks: when they run, and one at a time."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import tasks
from jobs.db import locks
from jobs.models import Job, Project
from jobs.polling import watches
from tests.servers import database_url


@pytest.mark.parametrize(
    ("task", "every"),
    [
        (tasks.dispatch, timedelta(seconds=5)),
        (tasks.discover, timedelta(seconds=15)),
        (tasks.drop_stalled, timedelta(minutes=1)),
    ],
)
@pytest.mark.parametrize("minute", [0, 12])
def test_tasks_are_due_in_every_minute_of_the_hour(task, every, minute):
    cron = app.periodic_registry.periodic_tasks[task.name, ""].croniter
    cron.set_current(datetime(2026, 3, 4, 9, minute, tzinfo=UTC))
    ticks = [cron.get_next(datetime) for _ in range(9)]
    assert {later - sooner for sooner, later in pairwise(ticks)} == {every}


@pytest.mark.django_db(transaction=True)
def test_a_dead_workers_task_does_not_block_the_next():
    tasks.discover.defer()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id"
        )
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", cursor.fetchone()
        )
    async_to_sync(tasks.drop_stalled.func)()
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_worker_at_a_time_looks_at_the_lists_and_a_killed_one_blocks_none(polled, simulator):
    other = psycopg.connect(database_url(), autocommit=True)
    pid = other.info.backend_pid
    other.execute(
        "SELECT pg_advisory_lock(%s)", [locks.of_project(locks.DISCOVERY_LOCK, polled.pk)]
    )
    tasks.look(polled.pk)
    assert not Job.objects.exists()
    other.close()  # as the kernel does for a killed process
    give_up = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < give_up, "the closed connection lives on"
    tasks.look(polled.pk)
    assert Job.objects.exists()
    tasks.look(polled.pk)
    assert simulator.requests["graphs", ""] == 2


def is_alive(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone() is not None


@pytest.fixture
def empty_queue(db):
    """No test's rollback or flush reaches Procrastinate's tables."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")


def waiting():
    return sorted(
        (job.task_name.split(".")[-1], job.queueing_lock)
        for job in ProcrastinateJob.objects.filter(status="todo")
    )


@pytest.mark.django_db(transaction=True)
def test_each_project_has_one_queued_look_of_its_own(empty_queue):
    pks = [Project.objects.create(project_id=name, credentials=name).pk for name in "ab"]
    Project.objects.create(project_id="without credentials")
    for _ in range(2):
        tasks.discover()
    assert waiting() == [("look", f"look {pk}") for pk in sorted(pks)]
    tasks.look(max(pks) + 9)  # a project that is gone


@pytest.mark.django_db(transaction=True)
def test_as_many_rounds_are_queued_as_there_is_work_and_workers_for(
    empty_queue, project, monkeypatch
):
    now = timezone.now()
    tasks.dispatch()
    assert waiting() == []
    for number in range(5):
        watches.watch(project, "g", f"j{number}", now)
    tasks.dispatch()
    tasks.dispatch()
    assert waiting() == [("poll", "poll 0")]
    monkeypatch.setattr(tasks, "REPLIES_PER_BATCH", 2)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " SELECT now() FROM generate_series(1, 4)"
        )
        tasks.dispatch()
        assert waiting() == [("poll", "poll 0"), ("poll", "poll 1")], (
            "two processes, each with a queue for rounds"
        )
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " SELECT now() FROM generate_series(1, 40)"
        )
    tasks.dispatch()
    assert waiting() == [("poll", f"poll {number}") for number in range(3)]
