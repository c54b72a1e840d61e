"""The files of newest replies as ImportFile rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jobs.db.bulk import Writes, compared, copy_rows
from jobs.diagnosis.ledger import contradiction, file_ledger
from jobs.diagnosis.verdict import file_verdict
from jobs.ges.shapes import FileReply, JobReply
from jobs.ges.words import Verdict
from jobs.models import ImportFile
from jobs.record.causes import group_causes
from jobs.record.runs import History
from jobs.record.stored import FILE_COLUMNS, FilePlace, StoredFiles

_CAUSE_GROUP = FILE_COLUMNS.index("cause_group_id")
_WITH_LOSS = {Verdict.FAILED, Verdict.PARTIAL}

type FileRows = dict[FilePlace, list[Any]]  # values of FILE_COLUMNS


def write_files(
    histories: Mapping[int, History],
    replies: Mapping[int, JobReply],
    stored: StoredFiles,
    writes: Writes,
) -> set[int]:
    """Bring the files of these jobs to what their newest replies say; the jobs where one changed.

    A file keeps its row by its place. New rows are copied at once, the rest is left to `writes`.
    """
    wanted = _file_rows(histories, replies)
    added, changed, removed = compared(stored, wanted)
    copy_rows(
        ImportFile,
        ["job_id", "kind", "position", *FILE_COLUMNS],
        [(*place, *wanted[place]) for place in added],
    )
    writes.update(
        ImportFile,
        ["id", *FILE_COLUMNS],
        [(stored[place][0], *wanted[place]) for place in changed],
    )
    writes.delete(ImportFile, [stored[place][0] for place in removed])
    return {job_id for job_id, _kind, _position in (*added, *changed, *removed)}


def _file_rows(histories: Mapping[int, History], replies: Mapping[int, JobReply]) -> FileRows:
    """A row a file; those with failed lines get the group of their cause."""
    rows: FileRows = {}
    causes: dict[FilePlace, tuple[int, str, datetime]] = {}
    for pk, reply in replies.items():
        history = histories[pk]
        for file in reply.files:
            place = pk, file.kind, file.position
            verdict = file_verdict(file)
            rows[place] = file_values(file, verdict)
            if file.cause and verdict in _WITH_LOSS:
                causes[place] = history.job.project_id, file.cause, _happened_at(history)

    groups = group_causes(causes.values())
    for place, (project_id, cause, _happened) in causes.items():
        rows[place][_CAUSE_GROUP] = groups[project_id, cause]
    return rows


def file_values(file: FileReply, verdict: Verdict) -> list[Any]:
    """Values of FILE_COLUMNS; the cause is not grouped yet."""
    disagreement = contradiction(file)
    return [
        file.path,
        file.log,
        file.status[:255],
        verdict.value,
        file_ledger(file).value,
        disagreement.as_json() if disagreement else None,
        file.cause,
        None,  # the group of its cause
        file.total_lines,
        file.failed_lines,
        file.successful_lines,
    ]


def _happened_at(history: History) -> datetime:
    newest = history.newest()
    first_seen_at = newest.first_seen_at if newest else history.job.first_seen_at
    return history.job.begin_time or first_seen_at
