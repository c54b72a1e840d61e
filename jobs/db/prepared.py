"""Queries of every proxied request: their SQL is built once, as building costs more than answering.

docs/decisions/0030-prepared-sql.md says how much.
"""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models

type Value = str | int | datetime
type Build = Callable[..., "models.QuerySet[Any, Any]"]
type Parameter = tuple[str | None, Any]  # the name of a value, or None and a constant


class Prepared:
    """A queryset whose SQL is kept, and run with other values from then on.

    `build(shape, **values)` makes the queryset, so that it stays the one description of who may see
    what; `shape` holds all that decides how the SQL looks. A value is a text, a number or a time,
    and has to arrive in the SQL unchanged.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._statements: dict[Hashable, tuple[str, list[Parameter]]] = {}

    def rows(self, shape: Hashable, **values: Value) -> list[tuple[Any, ...]]:
        """The queryset's rows as tuples, as `values_list` gives them.

        Raises: ValueError when the queryset does not pass a value on unchanged.
        """
        if shape not in self._statements:
            self._statements[shape] = self._prepare(shape, values)
        sql, parameters = self._statements[shape]
        with connection.cursor() as cursor:
            cursor.execute(
                sql, [constant if name is None else values[name] for name, constant in parameters]
            )
            return list(cursor.fetchall())

    def _prepare(self, shape: Hashable, values: dict[str, Value]) -> tuple[str, list[Parameter]]:
        """The SQL, and which value or constant each of its parameters is.

        The queryset is built with a sentinel for each value, by which it is found again.
        """
        sentinels = {
            name: _sentinel(value, number) for number, (name, value) in enumerate(values.items())
        }
        sql, constants = self._build(shape, **sentinels).query.sql_with_params()
        names = {sentinel: name for name, sentinel in sentinels.items()}
        parameters = [
            (names.get(constant) if isinstance(constant, str | int | datetime) else None, constant)
            for constant in constants
        ]
        if missing := set(values) - {name for name, _constant in parameters}:
            raise ValueError(f"Not found in the SQL unchanged: {', '.join(sorted(missing))}.")
        return sql, parameters


def _sentinel(value: Value, number: int) -> Value:
    """A value of the same type that no query holds by itself."""
    if isinstance(value, str):
        return f"\x02{number}\x03"
    if isinstance(value, datetime):
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=number, microseconds=7)
    return -987_654_321_000 - number
