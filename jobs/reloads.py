"""Which later imports of the same graph loaded what an import lost. Paths are compared exactly."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from jobs.ges.words import FINAL, Verdict
from jobs.models import ImportFile, Job
from jobs.models.job import LOST_FILE

MOST_LOADS = 20_000  # looked at for one page: a path that is imported every minute costs no more
MOST_LOST = 100  # files of one job looked at for a list's tag; an import that lost more has to be opened
_LOADED_NOTHING = {Verdict.FAILED, Verdict.CANCELLED}
FIXING = sorted(word.value for word in FINAL - _LOADED_NOTHING)


@dataclass(frozen=True, slots=True)
class Reload:
    """A job that loaded a path whole, and when it began."""

    pk: int
    job_id: str
    job_name: str
    began: datetime


type Place = tuple[int, str]  # graph, path


def began(job: Job) -> datetime:
    """When it began; where GES does not tell, when it was first seen."""
    return job.begin_time or job.first_seen_at


def reloads(lost: Iterable[tuple[Job, str]]) -> dict[tuple[int, str], list[Reload]]:
    """For each lost path of each job, by (job's key, path): the jobs that loaded it whole since, the earliest first; one query."""
    wanted = [(job, path) for job, path in lost if path]
    loads = _loads(wanted)
    return {
        (job.pk, path): [one for one in loads.get((job.graph_id, path), ()) if one.began > began(job)]
        for job, path in wanted
    }


def _loads(wanted: Sequence[tuple[Job, str]]) -> Mapping[Place, list[Reload]]:
    found: dict[Place, list[Reload]] = defaultdict(list)
    if not wanted:
        return found
    rows: QuerySet[ImportFile, Any] = (
        ImportFile.objects.filter(
            verdict=Verdict.SUCCESS.value,
            path__in={path for _job, path in wanted},
            job__graph__in={job.graph_id for job, _path in wanted},
            job__verdict__in=FIXING,
        )
        .annotate(began=Coalesce("job__begin_time", "job__first_seen_at"))
        .filter(began__gt=min(began(job) for job, _path in wanted))
        .order_by("began", "job")
        .values_list("job__graph", "path", "job", "job__job_id", "job__job_name", "began")
    )
    for graph, path, pk, job_id, job_name, at in rows[:MOST_LOADS]:
        found[graph, path].append(Reload(pk, job_id, job_name, at))
    return found


def reloaded(jobs: Iterable[Job]) -> dict[int, Reload]:
    """Of these jobs, by key, those whose lost paths one later import loaded all, with the earliest that did; two queries."""
    lossy = {job.pk: job for job in jobs if 0 < job.lost_file_count <= MOST_LOST and job.is_final}
    paths: dict[int, set[str]] = defaultdict(set)
    rows: QuerySet[ImportFile, Any] = ImportFile.objects.filter(LOST_FILE, job__in=lossy).values_list("job", "path")
    for pk, path in rows if lossy else ():
        paths[pk].add(path)
    since = reloads((lossy[pk], path) for pk, lost in paths.items() for path in lost)
    return {pk: fix for pk, lost in paths.items() if (fix := _by_all([since.get((pk, path), []) for path in lost]))}


def _by_all(loads: Sequence[Sequence[Reload]]) -> Reload | None:
    """The earliest job that is in each of these."""
    keys = set.intersection(*({one.pk for one in some} for some in loads))
    return next((one for one in loads[0] if one.pk in keys), None)


def lost_paths(job: Job) -> set[str]:
    """The paths of which this job lost something."""
    return set(job.files.filter(LOST_FILE).values_list("path", flat=True))


def not_reloaded(job: Job, by: Job) -> list[str]:
    """The lost paths of a job that another did not load whole, or lost itself."""
    lost = lost_paths(job)
    whole = set(by.files.filter(verdict=Verdict.SUCCESS.value, path__in=lost).values_list("path", flat=True))
    return sorted(lost - (whole - lost_paths(by)))
