"""The newest reply with its corrections, as a Job row and its ImportFile rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from jobs.db.bulk import Writes
from jobs.diagnosis.corrections import lay_over
from jobs.diagnosis.ledger import job_ledger
from jobs.diagnosis.totals import Totals, loss_rate, totals
from jobs.diagnosis.verdict import count_lost, job_verdict
from jobs.ges.shapes import JobReply
from jobs.ges.words import Verdict
from jobs.models import Correction, Job
from jobs.record.contradictions import ContradictionCheck, write_contradictions
from jobs.record.file_rows import write_files
from jobs.record.lookup import insert_jobs
from jobs.record.overlay import corrected_verdict, note_beside_corrections
from jobs.record.review_state import derive_review
from jobs.record.runs import History
from jobs.record.stored import StoredFiles

# Whatever a job's row says of the job; the other columns count and date it.
_CONTENT_COLUMNS = [
    "job_type", "job_name", "status", "verdict", "ledger", "begin_time", "end_time", "fail_reason",
    "peculiarities", "contradiction_count", "lines", "loss_rate", "total_lines", "failed_lines",
    "successful_lines", "review", "file_count", "lost_file_count", "observed",
]  # fmt: skip
_JOB_COLUMNS = [
    "id", *_CONTENT_COLUMNS,
    "observed_at", "first_seen_at", "snapshot_count", "changed_at", "chain_length", "chain_link",
]  # fmt: skip
_CONTENT = slice(1, len(_CONTENT_COLUMNS) + 1)  # of the values of _JOB_COLUMNS


@dataclass(slots=True)
class Basis:
    """What rows are derived from and compared with, beside the jobs' histories.

    Jobs without a reply here only have their counts and times kept: what came was known, late or
    unusable.
    """

    replies: Mapping[int, JobReply]  # by job, the newest
    files: StoredFiles
    checks: Mapping[int, ContradictionCheck] = field(default_factory=dict)  # by job


def project(
    histories: Sequence[History], basis: Basis, writes: Writes, *, anew: bool = False
) -> None:
    """Bring the rows of these locked jobs to what their histories say.

    New jobs and files are stored at once, the rest is left to `writes`. `anew`: without trust in
    the stored rows of jobs that have no reply.
    """
    rows_before = {history.job.pk: _values(history.job, _JOB_COLUMNS) for history in histories}
    with_reply = {
        history.job.pk: history for history in histories if history.job.pk in basis.replies
    }
    for history in histories:
        _count(history)
    write_contradictions(histories, basis.checks, writes)
    note_beside_corrections(with_reply.values(), basis.replies, writes)

    corrected_replies = {
        pk: fill_corrected(history.job, basis.replies[pk], history.corrections)
        for pk, history in with_reply.items()
    }
    for history in histories:
        if anew and not history.snapshots:
            history.job.verdict, history.job.observed = Verdict.PENDING.value, None
        history.job.verdict = corrected_verdict(history.corrections) or history.job.verdict
    for history in with_reply.values():
        derive_review(history)

    _insert_new(histories)
    stored_files = {place: row for place, row in basis.files.items() if place[0] in with_reply}
    changed_files = write_files(with_reply, corrected_replies, stored_files, writes)
    _update_jobs(histories, rows_before, changed_files, writes)


def _insert_new(histories: Sequence[History]) -> None:
    """Store the new jobs, before any cause: all writers take jobs first, to never deadlock."""
    new = [history for history in histories if history.job._state.adding]
    for history in new:
        history.job.changed_at = _changed_at(history) if history.job.observed_at else None
    insert_jobs([history.job for history in new])


def _update_jobs(
    histories: Sequence[History],
    rows_before: Mapping[int, tuple[Any, ...]],
    changed_files: set[int],
    writes: Writes,
) -> None:
    """Leave to `writes` the stored rows that changed, dated where they say something else."""
    rows = []
    for history in histories:
        job, row_before = history.job, rows_before[history.job.pk]
        if job.pk in changed_files or _values(job, _CONTENT_COLUMNS) != row_before[_CONTENT]:
            job.changed_at = _changed_at(history)
        elif job.changed_at is None:
            job.changed_at = job.observed_at

        row = _values(job, _JOB_COLUMNS)
        if not job._state.adding and (history.chained or row != row_before):
            rows.append(row)
    writes.update(Job, _JOB_COLUMNS, rows)


def _changed_at(history: History) -> datetime | None:
    job = history.job
    return max(filter(None, (job.changed_at, history.latest or job.observed_at)), default=None)


def _values(job: Job, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple([getattr(job, name) for name in names])


def _count(history: History) -> None:
    job, newest = history.job, history.newest()
    job.snapshot_count = len(history.snapshots)
    runs = (*history.snapshots, *history.misses)
    job.first_seen_at = min([job.first_seen_at, *(run.first_seen_at for run in runs)])
    job.observed_at = newest.last_seen_at if newest else None


def fill_corrected(job: Job, reply: JobReply, corrections: Iterable[Correction]) -> JobReply:
    """Fill a job in memory from a reply with corrections laid over it; that reply.

    `observed` keeps the derived figures of the reply alone, where they differ.
    """
    corrected_reply = lay_over(reply, corrections)
    fill(job, corrected_reply)
    job.observed = None
    if corrected_reply != reply:
        fill(uncorrected := Job(), reply)
        if _derived(uncorrected) != _derived(job):
            job.observed = _derived(uncorrected)
    return corrected_reply


def _derived(job: Job) -> dict[str, Any]:
    return {
        "verdict": job.verdict,
        "ledger": job.ledger,
        "lines": job.lines,
        "loss_rate": None if job.loss_rate is None else float(job.loss_rate),
        "lost_file_count": job.lost_file_count,
    }


def fill(job: Job, reply: JobReply) -> None:
    """Fill a job in memory from a reply."""
    all_files = totals(reply.files)
    ledger = job_ledger(reply.files)

    job.status = reply.status[:255]
    job.job_type = (reply.job_type or "")[:255]
    job.job_name = (reply.job_name or "")[:255]
    job.begin_time = reply.begin_time
    job.end_time = reply.end_time
    job.fail_reason = reply.fail_reason or ""
    job.peculiarities = [peculiarity.as_json() for peculiarity in reply.peculiarities]

    job.verdict = job_verdict(reply.status, reply.files).value
    job.ledger = ledger.value if ledger else None
    job.lines = {
        "edge": _figures(totals(reply.files, "edge")),
        "vertex": _figures(totals(reply.files, "vertex")),
        "all": _figures(all_files),
    }
    job.loss_rate = loss_rate(all_files)
    job.total_lines = _decimal(all_files.total)
    job.failed_lines = _decimal(all_files.failed)
    job.successful_lines = _decimal(all_files.successful)
    job.file_count = len(reply.files)
    job.lost_file_count = count_lost(reply.files)


def _figures(figures: Totals) -> dict[str, int | bool | None]:
    return {
        "total": figures.total,
        "failed": figures.failed,
        "successful": figures.successful,
        "complete": figures.complete,
    }


def _decimal(count: int | None) -> Decimal | None:
    return None if count is None else Decimal(count)
