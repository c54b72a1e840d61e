"""The filters of the list of jobs: what each finds and refuses."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from jobs.lists.counts import MAX_COUNTED, bounded_count, counts
from jobs.lists.filters import STEERING, select
from jobs.lists.jobs import FILTERS, filtered, page_of
from jobs.models import Job
from jobs.models.job import VerdictChoices
from tests.factories import NOW
from tests.imports import file, record_reply


def ask(query, **more):
    found, problems = filtered(QueryDict(query), Job.objects.all(), **more)
    return {job.job_id for job in found}, problems


@pytest.fixture
def jobs(project):
    record_reply(project, "a%b", file("x_y", 1, 9, cause="50% lost"))
    record_reply(project, "A", file("xzy"), begin=None)
    record_reply(project, "c", begin=datetime(2026, 3, 29, 0, 30, tzinfo=UTC), status="failed")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("path=x_y", {"a%b"}),
        ("cause=0%25", {"a%b"}),
        ("job_id=a", {"a%b"}),
        ("job_id=%25", set()),
        ("verdict=partial&verdict=failed", {"a%b", "c"}),
        ("verdict=partial&verdict=failed&path=x", {"a%b"}),
        ("verdict=%20partial%20&job_id=", {"a%b"}),
        ("loss_over=0.1", set()),
        ("loss_over=0.0999", {"a%b"}),
        ("loss_over=1e-9", {"a%b"}),
        # An hour that the clocks of Berlin leave out that night, and the same moment in UTC.
        ("began_after=2026-03-29T01:30&zone=Europe/Berlin", {"c"}),
        ("began_after=2026-03-29T02:30:00%2B02:00", {"c"}),
        ("began_before=2026-03-29T00:30:00Z&verdict=failed", set()),
        ("ended_before=2999-01-01", {"a%b", "c"}),
    ],
)
def test_what_a_filter_finds(jobs, query, found):
    assert ask(query) == (found, [])


@pytest.mark.parametrize("name", FILTERS)
def test_invalid_filter_value_is_dropped_and_the_valid_one_kept(jobs, name):
    found, problems = ask(
        {"verdict": "verdict=x&verdict=failed"}.get(name, f"verdict=failed&{name}=%00")
    )
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}: “")
    assert re.search(r"expected .+\.$", problems[0])
    assert found == {"c"}


def test_an_unknown_name_is_reported_with_the_known_names(jobs):
    found, [problem] = ask(f"{'x' * 500}=1")
    assert len(found) == 3
    assert all(name in problem for name in [*FILTERS, *STEERING])
    assert len(problem) < 600


def test_a_condition_can_leave_out_one_filter(jobs):
    selection = select(QueryDict("verdict=failed&path=y"), FILTERS)
    assert {job.job_id for job in Job.objects.filter(selection.condition(without="verdict"))} == {
        "a%b",
        "A",
    }
    assert not Job.objects.filter(selection.condition())


def test_invalid_sort_size_and_cursor_are_reported(jobs):
    page, problems = page_of(QueryDict("sort=x&page_size=0&cursor=x"), Job.objects.all())
    assert len(page.rows) == 3
    assert len(problems) == 3


def test_counts_are_bounded(jobs, project):
    graph = Job.objects.first().graph
    made = [
        Job(project=project, graph=graph, job_id=f"n{n}", first_seen_at=NOW, begin_time=NOW)
        for n in range(MAX_COUNTED)
    ]
    Job.objects.bulk_create(made, batch_size=2000)
    found = counts(Job.objects.all())
    assert (found.total, found.over) == (MAX_COUNTED, True)
    assert bounded_count(Job.objects.all(), 10) == (10, True)
    assert bounded_count(Job.objects.filter(verdict="failed"), 10) == (1, False)
    few = counts(Job.objects.exclude(job_id__startswith="n"))
    assert (few.total, few.over, few.by_verdict) == (
        3,
        False,
        {"success": 1, "partial": 1, "failed": 1},
    )
    assert set(few.by_verdict) < set(VerdictChoices.values)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("began_after=24h", {"new", "day"}),
        ("began_after=1d&began_before=2H", {"day"}),
        ("began_after=1w", {"new", "day", "old"}),
        ("began_after=today", {"new"}),
        ("began_after=yesterday", {"new", "day"}),
        ("began_before=yesterday", {"old"}),
        ("began_after=昨天", {"new", "day"}),
        # Noon in UTC is two in the morning there, and one.
        ("began_after=today&zone=Pacific/Kiritimati", {"new"}),
        ("began_after=today&zone=Pacific/Pago_Pago", {"new"}),
        ("loss_over=9%25", {"new"}),
        ("loss_over=10%25", set()),
    ],
)
def test_ages_and_days_are_relative_to_now(project, monkeypatch, query, found):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    record_reply(project, "new", file("a", 1, 9), begin=NOW - timedelta(hours=1))
    record_reply(project, "day", begin=NOW - timedelta(hours=23))
    record_reply(project, "old", begin=NOW - timedelta(days=4))
    assert ask(query) == (found, [])


def test_relative_time_does_not_age(project, monkeypatch):
    record_reply(project, "once", begin=NOW - timedelta(hours=1))
    for later, found in ((timedelta(), {"once"}), (timedelta(days=1), set())):
        monkeypatch.setattr("django.utils.timezone.now", lambda at=NOW + later: at)
        assert ask("began_after=24h") == (found, [])


def test_a_time_without_a_zone_is_in_the_readers_zone(project):
    record_reply(project, "early", begin=datetime(2026, 3, 3, 17, tzinfo=UTC))
    shanghai = ZoneInfo("Asia/Shanghai")
    assert ask("began_after=2026-03-04") == (set(), [])
    assert ask("began_after=2026-03-04", zone=shanghai) == ({"early"}, [])
    assert ask("began_after=2026-03-04&zone=UTC", zone=shanghai) == (set(), [])


@pytest.mark.parametrize("name", FILTERS)
def test_message_names_the_label_of_the_field(jobs, name):
    _found, [problem] = ask(f"{name}=%00", labelled=True)
    assert problem.startswith(f"{FILTERS[name].label}: “")
    assert "_" not in problem.split(":")[0]


@pytest.mark.parametrize("value", ["h", "24 m", "12345d", "-1d", "tomorrow", "101%", "%", "1%%"])
def test_unknown_values_are_reported(jobs, value):
    name = "loss_over" if "%" in value else "began_after"
    _found, problems = ask(urlencode({name: value}))
    assert len(problems) == 1


def test_yes_or_no_filters_find_either(jobs):
    Job.objects.filter(job_id="A").update(contradiction_count=2)
    Job.objects.filter(job_id="c").update(is_hidden=True)
    assert ask("contradictions=yes") == ({"A"}, [])
    assert ask("contradictions=no") == ({"a%b", "c"}, [])
    assert ask("hidden=yes") == ({"c"}, [])
    assert ask("hidden=no&contradictions=no") == ({"a%b"}, [])
    assert ask("hidden=yes&hidden=no")[0] == {"a%b", "A", "c"}
    assert ask("hidden=perhaps")[1][0].startswith("hidden: ")
