"""Jobs as they were known at a moment: folded from what had been seen and decided by then.

Nothing is stored.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Least

from jobs.as_of.graphs import graph_at, graphs_as_of, own_value_at, was_standing
from jobs.diagnosis.corrections import OWN_FIELDS, standing
from jobs.diagnosis.verdict import file_verdict
from jobs.ges.shapes import JobReply
from jobs.models import Correction, Graph, ImportFile, Job, Review, Snapshot, Tombstone
from jobs.record.file_rows import file_values
from jobs.record.overlay import corrected_verdict, observed_value
from jobs.record.projection import fill_corrected
from jobs.record.replies import read_replies
from jobs.record.review_state import undecided_review
from jobs.record.stored import FILE_COLUMNS

type LastSeen = tuple[datetime, int]  # of a response: until when it was seen, and its key


@dataclass(frozen=True, slots=True)
class JobAsOf:
    """One job as it was known; `job` and `files` are in no table, their keys are today's."""

    job: Job
    files: list[ImportFile]


def jobs_as_of(jobs: Sequence[Job], moment: datetime) -> dict[int, JobAsOf]:
    """By key, what was known of these jobs: eight queries at most, and one response's body a job.

    Their graphs are to be loaded; `graphs.caveats` says what of them is not sure. Left out: jobs
    that were not known yet, and those whose response of then retention has deleted.
    """
    newest = _newest_kept([job.pk for job in jobs], moment)
    replies = read_replies(key for _until, key in newest.values())
    jobs = [job for job in jobs if job.pk in newest]

    corrections = _corrections_of(newest, moment)
    graphs = _graphs_of(jobs, corrections, moment)
    counts = _reply_counts(newest, moment)
    decided = _decided_states(newest, moment)

    found = {}
    for job in jobs:
        until, key = newest[job.pk]
        if key not in replies:
            continue
        past = _fold(job, graphs[job.pk], replies[key], corrections[job.pk], moment)
        past.job.observed_at, past.job.snapshot_count = until, counts[job.pk]
        past.job.review = decided.get(job.pk) or undecided_review(
            past.job, past.job.graph.tolerated_loss
        )
        found[job.pk] = past
    return found


def _newest_kept(job_ids: Sequence[int], moment: datetime) -> dict[int, LastSeen]:
    """By job, its newest response of then, where that is still stored."""
    stored = _newest_of(Snapshot.objects.all(), job_ids, moment)
    removed = _newest_of(Tombstone.objects.all(), job_ids, moment)
    return {
        job_id: seen
        for job_id, seen in stored.items()
        if job_id not in removed or removed[job_id] < seen
    }


def _newest_of(
    rows: QuerySet[Any], job_ids: Sequence[int], moment: datetime
) -> dict[int, LastSeen]:
    known = rows.filter(job__in=job_ids, first_seen_at__lte=moment).annotate(
        until=Least("last_seen_at", Value(moment))
    )
    newest = known.order_by("job", "-until", "-pk").distinct("job")
    return {
        job_id: (until, key) for job_id, until, key in newest.values_list("job_id", "until", "pk")
    }


def _reply_counts(job_ids: Collection[int], moment: datetime) -> dict[int, int]:
    rows = Snapshot.objects.filter(job__in=job_ids, first_seen_at__lte=moment)
    return dict(rows.order_by().values_list("job").annotate(count=Count("*")))


def _decided_states(job_ids: Collection[int], moment: datetime) -> dict[int, str]:
    rows = Review.objects.filter(job__in=job_ids, made_at__lte=moment)
    newest = rows.order_by("job", "-pk").distinct("job")
    return dict(newest.values_list("job_id", "state"))


def _corrections_of(job_ids: Collection[int], moment: datetime) -> dict[int, list[Correction]]:
    """By job, its corrections that stood then, and all of its OWN_FIELDS, the oldest first."""
    stood = Q(made_at__lte=moment) & (Q(reverted_at=None) | Q(reverted_at__gt=moment))
    rows = Correction.objects.filter(
        stood | Q(field__in=OWN_FIELDS, kind=""), job__in=list(job_ids)
    )
    by_job: dict[int, list[Correction]] = defaultdict(list)
    for correction in rows.select_related("actor").order_by("pk"):
        by_job[correction.job_id or 0].append(correction)
    return by_job


def _graphs_of(
    jobs: Sequence[Job], corrections: dict[int, list[Correction]], moment: datetime
) -> dict[int, Graph]:
    """By job, the graph it was of, as that was known."""
    graph_ids = {job.pk: graph_at(job, corrections[job.pk], moment) for job in jobs}
    graphs = {job.graph_id: job.graph for job in jobs}
    if missing := set(graph_ids.values()) - set(graphs):
        graphs |= Graph.objects.select_related("project").in_bulk(missing)
    past_graphs = graphs_as_of((graphs[pk] for pk in set(graph_ids.values())), moment)
    return {job_id: past_graphs[graph_id] for job_id, graph_id in graph_ids.items()}


def _fold(
    stored: Job,
    graph: Graph,
    reply: JobReply,
    job_corrections: Sequence[Correction],
    moment: datetime,
) -> JobAsOf:
    job = copy(stored)
    job.graph = graph
    hidden = own_value_at(job_corrections, "is_hidden", moment)
    job.is_hidden = stored.is_hidden if hidden is None else hidden == "yes"

    corrections = [
        _as_it_stood(correction, reply)
        for correction in job_corrections
        if was_standing(correction, moment)
    ]
    # Shown beside its values, in place of those that stand today.
    job.standing = corrections
    laid = fill_corrected(job, reply, corrections)
    job.verdict = corrected_verdict(corrections) or job.verdict
    job.duration = job.end_time - job.begin_time if job.end_time and job.begin_time else None

    files = []
    for file in laid.files:
        values = dict(zip(FILE_COLUMNS, file_values(file, file_verdict(file)), strict=True))
        files.append(ImportFile(job=job, kind=file.kind, position=file.position, **values))
    return JobAsOf(job, files)


def _as_it_stood(correction: Correction, reply: JobReply) -> Correction:
    """A copy with what GES said then beside it, and its flag of then."""
    past = copy(correction)
    if correction.kind or correction.field not in OWN_FIELDS:
        past.newest = observed_value(reply, correction.kind, correction.position, correction.field)
        past.flag = standing(correction.observed, past.newest, correction.corrected)
    else:
        past.newest, past.flag = correction.observed, ""
    past.reverted_at = past.reverted_by = past.reverted_reason = None
    return past
