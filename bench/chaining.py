"""The chains of replies that were put in by SQL, computed by PostgreSQL."""

from typing import Any

BATCH = 20_000  # jobs

# The links of `jobs.chain.forms`: a running aggregate over each job's replies as recorded.
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.gesdash_link(before bytea, facts text)
RETURNS bytea IMMUTABLE STRICT LANGUAGE sql AS $$
    SELECT sha256(convert_to(
        '["gesdash link 1", "' || encode(before, 'hex') || '", ' || substr(facts, 2), 'UTF8'))
$$;
DROP AGGREGATE IF EXISTS pg_temp.gesdash_chain(text);
CREATE AGGREGATE pg_temp.gesdash_chain(text) (
    SFUNC = pg_temp.gesdash_link, STYPE = bytea,
    INITCOND = '\\x0000000000000000000000000000000000000000000000000000000000000000'
);
"""
_CHAIN = """
WITH few AS (
    SELECT id, job_id, source, version, http_status, content_type, first_seen_at, sha256,
           row_number() OVER (PARTITION BY job_id ORDER BY id) AS number
    FROM jobs_snapshot WHERE job_id BETWEEN %(low)s AND %(high)s
), facts AS (
    SELECT few.id, few.job_id, few.number, json_build_array(
        project.project_id, job.job_id, few.number, source, version, http_status, content_type,
        to_char(few.first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        encode(sha256, 'hex'))::text AS form
    FROM few
    JOIN jobs_job job ON job.id = few.job_id
    JOIN jobs_project project ON project.id = job.project_id
), chained AS (
    SELECT id, job_id, number,
           pg_temp.gesdash_chain(form) OVER (PARTITION BY job_id ORDER BY number) AS link
    FROM facts
), written AS (
    UPDATE jobs_snapshot reply SET number = chained.number, link = chained.link
    FROM chained WHERE reply.id = chained.id
)
UPDATE jobs_job job SET chain_length = head.number, chain_link = head.link
FROM (SELECT DISTINCT ON (job_id) * FROM chained ORDER BY job_id, number DESC) AS head
WHERE job.id = head.job_id
"""


def chain_stored_replies(cursor: Any) -> None:
    """Number and link every stored reply; the triggers of the tables have to be off."""
    cursor.execute(_FUNCTIONS)
    cursor.execute("SELECT min(id), max(id) FROM jobs_job")
    low, last = cursor.fetchone()
    while low is not None and low <= last:
        cursor.execute(_CHAIN, {"low": low, "high": low + BATCH - 1})
        low += BATCH
