"""Observations into the database, and the projections derived anew from what is stored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from jobs.db.bulk import Writes
from jobs.ges.shapes import JobReply
from jobs.models import Job, Project
from jobs.models.job import JobQuerySet
from jobs.record.contradictions import check_all_replies, checks_of_batch, compare_pairs
from jobs.record.lookup import hold_jobs, known_jobs, reserve_keys
from jobs.record.moving import fold_moved, fold_moved_miss, give_keys
from jobs.record.observations import Observation
from jobs.record.projection import Basis, project
from jobs.record.run_rows import write_runs
from jobs.record.runs import History, ReplyRun, error_of, fold_miss, fold_reply
from jobs.record.stored import new_histories, read_histories, read_replies_and_files

EARLIEST = datetime.min.replace(tzinfo=UTC)
MAX_BATCH_JOBS, MAX_BATCH_FILES = 500, 20_000  # of one rebuilding transaction: bound its memory
_AFTER_CHAINED = 2**31  # above every number of a chain


@dataclass(slots=True)
class Recorded:
    """Counts of observations by what they became, and their jobs by key.

    `recorded` became rows, `repeated` were folded into a run that stood.
    """

    recorded: int = 0
    repeated: int = 0
    misses: int = 0
    jobs: dict[int, Job] = field(default_factory=dict)


def record(observations: Sequence[Observation], *, now: datetime | None = None) -> Recorded:
    """Store observations, their jobs too where they are new, and bring the projections up to date.

    `now` dates a change of what a row says; without it that is when the job's newest observation
    was made.
    """
    while True:
        try:
            return _record(observations, now)
        except IntegrityError:
            if not _adopt_jobs_stored_meanwhile(observations):
                raise


def _adopt_jobs_stored_meanwhile(observations: Sequence[Observation]) -> bool:
    """Put the stored rows in the place of new jobs that somebody else stored; False if none."""
    of_new_jobs: dict[Project, list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.new_job:
            of_new_jobs[observation.new_job.project].append(observation)

    is_any_stored = False
    for project_, project_observations in of_new_jobs.items():
        stored = known_jobs(project_, [seen.job.job_id for seen in project_observations])
        for observation in project_observations:
            is_any_stored |= observation.job.job_id in stored
            observation.job = stored.get(observation.job.job_id, observation.job)
    return is_any_stored


@transaction.atomic
def _record(observations: Sequence[Observation], now: datetime | None) -> Recorded:
    hold_jobs(observation.job.pk for observation in observations if not observation.new_job)
    new_jobs = list({id(job): job for seen in observations if (job := seen.new_job)}.values())
    reserve_keys(new_jobs)
    for job in new_jobs:
        job.chain_length, job.chain_link = 0, None  # an attempt that failed may have begun a chain

    writes = Writes()
    recorded = record_held(observations, writes, now=now)
    writes.run()
    for job in new_jobs:
        job._state.adding = False
    return recorded


def record_held(
    observations: Sequence[Observation], writes: Writes, *, now: datetime | None = None
) -> Recorded:
    """Record observations of jobs whose rows this transaction holds.

    1. Read the jobs' runs, corrections and contradictions.
    2. Fold the observations, in order of time, into the runs.
    3. Write the runs that began; those that were prolonged are left to `writes`.
    4. Compare new replies with their neighbours, for contradictions.
    5. Project: derive the rows of jobs and files from the newest replies. New rows are stored, the
       rest is left to `writes`.
    """
    histories = _read(observations)
    newest_before = {pk: history.newest() for pk, history in histories.items()}
    recorded = Recorded(jobs={pk: history.job for pk, history in histories.items()})

    for observation in sorted(observations, key=_order):
        history = histories[observation.job.pk]
        history.latest = now or observation.observed_at
        _fold(history, observation, recorded)
    changed = [history for history in histories.values() if history.changed or history.chained]

    give_keys(changed)
    write_runs(changed, writes)

    # A row of a former version that has no changed_at yet has columns to fill.
    outdated = [
        history
        for history in changed
        if history.newest() is not newest_before[history.job.pk] or history.job.changed_at is None
    ]
    checks = checks_of_batch(changed)
    compared_runs = [run for check in checks.values() for pair in check.pairs for run in pair]
    stored_replies, files = read_replies_and_files(
        _keys_of_stored([*(history.newest() for history in outdated), *compared_runs]),
        [history.job.pk for history in outdated if history.job.file_count],
    )
    compare_pairs(checks.values(), stored_replies)

    project(changed, Basis(_newest_replies(outdated, stored_replies), files, checks), writes)
    return recorded


def _read(observations: Sequence[Observation]) -> dict[int, History]:
    with_misses = {seen.job.pk for seen in observations if seen.reply is None}
    stored_jobs = {seen.job.pk for seen in observations if not seen.new_job}
    new_jobs = {job.pk: job for seen in observations if (job := seen.new_job)}
    # No contradiction of an earlier reply can change.
    since = min((seen.observed_at for seen in observations), default=EARLIEST)
    histories = read_histories(stored_jobs, with_misses=with_misses, contradictions_since=since)
    return histories | new_histories(new_jobs.values())


def _keys_of_stored(runs: Iterable[ReplyRun | None]) -> set[int]:
    """The keys of those runs of which no reply came in this batch."""
    return {run.order for run in runs if run is not None and run.newest is None}


def _order(observation: Observation) -> tuple[int, datetime]:
    """By time; those that continue a chain of another gesdash go first, in the chain's order."""
    moved = observation.moved
    number = moved.number if moved and moved.number else _AFTER_CHAINED
    return number, observation.observed_at


