"""A person's values laid over what GES said."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from jobs.ges.fields import MAX_COUNT
from jobs.ges.shapes import FileReply, JobReply
from jobs.ges.words import Verdict
from jobs.sentences import Sentence, gettext_noop

#: What a reply says of a job; a correction of it is laid over the reply, and all that follows is derived anew.
REPLY_FIELDS = ("status", "job_name", "job_type", "begin_time", "end_time", "fail_reason")
#: What gesdash itself says of a job.
JOB_FIELDS = (*REPLY_FIELDS, "verdict", "graph", "is_hidden")
FILE_FIELDS = ("status", "path", "cause", "log", "total_lines", "failed_lines", "successful_lines")
GRAPH_FIELDS = ("name", "is_deleted")
_FLAGS = ("is_hidden", "is_deleted")
_NEVER_EMPTY = {"status", "verdict", "graph", "name", *_FLAGS}


class CorrectionStanding(StrEnum):
    """What GES's newest reply makes of a correction."""

    NEEDLESS = "needless"
    CONTRADICTED = "contradicted"


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
        if field in _NEVER_EMPTY:
            text = (
                gettext_noop("A status can't be empty.")
                if field == "status"
                else gettext_noop("This value can't be empty.")
            )
            raise ValueError(Sentence(text))
        return "" if field == "path" else None
    if field.endswith("_lines"):
        if not value.isascii() or not value.isdigit() or int(value) > MAX_COUNT:
            text = gettext_noop(
                "“{value}” is not a valid line count; expected a whole number, or "
                "nothing if unknown."
            )
            raise ValueError(Sentence(text, {"value": value}))
        return int(value)
    if field.endswith("_time"):
        return _time(value)
    if field == "verdict":
        return _word(value, [word.value for word in Verdict])
    if field in _FLAGS:
        return _word(value, ["yes", "no"]) == "yes"
    if "\x00" in value:
        raise ValueError(Sentence(gettext_noop("Null characters (code 0) are not allowed.")))
    return value


def as_text(value: Any) -> str | None:
    """A value as corrections keep it; what is unknown or empty is None."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _word(value: str, words: list[str]) -> str:
    if value not in words:
        text = gettext_noop("“{value}” is not valid; expected one of {words}.")
        raise ValueError(Sentence(text, {"value": value, "words": ", ".join(words)}))
    return value


def _time(value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (
        ValueError,
        OverflowError,
    ) as wrong:  # the first and the last day reach past the calendar in some zones
        text = gettext_noop(
            "“{value}” is not a valid time; expected for example 2026-01-31T08:15:00Z."
        )
        raise ValueError(Sentence(text, {"value": value})) from wrong


def lay_over(reply: JobReply, corrections: Iterable[Corrected]) -> JobReply:
    """The reply with corrected values in place; one for a file that is no longer there changes nothing."""
    changed: dict[tuple[str, int | None], dict[str, Any]] = {}
    for one in corrections:
        if one.kind or one.field in REPLY_FIELDS:
            changed.setdefault((one.kind, one.position), {})[one.field] = read_value(
                one.field, one.corrected
            )
    files: list[FileReply] = [
        replace(file, **changed.get((file.kind, file.position), {})) for file in reply.files
    ]
    return replace(reply, files=tuple(files), **changed.get(("", None), {}))


def said_of(reply: JobReply, kind: str, position: int | None, field: str) -> str | None:
    """What the reply itself says there, as text; None too where it has no such file."""
    if not kind:
        return as_text(getattr(reply, field))
    told = next(
        (file for file in reply.files if (file.kind, file.position) == (kind, position)), None
    )
    return None if told is None else as_text(getattr(told, field))


def standing(observed: str | None, newest: str | None, corrected: str | None) -> str:
    """What a newer reply makes of a correction: needless when it says the same, contradicted when it says a third thing."""
    if newest == observed:
        return ""
    return (
        CorrectionStanding.NEEDLESS if newest == corrected else CorrectionStanding.CONTRADICTED
    ).value
