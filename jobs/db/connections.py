"""Connections of the pool, given back while their thread waits for something else."""

from django.db import connection


def release_connection() -> None:
    """Give the database connection back to the pool, so that whoever waits for GES keeps none from the others."""
    if not connection.in_atomic_block:
        connection.close()
