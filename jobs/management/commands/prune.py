"""Applies the retention rule of each project."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.models import Project
from jobs.models.project import Keeping
from jobs.retention.prune import Pruned, prune


class Command(BaseCommand):
    help = (
        "Remove old replies that say nothing new, and old failed polls, "
        "as each project's rule says."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")
        parser.add_argument(
            "--project", metavar="ID", help="only the project with this GES project id"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        projects = Project.objects.order_by("pk")
        if options["project"]:
            projects = projects.filter(project_id=options["project"])
            if not projects:
                raise CommandError(f"There is no project {options['project']!r}.")
        for project in projects:
            if project.keeps == Keeping.ALL:
                self.stdout.write(f"{project.project_id}: keeps all.")
                continue
            total = Pruned()
            for batch in prune(project, now=timezone.now(), dry_run=options["dry_run"]):
                total += batch
            verb = "would remove" if options["dry_run"] else "removed"
            self.stdout.write(
                f"{project.project_id}: {verb} {total.replies:,} replies ({total.size:,} bytes)"
                f" of {total.jobs:,} jobs,"
                f" and {total.misses:,} runs of failed polls; rule: {Keeping(project.keeps).label},"
                f" older than {project.keep_days} days."
            )
