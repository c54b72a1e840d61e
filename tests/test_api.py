import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs import polling
from jobs.models import AccessKey, Membership


def test_a_job_is_the_export_object(client, imported, shown):
    job = client.get(f"/api/jobs/{imported.pk}/", headers=shown).json()
    assert (job["verdict"], job["ledger"], job["loss_rate"]) == ("partial", "adds_up", 0.1692)
    assert [file["kind"] for file in job["files"]] == ["schema", "vertex", "edge"]
    assert job["begin_time"] == "2026-03-04T11:00:00Z"
    row = client.get("/api/jobs/", headers=shown).json()["results"][0]
    assert row == {"id": imported.pk} | {name: value for name, value in job.items() if name != "files"}


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "no"}, {"Authorization": "SDK-HMAC-SHA256 nonsense"}])
def test_without_a_valid_key_it_is_401_with_a_problem(client, db, headers):
    answer = client.get("/api/jobs/", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert (answer.json()["status"], answer.json()["code"]) == (401, "GESDASH.0401")


def test_a_wrong_filter_is_400_and_named(client, imported, shown):
    answer = client.get("/api/jobs/?verdict=splendid", headers=shown)
    assert answer.status_code == 400
    assert "splendid" in answer.json()["detail"]


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


def test_the_description_and_its_page(client, admin):
    client.force_login(admin)
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200