def _fold(history: History, observation: Observation, recorded: Recorded) -> None:
    moved = observation.moved
    if moved and (observation.reply is not None or moved.size is not None):
        is_new = fold_moved(history, observation, moved)
        # A tombstone that does not fit the chain is stored nowhere.
        is_repeated = not is_new and (moved.fits or moved.size is None)
        recorded.recorded += is_new
        recorded.repeated += is_repeated
    elif moved:
        fold_moved_miss(history, observation, moved)
        recorded.misses += 1
    elif observation.reply is None:
        fold_miss(history, observation)
        observation.outcome = error_of(observation).kind
        recorded.misses += 1
    elif fold_reply(history, observation):
        observation.outcome = "new"
        recorded.recorded += 1
    else:
        observation.outcome = "repeated"
        recorded.repeated += 1


def _newest_replies(
    histories: Iterable[History], stored: Mapping[int, JobReply]
) -> dict[int, JobReply]:
    """By job, where it can be parsed."""
    newest = {history.job.pk: run for history in histories if (run := history.newest())}
    return {pk: reply for pk, run in newest.items() if (reply := run.reply(stored)) is not None}


def histories_of(
    pks: Collection[int],
    *,
    now: datetime | None = None,
    contradictions_since: datetime = EARLIEST,
) -> list[History]:
    """The whole histories of these locked jobs."""
    histories = read_histories(
        pks, with_misses=pks, contradictions_since=contradictions_since
    ).values()
    for history in histories:
        history.latest = now
    return list(histories)


def stored_basis(histories: Collection[History]) -> Basis:
    """All that these locked jobs' rows are derived from and compared with, as stored."""
    keys = _keys_of_stored(history.newest() for history in histories)
    stored, files = read_replies_and_files(keys, [history.job.pk for history in histories])
    return Basis(_newest_replies(histories, stored), files)


@transaction.atomic
def rebuild(
    jobs: Sequence[Job], *, now: datetime | None = None, with_contradictions: bool = False
) -> int:
    """Derive these jobs' rows anew from the stored replies; how many have one.

    `now` dates a change of what a row says; by default that is when the job's newest reply was
    seen.
    `with_contradictions` derives those too, for which every reply is read, not only the newest.
    """
    pks = [job.pk for job in jobs]
    hold_jobs(pks)
    histories = histories_of(pks, now=now)
    if with_contradictions:
        replies, checks = check_all_replies(histories)
        _, files = read_replies_and_files((), replies)
        basis = Basis(replies, files, checks)
    else:
        basis = stored_basis(histories)

    writes = Writes()
    project(histories, basis, writes, anew=True)
    writes.run()
    return len(basis.replies)


def rebuild_in_batches(jobs: JobQuerySet, *, now: datetime) -> Iterator[int]:
    """Rebuild many jobs, a transaction a batch; how many of each batch have a reply.

    Memory does not grow with the number of jobs.
    """
    batch: list[Job] = []
    file_count = 0
    for job in jobs.order_by("pk").only("pk", "file_count").iterator(chunk_size=2000):
        batch.append(job)
        file_count += job.file_count
        if len(batch) >= MAX_BATCH_JOBS or file_count >= MAX_BATCH_FILES:
            yield rebuild(batch, now=now, with_contradictions=True)
            batch, file_count = [], 0
    if batch:
        yield rebuild(batch, now=now, with_contradictions=True)
