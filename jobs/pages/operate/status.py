"""`/status/`: is everything polled on time; if not, what is wrong, and what to do about it."""

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
from jobs.pages.job.misses import KINDS
from jobs.polling.health import PollingHealth, polling_health, projects_for
from jobs.web.rendering import render_page

GAPS_SHOWN, GAP_DAYS = 20, timedelta(days=7)
OUTCOMES = {
    "new": gettext_lazy("new response"),
    "repeated": gettext_lazy("unchanged response"),
} | KINDS


class CollectorState(StrEnum):
    """What an operator should know first; the worst that holds."""

    NOTHING = "nothing"
    NO_WORKER = "no_worker"
    STALLED = "stalled"
    TROUBLE = "trouble"
    OVERDUE = "overdue"
    SET_ASIDE = "set_aside"
    ON_TIME = "on_time"


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Staff see all projects, members their own; it is no address for anybody else."""
    now = timezone.now()
    found = polling_health(projects_for(request.user), now)
    if not found.projects and not request.user.is_staff:
        raise Http404
    context = {
        "vitals": found,
        "state": state_of(found).value,
        "troubled": [one for one in found.projects if _has_trouble(one.project) or one.is_resting],
        "projects": [(one, one.paused_until(now)) for one in found.projects],
        "outcomes": [
            (one.project, _named(tally)) for one in found.projects for tally in one.of(Kind.REPLY)
        ],
        "unknown": [
            (one.project, tally)
            for one in found.projects
            for tally in (*one.of(Kind.WORD), *one.of(Kind.FIELD))
        ],
        "absences": _absences(found),
        "set_aside": sum(one.set_aside for one in found.projects),
    }
    return render_page(request, "pages/operate/status.html", "status", context)


def state_of(found: PollingHealth) -> CollectorState:
    """The worst that holds."""
    polled = [one for one in found.projects if one.project.credentials]
    holds = {
        CollectorState.NOTHING: not polled,
        CollectorState.NO_WORKER: not found.workers,
        CollectorState.STALLED: found.is_stalled,
        CollectorState.TROUBLE: any(_has_trouble(one.project) or one.is_resting for one in polled),
        CollectorState.OVERDUE: found.overdue > 0,
        CollectorState.SET_ASIDE: any(one.set_aside for one in polled),
    }
    return next((state for state, is_so in holds.items() if is_so), CollectorState.ON_TIME)


def _has_trouble(project: Project) -> bool:
    return bool(project.problem) or project.clock_skew is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A counter of replies, in words."""

    source: str
    outcome: str
    tally: Tally


def _named(tally: Tally) -> Outcome:
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
        """How long it was."""
        return self.end - self.begin


def _absences(found: PollingHealth) -> list[Absence]:
    projects = {one.project.pk: one.project for one in found.projects}
    away = Presence.objects.away_by_project(list(projects), found.now - GAP_DAYS, found.now)
    rows = [
        Absence(projects[pk], *stretch) for pk, stretches in away.items() for stretch in stretches
    ]
    return sorted(rows, key=lambda one: one.begin, reverse=True)[:GAPS_SHOWN]
