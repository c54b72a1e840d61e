"""The cost of a page does not grow with the rows: queries, the indexes they read, and bytes."""

import re
import threading
import urllib.request
from datetime import timedelta
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.decisions import review
from jobs.lists.jobs import SORTS, filtered, page_of
from jobs.models import Cause, ImportFile, Job, Snapshot, Watch
from jobs.models.job import ReviewState
from jobs.record import find_graph, find_jobs, observe, record
from jobs.web.live import newest_change, with_change
from tests.factories import body

# Beside these ten stand the session's and the user's.
MOST = 12
LISTS = [
    "/",
    "/graphs/",
    "/graphs/{graph}/",
    "/jobs/",
    *(f"/jobs/?sort={sign}{name}" for name in SORTS for sign in ("", "-")),
    "/jobs/?graph=g&project=p1&verdict=partial&review=waiting&path=b/&cause=line"
    "&job_name=importgraph&ledger=adds_up",
    "/causes/",
    "/causes/{cause}/",
    "/files/?path=b/0/e.csv",
    "/files/?path=e.csv",
    "/jobs/{job}/history/",
    "/api/jobs/",
    "/admin/jobs/job/",
    "/admin/jobs/snapshot/",
]


def fill(project, first, last):
    """Imports of two files, every other one of which lost something; one that still runs."""
    now = timezone.now()
    observations = []
    for number in range(first, last):
        graph = find_graph(project, f"g{number % 20}", f"graph {number % 20}")
        begin = now - timedelta(hours=number + 1)
        job = find_jobs(project, [(graph, f"j{number}", begin)])[f"j{number}"]
        failed = number % 2
        files = {
            "vertexsetPath": [
                _file(
                    f"b/{number}/v.csv",
                    failed,
                    f"line {number} of column {'abcdefghij'[number % 10]} is empty",
                )
            ],
            "edgesetPath": [_file(f"b/{number % 3}/e.csv", 0, None)],
        }
        word = "running" if number == 2 else "partFailed" if failed else "success"
        times = {
            "beginTime": f"{begin:%Y-%m-%dT%H:%M:%S}",
            "endTime": f"{begin + timedelta(minutes=9):%Y-%m-%dT%H:%M:%S}",
        }
        observations.append(
            observe(job, "poll", begin, 200, body(job.job_id, word, jobDetail=files, **times))
        )
    record(observations)
    return observations[-1].job


def _file(path, failed, cause):
    status = "partFailed" if failed else "success"
    return {
        "path": path,
        "status": status,
        "cause": cause if failed else None,
        "totalLines": 9,
        "failedLines": failed,
        "successfulLines": 9 - failed,
    }


@pytest.fixture
def member(project):
    user = User.objects.create_user("mia", is_staff=False)
    user.ges_projects.add(project)
    return user


@pytest.mark.parametrize("role", ["admin", "member"])
def test_the_queries_of_no_list_grow_with_its_rows(client, project, role, request):
    user = request.getfixturevalue(role)
    job = fill(project, 0, 4)
    client.force_login(user)
    places = {"graph": job.graph_id, "job": job.pk, "cause": Cause.objects.first().pk}
    lists = [one.format(**places) for one in LISTS if role == "admin" or "admin" not in one]
    few = {address: asked(client, address) for address in lists}
    fill(project, 4, 60)
    many = {address: asked(client, address) for address in lists}
    assert {address: count for address, count in many.items() if count > few[address]} == {}
    assert {address: count for address, count in many.items() if count > MOST} == {}


