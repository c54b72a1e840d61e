"""Replies that repeat the newest one, as most do.

Such a body is not parsed, and one statement records all repeats of a batch.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from jobs.db import arrays
from jobs.db.locks import LOCKS
from jobs.record.lookup import hold_jobs
from jobs.record.observations import Observation

# A repeat is the job's newest reply and the poll begun last, byte for byte, and is later than it:
# then folding would prolong that run and leave the job's row as it is. The job's row, read again
# once it is locked, has when the newest was seen, and which was recorded last. If that is this one,
# no other that was seen at the same moment can be the newest; if it is one that was recorded while
# this statement waited for the job, which it can't see, nothing is a repeat.
_PROLONG = f"""
WITH held AS MATERIALIZED (
    SELECT id, graph_id, job_name, verdict, coalesce(begin_time, first_seen_at) AS began_at,
        observed_at, changed_at, chain_length, polled.sha256, polled.at
    FROM unnest(%s::bigint[], %s::bytea[], %s::timestamptz[]) AS polled(job_id, sha256, at)
    JOIN jobs_job ON id = polled.job_id
    WHERE {LOCKS} ORDER BY id FOR UPDATE OF jobs_job
),
repeated AS MATERIALIZED (
    SELECT held.*, begun.id AS snapshot_id
    FROM held
    CROSS JOIN LATERAL (
        SELECT id, sha256, http_status, last_seen_at, number FROM jobs_snapshot
        WHERE job_id = held.id AND source = 'poll' ORDER BY first_seen_at DESC, id DESC LIMIT 1
    ) AS begun
    WHERE begun.sha256 = held.sha256 AND begun.http_status = 200
        AND begun.last_seen_at = held.observed_at AND held.observed_at < held.at
        AND held.changed_at IS NOT NULL
        AND (begun.number = held.chain_length OR EXISTS (
            SELECT 1 FROM jobs_snapshot WHERE job_id = held.id AND number = held.chain_length
        ) AND NOT EXISTS (
            SELECT 1 FROM jobs_snapshot
            WHERE job_id = held.id AND last_seen_at = held.observed_at AND id > begun.id))
),
prolonged AS (
    UPDATE jobs_snapshot AS old SET last_seen_at = repeated.at, seen = old.seen + 1
    FROM repeated WHERE old.id = repeated.snapshot_id
),
observed AS (
    UPDATE jobs_job AS old SET observed_at = repeated.at FROM repeated WHERE old.id = repeated.id
)
SELECT id, graph_id, job_name, verdict, began_at FROM repeated
"""  # noqa: S608  ours


class JobState(NamedTuple):
    """All of a job whose newest reply was repeated that planning its next poll takes."""

    pk: int
    graph_id: int
    job_name: str
    verdict: str
    began_at: datetime  # or first seen


def prolong_repeated(observations: Sequence[Observation]) -> dict[int, JobState]:
    """Record those of these polls, each of another job, that are repeats; their jobs by key.

    All the jobs are locked, in order of id, so that the others can be recorded in the same
    transaction.
    """
    if not any(observation.unread for observation in observations):
        hold_jobs(observation.job.pk for observation in observations)
        return {}
    digests = (
        observation.digest if observation.unread and observation.http_status == 200 else None
        for observation in observations
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _PROLONG,
            [
                arrays.numbers(observation.job.pk for observation in observations),
                arrays.digests(digests),
                arrays.times(observation.observed_at for observation in observations),
            ],
        )
        return {row[0]: JobState(*row) for row in cursor.fetchall()}
