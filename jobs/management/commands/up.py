"""All of gesdash on this machine: database, worker, web, and with --demo a simulated GES."""

import fcntl
import os
import secrets
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection, connections
from django.utils import timezone

from gesdash import env
from jobs import record
from jobs.management.children import Children, SourceFiles
from jobs.models import Job
from jobs.polling import projects

START_SECONDS = 120  # a busy machine needs most of a minute
DEMO_PROJECT = "0b4c9e2d8f7a41c6a5d3e1f2b7c80d9e"


class Command(BaseCommand):
    help = (
        "Start gesdash: database, worker and web; --demo adds a simulated GES. "
        "Ctrl-C stops all of it."
    )
    requires_system_checks: list[str] = []  # they ask the database, which is tried first here

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="poll a simulated GES")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--reload",
            action="store_true",
            help="for development: start all of it again when code changes, "
            "and read templates anew (GESDASH_DEBUG=yes, unless that is set)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        sources = _watched_sources() if options["reload"] else None
        self._take_home()
        _check_port(host, port)
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        children = Children()
        try:
            if options["demo"]:
                simulator = self._start_demo(children)
            self.stdout.write("Preparing the database …")
            _migrate()
            self._fill_new_columns(stop)
            projects.sync_projects()
            user, password = _first_user()
            if options["demo"]:
                # So that the worker's first look finds it.
                _wait_for("simulator", simulator, children, stop)
            if not stop.is_set():
                children.start("worker", "work")
                children.start("web", "serve", "--host", host, "--port", str(port))
                _wait_for("web server", f"http://{_url_host(host)}:{port}/healthz", children, stop)
            if not stop.is_set():
                self._print_summary(host, port, user, password, demo=options["demo"])
            while not stop.wait(0.5):
                if sources is not None:
                    self._restart_when_changed(sources, children)
                elif ended := children.ended():
                    raise CommandError(
                        f"The {ended} stopped by itself; what it said stands above. "
                        "gesdash is shutting down."
                    )
        finally:
            children.stop()
            connections.close_all()
        self.stdout.write("Stopped.")

    def _take_home(self) -> None:
        """Hold the home's lock as long as this process lives; the kernel drops it with us."""
        self._lock = os.open(settings.GESDASH_HOME / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                f"gesdash is already running on {settings.GESDASH_HOME}; "
                "stop it, or set GESDASH_HOME to another folder."
            ) from error

    def _fill_new_columns(self, stop: threading.Event) -> None:
        """Rebuild jobs that a former version stored; a stop leaves the rest for the next start."""
        if count := Job.objects.stale().count():
            self.stdout.write(f"Bringing {count:,} jobs of a former version up to date …")
            for _done in record.rebuild_in_batches(Job.objects.stale(), now=timezone.now()):
                if stop.is_set():
                    break

    def _start_demo(self, children: Children) -> str:
        """Start the simulated GES and make it the project to poll; gives its address.

        Its history is counted from the first start on this home, so that a kept database sees the
        same jobs again.
        """
        epoch = env.kept("demo-epoch", lambda: timezone.now().isoformat())
        port = _free_port()
        os.environ |= {
            "GES_ENDPOINT": f"http://127.0.0.1:{port}",
            "GES_PROJECT_ID": DEMO_PROJECT,
            "GES_AK": "DEMO" + secrets.token_hex(8).upper(),
            "GES_SK": secrets.token_urlsafe(24),
        }
        os.environ["SIMULATOR_SK"] = os.environ["GES_SK"]
        os.environ["SIMULATOR_TOKEN"] = secrets.token_urlsafe(24)
        settings.GES_PROJECTS = {one.name: one for one in env.configured_projects()}
        children.start(
            "simulator",
            "simulate_ges",
            "--port",
            str(port),
            "--access-key",
            os.environ["GES_AK"],
            "--epoch",
            epoch,
        )
        return os.environ["GES_ENDPOINT"]

    def _restart_when_changed(self, sources: SourceFiles, children: Children) -> None:
        """A process that code broke stays away until the code changes again."""
        if sources.have_changed():
            self.stdout.write("The code changed: restarting …")
            self.stdout.flush()
            children.restart()

    def _print_summary(self, host: str, port: int, user: str, password: str, *, demo: bool) -> None:
        polled = (
            "a simulated GES"
            if demo
            else ", ".join(p.project_id for p in settings.GES_PROJECTS.values())
        )
        nothing = "nothing yet: set GES_ENDPOINT, GES_PROJECT_ID and GES_AK with GES_SK"
        lines = [
            "",
            f"gesdash is running at  http://{_url_host(host)}:{port}/",
            f"Sign in as             {user}, password {password}",
            f"Polling                {polled or nothing}",
            f"Data in                {settings.GESDASH_HOME}",
            "Ctrl-C stops it; the data stays.",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _watched_sources() -> SourceFiles:
    """The files that --reload watches; processes started from here on show Django's error pages."""
    if settings.SERVED_OVER_TLS:
        raise CommandError("--reload is for development; it does not go with GESDASH_TLS=yes.")
    os.environ.setdefault("GESDASH_DEBUG", "yes")
    return SourceFiles()


def _migrate() -> None:
    try:
        # Once without the pool, which would try for ten seconds and not give the reason.
        psycopg.connect(**{"connect_timeout": 10, **connection.get_connection_params()}).close()
        call_command("migrate", verbosity=0)
    except (OperationalError, psycopg.OperationalError) as error:
        reason = " ".join(str(error).split())
        raise CommandError(
            f"The database can't be reached ({reason}). Check DATABASE_URL."
        ) from error


def _first_user() -> tuple[str, str]:
    """Who signs in: an administrator made on the first start, with a password kept in the home."""
    password = env.kept_secret("admin-password")[:20]
    user = User.objects.filter(username="admin").first()
    if user is None:
        if User.objects.exists():
            return "yourself", "as you set it"
        User.objects.create_superuser("admin", password=password)
        return "admin", password
    return "admin", password if user.check_password(password) else "as you set it"


def _check_port(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(
            f"Port {port} on {host} can't be used ({reason}); choose another with --port."
        ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _url_host(host: str) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"[{reachable}]" if ":" in reachable and not reachable.startswith("[") else reachable


def _wait_for(name: str, url: str, children: Children, stop: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_set() and not children.ended():
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except urllib.error.HTTPError:
            return  # any answer will do
        except OSError:
            stop.wait(0.1)
        if time.monotonic() > deadline:
            raise CommandError(
                f"The {name} did not answer at {url} within {START_SECONDS} s. "
                "gesdash is shutting down."
            )
