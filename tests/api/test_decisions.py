"""Deciding and correcting through the API, with the rights that the pages ask for."""

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from jobs.models import AccessKey, Correction, Membership, Review

JSON = "application/json"


@pytest.fixture
def member(imported):
    """What a member in this role shows."""

    def make(role, *, corrects=False):
        user = User.objects.create_user(f"a {role}")
        Membership.objects.create(project=imported.project, user=user, role=role)
        if corrects:
            user.user_permissions.add(Permission.objects.get(codename="add_correction"))
        return {"X-Auth-Token": AccessKey.issue(user, now=timezone.now())[2]}

    return make


def review(client, job, shown, **given):
    return client.post(f"/api/jobs/{job.pk}/reviews/", given, content_type=JSON, headers=shown)


def correction(client, job, shown, **given):
    return client.post(f"/api/jobs/{job.pk}/corrections/", given, content_type=JSON, headers=shown)


def test_a_reviewer_reviews(client, imported, member):
    answer = review(
        client,
        imported,
        member("reviewer"),
        state="to_fix",
        note=" ask the vendor ",
        due_on="2026-12-01",
    )
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["note"], answer.json()["actor"]) == (
        "to_fix",
        "ask the vendor",
        "a reviewer",
    )
    imported.refresh_from_db()
    assert imported.review == "to_fix"
    assert client.get(f"/api/jobs/{imported.pk}/reviews/", headers=member("viewer")).json()[
        "results"
    ] == [answer.json()]


@pytest.mark.parametrize(
    ("given", "names"),
    [({}, "state"), ({"state": "perhaps"}, "perhaps"), ({"state": "accepted"}, "note with the reason"), ({"state": "to_fix", "due_on": "soon"}, "due_on"),
     ({"state": "fixed"}, "job that fixed it"), ({"state": "fixed", "fixed_by": 12345}, "12345"),
     ({"state": "to_fix", "assignee": "nobody"}, "nobody"), ({"state": "to_fix", "nonsense": 1}, "nonsense"),
     ({"state": "to_fix", "known": 77}, "reload the job")],
)  # fmt: skip
def test_an_invalid_review_is_a_400_with_the_reason(client, imported, shown, given, names):
    answer = review(client, imported, shown, **given)
    assert (answer.status_code, answer.json()["code"]) == (
        400,
        "GESDASH.0400" if "state" in given else answer.json()["code"],
    )
    assert names in answer.json()["detail"]
    assert not Review.objects.exists()


def test_a_fixer_corrects_and_undoes(client, imported, member):
    shown = member("fixer", corrects=True)
    made = correction(
        client,
        imported,
        shown,
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="0",
        reason="read twice",
    )
    assert made.status_code == 201
    assert (made.json()["observed"], made.json()["corrected"]) == ("450", "0")
    assert imported.files.get(kind="vertex", position=0).failed_lines == 0
    address = f"/api/corrections/{made.json()['id']}/undo/"
    for wrong in ({}, {"reason": "  "}, {"reason": None}):
        refused = client.post(address, wrong, content_type="application/json", headers=shown)
        assert (refused.status_code, "reason" in refused.json()["detail"]) == (400, True)
    why = {"reason": "it was right"}
    undone = client.post(address, why, content_type="application/json", headers=shown)
    assert undone.json()["reverted_reason"] == "it was right"
    assert (undone.status_code, undone.json()["reverted_at"] is None) == (200, False)
    assert imported.files.get(kind="vertex", position=0).failed_lines == 450
    again = client.post(address, why, content_type="application/json", headers=shown)
    assert (again.status_code, "already been undone" in again.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("given", "names"),
    [({"field": "job_name", "corrected": "x"}, "reason"), ({"field": "job_name", "corrected": "x", "reason": "  "}, "reason"),
     ({"field": "sha256", "corrected": "x", "reason": "y"}, "sha256"),
     ({"kind": "vertex", "position": 0, "field": "failed_lines", "corrected": "many", "reason": "y"}, "many"),
     ({"kind": "vertex", "position": 0, "field": "status", "corrected": "fine", "reason": "y"}, "partfailed"),
     ({"field": "status", "corrected": "fine", "reason": "y"}, "“fine” is not a GES status"),
     ({"kind": "edge", "position": 99, "field": "failed_lines", "corrected": "1", "reason": "y"}, "99")],
)  # fmt: skip
def test_an_invalid_correction_is_a_400_with_the_reason(client, imported, shown, given, names):
    answer = correction(client, imported, shown, **given)
    assert answer.status_code == 400
    assert names in answer.json()["detail"]
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("role", "corrects"), [("viewer", True), ("reviewer", True), ("fixer", False)]
)
def test_correction_without_permission_is_refused(client, imported, member, role, corrects):
    shown = member(role, corrects=corrects)
    answer = correction(client, imported, shown, field="job_name", corrected="x", reason="y")
    assert (answer.status_code, answer.json()["code"]) == (403, "GESDASH.0403")
    assert not Correction.objects.exists()


def test_viewers_cannot_review_and_outsiders_see_nothing(client, imported, member, admin):
    assert review(client, imported, member("viewer"), state="to_fix").status_code == 403
    made = Correction.objects.create(
        job=imported,
        field="job_name",
        corrected="x",
        reason="y",
        actor=admin,
        made_at=timezone.now(),
    )
    stranger = {
        "X-Auth-Token": AccessKey.issue(User.objects.create_user("stranger"), now=timezone.now())[2]
    }
    answers = [
        review(client, imported, stranger, state="to_fix"),
        correction(client, imported, stranger, field="job_name", corrected="x", reason="y"),
        client.post(f"/api/corrections/{made.pk}/undo/", headers=stranger),
        client.post(f"/api/corrections/{made.pk + 1}/undo/", headers=stranger),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert answers[2].content == answers[3].content


def test_body_that_is_not_json_is_reported(client, imported, shown):
    answer = client.post(
        f"/api/jobs/{imported.pk}/reviews/", "{state", content_type=JSON, headers=shown
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert (
        client.post(
            f"/api/jobs/{imported.pk}/reviews/", "x", content_type="text/plain", headers=shown
        ).status_code
        == 415
    )
