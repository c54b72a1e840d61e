"""Derives jobs and files again from the stored replies."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.models import Job
from jobs.record import rebuild_in_batches


class Command(BaseCommand):
    help = "Derive jobs and files anew from the stored replies; corrections and reviews are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--job", metavar="ID", help="only the job with this GES job id")
        parser.add_argument(
            "--stale",
            action="store_true",
            help="only jobs that a former version of gesdash wrote last",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = Job.objects.stale() if options["stale"] else Job.objects.all()
        if options["job"]:
            if not Job.objects.filter(job_id=options["job"]).exists():
                raise CommandError(
                    f"There is no job {options['job']!r}; "
                    "give GES's job id, as the job page shows it."
                )
            jobs = jobs.filter(job_id=options["job"])
        count = sum(rebuild_in_batches(jobs, now=timezone.now()))
        self.stdout.write(f"{count} jobs rebuilt.")
