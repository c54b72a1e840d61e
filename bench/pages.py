"""Server time and queries of every page on the data of `bench/dataset.py`, as a superuser and as a member of one small project.

GESDASH_HOME=/somewhere uv run python bench/pages.py [--rounds 15] [--only WORD] [--whole]

Each address is asked once to warm up, then in rounds, through the whole of Django. Queries are counted beside the session's and
the user's. `busy` is how many times slower than its best the machine was just then; the p95 divided by it is held
against the budget, so that a machine that does other work can be measured on. Exit 1 when a budget is missed.
With --whole, nothing but the export of every file there is: its rate and the most memory its process held.
"""

import argparse
import io
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gesdash.settings")
os.environ.setdefault("GESDASH_HOME", ".gesdash-bench")

LIST, JOB, NEWS, EXPORT = 200, 300, 25, 20_000  # ms
ACCOUNT = ('FROM "django_session"', 'FROM "auth_user" WHERE "auth_user"."id" =')
PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """An address, what it is, and the time it may take in ms."""

    name: str
    address: str
    budget: int = LIST
    queries: int = 10
    headers: tuple[tuple[str, str], ...] = ()


def cases(user: Any) -> Iterator[Case]:
    from django.db.models import Max

    from jobs.lists.jobs import SORTS
    from jobs.models import Cause, Graph, ImportFile, Job
    from jobs.web.live import newest_change

    mine = Job.objects.filter(
        project__in=list(
            Graph.objects.visible_to(user).values_list("project", flat=True).distinct()
        )
    )
    newest = mine.filter(file_count__gt=0).order_by("-pk").first()
    lossy = mine.filter(verdict="partial", file_count__lt=20).order_by("-pk").first()
    cause = Cause.objects.visible_to(user).order_by("pk").first()
    path = newest.files.order_by("pk").last().path
    graph = newest.graph
    yield Case("overview", "/")
    yield Case("graphs", "/graphs/")
    yield Case("a graph", f"/graphs/{graph.pk}/")
    yield Case("jobs", "/jobs/")
    for name in SORTS:
        yield Case(f"jobs by {name}", f"/jobs/?sort={name}")
        yield Case(f"jobs by -{name}", f"/jobs/?sort=-{name}")
    for sort in ("-begin_time", "begin_time", "-failed_lines", "job_name"):
        yield Case(
            f"jobs by {sort}, page {PAGES:,}",
            f"/jobs/?{urlencode({'sort': sort, 'cursor': cursor(mine, sort)})}",
        )
    day = newest.begin_time.date()
    for query in (
        {"verdict": "failed"},
        {"verdict": "unknown"},
        {"verdict": "running"},
        {"review": "waiting"},
        {"review": "fixed"},
        {"status": "PARTFAILED"},
        {"status": "nonesuch"},
        {"graph": graph.name},
        {"graph": "graph-00"},
        {"graph": "nonesuch"},
        {"project": graph.project.project_id},
        {"job_name": "importgraph"},
        {"job_name": "nonesuch"},
        {"job_type": "graphmanagement"},
        {"job_type": "nonesuch"},
        {"job_id": newest.job_id},
        {"job_id": "ab"},
        {"job_id": "nonesuch"},
        {"path": "edge/transfer"},
        {"path": "part-00000"},
        {"path": "part-00999"},
        {"path": "nonesuch"},
        {"path": "v"},
        {"cause": "does not exist"},
        {"cause": "ZYMURGY"},
        {"cause": "nonesuch"},
        {"cause_group": cause.pk},
        {"ledger": "adds_up"},
        {"ledger": "does_not_add_up"},
        {"loss_over": "0.05"},
        {"loss_over": "0.99"},
        {"began_after": f"{day - timedelta(days=1)}"},
        {"began_before": f"{day - timedelta(days=360)}"},
        {"ended_after": f"{day - timedelta(days=1)}"},
        {"ended_before": f"{day - timedelta(days=360)}"},
        {"verdict": "failed", "path": "edge/owns", "sort": "-failed_lines"},
        {"review": "waiting", "sort": "-loss_rate"},
        {"graph": graph.name, "verdict": "failed", "sort": "-duration"},
    ):
        yield Case(
            f"jobs, {' '.join(f'{k}={v}' for k, v in query.items())}", f"/jobs/?{urlencode(query)}"
        )
    seen = newest_change(user).isoformat()
    yield Case(
        "news, nothing new",
        f"/jobs/news/?{urlencode({'after': seen})}",
        NEWS,
        1,
        (("HX-Request", "true"),),
    )
    yield Case("a job", f"/jobs/{newest.pk}/", JOB)
    yield Case("a job that lost", f"/jobs/{lossy.pk}/", JOB)
    giant = mine.order_by("-file_count", "-pk").first()
    for what, query in (
        ("", ""),
        (" by folder", "?group=folder"),
        (" by cause", "?group=cause"),
        (" by path", "?sort=path"),
        (" found", "?file=999"),
    ):
        yield Case(f"a job of {giant.file_count} files{what}", f"/jobs/{giant.pk}/{query}", JOB)
    yield Case(f"compare {giant.file_count} files", f"/jobs/{giant.pk}/compare/", JOB)
    yield Case(f"repair {giant.file_count} files", f"/jobs/{giant.pk}/repair/", JOB)
    yield Case("compare", f"/jobs/{lossy.pk}/compare/")
    yield Case("repair", f"/jobs/{lossy.pk}/repair/")
    yield Case("history", f"/jobs/{lossy.pk}/history/")
    yield Case("causes", "/causes/")
    yield Case("causes of 90 days", "/causes/?days=90")
    yield Case("causes with a word", "/causes/?has=column")
    yield Case("a cause", f"/causes/{cause.pk}/")
    yield Case("files", "/files/")
    yield Case("files, a path", f"/files/?{urlencode({'path': path})}")
    yield Case("files, part of a path", "/files/?path=part-00003")
    yield Case("files, no such path", "/files/?path=nonesuch")
    for since in ("24h", "30d"):
        yield Case(f"files that lost lines, {since}", f"/files/?since={since}")
    then = urlencode({"as_of": (newest.begin_time - timedelta(days=2)).isoformat()})
    yield Case("overview as of", f"/?{then}", LIST, 20)
    yield Case("a graph as of", f"/graphs/{graph.pk}/?{then}", JOB, 20)
    yield Case(
        "a job as of",
        f"/jobs/{lossy.pk}/?{urlencode({'as_of': newest.begin_time.isoformat()})}",
        JOB,
        20,
    )
    if user.is_superuser:
        yield Case("trail", "/audit/")
        yield Case("project", f"/projects/{graph.project_id}/")
    yield Case("proof", "/proof/")
    yield Case("status", "/status/")
    yield Case("API jobs", "/api/jobs/?page_size=50")
    yield Case(
        f"API jobs, page {PAGES:,}",
        f"/api/jobs/?{urlencode({'cursor': cursor(mine, '-begin_time')})}",
    )
    yield Case("API job", f"/api/jobs/{lossy.pk}/")
    assert ImportFile.objects.aggregate(most=Max("pk"))["most"]


