"""How often what happened when GES was asked: counters that all workers and web servers add to, for the metrics."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import connection, models

from jobs.models.project import Project

NAME = 80
MOST_NAMES = (
    100  # of GES's unknown words and fields of a project; what comes after is counted as OTHER
)
OTHER = "(other)"


class Counted(NamedTuple):
    """How often, and how many seconds in all where it took time."""

    times: int = 0
    seconds: float = 0.0


class Kind(StrEnum):
    """What is counted, and what its names are."""

    REPLY = "reply"  # source:outcome, the outcome being `new`, `repeated` or the kind of a miss
    LATENCY = "latency"  # seconds that an answer took at most, one of a few
    WORD = "word"  # a status word that GES's documentation does not list
    FIELD = "field"  # a field that it does not list


type Key = tuple[int, Kind, str]  # project, what, and which


class TallyQuerySet(models.QuerySet["Tally"]):
    """The one way counters grow."""

    def add(self, counted: Mapping[Key, Counted], now: datetime) -> None:
        """Add a batch's counts: one statement, its rows in one order for all, so that two writers wait for each other."""
        rows = sorted(self._bounded(counted).items())
        if not rows:
            return
        columns = list(zip(*[(*key, *value) for key, value in rows], strict=True))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO jobs_tally (project_id, kind, name, count, seconds, last_at)"
                " SELECT *, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::float[])"
                " ON CONFLICT (project_id, kind, name) DO UPDATE SET count = jobs_tally.count + excluded.count,"
                " seconds = jobs_tally.seconds + excluded.seconds, last_at = greatest(jobs_tally.last_at, excluded.last_at)",
                [now, *map(list, columns)],
            )

    def _bounded(self, counted: Mapping[Key, Counted]) -> dict[Key, Counted]:
        """GES may make up words without end; a metric must not have a label for each."""
        found: dict[Key, Counted] = {}
        for (project, kind, name), value in counted.items():
            if kind in (Kind.WORD, Kind.FIELD):
                known = set(self.filter(project=project, kind=kind).values_list("name", flat=True))
                name = name[:NAME]
                if (
                    name not in known
                    and len(known | {n for p, k, n in found if (p, k) == (project, kind)})
                    >= MOST_NAMES
                ):
                    name = OTHER
            times, seconds = found.get((project, kind, name), Counted())
            found[project, kind, name] = Counted(times + value.times, seconds + value.seconds)
        return found


class Tally(models.Model):
    """One counter.

    Written by: `models.tally`.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=7)
    name = models.CharField(max_length=NAME)
    count = models.BigIntegerField()
    seconds = models.FloatField()
    last_at = models.DateTimeField()

    objects = TallyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "name"], name="one_tally_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.count}"
