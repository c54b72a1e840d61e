"""Many rows in one statement: COPY for new ones, one JSON document for the others. The ORM would bind each value by itself."""

import json
from collections.abc import Iterable, Sequence
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
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(_with_json_text(row, nested) if nested else row)


def update_rows(model: type[Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Update rows that are there, found by their first value: `names` begins with the key."""
    if not rows:
        return
    fields = _fields(model, names)
    key, *others = [_quoted(field.column) for field in fields]
    changes = ", ".join(f"{column} = new.{column}" for column in others)
    statement = f"UPDATE {_table(model)} AS old SET {changes} FROM {_as_new(fields)} WHERE old.{key} = new.{key}"  # noqa: S608  quoted
    with connection.cursor() as cursor:
        cursor.execute(statement, [_document(rows, fields)])


def insert_rows(
    model: type[Model], names: Sequence[str], rows: Sequence[Row], *, conflict: str = "DO NOTHING", returning: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Insert rows in the order given, so that two writers wait for each other instead of deadlocking.

    `conflict` is what follows ON CONFLICT. Returns the `returning` columns of the rows inserted or updated.
    """
    if not rows:
        return []
    fields = _fields(model, names)
    columns, back = _columns(fields), _columns(_fields(model, returning))
    statement = (
        f"INSERT INTO {_table(model)} ({columns}) SELECT {columns} FROM {_as_new(fields)} "  # noqa: S608  quoted
        f"ON CONFLICT {conflict} RETURNING {back}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_document(rows, fields)])
        return list(cursor.fetchall())


def _fields(model: type[Model], names: Sequence[str]) -> list["Field[Any, Any]"]:
    # not get_field(), which does not know a foreign key by the name of its column
    known = {name: field for field in model._meta.concrete_fields for name in (field.name, field.attname)}
    return [known[name] for name in names]


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


def _table(model: type[Model]) -> str:
    return _quoted(model._meta.db_table)


def _columns(fields: Iterable["Field[Any, Any]"]) -> str:
    return ", ".join(_quoted(field.column) for field in fields)


def _as_new(fields: Iterable["Field[Any, Any]"]) -> str:
    """The rows of one JSON document, given as the statement's parameter, as a table `new`."""
    typed = ", ".join(f"{_quoted(field.column)} {field.rel_db_type(connection)}" for field in fields)
    return f"json_to_recordset(%s) AS new({typed})"


def _document(rows: Sequence[Row], fields: Sequence["Field[Any, Any]"]) -> str:
    columns = [field.column for field in fields]
    return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_as_text, ensure_ascii=False)


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
    return [json.dumps(value) if at in nested and value is not None else value for at, value in enumerate(row)]
