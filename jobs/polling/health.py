"""The health of polling, for the status page, the metrics and the readiness check alike.

It is read from the database, since workers and web servers are separate processes; every query is
bounded.
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
from jobs.models.project import ProjectQuerySet
from jobs.models.reply import Source
from jobs.models.roles import Viewer
from jobs.models.tally import Kind
from jobs.polling import call_budget
from jobs.polling.outcomes import ANSWERED

#: A worker process does the rounds of the first queue beside all tasks of the other.
POLLS, REST = "polls", "default"
QUEUES = (POLLS, REST)
OVERDUE_AFTER = timedelta(minutes=1)
STALLED_AFTER = timedelta(minutes=5)  # without a poll while something is due: not ready
HEARTBEAT = timedelta(seconds=30)  # procrastinate's own; a worker that is silent for longer is dead
MAX_DUE = 10_000  # watches counted of a project
POLL = f"{Source.POLL}:"  # how the counters of polls begin
POLLED = Q(kind=Kind.REPLY, name__startswith=POLL)


@dataclass(frozen=True, slots=True)
class DueWatches:
    """One project's watches that are due, MAX_DUE at most."""

    count: int = 0
    overdue: int = 0
    since: datetime | None = None  # when the first of them became due


@dataclass(frozen=True, slots=True)
class ProjectHealth:
    """The health of one project's polling."""

    project: Project
    due: DueWatches
    calls: call_budget.BudgetState
    present_at: datetime | None  # when a worker was last there
    tallies: Sequence[Tally] = field(default=())
    set_aside: int = 0  # jobs in quarantine

    def of(self, kind: Kind) -> list[Tally]:
        """The counters of a kind."""
        return [tally for tally in self.tallies if tally.kind == kind]

    @property
    def polled_at(self) -> datetime | None:
        """The newest poll, whatever its outcome."""
        polls = (tally for tally in self.of(Kind.REPLY) if tally.name.startswith(POLL))
        return max((tally.last_at for tally in polls), default=None)

    @property
    def answered_at(self) -> datetime | None:
        """The newest poll with a usable answer."""
        names = {f"{POLL}{outcome}" for outcome in ANSWERED}
        answers = (tally for tally in self.of(Kind.REPLY) if tally.name in names)
        return max((tally.last_at for tally in answers), default=None)

    def paused_until(self, now: datetime) -> datetime | None:
        """When GES may be called again, if it may not be called now."""
        until = self.calls.paused_until
        return until if until is not None and until > now else None

    @property
    def is_resting(self) -> bool:
        """Whether the circuit is open or half-open, as GES gave no answers."""
        return self.calls.failures >= call_budget.FAILURES_TO_OPEN


@dataclass(frozen=True, slots=True)
class PollingHealth:
    """The health of polling in the projects that a viewer may see."""

    now: datetime
    workers: int
    projects: Sequence[ProjectHealth]

    @property
    def due(self) -> int:
        """Watches that are due, in all projects."""
        return sum(health.due.count for health in self.projects)

    @property
    def overdue(self) -> int:
        """Watches that have been due for longer than OVERDUE_AFTER."""
        return sum(health.due.overdue for health in self.projects)

    @property
    def due_since(self) -> datetime | None:
        """When the first of the due watches became due."""
        times = (health.due.since for health in self.projects)
        return min((since for since in times if since), default=None)

    @property
    def present_at(self) -> datetime | None:
        """When a worker was last there."""
        times = (health.present_at for health in self.projects)
        return max((present_at for present_at in times if present_at), default=None)

    @property
    def polled_at(self) -> datetime | None:
        """The newest poll, whatever its outcome."""
        times = (health.polled_at for health in self.projects)
        return max((polled_at for polled_at in times if polled_at), default=None)

    @property
    def is_stalled(self) -> bool:
        """Whether there was no poll for too long, though something was due and GES not paused."""
        due_since = (
            health.due.since
            for health in self.projects
            if health.due.since and not health.paused_until(self.now)
        )
        return is_stalled(min(due_since, default=None), self.polled_at, self.now)


