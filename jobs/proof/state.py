"""How far each project is sealed and when it was last verified."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from jobs.models import Checkpoint, Job, Project, Snapshot, Verification

COUNTED = 10_000  # newest replies looked at for those that are not sealed yet


@dataclass(frozen=True, slots=True)
class ProjectProof:
    """One project's state of proof.

    `open` replies are not sealed yet; with `more` there may be more than were counted.
    """

    project: Project
    checkpoint: Checkpoint | None
    verification: Verification | None
    open: int
    more: bool


def standings(projects: Sequence[Project]) -> list[ProjectProof]:
    """The state of each project, in four queries whatever the number of rows."""
    checkpoints = _newest_by_project(
        Checkpoint.objects.filter(project__in=projects).order_by("project", "-number")
    )
    of_whole_projects = Verification.objects.filter(project__in=projects, job_id="")
    verifications = _newest_by_project(of_whole_projects.order_by("project", "-pk"))

    up_to = {
        project.pk: checkpoints[project.pk].up_to if project.pk in checkpoints else 0
        for project in projects
    }
    newest = list(
        Snapshot.objects.filter(pk__gt=min(up_to.values(), default=0))
        .order_by("-pk")
        .values_list("pk", "job_id")[:COUNTED]
    )
    project_of_job = dict(
        Job.objects.filter(pk__in={job for _, job in newest}).values_list("pk", "project_id")
    )
    open_counts = Counter(
        project_of_job[job] for pk, job in newest if pk > up_to.get(project_of_job[job], pk)
    )
    oldest_counted = newest[-1][0] if len(newest) == COUNTED else 0

    return [
        ProjectProof(
            project,
            checkpoints.get(project.pk),
            verifications.get(project.pk),
            open=open_counts[project.pk],
            more=oldest_counted > up_to[project.pk] + 1,
        )
        for project in projects
    ]


def _newest_by_project[T: (Checkpoint, Verification)](rows: QuerySet[T]) -> dict[int, T]:
    return {row.project_id: row for row in rows.distinct("project")}
