"""Jobs as they were known at a moment: folded from what had been seen and decided by then. Nothing is stored."""

from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Least

from jobs.as_of.graphs import OWN, graph_then, graphs_as_known, own_value, stood
from jobs.diagnosis.corrections import standing
from jobs.diagnosis.verdict import file_verdict
from jobs.ges.shapes import JobReply
from jobs.models import Correction, Graph, ImportFile, Job, Review, Snapshot, Tombstone
from jobs.record.overlay import observed_value, verdict_over
from jobs.record.projection import file_values, fill_corrected
from jobs.record.replies import read_replies
from jobs.record.review_state import undecided_review
from jobs.record.stored import FILE_COLUMNS


@dataclass(frozen=True, slots=True)
class JobAsOf:
    """One job as it was known; `job` and `files` are in no table, their keys are today's."""

    job: Job
    files: list[ImportFile]


def as_known(jobs: Sequence[Job], at: datetime) -> dict[int, JobAsOf]:
    """By key, what was known of these jobs at that moment: eight queries at most, and the body of one reply a job.

    Their graphs are to be loaded. Left out: jobs that had not been heard of, and those whose reply of then retention has taken
    away. `past_graphs.not_noted` says what of their graphs can't be told.
    """
    pks = [job.pk for job in jobs]
    newest = _newest(Snapshot.objects.all(), pks, at)
    buried = _newest(Tombstone.objects.all(), pks, at)
    kept = {job: row for job, row in newest.items() if job not in buried or buried[job] < row}
    replies = read_replies(key for _until, key in kept.values())
    counts = (
        Snapshot.objects.filter(job__in=kept, first_seen_at__lte=at).order_by().values_list("job")
    )
    seen = dict(counts.annotate(count=Count("*")))
    corrections = _corrections(Q(job__in=list(kept)) & (_stood(at) | Q(field__in=OWN, kind="")))
    graphs = _graphs([job for job in jobs if job.pk in kept], corrections, at)
    reviews = (
        Review.objects.filter(job__in=kept, made_at__lte=at).order_by("job", "-pk").distinct("job")
    )
    decided = dict(reviews.values_list("job_id", "state"))
    found = {}
    for job in jobs:
        until, key = kept.get(job.pk, (at, 0))
        if key in replies:
            past = _past(job, graphs[job.pk], replies[key], corrections[job.pk], at)
            past.job.observed_at, past.job.snapshot_count = until, seen[job.pk]
            past.job.review = decided.get(job.pk) or undecided_review(
                past.job, past.job.graph.tolerated_loss
            )
            found[job.pk] = past
    return found


def _newest(
    rows: QuerySet[Any], jobs: Sequence[int], at: datetime
) -> dict[int, tuple[datetime, int]]:
    """By job, the reply that had been seen last by then: until when, and its key."""
    known = rows.filter(job__in=jobs, first_seen_at__lte=at).annotate(
        until=Least("last_seen_at", Value(at))
    )
    newest = (
        known.order_by("job", "-until", "-pk").distinct("job").values_list("job_id", "until", "pk")
    )
    return {job: (until, pk) for job, until, pk in newest}


def _stood(at: datetime) -> Q:
    return Q(made_at__lte=at) & (Q(reverted_at=None) | Q(reverted_at__gt=at))


def _corrections(which: Q) -> dict[int, list[Correction]]:
    found: dict[int, list[Correction]] = defaultdict(list)
    for one in Correction.objects.filter(which).select_related("actor").order_by("pk"):
        found[one.job_id or 0].append(one)
    return found


def _graphs(
    jobs: Sequence[Job], corrections: dict[int, list[Correction]], at: datetime
) -> dict[int, Graph]:
    """By job, the graph it was of, as that was known."""
    placed = {job.pk: graph_then(job, corrections[job.pk], at) for job in jobs}
    known = {job.graph_id: job.graph for job in jobs}
    if missing := set(placed.values()) - set(known):
        known |= Graph.objects.select_related("project").in_bulk(missing)
    then = graphs_as_known((known[pk] for pk in set(placed.values())), at)
    return {job: then[pk] for job, pk in placed.items()}


def _past(
    stored: Job, graph: Graph, reply: JobReply, own: Sequence[Correction], at: datetime
) -> JobAsOf:
    job = copy(stored)
    job.graph = graph
    hidden = own_value(own, "is_hidden", at)
    job.is_hidden = stored.is_hidden if hidden is None else hidden == "yes"
    corrections = [_as_it_stood(one, reply) for one in own if stood(one, at)]
    job.standing = corrections  # type: ignore[attr-defined]  # shown beside its values, in place of those that stand today
    laid = fill_corrected(job, reply, corrections)
    job.verdict = verdict_over(corrections) or job.verdict
    job.duration = job.end_time - job.begin_time if job.end_time and job.begin_time else None
    files = []
    for file in laid.files:
        values = dict(zip(FILE_COLUMNS, file_values(file, file_verdict(file)), strict=True))
        files.append(ImportFile(job=job, kind=file.kind, position=file.position, **values))
    return JobAsOf(job, files)


def _as_it_stood(one: Correction, reply: JobReply) -> Correction:
    """With what GES said then beside it, and what that meant for it."""
    then = copy(one)
    is_said = bool(one.kind) or one.field not in OWN
    then.newest = (
        observed_value(reply, one.kind, one.position, one.field) if is_said else one.observed
    )
    then.flag = standing(one.observed, then.newest, one.corrected) if is_said else ""
    then.reverted_at = then.reverted_by = then.reverted_reason = None
    return then
