"""Who may see and do what: anonymous, a stranger, a viewer, a reviewer."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from jobs.models import Cause, Correction, Membership, Project, Review, SavedView, Watch
from tests.conftest import NOW
from tests.imports import file, record_reply


@pytest.fixture
def people(project):
    """Users by their role in the project; `stranger` is a member of another, empty one."""
    users = {
        name: User.objects.create_user(name)
        for name in ("viewer", "reviewer", "fixer", "owner", "stranger", "nobody")
    }
    for role in ("viewer", "reviewer", "fixer", "owner"):
        Membership.objects.create(project=project, user=users[role], role=role)
    elsewhere = Project.objects.create(project_id="p2")
    Membership.objects.create(project=elsewhere, user=users["stranger"], role="fixer")
    return users


@pytest.fixture
def lossy(project):
    return record_reply(
        project,
        "lossy-job-id",
        file("b/secret-path.csv", 3, cause="line 7: a secret cause"),
        graph="secretgraph",
    )


@pytest.fixture
def addresses(lossy, people):
    """Every address of a thing, by its name; the view is the viewer's, not shared."""
    one, cause = lossy, Cause.objects.get()
    correction = Correction.objects.create(
        job=one, field="status", reason="r", actor=people["fixer"], made_at=NOW, corrected="x"
    )
    view = SavedView.objects.create(owner=people["viewer"], name="mine", created_at=NOW)
    reading = {
        "graph": [one.graph_id],
        "job": [one.pk],
        "compare": [one.pk],
        "repair": [one.pk],
        "later": [one.pk],
        "history": [one.pk],
        "snapshot": [one.pk, one.snapshots.get().pk],
        "cause": [cause.pk],
        "view-count": [view.pk],
    }
    writing = {
        "watch-job": [one.graph_id],
        "set-tolerance": [one.graph_id],
        "decide": [one.pk],
        "poll-now": [one.pk],
        "undo-correction": [one.pk, correction.pk],
        "note": [cause.pk],
        "delete-view": [view.pk],
    }
    return (
        {name: reverse(f"pages:{name}", args=args) for name, args in reading.items()},
        {name: reverse(f"pages:{name}", args=args) for name, args in writing.items()},
    )


LISTS = [
    "/",
    "/graphs/",
    "/jobs/",
    "/jobs/news/?after=2026-01-01T00:00:00Z",
    "/causes/",
    "/files/?path=cret-pat",
]
SECRETS = [b"secretgraph", b"secret-path", b"secret cause", b"lossy-job-id"]


def test_anonymous_is_sent_to_sign_in_from_every_address(client, addresses):
    reading, writing = addresses
    for address in [*LISTS, "/me/", *reading.values()]:
        assert client.get(address).headers["Location"].startswith("/login/?next="), address
    for address in ["/jobs/views/", "/me/", *writing.values()]:
        assert client.post(address).headers["Location"].startswith("/login/"), address


@pytest.mark.parametrize("person", ["stranger", "nobody"])
def test_an_outsider_finds_nothing_at_any_address(client, addresses, people, person):
    client.force_login(people[person])
    reading, writing = addresses
    for address in reading.values():
        assert client.get(address).status_code == 404, address
        assert client.get(address, headers={"HX-Request": "true"}).status_code == 404, address
        assert client.get(f"{address}?raw").status_code == 404, address
    for address in writing.values():
        assert (
            client.post(
                address, {"state": "to_fix", "note": "x", "share": "0.5", "job_id": "j"}
            ).status_code
            == 404
        ), address
    assert not Review.objects.exists()
    assert Correction.objects.get().reverted_at is None
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("person", ["stranger", "nobody"])
def test_lists_and_counts_reveal_nothing_to_an_outsider(client, lossy, people, person):
    client.force_login(people[person])
    for address in LISTS:
        answer = client.get(address)
        assert answer.status_code in {200, 204}, address
        for secret in SECRETS:
            assert secret not in answer.content, address
    assert b"All <b>0</b>" in client.get("/jobs/").content
    filters = f"/jobs/?graph=secretgraph&path=secret&cause_group={Cause.objects.get().pk}"
    assert b"No jobs match these filters" in client.get(filters).content


