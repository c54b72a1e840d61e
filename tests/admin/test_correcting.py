"""The admin's data fixes: what GES said beside the form, two at once, many at once, and forms that outlive a session."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from jobs.decisions.corrections import correct
from jobs.models import AuditEntry, Correction, Job, Membership, Project, Watch
from jobs.record import find_graph, find_jobs
from tests.factories import NOW
from tests.imports import file, record_reply


@pytest.fixture
def fixer(project):
    user = User.objects.create_user("alice", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    Membership.objects.create(project=project, user=user, role="fixer")
    return user


@pytest.fixture
def browser(fixer):
    client = Client()
    client.force_login(fixer)
    return client


@pytest.fixture
def lossy(project):
    return [record_reply(project, f"j{n}", file(f"b/v{n}.csv", 5, loaded=95)) for n in range(3)]


def form_of(page):
    return dict(
        re.findall(r'name="(where|known)" value="([^"]*)"', page.replace("&quot;", "'"))
    ), page


def known_of(client, address):
    return client.get(address).context["form"]["known"].value()


def test_value_of_ges_is_shown_beside_the_form(browser, lossy):
    page = browser.get(f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0").content.decode()
    assert "&quot;failedLines&quot;: 5" in page
    assert f"/jobs/{lossy[0].pk}/snapshots/" in page


def test_the_part_of_a_long_reply_about_the_file_is_shown(browser, project):
    job = record_reply(project, "long", *(file(f"b/v{n}.csv", 1) for n in range(500)))
    page = browser.get(f"/admin/jobs/job/{job.pk}/correct/?where=vertex:400").content.decode()
    reply = page[page.index("<pre>") : page.index("</pre>")]
    assert "b/v400.csv" in reply
    assert len(reply) < 15_000


def test_the_second_of_two_concurrent_corrections_is_warned(browser, lossy, admin):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    known = known_of(browser, address)
    correct(
        lossy[0],
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="3",
        reason="counted",
        actor=admin,
        now=NOW,
    )
    sent = {
        "where": "vertex:0",
        "known": known,
        "field": "failed_lines",
        "corrected": "4",
        "reason": "mine",
    }
    answer = browser.post(address, sent)
    assert "ada corrected this to 3 in the meantime (reason: counted)" in answer.content.decode()
    assert answer.context["form"]["corrected"].value() == "4"
    assert Correction.objects.count() == 1
    again = sent | {"known": answer.context["form"]["known"].value()}
    assert browser.post(address, again).status_code == 302
    assert Correction.objects.standing().get().corrected == "4"


def test_a_change_of_another_field_is_no_conflict(browser, lossy, admin):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    known = known_of(browser, address)
    correct(
        lossy[0],
        kind="vertex",
        position=0,
        field="cause",
        corrected="x",
        reason="r",
        actor=admin,
        now=NOW,
    )
    sent = {
        "where": "vertex:0",
        "known": known,
        "field": "failed_lines",
        "corrected": "4",
        "reason": "mine",
    }
    assert browser.post(address, sent).status_code == 302


def test_reply_recorded_since_is_reported_too(browser, project, lossy):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    known = known_of(browser, address)
    record_reply(project, "j0", file("b/v0.csv", 9, loaded=95))
    sent = {
        "where": "vertex:0",
        "known": known,
        "field": "failed_lines",
        "corrected": "4",
        "reason": "mine",
    }
    assert "This value changed to 9 in the meantime" in browser.post(address, sent).content.decode()
    assert not Correction.objects.exists()


@pytest.mark.parametrize("known", ["{", "[]", '{"failed_lines": 7}', "null"])
def test_a_form_that_was_tampered_with_breaks_nothing(browser, lossy, known):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    sent = {
        "where": "vertex:0",
        "known": known,
        "field": "failed_lines",
        "corrected": "4",
        "reason": "mine",
    }
    assert browser.post(address, sent).status_code in {200, 302}


def test_a_mismatch_of_counts_is_accepted_with_a_warning(browser, lossy):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    sent = {"where": "vertex:0", "field": "failed_lines", "corrected": "4", "reason": "mine"}
    assert "are no longer consistent" in browser.post(address, sent, follow=True).content.decode()
    sent |= {"corrected": "5"}
    assert (
        "are no longer consistent" not in browser.post(address, sent, follow=True).content.decode()
    )


def test_a_job_is_attached_to_the_right_graph(browser, project, lossy):
    right = find_graph(project, "g2", "right")
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/"
    sent = {
        "where": "job",
        "field": "graph",
        "graph": right.pk,
        "reason": "the name was used again",
    }
    assert browser.post(address, sent).status_code == 302
    assert Job.objects.get(pk=lossy[0].pk).graph == right
    other = find_graph(Project.objects.create(project_id="p2"), "g9", "secret")
    assert "graph" in browser.post(address, sent | {"graph": other.pk}).context["form"].errors


def test_a_correction_survives_the_sign_in(fixer, lossy):
    fixer.set_password("a long password")
    fixer.save()
    client = Client()
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/"
    sent = {
        "where": "vertex:0",
        "field": "failed_lines",
        "corrected": "4",
        "reason": "a long story",
    }
    answer = client.post(
        address, sent, headers={"Referer": f"http://testserver{address}?where=vertex:0"}
    )
    assert answer.status_code == 403
    assert "What you entered was kept" in answer.content.decode()
    typed, page = answer.context["typed"], answer.context["next"]
    wrong = client.post(
        "/login/", {"username": "alice", "password": "x", "typed": typed, "next": page}
    )
    assert wrong.context["typed"] == typed
    answer = client.post(
        "/login/",
        {"username": "alice", "password": "a long password", "typed": typed, "next": page},
    )
    assert answer.headers["Location"] == f"{address}?where=vertex:0"
    form = client.get(answer.headers["Location"]).context["form"]
    assert (form["reason"].value(), form["corrected"].value()) == ("a long story", "4")
    assert client.get(f"{address}?where=vertex:0").context["form"]["reason"].value() is None
    assert not Correction.objects.exists()


def test_a_note_and_a_review_survive_the_sign_in(fixer, project):
    job = record_reply(project, "j1", file("a", 3, cause="line 7"))
    fixer.set_password("a long password")
    fixer.save()
    for place, page, fields in (
        (
            f"/jobs/{job.pk}/review/",
            f"/jobs/{job.pk}/",
            {"state": "accepted", "note": "long words"},
        ),
        (
            f"/causes/{job.files.get().cause_group_id}/note/",
            f"/causes/{job.files.get().cause_group_id}/",
            {"note": "long words"},
        ),
    ):
        client = Client()
        answer = client.post(place, fields, headers={"Referer": f"http://testserver{page}"})
        sent = {
            "username": "alice",
            "password": "a long password",
            "typed": answer.context["typed"],
            "next": answer.context["next"],
        }
        back = client.post("/login/", sent)
        assert back.headers["Location"] == page
        assert "long words" in client.get(page).content.decode()


@pytest.mark.parametrize(
    "typed",
    ["{", "[1]", '{"to": 1, "fields": {}}', '{"to": "/x", "fields": {"a": [1]}}', "x" * 70_000],
)
def test_a_sign_in_with_a_malformed_form_still_signs_in(db, typed):
    User.objects.create_user("bob", password="a long password")
    assert (
        Client()
        .post("/login/", {"username": "bob", "password": "a long password", "typed": typed})
        .status_code
        == 302
    )


def test_the_sign_in_returns_only_to_own_pages(db):
    answer = Client().post(
        "/me/", {"zone": "UTC"}, headers={"Referer": "https://evil.example/steal"}
    )
    assert answer.context["next"] == "/me/"


# Many rows


MANY = "/admin/jobs/importfile/correct-many/"


def rows_of(jobs):
    return ",".join(str(job.files.get().pk) for job in jobs)


def test_many_rows_are_corrected_after_a_preview_of_each(browser, lossy):
    chosen = [job.files.get().pk for job in lossy[:2]]
    answer = browser.post(
        "/admin/jobs/importfile/", {"action": "correct_many", "_selected_action": chosen}
    )
    rows = answer.context["form"]["rows"].value()
    assert rows == ",".join(map(str, sorted(chosen)))
    sent = {"rows": rows, "field": "failed_lines", "corrected": "4", "reason": "recounted"}
    preview = browser.post(MANY, sent)
    assert [(line.before, line.after, line.ledger[1]) for line in preview.context["lines"]] == [
        ("5", "4", "does_not_add_up")
    ] * 2
    assert "The line counts of 2 rows will not balance" in preview.content.decode()
    assert not Correction.objects.exists()
    assert not AuditEntry.objects.filter(what="correction").exists()
    done = browser.post(MANY, sent | {"seen": preview.context["seen"], "make": "1"}, follow=True)
    assert "2 values corrected." in done.content.decode()
    assert sorted(Job.objects.values_list("failed_lines", flat=True)) == [4, 4, 5]
    assert {(one.reason, one.actor.username) for one in Correction.objects.all()} == {
        ("recounted", "alice")
    }


def test_a_change_since_the_preview_is_shown_and_nothing_is_saved(browser, lossy, admin):
    sent = {
        "rows": rows_of(lossy),
        "field": "failed_lines",
        "corrected": "4",
        "reason": "recounted",
    }
    seen = browser.post(MANY, sent).context["seen"]
    correct(
        lossy[1],
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="3",
        reason="r",
        actor=admin,
        now=NOW,
    )
    again = browser.post(MANY, sent | {"seen": seen, "make": "1"})
    assert "changed in the meantime" in again.content.decode()
    assert Correction.objects.count() == 1
    assert sorted(line.before for line in again.context["lines"]) == ["3", "5", "5"]
    assert (
        browser.post(MANY, sent | {"seen": again.context["seen"], "make": "1"}).status_code == 302
    )
    assert Correction.objects.standing().count() == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [({"corrected": "=1+1"}, "is not a valid line count"), ({"reason": "  "}, "This field is required"), ({"field": "x"}, "Select a valid choice"),
     ({"rows": "a,,9999999999999999999999"}, None)],
)  # fmt: skip
def test_invalid_input_is_reported_and_nothing_is_saved(browser, lossy, change, said):
    sent = {
        "rows": rows_of(lossy),
        "field": "failed_lines",
        "corrected": "4",
        "reason": "r",
    } | change
    answer = browser.post(MANY, sent | {"make": "1", "seen": "1"}, follow=True)
    assert answer.status_code == 200
    assert (said or "None of the selected rows") in answer.content.decode()
    assert not Correction.objects.exists()


def test_the_number_of_rows_is_limited(browser, project, lossy, monkeypatch):
    monkeypatch.setattr("jobs.admin.correcting_many.MAX_ROWS", 2)
    chosen = [job.files.get().pk for job in lossy]
    page = browser.post(
        "/admin/jobs/importfile/",
        {"action": "correct_many", "_selected_action": chosen},
        follow=True,
    )
    assert "More than 2 rows are selected" in page.content.decode()


def test_rows_of_another_project_are_left_out(browser, lossy):
    other = record_reply(Project.objects.create(project_id="p2"), "other", file("a", 5))
    sent = {
        "rows": rows_of([*lossy, other]),
        "field": "failed_lines",
        "corrected": "4",
        "reason": "r",
    }
    preview = browser.post(MANY, sent)
    assert len(preview.context["lines"]) == 3
    User.objects.get(username="alice").membership_set.update(role="viewer")
    assert "None of the selected rows" in browser.post(MANY, sent, follow=True).content.decode()


def test_jobs_are_hidden_and_given_a_verdict_in_bulk(browser, lossy):
    for field, value in (("is_hidden", "yes"), ("verdict", "success")):
        sent = {
            "rows": ",".join(str(job.pk) for job in lossy),
            "field": field,
            "corrected": value,
            "reason": "a test",
        }
        preview = browser.post("/admin/jobs/job/correct-many/", sent)
        made = browser.post(
            "/admin/jobs/job/correct-many/", sent | {"seen": preview.context["seen"], "make": "1"}
        )
        assert made.status_code == 302
    assert set(Job.objects.values_list("is_hidden", "verdict")) == {(True, "success")}


def test_corrections_are_undone_in_bulk(browser, lossy, admin):
    for job in lossy:
        correct(
            job,
            kind="",
            position=None,
            field="verdict",
            corrected="success",
            reason="r",
            actor=admin,
            now=NOW,
        )
    chosen = list(Correction.objects.values_list("pk", flat=True))
    page = browser.post(
        "/admin/jobs/correction/",
        {"action": "undo", "_selected_action": chosen, "reason": "r"},
        follow=True,
    )
    assert "3 corrections undone." in page.content.decode()
    assert set(Job.objects.values_list("verdict", flat=True)) == {"partial"}
    assert AuditEntry.objects.filter(deed="undone", actor="alice").count() == 3


def test_flagged_corrections_are_a_list(browser, project, lossy, admin):
    correct(
        lossy[0],
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="3",
        reason="r",
        actor=admin,
        now=NOW,
    )
    correct(
        lossy[1],
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="3",
        reason="r",
        actor=admin,
        now=NOW,
    )
    record_reply(project, "j0", file("b/v0.csv", 9, loaded=95))
    page = browser.get("/admin/jobs/correction/?flag__exact=contradicted")
    assert [one.job.job_id for one in page.context["cl"].result_list] == ["j0"]


# Watching, and reading anew


def test_tracking_is_paused_and_resumed(browser, project):
    job = record_reply(project, "runs", status="running", took=None)
    Watch.objects.create(job=job, next_poll_at=NOW)

    def act(name):
        given = {"action": name, "_selected_action": [job.pk]}
        return browser.post("/admin/jobs/job/", given, follow=True)

    assert "Tracking paused for 1 jobs." in act("stop_watching").content.decode()
    assert Watch.objects.get().next_poll_at is None
    assert "Tracking resumed for 1 jobs." in act("resume_watching").content.decode()
    assert Watch.objects.get().next_poll_at is not None
    assert [one.after for one in AuditEntry.objects.filter(what="watch").order_by("pk")] == [
        {"watched": False},
        {"watched": True},
    ]


def test_stored_replies_are_reparsed(browser, lossy):
    Job.objects.update(failed_lines=77)
    chosen = [job.pk for job in lossy]
    page = browser.post(
        "/admin/jobs/job/", {"action": "read_again", "_selected_action": chosen}, follow=True
    )
    assert "3 jobs rebuilt from their stored responses." in page.content.decode()
    assert set(Job.objects.values_list("failed_lines", flat=True)) == {5}


# Graphs


def test_a_graph_is_named_marked_gone_and_merged(browser, project, lossy):
    bare = project.graphs.create(name="bare")
    find_jobs(project, [(bare, "old", NOW)])
    into = find_graph(project, "g7", "whole")
    address = f"/admin/jobs/graph/{bare.pk}/correct/"
    assert address in browser.get(f"/admin/jobs/graph/{bare.pk}/change/").content.decode()
    for sent in ({"what": "name", "name": "Bare"}, {"what": "is_deleted", "is_deleted": "on"}):
        assert browser.post(address, sent | {"reason": "seen in the console"}).status_code == 302
    merge = {"what": "merge", "into": into.pk, "reason": "seen in the console"}
    preview = browser.post(address, merge)
    page = preview.content.decode()
    assert "1 job will move to whole, as will later jobs with this graph name." in page
    assert "<code>old</code>" in page
    assert "1 of them has not ended and will continue to be polled." in page
    assert Job.objects.get(job_id="old").graph == bare
    seen = {"seen": preview.context["merging"].seen}
    find_jobs(project, [(bare, "came-since", NOW)])
    late = browser.post(address, merge | seen)
    assert (
        "The data you saw has changed in the meantime, so no changes were made."
        in late.content.decode()
    )
    assert Job.objects.get(job_id="old").graph == bare
    assert browser.post(address, merge | {"seen": late.context["merging"].seen}).status_code == 302
    bare.refresh_from_db()
    assert (bare.name, bare.is_deleted, bare.merged_into) == ("Bare", True, into)
    assert Job.objects.get(job_id="old").graph == into
    assert (
        "Undo the merge into whole and move the jobs back" in browser.get(address).content.decode()
    )
    assert browser.post(address, {"what": "split", "reason": " "}).status_code == 200
    assert browser.post(address, {"what": "split", "reason": "two after all"}).status_code == 302
    assert Job.objects.get(job_id="old").graph == bare
    assert AuditEntry.objects.filter(deed="undone", reason="two after all").count() == 2
    told = AuditEntry.objects.filter(what="graph", graph_id=bare.pk).order_by("pk")
    merges = [(one.after, one.reason, one.actor) for one in told if "merged_into" in one.after]
    assert merges == [
        ({"merged_into": "g7"}, merge["reason"], "alice"),
        ({"merged_into": None}, "two after all", "alice"),
    ]
    assert browser.post(address, {"what": "split", "reason": "again"}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [({"what": "name", "name": ""}, "This value can&#x27;t be empty"), ({"what": "merge"}, "Select the graph"),
     ({"what": "name", "name": "x", "reason": " "}, "This field is required"), ({"what": "all"}, "Select a valid choice"),
     ({"what": "merge", "into": "999"}, "Select a valid choice")],
)  # fmt: skip
def test_invalid_input_for_a_graph_is_reported(browser, project, lossy, sent, said):
    graph = lossy[0].graph
    page = browser.post(
        f"/admin/jobs/graph/{graph.pk}/correct/", {"reason": "r"} | sent
    ).content.decode()
    assert said in page
    assert not Correction.objects.exists()


def test_only_fixers_correct_a_graph(browser, fixer, lossy):
    address = f"/admin/jobs/graph/{lossy[0].graph_id}/correct/"
    fixer.membership_set.update(role="reviewer")
    assert browser.get(address).status_code == 403
    fixer.membership_set.all().delete()
    assert browser.get(address).status_code == 404


def test_quarantined_jobs_are_found_with_their_error_and_resumed(browser, project):
    aside, foreign, fine = (
        record_reply(project, name, status="running", took=None)
        for name in ("aside", "foreign", "fine")
    )
    Job.objects.filter(pk=foreign.pk).update(project=Project.objects.create(project_id="other"))
    for job, problem in ((aside, "the reply <b>broke</b> it"), (foreign, "theirs"), (fine, "")):
        Watch.objects.create(job=job, next_poll_at=None, failures=3, problem=problem)
    page = browser.get("/admin/jobs/watch/?set_aside=yes").content.decode()
    assert "the reply &lt;b&gt;broke&lt;/b&gt; it" in page
    assert "theirs" not in page
    assert f"/admin/jobs/watch/{fine.pk}/" not in page
    chosen = {"action": "take_up", "_selected_action": [aside.pk, foreign.pk, fine.pk]}
    assert (
        "Tracking resumed for 1 jobs."
        in browser.post("/admin/jobs/watch/", chosen, follow=True).content.decode()
    )
    kept = dict(Watch.objects.values_list("job__job_id", "problem"))
    assert kept == {"aside": "", "foreign": "theirs", "fine": ""}
    assert list(
        Watch.objects.filter(next_poll_at__isnull=False).values_list("job__job_id", "failures")
    ) == [("aside", 0)]
    one = AuditEntry.objects.get(what="watch")
    assert one.before == {"watched": False, "problem": "the reply <b>broke</b> it"}
    assert (one.after, one.actor) == ({"watched": True}, "alice")
