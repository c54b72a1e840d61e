"""Polls a second of one worker and of two, beside a bare client asking the same simulated GES, and beside a task for each job.

uv run python bench/polling.py [--jobs 10000] [--seconds 24] [--delay MS]...

Three kinds of run, all in one: as fast as it goes (all jobs always due), each delay by itself; then each job every 60 s, where
what counts is how late the oldest due one is; and what that costs in rows written, memory and the size of the tables. The
workers are processes of their own, with the database and the simulator on the same machine: compare the ratios.
"""

import argparse
import asyncio
import atexit
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gesdash.settings")
TOKEN, AT_ONCE, EVERY = "simulated-token", 100, 60  # at once: as many as a worker asks
TURNS, WARM, CONNECTING = 8, 4, 0.3
TABLES = ("jobs_watch", "jobs_job", "jobs_snapshot", "procrastinate_jobs", "procrastinate_events")


def simulate(port: int, delay: float) -> None:
    """A GES in which every job that is asked about runs."""
    from jobs.ges.simulator.server import Simulator, serve

    class Running(Simulator):
        def state(self, job_id: str) -> dict[str, Any]:
            return {"jobId": job_id, "status": "running", "jobType": "GraphManagement", "jobName": "ImportGraph",
                    "relatedGraph": "g", "beginTime": "2026-01-01T00:00:00", "jobProgress": 0}  # fmt: skip

    async def run() -> None:
        made = Running()
        app = made.app

        def slow() -> Any:
            from aiohttp import web

            @web.middleware
            async def wait(request: Any, handler: Any) -> Any:
                if delay:
                    await asyncio.sleep(delay)
                return await handler(request)

            found = app()
            found.middlewares.append(wait)
            return found

        made.app = slow
        await serve(made, port=port)
        await asyncio.Event().wait()

    asyncio.run(run())


def work(seconds: float) -> None:
    """A worker whose jobs are due again after so many seconds, whatever their age."""
    import django

    django.setup()
    from django.core.management import call_command

    from jobs.polling import schedule

    schedule.poll_interval = lambda *_: timedelta(seconds=seconds)
    call_command("work")


