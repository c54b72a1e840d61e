"""When a job is asked about next. Narrow and without history, so that polling does not bloat Job."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pgtrigger
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.db import arrays
from jobs.ges.words import FINAL
from jobs.models.job import Job
from jobs.models.project import Project

#: How long a claim holds when nobody gives it back: longer than a call to GES and its recording, and less than a minute
#: with the five seconds until the next look, so that a dead worker's jobs are taken over within one.
LEASE = timedelta(seconds=45)


class Claimed(NamedTuple):
    """A watch that is this worker's for now, and what was known of its job when the claim began: all that asking about it takes."""

    project: Project
    project_id: int  # its key, kept beside it since each poll asks for it many times
    pk: int  # the job's key
    job_id: str
    ges_graph: str  # GES's id of the graph; empty while only its name is known
    verdict: str
    was_heard: bool
    failures: int

    @property
    def was_final(self) -> bool:
        """Whether GES had spoken its final word."""
        return self.verdict in FINAL


class Plan(NamedTuple):
    """What becomes of a watch after its job was asked about."""

    pk: int  # the job's key
    next_poll_at: datetime | None
    failures: int


def planned(lease: int, plans: Sequence[Plan]) -> tuple[str, list[Any]]:
    """The statement, and its values, that gives these claims of `lease` back with what was decided."""
    return (
        "UPDATE jobs_watch AS old SET next_poll_at = new.next_poll_at, failures = new.failures, "
        "problem = '', lease = NULL, leased_until = NULL "
        "FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS new(job_id, next_poll_at, failures) "
        # By CASE: what is known of the column's values makes PostgreSQL expect one row, and compare all with all.
        "WHERE old.job_id = new.job_id AND CASE old.lease WHEN %s THEN true ELSE false END",
        [
            arrays.numbers(one.pk for one in plans),
            arrays.times(one.next_poll_at for one in plans),
            arrays.numbers(one.failures for one in plans),
            lease,
        ],
    )


class WatchQuerySet(models.QuerySet["Watch"]):
    """Questions about watches, and the claims on them.

    A claim is known by its number, `lease`: a worker whose claim ran out and was taken over changes nothing any more.
    """

    def due(self, now: datetime) -> "WatchQuerySet":
        """To be asked about now, and claimed by nobody whose lease still holds."""
        return self.free(now).filter(next_poll_at__lte=now)

    def set_aside(self) -> "WatchQuerySet":
        """Those whose reply could not be recorded; they wait for a person."""
        return self.exclude(problem="")

    def free(self, now: datetime) -> "WatchQuerySet":
        """Claimed by nobody whose lease still holds."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lte=now))

    def claim_due(self, project: Project, lease: int, now: datetime, limit: int) -> list[Claimed]:
        """Take up to so many due watches of a project for this lease alone, those that are longest due first."""
        wanted = self.due(now).filter(project=project).order_by("next_poll_at")[:limit]
        return self._claim(wanted, lease, now, project)

    def claim_of(
        self, project: Project, jobs: Sequence[int], lease: int, now: datetime
    ) -> list[Claimed]:
        """Take the watches of these jobs of a project, due or not; without those that somebody else is at."""
        return self._claim(
            self.free(now).filter(project=project, job__in=jobs), lease, now, project
        )

    def _claim(
        self, wanted: "WatchQuerySet", lease: int, now: datetime, project: Project
    ) -> list[Claimed]:
        try:
            sql, values = wanted.values("job_id").query.sql_with_params()
        except EmptyResultSet:
            return []
        with connection.cursor() as cursor:
            # An array and a subquery, not joins: those read all watches, or all jobs for each graph, as statistics suggest.
            cursor.execute(
                "WITH claimed AS (UPDATE jobs_watch SET lease = %s, leased_until = %s "  # noqa: S608  made by Django
                f"WHERE job_id = ANY(ARRAY({sql} FOR UPDATE SKIP LOCKED)) RETURNING job_id, failures) "
                "SELECT id, job.job_id, (SELECT coalesce(graph_id, '') FROM jobs_graph WHERE id = job.graph_id), "
                "verdict, observed_at IS NOT NULL, failures FROM claimed JOIN jobs_job AS job ON id = claimed.job_id",
                [lease, now + LEASE, *values],
            )
            return [Claimed(project, project.pk, *row) for row in cursor.fetchall()]

    def put_aside(self, lease: int, pk: int, failures: int, problem: str) -> None:
        """End this lease's claim on a job that waits for a person from now on."""
        mine = self.filter(lease=lease, job=pk)
        mine.update(
            next_poll_at=None, failures=failures, problem=problem, lease=None, leased_until=None
        )

    def give_back(self, lease: int, pks: Sequence[int]) -> int:
        """End this lease's claim on these jobs, as if nothing had been claimed; how many were still held."""
        return (
            self.filter(lease=lease, job__in=pks).update(lease=None, leased_until=None)
            if pks
            else 0
        )


class Watch(models.Model):
    """One job being polled; `next_poll_at` is null once GES has spoken its final word, or when the job was set aside."""

    job = models.OneToOneField(
        Job, verbose_name=_("job"), on_delete=models.CASCADE, primary_key=True, related_name="watch"
    )
    # The job's own, filled in by the database: so that one project's due watches are found without reading the others'.
    project = models.ForeignKey(
        Project,
        verbose_name=_("project"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        editable=False,
    )
    next_poll_at = models.DateTimeField(_("next poll at"), null=True)
    lease = models.BigIntegerField(
        _("lease"),
        null=True,
        help_text=_("Number of the current claim on it, while it is claimed."),
    )
    leased_until = models.DateTimeField(_("leased until"), null=True)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    problem = models.TextField(
        _("problem"),
        blank=True,
        default="",
        help_text=_(
            "Why it was quarantined: its response could not be recorded. Refresh it "
            "from GES to resume polling."
        ),
    )

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("tracked job"), _("tracked jobs")
        indexes = [
            # Read by due(), project by project: only the watches that will be asked again.
            models.Index(
                "project", "next_poll_at", condition=Q(next_poll_at__isnull=False), name="watch_due"
            ),
            # The few that wait for a person.
            models.Index("project", condition=~Q(problem=""), name="watch_set_aside"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="watch_is_of_its_jobs_project",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.project_id = (SELECT project_id FROM jobs_job WHERE id = NEW.job_id); RETURN NEW;",
            )
        ]

    def __str__(self) -> str:
        return _("tracking of %(job)s") % {"job": self.job_id}


def new_lease() -> int:
    """A number no other claim has."""
    return secrets.randbits(63)
