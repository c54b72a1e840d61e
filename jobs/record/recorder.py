"""Observations into the database, and the projections anew from what is stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from jobs.db.bulk import Writes
from jobs.ges.errors import NotAJobStatus
from jobs.ges.shapes import JobReply
from jobs.models import Job, Project
from jobs.models.job import JobQuerySet
from jobs.record.contradictions import compare, read_through, to_compare
from jobs.record.lookup import hold_jobs, known_jobs, reserve_keys
from jobs.record.moving import fold_moved, fold_moved_miss, give_keys
from jobs.record.observations import Observation
from jobs.record.projection import project
from jobs.record.runs import History, ReplyRun, fold_miss, fold_reply, write_runs
from jobs.record.stored import StoredFiles, new_histories, read_former, read_histories

BEGINNING = datetime.min.replace(tzinfo=UTC)
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
    hold_jobs(one.job.pk for one in observations if not one.new_job)
    new = list({id(job): job for one in observations if (job := one.new_job)}.values())
    reserve_keys(new)
    for job in new:
        job.chain_length, job.chain_link = 0, None  # an attempt that failed may have begun a chain
    writes = Writes()
    made = record_held(observations, writes, now=now)
    writes.run()
    for job in new:
        job._state.adding = False
    return made


def record_held(
    observations: Sequence[Observation], writes: Writes, *, now: datetime | None = None
) -> Recorded:
    """The same for jobs whose rows this transaction holds. What need not be written at once is left to `writes`."""
    # What stands, and what the batch makes of it.
    missed = {one.job.pk for one in observations if one.reply is None}
    stored_jobs = {one.job.pk for one in observations if not one.new_job}
    since = min(
        (one.observed_at for one in observations), default=BEGINNING
    )  # no mark of before can change
    histories = read_histories(stored_jobs, with_misses=missed, marks_since=since)
    histories |= new_histories(
        {job.pk: job for one in observations if (job := one.new_job)}.values()
    )
    known = {pk: history.newest() for pk, history in histories.items()}
    count = Recorded(jobs={pk: history.job for pk, history in histories.items()})
    for one in sorted(observations, key=_turn):
        history = histories[one.job.pk]
        history.latest = now or one.observed_at
        _fold(history, one, count)
    changed = [history for history in histories.values() if history.changed or history.chained]
    give_keys(changed)
    write_runs(changed, writes)
    # What follows from that: for it, what is stored of former replies and of files is read where it is needed.
    # A row of a former version that has no changed_at yet has columns to fill.
    stale = [h for h in changed if h.newest() is not known[h.job.pk] or h.job.changed_at is None]
    marks = to_compare(changed)
    stored, files = read_former(
        _unread(
            [
                *(h.newest() for h in stale),
                *(run for of in marks.values() for pair in of.pairs for run in pair),
            ]
        ),
        [h.job.pk for h in stale if h.job.file_count],
    )
    compare(marks.values(), stored)
    project(changed, _newest_replies(stale, stored), marks, files, writes)
    return count


def _unread(runs: Iterable[ReplyRun | None]) -> set[int]:
    """The keys of those of which no reply came in this batch."""
    return {run.order for run in runs if run is not None and run.newest is None}


def _turn(one: Observation) -> tuple[int, datetime]:
    """By time; what continues a chain of another gesdash goes first, and in the chain's order."""
    return (one.moved.number if one.moved and one.moved.number else 2**31, one.observed_at)


def _fold(history: History, one: Observation, count: Recorded) -> None:
    if one.moved and (one.reply is not None or one.moved.size is not None):
        made = fold_moved(history, one, one.moved)
        count.recorded += made
        count.repeated += not made and (
            one.moved.fits or one.moved.size is None
        )  # else it is nowhere
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


def _newest_replies(
    histories: Iterable[History], stored: Mapping[int, JobReply]
) -> dict[int, JobReply]:
    """By job."""
    newest = {history.job.pk: run for history in histories if (run := history.newest())}
    return {pk: reply for pk, run in newest.items() if (reply := run.reply(stored)) is not None}


def histories_of(
    pks: Collection[int], *, now: datetime | None = None, marks_since: datetime = BEGINNING
) -> list[History]:
    """All that came of these locked jobs."""
    histories = list(read_histories(pks, with_misses=pks, marks_since=marks_since).values())
    for history in histories:
        history.latest = now
    return histories


def read_again(histories: Collection[History]) -> tuple[dict[int, JobReply], StoredFiles]:
    """What the rows of these locked jobs are derived from and compared with: by job the newest reply, and all their files."""
    stored, files = read_former(
        _unread(h.newest() for h in histories), [h.job.pk for h in histories]
    )
    return _newest_replies(histories, stored), files


@transaction.atomic
def rebuild(jobs: Sequence[Job], *, now: datetime | None = None, with_marks: bool = False) -> int:
    """Derive these jobs' rows anew from the stored replies; how many have one.

    `now` dates a change of what a row says; without it that is when the job's newest reply was seen. `with_marks` derives the
    odd replies too, for which every reply is read, not only the newest.
    """
    pks = [job.pk for job in jobs]
    hold_jobs(pks)
    histories = histories_of(pks, now=now)
    if with_marks:
        replies, marks = read_through(histories)
        _, files = read_former((), replies)
    else:
        (replies, files), marks = read_again(histories), {}
    writes = Writes()
    project(histories, replies, marks, files, writes, anew=True)
    writes.run()
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
