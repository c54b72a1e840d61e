"""A key pair for programs."""

import json
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.models import AccessKey, Project


class Command(BaseCommand):
    help = "Make a key pair and a token for a user; they are shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument(
            "--project",
            action="append",
            default=[],
            metavar="ID",
            help="only this project (repeatable)",
        )
        parser.add_argument("--name", default="", help="what it is for")
        parser.add_argument("--days", type=int, help="how long it is valid; for ever by default")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(
                f"There is no user {options['user']!r}; "
                "make one in the admin, or with createsuperuser."
            )
        days = options["days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError(f"--days is {days}; expected 1 to 3650.")
        if len(options["name"]) > 80:
            raise CommandError(
                f"--name has {len(options['name'])} characters; expected at most 80."
            )

        projects = []
        for project_id in options["project"]:
            project = Project.objects.visible_to(user).filter(project_id=project_id).first()
            if project is None:
                raise CommandError(f"{user} sees no project {project_id!r}.")
            projects.append(project)

        now = timezone.now()
        end = now + timedelta(days=days) if days else None
        key, secret, token = AccessKey.issue(
            user, now=now, expires_at=end, name=options["name"], projects=projects or None
        )
        self.stdout.write(
            json.dumps({"access_key": key.access_key, "secret_key": secret, "token": token})
        )
