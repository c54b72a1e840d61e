"""What the simulated GES has to tell: its graphs, its jobs and how they went. A pure function of seed and clock."""

import hashlib
import random
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PAST_DAYS = 21
EVERY = timedelta(seconds=20)  # how often a new job begins, in turn over the graphs
GRAPHS = {
    "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01": "payments_graph",
    "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a02": "社交关系图",
    "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a03": "supply_chain",
    "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a04": "fraud_rings",
}
GONE = "legacy_customers"  # a deleted graph: its jobs are listed, it is not
OTHER_JOBS = [
    "ExportGraph", "CreateBackup", "StopGraph", "StartGraph", "ClearGraph", "RestoreGraph", "UpgradeGraph", "RestartGraph",
    "ResizeGraph", "ExpandGraph", "ExportBackup", "ImportBackup",
]  # fmt: skip
CAUSES = [
    "line {n}: property count 5 does not match label 'user' (6 expected)",
    "vertex [U{n}] of edge does not exist",
    "line {n}: '2026-13-01' is not a date (YYYY-MM-DD HH:MM:SS)",
    "label [merchant_v2] is not in the metadata",
    "line {n}: value 'n/a' of property 'amount' is not a double",
    "line {n}: char array of property 'name' is longer than 64",
    "edge source vertex [A{n}] does not exist",
    "line {n}: 'GOLD' is not listed for enum 'tier'",
    "line {n}: 数据列数与元数据不一致",
    "line {n}: vertex id is empty",
]
GONE_FILE = "GES.7017: The object does not exist. Check whether the bucket or object name is correct."


@dataclass(frozen=True, slots=True)
class SimulatedJob:
    """A job that will have gone this way."""

    job_id: str
    name: str
    graph: str
    asked_at: datetime
    begin: datetime
    end: datetime
    outcome: str  # success, partial, failed
    files: int
    seed: str


