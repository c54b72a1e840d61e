"""What the simulated GES says of one job at a time, in v1's keys."""

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
    """What a file loses: `lines` None for a share of it, the same with the same job."""

    cause: str
    whole: bool = False
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class SimulatedJob:
    """A job that will have gone this way; `losses` by path, `end` is when it ought to end."""

    job_id: str
    name: str
    graph: str
    asked_at: datetime
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
        """How many files it imports, the schema file included."""
        return len(self.vertices) + len(self.edges) + (self.schema is not None)

    def has_ended(self, now: datetime) -> bool:
        """Whether GES has spoken its final word."""
        return now >= self.end and self.quirk != "endless"


def status_of(job: SimulatedJob, now: datetime) -> dict[str, Any]:
    """The v1 status of a job at a time."""
    said: dict[str, Any] = {
        "jobId": job.job_id,
        "status": "pending",
        "jobType": "GraphManagement",
        "jobName": job.name,
    }
    if job.name.endswith("Backup"):
        said["jobType"] = "BackupManagement"
    said["relatedGraph"] = job.graph
    if now < job.begin:
        return said
    final = job.has_ended(now)
    said |= {
        "status": _word(job) if final else "running",
        "beginTime": f"{job.begin:%Y-%m-%dT%H:%M:%S}",
    }
    if final:
        said["endTime"] = f"{job.end:%Y-%m-%dT%H:%M:%S}"
    if job.files:
        said["jobDetail"] = _detail(job, _share(job, now), final)
    if final and job.outcome == "failed":
        said["failReason"] = (
            "Failed to incrementally import data to the graph."
            if job.files
            else "GES.7006 internal error"
        )
    return said | {"jobProgress": 0}


def _word(job: SimulatedJob) -> str:
    if job.quirk in WORDS:
        return WORDS[job.quirk]
    if job.outcome != "partial":
        return job.outcome
    # Older engines have no word for it and say success; the files tell.
    return "success" if job.seed[0] in "01" else "partiallyFailed"


def _share(job: SimulatedJob, now: datetime) -> float:
    """How much of it is done: all of what has ended, never all of what never ends."""
    if job.has_ended(now):
        return 1.0
    if job.quirk == "endless":
        return 1 - 1 / (1 + (now - job.begin) / timedelta(hours=1))
    return (now - job.begin) / (job.end - job.begin)


def _detail(job: SimulatedJob, share: float, final: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "vertexsetPath": [
            _file(job, place, path, share, final) for place, path in enumerate(job.vertices)
        ],
        "edgesetPath": [
            _file(job, place, path, share, final)
            for place, path in enumerate(job.edges, len(job.vertices))
        ],
        "schemaPath": [],
    }
    if job.schema is not None:
        schema: dict[str, Any] = {
            "path": job.schema,
            "log": None,
            "cause": None,
            "status": "success",
        }
        if job.seed[1] in "0123":
            schema |= {
                "cause": "all labels are imported",
                "totalLines": 4,
                "failedLines": 4,
                "successfulLines": 0,
            }
        detail["schemaPath"].append(schema)
    if not job.vertices:
        detail["vertexsetPath"] = None  # as GES's own sample has it
    return detail


def _file(job: SimulatedJob, place: int, path: str, share: float, final: bool) -> dict[str, Any]:
    roll = random.Random(f"{job.seed}.{path}")  # noqa: S311  a story, not a secret
    name = "/".join(path.rsplit("/", 2)[1:])
    total = _usual_lines(job.graph, name, roll)
    loss = job.losses.get(path)
    failed = 0
    if loss is not None:
        part = max(1, int(total * roll.uniform(0.01, 0.17)))
        failed = total if loss.whole else part if loss.lines is None else loss.lines
    if job.quirk == "huge" and place == 0:
        total, failed = 2**63 - 1, 0
    line = roll.randrange(1, max(2, total))
    if share < 1:
        total, failed = int(total * share), int(failed * share)
    status = "success" if not failed else "failed" if failed == total else "partFailed"
    logged = (
        failed and job.seed[2] in "0123456789a"
    )  # the others were imported without a log directory
    log = f"ges-logs/{job.job_id[:12]}/{name.replace('/', '-').removesuffix('.csv')[:80]}.log"
    said = {
        "path": path,
        "log": log if logged else None,
        "cause": loss.cause.replace("{n}", str(line)) if loss is not None and failed else None,
        "status": status,
        "totalLines": total,
        "failedLines": failed,
        "successfulLines": total - failed,
    }
    return _with_quirk(job.quirk, place, said, final)


def _usual_lines(graph: str, name: str, roll: random.Random) -> int:
    """A file has about as many lines every night."""
    if (graph, name) == ("payments_graph", SPOILED_FILE):
        return SPOILED_LINES
    usual = 900 + zlib.crc32(f"{graph}/{name}".encode()) % 239_100
    return int(usual * roll.uniform(0.97, 1.03))


def _with_quirk(quirk: str, place: int, said: dict[str, Any], final: bool) -> dict[str, Any]:
    counts = ("totalLines", "failedLines", "successfulLines")
    if quirk == "unreported":
        # The three ways in which an engine says nothing.
        if place % 4 == 0:
            said |= dict.fromkeys(counts, -1)
        elif place % 4 == 1:
            said |= dict.fromkeys(counts)
        elif place % 4 == 2:
            said = {key: value for key, value in said.items() if key not in counts}
    elif quirk == "does not add up" and final and place == 2:
        said["successfulLines"] -= 120
    return said
