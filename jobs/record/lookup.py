"""Jobs by GES's ids, made where they are missing, and their rows locked."""

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

#: Its graph, GES's job id, and when it was first seen.
type Wanted = tuple[Graph, str, datetime]


def find_jobs(project: Project, wanted: Iterable[Wanted]) -> dict[str, Job]:
    """The jobs of a project by GES's job id, stored where they are missing."""
    jobs = known_or_new_jobs(project, wanted)
    new = [job for _job_id, job in sorted(jobs.items()) if job._state.adding]
    if not new:
        return jobs

    names = [name for name in JOB_COLUMNS if name != "id"]
    rows = [[getattr(job, name) for name in names] for job in new]
    keys = dict(insert_rows(Job, names, rows, returning=["job_id", "id"]))
    for job in new:
        job.pk, job._state.adding = keys.get(job.job_id), False

    # Somebody else stored these since we looked.
    if others := [job.job_id for job in new if job.pk is None]:
        jobs |= known_jobs(project, others)
    return jobs


def known_or_new_jobs(project: Project, wanted: Iterable[Wanted]) -> dict[str, Job]:
    """`find_jobs`, but what is missing is not stored: recording its first observation does that."""
    wanted_by_id = {job_id: (graph, seen_at) for graph, job_id, seen_at in wanted}
    jobs = known_jobs(project, list(wanted_by_id))
    for job_id, (graph, seen_at) in wanted_by_id.items():
        if job_id not in jobs:
            jobs[job_id] = Job(project=project, graph=graph, job_id=job_id, first_seen_at=seen_at)
    return jobs


def known_jobs(project: Project, job_ids: Sequence[str]) -> dict[str, Job]:
    """Those of these jobs that are stored, by GES's job id."""
    rows = Job.objects.filter(project=project, job_id__in=job_ids)
    return {job.job_id: job for job in rows.select_related("graph", "project")}


def hold_jobs(pks: Iterable[int]) -> None:
    """Lock these jobs' rows in order of id, so that two writers of one job take turns.

    In that order they never deadlock. Whatever else is read of the jobs is read by a later
    statement: one that waits for a row sees the other tables as they were before it waited.
    """
    with connection.cursor() as cursor:
        wanted = f"SELECT id FROM jobs_job WHERE {LOCKS} AND id = ANY(%s)"  # noqa: S608  ours
        cursor.execute(f"{wanted} ORDER BY id FOR UPDATE", [list(set(pks))])


def lock_jobs(pks: Iterable[int]) -> dict[int, Job]:
    """These jobs' rows, locked in order of id."""
    locks = RawSQL(LOCKS, [], output_field=BooleanField())  # noqa: S611  ours
    rows = (
        Job.objects.select_related("project")
        .select_for_update(of=("self",))
        .filter(locks, pk__in=sorted(set(pks)))
        .order_by("pk")
    )
    return {job.pk: job for job in rows}


def reserve_keys(jobs: Sequence[Job]) -> None:
    """Give jobs that are not stored yet the keys they will have."""
    if not jobs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [Job._meta.db_table, len(jobs)],
        )
        for job, (pk,) in zip(jobs, cursor.fetchall(), strict=True):
            job.pk = pk


def insert_jobs(jobs: Sequence[Job]) -> None:
    """Store jobs with their reserved keys, in one order for all, so that two writers take turns.

    Raises: IntegrityError when somebody else stored one of them meanwhile.
    """
    in_order = sorted(jobs, key=lambda job: (job.project_id, job.job_id))
    rows = [[getattr(job, name) for name in JOB_COLUMNS] for job in in_order]
    copy_rows(Job, JOB_COLUMNS, rows)
