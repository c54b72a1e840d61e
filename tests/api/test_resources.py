"""The JSON API's lists and objects: shapes, filters, pages and errors."""

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs.models import AccessKey, Cause, Correction, Membership, Miss, Review
from jobs.polling import watches
from jobs.record import find_graph
from tests.factories import NOW


def test_a_job_is_the_export_object(client, imported, shown):
    job = client.get(f"/api/jobs/{imported.pk}/", headers=shown).json()
    assert (job["verdict"], job["ledger"], job["loss_rate"]) == ("partial", "adds_up", 0.1692)
    assert [file["kind"] for file in job["files"]] == ["schema", "vertex", "edge"]
    assert job["begin_time"] == "2026-03-04T11:00:00Z"
    row = client.get("/api/jobs/", headers=shown).json()["results"][0]
    assert row == {"id": imported.pk} | {
        name: value for name, value in job.items() if name != "files"
    }


@pytest.mark.parametrize(
    "headers", [{}, {"X-Auth-Token": "no"}, {"Authorization": "SDK-HMAC-SHA256 nonsense"}]
)
def test_without_a_valid_key_it_is_401_with_a_problem(client, db, headers):
    answer = client.get("/api/jobs/", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert (answer.json()["status"], answer.json()["code"]) == (401, "GESDASH.0401")


def test_an_invalid_filter_is_a_400_that_names_it(client, imported, shown):
    answer = client.get("/api/jobs/?verdict=splendid", headers=shown)
    assert answer.status_code == 400
    assert "splendid" in answer.json()["detail"]


def test_pages_of_jobs_hold_every_row_once(client, imported, shown):
    now = timezone.now()
    for number in range(7):
        watches.watch(imported.project, "g1", f"more{number}", now)
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


def test_the_description_and_its_page(client, admin):
    client.force_login(admin)
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200


LISTS = ["projects", "graphs", "causes", "keys"]
OF_JOB = ["files", "snapshots", "misses", "reviews", "corrections"]


@pytest.fixture
def told(imported, admin):
    """A job with something of everything."""
    Correction.objects.create(
        job=imported,
        field="status",
        observed="a",
        corrected="b",
        reason="c",
        actor=admin,
        made_at=NOW,
    )
    Review.objects.create(job=imported, state="to_fix", note="n", actor=admin, made_at=NOW)
    Cause.objects.create(
        project=imported.project,
        fingerprint="f",
        pattern="p",
        example="e",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    Miss.objects.create(
        job=imported, source="poll", kind="timeout", first_seen_at=NOW, last_seen_at=NOW
    )
    return imported


def addresses(job):
    snapshot = job.snapshots.get().pk
    return [
        *(f"/api/{name}/" for name in LISTS), *(f"/api/jobs/{job.pk}/{name}/" for name in OF_JOB), f"/api/jobs/{job.pk}/",
        f"/api/graphs/{job.graph_id}/", f"/api/projects/{job.project_id}/", f"/api/snapshots/{snapshot}/",
        f"/api/snapshots/{snapshot}/body/",
    ]  # fmt: skip


def test_every_kind_of_row_can_be_read(client, told, shown):
    for address in addresses(told):
        answer = client.get(address, headers=shown)
        assert answer.status_code == 200, address
        rows = answer.json().get("results", [answer.json()])
        assert rows, address
    corrections = client.get(f"/api/jobs/{told.pk}/corrections/", headers=shown).json()["results"]
    assert (corrections[0]["actor"], corrections[0]["reason"]) == ("ada", "c")
    assert "gd_" not in client.get("/api/keys/", headers=shown).content.decode()


def test_rows_hidden_from_an_outsider_are_a_404_or_not_listed(client, told):
    _, _, token = AccessKey.issue(User.objects.create_user("bob"), now=timezone.now())
    for address in addresses(told):
        answer = client.get(address, headers={"X-Auth-Token": token})
        if address.removeprefix("/api/").strip("/") in LISTS:
            assert [row for row in answer.json()["results"] if address != "/api/keys/"] == []
        else:
            assert (answer.status_code, answer.json()["code"]) == (404, "GESDASH.0404"), address


def test_keys_of_other_users_are_not_listed(client, told, shown, key):
    _, _, token = AccessKey.issue(User.objects.create_user("bob"), now=timezone.now())
    rows = client.get("/api/keys/", headers={"X-Auth-Token": token}).json()["results"]
    assert key.access_key not in [row["access_key"] for row in rows]


def test_the_body_of_a_snapshot_is_the_very_bytes(client, told, shown):
    snapshot = told.snapshots.get()
    answer = client.get(f"/api/snapshots/{snapshot.pk}/body/", headers=shown)
    assert answer.content == bytes(snapshot.body)
    assert (
        client.get(f"/api/snapshots/{snapshot.pk}/", headers=shown).json()["sha256"]
        == bytes(snapshot.sha256).hex()
    )


def test_a_matching_etag_is_a_304(client, told, shown):
    for address in [*addresses(told), "/api/jobs/"]:
        first = client.get(address, headers=shown)
        assert (
            client.get(
                address, headers={**shown, "If-None-Match": first.headers["ETag"]}
            ).status_code
            == 304
        ), address
        assert client.get(address, headers={**shown, "If-None-Match": '"other"'}).status_code == 200


def test_pages_of_rows_hold_every_row_once(client, told, shown):
    for number in range(7):
        find_graph(told.project, f"more{number}")
    seen, address = [], "/api/graphs/?page_size=3"
    while address:
        page = client.get(address, headers=shown).json()
        seen += [row["id"] for row in page["results"]]
        last, address = page, page["next"]
    assert len(seen) == len(set(seen)) == 8
    assert seen == sorted(seen, reverse=True)
    assert [
        row["id"] for row in client.get(last["previous"], headers=shown).json()["results"]
    ] == seen[3:6]


@pytest.mark.parametrize("query", [
    "cursor=zzz", "cursor=cD1hYmM%3D", "cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "page_size=0", "page_size=501",
    "page_size=x", "verdict=partial", "project=%00",
])  # fmt: skip
def test_an_invalid_name_or_value_is_a_400_that_names_it(client, told, shown, query):
    answer = client.get(f"/api/graphs/?{query}", headers=shown)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert query.split("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    "address",
    ["/api/nonsense/", "/api/jobs/99999999999999999999/", "/api/graphs/99999999999999999999/"],
)
def test_a_missing_row_is_a_problem(client, shown, address):
    answer = client.get(address, headers=shown)
    assert answer.json() == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": answer.json()["detail"], "code": "GESDASH.0404",
    }  # fmt: skip
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_unknown_host_is_refused_in_the_shape_of_api_or_proxy(client, shown, imported):
    asked = {**shown, "Host": "evil.example"}
    assert client.get("/api/jobs/", headers=asked).json()["code"] == "GESDASH.0400"
    proxied = client.get("/v1.0/p1/graphs/g1/jobs/j1/status", headers=asked)
    assert (proxied.status_code, proxied.json()["errorCode"]) == (400, "GESDASH.0400")


def test_lists_take_few_queries(client, told, shown, django_assert_max_num_queries):
    for address in addresses(told):
        with django_assert_max_num_queries(6):
            client.get(address, headers=shown)


def test_the_docs_page_needs_no_network(client, admin):
    client.force_login(admin)
    page = client.get("/api/docs/").content.decode()
    assert re.findall(r"""(?:src|href)="((?:https?:)?//[^"]+)""", page) == []
