"""Lines that were read, recorded a batch at a time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any

from django.utils import timezone

from jobs.ingest.lines import IngestLine, RejectedLine
from jobs.models import Graph, Job, Project
from jobs.polling import watches
from jobs.record import Observation, Recorded, find_graph, known_or_new_jobs, record


class Ingest:
    """Stores batches of lines; those that can't be taken are named on stderr."""

    def __init__(self, stderr: Any, rejects: IO[bytes] | None) -> None:
        self.stderr, self.rejects = stderr, rejects
        self.read = self.rejected = 0
        self.count = Recorded()
        self.projects: dict[str, Project] = {}
        self.graphs: dict[tuple[str, str | None, str], Graph] = {}

    def store(self, batch: Sequence[IngestLine | RejectedLine]) -> None:
        """Record one batch."""
        self.read += len(batch)
        jobs = self._jobs([line for line in batch if isinstance(line, IngestLine)])
        observations: list[Observation] = []
        taken: list[IngestLine] = []
        for line in batch:
            if isinstance(line, RejectedLine):
                self._refuse(line)
                continue
            job = jobs[line.project_id, line.job_id]
            if job.graph.graph_id != line.graph_id:
                reason = f"graph_id: job {line.job_id} belongs to graph {job.graph.graph_id}."
                self._refuse(RejectedLine(line.number, line.raw, reason))
                continue
            told = (
                line.http_status,
                line.body,
                line.reply,
                line.error,
                line.content_type,
                line.moved,
            )
            observations.append(Observation(job, line.source, line.observed_at, *told))
            taken.append(line)
        made = record(observations, now=timezone.now())
        for line in taken:
            self._check_chain(line)
        self.count.recorded += made.recorded
        self.count.repeated += made.repeated
        self.count.misses += made.misses
        watches.watch_unfinished([one.job for one in observations])

    def _check_chain(self, line: IngestLine) -> None:
        """Say where an export did not continue the chain that is here: recorded all the same, but with a link of its own."""
        if line.moved is None or line.moved.fits:
            return
        if line.moved.size is not None:
            self._refuse(
                RejectedLine(
                    line.number,
                    line.raw,
                    f"link: removed reply {line.moved.number} of job {line.job_id} does not continue its chain here.",
                )
            )
        else:
            self.stderr.write(
                f"line {line.number}: recorded, but its link does not continue the chain of job {line.job_id} here."
            )

    def _jobs(self, lines: list[IngestLine]) -> dict[tuple[str, str], Job]:
        wanted: dict[str, dict[str, tuple[Graph, str, datetime]]] = defaultdict(dict)
        for line in lines:
            wanted[line.project_id].setdefault(
                line.job_id, (self._graph(line), line.job_id, line.observed_at)
            )
        found = {}
        for project_id, rows in wanted.items():
            for job_id, job in known_or_new_jobs(self._project(project_id), rows.values()).items():
                found[project_id, job_id] = job
        return found

    def _project(self, project_id: str) -> Project:
        if project_id not in self.projects:
            self.projects[project_id] = Project.objects.get_or_create(project_id=project_id)[0]
        return self.projects[project_id]

    def _graph(self, line: IngestLine) -> Graph:
        key = (line.project_id, line.graph_id, line.graph_name)
        if key not in self.graphs:
            project = self._project(line.project_id)
            if line.graph_id is None:
                self.graphs[key] = Graph.objects.get_or_create(
                    project=project, graph_id=None, name=line.graph_name
                )[0]
            else:
                self.graphs[key] = find_graph(project, line.graph_id, line.graph_name)
        return self.graphs[key]

    def _refuse(self, line: RejectedLine) -> None:
        self.rejected += 1
        self.stderr.write(f"line {line.number}: {line.reason}")
        if self.rejects is not None:
            self.rejects.write(line.raw if line.raw.endswith(b"\n") else line.raw + b"\n")
