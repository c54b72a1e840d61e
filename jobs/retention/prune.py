"""Removes old redundant replies by the rule of their project; each leaves a tombstone."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.shapes import JobReply
from jobs.ges.words import FINAL
from jobs.models import Job, Miss, Project, Pruning, Snapshot
from jobs.models.job import JobQuerySet, ReviewState
from jobs.models.project import Keeping
from jobs.record import rebuild
from jobs.record.lookup import lock_jobs
from jobs.record.removal import remove_misses, remove_replies
from jobs.retention.redundant import ReplyContent, content_of, redundant

# Of one transaction.
BATCH_JOBS = 200
BATCH_REPLIES = 2_000
BODIES_AT_ONCE = 20  # a body may have 8 MiB


@dataclass(slots=True)
class Pruned:
    """Counts of the rows that were removed, or with `dry_run` would be."""

    jobs: int = 0
    replies: int = 0
    misses: int = 0
    size: int = 0  # bytes of bodies

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(
            self.jobs + other.jobs,
            self.replies + other.replies,
            self.misses + other.misses,
            self.size + other.size,
        )


def prunable(project: Project, cutoff: datetime) -> JobQuerySet:
    """Ended jobs first seen before `cutoff`, not under review and not held as evidence."""
    jobs = Job.objects.filter(
        project=project, first_seen_at__lt=cutoff, verdict__in=sorted(FINAL), hold=None
    )
    return jobs.exclude(review__in=ReviewState.open())


def prune(project: Project, *, now: datetime, dry_run: bool = False) -> Iterator[Pruned]:
    """Apply the rule of a project, one transaction per batch; yields the counts of each batch.

    Yields nothing if the project keeps all.
    """
    if project.keeps == Keeping.ALL:
        return
    cutoff = now - timedelta(days=project.keep_days)
    for batch in _batches(prunable(project, cutoff)):
        with transaction.atomic():
            # Locked, since a job may come under review, and a reply may come, at any time.
            locked = lock_jobs(batch) if not dry_run else {}
            jobs = [*prunable(project, cutoff).filter(pk__in=batch)]
            removable = _removable(jobs, cutoff, keep_changes=project.keeps == Keeping.CHANGES)
            misses = Miss.objects.filter(job__in=jobs, last_seen_at__lt=cutoff)
            pruned_jobs = {job for job, _ in removable}
            replies = [pk for _, pk in removable]
            pruned = Pruned(len(pruned_jobs), len(replies), misses.count(), _body_size(replies))

            if locked and (pruned.replies or pruned.misses):
                pruning = Pruning.objects.create(
                    project=project,
                    made_at=now,
                    keeps=project.keeps,
                    keep_days=project.keep_days,
                    replies=pruned.replies,
                    misses=pruned.misses,
                    size=pruned.size,
                )
                remove_replies(pruning, replies)
                remove_misses([job.pk for job in jobs], cutoff)
                # Counts, and contradictions between neighbouring replies.
                rebuild([job for job in jobs if job.pk in pruned_jobs])
        yield pruned


def _batches(jobs: JobQuerySet) -> Iterator[list[int]]:
    batch: list[int] = []
    replies = 0
    for pk, count in (
        jobs.order_by("pk").values_list("pk", "snapshot_count").iterator(chunk_size=2000)
    ):
        batch.append(pk)
        replies += count
        if len(batch) >= BATCH_JOBS or replies >= BATCH_REPLIES:
            yield batch
            batch, replies = [], 0
    if batch:
        yield batch


def _removable(
    jobs: Sequence[Job], cutoff: datetime, *, keep_changes: bool
) -> list[tuple[int, int]]:
    """The keys of job and reply, for each reply that may be removed."""
    with_several = [job.pk for job in jobs if job.snapshot_count > 1]
    rows = Snapshot.objects.filter(job__in=with_several).order_by("job", "first_seen_at", "pk")
    columns = rows.values_list(
        "job_id", "pk", "source", "version", "last_seen_at", "http_status", "body"
    )
    replies: dict[int, list[ReplyContent]] = defaultdict(list)

    for job, pk, source, version, last_seen_at, http_status, body in columns.iterator(
        chunk_size=BODIES_AT_ONCE
    ):
        replies[job].append(
            content_of(pk, source, version, last_seen_at, _parsed(bytes(body), http_status))
        )
    return [
        (job, reply.id)
        for job, replies_of_job in replies.items()
        for reply in redundant(replies_of_job, keep_changes=keep_changes)
        if reply.last_seen_at < cutoff
    ]


def _parsed(body: bytes, http_status: int) -> JobReply | None:
    try:
        return parse_reply(body, http_status=http_status)
    except GesError:
        return None


def _body_size(replies: Collection[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(length(body)), 0) FROM jobs_snapshot WHERE id = ANY(%s)",
            [list(replies)],
        )
        [(size,)] = cursor.fetchall()
    return int(size)
