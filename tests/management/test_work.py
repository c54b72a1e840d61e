"""Workers as processes of their own, on the test's database."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from jobs.models import Job, Miss, Project, Watch
from jobs.polling import watches
from jobs.polling.health import workers_alive
from tests.factories import body
from tests.servers import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def working(project, home, count=1):
    """So many workers; ended at the end, however they are."""
    env = environment(project, home)
    started = [
        subprocess.Popen([sys.executable, str(ROOT / "manage.py"), "work"], env=env, cwd=ROOT)
        for _ in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
            process.wait()


def wait_until(holds, seconds=60):
    give_up = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return found


def test_a_stopped_worker_gives_its_claims_back_and_leaves_nothing(upstream, tmp_path):
    now = timezone.now()
    for number in range(5):
        watches.watch(upstream.project, "g1", f"j{number}", now)
    upstream.seconds, upstream.body = 15, body("j", "running")
    with working(upstream.project, tmp_path) as [worker]:
        wait_until(lambda: Watch.objects.exclude(lease=None).count() == 5)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        assert time.monotonic() - began < 10
    assert Watch.objects.due(timezone.now()).count() == 5
    assert not Watch.objects.exclude(lease=None).exists()
    assert not Miss.objects.exists()
    assert not ProcrastinateWorker.objects.exists()
    assert not ProcrastinateJob.objects.filter(status="doing").exists()


def test_workers_share_the_work_and_one_that_is_killed_is_replaced(upstream, tmp_path):
    Project.objects.update(calls_per_second=500, calls_per_minute=9000)
    upstream.body = lambda handler: body(handler.path.split("/")[-2], "running")
    upstream.seconds = 15
    watches.watch(upstream.project, "g1", "held", timezone.now())
    with working(upstream.project, tmp_path, count=2) as workers:
        holder = wait_until(lambda: Watch.objects.exclude(lease=None).first())
        wait_until(lambda: ProcrastinateWorker.objects.count() == 4)
        assert workers_alive() == 2
        upstream.seconds = 0
        for worker in workers:  # it is not known which of them holds it
            worker.kill()
            worker.wait()
        assert Watch.objects.get().lease == holder.lease, "nobody gave it back"
        # As the time until the lease runs out; that it is less than a minute is tested beside the constant.
        Watch.objects.update(leased_until=timezone.now())
        with working(upstream.project, tmp_path):
            job = wait_until(lambda: Job.objects.filter(verdict="running").first())
    assert job.job_id == "held"
    assert not Miss.objects.filter(job=job).exists()
