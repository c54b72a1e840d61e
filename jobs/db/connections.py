"""Connections of the pool."""

from django.db import connection


def release_connection() -> None:
    """Give this thread's connection back to the pool, for others to use while it waits."""
    if not connection.in_atomic_block:
        connection.close()
