"""A process started by `up` ends when `up` does, however that came about."""

import os
import signal
import threading
import time


def end_with_parent() -> None:
    """End this process when standard input ends, a pipe that only the parent holds.

    Does nothing outside of `up`.
    """
    if os.environ.get("GESDASH_CHILD"):
        threading.Thread(target=_wait_for_end_of_input, daemon=True).start()


def _wait_for_end_of_input() -> None:
    # Not sys.stdin: a process forked while this waits would inherit its buffer's lock, and wait
    # for it for ever.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def end_when_orphaned() -> None:
    """The same for a process that granian starts, which has no pipe.

    Its parent's id changes when the parent dies.
    """
    if os.environ.get("GESDASH_CHILD"):
        threading.Thread(target=_watch_parent, args=[os.getppid()], daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
