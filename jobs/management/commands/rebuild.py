"""Projections anew from the stored replies."""

from itertools import batched
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.models import Job
from jobs.record import rebuild


class Command(BaseCommand):
    help = "Derive jobs and files anew from the stored replies; corrections are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--job", metavar="ID", help="only the job with this GES job id")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = Job.objects.order_by("pk")
        if options["job"]:
            jobs = jobs.filter(job_id=options["job"])
            if not jobs.exists():
                raise CommandError(f"There is no job {options['job']!r}; give GES's job id, as the job page shows it.")
        done = sum(rebuild(batch) for batch in batched(jobs.iterator(chunk_size=500), 500))
        self.stdout.write(f"{done} jobs rebuilt.")
