"""What was heard, recorded and the next poll planned, in one transaction. A reply that breaks this is set aside, alone."""

import logging
import random
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from jobs import outcomes, schedule
from jobs.diagnosis.usual import Usual, usual_duration
from jobs.ges.words import FINAL, Verdict
from jobs.models import Job, Watch
from jobs.models.watch import Claimed, Plan, planned
from jobs.outage import is_the_databases
from jobs.record import JobState, NotRecorded, Observation, Writes, prolong_repeated, record, record_held

log = logging.getLogger(__name__)
HABIT = 20  # newest jobs of a name on a graph, whose durations make what is usual
USUAL_KEPT = 600.0  # seconds for which a process remembers them
_PLANNED_BY = ("graph_id", "job_name", "verdict", "begin_time", "first_seen_at")
# By what the replies say, which the jobs' rows may not say yet.
_TOOK = """
SELECT told.graph_id, told.job_name, array(
    SELECT duration FROM jobs_job AS old
    WHERE old.graph_id = told.graph_id AND old.job_name = told.job_name AND duration IS NOT NULL
    ORDER BY begin_time DESC LIMIT %s
) FROM unnest(%s::bigint[], %s::text[]) AS told(graph_id, job_name)
"""
_usual: dict[tuple[int, str], tuple[float, Usual | None]] = {}


def finish(seen: Sequence[Observation], lease: int, before: Mapping[int, Claimed]) -> None:
    """Record these and give back the claims of `lease` on those jobs that are in `before`, each with its next poll.

    Raises: the database's error, when it is the database that fails; nothing of the batch is kept then.
    """
    try:
        with transaction.atomic():
            writes = Writes()
            if plans := _plans(seen, before, _keep(seen, writes)):
                writes.add(*planned(lease, plans))
            writes.run()
    except Exception as wrong:
        if is_the_databases(wrong):
            raise
        if len(seen) > 1:
            half = len(seen) // 2
            finish(seen[:half], lease, before)
            finish(seen[half:], lease, before)
        elif seen:
            _set_aside(seen[0], lease, before, wrong)
    else:
        outcomes.note(seen, timezone.now())


def _keep(seen: Sequence[Observation], writes: Writes) -> dict[int, Job | JobState]:
    """Record these; by key, their jobs as they stand then. What says again what was heard last is not read."""
    jobs = prolong_repeated(seen)
    others = []
    for one in seen:
        if one.unread and one.job.pk in jobs:
            one.outcome = "repeated"
            continue
        if one.unread:
            one.read()
        others.append(one)
    return {**jobs, **record_held(others, writes, now=timezone.now()).jobs} if others else {**jobs}


def watch_unfinished(jobs: Iterable[Job | Claimed]) -> None:
    """Watch those of these jobs that have no final word, where GES can be asked about them; from when its word is old."""
    pks = {job.pk for job in jobs}
    found = Job.objects.unfinished().filter(pk__in=pks, graph__graph_id__isnull=False).exclude(project__endpoint="")
    unwatched = found.filter(Q(watch=None) | Q(watch__next_poll_at=None, watch__problem=""))
    now = timezone.now()
    rows = [Watch(job=job, next_poll_at=_gets_old_at(job, now)) for job in unwatched.only(*_PLANNED_BY, "observed_at")]
    Watch.objects.bulk_create(rows, update_conflicts=True, unique_fields=["job"], update_fields=["next_poll_at", "failures"])


def _gets_old_at(job: Job, now: datetime) -> datetime:
    interval = schedule.poll_interval(Verdict(job.verdict), now - job.began_at)
    return now if job.observed_at is None or interval is None else max(now, job.observed_at + interval)


def _set_aside(one: Observation, lease: int, before: Mapping[int, Claimed], wrong: Exception) -> None:
    """Keep what came as a miss, and poll that job no more until a person takes it up again."""
    log.error("What GES said of job %s can't be recorded; it is set aside.", one.job.job_id, exc_info=wrong)
    problem = f"{type(wrong).__name__}: {wrong}".replace("\x00", "")[:2000]
    try:
        missed = [replace(one, reply=None, error=NotRecorded(problem))]
        record(missed, now=timezone.now())
        outcomes.note(missed, timezone.now())
    except Exception as worse:
        if is_the_databases(worse):
            raise
        log.exception("Nor can it be kept as a miss.")
    if one.job.pk in before:
        Watch.objects.put_aside(lease, one.job.pk, before[one.job.pk].failures + 1, problem)


def _plans(seen: Sequence[Observation], before: Mapping[int, Claimed], jobs: Mapping[int, Job | JobState]) -> list[Plan]:
    """`jobs`: these as they stand now that they are recorded."""
    known = {one.job.pk: one for one in seen if one.job.pk in before}
    told = [jobs[pk] for pk in known]
    usual = _usual_for(told, timezone.now())
    return [_plan(known[job.pk], job, before[job.pk], usual.get((job.graph_id, job.job_name))) for job in told]


def _plan(one: Observation, job: Job | JobState, before: Claimed, usual: Usual | None) -> Plan:
    verdict = Verdict(job.verdict)
    if one.error is None:
        at = schedule.next_poll(verdict, was_final=before.was_final, began_at=job.began_at, now=one.observed_at, usual=usual)
        return Plan(job.pk, at, 0)
    failures = before.failures + 1
    wait = schedule.after_failure(
        one.error,
        failures,
        jitter=random.random(),  # noqa: S311
        was_heard=before.was_heard,
        is_final=verdict.is_final,
    )
    return Plan(job.pk, None if wait is None else one.observed_at + wait, failures)


def _usual_for(jobs: Collection[Job | JobState], now: datetime) -> dict[tuple[int, str], Usual | None]:
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
