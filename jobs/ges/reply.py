"""Bytes of GES to JobReply, JobPage and GraphPage. The only place that knows the keys of v1 and v2.

Source: GES API Reference, Querying Job Status and Querying the Job List, v1 and v2.
"""

from collections.abc import Iterator
from typing import Any

from jobs.ges import fields
from jobs.ges.body import item_bytes, keys_of, kind_of, raise_for_error, read_object
from jobs.ges.errors import NotAJobStatus, WrongJob
from jobs.ges.shapes import FileReply, GraphPage, GraphReply, JobPage, JobReply
from jobs.ges.words import Verdict, meaning
from jobs.sentences import Sentence, gettext_noop

_FILE_KINDS = {
    "schema": ("schemaPath", "schema_path"),
    "vertex": ("vertexsetPath", "vertexset_path"),
    "edge": ("edgesetPath", "edgeset_path"),
}
_JOB_KEYS = {
    *("Job", "errorMessage", "error_msg", "errorCode", "error_code", "errCode", "externalMessage"),
    *("jobId", "job_id", "status", "jobType", "job_type", "jobName", "job_name"),
    *("relatedGraph", "related_graph", "beginTime", "begin_time", "endTime", "end_time"),
    *("jobDetail", "job_detail", "failReason", "fail_reason", "jobProgress", "job_progress"),
}
_FILE_KEYS = {
    *("path", "log", "status", "cause", "jobId", "job_id", "totalLines", "total_lines"),
    *("failedLines", "failed_lines", "successfulLines", "successful_lines"),
}
_KEYS_OF_V2 = ("job_id", "job_name", "begin_time", "job_detail", "related_graph")


def parse_reply(body: bytes, *, http_status: int = 200, job_id: str | None = None) -> JobReply:
    """Read one GES job status.

    Shape: v1 camelCase or v2 snake_case object, flat or wrapped in `Job` -> JobReply, files in the
    order sent. An undocumented status word is UNKNOWN, never final.
    Units: times UTC-aware; counts in lines, None when GES sent -1 or nothing (not zero).
    Raises: ErrorReply when the body is an error; WrongJob when it names another job than `job_id`;
    NotAJobStatus, with what came, for all else.
    """
    data = read_object(body, http_status)
    wrapped = data.get("Job")
    if isinstance(wrapped, dict) and "status" not in data:
        data = {**{key: value for key, value in data.items() if key != "Job"}, **wrapped}
    raise_for_error(data, http_status)
    reply = _job(data)
    if job_id is not None and reply.job_id is not None and reply.job_id != job_id:
        raise WrongJob(
            f"The reply is about job {fields.short(reply.job_id)}, not {fields.short(job_id)}."
        )
    return reply


def parse_job_page(body: bytes, *, http_status: int = 200) -> JobPage:
    """Read a page of the task centre; an item that can't be read is named in `refused`.

    Raises: as parse_reply.
    """
    data = read_object(body, http_status)
    key = "jobList" if "jobList" in data else "job_list"
    raise_for_error(data, http_status, unless=key)
    if key not in data:
        raise NotAJobStatus(f"The reply is not a job list: an object with {keys_of(data)}.")

    items = fields.array(data[key])
    jobs, refused = [], []
    for number, (item, raw) in enumerate(zip(items, item_bytes(body, key), strict=True), 1):
        try:
            if not isinstance(item, dict):
                raise NotAJobStatus(f"expected an object, got {kind_of(item)}")
            jobs.append((_job(item), raw))
        except NotAJobStatus as error:
            refused.append(f"Item {number} of the job list: {error}")
    count = fields.count(fields.first(data, "jobCount", "job_count"), "jobCount", [])
    return JobPage(count if count is not None else len(items), tuple(jobs), tuple(refused))


def parse_graph_page(body: bytes, *, http_status: int = 200) -> GraphPage:
    """Read a page of the graph list; items without id or name are left out.

    Raises: as parse_reply.
    """
    data = read_object(body, http_status)
    raise_for_error(data, http_status, unless="graphs")
    if "graphs" not in data:
        raise NotAJobStatus(f"The reply is not a graph list: an object with {keys_of(data)}.")

    items = fields.array(data["graphs"])
    graphs = tuple(_graph(item) for item in items if _is_graph(item))
    count = fields.count(fields.first(data, "graphCount", "graph_count"), "graphCount", [])
    return GraphPage(count if count is not None else len(items), graphs)


def _is_graph(item: Any) -> bool:
    if not isinstance(item, dict) or not fields.is_id(item.get("id")):
        return False
    return isinstance(item.get("name"), str) and bool(item["name"])


def _graph(item: dict[str, Any]) -> GraphReply:
    return GraphReply(
        item["id"],
        item["name"],
        fields.text(item.get("status")),
        fields.time(item.get("created"), "created", []),
        _import_jobs(item),
    )


