"""An evidence bundle of a job, or of a filtered list."""

import sys
from contextlib import ExitStack, closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from jobs.audit.entries import machine_user, note
from jobs.evidence.bundle import evidence
from jobs.lists.filters import FILTERS, filtered
from jobs.models import Job
from jobs.models.audit import AuditAction, AuditObject


class Command(BaseCommand):
    help = "Write a zip with all that is known of some jobs, and a program that verifies it without gesdash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "-o", "--output", metavar="FILE", required=True, help="the zip; - is standard output"
        )
        parser.add_argument("--job", metavar="ID", help="only the job with this GES job id")
        for name in FILTERS:
            parser.add_argument(
                f"--{name.replace('_', '-')}", f"--{name}", dest=name, action="append", default=[]
            )

    def handle(self, *args: Any, **options: Any) -> None:
        params = QueryDict(mutable=True)
        for name in FILTERS:
            params.setlist(name, options[name])
        jobs, problems = filtered(params, Job.objects.all())
        if problems:
            raise CommandError(" ".join(problems))
        if options["job"]:
            jobs = jobs.filter(job_id=options["job"])
        if not jobs.exists():
            raise CommandError("There is no such job; the filters are those of `export`.")
        with ExitStack() as stack:
            pieces = stack.enter_context(closing(evidence(jobs)))
            try:
                first = next(pieces)
                out = (
                    sys.stdout.buffer
                    if options["output"] == "-"
                    else stack.enter_context(open(options["output"], "wb"))
                )
                out.write(first)
                for piece in pieces:
                    out.write(piece)
                asked = {
                    name: values
                    for name, values in [*params.lists(), ("job", options["job"])]
                    if values
                }
                note(
                    AuditAction.EXPORTED, AuditObject.EXPORT, request=None, actor=machine_user(), object_name="evidence", after={"filters": asked}
                )  # fmt: skip
            except OSError as wrong:
                raise CommandError(f"{options['output']}: {wrong.strerror}.") from wrong
