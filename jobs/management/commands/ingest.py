"""JSON Lines of replies into the database."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs import polling
from jobs.ges.errors import WrongJob
from jobs.ges.fields import MAX_ID
from jobs.ges.reply import MAX_BODY
from jobs.models import Graph, Job, Project
from jobs.record import Observation, Recorded, find_graph, find_jobs, observe, record

BATCH = 500
MAX_LINE = MAX_BODY * 2  # a body as text inside JSON is escaped, so a line may be longer than it


class BadLine(Exception):
    """A line that can't be taken; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, checked."""

    number: int
    project_id: str
    graph_id: str
    graph_name: str
    job_id: str
    observed_at: datetime
    http_status: int
    body: bytes


class Command(BaseCommand):
    help = "Record replies of GES from JSON Lines; running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file of JSON Lines, or - for standard input")
        parser.add_argument("--rejects", metavar="FILE", help="where to keep the lines that were refused")

    def handle(self, *args: Any, **options: Any) -> None:
        with ExitStack() as stack:
            try:
                lines = sys.stdin.buffer if options["file"] == "-" else stack.enter_context(open(options["file"], "rb"))
                rejects = stack.enter_context(open(options["rejects"], "wb")) if options["rejects"] else None
            except OSError as wrong:
                raise CommandError(f"{wrong.filename}: {wrong.strerror}.") from wrong
            ingest = Ingest(self.stderr, rejects)
            ingest.run(lines)
        self.stdout.write(json.dumps({"read": ingest.read, **asdict(ingest.count), "rejected": ingest.rejected}))
        if ingest.rejected:
            sys.exit(1)


