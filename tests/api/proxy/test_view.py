"""The proxy: replies pass through byte for byte, and each failure has its status and code."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs.api import throttling
from jobs.models import AccessKey, Job, Membership, Miss, Project, Snapshot, Watch
from jobs.polling import discovery, watches
from tests.factories import body

GRAPH = "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01"
ADDRESS = "/v1.0/p1/graphs/g1/jobs/j1/status"
FOUR = {"errorCode", "errorMessage", "error_code", "error_msg"}
ODD = {
    "flat": body("j1", "success"),
    "only a status": b'{"status":"running"}',
    "spaced, with a mark": b'\xef\xbb\xbf { "status" :\n "success" }',
    "wrapped": b'{"Job":{"jobId":"j1","status":"success","jobName":["ImportGraph"]}}',
    "escaped": b'{"jobId":"j1","status":"success","failReason":"\\u4f60\\u597d","x":1.0}',
    "unknown word": b'{"jobId":"j1","status":"splendid","jobType":1}',
    "a list where an object is due": b'{"jobId":"j1","status":"failed","jobDetail":[]}',
    "counts as text": b'{"jobId":"j1","status":"success","jobDetail":{"edgesetPath":{"path":"a","totalLines":"-1"}}}',
}


@pytest.mark.parametrize(
    "headers", [{}, {"X-Auth-Token": "no"}, {"Authorization": "SDK-HMAC-SHA256 nonsense"}]
)
def test_without_a_valid_key_it_is_401_with_all_four_keys(client, db, headers):
    answer = client.get(ADDRESS, headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()) == FOUR
    assert answer.json()["errorCode"] == "GESDASH.0401"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
@pytest.mark.parametrize("version", ["v1.0", "v2"])
def test_every_shape_is_passed_on_unchanged_live_and_stored(client, upstream, shown, said, version):
    upstream.body = said
    address = f"/{version}/p1/graphs/g1/jobs/j1/status"
    live, stored = client.get(address, headers=shown), client.get(address, headers=shown)
    for answer, source in ((live, "live"), (stored, "store")):
        assert (answer.status_code, answer.content) == (200, said)
        assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
        assert answer.headers["X-Gesdash-Source"] == source
        assert {"Age", "X-Gesdash-Observed-At", "X-Request-Id", "ETag", "Cache-Control"} <= set(
            answer.headers
        )
    assert [path for path, _ in upstream.asked] == [address]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("status", "said"),
    [(400, b'{"errorMessage":"can not find job, jobId is j1","errorCode":"GES.8301"}'), (404, b"<html>none</html>"),
     (408, b'{"error_code":"GES.7005"}'), (200, b'{"errorCode":"GES.9999","errorMessage":"failed"}'), (202, b"{}"), (410, b"")],
)  # fmt: skip
def test_an_error_of_ges_is_passed_on_and_creates_no_job(client, upstream, shown, status, said):
    upstream.status, upstream.body, upstream.headers = status, said, {"X-Request-Id": "ges-1"}
    answer = client.get(ADDRESS, headers=shown)
    assert (answer.status_code, answer.content) == (status, said)
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert (answer.headers["X-Gesdash-Source"], answer.headers["X-Request-Id"]) == ("live", "ges-1")
    assert Job.objects.count() == Snapshot.objects.count() == Miss.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_v2_request_for_a_job_stored_from_v1_is_live(client, upstream, shown):
    upstream.body = body("j1", "success")
    client.get(ADDRESS, headers=shown)
    upstream.body = b'{"job_id":"j1","status":"success"}'
    answer = client.get(ADDRESS.replace("v1.0", "v2"), headers=shown)
    assert (answer.content, answer.headers["X-Gesdash-Source"]) == (upstream.body, "live")
    assert client.get(ADDRESS, headers=shown).content == body("j1", "success")


@pytest.mark.django_db(transaction=True)
def test_head_is_get_without_a_body_and_other_methods_are_405(client, upstream, shown):
    upstream.body = body("j1", "success")
    head = client.head(ADDRESS, headers=shown)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(upstream.body))
    for method in ("post", "put", "patch", "delete", "options"):
        answer = getattr(client, method)(ADDRESS, headers=shown)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert answer.json()["errorCode"] == "GESDASH.0405"


@pytest.mark.parametrize(
    "address",
    [
        f"{ADDRESS}/",
        "/v1.0/",
        "/v1.0/p1/graphs/jobs",
        "/v2/p1/graphs/g1/jobs/j1",
        "/v1.0//graphs//jobs//statuses",
    ],
)
def test_any_other_address_is_a_404_with_a_sentence_not_a_redirect(client, shown, address):
    answer = client.get(address, headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "GESDASH.0404")


def test_nothing_is_redirected_to_tls(client, shown, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/jobs/").status_code == 301
    assert client.get(ADDRESS, headers=shown).status_code == 403


@pytest.mark.parametrize(
    "job_id",
    [
        "a%2Fb",
        "..",
        ".",
        "x" * 300,
        "x" * 10_240,
        "a%00b",
        "a%0Ab",
        "%1b[31m",
        "a%252Fb",
        "a%FFb",
        "a%25ffb",
    ],
)
@pytest.mark.parametrize("place", ["project", "graph", "job"])
def test_invalid_ids_are_refused_with_a_sentence(client, polled, simulator, shown, job_id, place):
    ids = {"project": polled.project_id, "graph": "g", "job": "j"} | {place: job_id}
    answer = client.get(
        "/v1.0/{project}/graphs/{graph}/jobs/{job}/status".format(**ids), headers=shown
    )
    if job_id == "a%252Fb":  # decoded once: three characters and "2F", which might be an id
        assert answer.status_code == (403 if place == "project" else 400)
        assert answer.json()["errorCode"] in {"GES.8301", "GESDASH.0403"}
    else:
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "GESDASH.0400")
        assert set(answer.json()) == FOUR
        assert not simulator.requests


def test_the_proxy_hides_other_projects(client, imported):
    bob = User.objects.create_user("bob")
    mine = Project.objects.create(project_id="p2")
    Membership.objects.create(project=mine, user=bob)
    _, _, token = AccessKey.issue(bob, now=timezone.now())
    answers = [
        client.get(f"/v1.0/{project}/graphs/g1/jobs/j1/status", headers={"X-Auth-Token": token})
        for project in ("p1", "none")
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["errorCode"] == "GESDASH.0403"


def test_a_key_scoped_to_projects_sees_no_others_even_when_its_own_is_gone(client, admin, imported):
    other = Project.objects.create(project_id="p2")
    _, _, token = AccessKey.issue(admin, now=timezone.now(), projects=[other])
    assert client.get(ADDRESS, headers={"X-Auth-Token": token}).status_code == 403
    other.delete()
    assert client.get(ADDRESS, headers={"X-Auth-Token": token}).status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("html", 502, "GESDASH.0502"), ("cut", 502, "GESDASH.0502"), ("redirect", 502, "GESDASH.0502"),
     ("throttle", 503, "GESDASH.0503"), ("error", 504, "GESDASH.0504"), ("drop", 504, "GESDASH.0504"),
     ("wrong_job", 502, "GESDASH.0502")],
)  # fmt: skip
def test_failures_of_ges_have_their_own_status_and_code(
    client, polled, simulator, shown, fault, status, code
):
    simulator.fault(fault, times=2, retry_after=9)
    job_id = simulator.story.jobs(timezone.now())[5].job_id
    answer = client.get(
        f"/v1.0/{polled.project_id}/graphs/{GRAPH}/jobs/{job_id}/status", headers=shown
    )
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert set(answer.json()) == FOUR
    assert answer.headers["Cache-Control"] == "no-store"
    assert fault != "throttle" or answer.headers["Retry-After"] == "9"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_of_gesdash_are_a_502(client, upstream, shown, status):
    upstream.status, upstream.body = status, b'{"error_code":"APIGW.0301"}'
    answer = client.get(ADDRESS, headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (502, "GESDASH.0502")


@pytest.mark.django_db(transaction=True)
def test_a_body_over_the_limit_is_a_502(client, upstream, shown):
    upstream.body = b" " * (8 * 1024 * 1024 + 1)
    answer = client.get(ADDRESS, headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (502, "GESDASH.0502")
    assert "8,388,608" in answer.json()["error_msg"]


@pytest.mark.django_db(transaction=True)
def test_headers_without_a_body_are_a_504(client, upstream, shown, monkeypatch):
    monkeypatch.setattr("jobs.ges.http.TOTAL_SECONDS", 0.5)

    def stall(handler):
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        handler.wfile.flush()
        handler.connection.settimeout(20)
        handler.rfile.read(1)

    upstream.body = stall
    answer = client.get(ADDRESS, headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (504, "GESDASH.0504")


@pytest.mark.django_db(transaction=True)
def test_requests_use_the_credentials_and_address_of_the_project(client, upstream, shown):
    upstream.body = body("j1", "success")
    elsewhere = {
        "Host": "localhost",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
        "Cookie": "a=b",
    }
    assert (
        client.get(
            f"{ADDRESS}?endpoint=http://evil.example", headers={**shown, **elsewhere}
        ).status_code
        == 200
    )
    [(path, headers)] = upstream.asked
    assert path == ADDRESS
    assert headers["Host"] == upstream.project.endpoint.removeprefix("http://")
    assert headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=AK,")
    assert not {"X-Auth-Token", "Cookie", "Forwarded", "X-Forwarded-Host"} & set(headers)


@pytest.mark.django_db(transaction=True)
def test_a_proxied_job_is_tracked_unless_the_project_says_no(client, upstream, shown):
    upstream.body = lambda handler: body(handler.path.split("/")[-2], "running")
    client.get(ADDRESS, headers=shown)
    watch = Watch.objects.get(job__job_id="j1")
    assert watch.next_poll_at > timezone.now()
    assert watch.leased_until is None
    Project.objects.update(watches_proxied=False)
    client.get(ADDRESS.replace("j1", "j2"), headers=shown)
    assert Job.objects.get(job_id="j2").verdict == "running"
    assert list(Watch.objects.values_list("job__job_id", flat=True)) == ["j1"]


@pytest.mark.django_db(transaction=True)
def test_the_request_names_the_callers_graph(client, upstream, shown):
    watches.watch(upstream.project, "g1", "j1", timezone.now())
    upstream.body = body("j1", "running")
    client.get(ADDRESS.replace("g1", "g2"), headers=shown)
    assert upstream.asked[0][0] == ADDRESS.replace("g1", "g2")


@pytest.mark.django_db(transaction=True)
def test_a_job_known_only_from_the_list_is_requested_live(client, polled, simulator, shown):
    discovery.discover(polled)
    job = Job.objects.filter(graph__graph_id=GRAPH, verdict="success").first()
    answer = client.get(
        f"/v1.0/{polled.project_id}/graphs/{GRAPH}/jobs/{job.job_id}/status", headers=shown
    )
    assert answer.headers["X-Gesdash-Source"] == "live"
    assert json.loads(answer.content) == simulator.state(job.job_id)


@pytest.mark.django_db(transaction=True)
def test_list_or_correction_does_not_make_a_stored_running_reply_final(client, upstream, shown):
    upstream.body = body("j1", "running")
    client.get(ADDRESS, headers=shown)
    Job.objects.update(verdict="success", first_seen_at=timezone.now() - timedelta(days=3))
    Snapshot.objects.update(last_seen_at=timezone.now() + timedelta(0))
    upstream.body = body("j1", "success")
    assert (
        client.get(ADDRESS, headers={**shown, "Cache-Control": "max-age=0"}).content
        == upstream.body
    )


def test_a_stored_reply_takes_at_most_three_queries(
    client, imported, shown, django_assert_max_num_queries
):
    client.get(ADDRESS, headers=shown)  # the key's first use of a day is noted in the trail
    throttling._drawn.clear()
    with django_assert_max_num_queries(3):
        assert client.get(ADDRESS, headers=shown).status_code == 200
    with django_assert_max_num_queries(2):
        assert client.get(ADDRESS, headers=shown).status_code == 200
