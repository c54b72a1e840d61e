"""Many rows in one statement: COPY for new ones, one JSON document for the others.

The ORM would bind each value by itself.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model

type Row = Sequence[Any]


def copy_rows(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Append rows, their values in the order of `names`; other columns are left to the database."""
    if not rows:
        return
    fields = _fields(model, names)
    json_places = [place for place, field in enumerate(fields) if isinstance(field, JSONField)]
    statement = f"COPY {_table(model)} ({_columns(fields)}) FROM STDIN"
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(_with_json_text(row, json_places) if json_places else row)


class Writes:
    """Changes that are made together, by one statement: each is a part of its WITH.

    Legal if none of them reads what another writes, since all see the tables as they were before,
    and if no row is changed by two: PostgreSQL would silently keep one of the changes and drop the
    other. The second condition is checked here.
    Raises: ValueError on a second change of a row.
    """

    def __init__(self) -> None:
        self._changes: list[str] = []
        self._values: list[Any] = []
        self._changed_keys: dict[type[Model], set[Any]] = defaultdict(set)

    def add(
        self, change: str, values: Iterable[Any], *, model: type[Model], keys: Sequence[Any] = ()
    ) -> None:
        """Add an INSERT, UPDATE or DELETE; `keys`: the rows of `model` that it changes."""
        changed_keys = self._changed_keys[model]
        if len(changed_keys) + len(keys) != len(changed_keys.union(keys)):
            raise ValueError(f"Two changes of one {model.__name__} in one statement.")
        changed_keys.update(keys)
        self._changes.append(change)
        self._values += values

    def insert(self, model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows, as `copy_rows` does, which is quicker for many or large ones."""
        if rows:
            columns = _columns(_fields(model, names))
            new, document = as_table(model, names, rows)
            insert = (
                f"INSERT INTO {_table(model)} ({columns}) "  # noqa: S608  our own names
                f"SELECT {columns} FROM {new}"
            )
            self.add(insert, [document], model=model)

    def update(self, model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
        """Change stored rows, found by their first value: `names` begins with the key."""
        if rows:
            key, *others = [_quoted(field.column) for field in _fields(model, names)]
            changes = ", ".join(f"{name} = new.{name}" for name in others)
            new, document = as_table(model, names, rows)
            update = (
                f"UPDATE {_table(model)} AS old SET {changes} "  # noqa: S608  our own names
                f"FROM {new} WHERE old.{key} = new.{key}"
            )
            self.add(update, [document], model=model, keys=[row[0] for row in rows])

    def delete(self, model: type[Model], keys: Sequence[int]) -> None:
        """Delete these rows."""
        if keys:
            delete = f"DELETE FROM {_table(model)} WHERE id = ANY(%s)"  # noqa: S608  quoted
            self.add(delete, [list(keys)], model=model, keys=keys)

    def run(self) -> None:
        """Make all changes."""
        if not self._changes:
            return
        *others, last = self._changes
        together = ", ".join(
            f"change_{number} AS ({change})" for number, change in enumerate(others)
        )
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {together} {last}" if others else last, self._values)


def compared[K, V](
    stored: Mapping[K, tuple[int, V]], wanted: Mapping[K, V]
) -> tuple[list[K], list[K], list[K]]:
    """The places where a row is to be added, changed and removed. `stored`: with the rows' keys."""
    added = [place for place in wanted if place not in stored]
    changed = [place for place in wanted if place in stored and stored[place][1] != wanted[place]]
    removed = [place for place in stored if place not in wanted]
    return added, changed, removed


def insert_rows(
    model: type[Model], names: Sequence[str], rows: Sequence[Row], *, returning: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Insert rows that are not stored yet; the `returning` columns of those.

    In the order given, so that two writers wait for each other instead of deadlocking.
    """
    if not rows:
        return []
    columns = _columns(_fields(model, names))
    returned = _columns(_fields(model, returning))
    new, document = as_table(model, names, rows)
    statement = (
        f"INSERT INTO {_table(model)} ({columns}) SELECT {columns} FROM {new} "  # noqa: S608
        f"ON CONFLICT DO NOTHING RETURNING {returned}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [document])
        return list(cursor.fetchall())


def _fields(model: type[Model], names: Sequence[str]) -> list["Field[Any, Any]"]:
    # Not get_field(), which does not know a foreign key by the name of its column.
    by_name = {
        name: field for field in model._meta.concrete_fields for name in (field.name, field.attname)
    }
    return [by_name[name] for name in names]


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


def _table(model: type[Model]) -> str:
    return _quoted(model._meta.db_table)


def _columns(fields: Iterable["Field[Any, Any]"]) -> str:
    return ", ".join(_quoted(field.column) for field in fields)


def as_table(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> tuple[str, str]:
    """These rows as a table `new` of a statement, and its one parameter.

    The table's columns have the names and types of the model's.
    """
    fields = _fields(model, names)
    definitions = ", ".join(
        f"{_quoted(field.column)} {field.rel_db_type(connection)}" for field in fields
    )
    columns = [field.column for field in fields]
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    document = json.dumps(objects, default=_as_text, ensure_ascii=False)
    return f"json_to_recordset(%s) AS new({definitions})", document


def _as_text(value: Any) -> str:
    """A value that JSON has no form for, as PostgreSQL reads it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no column type here")


def _with_json_text(row: Row, json_places: Sequence[int]) -> Row:
    if all(row[place] is None for place in json_places):
        return row
    return [
        json.dumps(value) if place in json_places and value is not None else value
        for place, value in enumerate(row)
    ]
