"""JSON Lines of replies into the database."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs import polling
from jobs.management.lines import Line, Refused, batches
from jobs.models import Graph, Job, Project
from jobs.record import Observation, Recorded, find_graph, known_or_new_jobs, record


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
            for batch in _one_ahead(batches(lines)):
                ingest.store(batch)
        count = ingest.count
        told = {"read": ingest.read, "recorded": count.recorded, "repeated": count.repeated, "misses": count.misses}
        self.stdout.write(json.dumps({**told, "rejected": ingest.rejected}))
        if ingest.rejected:
            sys.exit(1)


def _one_ahead[T](items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one made by a thread while this one is being stored: the database works meanwhile."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = reader.submit(next, items, None)
            yield item


class Ingest:
    """Stores batches of lines; those that can't be taken are named on stderr."""

    def __init__(self, stderr: Any, rejects: IO[bytes] | None) -> None:
        self.stderr, self.rejects = stderr, rejects
        self.read = self.rejected = 0
        self.count = Recorded()
        self.projects: dict[str, Project] = {}
        self.graphs: dict[tuple[str, str | None, str], Graph] = {}

    def store(self, batch: Sequence[Line | Refused]) -> None:
        """Record one batch."""
        self.read += len(batch)
        jobs = self._jobs([line for line in batch if isinstance(line, Line)])
        observations: list[Observation] = []
        taken: list[Line] = []
        for line in batch:
            if isinstance(line, Refused):
                self._refuse(line)
                continue
            job = jobs[line.project_id, line.job_id]
            if job.graph.graph_id != line.graph_id:
                reason = f"graph_id: job {line.job_id} belongs to graph {job.graph.graph_id}."
                self._refuse(Refused(line.number, line.raw, reason))
                continue
            told = (line.http_status, line.body, line.reply, line.error, line.content_type, line.moved)
            observations.append(Observation(job, line.source, line.observed_at, *told))
            taken.append(line)
        made = record(observations, now=timezone.now())
        for line in taken:
            self._check_chain(line)
        self.count.recorded += made.recorded
        self.count.repeated += made.repeated
        self.count.misses += made.misses
        polling.watch_unfinished([one.job for one in observations])

    def _check_chain(self, line: Line) -> None:
        """Say where an export did not continue the chain that is here: recorded all the same, but with a link of its own."""
        if line.moved is None or line.moved.fits:
            return
        if line.moved.size is not None:
            self._refuse(
                Refused(
                    line.number,
                    line.raw,
                    f"link: removed reply {line.moved.number} of job {line.job_id} does not continue its chain here.",
                )
            )
        else:
            self.stderr.write(
                f"line {line.number}: recorded, but its link does not continue the chain of job {line.job_id} here."
            )

    def _jobs(self, lines: list[Line]) -> dict[tuple[str, str], Job]:
        wanted: dict[str, dict[str, tuple[Graph, str, datetime]]] = defaultdict(dict)
        for line in lines:
            wanted[line.project_id].setdefault(line.job_id, (self._graph(line), line.job_id, line.observed_at))
        found = {}
        for project_id, rows in wanted.items():
            for job_id, job in known_or_new_jobs(self._project(project_id), rows.values()).items():
                found[project_id, job_id] = job
        return found

    def _project(self, project_id: str) -> Project:
        if project_id not in self.projects:
            self.projects[project_id] = Project.objects.get_or_create(project_id=project_id)[0]
        return self.projects[project_id]

    def _graph(self, line: Line) -> Graph:
        key = (line.project_id, line.graph_id, line.graph_name)
        if key not in self.graphs:
            project = self._project(line.project_id)
            if line.graph_id is None:
                self.graphs[key] = Graph.objects.get_or_create(project=project, graph_id=None, name=line.graph_name)[0]
            else:
                self.graphs[key] = find_graph(project, line.graph_id, line.graph_name)
        return self.graphs[key]

    def _refuse(self, line: Refused) -> None:
        self.rejected += 1
        self.stderr.write(f"line {line.number}: {line.reason}")
        if self.rejects is not None:
            self.rejects.write(line.raw if line.raw.endswith(b"\n") else line.raw + b"\n")
