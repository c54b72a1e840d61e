"""The admin's data fixes: what GES said beside the form, two at once, many at once, and forms that outlive a session."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from jobs.models import Correction, Entry, Graph, Job, Membership, Project, Watch
from jobs.record import correct, find_graph, find_jobs

from .conftest import NOW
from .imports import file, tell


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
    return [tell(project, f"j{n}", file(f"b/v{n}.csv", 5, loaded=95)) for n in range(3)]


def form_of(page):
    return dict(re.findall(r'name="(where|known)" value="([^"]*)"', page.replace("&quot;", "'"))), page


def known_of(client, address):
    return client.get(address).context["form"]["known"].value()


def test_what_ges_said_stands_beside_the_form(browser, lossy):
    page = browser.get(f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0").content.decode()
    assert "&quot;failedLines&quot;: 5" in page
    assert f"/jobs/{lossy[0].pk}/snapshots/" in page


def test_of_a_long_reply_the_part_about_the_file_is_shown(browser, project):
    job = tell(project, "long", *(file(f"b/v{n}.csv", 1) for n in range(500)))
    page = browser.get(f"/admin/jobs/job/{job.pk}/correct/?where=vertex:400").content.decode()
    reply = page[page.index("<pre>") : page.index("</pre>")]
    assert "b/v400.csv" in reply
    assert len(reply) < 15_000


def test_of_two_who_correct_at_once_the_second_sees_what_changed(browser, lossy, admin):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    known = known_of(browser, address)
    correct(lossy[0], kind="vertex", position=0, field="failed_lines", corrected="3", reason="counted", actor=admin, now=NOW)
    sent = {"where": "vertex:0", "known": known, "field": "failed_lines", "corrected": "4", "reason": "mine"}
    answer = browser.post(address, sent)
    assert "Meanwhile ada corrected this to 3: counted" in answer.content.decode()
    assert answer.context["form"]["corrected"].value() == "4"
    assert Correction.objects.count() == 1
    again = sent | {"known": answer.context["form"]["known"].value()}
    assert browser.post(address, again).status_code == 302
    assert Correction.objects.standing().get().corrected == "4"


def test_another_field_is_nobodys_hindrance(browser, lossy, admin):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    known = known_of(browser, address)
    correct(lossy[0], kind="vertex", position=0, field="cause", corrected="x", reason="r", actor=admin, now=NOW)
    sent = {"where": "vertex:0", "known": known, "field": "failed_lines", "corrected": "4", "reason": "mine"}
    assert browser.post(address, sent).status_code == 302


def test_a_new_reply_since_is_told_too(browser, project, lossy):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    known = known_of(browser, address)
    tell(project, "j0", file("b/v0.csv", 9, loaded=95))
    sent = {"where": "vertex:0", "known": known, "field": "failed_lines", "corrected": "4", "reason": "mine"}
    assert "Meanwhile this came to say 9" in browser.post(address, sent).content.decode()
    assert not Correction.objects.exists()


@pytest.mark.parametrize("known", ["{", "[]", '{"failed_lines": 7}', "null"])
def test_a_form_that_was_tampered_with_breaks_nothing(browser, lossy, known):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    sent = {"where": "vertex:0", "known": known, "field": "failed_lines", "corrected": "4", "reason": "mine"}
    assert browser.post(address, sent).status_code in {200, 302}


def test_counts_that_do_not_add_up_are_taken_with_a_warning(browser, lossy):
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/?where=vertex:0"
    sent = {"where": "vertex:0", "field": "failed_lines", "corrected": "4", "reason": "mine"}
    assert "do not add up now" in browser.post(address, sent, follow=True).content.decode()
    sent |= {"corrected": "5"}
    assert "do not add up now" not in browser.post(address, sent, follow=True).content.decode()


def test_a_job_is_attached_to_the_right_graph(browser, project, lossy):
    right = find_graph(project, "g2", "right")
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/"
    sent = {"where": "job", "field": "graph", "graph": right.pk, "reason": "the name was used again"}
    assert browser.post(address, sent).status_code == 302
    assert Job.objects.get(pk=lossy[0].pk).graph == right
    other = find_graph(Project.objects.create(project_id="p2"), "g9", "secret")
    assert "graph" in browser.post(address, sent | {"graph": other.pk}).context["form"].errors


def test_what_was_typed_survives_the_sign_in(fixer, lossy):
    fixer.set_password("a long password")
    fixer.save()
    client = Client()
    address = f"/admin/jobs/job/{lossy[0].pk}/correct/"
    sent = {"where": "vertex:0", "field": "failed_lines", "corrected": "4", "reason": "a long story"}
    answer = client.post(address, sent, headers={"Referer": f"http://testserver{address}?where=vertex:0"})
    assert answer.status_code == 403
    assert "What you typed is kept" in answer.content.decode()
    typed, page = answer.context["typed"], answer.context["next"]
    wrong = client.post("/login/", {"username": "alice", "password": "x", "typed": typed, "next": page})
    assert wrong.context["typed"] == typed
    answer = client.post("/login/", {"username": "alice", "password": "a long password", "typed": typed, "next": page})
    assert answer.headers["Location"] == f"{address}?where=vertex:0"
    form = client.get(answer.headers["Location"]).context["form"]
    assert (form["reason"].value(), form["corrected"].value()) == ("a long story", "4")
    assert client.get(f"{address}?where=vertex:0").context["form"]["reason"].value() is None
    assert not Correction.objects.exists()


def test_a_note_and_a_decision_survive_it_too(fixer, project):
    job = tell(project, "j1", file("a", 3, cause="line 7"))
    fixer.set_password("a long password")
    fixer.save()
    for place, page, fields in (
        (f"/jobs/{job.pk}/review/", f"/jobs/{job.pk}/", {"state": "accepted", "note": "long words"}),
        (f"/causes/{job.files.get().cause_group_id}/note/", f"/causes/{job.files.get().cause_group_id}/", {"note": "long words"}),
    ):
        client = Client()
        answer = client.post(place, fields, headers={"Referer": f"http://testserver{page}"})
        sent = {"username": "alice", "password": "a long password", "typed": answer.context["typed"], "next": answer.context["next"]}
        back = client.post("/login/", sent)
        assert back.headers["Location"] == page
        assert "long words" in client.get(page).content.decode()


@pytest.mark.parametrize("typed", ["{", "[1]", '{"to": 1, "fields": {}}', '{"to": "/x", "fields": {"a": [1]}}', "x" * 70_000])
def test_a_sign_in_with_nonsense_typed_is_a_sign_in(db, typed):
    User.objects.create_user("bob", password="a long password")
    assert Client().post("/login/", {"username": "bob", "password": "a long password", "typed": typed}).status_code == 302


def test_the_page_to_go_back_to_is_one_of_ours(db):
    answer = Client().post("/me/", {"zone": "UTC"}, headers={"Referer": "https://evil.example/steal"})
    assert answer.context["next"] == "/me/"
