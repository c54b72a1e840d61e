"""When workers polled a project: one narrow row a stretch of time."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, OuterRef, Subquery

from jobs.diagnosis.gaps import Stretch, gaps
from jobs.models.project import Project

PROLONGED_EVERY = timedelta(minutes=1)  # at most
#: Longer than a stretch's age and a round with a slow GES together: no worker was there.
PAUSE = timedelta(seconds=150)
MAX_STRETCHES = 200  # of one project
MAX_STRETCHES_TOGETHER = 1000  # of several projects


class PresenceQuerySet(models.QuerySet["Presence"]):
    """Stretches of presence, and the gaps between them."""

    def note(self, now: datetime) -> None:
        """Note that a worker runs: prolong each pollable project's stretch, or begin a new one."""
        newest = Presence.objects.filter(project=OuterRef("pk")).order_by("-last_at", "-pk")
        projects = Project.objects.exclude(credentials="").annotate(
            stretch=Subquery(newest.values("pk")[:1]),
            last_at=Subquery(newest.values("last_at")[:1]),
        )
        begun, prolonged = [], []
        for project, stretch, last_at in projects.values_list("pk", "stretch", "last_at"):
            if last_at is None or last_at < now - PAUSE:
                begun.append(Presence(project_id=project, first_at=now, last_at=now))
            elif last_at <= now - PROLONGED_EVERY:
                prolonged.append(stretch)
        if begun:
            self.bulk_create(begun)
        if prolonged:
            self.filter(pk__in=prolonged, last_at__lt=now).update(last_at=now)

    def stretches(
        self, project: int, until: datetime, *, limit: int = MAX_STRETCHES
    ) -> "PresenceQuerySet":
        """The newest that began by then; between them are the gaps."""
        begun = self.filter(project=project, first_at__lte=until)
        return begun.order_by("-last_at", "-pk")[:limit]

    def away(self, project: int, begin: datetime, end: datetime) -> list[Stretch]:
        """When no worker was there, within these times."""
        stretches = self.stretches(project, end).values_list("first_at", "last_at")
        return gaps(stretches, begin, end, longer_than=PAUSE)

    def away_by_project(
        self, projects: Collection[int], begin: datetime, end: datetime
    ) -> dict[int, list[Stretch]]:
        """`away` of several projects, by their newest MAX_STRETCHES_TOGETHER."""
        stretches: dict[int, list[Stretch]] = {pk: [] for pk in projects}
        rows = self.filter(project__in=projects, first_at__lte=end).order_by("-last_at")
        columns = rows.values_list("project_id", "first_at", "last_at")
        for project, first_at, last_at in columns[:MAX_STRETCHES_TOGETHER]:
            stretches[project].append((first_at, last_at))
        return {
            project: gaps(of_project, begin, end, longer_than=PAUSE)
            for project, of_project in stretches.items()
        }


class Presence(models.Model):
    """A stretch of time in which a worker was there to poll this project, to the minute.

    Written by: `models.presence`.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = PresenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_at__gte=F("first_at")), name="presence_in_order"
            )
        ]
        # The newest of a project, and those of a span of time.
        indexes = [
            models.Index("project", F("last_at").desc(), F("id").desc(), name="presence_newest")
        ]

    def __str__(self) -> str:
        return f"{self.first_at} – {self.last_at}"
