"""Reads and validates JSON Lines of replies, without the database."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from jobs.ges.answer import MAX_BODY
from jobs.ges.errors import GesError
from jobs.ges.fields import MAX_ID, IdFault, id_fault
from jobs.ges.shapes import JobReply
from jobs.ingest.moved import BadLine, is_moved, read_moved, read_reply, time_of, whole_number
from jobs.record import Moved

BATCH_LINES = 2000
MAX_LINE = MAX_BODY * 2  # a body as text inside JSON is escaped, so a line may be longer than it


@dataclass(frozen=True, slots=True)
class IngestLine:
    """A valid line, with its body as a reply or the error that says why it is none."""

    number: int
    raw: bytes
    project_id: str
    graph_id: str | None
    graph_name: str
    job_id: str
    observed_at: datetime
    http_status: int | None
    body: bytes | None
    reply: JobReply | None
    error: GesError | None
    source: str = "ingest"
    content_type: str = ""
    moved: Moved | None = None


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that can't be recorded, and the reason."""

    number: int
    raw: bytes
    reason: str


def batches(lines: IO[bytes]) -> Iterator[list[IngestLine | RejectedLine]]:
    """All lines, in batches bounded by number and size, so that memory is bounded."""
    batch: list[IngestLine | RejectedLine] = []
    size = 0
    for number, raw in _numbered(lines):
        try:
            batch.append(parse_line(number, raw))
        except BadLine as error:
            batch.append(RejectedLine(number, raw, str(error)))
        size += len(raw)
        if len(batch) >= BATCH_LINES or size >= MAX_BODY:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers.

    A line over the limit is cut there and read past, so that memory is bounded.
    """
    number = 0
    while raw := lines.readline(MAX_LINE + 1):
        number += 1
        rest = raw
        while len(raw) > MAX_LINE and not rest.endswith(b"\n") and rest:
            rest = lines.readline(MAX_LINE)
        if raw.strip():
            yield number, raw


def parse_line(number: int, raw: bytes) -> IngestLine:
    """Validate one line.

    Raises: BadLine that names the field and what was expected.
    """
    if len(raw) > MAX_LINE:
        raise BadLine(f"longer than {MAX_LINE:,} bytes.")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {str(error)[:200]}.") from error
    if not isinstance(data, dict):
        raise BadLine(
            'expected an object with "project_id", "graph_id", "job_id", "observed_at", '
            '"http_status" and "body".'
        )

    ids = (_id(data, "project_id"), _graph_id(data), _graph_name(data), _id(data, "job_id"))
    observed_at = time_of(data, "observed_at")
    if is_moved(data):
        return IngestLine(
            number, raw, *ids, observed_at, **read_moved(data, ids[-1], observed_at, _body)
        )
    http_status = whole_number(data, "http_status", 100, 599)
    body = _body(data)
    try:
        return IngestLine(
            number,
            raw,
            *ids,
            observed_at,
            http_status,
            body,
            read_reply(body, http_status, ids[-1]),
            None,
        )
    except GesError as error:
        return IngestLine(number, raw, *ids, observed_at, http_status, body, None, error)


def _graph_id(data: dict[str, Any]) -> str | None:
    """None if only the name is known, as of a deleted graph."""
    return (
        None
        if data.get("graph_id", "") is None and data.get("graph_name")
        else _id(data, "graph_id")
    )


def _id(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if name not in data:
        raise BadLine(f"{name}: missing.")
    if not isinstance(value, str) or not value:
        raise BadLine(f"{name}: expected text, got {value!r:.80}.")
    match id_fault(value):
        case IdFault.LENGTH:
            raise BadLine(f"{name}: {len(value)} characters; expected at most {MAX_ID}.")
        case IdFault.CHARACTERS:
            raise BadLine(
                f"{name}: {value!r:.80} is not an id GES could have given "
                "(a slash, dots only or unprintable characters)."
            )
    return value


def _graph_name(data: dict[str, Any]) -> str:
    value = data.get("graph_name")
    if value is None:
        return ""
    if (
        not isinstance(value, str)
        or len(value) > MAX_ID
        or "\x00" in value
        or not value.isprintable()
    ):
        raise BadLine(
            f"graph_name: expected text of at most {MAX_ID} characters, got {value!r:.80}."
        )
    return value


def _body(data: dict[str, Any]) -> bytes:
    value = data.get("body")
    if "body" not in data or value is None:
        raise BadLine("body: missing; expected GES's reply as text or as an object.")
    if isinstance(value, str):
        body = _bytes_of(value)
    else:
        body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(body) > MAX_BODY:
        raise BadLine(f"body: {len(body):,} bytes; the limit is {MAX_BODY:,}.")
    return body


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # The export writes bytes that were not UTF-8 as lone surrogates; they come back the same.
        surrogates = [character for character in text if "\ud800" <= character <= "\udfff"]
        escaped = all("\udc80" <= character <= "\udcff" for character in surrogates)
        return text.encode("utf-8", "surrogateescape" if escaped else "surrogatepass")
