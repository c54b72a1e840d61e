"""A database that is away, full or read-only for a while: what GES answered meanwhile is held."""

import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from django.db import Error, InterfaceError, InternalError, OperationalError, connection
from django.db.backends.signals import connection_created

log = logging.getLogger(__name__)
#: For which an answer is held; then it is dropped, and GES is asked again some day.
HOLD_SECONDS = 600.0
AGAIN_SECONDS = 1.0
# The class of SQLSTATE, which the driver calls operational too: a value too big for an index.
_LIMIT_EXCEEDED = "54"
_READ_ONLY = "25006"


def is_outage(error: BaseException) -> bool:
    """Whether the database itself is in trouble, so that any other statement would fail too."""
    if isinstance(error, OperationalError | InterfaceError):
        return not _sqlstate(error).startswith(_LIMIT_EXCEEDED)
    return isinstance(error, Error) and _sqlstate(error) == _READ_ONLY


def _sqlstate(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


def retry_in_outage[T](act: Callable[[], T], stop_requested: Event) -> T:
    """The result of `act`, which is called again while the database is in trouble.

    Raises: the errors of `act`; the database's own after HOLD_SECONDS, in a transaction, and once
    this process is to stop.
    """
    deadline = time.monotonic() + HOLD_SECONDS
    is_logged = False
    while True:
        try:
            return act()
        except Error as error:
            is_too_late = time.monotonic() > deadline or connection.in_atomic_block
            if not is_outage(error) or is_too_late:
                raise
            if not is_logged:
                log.warning(
                    "The database accepts no writes (%s); answers of GES are held until it does.",
                    " ".join(str(error).split()),
                )
                is_logged = True
            end_sessions()
            if stop_requested.wait(AGAIN_SECONDS):
                raise


def end_sessions() -> None:
    """End this thread's session and all idle ones of this process, with the locks they hold.

    The pool would hand them out again. Those that other threads use end when they are given back.
    """
    _drain(connection)
    connection.close()


def listen() -> None:
    """End all sessions of this process if one is read-only: it began so, and would stay so."""
    connection_created.connect(_watch, dispatch_uid="outage")


def _watch(connection: Any, **_: object) -> None:
    if _end_if_read_only not in connection.execute_wrappers:
        # First: whoever has put on another meanwhile takes off the last.
        connection.execute_wrappers.insert(0, _end_if_read_only)


def _end_if_read_only(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    try:
        return execute(sql, params, many, context)
    except InternalError as error:
        if _sqlstate(error) == _READ_ONLY:
            _drain(context["connection"])
        raise


def _drain(connection: Any) -> None:
    if pool := connection.pool:  # PostgreSQL's
        pool.drain()
