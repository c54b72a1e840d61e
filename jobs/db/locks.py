"""The advisory locks of PostgreSQL that gesdash takes: each number once, with what it guards.

The table in docs/architecture.md lists them, with who takes which how. They are taken with
django-pglock; PostgreSQL releases a session's lock when its process is killed, which a job's lock
in the queue would outlive.
"""

# Held shared by all who derive a review's state, alone by who changes a failure threshold.
TOLERANCE_LOCK = 0x67657364
# Held shared by all recorders; whoever holds it alone knows that every reply with a key is stored.
RECORDING_LOCK = 0x67657365
# With a project's key: held alone by the worker that reads GES's lists of that project.
DISCOVERY_LOCK = 0x676573
# With a project's key: held alone by whoever gets a token from IAM; the others wait for it and find
# the new token.
TOKEN_LOCK = 0x69616D

#: True once both are held shared: a condition that is met before any row is looked at, or locked.
LOCKS = (
    f"(SELECT pg_advisory_xact_lock_shared({TOLERANCE_LOCK})::text"
    f" || pg_advisory_xact_lock_shared({RECORDING_LOCK})::text) = ''"
)


def of_project(lock: int, project: int) -> int:
    """A lock's number for one project: the lock's own above 32 bits, the project's key below."""
    return lock << 32 | project
