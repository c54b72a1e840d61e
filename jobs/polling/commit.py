"""Record observations and plan the next polls, in one transaction.

A reply that breaks this is quarantined, alone.
"""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from jobs.db.bulk import Writes
from jobs.db.outage import is_outage
from jobs.diagnosis.usual import Usual
from jobs.ges.words import Verdict
from jobs.models import Job, Watch
from jobs.models.watch import Claimed, Plan
from jobs.polling import outcomes, schedule
from jobs.polling.usual import usual_for
from jobs.record import JobState, NotRecorded, Observation, prolong_repeated, record, record_held

log = logging.getLogger(__name__)


def record_and_plan(
    observations: Sequence[Observation], lease: int, claims: Mapping[int, Claimed]
) -> None:
    """Record a batch of observations and end the claims on their jobs, each with its next poll.

    1. Prolong the newest replies that GES repeated; read and record all other observations.
    2. Plan the next poll of each claimed job, by the job as it is now and by what is usual for it.
    3. Write what steps 1 and 2 left to one statement at the end, and commit.
    4. Count and log the outcomes.

    If recording fails, and the database is not to blame, the batch is halved until the observation
    at fault is alone; its job is quarantined and all others are recorded.

    `claims` holds the claims of `lease` by the key of their job; jobs that are not in it keep
    their plan. A claim that another worker has taken over meanwhile is left to that worker.
    Raises: the database's error, when the database is in trouble; nothing of the batch is kept.
    """
    try:
        with transaction.atomic():
            writes = Writes()
            jobs = _record(observations, writes)
            Watch.objects.plan(lease, _plans(observations, claims, jobs), writes)
            writes.run()
    except Exception as error:
        if is_outage(error):
            raise
        if len(observations) > 1:
            half = len(observations) // 2
            record_and_plan(observations[:half], lease, claims)
            record_and_plan(observations[half:], lease, claims)
        elif observations:
            _quarantine(observations[0], lease, claims, error)
    else:
        outcomes.note(observations, timezone.now())


def _record(observations: Sequence[Observation], writes: Writes) -> dict[int, Job | JobState]:
    """Record these; their jobs as they are then, by key. A repeated body is not read."""
    jobs = prolong_repeated(observations)
    others = []
    for observation in observations:
        if observation.unread and observation.job.pk in jobs:
            observation.outcome = "repeated"
            continue
        if observation.unread:
            observation.read()
        others.append(observation)
    if not others:
        return {**jobs}
    return {**jobs, **record_held(others, writes, now=timezone.now()).jobs}


def _quarantine(
    observation: Observation, lease: int, claims: Mapping[int, Claimed], error: Exception
) -> None:
    """Keep the body as a failed poll, and poll the job no more until a person resumes it."""
    job = observation.job
    log.error(
        "The response about job %s can't be recorded; the job is quarantined.",
        job.job_id,
        exc_info=error,
    )
    problem = f"{type(error).__name__}: {error}".replace("\x00", "")[:2000]
    try:
        failed_polls = [replace(observation, reply=None, error=NotRecorded(problem))]
        record(failed_polls, now=timezone.now())
        outcomes.note(failed_polls, timezone.now())
    except Exception as second_error:
        if is_outage(second_error):
            raise
        log.exception("It can't be recorded as a failed poll either.")
    if job.pk in claims:
        Watch.objects.set_aside(lease, job.pk, claims[job.pk].failures + 1, problem)


def _plans(
    observations: Sequence[Observation],
    claims: Mapping[int, Claimed],
    jobs: Mapping[int, Job | JobState],
) -> list[Plan]:
    """The next polls of the claimed jobs; `jobs` are these as they are now."""
    claimed = {seen.job.pk: seen for seen in observations if seen.job.pk in claims}
    planned_jobs = [jobs[pk] for pk in claimed]
    usual = usual_for(planned_jobs, timezone.now())
    return [
        _plan(claimed[job.pk], job, claims[job.pk], usual.get((job.graph_id, job.job_name)))
        for job in planned_jobs
    ]


def _plan(
    observation: Observation, job: Job | JobState, claim: Claimed, usual: Usual | None
) -> Plan:
    verdict = Verdict(job.verdict)
    if observation.error is None:
        next_poll_at = schedule.next_poll(
            verdict,
            was_final=claim.was_final,
            began_at=job.began_at,
            now=observation.observed_at,
            usual=usual,
        )
        return Plan(job.pk, next_poll_at, 0)

    failures = claim.failures + 1
    wait = schedule.after_failure(
        observation.error,
        failures,
        jitter=random.random(),  # noqa: S311
        was_heard=claim.was_heard,
        is_final=verdict.is_final,
    )
    return Plan(job.pk, None if wait is None else observation.observed_at + wait, failures)
