"""Which later imports of the same graph loaded the files an import lost. Paths compare exactly."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import Coalesce, JSONObject

from jobs.ges.words import FINAL, Verdict
from jobs.models import ImportFile, Job
from jobs.models.job import LOST_FILE, ReviewState

MAX_LOADS = 30  # later jobs looked at for one lost file of a list
# Lost files of one job looked at for a list; an import that lost more has to be opened.
MAX_LOST_FILES = 50
#: Verdicts of jobs that can have loaded a file whole.
FIXING = sorted(verdict.value for verdict in FINAL - {Verdict.FAILED, Verdict.CANCELLED})


@dataclass(frozen=True, slots=True)
class Reload:
    """A job that loaded a path whole."""

    pk: int
    job_id: str
    job_name: str


@dataclass(frozen=True, slots=True)
class LostFile:
    """A file of which lines failed, and the jobs that have loaded it whole since.

    Units: `failed_lines` in lines, None when GES did not count them.
    """

    path: str
    cause: str
    failed_lines: int | None
    loads: tuple[Reload, ...]


def with_loads(files: QuerySet[ImportFile], most: int) -> QuerySet[ImportFile]:
    """These files, annotated for `loads_of` with the first `most` jobs that reloaded each."""
    reloads = (
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
    return files.annotate(loads=ArraySubquery(reloads[:most]))


def loads_of(file: ImportFile) -> tuple[Reload, ...]:
    """The jobs that reloaded a file of `with_loads`, earliest first."""
    return tuple(Reload(**load) for load in vars(file)["loads"])


def lost_files_of(jobs: Iterable[Job]) -> dict[int, list[LostFile]]:
    """The lost files of these jobs by job key, without jobs that lost more than MAX_LOST_FILES.

    One query.
    """
    job_ids = [job.pk for job in jobs if 0 < job.lost_file_count <= MAX_LOST_FILES]
    files_by_job: dict[int, list[LostFile]] = defaultdict(list)
    if not job_ids:
        return files_by_job
    files = with_loads(ImportFile.objects.filter(LOST_FILE, job__in=job_ids), MAX_LOADS)
    for file in files.only("job", "path", "cause", "failed_lines"):
        lost = LostFile(file.path, file.cause or "", file.failed_lines, loads_of(file))
        files_by_job[file.job_id].append(lost)
    return files_by_job


def reloaded(jobs: Iterable[Job]) -> dict[int, Reload]:
    """By job key, the earliest import that loaded all the files a job lost. One query.

    Only open reviews are looked at: on the others somebody has decided.
    """
    undecided = [job for job in jobs if job.review in ReviewState.open() and job.is_final]
    return loaded_by_one(lost_files_of(undecided))


def loaded_by_one(files_by_job: Mapping[int, Sequence[LostFile]]) -> dict[int, Reload]:
    """By job key, the earliest job that loaded every one of its lost files."""
    reload_by_job = {}
    for job_pk, files in files_by_job.items():
        loaded_all = set.intersection(*({load.pk for load in file.loads} for file in files))
        if fix := next((load for load in files[0].loads if load.pk in loaded_all), None):
            reload_by_job[job_pk] = fix
    return reload_by_job


def lost_paths(job: Job) -> set[str]:
    """The paths of the files this job lost lines of."""
    return set(job.files.filter(LOST_FILE).values_list("path", flat=True))


def not_reloaded(job: Job, by: Job) -> list[str]:
    """The lost paths of a job that another did not load whole, or lost itself, sorted."""
    lost = lost_paths(job)
    success = by.files.filter(verdict=Verdict.SUCCESS.value, path__in=lost)
    whole = set(success.values_list("path", flat=True))
    return sorted(lost - (whole - lost_paths(by)))
