"""How long jobs of a name on a graph usually take, by which their polls are planned."""

import time
from collections.abc import Collection
from datetime import datetime

from django.db import connection

from jobs.diagnosis.usual import Usual, usual_duration
from jobs.ges.words import FINAL
from jobs.models import Job
from jobs.polling import schedule
from jobs.record import JobState

HABIT = 20  # newest jobs of a name on a graph, whose durations make what is usual


USUAL_KEPT = 600.0  # seconds for which a process remembers them


# By what the replies say, which the jobs' rows may not say yet.
_TOOK = """
SELECT told.graph_id, told.job_name, array(
    SELECT duration FROM jobs_job AS old
    WHERE old.graph_id = told.graph_id AND old.job_name = told.job_name AND duration IS NOT NULL
    ORDER BY begin_time DESC LIMIT %s
) FROM unnest(%s::bigint[], %s::text[]) AS told(graph_id, job_name)
"""


_usual: dict[tuple[int, str], tuple[float, Usual | None]] = {}


def usual_for(
    jobs: Collection[Job | JobState], now: datetime
) -> dict[tuple[int, str], Usual | None]:
    """What is usual for those that are no longer young, by graph and job name; asked of the database once in a while."""
    clock = time.monotonic()
    found: dict[tuple[int, str], Usual | None] = {}
    asked: set[tuple[int, str]] = set()
    for job in jobs:
        key = job.graph_id, job.job_name
        if job.verdict in FINAL or now - job.began_at < schedule.YOUNG:
            continue
        kept = _usual.get(key)
        if kept is not None and kept[0] > clock:
            found[key] = kept[1]
        else:
            asked.add(key)
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(_TOOK, [HABIT, *(list(column) for column in zip(*asked, strict=True))])
            rows = cursor.fetchall()
        if len(_usual) > 10_000:
            _usual.clear()
        for graph_id, job_name, durations in rows:
            found[graph_id, job_name] = usual = usual_duration(durations)
            _usual[graph_id, job_name] = clock + USUAL_KEPT, usual
    return found