def asked(client, address):
    """How many queries an address makes once what is read but once is read."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
        return len(captured)


def test_an_open_tab_costs_one_query(client, member, project):
    fill(project, 0, 4)
    client.force_login(member)
    address = f"/jobs/news/?after={newest_change(member).isoformat().replace('+', '%2B')}"
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, headers={"HX-Request": "true"}).status_code == 204
    assert len(captured) == 3


def test_a_change_of_membership_is_seen_at_once(client, member, project):
    fill(project, 0, 2)
    client.force_login(member)
    assert b">j0<" in client.get("/jobs/").content
    member.ges_projects.clear()
    assert b">j0<" not in client.get("/jobs/").content


def plan(queryset, *, partly_sorted=False):
    """The plan without reading whole tables or sorting, as both are too slow on a full table.

    With `partly_sorted`, rows that an index gives in the order's first column may still be sorted
    by the others: between two plans that both must sort, the few rows of a test would decide.
    """
    _forbid("seqscan", "sort", *([] if partly_sorted else ["incremental_sort"]))
    return queryset.explain()


def _forbid(*ways):
    with connection.cursor() as cursor:
        for way in ways:
            cursor.execute(f"SET LOCAL enable_{way} = off")


def page_plan(**filters):
    """The plans of what a page of the list reads."""
    params = QueryDict(mutable=True)
    params.update(filters)
    jobs, problems = filtered(params, Job.objects.all())
    assert not problems
    with CaptureQueriesContext(connection) as captured:
        page, problems = page_of(params, jobs)
    assert not problems
    plans = []
    _forbid("seqscan", "sort", "incremental_sort")
    with connection.cursor() as cursor:
        for query in captured:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans, page


INDEXES = {
    "begin_time": "job_by_begin",
    "end_time": "job_by_end",
    "duration": "job_by_duration",
    "failed_lines": "job_by_failed",
    "loss_rate": "job_by_loss",
    "job_name": "job_by_name",
}


@pytest.mark.parametrize("sort", [sign + name for name in SORTS for sign in ("", "-")])
def test_a_page_is_read_from_the_index_of_its_order(project, sort):
    fill(project, 0, 6)
    index = INDEXES[sort.removeprefix("-")]
    plans, page = page_plan(sort=sort, page_size="2")
    assert index in plans[0]
    assert "Sort" not in plans[0]
    plans, page = page_plan(sort=sort, page_size="2", cursor=page.next)
    assert re.search(rf"{index}.*\n +Index Cond: .*ROW\(", plans[0]), plans[0]
    plans, page = page_plan(sort=sort, page_size="2", cursor=page.previous)
    assert any(re.search(rf"{index}.*\n +Index Cond: .*ROW\(", one) for one in plans), plans


@pytest.mark.parametrize(
    ("name", "value", "index"),
    [
        ("verdict", "cancelled", "job_by_verdict"),
        ("review", "fixed", "job_by_review"),
        ("job_id", "j1", "job_by_id"),
    ],
)
def test_a_rare_value_is_found_by_its_index(project, name, value, index):
    fill(project, 0, 6)
    params = QueryDict(mutable=True)
    params.update({name: value})
    jobs, _problems = filtered(params, Job.objects.all())
    assert index in plan(jobs)


def test_frequent_queries_read_their_indexes(project, member):
    fill(project, 0, 6)
    now = timezone.now()
    assert "watch_due" in plan(Watch.objects.due(now).order_by("next_poll_at")[:200])
    queue = Job.objects.filter(review__in=[ReviewState.WAITING, ReviewState.TO_FIX])
    assert "job_to_review" in plan(queue.order_by("-begin_time", "-pk")[:8])
    assert "job_changed" in plan(with_change(member))
    assert "job_of_project" in plan(
        Job.objects.visible_to(member).order_by("-begin_time", "-pk")[:50]
    )
    assert "job_newest" in plan(Job.objects.filter(first_seen_at__gt=now))
    assert "file_by_path " in plan(ImportFile.objects.filter(path="b/0/e.csv"))
    assert "file_by_path_part" in plan(ImportFile.objects.filter(path__contains="/e.csv"))
    # Where few files have a cause at all, those few are looked through.
    assert re.search(
        "file_by_cause_part|file_caused", plan(ImportFile.objects.filter(cause__icontains="column"))
    )
    assert "snapshot_of_job" in plan(
        Snapshot.objects.filter(job=1).order_by("-first_seen_at", "-pk")[:20]
    )


def test_a_path_longer_than_a_database_page_is_found(project):
    job = fill(project, 0, 1)
    path = "b/" + "".join(chr(0x4E00 + number % 5000) for number in range(9000))
    ImportFile.objects.filter(job=job, kind="edge").update(path=path)
    assert ImportFile.objects.filter(path=path).exists()


def test_files_are_grouped_by_every_field(client, admin, project):
    job = fill(project, 0, 2)
    client.force_login(admin)
    for way in ("kind", "verdict", "folder", "cause"):
        assert client.get(f"/jobs/{job.pk}/?group={way}").status_code == 200


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.mark.django_db(transaction=True)
def test_the_first_page_weighs_at_most_100_kilobytes(client, admin, project):
    fill(project, 0, 300)
    for job in Job.objects.filter(review="waiting")[:3]:
        review.decide(job, state="to_fix", actor=admin, now=timezone.now())
    client.force_login(admin)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Threaded, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        weight = weigh(f"http://127.0.0.1:{server.server_port}", client.cookies)
    finally:
        server.shutdown()
        server.server_close()
        connection.close()
    assert weight.keys() >= {"/", "/static/gesdash.css", "/static/gesdash.js"}
    assert any("htmx" in address for address in weight)
    assert sum(weight.values()) <= 100 * 1024, weight


def weigh(address: str, cookies: SimpleCookie):
    """The bytes on the wire of the page and of what it loads."""
    sent = "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())

    def get(path):
        http_request = urllib.request.Request(
            address + path, headers={"Cookie": sent, "Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(http_request, timeout=30) as answer:
            content = answer.read()
            return content, answer.headers.get("Content-Encoding")

    import gzip

    page, how = get("/")
    assert how == "gzip"
    loaded = re.findall(rb'(?:src|href)="(/static/[^"]+)"', gzip.decompress(page))
    return {"/": len(page)} | {path: len(get(path)[0]) for path in map(bytes.decode, loaded)}


def test_a_text_in_every_path_finds_the_newest(client, admin, project, monkeypatch):
    monkeypatch.setattr("jobs.queries.files.MAX_LOOKED_AT", 5)
    fill(project, 0, 6)
    client.force_login(admin)
    page = client.get("/files/?path=b/").content.decode().replace("<wbr><span>", "")
    assert "b/0/v.csv" in page  # the job that began last
    assert "b/5/v.csv" not in page
    assert "among the newest" in page