def test_a_viewer_reads_everything_and_gets_no_review_form(client, addresses, people):
    client.force_login(people["viewer"])
    reading, _writing = addresses
    for address in [*LISTS, *reading.values()]:
        assert client.get(address).status_code == 200, address
    assert b"viewer" not in client.get(reading["later"]).content  # nor told whom one could ask
    pages = b"".join(client.get(reading[name]).content for name in ("job", "graph", "cause"))
    assert b"action=" in pages
    for action in (b"/review/", b"/tolerance/", b"/note/", b"/undo/", b"/poll/", b"/watch/"):
        assert action not in pages
    assert b"No notes yet." in pages


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("decide", {"state": "accepted", "note": "fine"}),
        ("set-tolerance", {"share": "1"}),
        ("note", {"note": "mine"}),
        ("undo-correction", {}),
        ("poll-now", {}),
        ("watch-job", {"job_id": "another"}),
    ],
)
def test_a_viewer_may_not_write(client, addresses, people, lossy, name, typed):
    client.force_login(people["viewer"])
    _reading, writing = addresses
    assert client.post(writing[name], typed).status_code == 403
    assert not Watch.objects.exists()
    lossy.refresh_from_db()
    lossy.graph.refresh_from_db()
    assert (lossy.review, lossy.graph.tolerated_loss, Cause.objects.get().note) == (
        "waiting",
        None,
        "",
    )
    assert Correction.objects.get().reverted_at is None


@pytest.mark.parametrize("person", ["reviewer", "fixer", "owner"])
def test_a_reviewer_saves_reviews_and_notes(client, addresses, people, lossy, person):
    client.force_login(people[person])
    reading, writing = addresses
    pages = b"".join(client.get(reading[name]).content for name in ("job", "graph", "cause"))
    for name in ("decide", "note", "poll-now", "watch-job"):
        assert f'action="{writing[name]}"'.encode() in pages
    assert (f'action="{writing["set-tolerance"]}"'.encode() in pages) == (person == "owner")
    assert client.post(writing["note"], {"note": "months with 13"}).status_code == 302
    assert client.post(writing["decide"], {"state": "accepted", "note": "fine"}).status_code == 302
    lossy.refresh_from_db()
    assert (lossy.review, Cause.objects.get().note) == ("accepted", "months with 13")


def test_only_an_owner_sets_the_failure_threshold(client, addresses, people, lossy):
    _reading, writing = addresses
    for role, status in (("reviewer", 403), ("fixer", 403), ("owner", 302)):
        client.force_login(people[role])
        assert client.post(writing["set-tolerance"], {"share": "0.5"}).status_code == status
    lossy.refresh_from_db()
    assert lossy.review == "tolerated"


def test_an_object_is_not_found_under_the_address_of_another(
    client, addresses, people, project, lossy
):
    client.force_login(people["fixer"])
    other = record_reply(project, "other", file("a"))
    snapshot = lossy.snapshots.get()
    assert client.get(reverse("pages:snapshot", args=[other.pk, snapshot.pk])).status_code == 404
    client.force_login(User.objects.create_superuser("root"))
    address = reverse("pages:undo-correction", args=[other.pk, Correction.objects.get().pk])
    assert client.post(address).status_code == 404


def test_the_next_import_offered_is_one_this_person_may_review(client, people, project, lossy):
    """A viewer of another project is not sent to an import there."""
    elsewhere = Project.objects.get(project_id="p2")
    Membership.objects.create(project=elsewhere, user=people["reviewer"], role="viewer")
    record_reply(elsewhere, "not theirs", file("a", 5))
    client.force_login(people["reviewer"])
    address = reverse("pages:decide", args=[lossy.pk])
    answer = client.post(address, {"state": "waiting", "note": "still", "next": "1"})
    assert answer.headers["Location"] == reverse("pages:job", args=[lossy.pk])
    other_job = record_reply(project, "theirs", file("a", 5))
    answer = client.post(address, {"state": "accepted", "note": "fine", "next": "1"})
    assert answer.headers["Location"] == reverse("pages:job", args=[other_job.pk])


def test_an_inactive_user_sees_nothing(client, people, lossy):
    client.force_login(people["viewer"])
    User.objects.filter(username="viewer").update(is_active=False)
    assert client.get("/jobs/").status_code == 302
