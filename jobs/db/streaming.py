"""Rows of a statement that are too many to hold at once."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

ROWS_AT_ONCE = 2000  # held in memory


def streamed(statement: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of a statement by a cursor on the server: memory does not grow with their number."""
    with transaction.atomic():  # such a cursor lives in a transaction
        connection.ensure_connection()
        with (
            connection.wrap_database_errors,
            connection.connection.cursor(name=f"gesdash_{uuid4().hex}") as cursor,
        ):
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(statement, values)
            yield from cursor
