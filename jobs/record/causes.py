"""The causes of failed files, grouped by fingerprint within each project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from jobs.db.bulk import as_table
from jobs.diagnosis.causes import fingerprint
from jobs.models import Cause

_COLUMNS = ["project_id", "fingerprint", "pattern", "example", "first_seen_at", "last_seen_at"]
# A busy cause's row is left alone while it covers what was seen. The others come in order of the
# unique key, so that two recorders wait for each other instead of deadlocking. Pattern and example
# stay those of the first; only the span widens.
_GROUP = """
WITH seen AS MATERIALIZED (
    SELECT new.*, old.id FROM {new} LEFT JOIN jobs_cause AS old
    ON old.project_id = new.project_id AND old.fingerprint = new.fingerprint
        AND old.first_seen_at <= new.first_seen_at AND new.last_seen_at <= old.last_seen_at
),
written AS (
    INSERT INTO jobs_cause AS old
        (project_id, fingerprint, pattern, example, first_seen_at, last_seen_at, note)
    SELECT project_id, fingerprint, pattern, example, first_seen_at, last_seen_at, '' FROM seen
    WHERE id IS NULL ORDER BY project_id, fingerprint
    ON CONFLICT (project_id, fingerprint) DO UPDATE SET
        first_seen_at = LEAST(old.first_seen_at, EXCLUDED.first_seen_at),
        last_seen_at = GREATEST(old.last_seen_at, EXCLUDED.last_seen_at)
    RETURNING id, project_id, fingerprint
)
SELECT id, project_id, fingerprint FROM seen WHERE id IS NOT NULL
UNION ALL
SELECT id, project_id, fingerprint FROM written
"""

type CauseText = tuple[int, str]  # project, text
type CausePlace = tuple[int, str]  # project, digest of the fingerprint


@dataclass(slots=True)
class _Span:
    pattern: str
    example: str
    first: datetime
    last: datetime


def group_causes(seen: Iterable[tuple[int, str, datetime]]) -> dict[CauseText, int]:
    """The Cause of each (project, text), made or widened to the times seen."""
    places: dict[CauseText, CausePlace] = {}
    spans: dict[CausePlace, _Span] = {}
    for project_id, text, moment in seen:
        if (project_id, text) not in places:
            group = fingerprint(text)
            places[project_id, text] = place = project_id, group.digest
            spans.setdefault(place, _Span(group.pattern, text, moment, moment))
        span = spans[places[project_id, text]]
        span.first, span.last = min(span.first, moment), max(span.last, moment)

    keys = _store(spans)
    return {text: keys[place] for text, place in places.items()}


def _store(spans: Mapping[CausePlace, _Span]) -> dict[CausePlace, int]:
    if not spans:
        return {}
    rows = [
        (*place, span.pattern, span.example, span.first, span.last) for place, span in spans.items()
    ]
    new, document = as_table(Cause, _COLUMNS, rows)
    with connection.cursor() as cursor:
        cursor.execute(_GROUP.format(new=new), [document])
        return {(project_id, digest): pk for pk, project_id, digest in cursor.fetchall()}
