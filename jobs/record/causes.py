"""The causes of lost files, grouped by fingerprint within each project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from jobs.db.bulk import as_table
from jobs.diagnosis.causes import fingerprint
from jobs.models import Cause

_COLUMNS = ["project_id", "fingerprint", "pattern", "example", "first_seen_at", "last_seen_at"]
# A busy cause's row is left alone while it covers what was seen. The others come in order of the unique key, so that two
# recorders wait for each other instead of deadlocking. Pattern and example stay those of the first; only the span widens.
_GROUP = """
WITH told AS MATERIALIZED (
    SELECT new.*, old.id FROM {new} LEFT JOIN jobs_cause AS old
    ON old.project_id = new.project_id AND old.fingerprint = new.fingerprint
        AND old.first_seen_at <= new.first_seen_at AND new.last_seen_at <= old.last_seen_at
),
written AS (
    INSERT INTO jobs_cause AS old (project_id, fingerprint, pattern, example, first_seen_at, last_seen_at, note)
    SELECT project_id, fingerprint, pattern, example, first_seen_at, last_seen_at, '' FROM told
    WHERE id IS NULL ORDER BY project_id, fingerprint
    ON CONFLICT (project_id, fingerprint) DO UPDATE SET
        first_seen_at = LEAST(old.first_seen_at, EXCLUDED.first_seen_at),
        last_seen_at = GREATEST(old.last_seen_at, EXCLUDED.last_seen_at)
    RETURNING id, project_id, fingerprint
)
SELECT id, project_id, fingerprint FROM told WHERE id IS NOT NULL UNION ALL SELECT id, project_id, fingerprint FROM written
"""

type Place = tuple[int, str]  # project, digest


@dataclass(slots=True)
class _Span:
    pattern: str
    example: str
    first: datetime
    last: datetime


def group_causes(seen: Iterable[tuple[int, str, datetime]]) -> dict[tuple[int, str], int]:
    """The Cause of each (project, cause text), made or widened to the times seen."""
    places: dict[tuple[int, str], Place] = {}
    spans: dict[Place, _Span] = {}
    for project_id, text, at in seen:
        if (project_id, text) not in places:
            found = fingerprint(text)
            places[project_id, text] = project_id, found.digest
            spans.setdefault((project_id, found.digest), _Span(found.pattern, text, at, at))
        span = spans[places[project_id, text]]
        span.first, span.last = min(span.first, at), max(span.last, at)
    pks = _keys(spans)
    return {key: pks[place] for key, place in places.items()}


def _keys(spans: Mapping[Place, _Span]) -> dict[Place, int]:
    if not spans:
        return {}
    rows = [
        (*place, span.pattern, span.example, span.first, span.last) for place, span in spans.items()
    ]
    new, document = as_table(Cause, _COLUMNS, rows)
    with connection.cursor() as cursor:
        cursor.execute(_GROUP.format(new=new), [document])
        return {(project_id, digest): pk for pk, project_id, digest in cursor.fetchall()}
