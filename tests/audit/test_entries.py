"""The trail: what people change is noted by the database, who came in and what was refused by the product."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError
from django.urls import reverse
from django.utils import timezone

from jobs.audit import entries
from jobs.decisions.corrections import correct, revert
from jobs.decisions.review import decide, save_note, set_tolerance
from jobs.models import (
    AccessKey,
    AuditEntry,
    Cause,
    Correction,
    Graph,
    Job,
    Membership,
    Project,
    Review,
    SavedView,
    Watch,
)
from jobs.record import find_graph
from tests.conftest import NOW
from tests.imports import file, record_reply


def newest(**conditions):
    return AuditEntry.objects.filter(**conditions).latest("pk")


def facts(entry):
    return entry.deed, entry.what, entry.object_name, entry.before, entry.after


@pytest.fixture
def owner(project):
    user = User.objects.create_user("olga")
    Membership.objects.create(project=project, user=user, role="owner")
    return user


@pytest.fixture
def cause(project):
    return Cause.objects.create(
        project=project,
        fingerprint="f",
        pattern="its pattern",
        example="e",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )


def test_what_people_change_is_noted_with_what_it_was(project, owner):
    made = newest(what="membership")
    assert facts(made) == (
        "made",
        "membership",
        "olga",
        None,
        {"user": "olga", "role": "owner", "project": "p1"},
    )
    Membership.objects.filter(user=owner).update(role="viewer")
    assert facts(newest()) == (
        "changed",
        "membership",
        "olga",
        {"role": "owner"},
        {"role": "viewer"},
    )
    assert newest().project == project
    Membership.objects.all().delete()
    assert facts(newest())[:3] == ("deleted", "membership", "olga")
    assert newest().before["role"] == "viewer"


def test_an_edit_in_raw_sql_is_noted_too(project):
    graph = find_graph(project, "g1", "payments")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jobs_graph SET tolerated_loss = 0.5, name = 'x' WHERE id = %s", [graph.pk]
        )
    assert facts(newest()) == (
        "changed", "graph", "x", {"name": "payments", "tolerated_loss": None}, {"name": "x", "tolerated_loss": 0.5}
    )  # fmt: skip
    assert (newest().graph_id, newest().actor) == (graph.pk, "")


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (
            lambda user: User.objects.filter(pk=user.pk).update(is_staff=True),
            {"is_staff": False},
            {"is_staff": True},
        ),
        (lambda user: user.groups.add(Group.objects.create(name="team")), None, {"group": "team"}),
        (
            lambda user: user.user_permissions.add(Permission.objects.get(codename="add_job")),
            None,
            {"permission": "add_job"},
        ),
        (
            lambda user: user.set_password("another long one") or user.save(),
            {"password": "kept"},
            {"password": "changed"},
        ),
    ],
)
def test_users_flags_groups_and_permissions_are_noted(owner, change, before, after):
    change(owner)
    entry = newest()
    assert (entry.what, entry.object_name, entry.before, entry.after) == (
        "user",
        "olga",
        before,
        after,
    )


def test_a_groups_permissions_are_noted(db):
    group = Group.objects.create(name="team")
    group.permissions.add(Permission.objects.get(codename="add_job"))
    assert facts(newest()) == ("made", "group", "team", None, {"permission": "add_job"})


def test_no_secret_is_in_the_trail(project, owner):
    key, secret, token = AccessKey.issue(owner, now=NOW, name="etl", projects=[project])
    key.revoke(NOW)
    owner.set_password("a very new password")
    owner.save()
    whole = json.dumps(list(AuditEntry.objects.values("before", "after", "object_name", "reason")))
    for hidden in (secret, token, key.token_digest, bytes(key.sealed_secret).hex(), owner.password):
        assert hidden not in whole
    kinds = [
        (one.deed, one.object_name) for one in AuditEntry.objects.filter(what="key").order_by("pk")
    ]
    assert kinds == [("made", "etl"), ("made", "etl"), ("changed", "etl")]
    assert AuditEntry.objects.filter(what="key", project=project).get().after == {"project": "p1"}


def test_views_notes_and_tolerance_are_noted(project, owner, cause):
    view = SavedView.objects.create(
        owner=owner, name="mine", query="verdict=partial", created_at=NOW
    )
    view.delete()
    assert [one.deed for one in AuditEntry.objects.filter(what="view").order_by("pk")] == [
        "made",
        "deleted",
    ]
    save_note(cause, "ask them", actor=owner, now=NOW)
    assert facts(newest()) == ("changed", "note", "its pattern", {"note": ""}, {"note": "ask them"})
    assert newest().actor == "olga"
    set_tolerance(find_graph(project, "g1"), "0.1", now=NOW)
    assert newest().after == {"tolerated_loss": 0.1}


def test_corrections_and_reviews_are_in_it_in_their_own_words(imported, admin, client):
    made = correct(
        imported,
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="5",
        reason="seen",
        actor=admin,
        now=NOW,
    )
    revert(made, reason="seen again", actor=admin, now=NOW)
    decide(imported, state="accepted", note="a known gap", actor=admin, now=NOW)
    correction, undone, review = AuditEntry.objects.filter(job=imported).order_by("pk")
    assert (correction.deed, correction.actor, correction.reason, correction.job) == (
        "made",
        "ada",
        "seen",
        imported,
    )
    assert (undone.deed, undone.actor, undone.object_id) == ("undone", "ada", made.pk)
    assert (review.reason, review.after["state"]) == ("a known gap", "accepted")
    client.force_login(admin)
    page = " ".join(client.get(f"/audit/?job_id={imported.job_id}").content.decode().split())
    assert "vertex file 0 failed lines: <del>450</del> → <ins>5</ins>" in page
    assert "a known gap" in page
    assert page.count("<tr>") == 1 + 3


def test_what_programs_write_is_not_noted(imported, polled):
    before = AuditEntry.objects.count()
    record_reply(imported.project, "j9", file("b/v.csv", 3, cause="line 7"))
    Project.objects.filter(pk=imported.project_id).update(discovered_at=NOW, problem="x")
    Watch.objects.create(job=imported, next_poll_at=NOW)
    assert AuditEntry.objects.count() == before


def test_nobody_changes_or_deletes_an_entry(project, owner):
    entry = newest()
    for act in (
        lambda: AuditEntry.objects.update(actor="somebody else"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: entry.delete(),
    ):
        with pytest.raises(DatabaseError, match="entry_stays"), transaction.atomic():
            act()
    assert AuditEntry.objects.get(pk=entry.pk).actor == entry.actor


def test_a_correction_and_a_review_are_never_changed_or_deleted(imported, admin):
    made = correct(
        imported,
        kind="",
        position=None,
        field="status",
        corrected="failed",
        reason="r",
        actor=admin,
        now=NOW,
    )
    review = decide(imported, state="accepted", note="n", actor=admin, now=NOW)
    for rows, value in (
        (Correction.objects.filter(pk=made.pk), {"reason": "x"}),
        (Review.objects.filter(pk=review.pk), {"note": "x"}),
    ):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            rows.update(**value)
        with pytest.raises(DatabaseError, match="delete rows"), transaction.atomic():
            rows.delete()
    revert(made, reason="seen again", actor=admin, now=NOW)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Correction.objects.filter(pk=made.pk).update(reverted_at=None)


def test_who_and_from_where_come_from_the_request(client, project, owner):
    graph = find_graph(project, "g1")
    client.force_login(owner)
    headers = {"X-Request-Id": "req-7"}
    answer = client.post(
        reverse("pages:set-tolerance", args=[graph.pk]), {"share": "0.5"}, headers=headers
    )
    assert answer.headers["X-Request-Id"] == "req-7"
    entry = newest(what="graph")
    assert (entry.actor, entry.actor_id, entry.request_id) == ("olga", owner.pk, "req-7")
    assert (entry.address, entry.path) == ("127.0.0.1", f"POST /graphs/{graph.pk}/tolerance/")


@pytest.mark.parametrize("given", ["", "x" * 65, "a\x7fb", "é"])
def test_a_request_id_that_will_not_do_is_one_of_ours(client, given):
    answer = client.get("/healthz", headers={"X-Request-Id": given} if given else {})
    assert len(answer.headers["X-Request-Id"]) == 32


@pytest.mark.django_db(transaction=True)
def test_a_requests_context_ends_with_it(client, project, owner):
    """Even where the connection went back to the pool in its middle, as it does while GES is asked."""
    graph = find_graph(project, "g1")
    client.force_login(owner)
    client.post(reverse("pages:set-tolerance", args=[graph.pk]), {"share": "0.5"})
    Graph.objects.update(name="x")
    assert (newest().actor, newest().path) == ("", "")
    with entries.acting(
        type("R", (), {"user": owner, "method": "POST", "path": "/x", "headers": {}, "META": {}})()
    ):
        connection.close()
        Graph.objects.update(name="y")
        assert newest().actor == "olga"
    Graph.objects.update(name="z")
    assert newest().actor == ""

    def elsewhere():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('pghistory.context_metadata', true)")
            return cursor.fetchone()[0]

    def ask(_number):
        try:
            return elsewhere()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(ask, range(8)))


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_each_have_their_own_name(project):
    people = [User.objects.create_user(name) for name in ("ann", "ben")]
    graphs = [find_graph(project, f"g{n}") for n in range(2)]
    both = threading.Barrier(2)

    def change(number):
        request = type(
            "R",
            (),
            {"user": people[number], "method": "POST", "path": "/x", "headers": {}, "META": {}},
        )()
        try:
            for turn in range(20):
                with entries.acting(request):
                    both.wait(30)
                    Graph.objects.filter(pk=graphs[number].pk).update(name=f"{turn}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, range(2)))
    for person, graph in zip(people, graphs, strict=True):
        assert set(AuditEntry.objects.filter(graph=graph, what="graph").values_list("actor")) == {
            (person.username,)
        }
    assert AuditEntry.objects.filter(what="graph").count() == 40


def test_sign_ins_and_failed_ones_are_noted(client, db):
    User.objects.create_user("bob", password="a long password")
    client.post("/login/", {"username": "bob", "password": "wrong"})
    client.post("/login/", {"username": "bob", "password": "a long password"})
    client.post("/logout/")
    assert [(one.deed, one.actor) for one in AuditEntry.objects.filter(what="session").order_by("pk")] == [
        ("sign_in_failed", "bob"), ("signed_in", "bob"), ("signed_out", "bob"),
    ]  # fmt: skip
    assert "wrong" not in json.dumps(
        list(AuditEntry.objects.values("before", "after", "object_name", "actor"))
    )


def test_failed_sign_ins_are_noted_at_a_bounded_rate(client, db, monkeypatch):
    monkeypatch.setattr(entries, "rate_limit", entries._RateLimit())
    monkeypatch.setattr(entries.time, "monotonic", lambda: 60.0)  # all of it in one minute
    for number in range(25):
        client.post("/login/", {"username": f"u{number}", "password": "wrong"})
    noted = AuditEntry.objects.filter(deed="sign_in_failed").order_by("pk")
    assert noted.count() == entries.MAX_OF_ORIGIN
    assert noted.last().after == {"more": True}


def test_refusals_are_noted_for_the_auditor_of_what_was_asked_for(
    client, project, imported, monkeypatch
):
    monkeypatch.setattr(entries, "rate_limit", entries._RateLimit())
    client.force_login(User.objects.create_user("eve"))
    assert client.get(f"/jobs/{imported.pk}/").status_code == 404
    assert client.get("/jobs/999999/").status_code == 404
    client.get("/no-such-address/")
    there, nothing = AuditEntry.objects.filter(deed="refused").order_by("pk")
    assert (there.actor, there.project, there.job, there.after) == (
        "eve",
        project,
        imported,
        {"status": 404},
    )
    assert (nothing.object_name, nothing.project, nothing.job) == ("/jobs/999999/", None, None)
    assert (
        client.get(f"/api/jobs/{imported.pk}/", headers={"X-Auth-Token": "wrong"}).status_code
        == 401
    )
    assert newest().after == {"status": 401}


def test_downloads_of_replies_are_noted(client, admin, imported, shown):
    client.force_login(admin)
    reply = imported.snapshots.get()
    client.get(reverse("pages:snapshot", args=[imported.pk, reply.pk]))
    assert not AuditEntry.objects.filter(deed="downloaded").exists()
    client.get(reverse("pages:snapshot", args=[imported.pk, reply.pk]) + "?raw")
    client.logout()
    client.get(f"/api/snapshots/{reply.pk}/body/", headers=shown)
    both = AuditEntry.objects.filter(deed="downloaded", what="reply")
    assert [(one.actor, one.object_id, one.job, one.project) for one in both] == [
        ("ada", reply.pk, imported, imported.project)
    ] * 2


def test_a_keys_first_use_a_day_is_noted_once(client, key, shown):
    for _ in range(3):
        client.get("/api/jobs/", headers=shown)
    assert AuditEntry.objects.filter(deed="used").count() == 1
    AccessKey.objects.update(noted_on=timezone.now().date() - timedelta(days=1))
    client.get("/api/jobs/", headers=shown)
    assert [
        (one.what, one.object_id, one.actor) for one in AuditEntry.objects.filter(deed="used")
    ] == [("key", key.pk, "ada")] * 2


# The page


@pytest.fixture
def some(project, owner, imported, cause):
    """Entries of p1, of another project and of none."""
    other = Project.objects.create(project_id="p2", name="second")
    stranger = User.objects.create_user("stranger")
    Membership.objects.create(project=other, user=stranger, role="owner")
    save_note(cause, "in p1", actor=owner, now=NOW)
    record_reply(other, "j2", file("a", 1))
    decide(Job.objects.get(job_id="j2"), state="to_fix", note="in p2", actor=stranger, now=NOW)
    return {"owner": owner, "stranger": stranger}


def seen_by(client, user, query=""):
    client.force_login(user)
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return [entry for entry, _changes in answer.context["rows"]]


@pytest.mark.parametrize("role", ["viewer", "reviewer", "fixer"])
def test_a_member_sees_what_was_done_to_jobs_and_nothing_of_people(client, project, some, role):
    user = User.objects.create_user("mia")
    Membership.objects.create(project=project, user=user, role=role)
    rows = seen_by(client, user)
    assert {entry.what for entry in rows} == {"note"}
    assert {entry.project for entry in rows} == {project}


@pytest.mark.parametrize("role", ["auditor", "owner"])
def test_an_auditor_and_an_owner_see_all_of_their_project_only(client, project, some, role):
    user = User.objects.create_user("mia")
    Membership.objects.create(project=project, user=user, role=role)
    rows = seen_by(client, user)
    assert {entry.what for entry in rows} == {"note", "membership", "project"}
    assert {entry.project for entry in rows} == {project}


def test_an_administrator_sees_all_and_a_stranger_only_their_own(client, some, admin):
    assert {"user", "membership", "review"} <= {entry.what for entry in seen_by(client, admin)}
    assert {entry.project.project_id for entry in seen_by(client, some["stranger"])} == {"p2"}
    assert (
        seen_by(client, some["stranger"], "?project=p1")
        == seen_by(client, some["stranger"], "?project=none")
        == []
    )


@pytest.mark.parametrize(
    ("query", "whats"),
    [
        ("?what=note", {"note"}), ("?what=note&what=review", {"note", "review"}), ("?actor=olga", {"note"}),
        ("?deed=made&what=review", {"review"}), ("?object=its+pat", {"note"}), ("?project=p2&what=review", {"review"}),
        ("?job_id=j2", {"review"}), ("?graph=payments&project=p2&what=review", {"review"}), ("?before=2020-01-01", set()),
        ("?after=2999-01-01", set()), ("?request=none", set()),
    ],
)  # fmt: skip
def test_filters(client, some, admin, query, whats):
    assert {entry.what for entry in seen_by(client, admin, query)} == whats


@pytest.mark.parametrize(
    "query", ["what=nonsense", "after=noon", "splendid=1", "cursor=x", "object=%00", "zone=Mars"]
)
def test_what_will_not_do_is_said_above_the_list(client, admin, query):
    client.force_login(admin)
    page = client.get(f"/audit/?{query}")
    assert page.status_code == 200
    assert b'role="alert"' in page.content


def test_its_pages_follow_each_other_and_cost_the_same(
    client, project, admin, django_assert_max_num_queries
):
    graph = find_graph(project, "g1")
    for number in range(120):
        Graph.objects.filter(pk=graph.pk).update(name=f"n{number}")
    client.force_login(admin)
    address, seen = "/audit/?what=graph", []
    while address:
        with django_assert_max_num_queries(10):
            answer = client.get(address)
        seen += [entry.after["name"] for entry, _ in answer.context["rows"]]
        address = answer.context["next_url"]
    assert seen == [f"n{number}" for number in range(119, -1, -1)]


def test_the_order_of_each_narrowed_trail_is_read_from_an_index(project):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_auditentry (at, deed, what, object_name, project_id, job_id, graph_id, reason, actor, request_id, address, path)"
            " SELECT now() - n * interval '1 minute', 'made', 'review', 'x', n % 50, n, n % 500, '', 'u' || n % 50, '', '', ''"
            " FROM generate_series(1, 30000) n"
        )
        cursor.execute("ANALYZE jobs_auditentry")
    for condition, index in (
        ({}, "entry_newest"), ({"project": 3}, "entry_of_project"), ({"graph": 7}, "entry_of_graph"), ({"job": 9}, "entry_of_job"),
        ({"actor": "u3"}, "entry_of_actor"),
    ):  # fmt: skip
        plan = AuditEntry.objects.filter(**condition).order_by("-at", "-pk")[:51].explain()
        assert index in plan, plan


def test_an_undoing_tells_which_value_went_back(client, admin, imported):
    made = correct(
        imported,
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="7",
        reason="misread",
        actor=admin,
        now=timezone.now(),
    )
    revert(made, reason="seen again", actor=admin, now=timezone.now())
    client.force_login(admin)
    page = client.get("/audit/?deed=undone").content.decode()
    row = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    assert re.search(r"failed lines.*7.*450.*seen again", row, re.DOTALL)
    assert "original reason:" not in row
    [told] = [
        json.loads(line) for line in exported_trail(client, "deed=undone&format=jsonl").splitlines()
    ]
    assert (told["field"], told["position"], told["observed"], told["corrected"]) == (
        "failed_lines",
        0,
        "450",
        "7",
    )
    assert (told["reason"], told["reverted_reason"]) == ("seen again", "seen again")


def test_the_trail_is_taken_out_as_it_is_filtered_and_that_is_an_entry(client, admin, imported):
    client.force_login(admin)
    save_note(
        Cause.objects.create(
            project=imported.project,
            fingerprint="f",
            pattern="p",
            example="=2+2",
            first_seen_at=NOW,
            last_seen_at=NOW,
        ),
        "=2+2",
        actor=admin,
        now=timezone.now(),
    )
    text = exported_trail(client, "what=note&format=csv")
    assert text.startswith("\ufeffid,what,deed")
    assert text.count("\r\n") == 2
    assert "'=2+2" not in text.split("\r\n")[0]
    entry = AuditEntry.objects.get(deed="exported")
    assert (entry.actor, entry.after) == ("ada", {"format": "csv", "filters": {"what": ["note"]}})
    assert b"format" in client.get("/audit/export/?format=pdf", follow=True).content


def exported_trail(client, query):
    return b"".join(client.get(f"/audit/export/?{query}").streaming_content).decode()
