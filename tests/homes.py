"""A home whose database is migrated and at rest: made once in a run, and copied by who needs a server of their own."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATABASE = "gesdash"  # its name there


def copy_migrated(home):
    """Put the server's files into this home. By `cp`, which keeps their owner: run as root, the server has a user of its own."""
    made = Path(f"{os.environ['GESDASH_HOME']}-migrated")
    with Path(f"{made}.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not made.exists():
            making = made.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
            subprocess.run(
                command, env={**os.environ, "GESDASH_HOME": str(making)}, check=True, cwd=ROOT
            )
            making.rename(made)
    home.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(made / "postgres"), str(home)], check=True)
