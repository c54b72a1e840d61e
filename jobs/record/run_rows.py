"""Runs as rows: Snapshots, Misses, and Tombstones that came with an export."""

from collections.abc import Collection, Iterable
from typing import Any

from jobs.db.bulk import Writes, copy_rows
from jobs.models import Job, Miss, Snapshot, Tombstone
from jobs.record.observations import Observation
from jobs.record.runs import History, ReplyRun, error_of

#: Bytes kept of an answer that is no status: enough to see what it was, and few enough for JSON.
MAX_MISS_BODY = 16 * 1024
MAX_MISS_DETAIL = 2000  # characters
TOMBSTONE_COLUMNS = [
    "id", "job_id", "number", "source", "version", "http_status", "content_type", "sha256",
    "first_seen_at", "last_seen_at", "seen", "link", "size",
]  # fmt: skip
_SNAPSHOT_COLUMNS = [
    "job_id", "source", "version", "http_status", "content_type", "body", "sha256",
    "first_seen_at", "last_seen_at", "seen", "number", "link",
]  # fmt: skip
_MISS_COLUMNS = [
    "job_id", "source", "kind", "detail", "http_status", "body",
    "first_seen_at", "last_seen_at", "seen",
]  # fmt: skip


def write_runs(histories: Collection[History], writes: Writes) -> None:
    """Store the runs that are new, and leave those that were prolonged to `writes`.

    New replies are copied at once, as they may be large.
    """
    changed = [(history.job, run) for history in histories for run in history.changed.values()]
    replies = [(job, run) for job, run in changed if _is_reply(run)]
    misses = [(job, run) for job, run in changed if not _is_reply(run)]
    buried = [row for history in histories for row in history.buried]

    new_snapshots = [_snapshot_row(job, run) for job, run in replies if run.is_new]
    copy_rows(Snapshot, _SNAPSHOT_COLUMNS, new_snapshots)
    copy_rows(Tombstone, TOMBSTONE_COLUMNS, buried)

    writes.insert(Miss, _MISS_COLUMNS, [_miss_row(job, run) for job, run in misses if run.is_new])
    writes.update(
        Snapshot,
        ["id", "last_seen_at", "seen"],
        [(run.order, run.last_seen_at, run.seen) for _job, run in replies if not run.is_new],
    )
    writes.update(
        Miss,
        ["id", "last_seen_at", "seen", "detail", "body"],
        list(_prolonged_misses(run for _job, run in misses if not run.is_new)),
    )


def _newest_of(run: ReplyRun) -> Observation:
    assert run.newest is not None  # noqa: S101  a changed run was changed by an observation
    return run.newest


def _is_reply(run: ReplyRun) -> bool:
    return _newest_of(run).reply is not None


def _snapshot_row(job: Job, run: ReplyRun) -> tuple[Any, ...]:
    """Values of _SNAPSHOT_COLUMNS."""
    first = run.begun
    assert first is not None and run.in_chain is not None  # noqa: S101, PT018
    return (
        job.pk,
        run.source,
        run.version,
        first.http_status or 200,
        first.content_type[:255],
        first.body or b"",
        run.content,
        run.first_seen_at,
        run.last_seen_at,
        run.seen,
        *run.in_chain,
    )


def _miss_row(job: Job, run: ReplyRun) -> tuple[Any, ...]:
    """Values of _MISS_COLUMNS."""
    newest = _newest_of(run)
    kind, http_status = run.content
    return (
        job.pk,
        run.source,
        kind,
        _detail(newest),
        http_status,
        _start_of(newest.body),
        run.first_seen_at,
        run.last_seen_at,
        run.seen,
    )


def _prolonged_misses(runs: Iterable[ReplyRun]) -> Iterable[tuple[Any, ...]]:
    for run in runs:
        newest = _newest_of(run)
        yield run.order, run.last_seen_at, run.seen, _detail(newest), _start_of(newest.body)


def _detail(observation: Observation) -> str:
    return str(error_of(observation))[:MAX_MISS_DETAIL].replace("\x00", "")


def _start_of(body: bytes | None) -> bytes | None:
    return None if body is None else body[:MAX_MISS_BODY]
