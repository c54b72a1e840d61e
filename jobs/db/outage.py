"""A database that is away, full or read-only for a while: what GES said meanwhile is held until it is back."""

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from django.db import Error, InterfaceError, InternalError, OperationalError, connection
from django.db.backends.signals import connection_created

log = logging.getLogger(__name__)
HOLD_SECONDS = (
    600.0  # for which a reply is held; then it is let go, and GES is asked again some day
)
AGAIN_SECONDS = 1.0
_LIMIT_EXCEEDED = "54"  # the class of SQLSTATE, which the driver calls operational too: a value too big for an index
_READ_ONLY = "25006"


def is_the_databases(wrong: BaseException) -> bool:
    """Whether the database is in trouble, and not what was to be written: it would fail with anything else as well."""
    if isinstance(wrong, OperationalError | InterfaceError):
        return not _state(wrong).startswith(_LIMIT_EXCEEDED)
    return isinstance(wrong, Error) and _state(wrong) == _READ_ONLY


def _state(wrong: BaseException) -> str:
    return getattr(wrong.__cause__, "sqlstate", None) or ""


def surely[T](do: Callable[[], T], stopping: Event) -> T:
    """What it gives; it is done again while the database is in trouble, unless this process is to stop.

    Raises: what it raises otherwise, and the database's own error after HOLD_SECONDS.
    """
    give_up, said = time.monotonic() + HOLD_SECONDS, False
    while True:
        try:
            return do()
        except Error as wrong:
            if (
                not is_the_databases(wrong)
                or time.monotonic() > give_up
                or connection.in_atomic_block
            ):
                raise
            if not said:
                log.warning(
                    "The database takes nothing (%s); what GES said is held until it does.",
                    " ".join(str(wrong).split()),
                )
                said = True
            leave_sessions()
            if stopping.wait(AGAIN_SECONDS):
                raise


def leave_sessions() -> None:
    """End this thread's session and all idle ones of this process, with the locks they hold: the pool would hand them out again.

    Those that other threads have now end when they are given back.
    """
    _drain(connection)
    connection.close()


def listen() -> None:
    """Leave all sessions of this process when one is found read-only: it began so, and would stay so."""
    connection_created.connect(_watch, dispatch_uid="outage")


def _watch(connection: Any, **_: object) -> None:
    if _leave_read_only not in connection.execute_wrappers:
        # First: whoever has put on another meanwhile takes off the last.
        connection.execute_wrappers.insert(0, _leave_read_only)


def _leave_read_only(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    try:
        return execute(sql, params, many, context)
    except InternalError as wrong:
        if _state(wrong) == _READ_ONLY:
            _drain(context["connection"])
        raise


def _drain(connection: Any) -> None:
    if pool := connection.pool:  # PostgreSQL's
        pool.drain()
