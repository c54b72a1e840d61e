"""An evidence bundle of a job, or of a filtered list."""

import sys
from contextlib import closing, nullcontext
from typing import Any, override

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.audit.entries import machine_user, note
from jobs.evidence.bundle import evidence
from jobs.lists.jobs import FILTERS, filtered
from jobs.management.filter_options import add_filter_options, query_of
from jobs.models import Job
from jobs.models.audit import AuditAction, AuditObject
from jobs.models.job import JobQuerySet


class Command(BaseCommand):
    help = (
        "Write a ZIP with all that is known of some jobs, and a program that verifies it "
        "without gesdash."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "-o", "--output", metavar="FILE", required=True, help="The ZIP; - is standard output."
        )
        parser.add_argument("--job", metavar="ID", help="Only the job with this GES job ID.")
        add_filter_options(parser, FILTERS)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        params = query_of(options, FILTERS)
        jobs, problems = filtered(params, Job.objects.all())
        if problems:
            raise CommandError(" ".join(problems))
        if options["job"]:
            jobs = jobs.filter(job_id=options["job"])
        if not jobs.exists():
            raise CommandError("There is no such job; the filters are those of `export`.")

        try:
            _write(jobs, options["output"])
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}.") from error
        used = {
            name: values for name, values in [*params.lists(), ("job", options["job"])] if values
        }
        note(
            AuditAction.EXPORTED,
            AuditObject.EXPORT,
            request=None,
            actor=machine_user(),
            object_name="evidence",
            after={"filters": used},
        )


def _write(jobs: JobQuerySet, output: str) -> None:
    with closing(evidence(jobs)) as pieces:
        first = next(pieces)  # a fault in it leaves no file
        with nullcontext(sys.stdout.buffer) if output == "-" else open(output, "wb") as file:
            file.write(first)
            file.writelines(pieces)
