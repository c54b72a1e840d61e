"""Questions asked at every call of a program: their SQL is built once, since building it costs more than answering it."""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models

type Value = str | int | datetime
type Build = Callable[..., "models.QuerySet[Any, Any]"]


class Prepared:
    """A queryset whose SQL is kept, and asked with other values from then on.

    `build(shape, **values)` makes the queryset, so that it stays the one description of who may see what; `shape` holds all
    that decides how the SQL looks. A value is a text, a number or a time, and has to arrive in the SQL as it is.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._known: dict[Hashable, tuple[str, list[tuple[str | None, Any]]]] = {}

    def rows(self, shape: Hashable, **values: Value) -> list[tuple[Any, ...]]:
        """The queryset's rows as tuples, as `values_list` gives them."""
        if shape not in self._known:
            self._known[shape] = self._built(shape, values)
        sql, places = self._known[shape]
        with connection.cursor() as cursor:
            cursor.execute(
                sql, [constant if name is None else values[name] for name, constant in places]
            )
            return list(cursor.fetchall())

    def _built(
        self, shape: Hashable, values: dict[str, Value]
    ) -> tuple[str, list[tuple[str | None, Any]]]:
        """The SQL and, for each of its parameters, which value it is or what it always is."""
        marks = {name: _mark(value, number) for number, (name, value) in enumerate(values.items())}
        sql, params = self._build(shape, **marks).query.sql_with_params()
        names = {mark: name for name, mark in marks.items()}
        places = [
            (names.get(param) if isinstance(param, str | int | datetime) else None, param)
            for param in params
        ]
        if lost := set(values) - {name for name, _ in places}:
            raise ValueError(f"Not found in the SQL as they are: {', '.join(sorted(lost))}.")
        return sql, places


def _mark(value: Value, number: int) -> Value:
    """Something of the same type that no query holds by itself."""
    if isinstance(value, str):
        return f"\x02{number}\x03"
    if isinstance(value, datetime):
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=number, microseconds=7)
    return -987_654_321_000 - number
