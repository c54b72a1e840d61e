"""When workers looked after a project: one narrow row a stretch of time."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, OuterRef, Subquery

from jobs.diagnosis.gaps import Stretch, gaps
from jobs.models.project import Project

EVERY = timedelta(minutes=1)  # a stretch is prolonged at most so often
PAUSE = timedelta(
    seconds=150
)  # longer than a stretch's age and a round with a slow GES together: nobody was there


class PresenceQuerySet(models.QuerySet["Presence"]):
    """Questions about presence."""

    def note(self, now: datetime) -> None:
        """A worker does its round now: prolong the stretch of each project that can be polled, or begin a new one."""
        newest = Presence.objects.filter(project=OuterRef("pk")).order_by("-last_at", "-pk")
        stretch, last_at = Subquery(newest.values("pk")[:1]), Subquery(newest.values("last_at")[:1])
        found = Project.objects.exclude(credentials="").annotate(stretch=stretch, last_at=last_at)
        rows = list(found.values_list("pk", "stretch", "last_at"))
        begun = [pk for pk, _stretch, at in rows if at is None or at < now - PAUSE]
        if begun:
            self.bulk_create([Presence(project_id=pk, first_at=now, last_at=now) for pk in begun])
        prolonged = [stretch for pk, stretch, at in rows if pk not in begun and at <= now - EVERY]
        if prolonged:
            self.filter(pk__in=prolonged, last_at__lt=now).update(last_at=now)

    def stretches(self, project: int, until: datetime, *, most: int = 200) -> "PresenceQuerySet":
        """The newest `most` that began by then; what lies between them are the gaps."""
        return self.filter(project=project, first_at__lte=until).order_by("-last_at", "-pk")[:most]

    def away(self, project: int, begin: datetime, end: datetime) -> list[Stretch]:
        """When no worker was there, within these times."""
        return gaps(
            self.stretches(project, end).values_list("first_at", "last_at"),
            begin,
            end,
            longer_than=PAUSE,
        )

    def away_by_project(
        self, projects: Collection[int], begin: datetime, end: datetime
    ) -> dict[int, list[Stretch]]:
        """The same of several projects, of their newest thousand stretches together."""
        runs: dict[int, list[Stretch]] = {pk: [] for pk in projects}
        rows = self.filter(project__in=projects, first_at__lte=end).order_by("-last_at")
        for project, first, last in rows.values_list("project_id", "first_at", "last_at")[:1000]:
            runs[project].append((first, last))
        return {
            project: gaps(found, begin, end, longer_than=PAUSE) for project, found in runs.items()
        }


class Presence(models.Model):
    """A stretch of time in which a worker was there to poll this project, to the minute."""

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
