"""Bytes of GES -> JobReply, JobPage, GraphPage. The only place that knows the keys of v1 and v2.

Source: GES API Reference, Querying Job Status and Querying the Job List, v1 and v2.
"""

import json
import re
from decimal import Decimal
from typing import Any

from jobs.ges import fields
from jobs.ges.answer import MAX_BODY
from jobs.ges.errors import (
    CredentialsRefused,
    CutShort,
    ErrorReply,
    HtmlPage,
    NotAJobStatus,
    Redirected,
    ServerError,
    Throttled,
    TooLarge,
    WrongEncoding,
    WrongJob,
)
from jobs.ges.shapes import FileReply, GraphPage, GraphReply, JobPage, JobReply
from jobs.ges.words import Verdict, meaning
from jobs.sentences import Sentence, gettext_noop

_KINDS = {
    "schema": ("schemaPath", "schema_path"),
    "vertex": ("vertexsetPath", "vertexset_path"),
    "edge": ("edgesetPath", "edgeset_path"),
}
_KNOWN_JOB = {
    "errorMessage", "errorCode", "error_msg", "error_code", "errCode", "externalMessage", "jobId", "job_id", "status",
    "jobType", "job_type", "jobName", "job_name", "relatedGraph", "related_graph", "beginTime", "begin_time",
    "endTime", "end_time", "jobDetail", "job_detail", "failReason", "fail_reason", "jobProgress", "job_progress",
    "Job",
}  # fmt: skip
_KNOWN_FILE = {
    "path", "log", "status", "cause", "totalLines", "total_lines", "failedLines", "failed_lines", "successfulLines",
    "successful_lines", "jobId", "job_id",
}  # fmt: skip

_BETWEEN = re.compile(r"[\s,:]*")
_DECODER = json.JSONDecoder()


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
        raise WrongJob(
            f"The reply is about job {fields.short(reply.job_id)}, not {fields.short(job_id)}."
        )
    return reply


def parse_job_page(body: bytes, *, http_status: int = 200) -> JobPage:
    """Read a page of the task centre; a job in it that can't be read is named in `refused`, the others are kept.

    Raises: as parse_reply.
    """
    data = _object(body, http_status)
    key = "jobList" if "jobList" in data else "job_list"
    _raise_for_error(data, http_status, unless=key)
    items = fields.array(data.get(key))
    if key not in data:
        raise NotAJobStatus(f"The reply is not a job list: an object with {_keys(data)}.")
    jobs, refused = [], []
    for number, (item, raw) in enumerate(zip(items, _texts_of(body, key), strict=True), 1):
        try:
            if not isinstance(item, dict):
                raise NotAJobStatus(f"expected an object, got {_kind_of(item)}")
            jobs.append((_job(item), raw))
        except NotAJobStatus as wrong:
            refused.append(f"Item {number} of the job list: {wrong}")
    count = fields.count(fields.first(data, "jobCount", "job_count"), "jobCount", [])
    return JobPage(count if count is not None else len(items), tuple(jobs), tuple(refused))


def parse_graph_page(body: bytes, *, http_status: int = 200) -> GraphPage:
    """Read a page of the graph list; items without id or name are left out.

    Raises: as parse_reply.
    """
    data = _object(body, http_status)
    _raise_for_error(data, http_status, unless="graphs")
    if "graphs" not in data:
        raise NotAJobStatus(f"The reply is not a graph list: an object with {_keys(data)}.")
    items = fields.array(data["graphs"])
    graphs = tuple(
        GraphReply(
            item["id"],
            item["name"],
            fields.text(item.get("status")),
            fields.time(item.get("created"), "created", []),
            _import_jobs(item),
        )
        for item in items
        if isinstance(item, dict)
        and fields.is_id(item.get("id"))
        and isinstance(item.get("name"), str)
        and item["name"]
    )
    count = fields.count(fields.first(data, "graphCount", "graph_count"), "graphCount", [])
    return GraphPage(count if count is not None else len(items), graphs)


def _import_jobs(graph: dict[str, Any]) -> tuple[str, ...]:
    files = [
        file for names in _KINDS.values() for file in fields.array(fields.first(graph, *names))
    ]
    ids = [fields.first(file, "jobId", "job_id") for file in files if isinstance(file, dict)]
    return tuple(dict.fromkeys(one for one in ids if fields.is_id(one)))


