"""How far each project is sealed and when it was last verified: what the page of proof shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from jobs.models import Checkpoint, Job, Project, Snapshot, Verification

COUNTED = 10_000  # newest replies looked at for those that are not sealed yet


@dataclass(frozen=True, slots=True)
class ProjectProof:
    """One project's state of proof; `open` replies are not sealed yet, `more` when there may be more than were counted."""

    project: Project
    checkpoint: Checkpoint | None
    verification: Verification | None
    open: int
    more: bool


def standings(projects: Sequence[Project]) -> list[ProjectProof]:
    """In four queries, whatever the number of rows."""
    checkpoints = _newest(
        Checkpoint.objects.filter(project__in=projects).order_by("project", "-number")
    )
    whole = Verification.objects.filter(project__in=projects, job_id="")
    verifications = _newest(whole.order_by("project", "-pk"))
    up_to = {
        project.pk: checkpoints[project.pk].up_to if project.pk in checkpoints else 0
        for project in projects
    }
    newest = list(
        Snapshot.objects.filter(pk__gt=min(up_to.values(), default=0))
        .order_by("-pk")
        .values_list("pk", "job_id")[:COUNTED]
    )
    owners = dict(
        Job.objects.filter(pk__in={job for _, job in newest}).values_list("pk", "project_id")
    )
    open_ = Counter(owners[job] for pk, job in newest if pk > up_to.get(owners[job], pk))
    oldest = newest[-1][0] if len(newest) == COUNTED else 0
    return [
        ProjectProof(
            one,
            checkpoints.get(one.pk),
            verifications.get(one.pk),
            open_[one.pk],
            oldest > up_to[one.pk] + 1,
        )
        for one in projects
    ]


def _newest[T: (Checkpoint, Verification)](rows: QuerySet[T]) -> dict[int, T]:
    return {row.project_id: row for row in rows.distinct("project")}
