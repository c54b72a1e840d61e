"""Observations into the database, and the projections anew from what is stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from jobs.ges.errors import NotAJobStatus
from jobs.ges.reply import JobReply
from jobs.models import Job, Project
from jobs.models.job import JobQuerySet
from jobs.record.history import History, fold_miss, fold_reply, read_histories, write_runs
from jobs.record.lookup import known_jobs, lock_jobs, reserve_keys
from jobs.record.moving import fold_moved, fold_moved_miss, give_keys
from jobs.record.observations import Observation
from jobs.record.oddities import mark_new, read_through
from jobs.record.projection import project
from jobs.record.replies import read_replies

BATCH_JOBS, BATCH_FILES = 500, 20_000  # of one rebuilding transaction: what bounds its memory


@dataclass(slots=True)
class Recorded:
    """How many observations became rows, were folded into one that stood, or became misses; by key, their jobs as they stand."""

    recorded: int = 0
    repeated: int = 0
    misses: int = 0
    jobs: dict[int, Job] = field(default_factory=dict)


def record(observations: Sequence[Observation], *, now: datetime | None = None) -> Recorded:
    """Store what was observed, the jobs too where they are new, and bring their projections up to date.

    `now` dates a change of what a row says; without it that is when the job's newest observation was made.
    """
    while True:
        try:
            return _record(observations, now)
        except IntegrityError:
            if not _adopt_jobs_made_meanwhile(observations):
                raise


def _adopt_jobs_made_meanwhile(observations: Sequence[Observation]) -> bool:
    new: dict[Project, list[Observation]] = defaultdict(list)
    for one in observations:
        if one.new_job:
            new[one.new_job.project].append(one)
    adopted = False
    for project_, seen in new.items():
        known = known_jobs(project_, [one.job.job_id for one in seen])
        for one in seen:
            adopted |= one.job.job_id in known
            one.job = known.get(one.job.job_id, one.job)
    return adopted


@transaction.atomic
def _record(observations: Sequence[Observation], now: datetime | None) -> Recorded:
    jobs = lock_jobs(one.job.pk for one in observations if not one.new_job)
    new = list({id(job): job for one in observations if (job := one.new_job)}.values())
    reserve_keys(new)
    for job in new:
        job.chain_length, job.chain_link = 0, None  # an attempt that failed may have begun a chain
    jobs |= {job.pk: job for job in new}
    missed = {one.job.pk for one in observations if one.reply is None}
    histories = read_histories(
        jobs.values(),
        with_snapshots=[job for job in jobs.values() if job.snapshot_count],
        with_misses=[jobs[pk] for pk in missed],
    )
    known = {pk: history.newest() for pk, history in histories.items()}
    count = Recorded(jobs=jobs)
    for one in sorted(observations, key=_turn):
        history = histories[one.job.pk]
        history.latest = now or one.observed_at
        _fold(history, one, count)
    changed = [history for history in histories.values() if history.changed or history.chained]
    give_keys(changed)
    write_runs(changed)
    # A row of a former version that has no changed_at yet has columns to fill.
    stale = [h for h in changed if h.newest() is not known[h.job.pk] or h.job.changed_at is None]
    project(changed, _newest_replies(stale), mark_new(changed))
    for job in new:
        job._state.adding = False
    return count


def _turn(one: Observation) -> tuple[int, datetime]:
    """By time; what continues a chain of another gesdash goes first, and in the chain's order."""
    return (one.moved.number if one.moved and one.moved.number else 2**31, one.observed_at)


def _fold(history: History, one: Observation, count: Recorded) -> None:
    if one.moved and (one.reply is not None or one.moved.size is not None):
        made = fold_moved(history, one, one.moved)
        count.recorded += made
        count.repeated += not made and (one.moved.fits or one.moved.size is None)  # else it is nowhere
    elif one.moved:
        fold_moved_miss(history, one, one.moved)
        count.misses += 1
    elif one.reply is None:
        fold_miss(history, one)
        one.outcome = one.error.kind if one.error else NotAJobStatus.kind
        count.misses += 1
    elif fold_reply(history, one):
        one.outcome = "new"
        count.recorded += 1
    else:
        one.outcome = "repeated"
        count.repeated += 1


def _newest_replies(histories: Collection[History]) -> dict[int, JobReply]:
    """By job; a reply that came in this batch is not read a second time."""
    newest = {history.job.pk: run for history in histories if (run := history.newest())}
    replies = {pk: run.newest.reply for pk, run in newest.items() if run.newest and run.newest.reply}
    stored = read_replies(run.order for pk, run in newest.items() if pk not in replies)
    return replies | {pk: stored[run.order] for pk, run in newest.items() if run.order in stored}


def read_again(pks: Iterable[int], *, now: datetime | None = None) -> tuple[list[History], dict[int, JobReply]]:
    """Lock these jobs and read what their rows are derived from: all that came, and by job the newest reply."""
    histories = _read_runs(pks, now=now)
    return histories, _newest_replies(histories)


def _read_runs(pks: Iterable[int], *, now: datetime | None) -> list[History]:
    locked = lock_jobs(pks).values()
    histories = read_histories(locked, with_snapshots=locked, with_misses=locked).values()
    for history in histories:
        history.latest = now
    return list(histories)


@transaction.atomic
def rebuild(jobs: Sequence[Job], *, now: datetime | None = None, with_marks: bool = False) -> int:
    """Derive these jobs' rows anew from the stored replies; how many have one.

    `now` dates a change of what a row says; without it that is when the job's newest reply was seen. `with_marks` derives the
    odd replies too, for which every reply is read, not only the newest.
    """
    pks = [job.pk for job in jobs]
    if with_marks:
        histories = _read_runs(pks, now=now)
        replies, marks = read_through(histories)
    else:
        (histories, replies), marks = read_again(pks, now=now), {}
    project(histories, replies, marks, anew=True)
    return len(replies)


def rebuild_in_batches(jobs: JobQuerySet, *, now: datetime) -> Iterator[int]:
    """Rebuild many jobs, a transaction a batch; how many of each batch have a reply. Memory does not grow with their number."""
    batch: list[Job] = []
    for job in jobs.order_by("pk").only("pk", "file_count").iterator(chunk_size=2000):
        batch.append(job)
        if len(batch) >= BATCH_JOBS or sum(one.file_count for one in batch) >= BATCH_FILES:
            yield rebuild(batch, now=now, with_marks=True)
            batch = []
    if batch:
        yield rebuild(batch, now=now, with_marks=True)
