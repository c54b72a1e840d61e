"""`/status/`: whether everything is polled on time, what is wrong, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from jobs.models import Presence, Project, Tally
from jobs.models.reply import Source
from jobs.models.tally import Kind
from jobs.pages.job.misses import TEXTS
from jobs.polling.health import PollingHealth, ProjectHealth, polling_health, projects_for
from jobs.web.rendering import render_page

MAX_ABSENCES = 20
ABSENCE_PERIOD = timedelta(days=7)
OUTCOMES = {
    "new": gettext_lazy("new response"),
    "repeated": gettext_lazy("unchanged response"),
} | TEXTS


class CollectorState(StrEnum):
    """What an operator should know first, in order of weight."""

    NOTHING = "nothing"
    NO_WORKER = "no_worker"
    STALLED = "stalled"
    TROUBLE = "trouble"
    OVERDUE = "overdue"
    SET_ASIDE = "set_aside"
    ON_TIME = "on_time"


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Staff see all projects, members their own; for anybody else there is no such address."""
    now = timezone.now()
    health = polling_health(projects_for(request.user), now)
    if not health.projects and not request.user.is_staff:
        raise Http404
    context = {
        "vitals": health,
        "state": state_of(health).value,
        "troubled": [project for project in health.projects if _has_trouble(project)],
        "projects": [(project, project.paused_until(now)) for project in health.projects],
        "outcomes": [
            (project.project, _outcome(tally))
            for project in health.projects
            for tally in project.of(Kind.REPLY)
        ],
        "unknown": [
            (project.project, tally)
            for project in health.projects
            for tally in (*project.of(Kind.WORD), *project.of(Kind.FIELD))
        ],
        "absences": _newest_absences(health),
        "set_aside": sum(project.set_aside for project in health.projects),
    }
    return render_page(request, "pages/operate/status.html", "status", context)


def state_of(health: PollingHealth) -> CollectorState:
    """The heaviest state that applies."""
    polled = [project for project in health.projects if project.project.credentials]
    applies = {
        CollectorState.NOTHING: not polled,
        CollectorState.NO_WORKER: not health.workers,
        CollectorState.STALLED: health.is_stalled,
        CollectorState.TROUBLE: any(map(_has_trouble, polled)),
        CollectorState.OVERDUE: health.overdue > 0,
        CollectorState.SET_ASIDE: any(project.set_aside for project in polled),
    }
    return next((state for state, is_so in applies.items() if is_so), CollectorState.ON_TIME)


def _has_trouble(health: ProjectHealth) -> bool:
    project = health.project
    return bool(project.problem) or project.clock_skew is not None or health.is_resting


@dataclass(frozen=True, slots=True)
class Outcome:
    """A counter of polls, in words."""

    source: str
    outcome: str
    tally: Tally


def _outcome(tally: Tally) -> Outcome:
    source, _colon, outcome = tally.name.partition(":")
    label = Source(source).label if source in Source.values else source
    return Outcome(str(label), str(OUTCOMES.get(outcome, outcome)), tally)


@dataclass(frozen=True, slots=True)
class Absence:
    """A time without a worker."""

    project: Project
    begin: datetime
    end: datetime

    @property
    def took(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.begin


def _newest_absences(health: PollingHealth) -> list[Absence]:
    newest_first = sorted(_absences(health), key=lambda absence: absence.begin, reverse=True)
    return newest_first[:MAX_ABSENCES]


def _absences(health: PollingHealth) -> Iterator[Absence]:
    projects = {project.project.pk: project.project for project in health.projects}
    since = health.now - ABSENCE_PERIOD
    away = Presence.objects.away_by_project(list(projects), since, health.now)
    for pk, stretches in away.items():
        for begin, end in stretches:
            yield Absence(projects[pk], begin, end)
