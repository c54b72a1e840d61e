"""Reads the rows that belong to the evidence of some jobs, a few jobs at a time."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Collate, Length

from jobs.chain.merkle import Tree
from jobs.export.job import WITH_CORRECTIONS
from jobs.models import Checkpoint, Correction, Job, Miss, Review, Snapshot, Tombstone
from jobs.models.job import JobQuerySet
from jobs.proof.seal import heads

BATCH = 50  # jobs
BATCH_KEYS = 1000
FILE = 4 << 20  # bytes, after which replies go on in the next file
# Held at once.
MAX_BODIES = 500
BODY_BYTES = 4 << 20


class TooMuch(ValueError):
    """More jobs than one bundle may have; the message names the limit."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Keys of jobs in the order of the bundle, eight bytes each; `projects` has each one's part."""

    keys: array[int]
    projects: dict[int, slice]


@dataclass(frozen=True, slots=True)
class EvidenceRun:
    """A reply without its body, or the tombstone of a removed one.

    `file`, `offset` and `size` say where its bytes are in the bundle; None if they were removed.
    """

    reply: Snapshot | Tombstone
    file: str | None = None
    offset: int | None = None
    size: int | None = None


@dataclass(slots=True)
class Case:
    """One job with its corrections, reviews, failed polls and replies."""

    job: Job
    corrections: list[Correction] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    runs: list[EvidenceRun] = field(default_factory=list)


