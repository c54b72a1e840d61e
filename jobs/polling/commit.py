"""What was heard, recorded and the next poll planned, in one transaction. A reply that breaks this is set aside, alone."""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from jobs.db.bulk import Writes
from jobs.db.outage import is_the_databases
from jobs.diagnosis.usual import Usual
from jobs.ges.words import Verdict
from jobs.models import Job, Watch
from jobs.models.watch import Claimed, Plan, planned
from jobs.polling import outcomes, schedule
from jobs.polling.usual import usual_for
from jobs.record import JobState, NotRecorded, Observation, prolong_repeated, record, record_held

log = logging.getLogger(__name__)


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


def _set_aside(
    one: Observation, lease: int, before: Mapping[int, Claimed], wrong: Exception
) -> None:
    """Keep what came as a miss, and poll that job no more until a person takes it up again."""
    log.error(
        "What GES said of job %s can't be recorded; it is set aside.",
        one.job.job_id,
        exc_info=wrong,
    )
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


def _plans(
    seen: Sequence[Observation], before: Mapping[int, Claimed], jobs: Mapping[int, Job | JobState]
) -> list[Plan]:
    """`jobs`: these as they stand now that they are recorded."""
    known = {one.job.pk: one for one in seen if one.job.pk in before}
    told = [jobs[pk] for pk in known]
    usual = usual_for(told, timezone.now())
    return [
        _plan(known[job.pk], job, before[job.pk], usual.get((job.graph_id, job.job_name)))
        for job in told
    ]


def _plan(one: Observation, job: Job | JobState, before: Claimed, usual: Usual | None) -> Plan:
    verdict = Verdict(job.verdict)
    if one.error is None:
        at = schedule.next_poll(
            verdict,
            was_final=before.was_final,
            began_at=job.began_at,
            now=one.observed_at,
            usual=usual,
        )
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
