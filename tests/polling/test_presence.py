"""Stretches of time in which workers polled a project: written once a minute, with gaps between."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs import tasks
from jobs.models import Presence, Project
from tests.factories import NOW
from tests.pages.test_costs import plan

pytestmark = pytest.mark.django_db


def at(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def cared_for(project):
    Project.objects.filter(pk=project.pk).update(credentials="c")
    return project


def stretches():
    return list(Presence.objects.order_by("first_at").values_list("first_at", "last_at"))


def test_rounds_make_one_stretch_written_once_a_minute(cared_for):
    writes = 0
    for second in range(0, 301, 5):
        with CaptureQueriesContext(connection) as captured:
            Presence.objects.note(at(second))
        writes += sum(not query["sql"].startswith("SELECT") for query in captured)
    assert stretches() == [(NOW, at(300))]
    assert writes == 6


def test_a_long_pause_begins_a_new_stretch_after_a_gap(cared_for):
    for second in (0, 60, 120, 200, 900, 960):
        Presence.objects.note(at(second))
    assert stretches() == [(NOW, at(200)), (at(900), at(960))]
    assert Presence.objects.away(cared_for.pk, at(-999), at(1000)) == [(at(200), at(900))]
    assert Presence.objects.away(cared_for.pk, at(300), at(400)) == [(at(300), at(400))]
    assert Presence.objects.away(cared_for.pk, at(0), at(199)) == []


def test_an_absence_that_goes_on_is_a_gap_up_to_the_end(cared_for):
    Presence.objects.note(at(0))
    assert Presence.objects.away(cared_for.pk, at(9000), at(9600)) == [(at(9000), at(9600))]


def test_a_project_that_nobody_can_poll_has_no_presence_and_no_gap(project, cared_for):
    other = Project.objects.create(project_id="p2")
    Presence.objects.note(at(0))
    assert Presence.objects.get().project == cared_for
    assert Presence.objects.away(other.pk, at(0), at(9000)) == []


def test_overlapping_stretches_of_two_workers_leave_no_gap(cared_for):
    Presence.objects.bulk_create(
        [Presence(project=cared_for, first_at=NOW, last_at=NOW) for _ in range(2)]
    )
    Presence.objects.note(at(100))
    Presence.objects.note(at(200))
    assert Presence.objects.away(cared_for.pk, at(0), at(250)) == []


@pytest.mark.parametrize("task", [tasks.dispatch, tasks.poll, tasks.discover])
def test_a_workers_rounds_are_noted(polled, task):
    task(**({} if task is tasks.poll else {"timestamp": 0}))
    assert Presence.objects.get().project == polled


def test_the_newest_stretch_is_found_by_its_index(cared_for):
    Presence.objects.note(at(0))
    assert "presence_newest" in plan(
        Presence.objects.filter(project=cared_for).order_by("-last_at", "-pk")[:1]
    )
