"""The causes of lost files, grouped by fingerprint within each project."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from jobs.diagnosis.causes import fingerprint
from jobs.models import Cause
from jobs.record.bulk import insert_rows

_COLUMNS = ["project_id", "fingerprint", "pattern", "example", "first_seen_at", "last_seen_at", "note"]
# Pattern and example stay those of the first; only the span widens.
_WIDEN = """(project_id, fingerprint) DO UPDATE SET
    first_seen_at = LEAST(jobs_cause.first_seen_at, EXCLUDED.first_seen_at),
    last_seen_at = GREATEST(jobs_cause.last_seen_at, EXCLUDED.last_seen_at)"""

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
    pks = _covering(spans)
    # A busy cause's row is left alone while it covers what was seen; the others come in order of the unique key, so that two
    # recorders wait for each other instead of deadlocking.
    rows = [
        (*place, span.pattern, span.example, span.first, span.last, "")
        for place, span in sorted(spans.items(), key=lambda item: item[0])
        if place not in pks
    ]
    made = insert_rows(Cause, _COLUMNS, rows, conflict=_WIDEN, returning=["id", "project_id", "fingerprint"])
    pks |= {(project_id, digest): pk for pk, project_id, digest in made}
    return {key: pks[place] for key, place in places.items()}


def _covering(spans: Mapping[Place, _Span]) -> dict[Place, int]:
    """The stored causes whose span needs no widening."""
    if not spans:
        return {}
    projects, digests = {place[0] for place in spans}, {place[1] for place in spans}
    stored = Cause.objects.filter(project__in=projects, fingerprint__in=digests).only(
        "project_id", "fingerprint", "first_seen_at", "last_seen_at"
    )
    found = {(cause.project_id, cause.fingerprint): cause for cause in stored}
    return {
        place: found[place].pk
        for place, span in spans.items()
        if place in found and found[place].first_seen_at <= span.first and span.last <= found[place].last_seen_at
    }
