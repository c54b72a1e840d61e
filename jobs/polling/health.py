"""How the polling does: for the status page, the metrics and the readiness check alike.

All of it is read from the database, since workers and web servers are processes apart; every question is bounded.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

from jobs.models import CallBudget, Presence, Project, Tally, Watch
from jobs.models.project import ProjectQuerySet, Viewer
from jobs.models.reply import Source
from jobs.models.tally import Kind
from jobs.polling import call_budget
from jobs.polling.outcomes import ANSWERED

QUEUES = POLLS, REST = (
    "polls",
    "default",
)  # a worker process does the rounds of the one beside all of the other
LATE = timedelta(minutes=1)  # a watch that is due for longer is overdue
STALLED = timedelta(minutes=5)  # nothing was polled for so long while something was due: not ready
HEARTBEAT = timedelta(seconds=30)  # procrastinate's own; a worker that is silent for longer is dead
MOST_DUE = 10_000  # watches counted of a project
POLL = f"{Source.POLL}:"  # how the counters of polls begin
POLLED = Q(kind=Kind.REPLY, name__startswith=POLL)


@dataclass(frozen=True, slots=True)
class Due:
    """Watches to be asked about now, MOST_DUE at most."""

    count: int = 0
    overdue: int = 0
    since: datetime | None = None  # of the one that waits for longest


@dataclass(frozen=True, slots=True)
class Health:
    """How one project does."""

    project: Project
    due: Due
    calls: call_budget.BudgetState
    present_at: datetime | None  # when a worker last did its round
    tallies: Sequence[Tally] = field(default=())
    set_aside: int = 0

    def of(self, kind: Kind) -> list[Tally]:
        """The counters of a kind."""
        return [one for one in self.tallies if one.kind == kind]

    @property
    def polled_at(self) -> datetime | None:
        """When a job was last polled, whatever came of it."""
        return max(
            (one.last_at for one in self.of(Kind.REPLY) if one.name.startswith(POLL)), default=None
        )

    @property
    def answered_at(self) -> datetime | None:
        """When a poll last got a usable answer."""
        names = {f"{POLL}{outcome}" for outcome in ANSWERED}
        return max((one.last_at for one in self.of(Kind.REPLY) if one.name in names), default=None)

    def paused_until(self, now: datetime) -> datetime | None:
        """Until when GES is left alone."""
        until = self.calls.paused_until
        return until if until is not None and until > now else None

    @property
    def is_resting(self) -> bool:
        """Whether that is because it gave no answers."""
        return self.calls.failures >= call_budget.FAILURES


@dataclass(frozen=True, slots=True)
class Vitals:
    """How all projects that somebody may see do."""

    now: datetime
    workers: int
    projects: Sequence[Health]

    @property
    def due(self) -> int:
        """Watches to be asked about now."""
        return sum(one.due.count for one in self.projects)

    @property
    def overdue(self) -> int:
        """Watches that should have been asked about a while ago."""
        return sum(one.due.overdue for one in self.projects)

    @property
    def due_since(self) -> datetime | None:
        """Since when the one that waits for longest has been due."""
        return min((one.due.since for one in self.projects if one.due.since), default=None)

    @property
    def present_at(self) -> datetime | None:
        """When a worker last did its round."""
        return max((one.present_at for one in self.projects if one.present_at), default=None)

    @property
    def polled_at(self) -> datetime | None:
        """When anything was last polled, whatever came of it."""
        return max((one.polled_at for one in self.projects if one.polled_at), default=None)

    @property
    def is_stalled(self) -> bool:
        """Whether nothing was polled for too long though it was due and nobody asked for a pause."""
        since = (
            one.due.since
            for one in self.projects
            if one.due.since and not one.paused_until(self.now)
        )
        return is_stalled(min(since, default=None), self.polled_at, self.now)


def is_stalled(due_since: datetime | None, polled_at: datetime | None, now: datetime) -> bool:
    """Whether nothing was polled for too long while something was due all that time."""
    return (
        due_since is not None
        and due_since < now - STALLED
        and (polled_at is None or polled_at < now - STALLED)
    )


def projects_for(user: Viewer) -> ProjectQuerySet:
    """Whose health this user may see: staff all, others their own; with an access key never more than the key's."""
    is_operator = user.is_active and user.is_staff and getattr(user, "access_key", None) is None
    return Project.objects.all() if is_operator else Project.objects.visible_to(user)


def vitals(projects: ProjectQuerySet, now: datetime) -> Vitals:
    """How these projects do now. Six queries."""
    newest = (
        Presence.objects.filter(project=OuterRef("pk"))
        .order_by("-last_at", "-pk")
        .values("last_at")[:1]
    )
    rows = list(projects.annotate(present_at=Subquery(newest)).order_by("name", "project_id"))
    pks = [one.pk for one in rows]
    due, budgets = due_by_project(pks, now), CallBudget.objects.in_bulk(pks)
    tallies: dict[int, list[Tally]] = defaultdict(list)
    for tally in Tally.objects.filter(project__in=pks).order_by("kind", "name"):
        tallies[tally.project_id].append(tally)
    waiting = Watch.objects.set_aside().filter(project__in=pks).order_by().values_list("project")
    set_aside = dict(waiting.annotate(count=Count("*")))
    found = [
        Health(
            project=one,
            due=due.get(one.pk, Due()),
            calls=call_budget.now_left(one, budgets.get(one.pk), now),
            present_at=getattr(one, "present_at", None),
            tallies=tallies[one.pk],
            set_aside=set_aside.get(one.pk, 0),
        )
        for one in rows
    ]
    return Vitals(now, workers_alive(), found)


def workers_alive() -> int:
    """How many worker processes have given a sign of life, by the database's clock: procrastinate has a row for each of its queues."""
    rows: int = ProcrastinateWorker.objects.filter(last_heartbeat__gt=Now() - HEARTBEAT).count()
    return -(-rows // len(QUEUES))


def due_by_project(projects: Sequence[int], now: datetime) -> dict[int, Due]:
    """What is due of each of these projects, those that wait for longest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT project.id, count(*), count(*) FILTER (WHERE due.next_poll_at <= %s), min(due.next_poll_at)"
            " FROM unnest(%s::bigint[]) AS project (id), LATERAL (SELECT next_poll_at FROM jobs_watch"
            " WHERE project_id = project.id AND next_poll_at <= %s AND (leased_until IS NULL OR leased_until <= %s)"
            " ORDER BY next_poll_at LIMIT %s) AS due GROUP BY project.id",
            [now - LATE, list(projects), now, now, MOST_DUE],
        )
        return {project: Due(*rest) for project, *rest in cursor.fetchall()}


def stalled(now: datetime) -> datetime | None:
    """Since when something is due that nobody asks about, where that is too long: two cheap questions."""
    due = (
        Watch.objects.due(now)
        .filter(project=OuterRef("pk"))
        .order_by("next_poll_at")
        .values("next_poll_at")[:1]
    )
    asked = Project.objects.exclude(budget__paused_until__gt=now).annotate(due_since=Subquery(due))
    due_since = asked.aggregate(least=Min("due_since"))["least"]
    polled_at = Tally.objects.filter(POLLED).aggregate(newest=Max("last_at"))["newest"]
    return due_since if is_stalled(due_since, polled_at, now) else None
