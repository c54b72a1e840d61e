"""Many rows in one statement: COPY for new ones, one JSON document for the others. The ORM would bind each value by itself."""

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
    """Append rows, their values in the order of `names` (as in `values_list`), other columns left to the database."""
    if not rows:
        return
    fields = _fields(model, names)
    nested = [at for at, field in enumerate(fields) if isinstance(field, JSONField)]
    statement = f"COPY {_table(model)} ({_columns(fields)}) FROM STDIN"
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(_with_json_text(row, nested) if nested else row)


class Writes:
    """Changes that are made together, by one statement: each is a part of its WITH.

    Legal where none of them reads what another writes, since all see the tables as they were before,
    and where no row is changed by two: PostgreSQL would keep one of the changes and drop the other
    without a word. The second is held here.
    Raises: ValueError on a second change of a row.
    """

    def __init__(self) -> None:
        self._changes: list[str] = []
        self._values: list[Any] = []
        self._changed_keys: dict[type[Model], set[Any]] = defaultdict(set)

    def add(
        self, change: str, values: Iterable[Any], *, model: type[Model], keys: Sequence[Any] = ()
    ) -> None:
        """Add an INSERT, UPDATE or DELETE. `keys`: the rows of `model` that it changes or deletes."""
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
            insert = f"INSERT INTO {_table(model)} ({columns}) SELECT {columns} FROM {new}"  # noqa: S608  our own names
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
    """Which of the wanted rows are new, which are to say something else, and which stored ones are to go; `stored` with keys."""
    new = [place for place in wanted if place not in stored]
    other = [place for place in wanted if place in stored and stored[place][1] != wanted[place]]
    return new, other, [place for place in stored if place not in wanted]


def insert_rows(
    model: type[Model], names: Sequence[str], rows: Sequence[Row], *, returning: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Insert rows in the order given, so that two writers wait for each other instead of deadlocking.

    Returns the `returning` columns of those that were not there.
    """
    if not rows:
        return []
    columns, back = _columns(_fields(model, names)), _columns(_fields(model, returning))
    new, document = as_table(model, names, rows)
    statement = (
        f"INSERT INTO {_table(model)} ({columns}) SELECT {columns} FROM {new} "  # noqa: S608  quoted
        f"ON CONFLICT DO NOTHING RETURNING {back}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [document])
        return list(cursor.fetchall())


def _fields(model: type[Model], names: Sequence[str]) -> list["Field[Any, Any]"]:
    # not get_field(), which does not know a foreign key by the name of its column
    known = {
        name: field for field in model._meta.concrete_fields for name in (field.name, field.attname)
    }
    return [known[name] for name in names]


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


def _table(model: type[Model]) -> str:
    return _quoted(model._meta.db_table)


def _columns(fields: Iterable["Field[Any, Any]"]) -> str:
    return ", ".join(_quoted(field.column) for field in fields)


def as_table(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> tuple[str, str]:
    """These rows as a table `new` of a statement, with the types of the model's columns, and the parameter it takes."""
    fields = _fields(model, names)
    typed = ", ".join(
        f"{_quoted(field.column)} {field.rel_db_type(connection)}" for field in fields
    )
    columns = [field.column for field in fields]
    document = [dict(zip(columns, row, strict=True)) for row in rows]
    return f"json_to_recordset(%s) AS new({typed})", json.dumps(
        document, default=_as_text, ensure_ascii=False
    )


def _as_text(value: Any) -> str:
    """What JSON has no form for, as PostgreSQL reads it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no column type here")


def _with_json_text(row: Row, nested: Sequence[int]) -> Row:
    if all(row[at] is None for at in nested):
        return row
    return [
        json.dumps(value) if at in nested and value is not None else value
        for at, value in enumerate(row)
    ]
