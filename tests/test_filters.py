import re
from datetime import UTC, datetime

import pytest
from django.http import QueryDict

from jobs.filters import COUNTED, FILTERS, STEERING, bounded_count, counts, filtered, page_of
from jobs.models import Job
from jobs.models.job import Verdict

from .conftest import NOW
from .imports import file, tell


def ask(query, **more):
    found, problems = filtered(QueryDict(query), Job.objects.all(), **more)
    return {job.job_id for job in found}, problems


@pytest.fixture
def jobs(project):
    tell(project, "a%b", file("x_y", 1, 9, cause="50% lost"))
    tell(project, "A", file("xzy"), begin=None)
    tell(project, "c", begin=datetime(2026, 3, 29, 0, 30, tzinfo=UTC), status="failed")


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
def test_a_value_that_will_not_do_is_left_out_and_the_good_one_beside_it_kept(jobs, name):
    found, problems = ask({"verdict": "verdict=x&verdict=failed"}.get(name, f"verdict=failed&{name}=%00"))
    assert len(problems) == 1
    assert problems[0].startswith(f"{name}: “")
    assert re.search(r"expected .+\.$", problems[0])
    assert found == {"c"}


def test_an_unknown_name_lists_those_that_are_known(jobs):
    found, [problem] = ask(f"{'x' * 500}=1")
    assert len(found) == 3
    assert all(name in problem for name in [*FILTERS, *STEERING])
    assert len(problem) < 600


def test_one_filter_can_be_passed_over(jobs):
    assert ask("verdict=x&path=y", but="verdict") == ({"a%b", "A"}, [])


def test_a_page_says_what_of_its_steering_will_not_do(jobs):
    page, problems = page_of(QueryDict("sort=x&page_size=0&cursor=x"), Job.objects.all())
    assert len(page.rows) == 3
    assert len(problems) == 3


def test_counts_are_bounded(jobs, project):
    graph = Job.objects.first().graph
    made = [Job(project=project, graph=graph, job_id=f"n{n}", first_seen_at=NOW, begin_time=NOW) for n in range(COUNTED)]
    Job.objects.bulk_create(made, batch_size=2000)
    found = counts(Job.objects.all())
    assert (found.total, found.over) == (COUNTED, True)
    assert bounded_count(Job.objects.all(), 10) == (10, True)
    assert bounded_count(Job.objects.filter(verdict="failed"), 10) == (1, False)
    few = counts(Job.objects.exclude(job_id__startswith="n"))
    assert (few.total, few.over, few.by_verdict) == (3, False, {"success": 1, "partial": 1, "failed": 1})
    assert set(few.by_verdict) < set(Verdict.values)
