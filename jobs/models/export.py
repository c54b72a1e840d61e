"""One job as programs see it: the object of the API and of the export."""

import json
from datetime import UTC, datetime
from typing import Any

from jobs.models.job import ImportFile, Job

_FIGURES = ("total", "failed", "successful", "complete")
# What a spreadsheet takes for the start of a formula, in both widths; it drops blanks in front.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_NOTHING = {"total": None, "failed": None, "successful": None, "complete": False}


def job_object(job: Job) -> dict[str, Any]:
    """A job with its files, in the order GES sent them; prefetch `files` for many."""
    kinds = {"schema": 0, "vertex": 1, "edge": 2}
    files = sorted(job.files.all(), key=lambda file: (kinds[file.kind], file.position))
    return job_fields(job) | {"files": [file_object(file) for file in files]}


def job_row(job: Job) -> dict[str, Any]:
    """A job as a row of a list: with our id, without files."""
    return {"id": job.pk} | job_fields(job)


def job_fields(job: Job) -> dict[str, Any]:
    """What both have. Units: lines, null when unknown; times RFC 3339 in UTC."""
    return {
        "project_id": job.project.project_id,
        "graph_id": job.graph.graph_id,
        "graph_name": job.graph.name or None,
        "job_id": job.job_id,
        "job_type": job.job_type or None,
        "job_name": job.job_name or None,
        "status": job.status or None,
        "verdict": job.verdict,
        "ledger": job.ledger,
        "begin_time": rfc3339(job.begin_time),
        "end_time": rfc3339(job.end_time),
        "fail_reason": job.fail_reason or None,
        "observed_at": rfc3339(job.observed_at),
        "snapshots": job.snapshot_count,
        "contradictions": job.odd_count,
        "lines": {
            kind: {name: job.lines.get(kind, _NOTHING)[name] for name in _FIGURES} for kind in ("edge", "vertex", "all")
        },
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
    }


def file_object(file: ImportFile) -> dict[str, Any]:
    """A file of an import."""
    return {
        "kind": file.kind,
        "position": file.position,
        "path": file.path,
        "log": file.log,
        "status": file.status,
        "verdict": file.verdict,
        "ledger": file.ledger,
        "cause": file.cause,
        "total_lines": file.total_lines,
        "failed_lines": file.failed_lines,
        "successful_lines": file.successful_lines,
    }


def rfc3339(at: datetime | None) -> str | None:
    """The time with a Z, to the microsecond where it has any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def csv_cell(value: Any) -> Any:
    """A value for CSV: nested ones as JSON text; text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value
