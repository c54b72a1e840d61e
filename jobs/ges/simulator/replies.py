"""The simulated GES's status of one job at a time, in v1's keys."""

import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jobs.ges.simulator.plot import SPOILED_FILE, SPOILED_LINES

WORDS = {"unknown word": "Suspended", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class Loss:
    """The failed lines of a file; without `lines` a share of it, the same for the same job."""

    cause: str
    whole: bool = False
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class SimulatedJob:
    """A job and its whole course.

    `losses` are by path; a job with the quirk "endless" does not end at `end`.
    """

    job_id: str
    name: str
    graph: str
    submitted_at: datetime
    begin: datetime
    end: datetime
    outcome: str  # success, partial, failed
    seed: str
    vertices: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    schema: str | None = None
    losses: Mapping[str, Loss] = field(default_factory=dict)
    quirk: str = ""

    @property
    def files(self) -> int:
        """The number of files it imports, the schema file included."""
        return len(self.vertices) + len(self.edges) + (self.schema is not None)

    def has_ended(self, now: datetime) -> bool:
        """Whether its status is final."""
        return now >= self.end and self.quirk != "endless"


def status_of(job: SimulatedJob, now: datetime) -> dict[str, Any]:
    """The v1 status of a job at a time."""
    is_backup = job.name.endswith("Backup")
    status: dict[str, Any] = {
        "jobId": job.job_id,
        "status": "pending",
        "jobType": "BackupManagement" if is_backup else "GraphManagement",
        "jobName": job.name,
        "relatedGraph": job.graph,
    }
    if now < job.begin:
        return status

    is_final = job.has_ended(now)
    status["status"] = _word(job) if is_final else "running"
    status["beginTime"] = f"{job.begin:%Y-%m-%dT%H:%M:%S}"
    if is_final:
        status["endTime"] = f"{job.end:%Y-%m-%dT%H:%M:%S}"
    if job.files:
        status["jobDetail"] = _detail(job, _share(job, now), is_final)
    if is_final and job.outcome == "failed":
        status["failReason"] = (
            "Failed to incrementally import data to the graph."
            if job.files
            else "GES.7006 internal error"
        )
    return status | {"jobProgress": 0}


def _word(job: SimulatedJob) -> str:
    if job.quirk in WORDS:
        return WORDS[job.quirk]
    if job.outcome != "partial":
        return job.outcome
    # Older engines have no word for it and say success; the files tell.
    return "success" if job.seed[0] in "01" else "partiallyFailed"


def _share(job: SimulatedJob, now: datetime) -> float:
    """The share of it that is done: all of an ended job, never all of an endless one."""
    if job.has_ended(now):
        return 1.0
    if job.quirk == "endless":
        return 1 - 1 / (1 + (now - job.begin) / timedelta(hours=1))
    return (now - job.begin) / (job.end - job.begin)


def _detail(job: SimulatedJob, share: float, is_final: bool) -> dict[str, Any]:
    vertices = [
        _file(job, number, path, share, is_final) for number, path in enumerate(job.vertices)
    ]
    edges = [
        _file(job, number, path, share, is_final)
        for number, path in enumerate(job.edges, len(job.vertices))
    ]
    return {
        "vertexsetPath": vertices or None,  # as GES's own sample has it
        "edgesetPath": edges,
        "schemaPath": [] if job.schema is None else [_schema_file(job)],
    }


def _schema_file(job: SimulatedJob) -> dict[str, Any]:
    file = {"path": job.schema, "log": None, "cause": None, "status": "success"}
    if job.seed[1] not in "0123":
        return file
    return file | {
        "cause": "all labels are imported",
        "totalLines": 4,
        "failedLines": 4,
        "successfulLines": 0,
    }


def _file(
    job: SimulatedJob, number: int, path: str, share: float, is_final: bool
) -> dict[str, Any]:
    roll = random.Random(f"{job.seed}.{path}")  # noqa: S311  a story, not a secret
    name = "/".join(path.rsplit("/", 2)[1:])
    total = _usual_lines(job.graph, name, roll)
    loss = job.losses.get(path)
    failed = 0
    if loss is not None:
        part = max(1, int(total * roll.uniform(0.01, 0.17)))
        failed = total if loss.whole else part if loss.lines is None else loss.lines
    if job.quirk == "huge" and number == 0:
        total = 2**63 - 1
        failed = 0
    line = roll.randrange(1, max(2, total))
    if share < 1:
        total = int(total * share)
        failed = int(failed * share)

    has_log = failed and job.seed[2] in "0123456789a"  # the others were imported without logs
    log = f"ges-logs/{job.job_id[:12]}/{name.replace('/', '-').removesuffix('.csv')[:80]}.log"
    file = {
        "path": path,
        "log": log if has_log else None,
        "cause": loss.cause.replace("{n}", str(line)) if loss is not None and failed else None,
        "status": "success" if not failed else "failed" if failed == total else "partFailed",
        "totalLines": total,
        "failedLines": failed,
        "successfulLines": total - failed,
    }
    return _with_quirk(job.quirk, number, file, is_final)


def _usual_lines(graph: str, name: str, roll: random.Random) -> int:
    """A file has about as many lines every night."""
    if (graph, name) == ("payments_graph", SPOILED_FILE):
        return SPOILED_LINES
    usual = 900 + zlib.crc32(f"{graph}/{name}".encode()) % 239_100
    return int(usual * roll.uniform(0.97, 1.03))


def _with_quirk(quirk: str, number: int, file: dict[str, Any], is_final: bool) -> dict[str, Any]:
    counts = ("totalLines", "failedLines", "successfulLines")
    if quirk == "unreported":
        # The three ways in which engines leave the counts out.
        if number % 4 == 0:
            file |= dict.fromkeys(counts, -1)
        elif number % 4 == 1:
            file |= dict.fromkeys(counts)
        elif number % 4 == 2:
            file = {key: value for key, value in file.items() if key not in counts}
    elif quirk == "does not add up" and is_final and number == 2:
        file["successfulLines"] -= 120
    return file
