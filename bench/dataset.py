"""A year of jobs to measure on: by default a million, three million files, five million replies. Same options, same rows.

GESDASH_HOME=/somewhere uv run python bench/dataset.py [--jobs N] [--replies 5]

One week is told to the recorder, reply by reply; the database copies it week after week with other ids and days, in the rows
and in the replies alike, so that every row is what the recorder would make of its reply. The last hour is recorded as well.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gesdash.settings")
os.environ.setdefault("GESDASH_HOME", ".gesdash-bench")

WEEKS, GRAPHS, RUNNING, GIANT = 52, 200, 200, 1000
#: Shares of the jobs; the member sees the last but one alone.
PROJECTS = {
    "bench-a": 0.5,
    "bench-b": 0.3,
    "bench-c": 0.18,
    "bench-member": 0.0199,
    "bench-tiny": 0.0001,
}
OTHERS = (
    "ExportGraph",
    "BackupGraph",
    "ClearGraph",
    "StartGraph",
    "StopGraph",
    "CreateGraph",
    "RestoreGraph",
)
VERDICTS, SHARES = ("success", "partFailed", "failed"), (85, 10, 5)
FOLDERS = ("vertex", "edge", "vertex/account", "edge/transfer", "edge/owns")
CAUSES = [
    "Line {n}: the value '{n}' of property age is not an integer.",
    "Line {n}: the label person_{n} does not exist in the schema.",
    "Vertex {n} of the edge in line {n} does not exist.",
    "GES.7017: the file obs-bench/in/{n}.csv does not exist.",
    "Read of obs-bench/in/{n}.csv timed out after {n} ms.",
    *(f"GES.8{code:03d}: the engine refused line {{n}} of column c{{n}}." for code in range(40)),
]
RARE = "The edge label zymurgy has no source label."


def reply(
    job_id: str, status: str, graph: str, name: str, begin: datetime | None, **more: Any
) -> bytes:
    told = {
        "jobId": job_id,
        "status": status,
        "jobType": "GraphManagement",
        "jobName": name,
        "relatedGraph": graph,
    }
    if begin is not None:
        told["beginTime"] = f"{begin:%Y-%m-%dT%H:%M:%S}"
    return json.dumps(told | more).encode()


def files(
    roll: random.Random, graph: str, begin: datetime, word: str, count: int
) -> dict[str, Any]:
    """A job detail in which a few files, or all of them, lost lines."""
    lists: dict[str, list[Any]] = {"schemaPath": [], "vertexsetPath": [], "edgesetPath": []}
    spoiled = {"success": 0, "partFailed": max(1, count // 4), "failed": count}[word]
    for number in range(count):
        folder = "schema" if number == 0 else FOLDERS[number % len(FOLDERS)]
        kind = "schemaPath" if number == 0 else f"{folder.split('/')[0]}setPath"
        total = roll.randrange(1_000, 200_000)
        is_spoiled = 0 < number <= spoiled
        failed = (total if word == "failed" else roll.randrange(1, total)) if is_spoiled else 0
        cause = roll.choices(CAUSES, weights=range(len(CAUSES), 0, -1))[0].format(
            n=roll.randrange(10**6)
        )
        lists[kind].append({
            "path": f"obs-bench/{graph}/{begin:%Y-%m-%d}/{folder}/part-{number:05d}.csv",
            "log": None,
            "status": word if is_spoiled else "success",
            "cause": (RARE if roll.random() < 0.001 else cause) if is_spoiled else None,
            "totalLines": total,
            "failedLines": failed,
            "successfulLines": total - failed,
        })  # fmt: skip
    return {"jobDetail": lists}


class Week:
    """The jobs of one week and all their replies; ids, times and figures come from one seed."""

    def __init__(self, jobs: int, replies: int, first: datetime) -> None:
        self.roll, self.jobs, self.replies, self.first = random.Random(7), jobs, replies, first
        self.graphs = _graphs()

    def observations(self) -> Iterator[Any]:
        from jobs.ges.errors import Unreachable
        from jobs.models import Job
        from jobs.record import Observation, observe

        roll = self.roll
        early = None
        for number in range(self.jobs):
            begin = self.first + number * timedelta(days=7) / self.jobs
            # A job ends on the day it began, so that another week's copy differs in one date.
            left = (begin.replace(hour=23, minute=59, second=59) - begin).total_seconds()
            end = begin + timedelta(seconds=int(min(left, roll.lognormvariate(6, 1))))
            graph, size = self._graph()
            word = roll.choices(VERDICTS, SHARES)[0]
            told = {"endTime": f"{end:%Y-%m-%dT%H:%M:%S}"}
            if is_import := number % 3 == 0:
                told |= files(roll, graph.name, begin, word, size)
            if word == "failed":
                told["failReason"] = f"GES.70{roll.randrange(10, 40)}: the job could not be run."
            name = "ImportGraph" if is_import else roll.choice(OTHERS)
            job_id = hashlib.md5(f"{number}".encode(), usedforsecurity=False).hexdigest()
            job = Job(project=graph.project, graph=graph, job_id=job_id, first_seen_at=begin)
            for step in range(self.replies - 1):
                running = reply(job_id, "running", graph.name, name, begin, jobProgress=str(step))
                seen = Observation(
                    job,
                    "poll",
                    begin + step * (end - begin) / self.replies,
                    200,
                    running,
                    reply=early,
                )
                early = seen.reply = early or observe(job, "poll", begin, 200, running).reply
                yield seen
            if number % 20 == 0:
                yield Observation(
                    job, "poll", end, None, None, error=Unreachable("GES could not be reached.")
                )
            yield observe(
                job,
                "poll",
                end + timedelta(seconds=5),
                200,
                reply(job_id, word, graph.name, name, begin, **told),
            )

    def _graph(self) -> tuple[Any, int]:
        if self.roll.random() < PROJECTS["bench-tiny"]:
            return self.graphs[-1], 5
        at = int(self.roll.betavariate(1, 3) * (GRAPHS - 1))
        return self.graphs[at], 3 + at % 13


def _graphs() -> list[Any]:
    from jobs.models import Graph, Project

    projects = {
        name: Project.objects.create(
            project_id=name, name=name, endpoint="http://127.0.0.1:9", credentials=""
        )
        for name in PROJECTS
    }
    busy = random.Random(1).choices(
        list(PROJECTS)[:-1], weights=list(PROJECTS.values())[:-1], k=GRAPHS - 1
    )
    return [
        Graph.objects.create(
            project=projects[name], graph_id=f"graph-{at:04d}", name=f"bench_graph_{at:03d}"
        )
        for at, name in enumerate([*busy, "bench-tiny"])
    ]


def people(projects: str = "bench-member") -> None:
    from django.contrib.auth.models import User

    from jobs.models import Project

    User.objects.create_superuser("root")
    User.objects.create_user("member").ges_projects.add(Project.objects.get(project_id=projects))


def decide(end: datetime) -> None:
    """Most imports that lost data were accepted, by somebody, a day later."""
    from django.contrib.auth.models import User

    from jobs.decisions import review
    from jobs.models import Job

    somebody = User.objects.get(username="root")
    for number, job in enumerate(Job.objects.filter(review="waiting").order_by("pk")):
        if number % 10 < 7:
            state = "to_fix" if number % 10 == 6 else "accepted"
            review.decide(job, state=state, actor=somebody, now=end, note="known, harmless")


def copy_weeks(stride: int) -> None:
    """The recorded week again and again. The newest two weeks' reviews are still to come."""
    from django.db import connection, transaction

    from bench.chaining import chain_stored_replies
    from jobs.models import ImportFile, Job, Miss, Review, Snapshot

    undecided = f"n >= {WEEKS - 2}"
    new_id = "md5(j.job_id || n)"
    body = f"convert_to(replace(replace(convert_from(t.body, 'UTF8'), j.job_id, {new_id}), {_DAY}, {_NEW_DAY}), 'UTF8')"
    state = f"CASE WHEN {undecided} AND t.review IN ('accepted', 'to_fix') THEN 'waiting' ELSE t.review END"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL session_replication_role = replica"
        )  # the rows refer to each other as the first week's do
        indexes = _drop_indexes(cursor, Job, ImportFile, Snapshot)
        _copy(cursor, Job, stride, id=f"t.id + n * {stride}", job_id=new_id, review=state)
        _copy(cursor, ImportFile, stride)
        _copy(cursor, Snapshot, stride, body=body, sha256=f"sha256({body})")
        _copy(cursor, Miss, stride)
        _copy(cursor, Review, stride, where=f"NOT {undecided}")
        cursor.execute(
            f"UPDATE jobs_cause SET last_seen_at = last_seen_at + {WEEKS - 1} * interval '7 days'"
        )
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('jobs_job', 'id'), max(id)) FROM jobs_job"
        )
        chain_stored_replies(cursor)
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        for statement in indexes:
            cursor.execute(statement)