@contextmanager
def one_moment() -> Iterator[None]:
    """A read-only transaction that sees the database as it was at its beginning.

    Inside another transaction it sees what that one does.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def chosen(jobs: JobQuerySet, most: int | None = None) -> Chosen:
    """The keys of the jobs, ordered by GES's ids.

    Raises: TooMuch if there are more than `most`.
    """
    by_ids = jobs.order_by(Collate("project__project_id", "C"), Collate("job_id", "C"))
    keys = array("q")
    starts: dict[int, int] = {}
    rows = by_ids.values_list("pk", "project_id")[: None if most is None else most + 1]
    for pk, project in rows.iterator():
        starts.setdefault(project, len(keys))
        keys.append(pk)
    if most is not None and len(keys) > most:
        raise TooMuch(f"The list has more than {most:,} jobs.")

    ends = [*list(starts.values())[1:], len(keys)] if starts else []
    parts = map(slice, starts.values(), ends)
    return Chosen(keys, dict(zip(starts, parts, strict=True)))


def jobs_of(keys: Iterable[int], *, whole: bool = False) -> Iterator[Job]:
    """Each job in the order of `keys`; `whole`: with its files and the corrections in force."""
    for batch in batched(keys, BATCH):
        rows = Job.objects.filter(pk__in=batch).select_related("project", "graph")
        if whole:
            rows = rows.prefetch_related("files", WITH_CORRECTIONS)
        jobs = rows.in_bulk()
        yield from (jobs[pk] for pk in batch)


def cases(keys: Iterable[int], *, whole: bool = False) -> Iterator[Case]:
    """The case of each job, without the bodies of its replies; `whole` as for `jobs_of`."""
    number, offset = 1, 0
    for batch in batched(jobs_of(keys, whole=whole), BATCH):
        cases_by_job = {job.pk: Case(job) for job in batch}
        _fill(cases_by_job)
        for case in cases_by_job.values():
            for index, run in enumerate(case.runs):
                if isinstance(run.reply, Snapshot):
                    if offset >= FILE:
                        number, offset = number + 1, 0
                    size: int = run.reply.size  # type: ignore[attr-defined]
                    case.runs[index] = EvidenceRun(
                        run.reply, f"replies/{number:05d}.txt", offset, size
                    )
                    offset += size + 1  # and a line end
            yield case


def _fill(cases_by_job: dict[int, Case]) -> None:
    corrections = Correction.objects.select_related("actor", "reverted_by")
    reviews = Review.objects.select_related("actor", "assignee", "fixed_by")
    for correction in corrections.filter(job__in=cases_by_job).order_by("made_at", "pk"):
        cases_by_job[correction.job_id or 0].corrections.append(correction)
    for review in reviews.filter(job__in=cases_by_job).order_by("made_at", "pk"):
        cases_by_job[review.job_id].reviews.append(review)
    for miss in (
        Miss.objects.filter(job__in=cases_by_job).defer("body").order_by("first_seen_at", "pk")
    ):
        cases_by_job[miss.job_id].misses.append(miss)

    runs: dict[int, list[EvidenceRun]] = defaultdict(list)
    for reply in (
        Snapshot.objects.filter(job__in=cases_by_job).defer("body").annotate(size=Length("body"))
    ):
        runs[reply.job_id].append(EvidenceRun(reply))
    for tombstone in Tombstone.objects.filter(job__in=cases_by_job):
        runs[tombstone.job_id].append(EvidenceRun(tombstone))
    for pk, runs_of_job in runs.items():
        cases_by_job[pk].runs = sorted(runs_of_job, key=lambda run: run.reply.number)


def bodies(keys: Iterable[int]) -> Iterator[tuple[str, bytes]]:
    """The file in the bundle and the bytes of each reply, in the order of the files."""
    batch: list[EvidenceRun] = []
    size = 0
    for run in (run for case in cases(keys) for run in case.runs if run.file is not None):
        batch.append(run)
        size += run.size or 0
        if len(batch) >= MAX_BODIES or size >= BODY_BYTES:
            yield from _read_bodies(batch)
            batch, size = [], 0
    yield from _read_bodies(batch)


def _read_bodies(runs: Sequence[EvidenceRun]) -> Iterator[tuple[str, bytes]]:
    snapshots = Snapshot.objects.filter(pk__in=[run.reply.pk for run in runs])
    bodies_by_key = dict(snapshots.values_list("pk", "body"))
    for run in runs:
        yield run.file or "", bytes(bodies_by_key.pop(run.reply.pk))


def as_of(keys: Sequence[int]) -> datetime | None:
    """The time of the newest row in the evidence of these jobs; None without jobs."""
    times: list[datetime] = []
    for batch in batched(keys, BATCH_KEYS):
        jobs = Job.objects.filter(pk__in=batch).aggregate(
            Max("observed_at"), Max("changed_at"), Max("first_seen_at")
        )
        decision_times = [
            _newest(Correction, batch, "made_at"),
            _newest(Correction, batch, "reverted_at"),
            _newest(Review, batch, "made_at"),
        ]
        miss_time = _newest(Miss, batch, "last_seen_at")
        times += [time for time in (*jobs.values(), *decision_times, miss_time) if time is not None]
    return max(times, default=None)


def _newest(model: Any, batch: Sequence[int], name: str) -> datetime | None:
    rows: QuerySet[Any] = model.objects.filter(job__in=batch)
    newest: datetime | None = rows.aggregate(newest=Max(name))["newest"]
    return newest


class SealedHead:
    """The newest checkpoint of each project, and proofs that heads are in its tree."""

    def __init__(self, jobs: Chosen) -> None:
        rows = Checkpoint.objects.filter(project__in=list(jobs.projects)).select_related("project")
        newest = rows.order_by("project", "-number").distinct("project")
        self.checkpoints = sorted(
            newest, key=lambda checkpoint: checkpoint.project.project_id.encode()
        )
        self._jobs = jobs

    def proofs(self) -> Iterator[tuple[Job, dict[str, Any] | None]]:
        """Each job with the Merkle path of its sealed head; None if it is not sealed."""
        checkpoints = {checkpoint.project_id: checkpoint for checkpoint in self.checkpoints}
        for project, part in self._jobs.projects.items():
            keys = self._jobs.keys[part]
            if project in checkpoints:
                yield from _proofs(keys, checkpoints[project])
            else:
                yield from ((job, None) for job in jobs_of(keys))


def _proofs(
    keys: array[int], checkpoint: Checkpoint
) -> Iterator[tuple[Job, dict[str, Any] | None]]:
    # Of each job's sealed head.
    indexes = array("q", [-1]) * len(keys)
    numbers = array("q", [-1]) * len(keys)

    def leaves() -> Iterator[bytes]:
        job_ids = enumerate(_job_ids(keys))
        place, job_id = next(job_ids, (0, None))
        for index, head in enumerate(heads(checkpoint.project, checkpoint.up_to)):
            # Both in the order of code points, which is that of UTF-8.
            while job_id is not None and job_id < head.job_id:
                place, job_id = next(job_ids, (0, None))
            if job_id == head.job_id:
                indexes[place] = index
                numbers[place] = head.number
            yield head.leaf

    with Tree(leaves()) as tree:
        for job, index, number in zip(jobs_of(keys), indexes, numbers, strict=True):
            if index < 0:
                yield job, None
                continue
            proof = {
                "checkpoint": checkpoint.number,
                "number": number,
                "index": index,
                "size": tree.size,
                "path": [digest.hex() for digest in tree.path(index)],
            }
            yield job, proof


def _job_ids(keys: Iterable[int]) -> Iterator[str]:
    for batch in batched(keys, BATCH_KEYS):
        ids_by_key = dict(Job.objects.filter(pk__in=batch).values_list("pk", "job_id"))
        yield from (ids_by_key[pk] for pk in batch)
