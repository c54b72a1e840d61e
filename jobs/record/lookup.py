"""Jobs and graphs by GES's ids, made where they are missing."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from jobs.models import Graph, Job, Project
from jobs.record.bulk import insert_rows

# Held shared by all who derive a review's state, alone by who changes what the states are derived from.
TOLERANCE_LOCK = 0x67657364
_NEW_JOB = [
    field.attname for field in Job._meta.concrete_fields if not field.primary_key and not getattr(field, "generated", False)
]


def find_jobs(project: Project, wanted: Iterable[tuple[Graph, str, datetime]]) -> dict[str, Job]:
    """The jobs of a project by GES's job id, made where they are missing; each comes with the time it was first seen."""
    rows = {job_id: (graph, at) for graph, job_id, at in wanted}
    known = Job.objects.filter(project=project).select_related("graph", "project")
    found = {job.job_id: job for job in known.filter(job_id__in=list(rows))}
    new = [
        Job(project=project, graph=graph, job_id=job_id, first_seen_at=at)
        for job_id, (graph, at) in sorted(rows.items())
        if job_id not in found
    ]
    values = [[getattr(job, name) for name in _NEW_JOB] for job in new]
    made = dict(insert_rows(Job, _NEW_JOB, values, returning=["job_id", "id"]))
    for job in new:
        job.pk = made.get(job.job_id)
    found |= {job.job_id: job for job in new if job.pk is not None}
    if late := [job.job_id for job in new if job.pk is None]:  # made by somebody else since we looked
        found |= {job.job_id: job for job in known.filter(job_id__in=late)}
    return found


def find_graph(project: Project, graph_id: str, name: str = "") -> Graph:
    """The graph with this id, made if missing; a row that had only the name gets its id."""
    graph, made = Graph.objects.get_or_create(project=project, graph_id=graph_id, defaults={"name": name})
    if not made and name and graph.name != name:
        graph.name = name
        graph.save(update_fields=["name"])
    return graph


def lock_jobs(pks: Iterable[int]) -> dict[int, Job]:
    """These jobs' rows, locked in order of id, so that two writers of one job take turns and never deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [TOLERANCE_LOCK])
    return {job.pk: job for job in Job.objects.select_for_update().filter(pk__in=sorted(set(pks))).order_by("pk")}
