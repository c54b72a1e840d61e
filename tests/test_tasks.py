import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import polling, tasks
from jobs.models import Job, Project


@pytest.mark.parametrize(
    ("task", "every"), [(tasks.dispatch, timedelta(seconds=5)), (tasks.discover, timedelta(seconds=15)),
                        (tasks.drop_stalled, timedelta(minutes=1))],
)  # fmt: skip
@pytest.mark.parametrize("minute", [0, 12])
def test_tasks_come_round_at_any_minute_of_the_hour(task, every, minute):
    cron = app.periodic_registry.periodic_tasks[task.name, ""].croniter
    cron.set_current(datetime(2026, 3, 4, 9, minute, tzinfo=UTC))
    ticks = [cron.get_next(datetime) for _ in range(9)]
    assert {later - sooner for sooner, later in pairwise(ticks)} == {every}


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_worker_had_begun_holds_nobody_back():
    tasks.discover.defer()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", cursor.fetchone())
    async_to_sync(tasks.drop_stalled.func)()
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_worker_looks_for_jobs_at_a_time_and_a_killed_one_holds_nobody_up(polled, simulator):
    place = connection.settings_dict
    other = psycopg.connect(host=place["HOST"], user=place["USER"], dbname=place["NAME"], autocommit=True)
    pid = other.info.backend_pid
    other.execute("SELECT pg_advisory_lock(%s)", [tasks.DISCOVERING])
    tasks.discover(timestamp=0)
    assert not Job.objects.exists()
    other.close()  # as the kernel does for a killed process
    give_up = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < give_up, "the closed connection lives on"
    tasks.discover(timestamp=15)
    assert Job.objects.exists()
    tasks.discover(timestamp=30)
    assert simulator.asked["graphs", ""] == 2


def is_alive(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone() is not None


@pytest.mark.django_db
def test_a_project_that_breaks_is_logged_and_the_others_are_looked_at(monkeypatch, caplog):
    for name in ("bad", "good"):
        Project.objects.create(project_id=name, credentials=name)
    looked_at = []

    def look(project):
        if project.project_id == "bad":
            raise RuntimeError("broken")
        looked_at.append(project.project_id)

    monkeypatch.setattr(polling, "discover", look)
    tasks.discover()
    assert looked_at == ["good"]
    assert "project bad failed" in caplog.text
    assert "RuntimeError: broken" in caplog.text
