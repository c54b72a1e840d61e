"""Verifies that the rows of jobs and files are what the replies and corrections give."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction

from jobs.models import ImportFile, Job
from jobs.proof.walk import Walk
from jobs.record import rebuild
from jobs.sentences import gettext_noop

_FILE_COLUMNS = [
    "path", "log", "status", "verdict", "ledger", "contradiction", "cause",
    "total_lines", "failed_lines", "successful_lines",
]  # fmt: skip


class _FileKey(NamedTuple):
    job_id: int
    kind: str
    position: int


def check_rows(jobs: Mapping[int, Job], walk: Walk) -> None:
    """Derive these locked jobs and their files again; the first different value of each is a fault.

    The derived rows are rolled back.
    """
    with transaction.atomic():
        stored_jobs, stored_files = _job_rows(jobs), _file_rows(jobs)
        rebuild(list(jobs.values()))
        derived_jobs, derived_files = _job_rows(jobs), _file_rows(jobs)
        transaction.set_rollback(True)

    faulty = set()
    for pk, row in stored_jobs.items():
        derived = derived_jobs[pk]
        if name := next((name for name in row if row[name] != derived[name]), None):
            faulty.add(pk)
            _fault(walk, jobs[pk], name, row[name], derived[name])

    for key in sorted(stored_files.keys() | derived_files.keys()):
        stored_file, derived_file = stored_files.get(key), derived_files.get(key)
        if stored_file == derived_file or key.job_id in faulty:
            continue
        faulty.add(key.job_id)
        _file_fault(walk, jobs[key.job_id], key, stored_file, derived_file)


def _file_fault(
    walk: Walk,
    job: Job,
    key: _FileKey,
    stored: tuple[Any, ...] | None,
    derived: tuple[Any, ...] | None,
) -> None:
    label = f"{key.kind} file {key.position}"
    if stored is None or derived is None:
        _fault(
            walk,
            job,
            label,
            "stored" if stored else "missing",
            "stored" if derived else "none",
        )
        return
    name, found, expected = next(
        values
        for values in zip(_FILE_COLUMNS, stored, derived, strict=True)
        if values[1] != values[2]
    )
    _fault(walk, job, f"{label}, {name}", found, expected)


def _fault(walk: Walk, job: Job, name: str, found: Any, expected: Any) -> None:
    walk.fault(
        gettext_noop(
            "Project {project}, job {job}: {name} is {found}; expected {expected} "
            "from its responses and corrections."
        ),
        project=job.project.project_id,
        job=job.job_id,
        name=name,
        found=str(found)[:200],
        expected=str(expected)[:200],
    )


def _job_rows(jobs: Mapping[int, Job]) -> dict[int, dict[str, Any]]:
    rows = Job.objects.filter(pk__in=jobs).order_by("pk").values()
    return {
        row["id"]: {name: value for name, value in row.items() if name != "changed_at"}
        for row in rows
    }


def _file_rows(jobs: Mapping[int, Job]) -> dict[_FileKey, tuple[Any, ...]]:
    rows = ImportFile.objects.filter(job__in=jobs)
    columns = rows.values_list("job_id", "kind", "position", *_FILE_COLUMNS)
    return {
        _FileKey(job_id, kind, position): tuple(values)
        for job_id, kind, position, *values in columns
    }
