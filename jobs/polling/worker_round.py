"""A worker's round: it claims what is due, has it asked, and records what was said, all at the same time.

No project waits for another's GES, no answer for a slower one, and GES is asked on while the database writes. What a round
has claimed and not heard of when it ends, stops or breaks is given back at once.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import Exists, OuterRef

from jobs.db.outage import is_the_databases, surely
from jobs.ges.answer import Answer
from jobs.ges.client import CONCURRENT
from jobs.ges.errors import GesError
from jobs.models import CallBudget, Project, Watch
from jobs.models.watch import Claimed, new_lease
from jobs.polling import call_budget
from jobs.polling.answers import clock_skews, observed
from jobs.polling.client import StatusOutcome, StatusRequest, client_for, renewed, stopping
from jobs.polling.commit import finish
from jobs.polling.lane import Lane
from jobs.polling.mailbox import Mail
from jobs.record import Observation

log = logging.getLogger(__name__)
BATCH = 1000  # replies recorded in one transaction
MOST_AHEAD = 2000  # watches of one project that a round holds
NAP = 0.25  # seconds between two looks while all that is due waits for the call budget or for GES
LINGER = 0.1  # seconds that the first answer of a batch waits for others
Clock = Callable[[], datetime]


def database_clock() -> Clock:
    """The time as the database has it, the same for all workers however their own clocks go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        read: datetime = cursor.fetchone()[0]
    at = time.monotonic()
    return lambda: read + timedelta(seconds=time.monotonic() - at)