def cursor(jobs: Any, sort: str) -> str:
    """The position that a reader who walks reaches on page 10,000, or in the middle where there are fewer."""
    from jobs.lists.paging import Position

    name = sort.removeprefix("-")
    known = (
        jobs.filter(**{f"{name}__isnull": False})
        .order_by(sort, "-pk" if sort[0] == "-" else "pk")
        .only(name)
    )
    row = known[min(50 * (PAGES - 1), jobs.count() // 2, known.count() - 1)]
    return Position.of(sort, row, backwards=False).cursor


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


class Beat:
    """How much slower the machine is than it can be: a fixed piece of work, against the fastest it ever took."""

    def __init__(self) -> None:
        self.least = min(self._take() for _ in range(50))
        self.taken: list[float] = []

    def _take(self) -> float:
        began = time.perf_counter()
        sum(number * number for number in range(200_000))
        return time.perf_counter() - began

    def beat(self) -> None:
        self.taken.append(self._take())

    def busy(self) -> float:
        """Since it was asked last."""
        self.least, middle = min(self.least, *self.taken), statistics.median(self.taken)
        self.taken = []
        return middle / self.least


def measure(client: Any, case: Case, rounds: int, beat: Beat) -> tuple[list[float], int]:
    """Milliseconds of each round, and how many queries there are."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    headers = dict(case.headers)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(case.address, headers=headers)
    queries = len([one for one in captured if not any(name in one["sql"] for name in ACCOUNT)])
    assert response.status_code in {200, 204}, (case.address, response.status_code)
    assert b'class="message error"' not in response.content, case.address
    times: list[float] = []
    for _ in range(rounds):
        beat.beat()
        began = time.perf_counter()
        client.get(case.address, headers=headers)
        times.append(1000 * (time.perf_counter() - began))
        if sum(times) > 10 * LIST * rounds:
            break
    return times, queries


def export() -> float:
    """Milliseconds for the files of a few days."""
    from django.core.management import call_command

    from jobs.models import Job

    last = Job.objects.filter(file_count__gt=0).order_by("-begin_time").first()
    began, out = time.perf_counter(), io.StringIO()
    with redirect_stdout(out):
        call_command(
            "export",
            "files",
            began_after=[f"{(last.begin_time - timedelta(hours=28)):%Y-%m-%dT%H:%M:%SZ}"],
        )
    took = 1000 * (time.perf_counter() - began)
    print(
        f"export of {out.getvalue().count(chr(10)):,} files: {took:,.0f} ms ({EXPORT:,} ms allowed)"
    )
    return took


def export_all() -> None:
    """Export every file as CSV and say what it took."""
    command = [
        sys.executable,
        str(Path(__file__).parent.parent / "manage.py"),
        "export",
        "files",
        "--format",
        "csv",
    ]
    began, rows = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for chunk in iter(lambda: process.stdout.read1(1 << 20), b""):  # type: ignore[union-attr]
            rows += chunk.count(b"\n")
    took, most = (
        time.perf_counter() - began,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    )
    print(
        f"export of {rows:,} files: {took:,.0f} s, {rows / took:,.0f} a second, at most {most} MiB"
    )
    assert process.returncode == 0


def run(only: str, rounds: int, say: Callable[[str], None]) -> int:
    from django.contrib.auth.models import User
    from django.test import Client

    missed, beat = 0, Beat()
    for name in ("root", "member"):
        user, client = User.objects.get(username=name), Client(SERVER_NAME="localhost")
        client.force_login(user)
        say(
            f"\n{'as ' + name:52} {'least':>7} {'p50':>7} {'p95':>7} {'busy':>5} {'budget':>7} queries"
        )
        for case in cases(user):
            if only not in case.name:
                continue
            times, queries = measure(client, case, rounds, beat)
            p95, busy = percentile(times, 0.95), beat.busy()
            good = p95 / busy <= case.budget and queries <= case.queries
            missed += not good
            say(
                f"{case.name[:52]:52} {min(times):7.1f} {statistics.median(times):7.1f} {p95:7.1f} {busy:5.1f} {case.budget:7} {queries:7} "
                f"{'' if good else 'MISSED'}"
            )
    if only in "export":
        missed += export() > EXPORT
    return missed


def main() -> None:
    import django

    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--rounds", type=int, default=15)
    asked.add_argument("--only", default="", help="part of the names of the addresses to measure")
    asked.add_argument(
        "--whole", action="store_true", help="only the export of every file there is"
    )
    options = asked.parse_args()
    django.setup()
    if options.whole:
        sys.exit(export_all())
    sys.exit(1 if run(options.only, options.rounds, lambda line: print(line, flush=True)) else 0)


if __name__ == "__main__":
    main()
