"""What the rows of jobs are derived from and compared with, as it is stored: two statements, for jobs that are locked."""

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

FILE_COLUMNS = [
    "path", "log", "status", "verdict", "ledger", "contradiction", "cause", "cause_group_id", "total_lines",
    "failed_lines", "successful_lines",
]  # fmt: skip
AT_ONCE = 500  # jobs in one statement; of more PostgreSQL thinks that it pays to compile it first, which takes longer
_CORRECTION = [
    "id",
    "kind",
    "position",
    "field",
    "observed",
    "newest",
    "corrected",
    "flag",
]  # in the model's order

type FilePlace = tuple[int, str, int]  # job, kind, position
type StoredFiles = dict[FilePlace, tuple[int, list[Any]]]  # key, values of FILE_COLUMNS

_OVER = f"""
    'corrections', (
        SELECT json_agg(json_build_array({", ".join(_CORRECTION)}) ORDER BY id)
        FROM jobs_correction WHERE job_id = jobs_job.id AND reverted_at IS NULL),
    'tolerated', (SELECT tolerated_loss::text FROM jobs_graph WHERE id = jobs_job.graph_id)
"""  # noqa: S608  ours
_BESIDE = f"""SELECT json_build_object(
    'snapshots', (
        SELECT json_agg(json_build_array(id, source, encode(sha256, 'hex'), first_seen_at, last_seen_at, seen, version)
            ORDER BY first_seen_at, id)
        FROM jobs_snapshot WHERE job_id = jobs_job.id),
    'misses', CASE WHEN jobs_job.id = ANY(%s) THEN (
        SELECT json_agg(json_build_array(id, source, kind, http_status, first_seen_at, last_seen_at, seen)
            ORDER BY first_seen_at, id)
        FROM jobs_miss WHERE job_id = jobs_job.id) END,
    'marks', (
        SELECT json_agg(json_build_array(seen_at, kind, id, count, says))
        FROM jobs_contradiction WHERE job_id = jobs_job.id AND seen_at >= %s),
    'earlier_marks', (SELECT count(*) FROM jobs_contradiction WHERE job_id = jobs_job.id AND seen_at < %s),
    'decided', (SELECT state FROM jobs_review WHERE job_id = jobs_job.id ORDER BY id DESC LIMIT 1),
    {_OVER}
)"""  # noqa: S608  ours


def read_histories(
    pks: Iterable[int], *, with_misses: Collection[int], marks_since: datetime
) -> dict[int, History]:
    """These locked jobs, by key, with all that stands of them but bodies, files, marks of earlier replies and, unless wanted, misses."""
    beside = RawSQL(_BESIDE, [list(with_misses), marks_since, marks_since])  # noqa: S611  ours
    found: dict[int, History] = {}
    for part in batched(pks, AT_ONCE):
        jobs = (
            Job.objects.filter(pk__in=part)
            .select_related("project")
            .annotate(beside=beside)
            .order_by("pk")
        )
        found |= {job.pk: _history(job, vars(job).pop("beside")) for job in jobs}
    return found


def new_histories(jobs: Iterable[Job]) -> dict[int, History]:
    """The same for jobs that are not stored yet, of which nothing stands but what their graphs tolerate."""
    if not (jobs := list(jobs)):
        return {}
    graphs = Graph.objects.filter(
        pk__in={job.graph_id for job in jobs}, tolerated_loss__isnull=False
    )
    tolerated = dict(graphs.values_list("pk", "tolerated_loss"))
    return {job.pk: History(job, tolerated=tolerated.get(job.graph_id)) for job in jobs}


def _history(job: Job, beside: dict[str, Any]) -> History:
    time = datetime.fromisoformat
    corrections, tolerated = _over(beside)
    return History(
        job,
        [
            ReplyRun(pk, source, bytes.fromhex(sha256), time(first), time(last), seen, version)
            for pk, source, sha256, first, last, seen, version in beside["snapshots"] or ()
        ],
        [
            ReplyRun(pk, source, (kind, status), time(first), time(last), seen)
            for pk, source, kind, status, first, last, seen in beside["misses"] or ()
        ],
        marks={
            (time(seen_at), kind): (pk, (count, says))
            for seen_at, kind, pk, count, says in beside["marks"] or ()
        },
        earlier_marks=beside["earlier_marks"],
        decided=beside["decided"],
        corrections=corrections,
        tolerated=tolerated,
    )


def read_over(histories: Iterable[History]) -> None:
    """Read again what stands over these replies, after corrections were made or undone, or jobs put to other graphs."""
    of = {history.job.pk: history for history in histories}
    over = RawSQL(f"json_build_object({_OVER})", [])  # noqa: S611  ours
    for pk, found in Job.objects.filter(pk__in=of).annotate(over=over).values_list("pk", "over"):
        of[pk].corrections, of[pk].tolerated = _over(found)


def _over(found: dict[str, Any]) -> tuple[list[Correction], Decimal | None]:
    corrections = [
        Correction.from_db("default", _CORRECTION, row) for row in found["corrections"] or ()
    ]
    return corrections, None if found["tolerated"] is None else Decimal(found["tolerated"])


_FORMER = f"""
SELECT id, http_status, body, NULL::json FROM jobs_snapshot WHERE id = ANY(%s)
UNION ALL
SELECT job_id, 0, NULL, json_agg(json_build_array(id, kind, position, {", ".join(FILE_COLUMNS)}))
FROM jobs_importfile WHERE job_id = ANY(%s) GROUP BY job_id
"""  # noqa: S608  ours


def read_former(
    keys: Iterable[int], with_files: Iterable[int]
) -> tuple[dict[int, JobReply], StoredFiles]:
    """These replies, by key, without those that can't be read any more; and the files of these jobs. Few bodies are held at a time."""
    asked = list(set(keys)), list(with_files)
    replies: dict[int, JobReply] = {}
    files: StoredFiles = {}
    if not any(asked):
        return replies, files
    with connection.chunked_cursor() as cursor:
        cursor.execute(_FORMER, asked)
        while rows := cursor.fetchmany(BODIES_AT_ONCE):
            for key, status, body, of_job in rows:
                if of_job is not None:
                    files |= {
                        (key, kind, position): (pk, values)
                        for pk, kind, position, *values in of_job
                    }
                elif (reply := read_reply(key, status, bytes(body))) is not None:
                    replies[key] = reply
    return replies, files
