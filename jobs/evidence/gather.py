"""What belongs to the evidence of some jobs, read a few jobs at a time, all of it as it was at one moment."""

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
FILE = 4 << 20  # bytes after which replies go on in the next file
BODIES, BODY_BYTES = 500, 4 << 20  # held at once


class TooMuch(ValueError):
    """More than may be asked for here; the message says how much it may be."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Keys of jobs in the order of the bundle, eight bytes each, and which part of them is of which project."""

    keys: array[int]
    projects: dict[int, slice]


@dataclass(frozen=True, slots=True)
class EvidenceRun:
    """A reply without its body, or what is left of a removed one; where its bytes are in the bundle, None where they are gone."""

    reply: Snapshot | Tombstone
    file: str | None = None
    offset: int | None = None
    size: int | None = None


@dataclass(slots=True)
class Case:
    """One job with all that is told about it."""

    job: Job
    corrections: list[Correction] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    runs: list[EvidenceRun] = field(default_factory=list)


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read in it is as it was at its beginning; inside another transaction, whatever that one sees."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def chosen(jobs: JobQuerySet, most: int | None = None) -> Chosen:
    """Their keys, in the order of the bundle: by GES's ids. Raises: TooMuch where they are more than `most`."""
    by_ids = jobs.order_by(Collate("project__project_id", "C"), Collate("job_id", "C"))
    keys, starts = array("q"), dict[int, int]()
    rows = by_ids.values_list("pk", "project_id")[: None if most is None else most + 1]
    for pk, project in rows.iterator():
        starts.setdefault(project, len(keys))
        keys.append(pk)
    if most is not None and len(keys) > most:
        raise TooMuch(f"The list has more than {most:,} jobs.")
    ends = [*list(starts.values())[1:], len(keys)] if starts else []
    return Chosen(
        keys,
        {
            project: slice(start, end)
            for (project, start), end in zip(starts.items(), ends, strict=True)
        },
    )


def jobs_of(keys: Iterable[int], *, whole: bool = False) -> Iterator[Job]:
    """Each job; `whole`: with its files and the corrections that stand."""
    for batch in batched(keys, BATCH):
        rows = Job.objects.filter(pk__in=batch).select_related("project", "graph")
        found = (rows.prefetch_related("files", WITH_CORRECTIONS) if whole else rows).in_bulk()
        yield from (found[pk] for pk in batch)


def cases(keys: Iterable[int], *, whole: bool = False) -> Iterator[Case]:
    """Each job with all but the bodies of its replies; `whole` as for `jobs_of`."""
    number, offset = 1, 0
    for batch in batched(jobs_of(keys, whole=whole), BATCH):
        found = {job.pk: Case(job) for job in batch}
        _fill(found)
        for case in found.values():
            for at, run in enumerate(case.runs):
                if isinstance(run.reply, Snapshot):
                    if offset >= FILE:
                        number, offset = number + 1, 0
                    size: int = run.reply.size  # type: ignore[attr-defined]
                    case.runs[at] = EvidenceRun(
                        run.reply, f"replies/{number:05d}.txt", offset, size
                    )
                    offset += size + 1  # and a line end
            yield case


def _fill(found: dict[int, Case]) -> None:
    people = (
        Correction.objects.select_related("actor", "reverted_by"),
        Review.objects.select_related("actor", "assignee", "fixed_by"),
    )
    for correction in people[0].filter(job__in=found).order_by("made_at", "pk"):
        found[correction.job_id or 0].corrections.append(correction)
    for review in people[1].filter(job__in=found).order_by("made_at", "pk"):
        found[review.job_id].reviews.append(review)
    for miss in Miss.objects.filter(job__in=found).defer("body").order_by("first_seen_at", "pk"):
        found[miss.job_id].misses.append(miss)
    runs: dict[int, list[EvidenceRun]] = defaultdict(list)
    for reply in Snapshot.objects.filter(job__in=found).defer("body").annotate(size=Length("body")):
        runs[reply.job_id].append(EvidenceRun(reply))
    for gone in Tombstone.objects.filter(job__in=found):
        runs[gone.job_id].append(EvidenceRun(gone))
    for pk, all_ in runs.items():
        found[pk].runs = sorted(all_, key=lambda run: run.reply.number)


