"""The newest reply with its corrections, as a Job row and its ImportFile rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from jobs.db.bulk import Writes, compared, copy_rows
from jobs.diagnosis.corrections import lay_over
from jobs.diagnosis.ledger import contradiction, file_ledger, job_ledger
from jobs.diagnosis.totals import Totals, loss_rate, totals
from jobs.diagnosis.verdict import count_lost, file_verdict, job_verdict
from jobs.ges.shapes import FileReply, JobReply
from jobs.ges.words import Verdict
from jobs.models import Correction, ImportFile, Job
from jobs.record.causes import group_causes
from jobs.record.contradictions import Marks, write_marks
from jobs.record.lookup import insert_jobs
from jobs.record.overlay import corrected_verdict, tell_corrections
from jobs.record.review_state import derive_review
from jobs.record.runs import History
from jobs.record.stored import FILE_COLUMNS, FilePlace, StoredFiles

# What a job's row says; the rest only tells how often and when it was said.
_SAYS = [
    "job_type", "job_name", "status", "verdict", "ledger", "begin_time", "end_time", "fail_reason", "peculiarities", "contradiction_count",
    "lines", "loss_rate", "total_lines", "failed_lines", "successful_lines", "review", "file_count", "lost_file_count",
    "observed",
]  # fmt: skip
_JOB_COLUMNS = [
    "id", *_SAYS, "observed_at", "first_seen_at", "snapshot_count", "changed_at", "chain_length", "chain_link",
]  # fmt: skip
_GROUP = FILE_COLUMNS.index("cause_group_id")
_LOST = {Verdict.FAILED, Verdict.PARTIAL}

type Replies = Mapping[int, JobReply]
type FileRows = dict[FilePlace, list[Any]]  # values of FILE_COLUMNS


def project(
    histories: Sequence[History],
    replies: Replies,
    marks: Mapping[int, Marks],
    files: StoredFiles,
    writes: Writes,
    *,
    anew: bool = False,
) -> None:
    """Bring the rows of these locked jobs to what their histories say.

    `replies`: by job, the newest reply of those whose row may come to say something else. The others, where what came was
    known, late or unusable, only have their counts and times kept. `marks`: by job, what its replies say against each other.
    `files`: those that these jobs have. New jobs and files are stored at once, the rest is left to `writes`. `anew` does not
    trust what stands of jobs that have no reply.
    """
    before = {history.job.pk: _values(history.job, _JOB_COLUMNS) for history in histories}
    told = {history.job.pk: history for history in histories if history.job.pk in replies}
    for history in histories:
        _count(history)
    write_marks(histories, marks, writes)
    tell_corrections(told.values(), replies, writes)
    laid = {
        pk: fill_corrected(history.job, replies[pk], history.corrections)
        for pk, history in told.items()
    }
    for history in histories:
        if anew and not history.snapshots:
            history.job.verdict, history.job.observed = Verdict.PENDING.value, None
        history.job.verdict = corrected_verdict(history.corrections) or history.job.verdict
    for history in told.values():
        derive_review(history)
    _write_new(histories)
    stored = {place: row for place, row in files.items() if place[0] in told}
    altered = _write_files(_file_rows(told, laid), stored, writes)
    rows = []
    for history in histories:
        job = history.job
        if job.pk in altered or _values(job, _SAYS) != before[job.pk][1 : len(_SAYS) + 1]:
            job.changed_at = _changed_at(history)
        elif job.changed_at is None:
            job.changed_at = job.observed_at
        row = _values(job, _JOB_COLUMNS)
        if not job._state.adding and (history.chained or row != before[job.pk]):
            rows.append(row)
    writes.update(Job, _JOB_COLUMNS, rows)


def _write_new(histories: Sequence[History]) -> None:
    """Store the jobs that are new, before any cause: all writers take jobs first, so that they never deadlock."""
    new = [history for history in histories if history.job._state.adding]
    for history in new:
        history.job.changed_at = _changed_at(history) if history.job.observed_at else None
    insert_jobs([history.job for history in new])


def _changed_at(history: History) -> datetime | None:
    job = history.job
    return max(filter(None, (job.changed_at, history.latest or job.observed_at)), default=None)


def _values(job: Job, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple([getattr(job, name) for name in names])


def _count(history: History) -> None:
    job, newest = history.job, history.newest()
    job.snapshot_count = len(history.snapshots)
    job.first_seen_at = min(
        [job.first_seen_at, *(run.first_seen_at for run in (*history.snapshots, *history.misses))]
    )
    job.observed_at = newest.last_seen_at if newest else None


def fill_corrected(job: Job, reply: JobReply, corrections: Iterable[Correction]) -> JobReply:
    """Give a job what a reply says with corrections laid over it, in memory; that reply.

    `observed` keeps what the reply alone makes of the derived figures, where that is another thing.
    """
    laid = lay_over(reply, corrections)
    fill(job, laid)
    job.observed = None
    if laid != reply:
        fill(alone := Job(), reply)
        if _derived(alone) != _derived(job):
            job.observed = _derived(alone)
    return laid


def _derived(job: Job) -> dict[str, Any]:
    return {
        "verdict": job.verdict,
        "ledger": job.ledger,
        "lines": job.lines,
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
        "lost_file_count": job.lost_file_count,
    }


def fill(job: Job, reply: JobReply) -> None:
    """Give a job what a reply says, in memory."""
    everything = totals(reply.files)
    ledger = job_ledger(reply.files)
    job.status = reply.status[:255]
    job.job_type = (reply.job_type or "")[:255]
    job.job_name = (reply.job_name or "")[:255]
    job.verdict = job_verdict(reply.status, reply.files).value
    job.ledger = ledger.value if ledger else None
    job.begin_time, job.end_time = reply.begin_time, reply.end_time
    job.fail_reason = reply.fail_reason or ""
    job.peculiarities = [odd.as_json() for odd in reply.peculiarities]
    job.lines = {kind: _figures(totals(reply.files, kind)) for kind in ("edge", "vertex")} | {
        "all": _figures(everything)
    }
    job.loss_rate = loss_rate(everything)
    job.total_lines = _number(everything.total)
    job.failed_lines, job.successful_lines = (
        _number(everything.failed),
        _number(everything.successful),
    )
    job.file_count, job.lost_file_count = len(reply.files), count_lost(reply.files)


def _figures(of: Totals) -> dict[str, int | bool | None]:
    return {
        "total": of.total,
        "failed": of.failed,
        "successful": of.successful,
        "complete": of.complete,
    }


def _number(count: int | None) -> Decimal | None:
    return None if count is None else Decimal(count)


def _file_rows(told: Mapping[int, History], replies: Replies) -> FileRows:
    """A row a file; those that lost something come with the group of their cause."""
    rows: FileRows = {}
    caused: dict[FilePlace, tuple[int, str, datetime]] = {}
    for pk, reply in replies.items():
        for file in reply.files:
            verdict = file_verdict(file)
            rows[pk, file.kind, file.position] = file_values(file, verdict)
            if file.cause and verdict in _LOST:
                caused[pk, file.kind, file.position] = (
                    told[pk].job.project_id,
                    file.cause,
                    _happened_at(told[pk]),
                )
    groups = group_causes(caused.values())
    for place, (project_id, cause, _) in caused.items():
        rows[place][_GROUP] = groups[project_id, cause]
    return rows


def file_values(file: FileReply, verdict: Verdict) -> list[Any]:
    """What a file says, as values of FILE_COLUMNS; its cause is not grouped yet."""
    disagreement = contradiction(file)
    return [
        file.path,
        file.log,
        file.status[:255],
        verdict.value,
        file_ledger(file).value,
        disagreement.as_json() if disagreement else None,
        file.cause,
        None,
        file.total_lines,
        file.failed_lines,
        file.successful_lines,
    ]


def _happened_at(history: History) -> datetime:
    newest = history.newest()
    return history.job.begin_time or (newest.first_seen_at if newest else history.job.first_seen_at)


def _write_files(wanted: FileRows, stored: StoredFiles, writes: Writes) -> set[int]:
    """Make the files' rows these, each by its place, so that a file keeps its row; the jobs where one came to differ."""
    new, other, gone = compared(stored, wanted)
    copy_rows(
        ImportFile,
        ["job_id", "kind", "position", *FILE_COLUMNS],
        [(*place, *wanted[place]) for place in new],
    )
    writes.update(
        ImportFile, ["id", *FILE_COLUMNS], [(stored[place][0], *wanted[place]) for place in other]
    )
    writes.delete(ImportFile, [stored[place][0] for place in gone])
    return {job_id for job_id, _kind, _position in (*new, *other, *gone)}
