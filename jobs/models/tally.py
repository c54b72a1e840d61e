"""Counters of calls to GES, which all workers and web servers add to, for the metrics."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import connection, models

from jobs.models.project import Project

MAX_NAME = 80  # characters
MAX_NAMES = 100  # of a project's undocumented words and fields; later ones are counted as OTHER
OTHER = "(other)"


class Counted(NamedTuple):
    """A number of events, and their seconds in all where they took time."""

    times: int = 0
    seconds: float = 0.0


class Kind(StrEnum):
    """What is counted; the comment says what `name` is."""

    REPLY = "reply"  # source:outcome, the outcome being `new`, `repeated` or the kind of a miss
    LATENCY = "latency"  # upper bound in seconds of an answer's time, one of a few
    WORD = "word"  # a status word that GES's documentation does not list
    FIELD = "field"  # a field that it does not list


type Key = tuple[int, Kind, str]  # project, what, and which


class TallyQuerySet(models.QuerySet["Tally"]):
    """Counters, which only grow by `add`."""

    def add(self, counted: Mapping[Key, Counted], now: datetime) -> None:
        """Add a batch's counts by one statement.

        Its rows are in one order for all, so that two writers wait for each other.
        """
        rows = sorted(self._bounded(counted).items())
        if not rows:
            return
        columns = list(zip(*[(*key, *value) for key, value in rows], strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [now, *map(list, columns)])

    def _bounded(self, counted: Mapping[Key, Counted]) -> dict[Key, Counted]:
        """With names beyond MAX_NAMES under OTHER.

        GES may make up words without end; a metric must not have a label for each.
        """
        bounded: dict[Key, Counted] = {}
        for (project, kind, name), more in counted.items():
            if kind in (Kind.WORD, Kind.FIELD):
                name = self._bounded_name(project, kind, name[:MAX_NAME], bounded)
            counts = bounded.get((project, kind, name), Counted())
            bounded[project, kind, name] = Counted(
                counts.times + more.times, counts.seconds + more.seconds
            )
        return bounded

    def _bounded_name(
        self, project: int, kind: Kind, name: str, bounded: Mapping[Key, Counted]
    ) -> str:
        stored = set(self.filter(project=project, kind=kind).values_list("name", flat=True))
        of_batch = {key[2] for key in bounded if key[:2] == (project, kind)}
        is_full = len(stored | of_batch) >= MAX_NAMES
        return OTHER if is_full and name not in stored else name


_ADD = """
INSERT INTO jobs_tally (project_id, kind, name, count, seconds, last_at)
SELECT *, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::float[])
ON CONFLICT (project_id, kind, name) DO UPDATE SET
    count = jobs_tally.count + excluded.count,
    seconds = jobs_tally.seconds + excluded.seconds,
    last_at = greatest(jobs_tally.last_at, excluded.last_at)
"""


class Tally(models.Model):
    """One counter.

    Written by: `models.tally`.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=7)
    name = models.CharField(max_length=MAX_NAME)
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
