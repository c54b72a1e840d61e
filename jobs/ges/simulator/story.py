"""The jobs of the simulated GES, past and to come: a pure function of seed and clock."""

import hashlib
import random
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from jobs.ges.simulator import plot as plot
from jobs.ges.simulator.plot import GraphPlot
from jobs.ges.simulator.replies import Loss, SimulatedJob, status_of

EVERY = timedelta(seconds=25)  # how often a new job begins, in turn over the graphs
LIVELY = 300  # so many of them; a demo that is kept for days goes on more slowly
LATER = timedelta(minutes=2)
OUTCOMES = (
    "success",
    "success",
    "partial",
    "success",
    "success",
    "partial",
    "success",
    "failed",
    "success",
    "success",
)


class Story:
    """All jobs of one project, counted from `epoch`."""

    def __init__(self, seed: int, epoch: datetime) -> None:
        self.seed, self.epoch = seed, epoch.replace(microsecond=0)
        self._past = sorted(self._make_past(), key=lambda job: job.begin, reverse=True)
        self._new: list[SimulatedJob] = []
        self._by_id = {job.job_id: job for job in self._past}

    def jobs(self, now: datetime) -> list[SimulatedJob]:
        """All that exist now, newest first."""
        return self._begun(now)[::-1] + self._past

    def find(self, job_id: str, now: datetime) -> SimulatedJob | None:
        """The job, if it exists by now."""
        self._begun(now)
        job = self._by_id.get(job_id)
        return job if job is not None and job.asked_at <= max(now, self.epoch) else None

    def state(self, job: SimulatedJob, now: datetime) -> dict[str, Any]:
        """The v1 status of a job at a time."""
        return status_of(job, now)

    def graphs(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """The graph list's items in v1's keys; without a time, as at the epoch."""
        at = now or self.epoch
        jobs = self.jobs(at)
        return [
            self._graph(number, graph, jobs, at)
            for number, graph in enumerate(plot.GRAPHS)
            if graph.graph_id
        ]

    def _graph(
        self, number: int, graph: GraphPlot, jobs: list[SimulatedJob], now: datetime
    ) -> dict[str, Any]:
        imports = [job for job in jobs if job.graph == graph.name and job.files]
        newest = next(job for job in imports if job.has_ended(now))
        said = status_of(newest, now)["jobDetail"]
        words = {"partFailed": "partiallyFailed"}  # this list spells it as jobs do
        files = {
            key: [
                {
                    "path": one["path"],
                    "jobId": newest.job_id,
                    "status": words.get(one["status"], one["status"]),
                }
                for one in said[key] or []
            ]
            for key in ("schemaPath", "edgesetPath", "vertexsetPath")
        }
        created = self.epoch - timedelta(days=90 + 31 * number)
        return {
            "id": graph.graph_id,
            "name": graph.name,
            "status": "202"
            if any(job.begin <= now and not job.has_ended(now) for job in imports)
            else "200",
            "actionProgress": None,
            **files,
            "dataStoreVersion": ("2.4.2", "2.4.2", "2.3.17", "2.4.2", "2.2.13")[number],
            "graphSizeTypeIndex": "2",
            "regionCode": "cn-north-4",
            "azCode": "cn-north-4a",
            "createdBy": "graph-team",
            "created": f"{created:%Y-%m-%dT%H:%M:%S}",
            "updated": f"{newest.end:%Y-%m-%dT%H:%M:%S}",
            "replication": 1,
            "privateIp": f"192.168.0.{20 + number}",
            "publicIp": None,
            "arch": "x86_64",
            "enableFulltextIndex": False,
            "enableRBAC": False,
            "sys_tags": [],
        }

    def _begun(self, now: datetime) -> list[SimulatedJob]:
        since = now - self.epoch
        count = min(int(since / EVERY) + 1, LIVELY) if since >= timedelta(0) else 0
        count += max(0, int((since - LIVELY * EVERY) / LATER) + 1) if since >= LIVELY * EVERY else 0
        while len(self._new) < count:
            job = self._make_new(len(self._new))
            self._new.append(job)
            self._by_id[job.job_id] = job
        return self._new[:count]

    def _make_new(self, number: int) -> SimulatedJob:
        living = [graph for graph in plot.GRAPHS if graph.living]
        graph = living[number % len(living)]
        at = self.epoch + min(number, LIVELY) * EVERY + max(0, number - LIVELY) * LATER
        roll = self._random(f"new.{number}")
        seconds = roll.randrange(15, 120) if number % 12 != 7 else 240
        if number % 3 == 2:
            return self._job(
                f"new.{number}", roll.choice(plot.OTHER_JOBS), graph.name, at, seconds, "success"
            )
        outcome = OUTCOMES[roll.randrange(len(OUTCOMES))]
        folder, names = self._folder(graph, at, "stream"), _names(6 + graph.files // 4)
        losses = {}
        if outcome == "partial":
            losses = {
                f"{folder}/{name}": Loss(roll.choice(plot.CAUSES[graph.name]))
                for name in roll.sample(names, 2)
            }
        return self._import(
            f"new.{number}", graph.name, at, seconds, outcome, folder, names, losses
        )

    def _make_past(self) -> list[SimulatedJob]:
        newest = self.epoch.replace(hour=2, minute=0, second=0)
        if (
            newest + timedelta(hours=4) > self.epoch
        ):  # the newest night is over at the epoch, its repairs too
            newest -= timedelta(days=1)
        made = [*self._make_rare(newest), *self._make_last()]
        for index, graph in enumerate(plot.GRAPHS):
            for night in graph.nights:
                at = newest + timedelta(minutes=17 * index) - timedelta(days=night)
                made += self._make_night(graph, night, at)
                other = plot.OTHER_JOBS[(night + 5 * index) % len(plot.OTHER_JOBS)]
                outcome = "failed" if (night * 5 + index) % 23 == 0 else "success"
                later = at + timedelta(hours=2)
                made.append(
                    self._job(f"other.{graph.name}.{night}", other, graph.name, later, 240, outcome)
                )
        return made

    def _make_night(self, graph: GraphPlot, night: int, at: datetime) -> list[SimulatedJob]:
        """The import of a night, and its repair if it has one."""
        key, folder, names = f"{graph.name}.{night}", self._folder(graph, at), _names(graph.files)
        losses = {
            f"{folder}/{name}": Loss(trouble.cause, trouble.whole)
            for trouble in plot.TROUBLES
            if trouble.graph == graph.name and night in trouble.nights
            for name in trouble.files
        }
        outcome = (
            "failed" if (graph.name, night) in plot.FAILED else "partial" if losses else "success"
        )
        quirk = plot.QUIRKS.get((graph.name, night), "")
        seconds = 90 + 11 * graph.files + self._random(key).randrange(60)
        made = [
            self._import(
                f"night.{key}", graph.name, at, seconds, outcome, folder, names, losses, quirk
            )
        ]
        if (graph.name, night) in plot.REPAIRED:
            lost = [path.removeprefix(f"{folder}/") for path in losses]
            hour = at + timedelta(hours=1)
            repair = self._import(
                f"repair.{key}", graph.name, hour, 45, "success", folder, lost, {}, schema=False
            )
            made.append(repair)
        return made

    def _make_rare(self, newest: datetime) -> list[SimulatedJob]:
        """A very big import, and one whose texts are out of the ordinary."""
        folder, names = (
            f"ges-data/fraud-rings/backfill/{newest - timedelta(days=3):%Y-%m-%d}",
            _names(1000),
        )
        losses = {
            f"{folder}/{name}": Loss(plot.CAUSES["fraud_rings"][1]) for name in names[11:999:140]
        }
        at = newest - timedelta(days=3) + timedelta(hours=9)
        big = self._import("big", "fraud_rings", at, 2900, "partial", folder, names, losses)
        folder = "ges-data/社交关系图/migration"
        names = [
            f"vertex/{plot.MARKUP}.csv",
            """vertex/it's "quoted" & more.csv""",
            "vertex/" + "a-folder-in-a-folder/" * 45 + "part-0000.csv",
            "edge/part-0000.csv",
            "edge/part-0001.csv",
        ]
        losses = {
            f"{folder}/{names[0]}": Loss(plot.HOSTILE_CAUSE),
            f"{folder}/{names[2]}": Loss(plot.LONG_CAUSE),
            f"{folder}/{names[4]}": Loss(plot.CAUSES["社交关系图"][1], whole=True),
        }
        at = newest - timedelta(days=4) + timedelta(hours=9)
        return [big, self._import("texts", "社交关系图", at, 80, "partial", folder, names, losses)]

    def _make_last(self) -> list[SimulatedJob]:
        """An import that ended a moment ago and lost lines of one file, and one that began long ago and never ends."""
        graph = plot.BY_NAME["payments_graph"]
        folder = self._folder(graph, self.epoch)
        loss = Loss(plot.CAUSES["payments_graph"][0], lines=plot.SPOILED_LOSS)
        at = self.epoch - timedelta(minutes=12)
        losses = {f"{folder}/{plot.SPOILED_FILE}": loss}
        last = self._import(
            "last", graph.name, at, 430, "partial", folder, _names(graph.files), losses
        )
        graph, at = plot.BY_NAME["supply_chain"], self.epoch - timedelta(hours=3)
        names, folder = _names(graph.files), self._folder(graph, at)
        return [
            last,
            self._import("endless", graph.name, at, 300, "success", folder, names, {}, "endless"),
        ]

    def _folder(self, graph: GraphPlot, at: datetime, *below: str) -> str:
        words = re.sub(r"_graph$", "", graph.name).replace("_", "-")
        return "/".join(["ges-data", words, *([f"{at:%Y-%m-%d}"] if graph.dated else []), *below])

    def _import(
        self, key: str, graph: str, at: datetime, seconds: int, outcome: str, folder: str, names: list[str],
        losses: Mapping[str, Loss], quirk: str = "", *, schema: bool = True,
    ) -> SimulatedJob:  # fmt: skip
        paths = {
            kind: tuple(f"{folder}/{name}" for name in names if name.startswith(kind))
            for kind in ("vertex", "edge")
        }
        if outcome == "failed":
            roll = self._random(f"failed.{key}")
            causes = [plot.GONE_FILE, plot.CAUSES[graph][0]]
            losses = {
                path: Loss(roll.choice(causes), whole=True)
                for path in paths["vertex"] + paths["edge"]
            }
        return self._job(
            key, "ImportGraph", graph, at, seconds, outcome, vertices=paths["vertex"], edges=paths["edge"],
            schema=f"{folder}/schema.xml" if schema else None, losses=losses, quirk=quirk,
        )  # fmt: skip

    def _job(
        self,
        key: str,
        name: str,
        graph: str,
        asked_at: datetime,
        seconds: int,
        outcome: str,
        **files: Any,
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
        end = begin + timedelta(seconds=seconds)
        return SimulatedJob(job_id, name, graph, asked_at, begin, end, outcome, digest, **files)

    def _random(self, key: str) -> random.Random:
        return random.Random(f"{self.seed}.{key}")  # noqa: S311  a story, not a secret


def _names(files: int) -> list[str]:
    """The data files of an import of so many files, the schema file among them; two in five are vertex files."""
    vertices = max(1, (files - 1) * 2 // 5)
    return [f"vertex/part-{n:04d}.csv" for n in range(vertices)] + [
        f"edge/part-{n:04d}.csv" for n in range(files - 1 - vertices)
    ]


def to_v2(value: Any) -> Any:
    """The same with v2's snake_case keys."""
    if isinstance(value, list):
        return [to_v2(one) for one in value]
    if isinstance(value, dict):
        renamed = {
            "errorMessage": "error_msg", "enableRBAC": "enable_rbac", "enableFulltextIndex": "enable_full_text_index",
        }  # fmt: skip
        return {renamed.get(key) or re.sub(r"(?<=[a-z])[A-Z]", lambda m: "_" + m[0].lower(), key): to_v2(one)
                for key, one in value.items()}  # fmt: skip
    return value
