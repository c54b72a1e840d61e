"""The advisory locks of PostgreSQL that gesdash takes: each number once, with what it guards and who takes it how.

The table in docs/architecture.md lists them; a session's lock is given back by PostgreSQL when its process is killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Held shared by all who derive a review's state, alone by who changes what the states are derived from.
TOLERANCE_LOCK = 0x67657364
# Held shared by all who record; who holds it alone knows that every reply is stored that has got its key.
RECORDING_LOCK = 0x67657365
# With a project's key: held alone by the worker that reads GES's lists of that project.
DISCOVERY_LOCK = 0x676573
# With a project's key: held alone by whoever gets a token from IAM; the others wait for it and find the new token.
TOKEN_LOCK = 0x69616D

#: True once both are held shared: a condition that is met before any row is looked at, or locked.
LOCKS = (
    f"(SELECT pg_advisory_xact_lock_shared({TOLERANCE_LOCK})::text"
    f" || pg_advisory_xact_lock_shared({RECORDING_LOCK})::text) = ''"
)


@contextmanager
def try_lock(lock: int, key: int) -> Iterator[bool]:
    """Hold a session's lock if nobody else does; whether it is ours. A job's lock in the queue would outlive a killed worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock, key])
        is_ours = cursor.fetchone() == (True,)
    try:
        yield is_ours
    finally:
        if is_ours:
            # Another session's cursor, where that one was given up: then there is nothing to give back.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, key])


@contextmanager
def wait_for_lock(lock: int, key: int) -> Iterator[None]:
    """Hold a session's lock, one at a time, with no transaction open meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [lock, key])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, key])
