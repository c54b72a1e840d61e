"""Which later imports of the same graph loaded what an import lost. Paths are compared exactly."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import Coalesce, JSONObject

from jobs.ges.words import FINAL, Verdict
from jobs.models import ImportFile, Job
from jobs.models.job import LOST_FILE, ReviewState

MOST_LOADS = 30  # later jobs looked at for one lost file of a list
MOST_LOST = (
    50  # lost files of one job looked at for a list; an import that lost more has to be opened
)
FIXING = sorted(word.value for word in FINAL - {Verdict.FAILED, Verdict.CANCELLED})


@dataclass(frozen=True, slots=True)
class Reload:
    """A job that loaded a path whole."""

    pk: int
    job_id: str
    job_name: str


@dataclass(frozen=True, slots=True)
class LostFile:
    """A file that lost something: where, what GES said of it, how many lines (None when not counted), and who loaded it since."""

    path: str
    cause: str
    failed_lines: int | None
    loads: tuple[Reload, ...]


def with_loads(files: QuerySet[ImportFile], most: int) -> QuerySet[ImportFile]:
    """These files with `loads`, for `loads_of`: the first jobs of the same graph that loaded that very path whole since."""
    since = (
        ImportFile.objects.filter(
            path=OuterRef("path"),
            verdict=Verdict.SUCCESS.value,
            job__graph=OuterRef("job__graph"),
            job__verdict__in=FIXING,
        )
        .annotate(began=Coalesce("job__begin_time", "job__first_seen_at"))
        .filter(began__gt=Coalesce(OuterRef("job__begin_time"), OuterRef("job__first_seen_at")))
        .exclude(path="")
        .order_by("began", "job")
        .values(load=JSONObject(pk="job", job_id="job__job_id", job_name="job__job_name"))
    )
    return files.annotate(loads=ArraySubquery(since[:most]))


def loads_of(file: Any) -> tuple[Reload, ...]:
    """The earliest first."""
    return tuple(Reload(**one) for one in file.loads)


def lost_files_of(jobs: Iterable[Job]) -> dict[int, list[LostFile]]:
    """The lost files of these jobs, by the job's key; of none that lost more than MOST_LOST. One query."""
    few = [job.pk for job in jobs if 0 < job.lost_file_count <= MOST_LOST]
    found: dict[int, list[LostFile]] = defaultdict(list)
    rows = with_loads(ImportFile.objects.filter(LOST_FILE, job__in=few), MOST_LOADS)
    for file in rows.only("job", "path", "cause", "failed_lines") if few else ():
        found[file.job_id].append(
            LostFile(file.path, file.cause or "", file.failed_lines, loads_of(file))
        )
    return found


def reloaded(jobs: Iterable[Job]) -> dict[int, Reload]:
    """Of these jobs, by key, those whose lost paths one later import loaded all, with the earliest that did; one query.

    Undecided imports alone are asked about: the others have somebody's word.
    """
    undecided = [job for job in jobs if job.review in ReviewState.open() and job.is_final]
    return by_one(lost_files_of(undecided))


def by_one(lost: Mapping[int, Sequence[LostFile]]) -> dict[int, Reload]:
    """For each job the earliest of those that loaded every one of its lost files."""
    found = {}
    for pk, files in lost.items():
        keys = set.intersection(*({one.pk for one in file.loads} for file in files))
        if fix := next((one for one in files[0].loads if one.pk in keys), None):
            found[pk] = fix
    return found


def lost_paths(job: Job) -> set[str]:
    """The paths of which this job lost something."""
    return set(job.files.filter(LOST_FILE).values_list("path", flat=True))


def not_reloaded(job: Job, by: Job) -> list[str]:
    """The lost paths of a job that another did not load whole, or lost itself."""
    lost = lost_paths(job)
    whole = set(
        by.files.filter(verdict=Verdict.SUCCESS.value, path__in=lost).values_list("path", flat=True)
    )
    return sorted(lost - (whole - lost_paths(by)))
