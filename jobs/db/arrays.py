"""Arrays as the text that PostgreSQL reads, for statements about a batch: the driver would look at each value by itself."""

from collections.abc import Iterable
from datetime import datetime


def numbers(values: Iterable[int]) -> str:
    """For `%s::bigint[]`."""
    return f"{{{','.join(map(str, values))}}}"


def times(values: Iterable[datetime | None]) -> str:
    """For `%s::timestamptz[]`."""
    return f"{{{','.join('NULL' if one is None else one.isoformat() for one in values)}}}"


def digests(values: Iterable[bytes | None]) -> str:
    """For `%s::bytea[]`."""
    return "{" + ",".join("NULL" if one is None else f'"\\\\x{one.hex()}"' for one in values) + "}"
