"""GES's replies after parsing: jobs, files, graphs and pages of lists."""

from dataclasses import dataclass
from datetime import datetime

from jobs.sentences import Sentence


@dataclass(frozen=True, slots=True)
class FileReply:
    """One file of an import. Units: counts in lines, None where GES gave none."""

    kind: str
    position: int
    path: str
    log: str | None
    status: str
    cause: str | None
    total_lines: int | None
    failed_lines: int | None
    successful_lines: int | None


@dataclass(frozen=True, slots=True)
class JobReply:
    """One job status; `status` is GES's word as it came, `peculiarities` what was unusual."""

    version: int
    job_id: str | None
    status: str
    job_type: str | None
    job_name: str | None
    related_graph: str | None
    begin_time: datetime | None
    end_time: datetime | None
    fail_reason: str | None
    files: tuple[FileReply, ...]
    peculiarities: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of the task centre; `count` is of all pages.

    Each job comes with its own bytes; `refused` has a sentence for each item that is no job.
    """

    count: int
    jobs: tuple[tuple[JobReply, bytes], ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GraphReply:
    """One graph of the graph list; `job_ids` are those of the imports its files came with."""

    graph_id: str
    name: str
    status: str | None
    created_at: datetime | None = None
    job_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphPage:
    """A page of the graph list; `count` is of all pages."""

    count: int
    graphs: tuple[GraphReply, ...]