def _object(body: bytes, http_status: int) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise TooLarge(f"The reply has {len(body):,} bytes; the limit is {MAX_BODY:,}.")
    try:
        # Decimal: a count sent as 1659.0 must not pass through a float. Long digits are refused by the decoder itself.
        data = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError) as wrong:
        _raise_for_status(http_status, "", "")
        raise _not_json(body, wrong) from wrong
    if not isinstance(data, dict):
        _raise_for_status(http_status, "", "")
        raise NotAJobStatus(f"The reply is {_kind_of(data)}; expected an object with a status.")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _raise_for_error(data: dict[str, Any], http_status: int, unless: str = "status") -> None:
    code = fields.text(fields.first(data, "errorCode", "error_code", "errCode")) or ""
    message = fields.text(fields.first(data, "errorMessage", "error_msg", "externalMessage")) or ""
    _raise_for_status(http_status, code, message)
    if code and data.get(unless) in (None, ""):
        raise ErrorReply(http_status, code, message)


def _raise_for_status(http_status: int, code: str, message: str) -> None:
    if http_status == 200:
        return
    if http_status == 429 or code.endswith(".0308"):
        raise Throttled(http_status, code, message)
    if http_status in {401, 403}:
        raise CredentialsRefused(http_status, code, message)
    if 300 <= http_status < 400:
        raise Redirected(
            f"GES answered HTTP {http_status}, a redirect; expected 200 with a job status."
        )
    raise (ServerError if http_status >= 500 else ErrorReply)(http_status, code, message)


def _job(data: dict[str, Any]) -> JobReply:
    odd: list[Sentence] = []
    status = data.get("status")
    status = fields.clean(status) if isinstance(status, str) else ""
    if not status:
        raise NotAJobStatus(f"The reply has no status: an object with {_keys(data)}.")
    if meaning(status) is Verdict.UNKNOWN:
        odd.append(
            Sentence(
                gettext_noop("The GES status “{word}” is undocumented."),
                {"word": fields.short(status)},
            )
        )
    if stray := sorted(set(data) - _KNOWN_JOB):
        odd.append(
            Sentence(
                gettext_noop("The response has unknown fields: {fields}."),
                {"fields": fields.short(", ".join(stray), 200)},
            )
        )
    job_id = fields.text(fields.first(data, "jobId", "job_id")) or None
    if job_id is not None and not fields.is_id(job_id):
        raise NotAJobStatus(
            f"The job id has {len(job_id)} characters or unprintable ones; expected at most {fields.MAX_ID}."
        )
    detail = fields.first(data, "jobDetail", "job_detail")
    snake = any(
        "_" in key and key in data
        for key in ("job_id", "job_name", "begin_time", "job_detail", "related_graph")
    )
    return JobReply(
        version=2 if snake and "jobId" not in data else 1,
        job_id=job_id,
        status=status,
        job_type=fields.text(fields.first(data, "jobType", "job_type")),
        job_name=fields.name(fields.first(data, "jobName", "job_name"), odd),
        related_graph=fields.text(fields.first(data, "relatedGraph", "related_graph")),
        begin_time=fields.time(fields.first(data, "beginTime", "begin_time"), "beginTime", odd),
        end_time=fields.time(fields.first(data, "endTime", "end_time"), "endTime", odd),
        fail_reason=fields.text(fields.first(data, "failReason", "fail_reason")) or None,
        files=_files(detail, odd),
        peculiarities=tuple(odd),
    )


def _files(detail: Any, odd: list[Sentence]) -> tuple[FileReply, ...]:
    if detail is None:
        return ()
    if not isinstance(detail, dict):
        odd.append(_not_an_object("jobDetail", detail))
        return ()
    files = []
    for kind, names in _KINDS.items():
        value = fields.first(detail, *names)
        if value is not None and not isinstance(value, (list, dict)):
            text = gettext_noop("“{place}”: expected an array, got “{value}”.")
            odd.append(
                Sentence(text, {"place": names[0], "value": fields.short(fields.text(value) or "")})
            )
            continue
        for position, item in enumerate(fields.array(value)):
            if isinstance(item, dict):
                files.append(_file(kind, position, item, f"{names[0]}[{position}]", odd))
            else:
                odd.append(_not_an_object(f"{names[0]}[{position}]", item))
    return tuple(files)


