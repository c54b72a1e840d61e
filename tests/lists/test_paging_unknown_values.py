"""Walking forth and back shows every row once, wherever the unknown ones stand."""

import base64
from datetime import timedelta

import pytest
from django.http import QueryDict

from jobs.lists.jobs import SORTS, page_of
from jobs.models import Graph, Job
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(project):
    graph = Graph.objects.create(project=project, graph_id="g1")
    begins = [None, NOW, NOW, NOW + timedelta(hours=1), None, NOW - timedelta(days=1), NOW]
    return [
        Job.objects.create(
            project=project,
            graph=graph,
            job_id=f"j{number}",
            job_name="ab"[number % 2],
            begin_time=begin,
            end_time=NOW + timedelta(days=1) if number % 3 else None,
            failed_lines=[None, 5, 5, 0, 7, None, 5][number],
            loss_rate=[None, "0.5", "0.5", None, "0.1", "0", "1"][number],
            first_seen_at=NOW,
        )
        for number, begin in enumerate(begins)
    ]


def walk(sort, size, step="next", cursor=""):
    while True:
        params = QueryDict(mutable=True)
        params.update({"sort": sort, "page_size": str(size), "cursor": cursor})
        page, problems = page_of(params, Job.objects.all())
        assert not problems
        yield page
        if (cursor := getattr(page, step)) is None:
            return


@pytest.mark.parametrize("name", SORTS)
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_forward_and_backward_visit_the_same_rows(rows, name, sign, size):
    pages = list(walk(sign + name, size))
    seen = [row.pk for page in pages for row in page.rows]
    assert sorted(seen) == [row.pk for row in rows]
    values = [getattr(row, name) for page in pages for row in page.rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=bool(sign))
    is_first = sign == "-" and name.endswith("_time")
    unknown = [None] * (len(values) - len(known))
    assert values == (unknown + known if is_first else known + unknown)
    back = [
        row.pk
        for page in walk(sign + name, size, "previous", pages[-1].previous or "")
        for row in reversed(page.rows)
    ]
    if pages[-1].previous:
        assert back == seen[: -len(pages[-1].rows)][::-1]


def test_a_position_outlives_its_row(rows):
    first, second, *_ = walk("-begin_time", 3)
    first.rows[-1].delete()
    assert next(walk("-begin_time", 3, cursor=first.next)).rows == second.rows


def test_a_cursor_without_value_is_invalid_for_a_column_without_unknowns(rows):
    params = QueryDict(mutable=True)
    params.update(
        {
            "sort": "job_name",
            "cursor": base64.urlsafe_b64encode(b'["job_name", null, 1, false]').decode(),
        }
    )
    page, problems = page_of(params, Job.objects.all())
    assert "cursor" in problems[0]
    assert len(page.rows) == len(rows)
