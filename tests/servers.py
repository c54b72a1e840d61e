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

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(project, home):
    """Of a process of gesdash on the test's database; the project's GES is where its row says."""
    connection.ensure_connection()
    info = connection.connection.info
    return {
        **os.environ,
        "GESDASH_HOME": str(home),
        "DATABASE_URL": f"postgresql://{info.user}@/{info.dbname}?host={info.host}",
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
