"""Verifies that the stored rows are still what was recorded."""

import json
import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.models import Job, Project, Verification
from jobs.proof import verify
from jobs.proof.kept_checkpoint import Kept, check_kept, read_file
from jobs.proof.walk import KEPT, Walk

PROGRESS_JOBS = 5_000  # between two lines of progress


class Command(BaseCommand):
    help = (
        "Check bodies, hash chains, checkpoints, and that jobs and files are "
        "what the replies make; exit 1 with what is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--project", metavar="ID", help="only the project with this GES project id"
        )
        parser.add_argument(
            "--job", metavar="ID", help="only the job with this GES job id, without checkpoints"
        )
        parser.add_argument(
            "--checkpoint",
            metavar="FILE",
            help="compare with a checkpoint kept outside; - is standard input",
        )
        parser.add_argument(
            "--every-checkpoint",
            action="store_true",
            help="compute the root of every checkpoint again, not of the newest only",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = _read_checkpoint(options["checkpoint"]) if options["checkpoint"] else None
        if kept is not None:
            if options["project"] not in {None, kept.sealed.project_id}:
                raise CommandError(
                    f"The checkpoint is of project {kept.sealed.project_id!r}, "
                    f"not {options['project']!r}."
                )
            options["project"] = kept.sealed.project_id

        faults = 0
        for project in _projects(options["project"], options["job"]):
            began_at = timezone.now()
            walk = Walk()
            self._walk_jobs(project, options["job"], walk)
            if not options["job"]:
                verify.walk_checkpoints(project, walk, every=options["every_checkpoint"])
            if kept is not None:
                check_kept(project, kept, walk)
            _save_verification(project, options["job"], began_at, walk)
            self._write_result(project, walk)
            faults += walk.faults

        self.stdout.write(f"{faults:,} faults." if faults else "Nothing wrong was found.")
        if faults:
            sys.exit(1)

    def _walk_jobs(self, project: Project, job_id: str | None, walk: Walk) -> None:
        jobs = Job.objects.filter(project=project)
        reported = 0
        for _ in verify.walk_jobs(jobs.filter(job_id=job_id) if job_id else jobs, walk):
            if walk.jobs - reported >= PROGRESS_JOBS:
                reported = walk.jobs
                self.stderr.write(
                    f"{project.project_id}: {walk.jobs:,} jobs, {walk.replies:,} replies, "
                    f"{walk.faults:,} faults"
                )

    def _write_result(self, project: Project, walk: Walk) -> None:
        for sentence in walk.sentences:
            self.stdout.write(str(sentence))
        if walk.faults > KEPT:
            self.stdout.write(f"… and {walk.faults - KEPT:,} more.")
        self.stdout.write(
            f"{project.project_id}: walked {walk.jobs:,} jobs, {walk.replies:,} replies,"
            f" {walk.tombstones:,} removed replies, {walk.checkpoints:,} checkpoints."
        )


def _projects(project_id: str | None, job_id: str | None) -> list[Project]:
    projects = Project.objects.order_by("pk")
    if project_id:
        projects = projects.filter(project_id=project_id)
        if not projects:
            known = ", ".join(Project.objects.values_list("project_id", flat=True)) or "none yet"
            raise CommandError(f"There is no project {project_id!r} (known: {known}).")
    if job_id:
        projects = projects.filter(jobs__job_id=job_id)
        if not projects:
            raise CommandError(
                f"There is no job {job_id!r}; give GES's job id, as the job page shows it."
            )
    return list(projects)


def _read_checkpoint(path: str) -> Kept:
    try:
        if path == "-":
            return read_file(json.load(sys.stdin))
        with open(path, encoding="utf-8") as file:
            return read_file(json.load(file))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path}: not a checkpoint: {error}.") from error


def _save_verification(
    project: Project, job_id: str | None, began_at: datetime, walk: Walk
) -> None:
    Verification.objects.create(
        project=project,
        job_id=job_id or "",
        began_at=began_at,
        ended_at=timezone.now(),
        jobs=walk.jobs,
        replies=walk.replies,
        tombstones=walk.tombstones,
        checkpoints=walk.checkpoints,
        faults=walk.faults,
        sentences=[sentence.as_json() for sentence in walk.sentences],
    )
