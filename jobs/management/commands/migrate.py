from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from jobs.management.autodetector import LabelFreeAutodetector


class Command(migrate.Command):
    autodetector = LabelFreeAutodetector

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_half_migrated(options["database"])
        super().handle(*args, **options)


def _refuse_half_migrated(database: str) -> None:
    """Refuse a database that is between two migrations which were squashed since.

    Raises: CommandError.
    """
    loader = MigrationLoader(connections[database], ignore_no_migrations=True)
    applied = {name for app, name in loader.applied_migrations if app == "jobs"}
    replaced = {
        name
        for (app, _), migration in loader.replacements.items()
        if app == "jobs"
        for _, name in migration.replaces
    }
    if applied & replaced and not replaced <= applied:
        raise CommandError(
            f"This database has the migrations of jobs up to {max(applied & replaced)}, from before"
            f" they were squashed; expected all up to {max(replaced)}."
            " Run gesdash 0.1.0 on it first, then this version."
        )
