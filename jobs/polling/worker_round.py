"""A worker's round of polling: claim what is due, have GES asked, record the answers, all at once.

No project waits for another's GES, no answer for a slower one, and calls go on while the database
writes.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import Exists, OuterRef

from jobs.db.outage import is_outage, retry_in_outage
from jobs.ges.answer import Answer
from jobs.ges.client import CONCURRENT
from jobs.ges.errors import GesError
from jobs.models import CallBudget, Project, Watch
from jobs.models.watch import Claimed, new_lease
from jobs.polling import call_budget
from jobs.polling.answers import clock_skews, observation_of
from jobs.polling.client import (
    StatusOutcome,
    StatusRequest,
    client_for,
    client_with_new_token,
    stop_requested,
)
from jobs.polling.commit import record_and_plan
from jobs.polling.lane import Lane, LaneResult
from jobs.polling.mailbox import Mailbox
from jobs.record import Observation

log = logging.getLogger(__name__)
REPLIES_PER_BATCH = 1000  # replies recorded in one transaction
MAX_CLAIMS = 2000  # watches of one project that a round holds
NAP = 0.25  # seconds between two looks while all that is due waits for the call budget or for GES
LINGER = 0.1  # seconds that the first answer of a batch waits for others
Clock = Callable[[], datetime]


def database_clock() -> Clock:
    """The database's time, the same for all workers however their own clocks go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        started_at: datetime = cursor.fetchone()[0]
    started = time.monotonic()
    return lambda: started_at + timedelta(seconds=time.monotonic() - started)


