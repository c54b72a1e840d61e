import json
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs import polling
from jobs.ges import auth
from jobs.models import AccessKey, Membership

GRAPH = "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01"


@pytest.fixture
def key(admin):
    key, key.plain, key.token = AccessKey.issue(admin, now=timezone.now())
    return key


@pytest.fixture
def shown(key):
    return {"X-Auth-Token": key.token}


def test_a_job_is_the_export_object(client, imported, shown):
    job = client.get(f"/api/jobs/{imported.pk}/", headers=shown).json()
    assert (job["verdict"], job["ledger"], job["loss_rate"]) == ("partial", "adds_up", 0.1692)
    assert [file["kind"] for file in job["files"]] == ["schema", "vertex", "edge"]
    assert job["begin_time"] == "2026-03-04T11:00:00Z"
    row = client.get("/api/jobs/", headers=shown).json()["results"][0]
    assert row == {"id": imported.pk} | {name: value for name, value in job.items() if name != "files"}


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "no"}, {"Authorization": "SDK-HMAC-SHA256 nonsense"}])
@pytest.mark.parametrize("address", ["/api/jobs/", "/v1.0/p/graphs/g/jobs/j/status"])
def test_without_a_valid_key_it_is_401_with_all_four_keys(client, db, headers, address):
    answer = client.get(address, headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()) == {"errorCode", "errorMessage", "error_code", "error_msg"}


def test_a_wrong_filter_is_400_and_named(client, imported, shown):
    answer = client.get("/api/jobs/?verdict=splendid", headers=shown)
    assert answer.status_code == 400
    assert "splendid" in answer.json()["error_msg"]


def test_pages_by_position_hold_every_row_once(client, imported, shown):
    now = timezone.now()
    for number in range(7):
        polling.watch(imported.project, "g1", f"more{number}", now)
    seen, address = [], "/api/jobs/?page_size=3"
    while address:
        page = client.get(address, headers=shown).json()
        seen += [row["job_id"] for row in page["results"]]
        last, address = page, page["next"]
    assert len(seen) == len(set(seen)) == 8
    back = client.get(last["previous"], headers=shown).json()
    assert [row["job_id"] for row in back["results"]] == seen[3:6]


def test_a_key_sees_only_its_projects(client, imported, shown):
    bob = User.objects.create_user("bob")
    _, _, token = AccessKey.issue(bob, now=timezone.now())
    address = f"/api/jobs/{imported.pk}/"
    assert client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 404
    Membership.objects.create(project=imported.project, user=bob)
    assert client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_an_expired_key_is_refused(client, db, admin):
    _, _, token = AccessKey.issue(admin, now=timezone.now(), expires_at=timezone.now() - timedelta(1))
    assert client.get("/api/jobs/", headers={"X-Auth-Token": token}).status_code == 401


def test_signing_and_verifying_agree_and_notice_a_change():
    now = datetime.now(UTC)
    made = auth.sign("GET", "http://h/v1.0/a%2Fb/x?b=1&a=2", {"Content-Type": "application/json"}, b"", "AK", "SK", now)
    headers = {name.lower(): value for name, value in made.items()} | {"content-type": "application/json"}
    claim = auth.read_authorization(made["Authorization"])
    good = {
        "method": "GET",
        "path": "/v1.0/a%2Fb/x",
        "query": "b=1&a=2",
        "headers": headers,
        "body": b"",
        "sk": "SK",
        "now": now,
    }
    auth.verify(claim, **good)
    for change in (
        {"path": "/other"},
        {"sk": "other"},
        {"body": b"x"},
        {"now": now + timedelta(minutes=16)},
        {"query": "a=2"},
    ):
        with pytest.raises(auth.BadSignature):
            auth.verify(claim, **{**good, **change})


@pytest.mark.django_db(transaction=True)
def test_the_proxy_gives_the_bytes_of_ges_and_then_its_own_store(client, polled, simulator, shown):
    now = timezone.now()
    done = next(job for job in simulator.story.jobs(now) if job.graph == "payments_graph" and job.end < now)
    address = f"/v1.0/{polled.project_id}/graphs/{GRAPH}/jobs/{done.job_id}/status"
    live, stored = client.get(address, headers=shown), client.get(address, headers=shown)
    assert json.loads(live.content) == simulator.state(done.job_id)
    assert (live.headers["X-Gesdash-Source"], stored.headers["X-Gesdash-Source"]) == ("live", "store")
    assert live.content == stored.content
    assert {"Age", "X-Gesdash-Observed-At", "X-Request-Id"} <= set(stored.headers)
    assert simulator.asked["status", done.job_id] == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("html", 502, "GESDASH.0502"), ("cut", 502, "GESDASH.0502"), ("redirect", 502, "GESDASH.0502"),
     ("throttle", 503, "GESDASH.0503"), ("error", 504, "GESDASH.0504"), ("drop", 504, "GESDASH.0504")],
)  # fmt: skip
def test_the_proxy_says_what_ges_did(client, polled, simulator, shown, fault, status, code):
    simulator.fault(fault, times=2, retry_after=9)
    job_id = simulator.story.jobs(timezone.now())[5].job_id
    answer = client.get(f"/v1.0/{polled.project_id}/graphs/{GRAPH}/jobs/{job_id}/status", headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


@pytest.mark.django_db(transaction=True)
def test_the_proxy_passes_a_400_of_ges_on(client, polled, simulator, shown):
    answer = client.get(f"/v1.0/{polled.project_id}/graphs/{GRAPH}/jobs/nosuch/status", headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GES.8301")


@pytest.mark.parametrize("job_id", ["a%2Fb", "..", "x" * 300])
def test_the_proxy_refuses_ids_that_are_none(client, polled, shown, job_id):
    answer = client.get(f"/v1.0/{polled.project_id}/graphs/g/jobs/{job_id}/status", headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GESDASH.0400")


def test_the_proxy_shows_nothing_of_foreign_projects(client, project, shown):
    answer = client.get("/v1.0/other/graphs/g/jobs/j/status", headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "GESDASH.0403")


@pytest.mark.filterwarnings("ignore")  # the SDK leaves its sockets open
@pytest.mark.django_db(transaction=True)
def test_the_official_sdk_reads_the_same_through_the_proxy(live_server, polled, simulator, admin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    key, secret, _ = AccessKey.issue(admin, now=timezone.now())
    job = next(job for job in simulator.story.jobs(timezone.now()) if job.outcome == "partial")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkges.v1 import GesClient, ShowJobRequest

        told = []
        for address, ak, sk in (
            (live_server.url, key.access_key, secret),
            (simulator.address, simulator.access_key, simulator.secret_key),
        ):
            credentials = BasicCredentials(ak, sk, polled.project_id)
            client = GesClient.new_builder().with_credentials(credentials).with_endpoint(address).build()
            told.append(client.show_job(ShowJobRequest(graph_id=GRAPH, job_id=job.job_id)))
    assert told[0].to_json_object() == told[1].to_json_object()
    assert told[0].raw_content == told[1].raw_content


def test_the_description_and_its_page(client, admin):
    client.force_login(admin)
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200
