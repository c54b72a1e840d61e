"""The jobs of the simulated GES, past and to come: a pure function of seed and clock."""

import hashlib
import random
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from jobs.ges.simulator import plot
from jobs.ges.simulator.graph_list import graph_item
from jobs.ges.simulator.plot import GraphPlot
from jobs.ges.simulator.replies import Loss, SimulatedJob, status_of

NEW_JOB_EVERY = timedelta(seconds=25)  # in turn over the graphs
FAST_JOBS = 300  # that begin so often; a demo that is kept for days goes on more slowly
LATER_JOB_EVERY = timedelta(minutes=2)
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
        self.seed = seed
        self.epoch = epoch.replace(microsecond=0)
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
        return job if job is not None and job.submitted_at <= max(now, self.epoch) else None

    def state(self, job: SimulatedJob, now: datetime) -> dict[str, Any]:
        """The v1 status of a job at a time."""
        return status_of(job, now)

    def graphs(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """The graph list's items in v1's keys; without a time, as at the epoch."""
        now = now or self.epoch
        jobs = self.jobs(now)
        return [
            graph_item(graph, number, jobs, self.epoch, now)
            for number, graph in enumerate(plot.GRAPHS)
            if graph.graph_id
        ]

    def _begun(self, now: datetime) -> list[SimulatedJob]:
        age = now - self.epoch
        fast_age = FAST_JOBS * NEW_JOB_EVERY
        count = 0
        if age >= timedelta(0):
            count += min(int(age / NEW_JOB_EVERY) + 1, FAST_JOBS)
        if age >= fast_age:
            count += int((age - fast_age) / LATER_JOB_EVERY) + 1
        while len(self._new) < count:
            job = self._make_new(len(self._new))
            self._new.append(job)
            self._by_id[job.job_id] = job
        return self._new[:count]

    def _make_new(self, number: int) -> SimulatedJob:
        living = [graph for graph in plot.GRAPHS if graph.living]
        graph = living[number % len(living)]
        start = (
            self.epoch
            + min(number, FAST_JOBS) * NEW_JOB_EVERY
            + max(0, number - FAST_JOBS) * LATER_JOB_EVERY
        )
        roll = self._random(f"new.{number}")
        seconds = roll.randrange(15, 120) if number % 12 != 7 else 240
        if number % 3 == 2:
            name = roll.choice(plot.OTHER_JOBS)
            return self._job(f"new.{number}", name, graph.name, start, seconds, "success")
        outcome = OUTCOMES[roll.randrange(len(OUTCOMES))]
        folder = self._folder(graph, start, "stream")
        names = _names(6 + graph.files // 4)
        losses = {}
        if outcome == "partial":
            losses = {
                f"{folder}/{name}": Loss(roll.choice(plot.CAUSES[graph.name]))
                for name in roll.sample(names, 2)
            }
        return self._import(
            f"new.{number}", graph.name, start, seconds, outcome, folder, names, losses
        )

    def _make_past(self) -> list[SimulatedJob]:
        newest = self.epoch.replace(hour=2, minute=0, second=0)
        # The newest night is over at the epoch, its repairs too.
        if newest + timedelta(hours=4) > self.epoch:
            newest -= timedelta(days=1)
        jobs = [*self._make_rare(newest), *self._make_last()]
        for index, graph in enumerate(plot.GRAPHS):
            for night in graph.nights:
                start = newest + timedelta(minutes=17 * index) - timedelta(days=night)
                jobs += self._make_night(graph, night, start)
                jobs.append(self._make_other(graph, index, night, start + timedelta(hours=2)))
        return jobs

    def _make_other(
        self, graph: GraphPlot, index: int, night: int, start: datetime
    ) -> SimulatedJob:
        """A job of the same night that is no import."""
        name = plot.OTHER_JOBS[(night + 5 * index) % len(plot.OTHER_JOBS)]
        outcome = "failed" if (night * 5 + index) % 23 == 0 else "success"
        return self._job(f"other.{graph.name}.{night}", name, graph.name, start, 240, outcome)

    def _make_night(self, graph: GraphPlot, night: int, start: datetime) -> list[SimulatedJob]:
        """The import of a night, and its repair if it has one."""
        key = f"{graph.name}.{night}"
        folder = self._folder(graph, start)
        names = _names(graph.files)
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
        jobs = [
            self._import(
                f"night.{key}", graph.name, start, seconds, outcome, folder, names, losses, quirk
            )
        ]
        if (graph.name, night) in plot.REPAIRED:
            failed = [path.removeprefix(f"{folder}/") for path in losses]
            later = start + timedelta(hours=1)
            jobs.append(
                self._import(
                    f"repair.{key}",
                    graph.name,
                    later,
                    45,
                    "success",
                    folder,
                    failed,
                    {},
                    schema=False,
                )
            )
        return jobs

    def _make_rare(self, newest: datetime) -> list[SimulatedJob]:
        """A very big import, and one whose texts are out of the ordinary."""
        return [self._make_big(newest), self._make_odd_texts(newest)]

    def _make_big(self, newest: datetime) -> SimulatedJob:
        folder = f"ges-data/fraud-rings/backfill/{newest - timedelta(days=3):%Y-%m-%d}"
        names = _names(1000)
        losses = {
            f"{folder}/{name}": Loss(plot.CAUSES["fraud_rings"][1]) for name in names[11:999:140]
        }
        start = newest - timedelta(days=3) + timedelta(hours=9)
        return self._import("big", "fraud_rings", start, 2900, "partial", folder, names, losses)

    def _make_odd_texts(self, newest: datetime) -> SimulatedJob:
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
        start = newest - timedelta(days=4) + timedelta(hours=9)
        return self._import("texts", "社交关系图", start, 80, "partial", folder, names, losses)

    def _make_last(self) -> list[SimulatedJob]:
        """An import that just ended, with failed lines in one file, and one that never ends."""
        graph = plot.BY_NAME["payments_graph"]
        start = self.epoch - timedelta(minutes=12)
        folder = self._folder(graph, self.epoch)
        loss = Loss(plot.CAUSES[graph.name][0], lines=plot.SPOILED_LOSS)
        losses = {f"{folder}/{plot.SPOILED_FILE}": loss}
        names = _names(graph.files)
        last = self._import("last", graph.name, start, 430, "partial", folder, names, losses)

        graph = plot.BY_NAME["supply_chain"]
        start = self.epoch - timedelta(hours=3)
        folder = self._folder(graph, start)
        names = _names(graph.files)
        endless = self._import(
            "endless", graph.name, start, 300, "success", folder, names, {}, "endless"
        )
        return [last, endless]

    def _folder(self, graph: GraphPlot, start: datetime, *below: str) -> str:
        name = re.sub(r"_graph$", "", graph.name).replace("_", "-")
        date = [f"{start:%Y-%m-%d}"] if graph.dated else []
        return "/".join(["ges-data", name, *date, *below])

    def _import(
        self,
        key: str,
        graph: str,
        start: datetime,
        seconds: int,
        outcome: str,
        folder: str,
        names: list[str],
        losses: Mapping[str, Loss],
        quirk: str = "",
        *,
        schema: bool = True,
    ) -> SimulatedJob:
        vertices = tuple(f"{folder}/{name}" for name in names if name.startswith("vertex"))
        edges = tuple(f"{folder}/{name}" for name in names if name.startswith("edge"))
        if outcome == "failed":
            roll = self._random(f"failed.{key}")
            causes = [plot.GONE_FILE, plot.CAUSES[graph][0]]
            losses = {path: Loss(roll.choice(causes), whole=True) for path in vertices + edges}
        return self._job(
            key,
            "ImportGraph",
            graph,
            start,
            seconds,
            outcome,
            vertices=vertices,
            edges=edges,
            schema=f"{folder}/schema.xml" if schema else None,
            losses=losses,
            quirk=quirk,
        )

    def _job(
        self,
        key: str,
        name: str,
        graph: str,
        submitted_at: datetime,
        seconds: int,
        outcome: str,
        **files: Any,
    ) -> SimulatedJob:
        digest = hashlib.sha256(f"{self.seed}.{key}".encode()).hexdigest()
        ids = [
            digest[:32],
            str(uuid.UUID(digest[:32])),
            digest[:33],
            f"{uuid.UUID(digest[:32])}{int(digest[:7], 16):09d}",
        ]
        job_id = ids[int(digest[-1], 16) % len(ids)]
        begin = submitted_at + timedelta(seconds=4)
        end = begin + timedelta(seconds=seconds)
        return SimulatedJob(job_id, name, graph, submitted_at, begin, end, outcome, digest, **files)

    def _random(self, key: str) -> random.Random:
        return random.Random(f"{self.seed}.{key}")  # noqa: S311  a story, not a secret


def _names(files: int) -> list[str]:
    """The data files of an import; `files` counts the schema file, two in five are vertex files."""
    vertices = max(1, (files - 1) * 2 // 5)
    return [
        *(f"vertex/part-{number:04d}.csv" for number in range(vertices)),
        *(f"edge/part-{number:04d}.csv" for number in range(files - 1 - vertices)),
    ]
