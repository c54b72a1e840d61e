"""Old replies that say nothing new go, by the rule of their project; a tombstone stays for each."""

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
from jobs.retention.redundant import ReplyContent, redundant, told

BATCH_JOBS, BATCH_REPLIES = 200, 2_000  # of one transaction
CHUNK_BODIES = 20  # read at once; a body may have 8 MiB


@dataclass(slots=True)
class Pruned:
    """What went, or would go."""

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
    """Jobs that have ended long enough ago to have something old, that nobody reviews and nobody holds as evidence."""
    jobs = Job.objects.filter(
        project=project, first_seen_at__lt=cutoff, verdict__in=sorted(FINAL), hold=None
    )
    return jobs.exclude(review__in=ReviewState.open())


def prune(project: Project, *, now: datetime, dry_run: bool = False) -> Iterator[Pruned]:
    """Apply the rule of a project, a transaction a batch; what went in each. Nothing where all is kept."""
    if project.keeps == Keeping.ALL:
        return
    cutoff = now - timedelta(days=project.keep_days)
    for batch in _batches(prunable(project, cutoff)):
        with transaction.atomic():
            # Locked, since a job may come under review, and a reply may come, at any time.
            locked = lock_jobs(batch) if not dry_run else {}
            jobs = [*prunable(project, cutoff).filter(pk__in=batch)]
            gone = _gone(jobs, cutoff, keep_changes=project.keeps == Keeping.CHANGES)
            misses = Miss.objects.filter(job__in=jobs, last_seen_at__lt=cutoff)
            touched = {job for job, _ in gone}
            done = Pruned(len(touched), len(gone), misses.count(), _size([pk for _, pk in gone]))
            if locked and (done.replies or done.misses):
                row = Pruning.objects.create(
                    project=project, made_at=now, keeps=project.keeps, keep_days=project.keep_days,
                    replies=done.replies, misses=done.misses, size=done.size,
                )  # fmt: skip
                remove_replies(row, [pk for _, pk in gone])
                remove_misses([job.pk for job in jobs], cutoff)
                rebuild(
                    [one for one in jobs if one.pk in touched]
                )  # counts, and what neighbours say against each other
        yield done


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


def _gone(jobs: Sequence[Job], cutoff: datetime, *, keep_changes: bool) -> list[tuple[int, int]]:
    """Job and reply of each that may go."""
    many = [job.pk for job in jobs if job.snapshot_count > 1]
    rows = Snapshot.objects.filter(job__in=many).order_by("job", "first_seen_at", "pk")
    columns = rows.values_list(
        "job_id", "pk", "source", "version", "last_seen_at", "http_status", "body"
    )
    replies: dict[int, list[ReplyContent]] = defaultdict(list)
    for job, pk, source, version, last, http_status, body in columns.iterator(
        chunk_size=CHUNK_BODIES
    ):
        replies[job].append(told(pk, source, version, last, _read(bytes(body), http_status)))
    return [
        (job, one.id)
        for job, all_ in replies.items()
        for one in redundant(all_, keep_changes=keep_changes)
        if one.last_seen_at < cutoff
    ]


def _read(body: bytes, http_status: int) -> JobReply | None:
    try:
        return parse_reply(body, http_status=http_status)
    except GesError:
        return None


def _size(replies: Collection[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(length(body)), 0) FROM jobs_snapshot WHERE id = ANY(%s)",
            [list(replies)],
        )
        [(size,)] = cursor.fetchall()
    return int(size)
