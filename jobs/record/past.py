"""Jobs as they were known at a moment: folded from what had been seen and decided by then. Nothing is stored."""

from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Least

from jobs.diagnosis.verdict import file_verdict
from jobs.ges.reply import JobReply
from jobs.models import Correction, ImportFile, Job, Review, Snapshot, Tombstone
from jobs.models.job import ReviewState
from jobs.record.overlay import verdict_over
from jobs.record.projection import FILE_COLUMNS, file_values, fill_corrected
from jobs.record.replies import read_replies
from jobs.record.review_state import lost_data, within_tolerance


@dataclass(frozen=True, slots=True)
class Past:
    """One job as it was known; `job` and `files` are in no table, their keys are today's."""

    job: Job
    files: list[ImportFile]


def as_known(jobs: Sequence[Job], at: datetime) -> dict[int, Past]:
    """By key, what was known of these jobs at that moment: six queries, and the body of one reply a job.

    Their graphs are to be loaded. Left out: jobs that had not been heard of, and those whose reply of then retention has taken away. The graph and what it
    tolerates are today's.
    """
    pks = [job.pk for job in jobs]
    newest = _newest(Snapshot.objects.all(), pks, at)
    buried = _newest(Tombstone.objects.all(), pks, at)
    kept = {job: row for job, row in newest.items() if job not in buried or buried[job] < row}
    replies = read_replies(key for _until, key in kept.values())
    counts = Snapshot.objects.filter(job__in=kept, first_seen_at__lte=at).order_by().values_list("job")
    seen = dict(counts.annotate(count=Count("*")))
    corrections = corrections_at(list(kept), at)
    reviews = Review.objects.filter(job__in=kept, made_at__lte=at).order_by("job", "-pk").distinct("job")
    decided = dict(reviews.values_list("job_id", "state"))
    found = {}
    for job in jobs:
        until, key = kept.get(job.pk, (at, 0))
        if key in replies:
            past = _past(job, replies[key], corrections[job.pk])
            past.job.observed_at, past.job.snapshot_count = until, seen[job.pk]
            past.job.review = decided.get(job.pk) or _undecided(past.job)
            found[job.pk] = past
    return found


def _newest(rows: QuerySet[Any], jobs: Sequence[int], at: datetime) -> dict[int, tuple[datetime, int]]:
    """By job, the reply that had been seen last by then: until when, and its key."""
    known = rows.filter(job__in=jobs, first_seen_at__lte=at).annotate(until=Least("last_seen_at", Value(at)))
    newest = known.order_by("job", "-until", "-pk").distinct("job").values_list("job_id", "until", "pk")
    return {job: (until, pk) for job, until, pk in newest}


def corrections_at(jobs: Sequence[int], at: datetime) -> dict[int, list[Correction]]:
    """By job, the corrections that stood then."""
    rows = Correction.objects.filter(Q(reverted_at=None) | Q(reverted_at__gt=at), job__in=jobs, made_at__lte=at)
    found: dict[int, list[Correction]] = defaultdict(list)
    for one in rows.select_related("actor").order_by("pk"):
        found[one.job_id or 0].append(one)
    return found


def _past(stored: Job, reply: JobReply, corrections: Sequence[Correction]) -> Past:
    job = copy(stored)
    laid = fill_corrected(job, reply, corrections)
    job.verdict = verdict_over(corrections) or job.verdict
    job.duration = job.end_time - job.begin_time if job.end_time and job.begin_time else None
    files = []
    for file in laid.files:
        values = dict(zip(FILE_COLUMNS, file_values(file, file_verdict(file)), strict=True))
        files.append(ImportFile(job=job, kind=file.kind, position=file.position, **values))
    return Past(job, files)


def _undecided(job: Job) -> str:
    if not lost_data(job):
        return ""
    return (ReviewState.TOLERATED if within_tolerance(job, job.graph.tolerated_loss) else ReviewState.WAITING).value
