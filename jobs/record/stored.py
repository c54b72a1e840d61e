"""Whatever the rows of jobs are derived from and compared with, as stored.

Two statements, for jobs that are locked.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from itertools import batched
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from jobs.ges.shapes import JobReply
from jobs.models import Correction, Graph, Job
from jobs.record.replies import BODIES_AT_ONCE, read_reply
from jobs.record.runs import History, ReplyRun

#: Of an ImportFile, without its key and its place.
FILE_COLUMNS = [
    "path", "log", "status", "verdict", "ledger", "contradiction", "cause", "cause_group_id",
    "total_lines", "failed_lines", "successful_lines",
]  # fmt: skip
# In one statement; for more PostgreSQL expects that compiling it first pays, which takes longer.
JOBS_AT_ONCE = 500
# In the model's order.
_CORRECTION_COLUMNS = [
    "id", "kind", "position", "field", "observed", "newest", "corrected", "flag",
]  # fmt: skip

type FilePlace = tuple[int, str, int]  # job, kind, position
type StoredFiles = dict[FilePlace, tuple[int, list[Any]]]  # key, values of FILE_COLUMNS

_OVERLAY = f"""
    'corrections', (
        SELECT json_agg(json_build_array({", ".join(_CORRECTION_COLUMNS)}) ORDER BY id)
        FROM jobs_correction WHERE job_id = jobs_job.id AND reverted_at IS NULL),
    'tolerated', (SELECT tolerated_loss::text FROM jobs_graph WHERE id = jobs_job.graph_id)
"""  # noqa: S608  ours
_BESIDE_JOB = f"""SELECT json_build_object(
    'snapshots', (
        SELECT json_agg(
            json_build_array(
                id, source, encode(sha256, 'hex'), first_seen_at, last_seen_at, seen, version)
            ORDER BY first_seen_at, id)
        FROM jobs_snapshot WHERE job_id = jobs_job.id),
    'misses', CASE WHEN jobs_job.id = ANY(%s) THEN (
        SELECT json_agg(
            json_build_array(id, source, kind, http_status, first_seen_at, last_seen_at, seen)
            ORDER BY first_seen_at, id)
        FROM jobs_miss WHERE job_id = jobs_job.id) END,
    'contradictions', (
        SELECT json_agg(json_build_array(seen_at, kind, id, count, says))
        FROM jobs_contradiction WHERE job_id = jobs_job.id AND seen_at >= %s),
    'earlier_contradictions', (
        SELECT count(*) FROM jobs_contradiction WHERE job_id = jobs_job.id AND seen_at < %s),
    'decided', (SELECT state FROM jobs_review WHERE job_id = jobs_job.id ORDER BY id DESC LIMIT 1),
    {_OVERLAY}
)"""  # noqa: S608  ours


def read_histories(
    pks: Iterable[int], *, with_misses: Collection[int], contradictions_since: datetime
) -> dict[int, History]:
    """These locked jobs, by key, with all that is stored of them but bodies and files.

    Misses only of the jobs `with_misses`; contradictions of earlier replies are only counted.
    """
    values = [list(with_misses), contradictions_since, contradictions_since]
    beside = RawSQL(_BESIDE_JOB, values)  # noqa: S611  ours
    histories: dict[int, History] = {}
    for batch in batched(pks, JOBS_AT_ONCE):
        jobs = (
            Job.objects.filter(pk__in=batch)
            .select_related("project")
            .annotate(beside=beside)
            .order_by("pk")
        )
        histories |= {job.pk: _history_of(job, vars(job).pop("beside")) for job in jobs}
    return histories


def new_histories(jobs: Iterable[Job]) -> dict[int, History]:
    """Histories of new jobs: only the graph's tolerated failure rate is known."""
    jobs = list(jobs)
    if not jobs:
        return {}
    graphs = Graph.objects.filter(
        pk__in={job.graph_id for job in jobs}, tolerated_loss__isnull=False
    )
    tolerated = dict(graphs.values_list("pk", "tolerated_loss"))
    return {job.pk: History(job, tolerated=tolerated.get(job.graph_id)) for job in jobs}


