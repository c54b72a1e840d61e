"""The status page: what is wrong with the polling, worst first, to whom it concerns."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.models import CallBudget, Presence, Project, Tally, Watch
from jobs.models.tally import Counted, Kind
from tests.api.test_metrics import watched
from tests.pages.test_every_page import PART, is_sound

MINUTE = timedelta(minutes=1)


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def polled_project(project):
    """A project that a worker looks after, and of which nothing is due."""
    now = timezone.now()
    Project.objects.filter(pk=project.pk).update(credentials="c", discovered_at=now)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    Presence.objects.note(now)
    Tally.objects.add({(project.pk, Kind.REPLY, "poll:repeated"): Counted(3)}, now)
    project.refresh_from_db()
    return project


def text(page):
    main = page.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", main)))


def lead(client):
    page = client.get("/status/")
    assert page.status_code == 200
    assert is_sound(page.content)
    lead_html = page.content.decode().partition('<p class="lead">')[2].partition("</p>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", lead_html))).strip()


def no_workers():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")


def test_all_is_well(signed_in, polled_project):
    assert lead(signed_in) == "All polls are on time."
    page_text = text(signed_in.get("/status/"))
    assert "Active workers 1" in page_text
    assert "p1 Responding" in page_text
    assert "No downtime recorded" in page_text
    assert "None: all status values and fields are known." in page_text
    assert "poll unchanged response 3" in page_text


def test_without_a_project_it_says_how_to_get_one(signed_in, db):
    assert lead(signed_in).startswith("Nothing is polled")
    assert "Set GES_ENDPOINT" in text(signed_in.get("/status/"))


def test_a_missing_worker_comes_first_with_since_when_and_how_to_start_one(
    signed_in, polled_project
):
    no_workers()
    Presence.objects.update(first_at="2026-03-04T02:00:00Z", last_at="2026-03-04T02:10:00Z")
    Project.objects.update(problem="GES is down")
    lead_text = lead(signed_in)
    assert (
        lead_text
        == "No worker has polled since 2026-03-04 02:10:00 UTC . Start one: uv run manage.py work"
    )
    Presence.objects.all().delete()
    assert lead(signed_in).startswith("No worker has ever polled. Start one:")


def test_overdue_polls_are_shown(signed_in, polled_project):
    now = timezone.now()
    watched(polled_project, "j1", now - 30 * MINUTE)
    watched(polled_project, "j2", now - timedelta(seconds=5))
    assert lead(signed_in).startswith("1 poll is more than a minute overdue")
    page_text = text(signed_in.get("/status/"))
    assert "Polls due 2 Overdue by more than 1 minute 1 Oldest poll due 30 minutes ago" in page_text
    Tally.objects.update(last_at=now - 20 * MINUTE)
    assert lead(signed_in).startswith("Workers are running, but nothing has been polled since")
    Tally.objects.all().delete()
    assert lead(signed_in).startswith("Workers are running, but nothing has ever been polled")


def test_trouble_with_ges_is_shown_with_its_reason(signed_in, polled_project):
    Project.objects.update(
        problem="No answer from https://ges.example: refused.", clock_skew_ms=-90_000
    )
    assert lead(signed_in) == "1 project has problems with GES; see below."
    page_text = text(signed_in.get("/status/"))
    assert (
        "The last request for the job list failed No answer from https://ges.example: refused."
        in page_text
    )
    assert "Its clock differs from gesdash by 90 s" in page_text


@pytest.mark.parametrize(
    ("failures", "sentence"),
    [
        (0, "Rate limited: paused until"),
        (5, "Not responding · paused until"),
    ],
)
def test_a_pause_says_why_and_until_when(signed_in, polled_project, failures, sentence):
    now = timezone.now()
    CallBudget.objects.create(
        project=polled_project,
        second_left=0,
        minute_left=30,
        counted_at=now,
        share=0.25,
        failures=failures,
        paused_until=now + 2 * MINUTE,
        lowered_until=now + 3 * MINUTE,
    )
    page_text = text(signed_in.get("/status/"))
    assert sentence in page_text
    assert "of 1500 this minute · reduced to 25.00% after GES rate limiting" in page_text
    assert lead(signed_in).startswith(
        "1 project has problems" if failures else "All polls are on time."
    )


def test_a_quarantined_job_is_counted(signed_in, polled_project):
    watched(polled_project, "j1", None)
    Watch.objects.update(problem="it broke")
    assert lead(signed_in).startswith("All polls are on time, except for 1 quarantined job")


def test_absences_and_unknown_words(signed_in, polled_project):
    now = timezone.now()
    day = timedelta(days=1)
    Presence.objects.create(
        project=polled_project, first_at=now - 9 * day, last_at=now - 2 * day - 90 * MINUTE
    )
    Presence.objects.create(project=polled_project, first_at=now - 2 * day, last_at=now)
    Tally.objects.add(
        {
            (polled_project.pk, Kind.WORD, "hiber<nating"): Counted(4),
            (polled_project.pk, Kind.FIELD, "colour"): Counted(1),
        },
        now,
    )
    page_text = text(signed_in.get("/status/"))
    assert "1 h 30 min p1" in page_text
    assert "hiber<nating status value 4" in page_text
    assert "colour field 1" in page_text


def test_staff_see_all_projects_members_their_own_and_others_get_404(client, polled_project):
    Project.objects.create(
        project_id="p2-of-others", credentials="c", problem="their secret problem"
    )
    staff, mia = User.objects.create_user("sam", is_staff=True), User.objects.create_user("mia")
    mia.ges_projects.add(polled_project)
    client.force_login(staff)
    assert "p2-of-others" in text(client.get("/status/"))
    assert b"/status/" in client.get("/me/").content
    client.force_login(mia)
    page = client.get("/status/")
    assert "p1" in text(page)
    assert b"others" not in page.content
    assert b"secret problem" not in page.content
    assert lead(client) == "All polls are on time."
    assert b"/status/" in client.get("/me/").content
    client.force_login(User.objects.create_user("otto"))
    for headers in ({}, PART):
        assert client.get("/status/", headers=headers).status_code == 404
    assert b"/status/" not in client.get("/me/").content
    client.logout()
    assert client.get("/status/").headers["Location"].startswith("/login/")


def test_the_live_part_refreshes_itself(signed_in, polled_project):
    part = signed_in.get("/status/", headers=PART)
    assert b"<html" not in part.content
    assert b'<div id="status" hx-get="/status/" hx-trigger="every 10s"' in part.content
    assert is_sound(part.content)


def test_the_queries_do_not_grow_with_the_projects(signed_in, polled_project):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            signed_in.get("/status/")
        return len(captured)

    queries()
    few = queries()
    for number in range(9):
        more = Project.objects.create(project_id=f"more-{number}", credentials="c")
        watched(more, f"j{number}", timezone.now())
        Presence.objects.note(timezone.now())
    assert queries() == few <= 11
