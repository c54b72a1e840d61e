"""A real Chromium on the live server, and a world of recorded replies to show it."""

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
CAUSE = (
    "Failed to import Line[{}], file name: {}, Error cause: "
    'the number of csv columns does not match the schema, "上海,浦东,Ünïcödé"'
)


@dataclass
class World:
    """Jobs of every kind, with long, large and Chinese texts and figures among their values."""

    project: Project
    empty: Graph
    partial: Job
    before: Job
    running: Job
    snapshot: Snapshot
    cause: int
    path: str

    @property
    def known_at(self):
        """A moment in which the partial import was known."""
        return f"{timezone.now() - timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"

    def record(self, job_id, **fields):
        """Record one more reply about a job."""
        return record_reply(self.project, job_id, **fields)


def record_reply(project, job_id, **fields):
    """Record one reply about a job, and the job as it is then."""
    observation = reply(project, job_id, **fields)
    record([observation])
    observation.job.refresh_from_db()
    return observation.job


def reply(project, job_id, graph="payments", at=None, status="success", files=(), **fields):
    """A reply about a job, not recorded yet.

    `files` are (list, path, status, total lines, failed lines, cause).
    """
    at = at or timezone.now()
    detail = {}
    for file_list, path, file_status, total, failed, cause in files:
        file = {
            "path": path,
            "status": file_status,
            "totalLines": total,
            "failedLines": failed,
            "cause": cause,
            "successfulLines": total - failed,
        }
        detail.setdefault(file_list, []).append(file)
    values = {
        "jobId": job_id,
        "status": status,
        "jobName": "ImportGraph",
        "jobType": "GraphManagement",
        **fields,
    }
    body = json.dumps(values | ({"jobDetail": detail} if detail else {})).encode()
    stored_graph = find_graph(project, f"id-of-{graph}"[:36], graph)
    job = find_jobs(project, [(stored_graph, job_id, at)])[job_id]
    return observe(job, "poll", at, 200, body)


def record_failed_poll(job, at):
    """Record a poll without a usable response."""
    record([observe(job, "poll", at, 200, b"<html>Maintenance</html>")])


def files_of_an_import(day, lost=()):
    """130 files in deep folders; those numbered in `lost` lost lines."""
    for number in range(130):
        file_list = "vertexsetPath" if number < 40 else "edgesetPath"
        path = f"{LONG}/2026-03-{day:02}/客户关系/part-{number:05}-with-a-name-of-its-own.csv"
        failed = 12_345_678_901 * (number + 1) if number in lost else 0
        status = "partFailed" if failed else "success"
        cause = CAUSE.format(number, path) if failed else None
        yield file_list, path, status, 98_765_432_109_876, failed, cause


def build(project, actor):
    """Record the world, and what people have decided in it."""
    now = timezone.now().replace(microsecond=0)
    before = record_reply(
        project,
        "b" * 32,
        graph=CHINESE,
        at=now - timedelta(hours=30),
        files=files_of_an_import(1, lost=[7]),
        **ran(now, 30, 42),
    )
    partial = record_partial_import(project, now)
    running = record_other_jobs(project, now)
    record_nightly_imports(project, now)
    lost = partial.files.filter(verdict="partial").order_by("position").first()
    correct(
        partial,
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="5",
        reason="counted by hand",
        actor=actor,
        now=now,
    )
    note = "一个测试文件, no loss to anybody"
    decide(before, state="accepted", note=note, actor=actor, now=now)
    SavedView.objects.create(
        owner=actor, name="losses of the night", query="verdict=partial", created_at=now
    )
    return World(
        project=project,
        empty=find_graph(project, "id-of-a-graph-without-jobs"),
        partial=partial,
        before=before,
        running=running,
        snapshot=partial.snapshots.latest("pk"),
        cause=lost.cause_group_id,
        path=lost.path,
    )


def ran(now, hours_ago, minutes):
    """Begin and end of a job, as GES gives them."""
    begin = now - timedelta(hours=hours_ago)
    return {
        "beginTime": f"{begin:%Y-%m-%dT%H:%M:%S}",
        "endTime": f"{begin + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}",
    }


def record_partial_import(project, now):
    """An import that ran for an hour, with a failed poll, and lost lines of six files."""
    place = {"project": project, "graph": CHINESE, "job_id": "7f3d9a52c4e84b11a6d0c2f9e8b17a35"}
    begun = {"status": "running", "beginTime": ran(now, 7, 0)["beginTime"]}
    record_reply(**place, at=now - timedelta(hours=7), **begun)
    job = record_reply(**place, at=now - timedelta(hours=6, minutes=50), status="running")
    record_failed_poll(job, now - timedelta(hours=6.5))
    schema = ("schemaPath", f"{LONG}/schema.xml", "success", 12, 12, None)
    return record_reply(
        **place,
        at=now - timedelta(hours=6),
        files=[schema, *files_of_an_import(2, lost=[0, 1, 2, 3, 50, 51])],
        **ran(now, 7, 55),
    )


def record_other_jobs(project, now):
    """One job of each other status; the running one."""
    some = [("vertexsetPath", f"b/v{number}.csv", "success", 1000, 0, None) for number in range(12)]
    running = record_reply(
        project,
        "running-job",
        status="running",
        files=some,
        beginTime=ran(now, 0.2, 0)["beginTime"],
    )
    record_reply(
        project,
        "failed-job",
        at=now - timedelta(hours=3),
        status="failed",
        failReason="GES.7011: the path is not there",
        **ran(now, 4, 1),
    )
    record_reply(
        project,
        "odd-job",
        at=now - timedelta(hours=1),
        status="hibernating",
        **ran(now, 2, 1),
    )
    record_reply(
        project,
        "cancelled-job",
        at=now - timedelta(hours=2),
        status="cancelled",
        jobName="DeleteVertices",
        **ran(now, 3, 1),
    )
    record_reply(project, "pending-job", status="pending", jobName="ExportGraph")
    return running


def record_nightly_imports(project, now):
    """A month of imports without losses."""
    files = [("edgesetPath", "b/e.csv", "success", 1000, 0, None)]
    record(
        [
            reply(
                project,
                f"nightly-{hours:03}",
                at=now - timedelta(hours=hours),
                files=files,
                **ran(now, hours + 1, 4),
            )
            for hours in range(10, 640, 12)
        ]
    )


@pytest.fixture
def world(transactional_db, admin, project):
    return build(project, admin)


@pytest.fixture(scope="module")
def chromium():
    """One browser a module.

    Playwright's loop runs in this thread, which Django must not take for being async.
    """
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
    """Open the site in a browser context of its own; `complaints` of the page are its console's.

    Signed in unless `signed_in` is false.
    """
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
            lambda message: (
                page.complaints.append(message.text)
                if message.type in {"error", "warning"}
                else None
            ),
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        return page

    yield begin
    for context in opened:
        context.close()
