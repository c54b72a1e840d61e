"""Jobs and graphs by GES's ids, made where they are missing."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from jobs.db.bulk import copy_rows, insert_rows
from jobs.db.locks import LOCKS
from jobs.models import Graph, Job, Project

#: The columns of a job that is not stored yet; the database makes the others.
JOB_COLUMNS = [field.attname for field in Job._meta.concrete_fields if not field.generated]

type Wanted = Iterable[
    tuple[Graph, str, datetime]
]  # its graph, GES's job id, when it was first seen


def find_jobs(project: Project, wanted: Wanted) -> dict[str, Job]:
    """The jobs of a project by GES's job id, made where they are missing."""
    found = known_or_new_jobs(project, wanted)
    new = [job for _, job in sorted(found.items()) if job._state.adding]
    if not new:
        return found
    names = [name for name in JOB_COLUMNS if name != "id"]
    values = [[getattr(job, name) for name in names] for job in new]
    made = dict(insert_rows(Job, names, values, returning=["job_id", "id"]))
    for job in new:
        job.pk, job._state.adding = made.get(job.job_id), False
    if late := [
        job.job_id for job in new if job.pk is None
    ]:  # made by somebody else since we looked
        found |= known_jobs(project, late)
    return found


def known_or_new_jobs(project: Project, wanted: Wanted) -> dict[str, Job]:
    """The same, but what is missing is not stored yet: recording the first observation does it."""
    rows = {job_id: (graph, at) for graph, job_id, at in wanted}
    found = known_jobs(project, list(rows))
    for job_id, (graph, at) in rows.items():
        if job_id not in found:
            found[job_id] = Job(project=project, graph=graph, job_id=job_id, first_seen_at=at)
    return found


def known_jobs(project: Project, job_ids: Sequence[str]) -> dict[str, Job]:
    """Those that are stored."""
    known = Job.objects.filter(project=project, job_id__in=job_ids).select_related(
        "graph", "project"
    )
    return {job.job_id: job for job in known}


def hold_jobs(pks: Iterable[int]) -> None:
    """Lock these jobs' rows in order of id, so that two writers of one job take turns and never deadlock.

    What else is to be read of them is read by a later statement: one that waits for a row sees the other tables as they were
    before it waited.
    """
    with connection.cursor() as cursor:
        wanted = f"SELECT id FROM jobs_job WHERE {LOCKS} AND id = ANY(%s)"  # noqa: S608  ours
        cursor.execute(f"{wanted} ORDER BY id FOR UPDATE", [list(set(pks))])


def lock_jobs(pks: Iterable[int]) -> dict[int, Job]:
    """These jobs' rows, locked in order of id."""
    pks = sorted(set(pks))
    held = RawSQL(LOCKS, [], output_field=BooleanField())  # noqa: S611  ours
    rows = (
        Job.objects.select_related("project")
        .select_for_update(of=("self",))
        .filter(held, pk__in=pks)
        .order_by("pk")
    )
    return {job.pk: job for job in rows}


def reserve_keys(jobs: Sequence[Job]) -> None:
    """Give jobs that are not stored yet the keys they will have."""
    if not jobs:
        return
    with connection.cursor() as cursor:
        table = Job._meta.db_table
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [table, len(jobs)],
        )
        for job, (pk,) in zip(jobs, cursor.fetchall(), strict=True):
            job.pk = pk


def insert_jobs(jobs: Sequence[Job]) -> None:
    """Store jobs with their reserved keys, in one order for all, so that two writers wait for each other.

    Raises: IntegrityError when somebody else stored one of them meanwhile.
    """
    rows = [
        [getattr(job, name) for name in JOB_COLUMNS]
        for job in sorted(jobs, key=lambda j: (j.project_id, j.job_id))
    ]
    copy_rows(Job, JOB_COLUMNS, rows)
