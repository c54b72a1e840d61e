"""A real Chromium on the live server, and a world of recorded replies for it to look at."""

import json
import os
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from jobs.decisions.corrections import correct
from jobs.decisions.review import decide
from jobs.models import Graph, Job, Project, SavedView, Snapshot
from jobs.record import find_graph, find_jobs, observe, record
from tests.management.test_up import CHROMIUM, FLAGS

LONG = (
    "bucket-production-graph-data/ges/2026/nightly_full_rebuild_without_any_break/region-cn-north-4"
)
CHINESE = "客户关系图谱（生产环境）每日全量导入"
CAUSE = 'Failed to import Line[{}], file name: {}, Error cause: the number of csv columns does not match the schema, "上海,浦东,Ünïcödé"'


@dataclass
class World:
    """Jobs of every kind, with the long, the large and the Chinese among their words and figures."""

    project: Project
    empty: Graph
    partial: Job
    before: Job
    running: Job
    snapshot: Snapshot
    cause: int
    path: str

    def tell(self, job_id, **said):
        """Record one more reply about a job."""
        seen = self.saw(job_id, **said)
        record([seen])
        seen.job.refresh_from_db()
        return seen.job

    @property
    def at(self):
        """A moment in which the partial import was known."""
        return f"{timezone.now() - timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"

    def saw(self, job_id, graph="payments", at=None, status="success", files=(), **fields):
        """A reply about a job, not recorded yet; `files` are (kind, path, word, total, failed, cause)."""
        at = at or timezone.now()
        detail = {}
        for kind, path, word, total, failed, cause in files:
            entry = {
                "path": path,
                "status": word,
                "totalLines": total,
                "failedLines": failed,
                "cause": cause,
            }
            detail.setdefault(kind, []).append(entry | {"successfulLines": total - failed})
        said = {
            "jobId": job_id,
            "status": status,
            "jobName": "ImportGraph",
            "jobType": "GraphManagement",
            **fields,
        }
        body = json.dumps(said | ({"jobDetail": detail} if detail else {})).encode()
        job = find_jobs(
            self.project, [(find_graph(self.project, f"id-of-{graph}"[:36], graph), job_id, at)]
        )[job_id]
        return observe(job, "poll", at, 200, body)

    def miss(self, job, at):
        """Record a poll that got no usable answer."""
        record([observe(job, "poll", at, 200, b"<html>Maintenance</html>")])


def files_of_an_import(day, lost=()):
    """130 files in deep folders; those numbered in `lost` lost lines."""
    for number in range(130):
        kind = "vertexsetPath" if number < 40 else "edgesetPath"
        path = f"{LONG}/2026-03-{day:02}/客户关系/part-{number:05}-with-a-name-of-its-own.csv"
        bad = 12_345_678_901 * (number + 1) if number in lost else 0
        word = "partFailed" if bad else "success"
        yield kind, path, word, 98_765_432_109_876, bad, CAUSE.format(number, path) if bad else None


def build(project, actor):
    """Record the world."""
    now = timezone.now().replace(microsecond=0)
    world = World(
        project, find_graph(project, "id-of-a-graph-without-jobs"), None, None, None, None, 0, ""
    )
    ran = lambda begin, minutes: {  # noqa: E731
        "beginTime": f"{now - timedelta(hours=begin):%Y-%m-%dT%H:%M:%S}",
        "endTime": f"{now - timedelta(hours=begin) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}",
    }
    world.before = world.tell(
        "b" * 32,
        graph=CHINESE,
        at=now - timedelta(hours=30),
        files=files_of_an_import(1, lost=[7]),
        **ran(30, 42),
    )
    partial = {"graph": CHINESE, "job_id": "7f3d9a52c4e84b11a6d0c2f9e8b17a35"}
    schema = [("schemaPath", f"{LONG}/schema.xml", "success", 12, 12, None)]
    world.tell(
        **partial, at=now - timedelta(hours=7), status="running", beginTime=ran(7, 0)["beginTime"]
    )
    world.miss(
        world.tell(**partial, at=now - timedelta(hours=6, minutes=50), status="running"),
        now - timedelta(hours=6.5),
    )
    world.partial = world.tell(
        **partial,
        at=now - timedelta(hours=6),
        files=[*schema, *files_of_an_import(2, lost=[0, 1, 2, 3, 50, 51])],
        **ran(7, 55),
    )
    some = [("vertexsetPath", f"b/v{number}.csv", "success", 1000, 0, None) for number in range(12)]
    world.running = world.tell(
        "running-job", status="running", files=some, beginTime=ran(0.2, 0)["beginTime"]
    )
    world.tell(
        "failed-job",
        at=now - timedelta(hours=3),
        status="failed",
        failReason="GES.7011: the path is not there",
        **ran(4, 1),
    )
    world.tell("odd-job", at=now - timedelta(hours=1), status="hibernating", **ran(2, 1))
    world.tell(
        "cancelled-job",
        at=now - timedelta(hours=2),
        status="cancelled",
        jobName="DeleteVertices",
        **ran(3, 1),
    )
    world.tell("pending-job", status="pending", jobName="ExportGraph")
    whole = [("edgesetPath", "b/e.csv", "success", 1000, 0, None)]
    ago = range(10, 640, 12)
    record(
        [
            world.saw(f"nightly-{h:03}", at=now - timedelta(hours=h), files=whole, **ran(h + 1, 4))
            for h in ago
        ]
    )
    lost = world.partial.files.filter(verdict="partial").order_by("position").first()
    world.snapshot, world.cause, world.path = (
        world.partial.snapshots.latest("pk"),
        lost.cause_group_id,
        lost.path,
    )
    correct(
        world.partial,
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="5",
        reason="counted by hand",
        actor=actor,
        now=now,
    )
    decide(
        world.before,
        state="accepted",
        note="一个测试文件, no loss to anybody",
        actor=actor,
        now=now,
    )
    SavedView.objects.create(
        owner=actor, name="losses of the night", query="verdict=partial", created_at=now
    )
    return world


@pytest.fixture
def world(transactional_db, admin, project):
    return build(project, admin)


@pytest.fixture(scope="module")
def chromium():
    """One browser a module; Playwright's loop runs in this thread, which Django must not take for being async."""
    if CHROMIUM is None:
        assert "GESDASH_REQUIRE_BROWSER" not in os.environ, (
            "there is no Chromium; install it (apt-get install chromium)"
        )
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, live_server, client, admin):
    """Open the site in a context of its own, signed in unless told; the page keeps what the console complained of."""
    opened = []

    def begin(signed_in=True, width=1280, height=800, **options):
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            **{"locale": "en", **options},
        )
        opened.append(context)
        context.set_default_timeout(10_000)
        if signed_in:
            client.force_login(admin)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies(
                [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
            )
        page = context.new_page()
        page.complaints = []
        page.on(
            "console",
            lambda said: (
                page.complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        return page

    yield begin
    for context in opened:
        context.close()