class Round:
    """The state of one round. Two threads work on it.

    - The worker's thread claims watches and writes to the database; all methods here run on it.
    - The event loop's thread makes the calls. Each project has a lane of calls there, and each
      result comes back through the mailbox.

    A claim is held from the moment it is made until its result is recorded or it is given back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lease = new_lease()
        self._deadline = 0.0  # by time.monotonic(); after it nothing more is claimed
        self._lanes: dict[int, Lane] = {}  # by project
        self._retired_lanes: list[Lane] = []  # their token was refused, their calls still run
        self._retried_jobs: set[int] = set()  # keys of jobs sent again with a new token
        self._results: Mailbox[LaneResult] = Mailbox()
        self._claims: dict[int, dict[int, Claimed]] = defaultdict(dict)  # by project, then by job
        self._settled: dict[int, int] = defaultdict(int)  # by project: results since its last claim
        self._projects: dict[int, Project] = {}

    def run(self, seconds: float) -> int:
        """Poll until nothing is due, the time is up or the process stops.

        1. Claim due watches of each project that may call GES now, and put them into its lane.
        2. Collect the results that have come in: wait NAP for the first, then LINGER for a batch.
        3. Send each job once more whose token was refused, if IAM gives another one.
        4. Record the batch, plan each job's next poll, and tell the call budgets how GES does.
           A job whose turn did not come is given back as it was.
        5. Repeat while a claim is held, or something due waits for its project's call budget.
        6. However the round ends, give back what is still claimed.

        When the time is up, or the database fails while claims are held, step 1 is left out: calls
        under way are seen through. When the process stops, what has come in is still recorded.

        Returns how many jobs GES was asked about.
        Raises: the database's error, if it fails while nothing is claimed or for too long.
        """
        self._deadline = time.monotonic() + seconds
        count = 0
        try:
            while self._claim_until_deadline() or self._has_claims():
                count += self._record(self._collect(NAP))
                if stop_requested.is_set():
                    return count + self._record(self._collect(0))
            return count
        finally:
            self._release_all()

    def _has_claims(self) -> bool:
        return any(self._claims.values())

    def _claim_until_deadline(self) -> bool:
        """Claim what is due, while the round may; whether some of it waits for the call budget."""
        if stop_requested.is_set() or time.monotonic() >= self._deadline:
            return False
        try:
            return self._claim_all()
        except Error as error:
            if not is_outage(error) or not self._has_claims():
                raise
            self._deadline = 0.0
            return False

    def _claim_all(self) -> bool:
        now = self._clock()
        due = Watch.objects.due(now).filter(project=OuterRef("pk"))
        paused = CallBudget.objects.filter(project=OuterRef("pk"), paused_until__gt=now)
        is_some_left = False
        for project in Project.objects.filter(Exists(due), ~Exists(paused)).order_by("?"):
            if room := self._room(project):
                is_some_left |= self._claim(project, room, now)
        return is_some_left

    def _room(self, project: Project) -> int:
        """How many more watches to claim.

        Enough that GES is called all the time, and no more than soon get their turn: twice as many
        as were settled since the last claim, and none until a quarter of that is free.
        """
        target = min(max(2 * self._settled[project.pk], CONCURRENT), MAX_CLAIMS)
        room = target - len(self._claims[project.pk])
        return room if room >= target // 4 else 0

    def _claim(self, project: Project, room: int, now: datetime) -> bool:
        """Claim up to `room` due watches; whether the budget allows fewer than are wanted."""
        try:
            lane = self._lane(project)
        except GesError as error:  # IAM gives no token, so GES can't be called
            call_budget.report(project, [error], now)
            return False

        wanted = Watch.objects.due(now).filter(project=project)[:room].count()
        granted = call_budget.draw(project, wanted, now) if wanted else 0
        if not granted:
            return wanted > 0

        claims = self._claims[project.pk]
        # One of our own whose lease ran out is only prolonged: its call is under way.
        claimed = [
            claim
            for claim in Watch.objects.claim_due(project, self._lease, now, granted)
            if claim.pk not in claims
        ]
        claims.update((claim.pk, claim) for claim in claimed)
        self._settled[project.pk] = 0
        self._projects[project.pk] = project
        lane.send_all([StatusRequest(claim, claim.ges_graph) for claim in claimed])
        return granted < wanted

    def _lane(self, project: Project) -> Lane:
        lane = self._lanes.get(project.pk)
        if lane is None:
            lane = self._lanes[project.pk] = Lane(client_for(project), self._results.put)
        return lane

    def _collect(self, wait: float) -> list[LaneResult]:
        """The results that have come in, a batch at most, without those that are sent again."""
        limit = min(REPLIES_PER_BATCH, sum(map(len, self._claims.values())))
        if not limit:
            time.sleep(wait)
            return []
        results = self._results.take(limit, wait=wait, linger=min(wait, LINGER))
        return [result for result in results if not self._send_again(result)]

    def _send_again(self, result: LaneResult) -> bool:
        """Send a request again whose token GES refused, once a job; whether there was a new one."""
        lane, request, outcome = result
        is_refused = isinstance(outcome, Answer) and outcome.http_status == 401
        if not is_refused or request.job.pk in self._retried_jobs:
            return False
        project_pk = request.job.project_id
        # Another result may have replaced the lane, and its token, already.
        if self._lanes[project_pk] is lane and not self._renew_lane(project_pk):
            return False
        self._retried_jobs.add(request.job.pk)
        self._lanes[project_pk].send_all([request])
        return True

    def _renew_lane(self, project_pk: int) -> bool:
        """Replace a project's lane by one with another token; whether there is one."""
        lane, project = self._lanes[project_pk], self._projects[project_pk]
        try:
            client = retry_in_outage(
                lambda: client_with_new_token(project, lane.client), stop_requested
            )
        except GesError:  # IAM gives none: the refusal is the outcome
            return False
        if client is None:
            return False
        self._retired_lanes.append(lane)
        self._lanes[project_pk] = Lane(client, self._results.put)
        return True

    def _record(self, results: list[LaneResult]) -> int:
        """Record the results and end their claims; how many jobs GES was asked about."""
        outcomes = [
            (result.request, result.outcome) for result in results if result.outcome is not None
        ]
        observations = [
            observation_of(request, outcome, "poll", unread=True) for request, outcome in outcomes
        ]
        unsent_jobs = [result.request.job.pk for result in results if result.outcome is None]
        claims_by_job = {
            seen.job.pk: self._claims[seen.job.project_id][seen.job.pk] for seen in observations
        }

        if observations:
            retry_in_outage(
                lambda: record_and_plan(observations, self._lease, claims_by_job), stop_requested
            )
            retry_in_outage(
                lambda: self._report(observations, [outcome for _, outcome in outcomes]),
                stop_requested,
            )
        retry_in_outage(lambda: Watch.objects.give_back(self._lease, unsent_jobs), stop_requested)

        for result in results:
            job = result.request.job
            self._settled[job.project_id] += 1
            del self._claims[job.project_id][job.pk]
        return len(observations)

    def _report(self, observations: list[Observation], outcomes: list[StatusOutcome]) -> None:
        """Tell each project's call budget how its calls went, and keep the skew of its clock."""
        errors: dict[int, list[GesError | None]] = defaultdict(list)
        outcomes_by_project: dict[int, list[StatusOutcome]] = defaultdict(list)
        for observation, outcome in zip(observations, outcomes, strict=True):
            errors[observation.job.project_id].append(observation.error)
            outcomes_by_project[observation.job.project_id].append(outcome)

        for project_pk, project_outcomes in outcomes_by_project.items():
            project = self._projects[project_pk]
            call_budget.report(project, errors[project_pk], self._clock())
            project.note_clock(clock_skews(project_outcomes))

    def _release_all(self) -> None:
        for lane in [*self._lanes.values(), *self._retired_lanes]:
            lane.stop()
        unsettled_jobs = [job_pk for claims in self._claims.values() for job_pk in claims]
        self._claims.clear()
        if unsettled_jobs:
            Watch.objects.give_back(self._lease, unsettled_jobs)


def poll_for(seconds: float) -> int:
    """Run one round and return how many jobs GES was asked about.

    What a project's call budget does not allow stays due.
    """
    return Round(database_clock()).run(seconds)