def _not_an_object(place: str, value: Any) -> Sentence:
    text = gettext_noop("“{place}”: expected an object, got “{value}”.")
    return Sentence(
        text,
        {
            "place": place,
            "value": "null" if value is None else fields.short(fields.text(value) or ""),
        },
    )


def _file(
    kind: str, position: int, item: dict[str, Any], place: str, odd: list[Sentence]
) -> FileReply:
    status = fields.text(item.get("status")) or ""
    if meaning(status) is Verdict.UNKNOWN:
        text = gettext_noop("“{place}” has the undocumented status “{word}”.")
        odd.append(Sentence(text, {"place": place, "word": fields.short(status)}))
    if stray := sorted(set(item) - _KNOWN_FILE):
        text = gettext_noop("“{place}” has unknown fields: {fields}.")
        odd.append(Sentence(text, {"place": place, "fields": fields.short(", ".join(stray), 200)}))
    return FileReply(
        kind=kind,
        position=position,
        path=fields.text(item.get("path")) or "",
        log=fields.text(item.get("log")) or None,
        status=status,
        cause=fields.text(item.get("cause")) or None,
        total_lines=fields.count(
            fields.first(item, "totalLines", "total_lines"), f"{place}.totalLines", odd
        ),
        failed_lines=fields.count(
            fields.first(item, "failedLines", "failed_lines"), f"{place}.failedLines", odd
        ),
        successful_lines=fields.count(
            fields.first(item, "successfulLines", "successful_lines"),
            f"{place}.successfulLines",
            odd,
        ),
    )


def _texts_of(body: bytes, key: str) -> list[bytes]:
    """The exact bytes of each item of the array under `key`, so that a list's items are kept as received too.

    `body` is known to be a JSON object. Of a key that comes twice the last counts, as it does for `json.loads`.
    """
    text = body.decode("utf-8-sig")
    found: list[bytes] = []
    position = _next(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = _DECODER.raw_decode(text, position)
        position = _next(text, position)
        if name == key:
            found, position = _items(text, position)
        else:
            position = _DECODER.raw_decode(text, position)[1]
        position = _next(text, position)
    return found


def _items(text: str, position: int) -> tuple[list[bytes], int]:
    """The bytes of the items of the array here, or of what stands in its place; and where it ends."""
    if text[position] != "[":
        value, end = _DECODER.raw_decode(text, position)
        return [] if value is None else [text[position:end].encode()], end
    found = []
    position = _next(text, position + 1)
    while text[position] != "]":
        end = _DECODER.raw_decode(text, position)[1]
        found.append(text[position:end].encode())
        position = _next(text, end)
    return found, position + 1


def _next(text: str, position: int) -> int:
    """Where the next value, key or bracket begins."""
    return _BETWEEN.match(text, position).end()  # type: ignore[union-attr]


def _keys(data: dict[str, Any]) -> str:
    return f"the keys {fields.short(', '.join(data))}" if data else "no keys"


def _kind_of(value: Any) -> str:
    names = {
        list: "an array",
        dict: "an object",
        str: "text",
        bool: "true or false",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def _not_json(body: bytes, wrong: Exception) -> NotAJobStatus:
    """What came instead, as far as its first bytes and its last tell."""
    start = body[:400].lstrip().lower()
    why = fields.short(str(wrong), 120)
    if not start:
        return NotAJobStatus("The reply is not JSON: an empty body.")
    if start.startswith(b"<"):
        return HtmlPage("The reply is not JSON: an HTML page.")
    if isinstance(wrong, UnicodeDecodeError):
        return WrongEncoding(f"The reply is not UTF-8 ({why}).")
    if (
        isinstance(wrong, json.JSONDecodeError)
        and start.startswith((b"{", b"["))
        and _is_cut(wrong)
    ):
        return CutShort(f"The reply is not JSON: JSON cut short ({why}).")
    return NotAJobStatus(
        f"The reply is not JSON: {'broken JSON' if start[:1] in b'{[' else 'other text'} ({why})."
    )


def _is_cut(wrong: json.JSONDecodeError) -> bool:
    text = wrong.doc.rstrip()
    return wrong.pos >= len(text) or not text.endswith(("}", "]"))