def _import_jobs(graph: dict[str, Any]) -> tuple[str, ...]:
    files = [
        file for names in _FILE_KINDS.values() for file in fields.array(fields.first(graph, *names))
    ]
    ids = [fields.first(file, "jobId", "job_id") for file in files if isinstance(file, dict)]
    return tuple(dict.fromkeys(job_id for job_id in ids if fields.is_id(job_id)))


def _job(data: dict[str, Any]) -> JobReply:
    peculiarities: list[Sentence] = []
    status = _status(data, peculiarities)
    if unknown_keys := sorted(set(data) - _JOB_KEYS):
        template = gettext_noop("The response has unknown fields: {fields}.")
        names = fields.short(", ".join(unknown_keys), 200)
        peculiarities.append(Sentence(template, {"fields": names}))

    is_v2 = "jobId" not in data and any(key in data for key in _KEYS_OF_V2)
    begin_time = fields.first(data, "beginTime", "begin_time")
    end_time = fields.first(data, "endTime", "end_time")
    return JobReply(
        version=2 if is_v2 else 1,
        job_id=_job_id(data),
        status=status,
        job_type=fields.text(fields.first(data, "jobType", "job_type")),
        job_name=fields.name(fields.first(data, "jobName", "job_name"), peculiarities),
        related_graph=fields.text(fields.first(data, "relatedGraph", "related_graph")),
        begin_time=fields.time(begin_time, "beginTime", peculiarities),
        end_time=fields.time(end_time, "endTime", peculiarities),
        fail_reason=fields.text(fields.first(data, "failReason", "fail_reason")) or None,
        files=tuple(_files(fields.first(data, "jobDetail", "job_detail"), peculiarities)),
        peculiarities=tuple(peculiarities),
    )


def _status(data: dict[str, Any], peculiarities: list[Sentence]) -> str:
    value = data.get("status")
    status = fields.clean(value) if isinstance(value, str) else ""
    if not status:
        raise NotAJobStatus(f"The reply has no status: an object with {keys_of(data)}.")
    if meaning(status) is Verdict.UNKNOWN:
        template = gettext_noop("The GES status “{word}” is undocumented.")
        peculiarities.append(Sentence(template, {"word": fields.short(status)}))
    return status


def _job_id(data: dict[str, Any]) -> str | None:
    job_id = fields.text(fields.first(data, "jobId", "job_id")) or None
    if job_id is not None and fields.id_fault(job_id, in_reply=True):
        raise NotAJobStatus(
            f"The job id has {len(job_id)} characters or unprintable ones; expected 1 to "
            f"{fields.MAX_ID} printable ones."
        )
    return job_id


def _files(detail: Any, peculiarities: list[Sentence]) -> Iterator[FileReply]:
    if detail is None:
        return
    if not isinstance(detail, dict):
        peculiarities.append(_not_an_object("jobDetail", detail))
        return
    for kind, names in _FILE_KINDS.items():
        value = fields.first(detail, *names)
        if value is not None and not isinstance(value, list | dict):
            template = gettext_noop("“{place}”: expected an array, got “{value}”.")
            text = fields.short(fields.text(value) or "")
            peculiarities.append(Sentence(template, {"place": names[0], "value": text}))
            continue
        for position, item in enumerate(fields.array(value)):
            path = f"{names[0]}[{position}]"
            if isinstance(item, dict):
                yield _file(kind, position, item, path, peculiarities)
            else:
                peculiarities.append(_not_an_object(path, item))


def _not_an_object(path: str, value: Any) -> Sentence:
    template = gettext_noop("“{place}”: expected an object, got “{value}”.")
    text = "null" if value is None else fields.short(fields.text(value) or "")
    return Sentence(template, {"place": path, "value": text})


def _file(
    kind: str, position: int, item: dict[str, Any], path: str, peculiarities: list[Sentence]
) -> FileReply:
    status = fields.text(item.get("status")) or ""
    if meaning(status) is Verdict.UNKNOWN:
        template = gettext_noop("“{place}” has the undocumented status “{word}”.")
        peculiarities.append(Sentence(template, {"place": path, "word": fields.short(status)}))
    if unknown_keys := sorted(set(item) - _FILE_KEYS):
        template = gettext_noop("“{place}” has unknown fields: {fields}.")
        names = fields.short(", ".join(unknown_keys), 200)
        peculiarities.append(Sentence(template, {"place": path, "fields": names}))

    def count(name: str, name_in_v2: str) -> int | None:
        value = fields.first(item, name, name_in_v2)
        return fields.count(value, f"{path}.{name}", peculiarities)

    return FileReply(
        kind=kind,
        position=position,
        path=fields.text(item.get("path")) or "",
        log=fields.text(item.get("log")) or None,
        status=status,
        cause=fields.text(item.get("cause")) or None,
        total_lines=count("totalLines", "total_lines"),
        failed_lines=count("failedLines", "failed_lines"),
        successful_lines=count("successfulLines", "successful_lines"),
    )
