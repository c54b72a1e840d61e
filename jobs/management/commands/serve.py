"""The web server by itself."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from granian import Granian
from granian.constants import Interfaces

from gesdash.child import end_with_parent
from jobs.polling import single_flight


class Command(BaseCommand):
    help = "Serve the pages and the API."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--processes", type=int, default=1, help="server processes, at most as many as cores"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["processes"] <= 64:
            raise CommandError(f"--processes is {options['processes']}; expected 1 to 64.")
        end_with_parent()
        _forget_connections()
        Granian(
            "gesdash.server:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=options["processes"],
            # Most of them wait for GES at worst; the rest is for pages.
            blocking_threads=single_flight.SERVER_THREADS,
            workers_kill_timeout=3,
            log_enabled=False,
        ).serve()


def _forget_connections() -> None:
    """Close the connection pool, which Django's checks have opened, before the server forks.

    Shared by the forked processes it would mix up their answers, and its threads don't live on
    in them.
    """
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
