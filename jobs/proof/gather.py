"""What belongs to the evidence of some jobs, read a few jobs at a time, all of it as it was at one moment."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Collate

from jobs.chain.merkle import Tree
from jobs.models import Checkpoint, Correction, Job, Miss, Review, Snapshot, Tombstone
from jobs.models.job import JobQuerySet
from jobs.proof.seal import Head, heads

MOST_JOBS, MOST_REPLIES = 20_000, 50_000  # a zip's own list of its files is held until its end
BATCH = 50  # jobs


class TooMuch(ValueError):
    """More than one bundle holds; the message says how much it may be."""


@dataclass(frozen=True, slots=True)
class Run:
    """A reply without its body, or what is left of a removed one; `file` is its name in the bundle, None where it is gone."""

    reply: Snapshot | Tombstone
    file: str | None


@dataclass(slots=True)
class Case:
    """One job with all that is told about it."""

    job: Job
    corrections: list[Correction] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read in it is as it was at its beginning; inside another transaction, whatever that one sees."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def chosen(jobs: JobQuerySet) -> list[int]:
    """Their keys, in the order of the bundle: by GES's ids. Raises: TooMuch."""
    by_ids = jobs.order_by(Collate("project__project_id", "C"), Collate("job_id", "C"))
    found = list(by_ids.values_list("pk", "chain_length")[: MOST_JOBS + 1])
    replies = sum(length for _, length in found)
    if len(found) > MOST_JOBS or replies > MOST_REPLIES:
        raise TooMuch(
            f"The list has more than {MOST_JOBS:,} jobs or {MOST_REPLIES:,} replies, which is the most in one bundle; narrow it."
        )
    return [pk for pk, _ in found]


def cases(keys: Sequence[int]) -> Iterator[Case]:
    """Each job with all but the bodies of its replies."""
    for batch in batched(keys, BATCH, strict=False):
        rows = Job.objects.filter(pk__in=batch).select_related("project", "graph").prefetch_related("files")
        found = {job.pk: Case(job) for job in rows}
        _fill(found)
        yield from (found[pk] for pk in batch)


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
    runs: dict[int, list[Run]] = defaultdict(list)
    for reply in Snapshot.objects.filter(job__in=found).defer("body"):
        runs[reply.job_id].append(Run(reply, file_of(found[reply.job_id].job, reply.number)))
    for gone in Tombstone.objects.filter(job__in=found):
        runs[gone.job_id].append(Run(gone, None))
    for pk, all_ in runs.items():
        found[pk].runs = sorted(all_, key=lambda run: run.reply.number)


def bodies(keys: Sequence[int]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each reply."""
    for batch in batched(keys, BATCH, strict=False):
        jobs = Job.objects.filter(pk__in=batch).select_related("project").in_bulk()
        rows = Snapshot.objects.filter(job__in=batch).order_by("job", "number").values_list("job_id", "number", "body")
        for pk, number, body in rows.iterator(chunk_size=10):
            yield file_of(jobs[pk], number), bytes(body)


def file_of(job: Job, number: int) -> str:
    """The place of a reply in the bundle; the key tells apart what ids with odd letters can't."""
    names = [re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60] for name in (job.project.project_id, job.job_id)]
    return f"replies/{names[0]}/{names[1]}-{job.pk}/{number:05d}.json"


def as_of(keys: Sequence[int]) -> datetime | None:
    """When the newest of all this came about; None where there is nothing."""
    found: list[datetime] = []
    for batch in batched(keys, 1000, strict=False):
        jobs = Job.objects.filter(pk__in=batch).aggregate(Max("observed_at"), Max("changed_at"), Max("first_seen_at"))
        told = [
            _newest(Correction, batch, "made_at"),
            _newest(Correction, batch, "reverted_at"),
            _newest(Review, batch, "made_at"),
        ]
        found += [at for at in (*jobs.values(), *told, _newest(Miss, batch, "last_seen_at")) if at is not None]
    return max(found, default=None)


def _newest(model: Any, batch: Sequence[int], name: str) -> datetime | None:
    rows: QuerySet[Any] = model.objects.filter(job__in=batch)
    newest: datetime | None = rows.aggregate(newest=Max(name))["newest"]
    return newest


class Sealed:
    """The newest checkpoint of each project, and the tree under it while its jobs come by."""

    def __init__(self, keys: Sequence[int]) -> None:
        rows = Checkpoint.objects.filter(project__jobs__in=keys).select_related("project")
        newest = rows.order_by("project", "-number").distinct("project")
        self.checkpoints = sorted(newest, key=lambda one: one.project.project_id.encode())
        self._keys = keys

    def proofs(self) -> Iterator[tuple[Case, dict[str, Any] | None]]:
        """Each job, with the way from its sealed head to its project's root; None where it is not sealed."""
        checkpoints = {one.project_id: one for one in self.checkpoints}
        project, tree = 0, Tree([])
        found: dict[str, tuple[int, Head]] = {}
        try:
            for case in cases(self._keys):
                if case.job.project_id != project:
                    tree.close()
                    project = case.job.project_id
                    tree, found = self._tree(checkpoints.get(project))
                at = found.get(case.job.job_id)
                yield (
                    case,
                    None
                    if at is None
                    else {
                        "checkpoint": checkpoints[project].number,
                        "number": at[1].number,
                        "index": at[0],
                        "size": tree.size,
                        "path": [one.hex() for one in tree.path(at[0])],
                    },
                )
        finally:
            tree.close()

    def _tree(self, checkpoint: Checkpoint | None) -> tuple[Tree, dict[str, tuple[int, Head]]]:
        if checkpoint is None:
            return Tree([]), {}
        wanted = set(Job.objects.filter(project=checkpoint.project_id, pk__in=self._keys).values_list("job_id", flat=True))
        found: dict[str, tuple[int, Head]] = {}

        def leaves() -> Iterator[bytes]:
            for index, head in enumerate(heads(checkpoint.project, checkpoint.up_to)):
                if head.job_id in wanted:
                    found[head.job_id] = (index, head)
                yield head.leaf

        return Tree(leaves()), found