def plain() -> None:
    """What would be the plain design: a task for each poll, many at a time; each asks and records by itself."""
    import django

    django.setup()
    from procrastinate.contrib.django import app

    from jobs.models import Job
    from jobs.polling import on_demand, schedule

    schedule.poll_interval = lambda *_: timedelta(0)

    @app.task(name="plain", queue="plain")
    def poll_one(pk: int) -> None:
        on_demand.poll_now(Job.objects.select_related("graph", "project").get(pk=pk))

    async def run() -> None:
        with app.replace_connector(app.connector.get_worker_connector()) as working:
            async with working.open_async():
                for number in range(0, 20_000, 1000):
                    await poll_one.batch_defer_async(
                        *({"pk": 1 + n % 1000} for n in range(number, number + 1000))
                    )
                await working.run_worker_async(
                    queues=["plain"], concurrency=8, delete_jobs="always"
                )

    asyncio.run(run())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(*modes: tuple[str, ...]) -> Iterator[list[Any]]:
    """This script in so many other processes, which say nothing of what their end breaks off."""
    import psutil

    started = [
        subprocess.Popen(
            [sys.executable, __file__, *mode], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for mode in modes
    ]
    try:
        yield [psutil.Process(one.pid) for one in started]
    finally:
        for one in started:
            one.send_signal(signal.SIGTERM)
        for one in started:
            try:
                one.wait(15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("The simulator did not start.")


def bare(address: str, seconds: float, run_loop: Callable[[Any], Any]) -> tuple[float, float]:
    """Replies a second that aiohttp alone fetches, and microseconds of CPU each."""
    import aiohttp

    async def run() -> tuple[int, int]:
        begin = time.monotonic() + CONNECTING
        numbers, count, total, end = itertools.count(), 0, 0, begin + seconds
        async with aiohttp.ClientSession(
            headers={"X-Auth-Token": TOKEN}, connector=aiohttp.TCPConnector(limit=0)
        ) as session:

            async def ask() -> None:
                nonlocal count, total
                while time.monotonic() < end:
                    async with session.get(
                        f"{address}/job{next(numbers) % 10_000}/status"
                    ) as answer:
                        assert b"running" in await answer.read()
                    count, total = count + (begin <= time.monotonic() < end), total + 1

            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        return count, total

    began = time.process_time()
    count, total = run_loop(run())
    return count / seconds, (time.process_time() - began) / total * 1e6


def limit(address: str, seconds: float) -> tuple[float, float]:
    """The faster of two bare clients, one on the worker's kind of event loop and one on asyncio's own."""
    import uvloop

    return max(bare(address, seconds, run_loop) for run_loop in (uvloop.run, asyncio.run))


def query(sql: str) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def polls() -> int:
    return int(query("SELECT coalesce(sum(seen), 0) FROM jobs_snapshot")[0][0])


def rows_written() -> int:
    query("SELECT pg_stat_clear_snapshot()")
    return int(
        query(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
        )[0][0]
    )


def first_replies(jobs: int) -> None:
    """What one worker does while each job is heard for the first time: nothing of that is a repeat."""
    query("UPDATE jobs_watch SET next_poll_at = now(), lease = NULL, leased_until = NULL")
    heard = "SELECT count(*) FROM jobs_snapshot"
    with running(("--work", "0")) as processes:
        while not (first := query(heard)[0][0]):
            time.sleep(0.05)
        cpu, began = used(processes), time.monotonic()
        while (count := query(heard)[0][0]) < jobs:
            time.sleep(0.05)
        took, cpu = time.monotonic() - began, used(processes) - cpu
    print(f"{'one worker, first replies':34}{(count - first) / took:8,.0f} a second"
          f"{cpu / (count - first) * 1e6:8,.0f} us CPU each", flush=True)  # fmt: skip


class Turn(NamedTuple):
    """What some workers did for a while, and the bare client after them."""

    polls: int
    seconds: float
    cpu: float  # seconds
    rows: int
    rate_share: float  # of the bare client's
    cpu_share: float


def take_turn(processes: list[Any], seconds: float, address: str) -> Turn:
    """The bare client asks while the workers are stopped, so that what else the machine does is the same for both."""
    written, polled, began, cpu = rows_written(), polls(), time.monotonic(), used(processes)
    time.sleep(seconds)
    polled, took, cpu = polls() - polled, time.monotonic() - began, used(processes) - cpu
    for one in processes:
        one.suspend()
    time.sleep(CONNECTING)  # the database ends what it is at
    rate, each = limit(address, seconds / 2)
    written = rows_written() - written  # they come late
    for one in processes:
        one.resume()
    return Turn(polled, took, cpu, written, polled / took / rate, cpu / max(polled, 1) * 1e6 / each)


def measured(
    name: str, seconds: float, address: str, *modes: tuple[str, ...]
) -> tuple[float, float, float]:
    """Polls a second of these processes; how many that is of the bare client's, and their CPU of its: medians of the turns.

    Before, all jobs have been asked about some times: tables that are new behave otherwise.
    """
    query("UPDATE jobs_watch SET next_poll_at = now(), lease = NULL, leased_until = NULL")
    with running(*modes) as processes:
        first = polls()
        while polls() < max(first + 500, WARM * query("SELECT count(*) FROM jobs_watch")[0][0]):
            time.sleep(0.2)
        turns = [take_turn(processes, seconds / TURNS, address) for _ in range(TURNS)]
        memory = max(one.memory_info().rss for one in processes) / 2**20
    count, took, cpu, rows = (sum(column) for column in list(zip(*turns, strict=True))[:4])
    print(f"{name:34}{count / took:8,.0f} a second{cpu / max(count, 1) * 1e6:8,.0f} us CPU each"
          f"{rows / took:9,.0f} rows written a second{memory:6,.0f} MiB", flush=True)  # fmt: skip
    return (
        count / took,
        median(one.rate_share for one in turns),
        median(one.cpu_share for one in turns),
    )


def used(processes: list[Any]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def lag(jobs: int, seconds: float, workers: int) -> None:
    """Every job each minute: how late the oldest due one is, and what the tables have become."""
    query(
        f"UPDATE jobs_watch SET next_poll_at = now() + random() * interval '{EVERY} seconds', lease = NULL, leased_until = NULL"
    )
    query("SELECT pg_stat_reset()")
    with running(*[("--work", str(EVERY))] * workers) as processes:
        worst, end, first, began = 0.0, time.monotonic() + seconds, polls(), time.monotonic()
        while time.monotonic() < end:
            time.sleep(2)
            [(late,)] = query(
                "SELECT extract(epoch FROM now() - min(next_poll_at)) FROM jobs_watch"
            )
            worst = max(worst, float(late))
        rate = (polls() - first) / (time.monotonic() - began)
        memory = max(one.memory_info().rss for one in processes) / 2**20
    print(f"{jobs:,} jobs every {EVERY} s, {workers} worker(s): oldest {worst:.1f} s late, {rate:,.0f} polls a second of "
          f"{jobs / EVERY:,.0f} wanted, {memory:.0f} MiB", flush=True)  # fmt: skip


def sizes(since: int) -> None:
    print(f"after {polls() - since:,} polls:")
    for table in TABLES:
        query("SELECT pg_stat_clear_snapshot()")
        [(updates, hot, size)] = query(
            f"SELECT n_tup_upd, n_tup_hot_upd, pg_total_relation_size(relid) FROM pg_stat_user_tables WHERE relname = '{table}'"
        )
        share = (
            f"{hot / updates:.0%} of {updates:,} updates without an index entry"
            if updates
            else "no updates"
        )
        print(f"  {table:22}{size / 2**20:8.1f} MiB, {share}")


def fill(jobs: int, port: int) -> str:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.utils import timezone

    from jobs.models import Project, Watch
    from jobs.polling.projects import sync_projects
    from jobs.record import find_graph, find_jobs

    [project] = sync_projects()
    Project.objects.update(
        calls_per_second=1_000_000,
        calls_per_minute=60_000_000,
        history_offset=None,
        history_read_at=timezone.now(),
    )
    graph, now = find_graph(project, "g1", "g"), timezone.now()
    for start in range(0, jobs, 5000):
        made = find_jobs(
            project, [(graph, f"job{n}", now) for n in range(start, min(start + 5000, jobs))]
        )
        Watch.objects.bulk_create([Watch(job=job, next_poll_at=now) for job in made.values()])
    query("ANALYZE")
    return f"http://127.0.0.1:{port}/v1.0/{project.project_id}/graphs/g1/jobs"


def main() -> None:
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--jobs", type=int, default=10_000)
    asked.add_argument(
        "--seconds", type=float, default=24, help="of each run as fast as it goes; 0: none of those"
    )
    asked.add_argument(
        "--delay", type=int, action="append", help="ms that GES takes; by default 0 and 50"
    )
    asked.add_argument(
        "--lag-seconds",
        type=float,
        default=0,
        help="how long to poll each job every 60 s; 0: not at all",
    )
    asked.add_argument("--work", type=float, help=argparse.SUPPRESS)
    asked.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    asked.add_argument("--simulate", nargs=2, type=float, help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.seconds > TURNS * 15:
        raise SystemExit(
            f"--seconds is {options.seconds:g}; expected at most {TURNS * 15}: a stopped worker's calls run out of time."
        )
    if options.work is not None:
        work(options.work)
    elif options.plain:
        plain()
    elif options.simulate:
        simulate(int(options.simulate[0]), options.simulate[1])
    else:
        compare(options)


def compare(options: Any) -> None:
    from jobs.ges.simulator.server import PROJECT

    port = free_port()
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the database has stopped
    os.environ |= {"GESDASH_HOME": f"{folder}/home", "GES_ENDPOINT": f"http://127.0.0.1:{port}", "GES_PROJECT_ID": PROJECT,
                   "GES_TOKEN": TOKEN}  # fmt: skip
    address = fill(options.jobs, port)
    since = polls()
    for delay in (options.delay or [0, 50]) if options.seconds else []:
        with running(("--simulate", str(port), str(delay / 1000))):
            wait_for(port)
            print(f"GES takes {delay} ms")
            rate, cpu = limit(address, options.seconds / 4)
            print(f"{'the bare client':34}{rate:8,.0f} a second{cpu:8,.0f} us CPU each", flush=True)
            if polls() == since:
                first_replies(options.jobs)
            found = {
                "one worker": measured("one worker", options.seconds, address, ("--work", "0")),
                "two workers": measured(
                    "two workers", options.seconds, address, ("--work", "0"), ("--work", "0")
                ),
                "a task a poll": measured(
                    "a task a poll, 8 at a time", options.seconds, address, ("--plain",)
                ),
            }
            for name, (_, share, of_cpu) in found.items():
                print(
                    f"ratio {name} / the bare client: {share:.2f} of the rate, {of_cpu:.1f} of the CPU"
                )
            print(
                f"ratio one worker / a task a poll: {found['one worker'][0] / found['a task a poll'][0]:.1f} of the rate"
            )
    if options.lag_seconds:
        with running(("--simulate", str(port), "0")):
            wait_for(port)
            for workers in (1, 2):
                lag(options.jobs, options.lag_seconds, workers)
    sizes(since)


if __name__ == "__main__":
    main()
