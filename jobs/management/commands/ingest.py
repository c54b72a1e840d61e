"""JSON Lines of replies into the database."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.ingest.lines import batches
from jobs.ingest.store import Ingest


class Command(BaseCommand):
    help = "Record replies of GES from JSON Lines; running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file of JSON Lines, or - for standard input")
        parser.add_argument(
            "--rejects", metavar="FILE", help="where to keep the lines that were refused"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with ExitStack() as stack:
            try:
                lines = (
                    sys.stdin.buffer
                    if options["file"] == "-"
                    else stack.enter_context(open(options["file"], "rb"))
                )
                rejects = (
                    stack.enter_context(open(options["rejects"], "wb"))
                    if options["rejects"]
                    else None
                )
            except OSError as error:
                raise CommandError(f"{error.filename}: {error.strerror}.") from error

            ingest = Ingest(self.stderr, rejects)
            for batch in _one_ahead(batches(lines)):
                ingest.store(batch)

        count = ingest.count
        summary = {
            "read": ingest.read,
            "recorded": count.recorded,
            "repeated": count.repeated,
            "misses": count.misses,
            "rejected": ingest.rejected,
        }
        self.stdout.write(json.dumps(summary))
        if ingest.rejected:
            sys.exit(1)


def _one_ahead[T](items: Iterator[T]) -> Iterator[T]:
    """The same items; a thread reads the next one while the database stores this one."""
    with ThreadPoolExecutor(1) as reader:
        next_item = reader.submit(next, items, None)
        while (item := next_item.result()) is not None:
            next_item = reader.submit(next, items, None)
            yield item
