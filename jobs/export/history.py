"""Rows of stored responses, of what is left of deleted ones, and of failed polls: job by job."""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from jobs.diagnosis.gaps import seen_before
from jobs.export.job import rfc3339
from jobs.lists.paging import read_time
from jobs.models import Miss, Snapshot, Tombstone
from jobs.models.job import JobQuerySet

CHUNK = 500  # rows held at once
CHUNK_BODIES = 10  # a body may have 8 MiB
#: Responses looked at for when another was last seen: more than there are sources. All of them
#: would make a job of many responses cost their square.
EARLIER = 6

SNAPSHOT_COLUMNS = (
    "project_id",
    "graph_id",
    "graph_name",
    "job_id",
    "observed_at",
    "last_seen_at",
    "seen",
    "source",
    "http_status",
    "changed_after",
    "unobserved_seconds",
    "content_type",
    "version",
    "sha256",
    "number",
    "link",
    "body",
)
HISTORY_COLUMNS = (*SNAPSHOT_COLUMNS, "miss", "detail", "removed_size")

type Row = dict[str, Any]
#: A row with its place: the job, and there first the chain in its order, then the failed polls.
type Placed = Iterator[tuple[tuple[int, int, Any], Row]]


def snapshot_rows(jobs: JobQuerySet) -> Iterator[Row]:
    """The stored responses, with their bodies."""
    return (row for _place, row in _snapshots(jobs))


def history_rows(jobs: JobQuerySet) -> Iterator[Row]:
    """All that was observed, as `ingest` of another gesdash takes it."""
    empty = dict.fromkeys(HISTORY_COLUMNS)
    for _place, row in merge(_snapshots(jobs), _tombstones(jobs), _misses(jobs), key=itemgetter(0)):
        yield empty | row


def _snapshots(jobs: JobQuerySet) -> Placed:
    earlier = Snapshot.objects.filter(
        job=OuterRef("job"), first_seen_at__lte=OuterRef("first_seen_at")
    ).exclude(pk=OuterRef("pk"))
    seen = earlier.order_by("-first_seen_at", "-pk").values(
        run=JSONObject(first="first_seen_at", last="last_seen_at")
    )
    snapshots = (
        Snapshot.objects.filter(job__in=jobs)
        .select_related("job__project", "job__graph")
        .order_by("job", "number")
        .annotate(earlier=ArraySubquery(seen[:EARLIER]))
    )
    for snapshot in snapshots.iterator(chunk_size=CHUNK_BODIES):
        earlier_runs: list[dict[str, str]] = getattr(snapshot, "earlier", [])
        yield (
            (snapshot.job_id, 0, snapshot.number),
            _observed(snapshot)
            | _changed_after(snapshot, earlier_runs)
            | _chained(snapshot)
            | {"body": _body_text(snapshot.body)},
        )


def _changed_after(snapshot: Snapshot, earlier: list[dict[str, str]]) -> Row:
    """Since when GES may have given this response unobserved: when another was last seen."""
    runs = [(read_time(run["first"]), read_time(run["last"])) for run in earlier]
    since = seen_before(snapshot.first_seen_at, runs)
    unobserved = None if since is None else (snapshot.first_seen_at - since).total_seconds()
    return {"changed_after": rfc3339(since), "unobserved_seconds": unobserved}


def _tombstones(jobs: JobQuerySet) -> Placed:
    tombstones = (
        Tombstone.objects.filter(job__in=jobs)
        .select_related("job__project", "job__graph")
        .order_by("job", "number")
    )
    for tombstone in tombstones.iterator(chunk_size=CHUNK):
        yield (
            (tombstone.job_id, 0, tombstone.number),
            _observed(tombstone) | _chained(tombstone) | {"removed_size": tombstone.size},
        )


def _misses(jobs: JobQuerySet) -> Placed:
    misses = (
        Miss.objects.filter(job__in=jobs)
        .select_related("job__project", "job__graph")
        .order_by("job", "first_seen_at", "pk")
    )
    for miss in misses.iterator(chunk_size=CHUNK):
        body = None if miss.body is None else _body_text(miss.body)
        yield (
            (miss.job_id, 1, miss.first_seen_at),
            _observed(miss) | {"miss": miss.kind, "detail": miss.detail, "body": body},
        )


def _observed(row: Snapshot | Tombstone | Miss) -> Row:
    return {
        "project_id": row.job.project.project_id,
        "graph_id": row.job.graph.graph_id,
        "graph_name": row.job.graph.name or None,
        "job_id": row.job.job_id,
        "observed_at": rfc3339(row.first_seen_at),
        "last_seen_at": rfc3339(row.last_seen_at),
        "seen": row.seen,
        "source": row.source,
        "http_status": row.http_status,
    }


def _chained(row: Snapshot | Tombstone) -> Row:
    return {
        "content_type": row.content_type or None,
        "version": row.version,
        "sha256": bytes(row.sha256).hex(),
        "number": row.number,
        "link": bytes(row.link).hex(),
    }


def _body_text(body: bytes | memoryview) -> str:
    """Bytes that are no UTF-8 survive as lone surrogates, which `ingest` turns back."""
    return bytes(body).decode("utf-8", "surrogateescape")