def is_stalled(due_since: datetime | None, polled_at: datetime | None, now: datetime) -> bool:
    """Whether there was no poll for STALLED_AFTER while something was due all that time."""
    return (
        due_since is not None
        and due_since < now - STALLED_AFTER
        and (polled_at is None or polled_at < now - STALLED_AFTER)
    )


def projects_for(user: Viewer) -> ProjectQuerySet:
    """The projects whose health this user may see: all for staff, their own for others.

    With an access key never more than the key's.
    """
    is_operator = user.is_active and user.is_staff and getattr(user, "access_key", None) is None
    return Project.objects.all() if is_operator else Project.objects.visible_to(user)


def polling_health(projects: ProjectQuerySet, now: datetime) -> PollingHealth:
    """The health of these projects now, in six queries."""
    newest_presence = Presence.objects.filter(project=OuterRef("pk")).order_by("-last_at", "-pk")
    present_at = Subquery(newest_presence.values("last_at")[:1])
    rows = list(projects.annotate(present_at=present_at).order_by("name", "project_id"))
    pks = [project.pk for project in rows]
    due = due_by_project(pks, now)
    budgets = CallBudget.objects.in_bulk(pks)
    tallies: dict[int, list[Tally]] = defaultdict(list)
    for tally in Tally.objects.filter(project__in=pks).order_by("kind", "name"):
        tallies[tally.project_id].append(tally)
    quarantined = Watch.objects.quarantined().filter(project__in=pks).order_by()
    counts = dict(quarantined.values_list("project").annotate(count=Count("*")))

    healths = [
        ProjectHealth(
            project=project,
            due=due.get(project.pk, DueWatches()),
            calls=call_budget.state_now(project, budgets.get(project.pk), now),
            present_at=getattr(project, "present_at", None),
            tallies=tallies[project.pk],
            set_aside=counts.get(project.pk, 0),
        )
        for project in rows
    ]
    return PollingHealth(now, workers_alive(), healths)


def workers_alive() -> int:
    """How many worker processes have given a sign of life, by the database's clock.

    Procrastinate has a row for each of a worker process's queues.
    """
    rows: int = ProcrastinateWorker.objects.filter(last_heartbeat__gt=Now() - HEARTBEAT).count()
    return -(-rows // len(QUEUES))


_DUE = """
SELECT project.id, count(*), count(*) FILTER (WHERE due.next_poll_at <= %s), min(due.next_poll_at)
FROM unnest(%s::bigint[]) AS project (id), LATERAL (
    SELECT next_poll_at FROM jobs_watch
    WHERE project_id = project.id AND next_poll_at <= %s
      AND (leased_until IS NULL OR leased_until <= %s)
    ORDER BY next_poll_at LIMIT %s
) AS due GROUP BY project.id
"""


def due_by_project(projects: Sequence[int], now: datetime) -> dict[int, DueWatches]:
    """The due watches of each of these projects, those that are longest due first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now - OVERDUE_AFTER, list(projects), now, now, MAX_DUE])
        return {project: DueWatches(*counts) for project, *counts in cursor.fetchall()}


def stalled_since(now: datetime) -> datetime | None:
    """Since when something is due that is not polled, where that is too long: two cheap queries."""
    due = Watch.objects.due(now).filter(project=OuterRef("pk")).order_by("next_poll_at")
    due_since = Subquery(due.values("next_poll_at")[:1])
    callable_projects = Project.objects.exclude(budget__paused_until__gt=now)
    longest_due = callable_projects.annotate(due_since=due_since).aggregate(least=Min("due_since"))
    polled_at = Tally.objects.filter(POLLED).aggregate(newest=Max("last_at"))["newest"]
    return longest_due["least"] if is_stalled(longest_due["least"], polled_at, now) else None
