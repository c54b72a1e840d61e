"""The simulator by itself."""

import asyncio
import os
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gesdash.child import end_with_parent
from jobs.ges.simulator.server import PROJECT, Simulator, serve
from jobs.lists.paging import read_time


class Command(BaseCommand):
    help = (
        "Answer as GES would, from a made-up history; "
        "secrets come from SIMULATOR_SK and SIMULATOR_TOKEN."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8900)
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument(
            "--delay", type=float, default=0, metavar="SECONDS", help="how long each answer takes"
        )
        parser.add_argument("--access-key", default="SIMULATED")
        parser.add_argument(
            "--epoch",
            metavar="TIME",
            help="when its history ends and its present begins; default: now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_parent()
        try:
            options["epoch"] = read_time(options["epoch"]) if options["epoch"] else None
        except ValueError as error:
            raise CommandError(
                f"--epoch: {options['epoch']!r} is not a time such as 2026-01-31T08:15:00Z."
            ) from error
        try:
            asyncio.run(self._run(options))
        except OSError as error:
            raise CommandError(
                f"Port {options['port']} can't be used: {error.strerror}."
            ) from error

    async def _run(self, options: dict[str, Any]) -> None:
        simulator = Simulator(
            seed=options["seed"],
            started_at=options["epoch"],
            access_key=options["access_key"],
            secret_key=os.environ.get("SIMULATOR_SK", "simulated-secret"),
            token=os.environ.get("SIMULATOR_TOKEN", "simulated-token"),
        )
        if options["delay"]:
            simulator.fault("delay", times=sys.maxsize, seconds=options["delay"])
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        runner, port = await serve(simulator, options["host"], options["port"])
        self.stdout.write(f"Simulated GES at http://{options['host']}:{port}, project {PROJECT}.")
        self.stdout.flush()
        await stop.wait()
        await runner.cleanup()
