"""Whether the rows of jobs and files are what the replies and corrections make: they are derived anew, and that is undone."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from jobs.models import ImportFile, Job
from jobs.proof.walk import Walk
from jobs.record import rebuild
from jobs.sentences import gettext_noop

_FILE = [
    "path", "log", "status", "verdict", "ledger", "contradiction", "cause", "total_lines", "failed_lines", "successful_lines",
]  # fmt: skip


def check_rows(jobs: Mapping[int, Job], walk: Walk) -> None:
    """The first value of each of these locked jobs, or else of its files, that is not what the replies make."""
    with transaction.atomic():
        stood = _jobs(jobs), _files(jobs)
        rebuild(list(jobs.values()))
        made = _jobs(jobs), _files(jobs)
        transaction.set_rollback(True)
    wrong = set()
    for pk, row in stood[0].items():
        if different := [name for name in row if row[name] != made[0][pk][name]]:
            wrong.add(pk)
            _fault(walk, jobs[pk], different[0], row[different[0]], made[0][pk][different[0]])
    for place in sorted(stood[1].keys() | made[1].keys()):
        found, expected = stood[1].get(place), made[1].get(place)
        if found == expected or place[0] in wrong:
            continue
        wrong.add(place[0])
        at = f"{place[1]} file {place[2]}"
        if found is None or expected is None:
            _fault(
                walk,
                jobs[place[0]],
                at,
                "stored" if found else "missing",
                "stored" if expected else "none",
            )
        else:
            name = next(name for at_, name in enumerate(_FILE) if found[at_] != expected[at_])
            _fault(
                walk,
                jobs[place[0]],
                f"{at}, {name}",
                found[_FILE.index(name)],
                expected[_FILE.index(name)],
            )


def _fault(walk: Walk, job: Job, name: str, found: Any, expected: Any) -> None:
    walk.fault(
        gettext_noop(
            "Project {project}, job {job}: {name} is {found}; expected {expected} "
            "from its responses and corrections."
        ),
        project=job.project.project_id,
        job=job.job_id,
        name=name,
        found=str(found)[:200],
        expected=str(expected)[:200],
    )


def _jobs(jobs: Mapping[int, Job]) -> dict[int, dict[str, Any]]:
    rows = Job.objects.filter(pk__in=jobs).order_by("pk").values()
    return {
        row["id"]: {name: value for name, value in row.items() if name != "changed_at"}
        for row in rows
    }


def _files(jobs: Mapping[int, Job]) -> dict[tuple[int, str, int], tuple[Any, ...]]:
    rows = ImportFile.objects.filter(job__in=jobs).values_list("job_id", "kind", "position", *_FILE)
    return {(job, kind, position): values for job, kind, position, *values in rows}