class Round:
    """What one worker is doing now."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lease = clock, new_lease()
        self._lanes: dict[int, Lane] = {}  # by project
        self._former: list[Lane] = []  # whose token GES takes no more
        self._asked_again: set[int] = set()  # jobs
        self._said: Mail[tuple[Lane, StatusRequest, StatusOutcome]] = Mail()
        self._held: dict[int, dict[int, Claimed]] = defaultdict(dict)  # by project, then by job
        self._heard: dict[int, int] = defaultdict(int)  # by project, since its last claim
        self._projects: dict[int, Project] = {}

    def run(self, seconds: float) -> int:
        """Go on until nothing is due, the time is up or the process stops; how many jobs were asked about."""
        until, count = time.monotonic() + seconds, 0
        try:
            while True:
                is_open = time.monotonic() < until and not stopping.is_set()
                try:
                    waits = is_open and self._claim_all()
                except Error as wrong:
                    if not is_the_databases(wrong) or not any(self._held.values()):
                        raise
                    until, waits = (
                        0.0,
                        False,
                    )  # nothing more is claimed; what is under way is seen through
                if not waits and not any(self._held.values()):
                    return count
                count += self._record(self._collect(NAP))
                if stopping.is_set():
                    return count + self._record(self._collect(0))
        finally:
            self._end()

    def _claim_all(self) -> bool:
        """Claim what each project has due and may ask; whether something due was left for want of calls."""
        now, left = self._clock(), False
        due = Watch.objects.due(now).filter(project=OuterRef("pk"))
        paused = CallBudget.objects.filter(project=OuterRef("pk"), paused_until__gt=now)
        for project in Project.objects.filter(Exists(due), ~Exists(paused)).order_by("?"):
            if room := self._room(project):
                left |= self._claim(project, room, now)
        return left

    def _room(self, project: Project) -> int:
        """How many more to hold: enough that GES is asked all the time, and no more than soon get their turn."""
        ahead = min(max(2 * self._heard[project.pk], CONCURRENT), MOST_AHEAD)
        room = ahead - len(self._held[project.pk])
        return room if room >= ahead // 4 else 0

    def _claim(self, project: Project, room: int, now: datetime) -> bool:
        try:
            lane = self._lane(project)
        except GesError as error:  # IAM gives no token: nothing can be asked
            call_budget.tell(project, [error], now)
            return False
        wanted = Watch.objects.due(now).filter(project=project)[:room].count()
        granted = call_budget.take(project, wanted, now) if wanted else 0
        if not granted:
            return wanted > 0
        claims = Watch.objects.claim_due(project, self._lease, now, granted)
        held = self._held[project.pk]
        # One of our own that ran out is only prolonged: its question is under way.
        claimed = [one for one in claims if one.pk not in held]
        held.update((one.pk, one) for one in claimed)
        self._heard[project.pk] = 0
        self._projects[project.pk] = project
        lane.ask([StatusRequest(one, one.ges_graph) for one in claimed])
        return granted < wanted

    def _lane(self, project: Project) -> Lane:
        lane = self._lanes.get(project.pk)
        if lane is None:
            lane = self._lanes[project.pk] = Lane(client_for(project), self._deliver)
        return lane

    def _deliver(self, lane: Lane, question: StatusRequest, said: StatusOutcome) -> None:
        self._said.put((lane, question, said))

    def _collect(self, wait: float) -> list[tuple[StatusRequest, StatusOutcome]]:
        """What has been said by now, a batch at most; waits for the first, and a moment for more."""
        most = min(BATCH, sum(map(len, self._held.values())))
        if not most:
            time.sleep(wait)
            return []
        pieces = self._said.take(most, wait=wait, linger=min(wait, LINGER))
        return [
            (question, said)
            for lane, question, said in pieces
            if not self._is_asked_again(lane, question, said)
        ]

    def _is_asked_again(self, lane: Lane, question: StatusRequest, said: StatusOutcome) -> bool:
        """Whether GES took the token no more, and there is another to ask with: each job once."""
        if (
            not isinstance(said, Answer)
            or said.http_status != 401
            or question.job.pk in self._asked_again
        ):
            return False
        pk = question.job.project_id
        if self._lanes[pk] is lane:
            try:
                client = surely(lambda: renewed(self._projects[pk], lane.client), stopping)
            except GesError:  # IAM gives none; the refusal stands
                client = None
            if client is None:
                return False
            self._former.append(lane)
            self._lanes[pk] = Lane(client, self._deliver)
        self._asked_again.add(question.job.pk)
        self._lanes[pk].ask([question])
        return True

    def _record(self, said: list[tuple[StatusRequest, StatusOutcome]]) -> int:
        """Record what was said, and give back what was not asked; how many were."""
        heard = [(question, answer) for question, answer in said if answer is not None]
        seen = [
            observed(question, answer, "poll", unread=True)
            for question, answer in heard
            if answer is not None
        ]
        unasked = [question.job.pk for question, answer in said if answer is None]
        before = {one.job.pk: self._held[one.job.project_id][one.job.pk] for one in seen}
        if seen:
            surely(lambda: finish(seen, self._lease, before), stopping)
            surely(lambda: self._tell_budgets(seen, [answer for _, answer in heard]), stopping)
        surely(lambda: Watch.objects.give_back(self._lease, unasked), stopping)
        for question, _ in said:
            self._heard[question.job.project_id] += 1
            del self._held[question.job.project_id][question.job.pk]
        return len(seen)

    def _tell_budgets(self, seen: list[Observation], said: list[StatusOutcome]) -> None:
        by_project: dict[int, list[tuple[Observation, StatusOutcome]]] = defaultdict(list)
        for one, answer in zip(seen, said, strict=True):
            by_project[one.job.project_id].append((one, answer))
        for pk, told in by_project.items():
            call_budget.tell(self._projects[pk], [one.error for one, _ in told], self._clock())
            self._projects[pk].note_clock(clock_skews(answer for _, answer in told))

    def _end(self) -> None:
        """Give back what is still held."""
        for lane in [*self._lanes.values(), *self._former]:
            lane.stop()
        held = [job for jobs in self._held.values() for job in jobs]
        self._held.clear()
        if held:
            Watch.objects.give_back(self._lease, held)


def poll_for(seconds: float) -> int:
    """A round of work: claim, ask and record until nothing is due or the time is up. How many jobs were asked about.

    What a project's call budget does not allow stays due.
    """
    return Round(database_clock()).run(seconds)
