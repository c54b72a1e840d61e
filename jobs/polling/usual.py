"""The usual duration of a graph's jobs of a name, by which their polls are planned."""

import time
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection

from jobs.diagnosis.usual import Usual, usual_duration
from jobs.ges.words import FINAL
from jobs.models import Job
from jobs.polling import schedule
from jobs.record import JobState

type GraphAndName = tuple[int, str]  # a graph's key and a job name

SAMPLE = 20  # newest jobs of a name on a graph, by which the usual duration is told
CACHE_SECONDS = 600.0
MAX_CACHED = 10_000  # graphs and names

# By what the replies say, which the jobs' rows may not say yet.
_NEWEST_DURATIONS = """
SELECT wanted.graph_id, wanted.job_name, array(
    SELECT duration FROM jobs_job AS job
    WHERE job.graph_id = wanted.graph_id AND job.job_name = wanted.job_name
      AND duration IS NOT NULL
    ORDER BY begin_time DESC LIMIT %s
) FROM unnest(%s::bigint[], %s::text[]) AS wanted(graph_id, job_name)
"""

#: Each with the time.monotonic() at which it expires. Kept by the process, over its rounds;
#: `reset` empties it between tests.
_cache: dict[GraphAndName, tuple[float, Usual | None]] = {}


def reset() -> None:
    """Forget all cached durations."""
    _cache.clear()


def usual_for(jobs: Collection[Job | JobState], now: datetime) -> dict[GraphAndName, Usual | None]:
    """The usual durations for those of these jobs that run and are no longer young."""
    wanted = {
        (job.graph_id, job.job_name)
        for job in jobs
        if job.verdict not in FINAL and now - job.began_at >= schedule.YOUNG
    }
    clock = time.monotonic()
    usual: dict[GraphAndName, Usual | None] = {}
    missing: set[GraphAndName] = set()
    for key in wanted:
        expires_at, value = _cache.get(key, (0.0, None))
        if expires_at > clock:
            usual[key] = value
        else:
            missing.add(key)
    return usual | _read(missing, clock) if missing else usual


def _read(keys: Iterable[GraphAndName], clock: float) -> dict[GraphAndName, Usual | None]:
    """Read these from the database into the cache."""
    graphs, names = (list(column) for column in zip(*keys, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_DURATIONS, [SAMPLE, graphs, names])
        rows = cursor.fetchall()
    usual = {
        (graph_id, job_name): usual_duration(durations) for graph_id, job_name, durations in rows
    }
    if len(_cache) > MAX_CACHED:
        _cache.clear()
    _cache.update((key, (clock + CACHE_SECONDS, value)) for key, value in usual.items())
    return usual
