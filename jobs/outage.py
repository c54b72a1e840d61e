"""A database that is away, full or read-only for a while: what GES said meanwhile is held until it is back."""

import logging
import time
from collections.abc import Callable
from threading import Event

from django.db import Error, InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)
HOLD_SECONDS = 600.0  # for which a reply is held; then it is let go, and GES is asked again some day
AGAIN_SECONDS = 1.0
_LIMIT_EXCEEDED = "54"  # the class of SQLSTATE, which the driver calls operational too: a value too big for an index
_READ_ONLY = "25006"


def is_the_databases(wrong: BaseException) -> bool:
    """Whether the database is in trouble, and not what was to be written: it would fail with anything else as well."""
    state = getattr(wrong.__cause__, "sqlstate", None) or ""
    if isinstance(wrong, OperationalError | InterfaceError):
        return not state.startswith(_LIMIT_EXCEEDED)
    return isinstance(wrong, Error) and state == _READ_ONLY


def surely[T](do: Callable[[], T], stopping: Event) -> T:
    """What it gives; it is done again while the database is in trouble, unless this process is to stop.

    Raises: what it raises otherwise, and the database's own error after HOLD_SECONDS.
    """
    give_up, said = time.monotonic() + HOLD_SECONDS, False
    while True:
        try:
            return do()
        except Error as wrong:
            if not is_the_databases(wrong) or time.monotonic() > give_up or connection.in_atomic_block:
                raise
            if not said:
                log.warning(
                    "The database takes nothing (%s); what GES said is held until it does.", " ".join(str(wrong).split())
                )
                said = True
            leave_sessions()
            if stopping.wait(AGAIN_SECONDS):
                raise


def leave_sessions() -> None:
    """End this thread's session and all idle ones of this process: with their locks, and the read-only mode they may have begun in.

    The pool would hand them out again; those that other threads have now it ends when it gets them back.
    """
    if pool := connection.pool:  # type: ignore[attr-defined]  # PostgreSQL's
        pool.drain()
    connection.close()
