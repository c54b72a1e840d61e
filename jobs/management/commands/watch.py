"""Start watching a job."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.models import Project
from jobs.polling import projects, watches


class Command(BaseCommand):
    help = "Start watching a job of GES."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the GES project id")
        parser.add_argument("graph", help="the graph id")
        parser.add_argument("job", help="the job id")

    def handle(self, *args: Any, **options: Any) -> None:
        projects.sync_projects()
        project = Project.objects.filter(project_id=options["project"]).first()
        if project is None:
            known = ", ".join(Project.objects.values_list("project_id", flat=True)) or "none yet"
            raise CommandError(
                f"There is no project {options['project']!r} (known: {known}); "
                "set GES_PROJECT_ID to add one."
            )
        try:
            job = watches.watch(project, options["graph"], options["job"], timezone.now())
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Job {job.job_id} is {'final: ' + job.verdict if job.is_final else 'watched'}."
        )
