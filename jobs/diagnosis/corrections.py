"""A person's values laid over what GES said."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from jobs.ges.fields import MAX_COUNT
from jobs.ges.reply import FileReply, JobReply
from jobs.ges.sentence import Sentence, gettext_noop

JOB_FIELDS = ("status", "job_name", "job_type", "begin_time", "end_time", "fail_reason")
FILE_FIELDS = ("status", "path", "cause", "log", "total_lines", "failed_lines", "successful_lines")


class Corrected(Protocol):
    """One corrected value; `kind` is empty for the job itself, `corrected` is text, None for unknown."""

    kind: str
    position: int | None
    field: str
    corrected: str | None


def read_value(field: str, value: str | None) -> Any:
    """The text of a correction as the field's type.

    Raises: ValueError with a Sentence saying what was expected.
    """
    if value is None or value == "":
        if field == "status":
            raise ValueError(Sentence(gettext_noop("A status can't be empty.")))
        return "" if field == "path" else None
    if field.endswith("_lines"):
        if not value.isascii() or not value.isdigit() or int(value) > MAX_COUNT:
            text = gettext_noop("“{value}” is not a count of lines; expected a whole number, or nothing for unknown.")
            raise ValueError(Sentence(text, {"value": value}))
        return int(value)
    if field.endswith("_time"):
        return _time(value)
    return value


def _time(value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:  # the first and the last day reach past the calendar in some zones
        text = gettext_noop("“{value}” is not a time; expected for example 2026-01-31T08:15:00Z.")
        raise ValueError(Sentence(text, {"value": value})) from wrong


def lay_over(reply: JobReply, corrections: Iterable[Corrected]) -> JobReply:
    """The reply with corrected values in place; one for a file that is no longer there changes nothing."""
    changed: dict[tuple[str, int | None], dict[str, Any]] = {}
    for one in corrections:
        changed.setdefault((one.kind, one.position), {})[one.field] = read_value(one.field, one.corrected)
    files: list[FileReply] = [replace(file, **changed.get((file.kind, file.position), {})) for file in reply.files]
    return replace(reply, files=tuple(files), **changed.get(("", None), {}))
