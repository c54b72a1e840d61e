"""A home whose database is migrated and at rest: made once in a run, and copied by who needs a server of their own."""

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATABASE = "gesdash"  # its name there


def copy_migrated(home):
    """Put the server's files into this home, unless it has a server.

    By `cp`, which keeps their owner: run as root, the server has a user of its own.
    """
    home.mkdir(exist_ok=True)
    with _turn() as made:
        if not made.exists():
            making = made.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
            subprocess.run(
                command, env={**os.environ, "GESDASH_HOME": str(making)}, check=True, cwd=ROOT
            )
            making.rename(made)
        if not (home / "postgres").exists():
            subprocess.run(["cp", "-a", str(made / "postgres"), str(home)], check=True)


@contextmanager
def _turn():
    """One worker of the run at a time makes or copies the migrated home; gives where it is."""
    made = Path(f"{os.environ['GESDASH_HOME']}-migrated")
    with Path(f"{made}.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield made
