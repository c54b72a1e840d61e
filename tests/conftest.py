"""One PostgreSQL for the whole run, in a folder of its own; a simulated GES over loopback."""

import contextlib
import os
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import hypothesis
import pytest
from django.db import connection

from gesdash import env
from tests.factories import NOW, body
from tests.homes import DATABASE, copy_migrated

# A test is not to fail because the machine is busy.
hypothesis.settings.register_profile(
    "gesdash", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("gesdash")

pytest_plugins = ["tests.browser"]


def with_room(act):
    """Call it with half a megabyte of CPython's stack below it, in one piece.

    The stack grows by 16 KB, which are mapped when a call needs them and given back when it returns: a template's tags, called
    in turn just where a piece ends, spent a fifth of a test's time on that.
    """
    return act()


with_room.__code__ = with_room.__code__.replace(co_stacksize=60_000)


def pytest_itemcollected(item):
    item.setup, item.runtest = partial(with_room, item.setup), partial(with_room, item.runtest)


def pytest_collection_modifyitems(items):
    """First those with a server of their own, which take longest: at the end one worker would wait for the other's."""
    items.sort(key=lambda item: {"site", "start"}.isdisjoint(item.fixturenames))


@pytest.fixture(scope="session", autouse=True)
def no_database_by_chance():
    """DATABASE_URL may name the server of the tests; a process that a test starts is told its own."""
    os.environ.pop("DATABASE_URL", None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """Each worker's database is a copy of one that was migrated once in the run."""
    if connection.settings_dict["ENGINE"] == "gesdash.embedded":
        copy_migrated(env.home())
        connection.settings_dict["TEST"]["TEMPLATE"] = DATABASE


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """A server whose plans depend on no chance, and that need not outlive the power."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for setting in ("autovacuum", "fsync", "full_page_writes"):
            cursor.execute(f"ALTER SYSTEM SET {setting} = off")
        cursor.execute("SELECT pg_reload_conf()")


@pytest.fixture(autouse=True)
def fresh_process():
    """Reset what polling keeps in the memory of a process, which tests share and servers do not."""
    yield
    from jobs.polling import client, single_flight, usual

    for module in (client, single_flight, usual):
        module.reset()


@pytest.fixture
def admin(db):
    from django.contrib.auth.models import User

    return User.objects.create_superuser("ada", password="a long password")


@pytest.fixture
def project(db):
    from jobs.models import Project

    return Project.objects.create(project_id="p1")


@pytest.fixture
def simulator():
    from jobs.ges.simulator.server import Simulator, run_in_thread

    made = Simulator(seed=7)
    with run_in_thread(made) as address:
        made.address = address
        yield made


@pytest.fixture
def polled(db, settings, simulator):
    """A project on the simulator, with its credentials in the settings."""
    from gesdash.env import ConfiguredCredentials, ConfiguredProject
    from jobs.polling.projects import sync_projects

    credentials = ConfiguredCredentials(ak=simulator.access_key, sk=simulator.secret_key)
    settings.GES_PROJECTS = {
        "sim": ConfiguredProject("sim", simulator.project_id, simulator.address, credentials)
    }
    return sync_projects()[0]


@pytest.fixture
def key(admin):
    """An administrator's key, with what it shows once as `plain` and `token`."""
    from django.utils import timezone

    from jobs.models import AccessKey

    made, made.plain, made.token = AccessKey.issue(admin, now=timezone.now())
    return made


@pytest.fixture
def shown(key):
    return {"X-Auth-Token": key.token}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a connection that finds no room in it is tried again a second later, then two, then four


class Upstream:
    """A server that says exactly what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.asked, self.status, self.body, self.headers, self.seconds = [], 200, b"", {}, 0.0
        self.content_type = "application/json;charset=utf-8"

    def answer(self, handler):
        self.asked.append((handler.path, dict(handler.headers)))
        time.sleep(self.seconds)
        said = self.body(handler) if callable(self.body) else self.body
        if said is None:
            return
        # The other sends a Date of its own.
        (handler.send_response_only if "Date" in self.headers else handler.send_response)(
            self.status
        )
        for name, value in {
            "Content-Type": self.content_type,
            "Content-Length": len(said),
            **self.headers,
        }.items():
            handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(said)


@pytest.fixture
def upstream(db, settings):
    """A project whose GES is an `Upstream`."""
    from gesdash.env import ConfiguredCredentials, ConfiguredProject
    from jobs.polling.projects import sync_projects

    made = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(ConnectionError):
                made.answer(self)

        def log_message(self, *args):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    settings.GES_PROJECTS = {
        "up": ConfiguredProject("up", "p1", address, ConfiguredCredentials(ak="AK", sk="SK"))
    }
    made.project = sync_projects()[0]
    yield made
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def imported(project):
    """A job whose vertex file lost 450 of 1,659 lines and whose edge file loaded whole."""
    from jobs.record import find_graph, find_jobs, observe, record

    graph = find_graph(project, "g1", "payments")
    job = find_jobs(project, [(graph, "j1", NOW)])["j1"]
    files = {
        "vertexsetPath": [
            {
                "path": "b/<script>v.csv",
                "status": "partFailed",
                "totalLines": 1659,
                "failedLines": 450,
                "successfulLines": 1209,
            }
        ],
        "edgesetPath": [
            {
                "path": "b/e.csv",
                "status": "success",
                "totalLines": 1000,
                "failedLines": 0,
                "successfulLines": 1000,
            }
        ],
        "schemaPath": [
            {
                "path": "b/s.xml",
                "status": "success",
                "totalLines": 4,
                "failedLines": 4,
                "successfulLines": 0,
            }
        ],
    }
    record(
        [
            observe(
                job,
                "poll",
                NOW,
                200,
                body(
                    jobDetail=files, beginTime="2026-03-04T11:00:00", endTime="2026-03-04T11:05:00"
                ),
            )
        ]
    )
    job.refresh_from_db()
    return job
