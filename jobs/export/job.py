"""One job as programs see it: the object of the API and of the export."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch

from jobs.models.correction import Correction
from jobs.models.job import ImportFile, Job

#: What `job_fields` gives, in its order.
JOB_COLUMNS = (
    "project_id", "graph_id", "graph_name", "job_id", "job_type", "job_name", "status", "verdict", "ledger", "begin_time",
    "end_time", "fail_reason", "observed_at", "snapshots", "contradictions", "lines", "loss_rate", "corrected",
    "observed", "is_hidden", "corrections",
)  # fmt: skip
_FIGURES = ("total", "failed", "successful", "complete")
#: For many jobs with their files: all of their corrections that stand.
WITH_CORRECTIONS = Prefetch(
    "corrections",
    queryset=Correction.objects.standing().select_related("actor").order_by("pk"),
    to_attr="standing",
)
_NOTHING = {"total": None, "failed": None, "successful": None, "complete": False}


def job_object(job: Job, files: Iterable[ImportFile] | None = None) -> dict[str, Any]:
    """A job with its files, in the order GES sent them; prefetch `files` and WITH_CORRECTIONS for many, or give the files of
    another moment.
    """
    kinds = {"schema": 0, "vertex": 1, "edge": 2}
    standing = _standing(job)
    files = sorted(
        job.files.all() if files is None else files,
        key=lambda file: (kinds[file.kind], file.position),
    )
    return job_fields(job) | {"files": [file_object(file, standing) for file in files]}


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
        "contradictions": job.contradiction_count,
        "lines": {
            kind: {name: job.lines.get(kind, _NOTHING)[name] for name in _FIGURES}
            for kind in ("edge", "vertex", "all")
        },
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
        "corrected": job.observed is not None,
        "observed": job.observed,
        "is_hidden": job.is_hidden,
        "corrections": [correction_object(one) for one in _standing(job) if not one.kind],
    }


def _standing(job: Job) -> list[Correction]:
    """The corrections that stand: those that a list prefetched, else read here."""
    known: list[Correction] | None = getattr(job, "standing", None)
    if known is None:
        rows = job.corrections.standing().select_related("actor").order_by("pk")
        known = job.standing = list(rows)  # type: ignore[attr-defined]
    return known


def correction_object(one: Correction) -> dict[str, Any]:
    """A correction beside the value it stands over: what GES says now, what a person says, who, when and why."""
    return {
        "field": one.field,
        "observed": one.newest,
        "corrected": one.corrected,
        "reason": one.reason,
        "actor": one.actor.get_username(),
        "made_at": rfc3339(one.made_at),
        "flag": one.flag or None,
    }


def file_object(file: ImportFile, corrections: Iterable[Correction] = ()) -> dict[str, Any]:
    """A file of an import; `corrections` are those of its job that stand."""
    place = (file.kind, file.position)
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
        "corrections": [
            correction_object(one) for one in corrections if (one.kind, one.position) == place
        ],
    }


def rfc3339(at: datetime | None) -> str | None:
    """The time with a Z, to the microsecond where it has any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
