"""One job for programs: the object of the API and of the export."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch

from jobs.models.correction import Correction
from jobs.models.job import ImportFile, Job

#: The names that `job_fields` gives, in its order.
JOB_COLUMNS = (
    "project_id",
    "graph_id",
    "graph_name",
    "job_id",
    "job_type",
    "job_name",
    "status",
    "verdict",
    "ledger",
    "begin_time",
    "end_time",
    "fail_reason",
    "observed_at",
    "snapshots",
    "contradictions",
    "lines",
    "loss_rate",
    "corrected",
    "observed",
    "is_hidden",
    "corrections",
)
#: The order of the three lists of files in a job detail.
KIND_ORDER = {kind: order for order, kind in enumerate(ImportFile.Kind.values)}
#: For many jobs with their files: all of their standing corrections.
WITH_CORRECTIONS: "Prefetch[str]" = Prefetch(
    "corrections",
    queryset=Correction.objects.standing().select_related("actor").order_by("pk"),
    to_attr="standing",
)
_FIGURES = ("total", "failed", "successful", "complete")
_NO_FIGURES = {"total": None, "failed": None, "successful": None, "complete": False}


def job_object(job: Job, files: Iterable[ImportFile] | None = None) -> dict[str, Any]:
    """A job with its files, in the order GES sent them.

    Prefetch `files` and WITH_CORRECTIONS for many jobs, or give the files of another moment.
    """
    corrections = _standing_corrections(job)
    in_order = sorted(
        job.files.all() if files is None else files,
        key=lambda file: (KIND_ORDER[file.kind], file.position),
    )
    return job_fields(job) | {"files": [file_object(file, corrections) for file in in_order]}


def job_row(job: Job) -> dict[str, Any]:
    """A job as a row of a list: with our id, without files."""
    return {"id": job.pk} | job_fields(job)


def job_fields(job: Job) -> dict[str, Any]:
    """The fields of a job in lists and alone.

    Units: lines, null when unknown; times RFC 3339 in UTC.
    """
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
            kind: {name: job.lines.get(kind, _NO_FIGURES)[name] for name in _FIGURES}
            for kind in ("edge", "vertex", "all")
        },
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
        "corrected": job.observed is not None,
        "observed": job.observed,
        "is_hidden": job.is_hidden,
        "corrections": [
            correction_object(correction)
            for correction in _standing_corrections(job)
            if not correction.kind
        ],
    }


def _standing_corrections(job: Job) -> list[Correction]:
    """Those that a list prefetched, else read here."""
    corrections: list[Correction] | None = getattr(job, "standing", None)
    if corrections is None:
        rows = job.corrections.standing().select_related("actor").order_by("pk")
        corrections = job.standing = list(rows)
    return corrections


def correction_object(correction: Correction) -> dict[str, Any]:
    """A correction beside the value it stands over, which is GES's newest."""
    return {
        "field": correction.field,
        "observed": correction.newest,
        "corrected": correction.corrected,
        "reason": correction.reason,
        "actor": correction.actor.get_username(),
        "made_at": rfc3339(correction.made_at),
        "flag": correction.flag or None,
    }


def file_object(file: ImportFile, corrections: Iterable[Correction] = ()) -> dict[str, Any]:
    """A file of an import; `corrections` are the standing ones of its job."""
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
            correction_object(correction)
            for correction in corrections
            if (correction.kind, correction.position) == (file.kind, file.position)
        ],
    }


def rfc3339(moment: datetime | None) -> str | None:
    """The time with a Z, to the microsecond where it has any."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
