"""Deletes for retention: responses, each for a tombstone in its place, and failed polls."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from jobs.models import Miss, Pruning

_KEPT_COLUMNS = (
    "id, job_id, number, source, version, http_status, content_type, sha256,"
    " first_seen_at, last_seen_at, seen, link"
)
# One after the other: the trigger lets no response go that has no tombstone.
_BURY = f"""
INSERT INTO jobs_tombstone ({_KEPT_COLUMNS}, size, pruning_id)
SELECT {_KEPT_COLUMNS}, length(body), %s FROM jobs_snapshot WHERE id = ANY(%s)
"""  # noqa: S608  our own names
_DELETE = "DELETE FROM jobs_snapshot WHERE id = ANY(%s)"


def remove_replies(pruning: Pruning, keys: Sequence[int]) -> None:
    """Replace these Snapshots by tombstones; this transaction holds their jobs."""
    with connection.cursor() as cursor:
        cursor.execute(_BURY, [pruning.pk, list(keys)])
        cursor.execute(_DELETE, [list(keys)])


def remove_misses(jobs: Sequence[int], before: datetime) -> None:
    """Delete these jobs' failed polls that ended before this moment."""
    Miss.objects.filter(job__in=jobs, last_seen_at__lt=before).delete()