def bodies(keys: Iterable[int]) -> Iterator[tuple[str, bytes]]:
    """The file of each reply and its bytes, in the order in which they stand there."""
    part: list[EvidenceRun] = []
    held = 0
    for run in (run for case in cases(keys) for run in case.runs if run.file is not None):
        part.append(run)
        held += run.size or 0
        if len(part) >= BODIES or held >= BODY_BYTES:
            yield from _read(part)
            part, held = [], 0
    yield from _read(part)


def _read(part: Sequence[EvidenceRun]) -> Iterator[tuple[str, bytes]]:
    found = dict(
        Snapshot.objects.filter(pk__in=[run.reply.pk for run in part]).values_list("pk", "body")
    )
    for run in part:
        yield run.file or "", bytes(found.pop(run.reply.pk))


def as_of(keys: Sequence[int]) -> datetime | None:
    """When the newest of all this came about; None where there is nothing."""
    found: list[datetime] = []
    for batch in batched(keys, 1000):
        jobs = Job.objects.filter(pk__in=batch).aggregate(
            Max("observed_at"), Max("changed_at"), Max("first_seen_at")
        )
        told = [
            _newest(Correction, batch, "made_at"),
            _newest(Correction, batch, "reverted_at"),
            _newest(Review, batch, "made_at"),
        ]
        found += [
            at
            for at in (*jobs.values(), *told, _newest(Miss, batch, "last_seen_at"))
            if at is not None
        ]
    return max(found, default=None)


def _newest(model: Any, batch: Sequence[int], name: str) -> datetime | None:
    rows: QuerySet[Any] = model.objects.filter(job__in=batch)
    newest: datetime | None = rows.aggregate(newest=Max(name))["newest"]
    return newest


class SealedHead:
    """The newest checkpoint of each project, and the tree under it while its jobs come by."""

    def __init__(self, jobs: Chosen) -> None:
        rows = Checkpoint.objects.filter(project__in=list(jobs.projects)).select_related("project")
        newest = rows.order_by("project", "-number").distinct("project")
        self.checkpoints = sorted(newest, key=lambda one: one.project.project_id.encode())
        self._jobs = jobs

    def proofs(self) -> Iterator[tuple[Job, dict[str, Any] | None]]:
        """Each job, with the way from its sealed head to its project's root; None where it is not sealed."""
        checkpoints = {one.project_id: one for one in self.checkpoints}
        for project, part in self._jobs.projects.items():
            keys = self._jobs.keys[part]
            if project in checkpoints:
                yield from _proofs(keys, checkpoints[project])
            else:
                yield from ((job, None) for job in jobs_of(keys))


def _proofs(
    keys: array[int], checkpoint: Checkpoint
) -> Iterator[tuple[Job, dict[str, Any] | None]]:
    indexes, numbers = (array("q", [-1]) * len(keys) for _ in range(2))  # of each job's sealed head

    def leaves() -> Iterator[bytes]:
        wanted = enumerate(_ids(keys))
        place, job_id = next(wanted, (0, None))
        for index, head in enumerate(heads(checkpoint.project, checkpoint.up_to)):
            while (
                job_id is not None and job_id < head.job_id
            ):  # both in the order of code points, which is that of UTF-8
                place, job_id = next(wanted, (0, None))
            if job_id == head.job_id:
                indexes[place], numbers[place] = index, head.number
            yield head.leaf

    with Tree(leaves()) as tree:
        for job, index, number in zip(jobs_of(keys), indexes, numbers, strict=True):
            yield (
                job,
                None
                if index < 0
                else {
                    "checkpoint": checkpoint.number,
                    "number": number,
                    "index": index,
                    "size": tree.size,
                    "path": [one.hex() for one in tree.path(index)],
                },
            )


def _ids(keys: Iterable[int]) -> Iterator[str]:
    for batch in batched(keys, 1000):
        found = dict(Job.objects.filter(pk__in=batch).values_list("pk", "job_id"))
        yield from (found[pk] for pk in batch)