class Story:
    """All jobs of one project, past and to come, counted from `epoch`."""

    def __init__(self, seed: int, epoch: datetime) -> None:
        self.seed, self.epoch = seed, epoch.replace(microsecond=0)
        self._past = self._make_past()

    def graphs(self) -> list[dict[str, Any]]:
        """The graph list's items."""
        return [{"id": key, "name": name, "status": "200", "actionProgress": None} for key, name in GRAPHS.items()]

    def jobs(self, now: datetime) -> list[SimulatedJob]:
        """All that exist now, newest first."""
        new = int((now - self.epoch) / EVERY) if now >= self.epoch else -1
        return [self._new(number) for number in range(new, -1, -1)] + self._past

    def find(self, job_id: str, now: datetime) -> SimulatedJob | None:
        """The job, if it exists by now."""
        return next((job for job in self.jobs(now) if job.job_id == job_id), None)

    def _make_past(self) -> list[SimulatedJob]:
        start = self.epoch.replace(hour=2, minute=0, second=0) - timedelta(days=PAST_DAYS)
        made = []
        for day in range(PAST_DAYS + 1):
            for index, graph in enumerate([*GRAPHS.values(), GONE]):
                if graph == GONE and day > 9:
                    continue
                night = start + timedelta(days=day, minutes=17 * index)
                outcome = "partial" if (day + index) % 4 == 0 else "failed" if (day * 3 + index) % 17 == 0 else "success"
                files = 300 if (day, index) == (PAST_DAYS - 2, 0) else 3 + self._random(f"n{day}.{graph}").randrange(40)
                made.append(self._job(f"past.{day}.{graph}", "ImportGraph", graph, night, 90 + 11 * files, outcome, files))
                other = OTHER_JOBS[(day + 5 * index) % len(OTHER_JOBS)]
                later = night + timedelta(hours=3)
                outcome = "failed" if (day * 5 + index) % 23 == 0 else "success"
                made.append(self._job(f"other.{day}.{graph}", other, graph, later, 240, outcome, 0))
        made.append(
            self._job("last", "ImportGraph", "payments_graph", self.epoch - timedelta(minutes=9), 150, "partial", 31)
        )
        past = [job for job in made if job.end < self.epoch]
        return sorted(past, key=lambda job: job.begin, reverse=True)

    def _new(self, number: int) -> SimulatedJob:
        graph = list(GRAPHS.values())[number % len(GRAPHS)]
        roll = self._random(f"new.{number}")
        name = "ImportGraph" if number % 3 != 2 else roll.choice(OTHER_JOBS)
        outcome = ("success", "partial", "success", "success", "partial", "failed", "success")[number % 7]
        files = roll.randrange(3, 24) if name == "ImportGraph" else 0
        if name != "ImportGraph" and outcome == "partial":
            outcome = "success"
        return self._job(f"new.{number}", name, graph, self.epoch + number * EVERY, roll.randrange(15, 120), outcome, files)

    def _job(
        self, key: str, name: str, graph: str, asked_at: datetime, seconds: int, outcome: str, files: int
    ) -> SimulatedJob:
        digest = hashlib.sha256(f"{self.seed}.{key}".encode()).hexdigest()
        shapes = [
            digest[:32],
            str(uuid.UUID(digest[:32])),
            digest[:33],
            f"{uuid.UUID(digest[:32])}{int(digest[:7], 16):09d}",
        ]
        begin = asked_at + timedelta(seconds=4)
        job_id = shapes[int(digest[-1], 16) % len(shapes)]
        return SimulatedJob(job_id, name, graph, asked_at, begin, begin + timedelta(seconds=seconds), outcome, files, digest)

    def _random(self, key: str) -> random.Random:
        return random.Random(f"{self.seed}.{key}")  # noqa: S311  a story, not a secret

    def state(self, job: SimulatedJob, now: datetime) -> dict[str, Any]:
        """The v1 status of a job at a time."""
        said: dict[str, Any] = {"jobId": job.job_id, "status": "pending", "jobType": "GraphManagement", "jobName": job.name}
        if job.name.endswith("Backup"):
            said["jobType"] = "BackupManagement"
        said["relatedGraph"] = job.graph
        if now < job.begin:
            return said
        final = now >= job.end
        said |= {"status": self._word(job) if final else "running", "beginTime": f"{job.begin:%Y-%m-%dT%H:%M:%S}"}
        if final:
            said["endTime"] = f"{job.end:%Y-%m-%dT%H:%M:%S}"
        if job.files:
            share = 1.0 if final else (now - job.begin) / (job.end - job.begin)
            said["jobDetail"] = self._detail(job, share, final)
        if final and job.outcome == "failed":
            said["failReason"] = (
                "Failed to incrementally import data to the graph." if job.files else "GES.7006 internal error"
            )
        return said | {"jobProgress": 0}

    def _word(self, job: SimulatedJob) -> str:
        if job.outcome != "partial":
            return job.outcome
        # Older engines have no word for it and say success; the files tell.
        return "success" if job.seed[0] in "01" else "partiallyFailed"

    def _detail(self, job: SimulatedJob, share: float, final: bool) -> dict[str, Any]:
        roll = random.Random(job.seed)  # noqa: S311
        vertices = max(1, (job.files - 1) * 2 // 5)
        edges = max(1, job.files - 1 - vertices)
        data = vertices + edges
        bad = set(range(data)) if job.outcome == "failed" else set()
        if job.outcome == "partial":
            bad = set(roll.sample(range(data), min(max(1, data // 9), data)))
        logged = roll.random() < 0.7
        folder = re.sub(r"\W", "-", job.graph) + f"/{job.begin:%Y-%m-%d}"
        rows = []
        for place in range(data):
            kind, number = ("vertex", place) if place < vertices else ("edge", place - vertices)
            rows.append(
                _file(roll, f"ges-data/{folder}/{kind}/part-{number:04d}.csv", place in bad, job, logged, share, final)
            )
        schema: dict[str, Any] = {"path": f"ges-data/{folder}/schema.xml", "log": None, "cause": None, "status": "success"}
        if job.seed[1] in "0123":
            schema |= {"cause": "all labels are imported", "totalLines": 4, "failedLines": 4, "successfulLines": 0}
        return {"vertexsetPath": rows[:vertices], "edgesetPath": rows[vertices:], "schemaPath": [schema]}


def _file(
    roll: random.Random, path: str, bad: bool, job: SimulatedJob, logged: bool, share: float, final: bool
) -> dict[str, Any]:
    total = roll.randrange(900, 240_000)
    failed = roll.randrange(1, max(2, total // 6)) if bad else 0
    cause = roll.choice(CAUSES).format(n=roll.randrange(10, 90_000))
    silent = roll.random() < 0.04  # an engine that reports no counts for a file
    if bad and job.outcome == "failed":
        failed, cause = total, GONE_FILE if roll.random() < 0.5 else cause
    if not final:
        total, failed = int(total * share), int(failed * share)
    status = "success" if not failed else "failed" if failed == total else "partFailed"
    name = path.rsplit("/", 1)[1].removesuffix(".csv")
    counts = (-1, -1, -1) if silent else (total, failed, total - failed)
    return {
        "path": path,
        "log": f"ges-logs/{job.job_id[:12]}/{name}.log" if failed and logged else None,
        "cause": cause if failed else None,
        "status": status,
        "totalLines": counts[0],
        "failedLines": counts[1],
        "successfulLines": counts[2],
    }


def to_v2(value: Any) -> Any:
    """The same with v2's snake_case keys."""
    if isinstance(value, list):
        return [to_v2(one) for one in value]
    if isinstance(value, dict):
        renamed = {"errorMessage": "error_msg"}
        return {renamed.get(key) or re.sub(r"(?<=[a-z])[A-Z]", lambda m: "_" + m[0].lower(), key): to_v2(one)
                for key, one in value.items()}  # fmt: skip
    return value
