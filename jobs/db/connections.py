"""Connections of the pool."""

from django.db import connection


def release_connection() -> None:
    """Give this thread's connection back to the pool before it waits, so that others have it."""
    if not connection.in_atomic_block:
        connection.close()
