"""The web server by itself."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from granian import Granian
from granian.constants import Interfaces

from jobs.management.child import end_with_parent


class Command(BaseCommand):
    help = "Serve the pages and the API."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_parent()
        Granian(
            "gesdash.server:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=4,
            workers_kill_timeout=3,
            log_enabled=False,
        ).serve()
