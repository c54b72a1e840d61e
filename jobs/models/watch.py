"""When a job is polled next. Narrow and without history, so that polling does not bloat Job."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pgtrigger
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.db import arrays
from jobs.db.bulk import Writes
from jobs.ges.words import FINAL
from jobs.models.job import Job
from jobs.models.project import Project

#: How long a claim holds when nobody gives it back: longer than a call to GES and its recording,
#: and less than a minute with the five seconds until the next dispatch, so that a dead worker's
#: jobs are taken over within one.
LEASE = timedelta(seconds=45)


# The trigger fills in the project.
_RESUME = """
INSERT INTO jobs_watch (job_id, next_poll_at, failures, problem)
SELECT job_id, next_poll_at, 0, ''
FROM unnest(%s::bigint[], %s::timestamptz[]) AS new(job_id, next_poll_at)
ORDER BY job_id
ON CONFLICT (job_id) DO UPDATE SET next_poll_at = excluded.next_poll_at, failures = 0, problem = ''
WHERE jobs_watch.next_poll_at IS NULL AND (jobs_watch.problem = '' OR %s)
"""

# An array and a subquery, not joins: those read all watches, or all jobs for each graph, as
# statistics suggest.
_CLAIM = """
WITH claimed AS (
    UPDATE jobs_watch SET lease = %s, leased_until = %s
    WHERE job_id = ANY(ARRAY({wanted} FOR UPDATE SKIP LOCKED)) RETURNING job_id, failures
)
SELECT id, job.job_id, (SELECT coalesce(graph_id, '') FROM jobs_graph WHERE id = job.graph_id),
    verdict, observed_at IS NOT NULL, failures
FROM claimed JOIN jobs_job AS job ON id = claimed.job_id
"""

# By CASE: the statistics of the column make PostgreSQL expect one row, and compare all with all.
_PLAN = """
UPDATE jobs_watch AS old
SET next_poll_at = new.next_poll_at, failures = new.failures, problem = '',
    lease = NULL, leased_until = NULL
FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[]) AS new(job_id, next_poll_at, failures)
WHERE old.job_id = new.job_id AND CASE old.lease WHEN %s THEN true ELSE false END
"""


class Claimed(NamedTuple):
    """A watch that one worker has claimed, with what was known of its job at the time of the claim.

    It holds all that a request to GES takes.
    """

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
        """Whether GES had given a final status."""
        return self.verdict in FINAL


class Plan(NamedTuple):
    """The next poll of a job after an answer."""

    pk: int  # the job's key
    next_poll_at: datetime | None
    failures: int


class WatchQuerySet(models.QuerySet["Watch"]):
    """The states of a watch and the verbs between them. No other module writes a column of Watch.

    A claim is known by its number, `lease`: a worker whose claim ran out and was taken over changes
    nothing any more. Each verb names the old state in its condition, so that two callers at once
    change a row once.
    """

    def due(self, now: datetime) -> "WatchQuerySet":
        """To be polled now, and claimed by nobody whose lease still holds."""
        return self.free(now).filter(next_poll_at__lte=now)

    def quarantined(self) -> "WatchQuerySet":
        """Those whose response could not be recorded; they wait for a person."""
        return self.exclude(problem="")

    def free(self, now: datetime) -> "WatchQuerySet":
        """Claimed by nobody whose lease still holds."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lte=now))

    def start(self, job: Job, first_poll_at: datetime) -> bool:
        """Watch a job; a watch that exists is left as it is. Whether it is new."""
        return self.get_or_create(job=job, defaults={"next_poll_at": first_poll_at})[1]

    def resume(self, polls: Mapping[int, datetime], *, with_quarantined: bool = False) -> None:
        """Poll these jobs, by key, from these times on, unless a poll of them is planned already.

        A quarantined one is taken up only `with_quarantined`: a person did something about it.
        """
        if not polls:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                _RESUME,
                [arrays.numbers(polls.keys()), arrays.times(polls.values()), with_quarantined],
            )

    def stop(self, jobs: Iterable[Job]) -> int:
        """Plan no further poll of those that have one planned; how many had.

        A request under way still records its answer, but its plan is dropped with the claim.
        """
        polled = self.filter(job__in=jobs, next_poll_at__isnull=False)
        return polled.update(next_poll_at=None, lease=None, leased_until=None)

    def claim_due(self, project: Project, lease: int, now: datetime, limit: int) -> list[Claimed]:
        """Claim at most `limit` due watches of a project for this lease, the longest due first."""
        wanted = self.due(now).filter(project=project).order_by("next_poll_at")[:limit]
        return self._claim(wanted, lease, now, project)

    def claim_of(
        self, project: Project, jobs: Sequence[int], lease: int, now: datetime
    ) -> list[Claimed]:
        """Claim the watches of these jobs of a project, due or not, that nobody else has."""
        wanted = self.free(now).filter(project=project, job__in=jobs)
        return self._claim(wanted, lease, now, project)

    def _claim(
        self, wanted: "WatchQuerySet", lease: int, now: datetime, project: Project
    ) -> list[Claimed]:
        try:
            sql, values = wanted.values("job_id").query.sql_with_params()
        except EmptyResultSet:
            return []
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM.format(wanted=sql), [lease, now + LEASE, *values])
            return [Claimed(project, project.pk, *row) for row in cursor.fetchall()]

    @staticmethod
    def plan(lease: int, plans: Sequence[Plan], writes: Writes) -> None:
        """End this lease's claims on these jobs, each with its next poll, and do `writes`."""
        if plans:
            values = [
                arrays.numbers(plan.pk for plan in plans),
                arrays.times(plan.next_poll_at for plan in plans),
                arrays.numbers(plan.failures for plan in plans),
                lease,
            ]
            writes.add(_PLAN, values, model=Watch, keys=[plan.pk for plan in plans])

    def set_aside(self, lease: int, pk: int, failures: int, problem: str) -> None:
        """End this lease's claim on a job that is quarantined from now on."""
        self.filter(lease=lease, job=pk).update(
            next_poll_at=None, failures=failures, problem=problem, lease=None, leased_until=None
        )

    def give_back(self, lease: int, pks: Sequence[int]) -> int:
        """End this lease's claims on these jobs without a poll; how many it still had."""
        if not pks:
            return 0
        return self.filter(lease=lease, job__in=pks).update(lease=None, leased_until=None)


class Watch(models.Model):
    """One job being polled; `next_poll_at` is null if final, stopped, or in quarantine.

    Written by: `models.watch`, by the verbs of its queryset.
    """

    job = models.OneToOneField(
        Job, verbose_name=_("job"), on_delete=models.CASCADE, primary_key=True, related_name="watch"
    )
    # The job's own, filled in by the database: so that one project's due watches are found without
    # reading the others'.
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
                func=(
                    "NEW.project_id = (SELECT project_id FROM jobs_job WHERE id = NEW.job_id); "
                    "RETURN NEW;"
                ),
            )
        ]

    def __str__(self) -> str:
        return _("tracking of %(job)s") % {"job": self.job_id}


def new_lease() -> int:
    """A number no other claim has."""
    return secrets.randbits(63)
