"""Reads the additional fields of lines that another gesdash exported.

They describe whole runs, removed replies and failed polls.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jobs.ges.errors import GesError, WrongJob
from jobs.ges.fields import MAX_ID
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.models.reply import Source
from jobs.record import Moved

MAX_COUNT = 2**31 - 1


class BadLine(Exception):
    """A line that can't be recorded; the message says what was expected."""


class MovedMiss(GesError):
    """Why a poll of another gesdash got no usable answer."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def is_moved(data: dict[str, Any]) -> bool:
    """Whether the line is of an export; other lines may have some of these keys, not all."""
    return "sha256" in data and "last_seen_at" in data and "seen" in data and "source" in data


def read_moved(
    data: dict[str, Any],
    job_id: str,
    observed_at: datetime,
    read_body: Callable[[dict[str, Any]], bytes],
) -> dict[str, Any]:
    """The remaining fields of an `IngestLine`.

    Raises: BadLine that names the field and what was expected.
    """
    source = _one_of(data, "source", Source.values)
    last_seen_at = time_of(data, "last_seen_at")
    seen = whole_number(data, "seen", 1, MAX_COUNT)
    if last_seen_at < observed_at or (seen == 1 and last_seen_at != observed_at):
        raise BadLine(
            f"last_seen_at: {data['last_seen_at']} does not fit {seen:,} times seen "
            f"from {data['observed_at']}."
        )
    if data.get("miss") is not None:
        return {"source": source} | _miss_fields(data, Moved(last_seen_at, seen, b""), read_body)

    moved = Moved(last_seen_at, seen, _hash(data, "sha256"))
    if data.get("version") is not None:
        moved.version = whole_number(data, "version", 1, 2)
    if data.get("link") is not None:
        moved.number = whole_number(data, "number", 1, MAX_COUNT)
        moved.link = _hash(data, "link")

    status = whole_number(data, "http_status", 100, 599)
    fields = {
        "source": source,
        "http_status": status,
        "content_type": _text(data, "content_type", MAX_ID),
        "moved": moved,
    }
    if data.get("removed_size") is not None:
        moved.size = whole_number(data, "removed_size", 0, MAX_COUNT)
        return fields | {"body": None, "reply": None, "error": None}
    return fields | _reply_fields(
        read_body(data), status, job_id, moved, has_version=data.get("version") is not None
    )


def _reply_fields(
    body: bytes, status: int, job_id: str, moved: Moved, *, has_version: bool
) -> dict[str, Any]:
    if hashlib.sha256(body).digest() != moved.sha256:
        raise BadLine("sha256: it is not that of the body, which is not as it was exported.")
    try:
        reply = read_reply(body, status, job_id)
    except GesError as error:
        return {"body": body, "reply": None, "error": error}
    # The version of the API it came by, which its keys need not show.
    return {
        "body": body,
        "reply": replace(reply, version=moved.version) if has_version else reply,
        "error": None,
    }


def _miss_fields(
    data: dict[str, Any], moved: Moved, read_body: Callable[[dict[str, Any]], bytes]
) -> dict[str, Any]:
    kind = data["miss"]
    if not isinstance(kind, str) or not 0 < len(kind) <= 20 or not kind.isprintable():
        raise BadLine(f"miss: expected a kind of at most 20 characters, got {kind!r:.80}.")
    return {
        "http_status": None
        if data.get("http_status") is None
        else whole_number(data, "http_status", 100, 599),
        "body": None if data.get("body") is None else read_body(data),
        "reply": None,
        "error": MovedMiss(kind, _text(data, "detail", 2000)),
        "moved": moved,
    }


def read_reply(body: bytes, http_status: int, job_id: str) -> JobReply:
    """Parse the body.

    Raises: BadLine if it is about another job; GesError if it is no reply.
    """
    try:
        return parse_reply(body, http_status=http_status, job_id=job_id)
    except WrongJob as error:
        raise BadLine(f"body: {error}") from error


def time_of(data: dict[str, Any], name: str) -> datetime:
    """A time in UTC, which it is also taken for without a zone. Raises: BadLine."""
    value = data.get(name)
    try:
        if not isinstance(value, str):
            raise ValueError
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLine(
            f"{name}: expected a time such as 2026-01-31T08:15:00Z, got {value!r:.80}."
        ) from error


def whole_number(data: dict[str, Any], name: str, least: int, most: int) -> int:
    """A number within bounds. Raises: BadLine."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadLine(f"{name}: expected a whole number from {least} to {most}, got {value!r:.80}.")
    return value


def _one_of(data: dict[str, Any], name: str, words: list[str]) -> str:
    value = data.get(name)
    if value not in words:
        raise BadLine(f"{name}: expected {', '.join(words)}, got {value!r:.80}.")
    return str(value)


def _text(data: dict[str, Any], name: str, most: int) -> str:
    value = data.get(name) or ""
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise BadLine(f"{name}: expected text of at most {most} characters, got {value!r:.80}.")
    return value


def _hash(data: dict[str, Any], name: str) -> bytes:
    value = data.get(name)
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise BadLine(f"{name}: expected 64 hex digits, got {value!r:.80}.")
    return digest
