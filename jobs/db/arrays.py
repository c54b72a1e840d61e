"""Arrays as the text that PostgreSQL reads, for statements about a batch.

The driver would look at each value by itself.
"""

from collections.abc import Iterable
from datetime import datetime


def numbers(values: Iterable[int]) -> str:
    """For `%s::bigint[]`."""
    return f"{{{','.join(map(str, values))}}}"


def times(values: Iterable[datetime | None]) -> str:
    """For `%s::timestamptz[]`."""
    return f"{{{','.join('NULL' if time is None else time.isoformat() for time in values)}}}"


def digests(values: Iterable[bytes | None]) -> str:
    """For `%s::bytea[]`."""
    quoted = ("NULL" if digest is None else f'"\\\\x{digest.hex()}"' for digest in values)
    return f"{{{','.join(quoted)}}}"
