"""Bytes of GES -> JobReply, JobPage, GraphPage. The only place that knows the keys of v1 and v2.

Source: GES API Reference, Querying Job Status and Querying the Job List, v1 and v2.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from jobs.ges.errors import ErrorReply, NotAJobStatus, Refused, Throttled, TooLarge, WrongJob
from jobs.ges.sentence import Sentence, gettext_noop
from jobs.ges.words import Verdict, meaning

MAX_BODY = 8 * 1024 * 1024
MAX_ID = 255
MAX_COUNT = 2**63 - 1

_KINDS = {
    "schema": ("schemaPath", "schema_path"),
    "vertex": ("vertexsetPath", "vertexset_path"),
    "edge": ("edgesetPath", "edgeset_path"),
}
_KNOWN_JOB = {
    "errorMessage",
    "errorCode",
    "error_msg",
    "error_code",
    "errCode",
    "externalMessage",
    "jobId",
    "job_id",
    "status",
    "jobType",
    "job_type",
    "jobName",
    "job_name",
    "relatedGraph",
    "related_graph",
    "beginTime",
    "begin_time",
    "endTime",
    "end_time",
    "jobDetail",
    "job_detail",
    "failReason",
    "fail_reason",
    "jobProgress",
    "job_progress",
    "Job",
}
_KNOWN_FILE = {
    "path",
    "log",
    "status",
    "cause",
    "totalLines",
    "total_lines",
    "failedLines",
    "failed_lines",
    "successfulLines",
    "successful_lines",
    "jobId",
    "job_id",
}
_TIME = re.compile(r"^\(?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)? ?(Z|[+-]\d\d:?\d\d)?\)?$")


@dataclass(frozen=True, slots=True)
class FileReply:
    """One file of an import, as GES told it; counts in lines, None when GES told none."""

    kind: str
    position: int
    path: str
    log: str | None
    status: str
    cause: str | None
    total_lines: int | None
    failed_lines: int | None
    successful_lines: int | None


@dataclass(frozen=True, slots=True)
class JobReply:
    """One job status. `status` is GES's word as it came; `oddities` say what was unusual."""

    version: int
    job_id: str | None
    status: str
    job_type: str | None
    job_name: str | None
    related_graph: str | None
    begin_time: datetime | None
    end_time: datetime | None
    fail_reason: str | None
    files: tuple[FileReply, ...]
    oddities: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of the task centre: how many jobs there are in all, and each job with the very bytes that told it."""

    count: int
    jobs: tuple[tuple[JobReply, bytes], ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GraphReply:
    """One graph of the graph list."""

    graph_id: str
    name: str
    status: str | None


@dataclass(frozen=True, slots=True)
class GraphPage:
    """A page of the graph list."""

    count: int
    graphs: tuple[GraphReply, ...]


def parse_reply(body: bytes, *, http_status: int = 200, job_id: str | None = None) -> JobReply:
    """Read one GES job status.

    Shape: v1 camelCase or v2 snake_case object, flat or wrapped in `Job` -> JobReply, files in the order sent.
    Units: times UTC-aware; counts in lines, None when GES sent -1 or nothing (not zero).
    Raises: ErrorReply when GES told an error; WrongJob when the body names another job than `job_id`; NotAJobStatus,
    saying what came, for all else. An unlisted word is UNKNOWN, never final.
    """
    data = _object(body, http_status)
    wrapped = data.get("Job")
    if isinstance(wrapped, dict) and "status" not in data:
        data = {**{key: value for key, value in data.items() if key != "Job"}, **wrapped}
    _raise_for_error(data, http_status)
    reply = _job(data)
    if job_id is not None and reply.job_id is not None and reply.job_id != job_id:
        raise WrongJob(f"The reply is about job {_short(reply.job_id)}, not {_short(job_id)}.")
    return reply


def parse_job_page(body: bytes, *, http_status: int = 200) -> JobPage:
    """Read a page of the task centre; a job in it that can't be read is named in `refused`, the others are kept.

    Raises: as parse_reply.
    """
    data = _object(body, http_status)
    key = "jobList" if "jobList" in data else "job_list"
    _raise_for_error(data, http_status, unless=key)
    items = _array(data.get(key))
    if key not in data:
        raise NotAJobStatus(f"The reply is not a job list: an object with {_keys(data)}.")
    jobs, refused = [], []
    for number, (item, raw) in enumerate(zip(items, _texts_of(body, key, items), strict=True), 1):
        try:
            if not isinstance(item, dict):
                raise NotAJobStatus(f"expected an object, got {_kind_of(item)}")
            jobs.append((_job(item), raw))
        except NotAJobStatus as wrong:
            refused.append(f"Item {number} of the job list: {wrong}")
    count = _count(_first(data, "jobCount", "job_count"), "jobCount", [])
    return JobPage(count if count is not None else len(items), tuple(jobs), tuple(refused))


def parse_graph_page(body: bytes, *, http_status: int = 200) -> GraphPage:
    """Read a page of the graph list; items without id or name are left out.

    Raises: as parse_reply.
    """
    data = _object(body, http_status)
    _raise_for_error(data, http_status, unless="graphs")
    if "graphs" not in data:
        raise NotAJobStatus(f"The reply is not a graph list: an object with {_keys(data)}.")
    items = _array(data["graphs"])
    graphs = tuple(
        GraphReply(item["id"], item["name"], _text(item.get("status")))
        for item in items
        if isinstance(item, dict) and _is_id(item.get("id")) and isinstance(item.get("name"), str) and item["name"]
    )
    count = _count(_first(data, "graphCount", "graph_count"), "graphCount", [])
    return GraphPage(count if count is not None else len(items), graphs)


def _object(body: bytes, http_status: int) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise TooLarge(f"The reply has {len(body):,} bytes; the limit is {MAX_BODY:,}.")
    try:
        # Decimal: a count sent as 1659.0 must not pass through a float. Long digits are refused by the decoder itself.
        data = json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as wrong:
        _raise_for_status(http_status, "", "")
        raise NotAJobStatus(f"The reply is not JSON: {_what_came(body)} ({_short(str(wrong), 120)}).") from wrong
    if not isinstance(data, dict):
        _raise_for_status(http_status, "", "")
        raise NotAJobStatus(f"The reply is {_kind_of(data)}; expected an object with a status.")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _raise_for_error(data: dict[str, Any], http_status: int, unless: str = "status") -> None:
    code = _text(_first(data, "errorCode", "error_code", "errCode")) or ""
    message = _text(_first(data, "errorMessage", "error_msg", "externalMessage")) or ""
    _raise_for_status(http_status, code, message)
    if code and data.get(unless) in (None, ""):
        raise ErrorReply(http_status, code, message)


def _raise_for_status(http_status: int, code: str, message: str) -> None:
    if http_status == 200:
        return
    if http_status == 429 or code.endswith(".0308"):
        raise Throttled(http_status, code, message)
    if http_status in {401, 403}:
        raise Refused(http_status, code, message)
    if 300 <= http_status < 400:
        raise NotAJobStatus(f"GES answered HTTP {http_status}, a redirect; expected 200 with a job status.")
    raise ErrorReply(http_status, code, message)


def _job(data: dict[str, Any]) -> JobReply:
    odd: list[Sentence] = []
    status = data.get("status")
    if not isinstance(status, str) or not status.strip():
        raise NotAJobStatus(f"The reply has no status: an object with {_keys(data)}.")
    if meaning(status) is Verdict.UNKNOWN:
        odd.append(Sentence(gettext_noop("GES's word “{word}” is not in its documentation."), {"word": _short(status)}))
    if stray := sorted(set(data) - _KNOWN_JOB):
        odd.append(
            Sentence(gettext_noop("The reply has unknown fields: {fields}."), {"fields": _short(", ".join(stray), 200)})
        )
    job_id = _text(_first(data, "jobId", "job_id")) or None
    if job_id is not None and not _is_id(job_id):
        raise NotAJobStatus(f"The job id has {len(job_id)} characters or unprintable ones; expected at most {MAX_ID}.")
    detail = _first(data, "jobDetail", "job_detail")
    snake = any("_" in key and key in data for key in ("job_id", "job_name", "begin_time", "job_detail", "related_graph"))
    return JobReply(
        version=2 if snake and "jobId" not in data else 1,
        job_id=job_id,
        status=_clean(status),
        job_type=_text(_first(data, "jobType", "job_type")),
        job_name=_name(_first(data, "jobName", "job_name"), odd),
        related_graph=_text(_first(data, "relatedGraph", "related_graph")),
        begin_time=_time(_first(data, "beginTime", "begin_time"), "beginTime", odd),
        end_time=_time(_first(data, "endTime", "end_time"), "endTime", odd),
        fail_reason=_text(_first(data, "failReason", "fail_reason")) or None,
        files=_files(detail, odd),
        oddities=tuple(odd),
    )


def _files(detail: Any, odd: list[Sentence]) -> tuple[FileReply, ...]:
    if detail is None:
        return ()
    if not isinstance(detail, dict):
        odd.append(_not_an_object("jobDetail", detail))
        return ()
    files = []
    for kind, names in _KINDS.items():
        value = _first(detail, *names)
        if value is not None and not isinstance(value, (list, dict)):
            text = gettext_noop("“{place}”: expected an array, got “{value}”.")
            odd.append(Sentence(text, {"place": names[0], "value": _short(_text(value) or "")}))
            continue
        for position, item in enumerate(_array(value)):
            if isinstance(item, dict):
                files.append(_file(kind, position, item, f"{names[0]}[{position}]", odd))
            else:
                odd.append(_not_an_object(f"{names[0]}[{position}]", item))
    return tuple(files)


def _not_an_object(place: str, value: Any) -> Sentence:
    text = gettext_noop("“{place}”: expected an object, got “{value}”.")
    return Sentence(text, {"place": place, "value": "null" if value is None else _short(_text(value) or "")})


def _file(kind: str, position: int, item: dict[str, Any], place: str, odd: list[Sentence]) -> FileReply:
    status = _text(item.get("status")) or ""
    if meaning(status) is Verdict.UNKNOWN:
        text = gettext_noop("“{place}” has the word “{word}”, which is not in GES's documentation.")
        odd.append(Sentence(text, {"place": place, "word": _short(status)}))
    if stray := sorted(set(item) - _KNOWN_FILE):
        text = gettext_noop("“{place}” has unknown fields: {fields}.")
        odd.append(Sentence(text, {"place": place, "fields": _short(", ".join(stray), 200)}))
    return FileReply(
        kind=kind,
        position=position,
        path=_text(item.get("path")) or "",
        log=_text(item.get("log")) or None,
        status=status,
        cause=_text(item.get("cause")) or None,
        total_lines=_count(_first(item, "totalLines", "total_lines"), f"{place}.totalLines", odd),
        failed_lines=_count(_first(item, "failedLines", "failed_lines"), f"{place}.failedLines", odd),
        successful_lines=_count(_first(item, "successfulLines", "successful_lines"), f"{place}.successfulLines", odd),
    )


def _first(data: dict[str, Any], *names: str) -> Any:
    """The first of these keys that has a value."""
    return next((data[name] for name in names if data.get(name) is not None), None)


def _array(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _clean(text: str) -> str:
    """Text that PostgreSQL can store: no NUL, no half of a surrogate pair. The bytes as received keep both."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bool | int | Decimal):
        return str(value)
    return _clean(json.dumps(value, ensure_ascii=False, default=str))