_DAY = "to_char(j.begin_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
_NEW_DAY = "to_char((j.begin_time AT TIME ZONE 'UTC') + n * interval '7 days', 'YYYY-MM-DD')"
_DATED = ("path", "log")


def _drop_indexes(cursor: Any, *models: Any) -> list[str]:
    """Take away the indexes that no constraint needs; what makes them again."""
    cursor.execute(
        """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique""",
        [[model._meta.db_table for model in models]],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [statement for _, statement in found]


def _copy(cursor: Any, model: Any, stride: int, where: str = "true", **expressions: str) -> None:
    """Append this table's rows of each later week: times a week on, the job that of the week, the day in texts too."""
    columns = {}
    for field in model._meta.concrete_fields:
        if field.generated or (field.primary_key and field.name not in expressions):
            continue
        value = f't."{field.column}"'
        if field.get_internal_type() == "DateTimeField":
            value = f"{value} + n * interval '7 days'"
        elif field.name == "job":
            value = f"{value} + n * {stride}"
        elif field.name in _DATED:
            value = f"replace({value}, {_DAY}, {_NEW_DAY})"
        columns[field.column] = expressions.get(field.name, value)
    table, key = model._meta.db_table, "id" if model._meta.model_name == "job" else "job_id"
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    began = time.monotonic()
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {WEEKS - 1}) n, {table} t "
        f"JOIN jobs_job j ON j.id = t.{key} WHERE {where} ORDER BY n, t.id"
    )
    print(
        f"{table}: {cursor.rowcount:,} rows copied in {time.monotonic() - began:.0f} s", flush=True
    )