def _history_of(job: Job, beside: dict[str, Any]) -> History:
    """`beside`: the object that _BESIDE_JOB makes."""
    corrections, tolerated = _overlay_of(beside)
    return History(
        job,
        [_stored_reply(*row) for row in beside["snapshots"] or ()],
        [_stored_miss(*row) for row in beside["misses"] or ()],
        contradictions={
            (datetime.fromisoformat(seen_at), kind): (pk, (count, says))
            for seen_at, kind, pk, count, says in beside["contradictions"] or ()
        },
        earlier_contradictions=beside["earlier_contradictions"],
        decided=beside["decided"],
        corrections=corrections,
        tolerated=tolerated,
    )


def _stored_reply(
    pk: int, source: str, sha256: str, first_seen: str, last_seen: str, seen: int, version: int
) -> ReplyRun:
    first_seen_at, last_seen_at = map(datetime.fromisoformat, (first_seen, last_seen))
    digest = bytes.fromhex(sha256)
    return ReplyRun(pk, source, digest, first_seen_at, last_seen_at, seen, version)


def _stored_miss(
    pk: int,
    source: str,
    kind: str,
    http_status: int | None,
    first_seen: str,
    last_seen: str,
    seen: int,
) -> ReplyRun:
    first_seen_at, last_seen_at = map(datetime.fromisoformat, (first_seen, last_seen))
    return ReplyRun(pk, source, (kind, http_status), first_seen_at, last_seen_at, seen)


def read_overlay(histories: Iterable[History]) -> None:
    """Read again the corrections and the tolerated rate of these, after people changed them."""
    by_job = {history.job.pk: history for history in histories}
    overlay = RawSQL(f"json_build_object({_OVERLAY})", [])  # noqa: S611  ours
    jobs = Job.objects.filter(pk__in=by_job).annotate(overlay=overlay)
    for pk, stored in jobs.values_list("pk", "overlay"):
        by_job[pk].corrections, by_job[pk].tolerated = _overlay_of(stored)


def _overlay_of(stored: dict[str, Any]) -> tuple[list[Correction], Decimal | None]:
    corrections = [
        Correction.from_db("default", _CORRECTION_COLUMNS, row)
        for row in stored["corrections"] or ()
    ]
    tolerated = stored["tolerated"]
    return corrections, None if tolerated is None else Decimal(tolerated)


# Bodies, and files in one row a job.
_REPLIES_AND_FILES = f"""
SELECT id, http_status, body, NULL::json FROM jobs_snapshot WHERE id = ANY(%s)
UNION ALL
SELECT job_id, 0, NULL, json_agg(json_build_array(id, kind, position, {", ".join(FILE_COLUMNS)}))
FROM jobs_importfile WHERE job_id = ANY(%s) GROUP BY job_id
"""  # noqa: S608  ours


def read_replies_and_files(
    keys: Iterable[int], with_files: Iterable[int]
) -> tuple[dict[int, JobReply], StoredFiles]:
    """These replies, by key, without those that can't be parsed any more; and these jobs' files.

    Few bodies are held at a time.
    """
    values = list(set(keys)), list(with_files)
    replies: dict[int, JobReply] = {}
    files: StoredFiles = {}
    if not any(values):
        return replies, files
    with connection.chunked_cursor() as cursor:
        cursor.execute(_REPLIES_AND_FILES, values)
        while rows := cursor.fetchmany(BODIES_AT_ONCE):
            for key, http_status, body, files_of_job in rows:
                if files_of_job is not None:
                    for pk, kind, position, *columns in files_of_job:
                        files[key, kind, position] = pk, columns
                elif (reply := read_reply(key, http_status, bytes(body))) is not None:
                    replies[key] = reply
    return replies, files
