"""Records lines that were read, a batch at a time."""

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
    """Records batches of lines; rejected ones are reported on stderr and copied to `rejects`."""

    def __init__(self, stderr: Any, rejects: IO[bytes] | None) -> None:
        self.stderr = stderr
        self.rejects = rejects
        self.read = self.rejected = 0
        self.count = Recorded()
        self.projects: dict[str, Project] = {}
        self.graphs: dict[tuple[str, str | None, str], Graph] = {}

    def store(self, batch: Sequence[IngestLine | RejectedLine]) -> None:
        """Record one batch."""
        self.read += len(batch)
        jobs = self._jobs([line for line in batch if isinstance(line, IngestLine)])
        observations: list[Observation] = []
        recorded_lines: list[IngestLine] = []
        for line in batch:
            if isinstance(line, RejectedLine):
                self._reject(line)
                continue
            job = jobs[line.project_id, line.job_id]
            if job.graph.graph_id != line.graph_id:
                reason = f"graph_id: job {line.job_id} belongs to graph {job.graph.graph_id}."
                self._reject(RejectedLine(line.number, line.raw, reason))
                continue
            observations.append(_observation(job, line))
            recorded_lines.append(line)

        result = record(observations, now=timezone.now())
        for line in recorded_lines:
            self._check_chain(line)
        self.count.recorded += result.recorded
        self.count.repeated += result.repeated
        self.count.misses += result.misses
        watches.watch_unfinished([observation.job for observation in observations])

    def _check_chain(self, line: IngestLine) -> None:
        """Report a line of an export that did not continue the chain that is here.

        A reply was recorded all the same, with a new link.
        """
        if line.moved is None or line.moved.fits:
            return
        if line.moved.size is not None:
            reason = (
                f"link: removed reply {line.moved.number} of job {line.job_id} "
                "does not continue its chain here."
            )
            self._reject(RejectedLine(line.number, line.raw, reason))
        else:
            self.stderr.write(
                f"line {line.number}: recorded, but its link does not continue "
                f"the chain of job {line.job_id} here."
            )

    def _jobs(self, lines: list[IngestLine]) -> dict[tuple[str, str], Job]:
        job_rows: dict[str, dict[str, tuple[Graph, str, datetime]]] = defaultdict(dict)
        for line in lines:
            job_rows[line.project_id].setdefault(
                line.job_id, (self._graph(line), line.job_id, line.observed_at)
            )
        jobs = {}
        for project_id, rows in job_rows.items():
            for job_id, job in known_or_new_jobs(self._project(project_id), rows.values()).items():
                jobs[project_id, job_id] = job
        return jobs

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

    def _reject(self, line: RejectedLine) -> None:
        self.rejected += 1
        self.stderr.write(f"line {line.number}: {line.reason}")
        if self.rejects is not None:
            self.rejects.write(line.raw if line.raw.endswith(b"\n") else line.raw + b"\n")


def _observation(job: Job, line: IngestLine) -> Observation:
    return Observation(
        job,
        line.source,
        line.observed_at,
        line.http_status,
        line.body,
        line.reply,
        line.error,
        line.content_type,
        line.moved,
    )
