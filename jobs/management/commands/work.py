"""A worker: any number of them, on any number of hosts, share one database."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from jobs import polling
from jobs.management.child import end_with_parent


class Command(BaseCommand):
    help = "Poll GES and look for new jobs, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_parent()
        polling.sync_projects()
        call_command(
            "procrastinate", "worker", "--delete-jobs", "always", "--shutdown-graceful-timeout", "5", "--concurrency", "2"
        )
