"""A database that is restarted, read-only, full or migrated while workers poll loses no reply.

GES advances each job as soon as it has sent a state once, so there is one chance to record it.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest

from tests.faults.site import ROOT, wait_until


@pytest.fixture
def polling(site):
    """Workers in the middle of a batch."""
    here = site(jobs=30, states=400)
    here.story.may_end = False
    here.simulator.fault("delay", times=10**6, seconds=0.1)
    here.discover()
    here.flow()
    here.start(2)
    here.until(lambda: here.asked > 60, "polling")
    asked = here.asked
    here.until(lambda: here.asked > asked + 3, "a batch is under way")
    return here


def goes_on(here):
    """It polls again, and then all comes to its end: told is recorded, once."""
    recorded = len(here.recorded())
    here.until(
        lambda: len(here.recorded()) > recorded + 2 * len(here.story.at),
        "replies are recorded again",
    )
    here.story.states = max(here.story.at.values()) + 3
    here.end_of_flow()
    here.check()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["shut", "killed"])
def test_restarted(polling, server, how):
    server.kill(how)
    server.start()
    goes_on(polling)


def test_read_only(polling, server):
    """As by a provider when the disk is nearly full; sessions begun meanwhile stay read-only."""
    server.sql(f"ALTER DATABASE {polling.name} SET default_transaction_read_only = on")
    server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", polling.name
    )
    told = len(polling.told())
    wait_until(
        lambda: is_logged(polling, "read-only transaction"),
        "the database says that it takes nothing",
    )
    server.sql(f"ALTER DATABASE {polling.name} RESET default_transaction_read_only")
    assert len(polling.told()) >= told
    goes_on(polling)


def is_logged(here, words):
    return words in (here.folder / "log").read_text()


@contextmanager
def small_disk(server, size):
    """A file system of a few MiB, for a tablespace."""
    folder = server.data.parent / "small"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if not mounted or mounted.returncode:
        folder.rmdir()
        pytest.skip("a small disk can't be made here: that needs the right to mount a file system")
    try:
        owner = (server.data / "global").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_full(polling, server):
    with small_disk(server, "2m") as disk:
        server.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
        move(polling, "small")
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as filling:
            fill(filling)
        wait_until(lambda: is_logged(polling, "No space left on device"), "the disk is full")
        ballast.unlink()
        goes_on(polling)
        move(polling, "pg_default")
        server.sql("DROP TABLESPACE small")


def fill(file):
    """Take all that is left."""
    with pytest.raises(OSError, match="No space left"):
        file.writelines(bytes(4096) for _ in range(10**6))


def move(here, tablespace):
    """The replies, with their indexes where they are; workers may hold them for a moment."""

    def moved():
        try:
            here.sql(f"ALTER TABLE jobs_snapshot SET TABLESPACE {tablespace}")
        except psycopg.errors.DeadlockDetected:
            return False
        return True

    wait_until(moved, f"the replies are in {tablespace}")


def test_migrated_while_workers_poll(polling):
    """A migration of a later version: columns, an index, and a short lock on each table."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.later.settings",
        "DATABASE_URL": polling.url,
        "GESDASH_HOME": str(polling.folder),
    }
    told = len(polling.told())
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "later", "--verbosity=0"],
        env=env,
        cwd=ROOT,
        check=True,
    )
    assert len(polling.told()) > told, "GES was asked meanwhile"
    assert polling.sql(
        "SELECT count(*) FROM information_schema.columns WHERE column_name = 'of_later'"
    ) == [(3,)]
    goes_on(polling)
