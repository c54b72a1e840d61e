"""Graphs as GES describes them, below the corrections that people made; and their jobs."""

from collections.abc import Collection
from datetime import datetime

from jobs.diagnosis.corrections import standing
from jobs.models import Correction, Graph, Job, Project


def note_beside_correction(graph: Graph, field: str, observed: str) -> bool:
    """Keep GES's value beside a standing correction of this field; False where there is none.

    The correction is flagged where GES's value makes it needless or contradicts it.
    """
    correction = Correction.objects.standing().filter(graph=graph, field=field).first()
    if correction is None:
        return False
    flag = standing(correction.observed, observed, correction.corrected)
    if (correction.newest, correction.flag) != (observed, flag):
        Correction.objects.filter(pk=correction.pk).update(newest=observed, flag=flag)
    return True


def find_graph(project: Project, graph_id: str, name: str = "") -> Graph:
    """The graph with this id, made if missing, under its newest name."""
    graph, is_new = Graph.objects.get_or_create(
        project=project, graph_id=graph_id, defaults={"name": name}
    )
    is_renamed = not is_new and name and graph.name != name
    if is_renamed and not note_beside_correction(graph, "name", name):
        graph.name = name
        graph.save(update_fields=["name"])
    return graph


def move_jobs(
    jobs: Collection[int], graph: int, *, origin: int | None = None, now: datetime | None = None
) -> None:
    """Move these jobs to a graph, all by key; with `origin` only those that are still there.

    `now` dates the change, where it is to show as one.
    """
    rows = Job.objects.filter(pk__in=jobs)
    if origin is not None:
        rows = rows.filter(graph=origin)
    rows.update(graph=graph, **({"changed_at": now} if now is not None else {}))


def set_hidden(jobs: Collection[int], is_hidden: bool) -> None:
    """Take these jobs, by key, out of the statistics, or in again."""
    Job.objects.filter(pk__in=jobs).update(is_hidden=is_hidden)