def _name(value: Any, odd: list[Sentence]) -> str | None:
    if isinstance(value, list):
        if len(value) > 1:
            odd.append(Sentence(gettext_noop("The job has {count} names; the first is shown."), {"count": len(value)}))
        value = value[0] if value else None
    return _text(value) or None


def _count(value: Any, place: str, odd: list[Sentence]) -> int | None:
    number: Decimal | int | None = None
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,30}(\.0{1,30})?", value.strip()):
        number = Decimal(value.strip())
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = value
    elif value is None or value == "":
        return None
    if isinstance(number, Decimal) and (not math.isfinite(number) or abs(number.adjusted()) > 30):
        number = None
    if number == -1:
        return None
    if number is None or number != int(number) or not 0 <= number <= MAX_COUNT:
        text = gettext_noop("“{place}”: expected a whole number of lines, got “{value}”.")
        odd.append(Sentence(text, {"place": place, "value": _short(str(value))}))
        return None
    return int(number)


def _time(value: Any, place: str, odd: list[Sentence]) -> datetime | None:
    if value in (None, ""):
        return None
    match = _TIME.match(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        day, clock, fraction, zone = match.groups()
        read = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{zone or '+00:00'}")
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        text = gettext_noop("“{place}”: expected a time such as 2026-01-31T08:15:00, got “{value}”.")
        odd.append(Sentence(text, {"place": place, "value": _short(str(value))}))
        return None


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def _texts_of(body: bytes, key: str, items: list[Any]) -> list[bytes]:
    """The exact bytes of each item of the array under `key`, so that a list's items are kept as received too."""
    text = body.decode("utf-8-sig")
    decoder = json.JSONDecoder(parse_float=Decimal)
    start = re.search(rf'(?<!\\)"{key}"\s*:\s*\[?', text)
    found: list[bytes] = []
    position = start.end() if start else 0
    blank = re.compile(r"[\s,]*")
    for item in items:
        position = blank.match(text, position).end()  # type: ignore[union-attr]
        value, end = decoder.raw_decode(text, position)
        if value != item:
            raise NotAJobStatus(f"The reply has {key!r} more than once.")
        found.append(text[position:end].encode("utf-8", "surrogatepass"))
        position = end
    return found


def _short(text: str, limit: int = 80) -> str:
    text = _clean(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _keys(data: dict[str, Any]) -> str:
    return f"the keys {_short(', '.join(data))}" if data else "no keys"


def _kind_of(value: Any) -> str:
    names = {list: "an array", dict: "an object", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _what_came(body: bytes) -> str:
    start = body[:400].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith((b"<!doctype", b"<html", b"<")):
        return "an HTML page"
    return "JSON cut short" if start.startswith((b"{", b"[")) else "other text"