def last_hour(end: datetime) -> None:
    """What runs now, with its watches, and two imports of a thousand files, the second of which lost some."""
    from jobs.models import Graph, Job
    from jobs.polling.watches import watch_unfinished
    from jobs.record import find_jobs, observe, record

    roll = random.Random(3)
    graphs = list(Graph.objects.select_related("project").order_by("pk"))
    running = []
    for number in range(RUNNING):
        graph, begin = graphs[number % 40], end - timedelta(minutes=number % 60)
        job_id = f"{number:032d}"
        job = find_jobs(graph.project, [(graph, job_id, begin)])[job_id]
        word = "pending" if number % 10 == 0 else "running"
        told = reply(job_id, word, graph.name, "ImportGraph", None if word == "pending" else begin)
        running.append(observe(job, "poll", end, 200, told))
    record(running)
    watch_unfinished([seen.job for seen in running])
    for number, word in enumerate(("success", "partFailed")):
        graph, begin = graphs[0], end - timedelta(hours=2 - number)
        job_id = f"giant-{number}"
        job = find_jobs(graph.project, [(graph, job_id, begin)])[job_id]
        told = files(roll, graph.name, begin, word, GIANT) | {
            "endTime": f"{begin + timedelta(minutes=20):%Y-%m-%dT%H:%M:%S}"
        }
        record(
            [
                observe(
                    job,
                    "poll",
                    end,
                    200,
                    reply(job_id, word, graph.name, "ImportGraph", begin, **told),
                )
            ]
        )
    assert Job.objects.get(pk=job.pk).file_count == GIANT


def correct_a_few(end: datetime) -> None:
    from django.contrib.auth.models import User

    from jobs.decisions.corrections import correct
    from jobs.models import ImportFile

    somebody = User.objects.get(username="root")
    for one in (
        ImportFile.objects.filter(verdict="partial", kind="vertex")
        .select_related("job")
        .order_by("-pk")[:20]
    ):
        correct(
            one.job, kind=one.kind, position=one.position, field="failed_lines", corrected="0", reason="checked by hand",
            actor=somebody, now=end,
        )  # fmt: skip


def fill(jobs: int, replies: int, end: datetime) -> None:
    from jobs.models import Job
    from jobs.record import record

    if Job.objects.exists():
        raise SystemExit("There are jobs already; name another GESDASH_HOME.")
    began = time.monotonic()
    first = (end - timedelta(weeks=WEEKS)).replace(microsecond=0)
    stride = jobs // WEEKS
    for batch in batched(Week(stride, replies, first).observations(), 500 * replies):
        record(batch)
    people()
    decide(first + timedelta(days=8))
    print(f"a week of {stride:,} jobs recorded in {time.monotonic() - began:.0f} s", flush=True)
    copy_weeks(stride)
    last_hour(end)
    correct_a_few(end)
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--jobs", type=int, default=1_000_000)
    asked.add_argument(
        "--replies", type=int, default=5, help="replies a job; 1 leaves out all but the newest"
    )
    options = asked.parse_args()
    django.setup()
    call_command("migrate", verbosity=0)
    fill(
        options.jobs, options.replies, datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
