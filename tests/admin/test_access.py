"""alice owns p1, bob only looks at p1, charlie belongs to p2; all are staff with every permission, none a superuser."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from jobs.decisions import review
from jobs.models import (
    AccessKey,
    Cause,
    Correction,
    Graph,
    ImportFile,
    Membership,
    Miss,
    Project,
    Review,
    SavedView,
    Snapshot,
    Watch,
)  # fmt: skip
from jobs.record import find_graph, find_jobs, observe, record
from tests.factories import NOW
from tests.markup import one_line

TABLES = [
    "accesskey", "cause", "correction", "graph", "importfile", "job", "membership", "miss", "project", "review", "savedview", "snapshot",
    "watch",
]  # fmt: skip


def staff(name, project, role):
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    Membership.objects.create(project=project, user=user, role=role)
    return user


@pytest.fixture
def other(db):
    return Project.objects.create(project_id="p2", name="second")


@pytest.fixture
def people(project, other):
    return {
        "alice": staff("alice", project, "owner"),
        "bob": staff("bob", project, "viewer"),
        "charlie": staff("charlie", other, "fixer"),
    }


@pytest.fixture
def sign_in(client, people):
    def as_(name):
        client.force_login(people[name])
        return client

    return as_


@pytest.fixture
def everything(imported, people):
    """A row of every table in p1."""
    alice = people["alice"]
    record([observe(imported, "poll", NOW, 200, b"<html>Maintenance")])
    Watch.objects.create(job=imported, next_poll_at=NOW)
    cause = Cause.objects.create(
        project=imported.project,
        fingerprint="f",
        pattern="its pattern",
        example="e",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    review.decide(imported, state="accepted", note="known", actor=alice, now=NOW)
    Correction.objects.create(
        job=imported, field="status", corrected="failed", reason="seen", actor=alice, made_at=NOW
    )
    view = SavedView.objects.create(owner=alice, name="mine", created_at=NOW)
    key, *_ = AccessKey.issue(alice, now=timezone.now())
    return {
        "accesskey": key, "cause": cause, "correction": Correction.objects.get(), "graph": imported.graph, "job": imported,
        "importfile": ImportFile.objects.get(kind="vertex"), "membership": imported.project.membership_set.first(), "miss": Miss.objects.get(), "project": imported.project,
        "review": Review.objects.get(), "savedview": view, "snapshot": Snapshot.objects.get(), "watch": Watch.objects.get(),
    }  # fmt: skip


def test_every_table_is_there(admin, client):
    client.force_login(admin)
    page = client.get("/admin/jobs/").content.decode()
    assert [table for table in TABLES if f"/admin/jobs/{table}/" not in page] == []


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_shown_in_lists_and_on_their_pages(sign_in, everything, table):
    client, row = sign_in("alice"), everything[table]
    page = client.get(f"/admin/jobs/{table}/").content.decode()
    assert f"/admin/jobs/{table}/{row.pk}/change/" in page
    assert client.get(f"/admin/jobs/{table}/?q=x").status_code == 200
    assert client.get(f"/admin/jobs/{table}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("table", TABLES)
def test_a_staff_user_of_another_project_sees_none_of_it(sign_in, everything, table):
    client, row = sign_in("charlie"), everything[table]
    page = client.get(f"/admin/jobs/{table}/").content.decode()
    assert f"/admin/jobs/{table}/{row.pk}/change/" not in page
    assert ">p1<" not in page  # a bare p1 may be part of a CSRF token
    assert "payments" not in page
    answer = client.get(f"/admin/jobs/{table}/{row.pk}/change/")
    assert answer.status_code == 302  # as for one that does not exist
    assert answer.headers["Location"] == "/admin/"
    if table != "project":
        assert client.post(f"/admin/jobs/{table}/{row.pk}/delete/").status_code in {302, 403}
        assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(("name", "seen"), [("alice", ["p1"]), ("charlie", ["second"])])
def test_filters_and_choices_name_only_ones_own_projects(sign_in, everything, other, name, seen):
    client = sign_in(name)
    asked = {"app_label": "jobs", "model_name": "accesskey", "field_name": "projects"}
    found = client.get("/admin/autocomplete/", asked).json()["results"]
    assert [one["text"] for one in found] == seen
    find_jobs(other, [(find_graph(other, "g2", "elsewhere"), "j2", NOW)])
    page = client.get("/admin/jobs/job/").content.decode()
    assert ("elsewhere" in page, "payments" in page) == (name == "charlie", name == "alice")
    assert client.get(f"/admin/jobs/job/?project__id__exact={other.pk}").status_code in {200, 302}


def test_a_shared_view_is_visible_and_changed_only_by_its_owner(sign_in, everything):
    SavedView.objects.update(is_shared=True)
    view = SavedView.objects.get()
    address = f"/admin/jobs/savedview/{view.pk}/"
    client = sign_in("charlie")
    assert b'name="_save"' not in client.get(f"{address}change/").content
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    client = sign_in("alice")
    assert b'name="_save"' in client.get(f"{address}change/").content
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 302
    assert not SavedView.objects.exists()


def address_of(job, where="vertex:0"):
    return f"{reverse('admin:jobs_job_correct', args=[job.pk])}?where={where}"


def test_a_file_is_corrected_from_its_own_page_and_undone_on_the_corrections(sign_in, imported):
    client = sign_in("alice")
    file = imported.files.get(kind="vertex")
    assert (
        address_of(imported)
        in client.get(f"/admin/jobs/importfile/{file.pk}/change/").content.decode()
    )
    assert (
        address_of(imported, "job")
        in client.get(f"/admin/jobs/job/{imported.pk}/change/").content.decode()
    )
    page = client.get(address_of(imported)).content.decode()
    assert "<td><code>1659</code></td>" in page  # what GES said, beside the form
    assert page.count("<option") == 7
    form = {
        "where": "vertex:0",
        "field": "failed_lines",
        "corrected": "0",
        "reason": "loaded by hand",
    }
    assert client.post(address_of(imported), form).status_code == 302
    file.refresh_from_db()
    assert file.failed_lines == 0
    page = one_line(client.get(address_of(imported)).content)
    assert "(corrected)</td><td><code>450</code></td>" in page

    one = Correction.objects.get()
    detail = f"/admin/jobs/correction/{one.pk}/change/"
    page = client.get(detail).content.decode()
    assert "Undo (show the GES value again)" in page
    action = re.search(r'<select name="([^"]+)"', page)[1]
    why = action.replace("action", "reason")
    blank = client.post(
        detail, {action: "undo", "_selected_action": one.pk, why: "  "}, follow=True
    )
    assert "A reason is required." in blank.content.decode()
    assert f'name="{why}"' in page
    undo = {action: "undo", "_selected_action": one.pk, why: "it was right"}
    said = client.post(detail, undo, follow=True).content.decode()
    assert "1 correction undone." in said
    one.refresh_from_db()
    file.refresh_from_db()
    assert (one.reverted_by.username, one.reverted_reason, file.failed_lines) == (
        "alice",
        "it was right",
        450,
    )
    undo = {"action": "undo", "_selected_action": one.pk, "reason": "again"}
    again = client.post("/admin/jobs/correction/", undo, follow=True)
    assert "1 unchanged: already undone" in again.content.decode()


@pytest.mark.parametrize(
    ("where", "field", "value", "sentence"),
    [("vertex:0", "failed_lines", "-3", "“-3” is not a valid line count"), ("job", "begin_time", "noon", "is not a valid time"),
     ("job", "end_time", "0001-01-01T00:00:00+14:00", "is not a valid time"),
     ("job", "status", "", "can&#x27;t be empty")],
)  # fmt: skip
def test_invalid_value_is_reported_at_its_field(sign_in, imported, where, field, value, sentence):
    form = {"where": where, "field": field, "corrected": value, "reason": "r"}
    page = sign_in("alice").post(address_of(imported, where), form).content.decode()
    row = page[page.index('class="form-row errors"') :]
    assert sentence in row[: row.index("</div>")]
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    "where", ["vertex:7", "vertex:x", "vertex:-1", "nonsense", "edge:99999999999"]
)
def test_a_place_that_is_not_there_is_not_found(sign_in, imported, where):
    assert sign_in("alice").get(address_of(imported, where)).status_code == 404


def test_only_a_fixer_with_the_permission_corrects_and_undoes(sign_in, people, imported):
    record_of = Correction.objects.create(
        job=imported,
        field="status",
        corrected="failed",
        reason="seen",
        actor=people["alice"],
        made_at=NOW,
    )
    undo = {"action": "undo", "_selected_action": record_of.pk, "reason": "r"}
    for name, refused in (("bob", 403), ("charlie", 404)):
        client = sign_in(name)
        assert client.get(address_of(imported)).status_code == refused
        assert client.post(address_of(imported), {"where": "job"}).status_code == refused
        client.post("/admin/jobs/correction/", undo)
        assert b"/correct/" not in client.get(f"/admin/jobs/job/{imported.pk}/change/").content
    people["alice"].user_permissions.clear()
    client = sign_in("alice")
    assert client.get(address_of(imported)).status_code == 403
    record_of.refresh_from_db()
    assert record_of.reverted_at is None


def test_the_form_is_as_short_for_a_job_of_very_many_files(sign_in, imported):
    rows = [
        ImportFile(
            job=imported,
            kind="edge",
            position=n,
            path=f"b/{n}",
            verdict="success",
            ledger="adds_up",
        )
        for n in range(1, 2000)
    ]
    ImportFile.objects.bulk_create(rows)
    assert len(sign_in("alice").get(address_of(imported, "edge:1999")).content) < 20_000


def test_a_body_that_is_no_json_is_shown_too(sign_in, everything):
    page = (
        sign_in("alice").get(f"/admin/jobs/miss/{everything['miss'].pk}/change/").content.decode()
    )
    assert "&lt;html&gt;Maintenance" in page


def test_lists_do_not_read_bodies(sign_in, everything, django_assert_max_num_queries):
    client = sign_in("alice")
    for table in ("snapshot", "miss"):
        with django_assert_max_num_queries(12) as asked:
            client.get(f"/admin/jobs/{table}/")
        assert not [one for one in asked.captured_queries if '"body"' in one["sql"]]


def test_a_note_and_a_failure_threshold_are_saved_through_the_admin(sign_in, everything):
    cause, graph = everything["cause"], everything["graph"]
    assert b'name="note"' not in sign_in("bob").get(f"/admin/jobs/cause/{cause.pk}/change/").content
    client = sign_in("alice")
    client.post(f"/admin/jobs/cause/{cause.pk}/change/", {"note": "ask the data team"})
    client.post(f"/admin/jobs/graph/{graph.pk}/change/", {"tolerated_loss": "0.05"})
    cause.refresh_from_db()
    assert (cause.note, cause.note_by.username) == ("ask the data team", "alice")
    assert str(Graph.objects.get(pk=graph.pk).tolerated_loss) == "0.0500"


def test_lists_are_counted_up_to_a_bound(sign_in, imported, monkeypatch):
    monkeypatch.setattr("jobs.admin.big_tables.MAX_COUNTED", 2)
    jobs = find_jobs(imported.project, [(imported.graph, f"more{n}", NOW) for n in range(5)])
    Watch.objects.bulk_create(Watch(job=job, next_poll_at=NOW) for job in jobs.values())
    assert "2 tracked jobs" in sign_in("alice").get("/admin/jobs/watch/").content.decode()
    assert Watch.objects.count() == 5


def test_the_admin_cannot_change_where_credentials_are_sent(client, admin, project):
    client.force_login(admin)
    members = {f"membership_set-{key}": 0 for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    form = {
        "name": "named",
        "endpoint": "http://evil.example",
        "credentials": "env",
        "project_id": "other",
        **members,
    }
    form |= {"keeps": "all", "keep_days": 90}
    client.post(f"/admin/jobs/project/{project.pk}/change/", form)
    before = project.endpoint, project.credentials, project.project_id
    project.refresh_from_db()
    assert (project.endpoint, project.credentials, project.project_id) == before
    assert project.name == "named"


def test_a_membership_in_an_invisible_project_is_refused(sign_in, people, other):
    alice = sign_in("alice")
    form = {"user": people["bob"].pk, "project": other.pk, "role": "fixer"}
    assert (
        "project"
        in alice.post("/admin/jobs/membership/add/", form).context["adminform"].form.errors
    )
    assert not other.membership_set.filter(user=people["bob"]).exists()


def test_a_correction_starts_from_the_stored_value_and_leads_to_each_field(sign_in, imported):
    page = sign_in("alice").get(
        f"/admin/jobs/job/{imported.pk}/correct/?where=vertex:0&field=failed_lines"
    )
    assert page.context["form"]["corrected"].value() == "450"
    assert "?where=vertex:0&amp;field=cause" in page.content.decode()