class Ingest:
    """Takes lines in batches: memory does not grow with their number."""

    def __init__(self, stderr: Any, rejects: IO[bytes] | None) -> None:
        self.stderr, self.rejects = stderr, rejects
        self.read = self.rejected = 0
        self.count = Recorded()
        self.projects: dict[str, Project] = {}
        self.graphs: dict[tuple[str, str, str], Graph] = {}

    def run(self, lines: IO[bytes]) -> None:
        """Record all of them; those that can't be taken are named on stderr."""
        batch: list[tuple[Line, bytes]] = []
        size = 0
        for number, raw in _numbered(lines):
            self.read += 1
            try:
                line = parse_line(number, raw)
            except BadLine as wrong:
                self._reject(number, raw, str(wrong))
                continue
            batch.append((line, raw))
            size += len(raw)
            if len(batch) >= BATCH or size >= MAX_BODY:
                self._store(batch)
                batch, size = [], 0
        self._store(batch)

    def _store(self, batch: list[tuple[Line, bytes]]) -> None:
        jobs = self._jobs([line for line, _ in batch])
        observations: list[Observation] = []
        for line, raw in batch:
            job = jobs[line.project_id, line.job_id]
            if job.graph.graph_id != line.graph_id:
                self._reject(line.number, raw, f"graph_id: job {line.job_id} belongs to graph {job.graph.graph_id}.")
                continue
            seen = observe(job, "ingest", line.observed_at, line.http_status, line.body)
            if isinstance(seen.error, WrongJob):
                self._reject(line.number, raw, f"body: {seen.error}")
            else:
                observations.append(seen)
        made = record(observations)
        self.count.recorded += made.recorded
        self.count.repeated += made.repeated
        self.count.misses += made.misses
        polling.watch_unfinished([one.job for one in observations])

    def _jobs(self, lines: list[Line]) -> dict[tuple[str, str], Job]:
        wanted: dict[str, dict[str, tuple[Graph, str, datetime]]] = defaultdict(dict)
        for line in lines:
            wanted[line.project_id].setdefault(line.job_id, (self._graph(line), line.job_id, line.observed_at))
        found = {}
        for project_id, rows in wanted.items():
            for job_id, job in find_jobs(self._project(project_id), rows.values()).items():
                found[project_id, job_id] = job
        return found

    def _project(self, project_id: str) -> Project:
        if project_id not in self.projects:
            self.projects[project_id] = Project.objects.get_or_create(project_id=project_id)[0]
        return self.projects[project_id]

    def _graph(self, line: Line) -> Graph:
        key = (line.project_id, line.graph_id, line.graph_name)
        if key not in self.graphs:
            self.graphs[key] = find_graph(self._project(line.project_id), line.graph_id, line.graph_name)
        return self.graphs[key]

    def _reject(self, number: int, raw: bytes, reason: str) -> None:
        self.rejected += 1
        self.stderr.write(f"line {number}: {reason}")
        if self.rejects is not None:
            self.rejects.write(raw if raw.endswith(b"\n") else raw + b"\n")


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank; one over the limit is cut there and read past, so memory stays bounded."""
    number = 0
    while raw := lines.readline(MAX_LINE + 1):
        number += 1
        rest = raw
        while len(raw) > MAX_LINE and not rest.endswith(b"\n") and rest:
            rest = lines.readline(MAX_LINE)
        if raw.strip():
            yield number, raw


def parse_line(number: int, raw: bytes) -> Line:
    """Check one line.

    Raises: BadLine that names the field and what was expected.
    """
    if len(raw) > MAX_LINE:
        raise BadLine(f"longer than {MAX_LINE:,} bytes.")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as wrong:
        raise BadLine(f"not JSON: {str(wrong)[:200]}.") from wrong
    if not isinstance(data, dict):
        raise BadLine('expected an object with "project_id", "graph_id", "job_id", "observed_at", "http_status" and "body".')
    return Line(
        number,
        _id(data, "project_id"),
        _id(data, "graph_id"),
        _name(data),
        _id(data, "job_id"),
        _observed_at(data),
        _http_status(data),
        _body(data),
    )


def _id(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if name not in data:
        raise BadLine(f"{name}: missing.")
    if not isinstance(value, str) or not value:
        raise BadLine(f"{name}: expected text, got {value!r:.80}.")
    if len(value) > MAX_ID:
        raise BadLine(f"{name}: {len(value)} characters; expected at most {MAX_ID}.")
    if not value.isprintable() or "/" in value or value in {".", ".."}:
        raise BadLine(
            f"{name}: {value!r:.80} is not an id GES could have given (a slash, dots only or unprintable characters)."
        )
    return value


def _name(data: dict[str, Any]) -> str:
    value = data.get("graph_name")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_ID or "\x00" in value or not value.isprintable():
        raise BadLine(f"graph_name: expected text of at most {MAX_ID} characters, got {value!r:.80}.")
    return value


def _observed_at(data: dict[str, Any]) -> datetime:
    value = data.get("observed_at")
    try:
        if not isinstance(value, str):
            raise ValueError
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise BadLine(f"observed_at: expected a time such as 2026-01-31T08:15:00Z, got {value!r:.80}.") from wrong


def _http_status(data: dict[str, Any]) -> int:
    value = data.get("http_status")
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise BadLine(f"http_status: expected a whole number from 100 to 599, got {value!r:.80}.")
    return value


def _body(data: dict[str, Any]) -> bytes:
    value = data.get("body")
    if "body" not in data or value is None:
        raise BadLine("body: missing; expected GES's reply as text or as an object.")
    if isinstance(value, str):
        # Bytes that were not UTF-8 are written by the export as lone surrogates and come back the same.
        body = value.encode("utf-8", "surrogateescape" if _has_escaped_bytes(value) else "surrogatepass")
    else:
        body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(body) > MAX_BODY:
        raise BadLine(f"body: {len(body):,} bytes; the limit is {MAX_BODY:,}.")
    return body


def _has_escaped_bytes(value: str) -> bool:
    found = [character for character in value if "\ud800" <= character <= "\udfff"]
    return bool(found) and all("\udc80" <= character <= "\udcff" for character in found)
