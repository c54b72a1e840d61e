"""Web servers as processes of their own, on the test's database."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def database_url(name=None):
    """Where the tests' database is, or another one of its server."""
    place = connection.get_connection_params()
    sign_in = ":".join(quote(place[key], safe="") for key in ("user", "password") if place.get(key))
    server = urlencode({key: place[key] for key in ("host", "port") if place.get(key)})
    return f"postgresql://{sign_in}@/{name or place['dbname']}?{server}"


def environment(project, home):
    """Of a process of gesdash on the test's database; the project's GES is where its row says."""
    return {
        **os.environ,
        "GESDASH_HOME": str(home),
        "DATABASE_URL": database_url(),
        "GESDASH_SECRET_KEY": settings.SECRET_KEY,
        "GES_ENDPOINT": project.endpoint,
        "GES_PROJECT_ID": project.project_id,
        "GES_AK": "AK",
        "GES_SK": "SK",
    }


@contextmanager
def serving(project, home, count=1, processes=1):
    """So many times `serve`; gives their addresses."""
    env = environment(project, home)
    type(project).objects.filter(pk=project.pk).update(credentials="env")
    started, addresses = [], []
    try:
        for _ in range(count):
            port = free_port()
            command = [
                sys.executable,
                str(ROOT / "manage.py"),
                "serve",
                "--port",
                str(port),
                "--processes",
                str(processes),
            ]
            started.append(subprocess.Popen(command, env=env, cwd=ROOT))
            addresses.append(f"http://127.0.0.1:{port}")
        for address in addresses:
            _wait_for(address)
        yield addresses
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address):
    give_up = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.1)


def get(address, headers):
    """Status, body and headers of an answer, whatever it is."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=60
        ) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers
