"""The processes that `up` starts, stops, and with --reload restarts when code changed."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from django.conf import settings

STOP_SECONDS = 3  # a child; three of them and the database take at most the promised ten


class Children:
    """The processes of one `up`; they are stopped in reverse order of starting."""

    def __init__(self) -> None:
        self._commands: dict[str, tuple[str, ...]] = {}
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, *command: str) -> None:
        """Start a command of manage.py in its own session, so that Ctrl-C reaches only us."""
        self._commands[name] = command
        process = subprocess.Popen(  # noqa: S603  our own command line
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"GESDASH_CHILD": "1"},
            start_new_session=True,
        )
        self._running.append((name, process))

    def ended(self) -> str | None:
        """The name of the first process that ended by itself, or None."""
        return next((name for name, process in self._running if process.poll() is not None), None)

    def restart(self) -> None:
        """End all and start them again, with the code as it is now."""
        self.stop()
        for name, command in self._commands.items():
            self.start(name, *command)

    def stop(self) -> None:
        """End all by SIGTERM; one that takes too long is killed with all it started."""
        while self._running:
            _, process = self._running.pop()
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdin:
                process.stdin.close()


class SourceFiles:
    """The files that a process reads only at its start: code, its tables, compiled messages."""

    FOLDERS = ("gesdash", "jobs", "locale")
    SUFFIXES = frozenset({".py", ".toml", ".mo"})

    def __init__(self) -> None:
        self._known = self._modified()

    def have_changed(self) -> bool:
        """Whether a file was written, added or removed since the last call."""
        before, self._known = self._known, self._modified()
        return self._known != before

    def _modified(self) -> dict[Path, int]:
        times = {}
        for folder in self.FOLDERS:
            for path in (settings.BASE_DIR / folder).rglob("*"):
                if path.suffix in self.SUFFIXES:
                    with suppress(FileNotFoundError):  # an editor replaces a file by another
                        times[path] = path.stat().st_mtime_ns
        return times
