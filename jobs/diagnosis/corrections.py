"""Corrections: a person's values laid over those of GES."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from jobs.ges.fields import MAX_COUNT
from jobs.ges.shapes import FileReply, JobReply
from jobs.ges.words import Verdict
from jobs.sentences import Sentence, gettext_noop

#: Fields of a reply. A correction is laid over the reply, and all that follows is derived again.
REPLY_FIELDS = ("status", "job_name", "job_type", "begin_time", "end_time", "fail_reason")
FILE_FIELDS = ("status", "path", "cause", "log", "total_lines", "failed_lines", "successful_lines")
#: Fields of a job that no reply has; only corrections tell their former values.
OWN_FIELDS = ("graph", "is_hidden")
#: With the verdict, which gesdash derives itself.
JOB_FIELDS = (*REPLY_FIELDS, "verdict", *OWN_FIELDS)
GRAPH_FIELDS = ("name", "is_deleted")
_FLAGS = ("is_hidden", "is_deleted")
_NEVER_EMPTY = {"status", "verdict", "graph", "name", *_FLAGS}


class CorrectionStanding(StrEnum):
    """How GES's newest reply bears on a correction."""

    NEEDLESS = "needless"
    CONTRADICTED = "contradicted"


class Corrected(Protocol):
    """One corrected value.

    `kind` is empty for the job itself; `corrected` is text, None for unknown.
    """

    kind: str
    position: int | None
    field: str
    corrected: str | None


def read_value(field: str, value: str | None) -> Any:
    """The text of a correction as the field's type.

    Raises: ValueError with a Sentence that names what was expected.
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
    """A value as corrections store it; None for an unknown or empty one."""
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
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    # OverflowError: the first and the last day reach past the calendar in some zones.
    except (ValueError, OverflowError) as error:
        text = gettext_noop(
            "“{value}” is not a valid time; expected for example 2026-01-31T08:15:00Z."
        )
        raise ValueError(Sentence(text, {"value": value})) from error


def lay_over(reply: JobReply, corrections: Iterable[Corrected]) -> JobReply:
    """The reply with corrected values in place; a correction of a missing file changes nothing."""
    values: dict[tuple[str, int | None], dict[str, Any]] = defaultdict(dict)
    for correction in corrections:
        field = correction.field
        if correction.kind or field in REPLY_FIELDS:
            key = correction.kind, correction.position
            values[key][field] = read_value(field, correction.corrected)
    files: list[FileReply] = [
        replace(file, **values.get((file.kind, file.position), {})) for file in reply.files
    ]
    return replace(reply, files=tuple(files), **values.get(("", None), {}))


def value_in_reply(reply: JobReply, kind: str, position: int | None, field: str) -> str | None:
    """The reply's own value, as text; None too where it has no such file."""
    if not kind:
        return as_text(getattr(reply, field))
    files = (file for file in reply.files if (file.kind, file.position) == (kind, position))
    file = next(files, None)
    return None if file is None else as_text(getattr(file, field))


def standing(observed: str | None, newest: str | None, corrected: str | None) -> str:
    """How a newer reply bears on a correction.

    Empty while GES repeats the value that was corrected; needless when GES now has the corrected
    value; contradicted when it has a third one.
    """
    if newest == observed:
        return ""
    if newest == corrected:
        return CorrectionStanding.NEEDLESS.value
    return CorrectionStanding.CONTRADICTED.value
