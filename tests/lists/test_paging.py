"""Keyset pages: every row once and in order, whatever changes meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.lists.jobs import DEFAULT_SORT, SORTS
from jobs.lists.paging import page
from jobs.models import Job
from jobs.record import find_graph
from tests.factories import NOW

# Few values, so that many are equal and many unknown.
times = st.none() | st.integers(0, 2).map(lambda hour: NOW - timedelta(hours=hour))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "begin_time": times,
            "end_time": times,
            "failed_lines": st.none() | st.sampled_from([0, 1, 2**63, 2 * (2**63 - 1)]),
            "loss_rate": st.none() | st.sampled_from(["0", "0.0001", "1"]),
            "job_name": st.sampled_from(["", "ImportGraph", "导入", "a"]),
        }
    ),
    max_size=9,
)
sorts = st.sampled_from([sign + name for name in SORTS for sign in ("", "-")])


@pytest.fixture
def graph(project):
    return find_graph(project, "g1")


def make(graph, made):
    Job.objects.all().delete()
    Job.objects.bulk_create(
        [
            Job(project=graph.project, graph=graph, job_id=str(n), first_seen_at=NOW, **row)
            for n, row in enumerate(made)
        ]
    )


def turn(cursor, sort, size):
    query = QueryDict(mutable=True)
    query.update({"sort": sort, "page_size": str(size), "cursor": cursor or ""})
    found, problems = page(query, Job.objects.all(), SORTS, DEFAULT_SORT)
    assert problems == []
    return found


def walk(sort, size, *, start=None, back=False):
    """The pages from a position to the end, or back from it to the beginning."""
    pages, cursor = [], start
    while not pages or cursor:
        found = turn(cursor, sort, size)
        pages.append(found)
        cursor = found.previous if back else found.next
        assert len(pages) <= 20
    return pages


per_example = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(made=rows, sort=sorts, size=st.integers(1, 4))
@per_example
def test_next_and_previous_visit_every_row_once_in_order(graph, made, sort, size):
    make(graph, made)
    there = walk(sort, size)
    seen = [row.pk for one in there for row in one.rows]
    assert sorted(seen) == sorted(Job.objects.values_list("pk", flat=True))
    name = sort.removeprefix("-")
    values = [
        getattr(row, name) for one in there for row in one.rows if getattr(row, name) is not None
    ]
    if name != "job_name":  # text is in the database's order, not Python's
        assert values == sorted(values, reverse=sort.startswith("-"))
    if len(there) > 1:
        back = walk(sort, size, start=there[-1].previous, back=True)
        assert [row.pk for one in reversed(back) for row in one.rows] == seen[
            : -len(there[-1].rows)
        ]
    assert (there[0].previous, there[-1].next) == (None, None)


@given(made=rows.filter(lambda made: len(made) > 3), sort=sorts, gone=st.booleans())
@per_example
def test_a_cursor_outlives_its_row(graph, made, sort, gone):
    make(graph, made)
    seen = [row.pk for one in walk(sort, 50) for row in one.rows]
    first = turn(None, sort, 2)
    if gone:
        Job.objects.filter(pk=first.rows[-1].pk).delete()
    assert [row.pk for row in turn(first.next, sort, 500).rows] == seen[2:]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("-begin_time", True),
        ("begin_time", False),
        ("-failed_lines", False),
        ("failed_lines", False),
    ],
)
def test_unstarted_job_sorts_newest_and_unknown_loss_sorts_last_both_ways(graph, sort, first):
    make(
        graph,
        [
            {},
            {"begin_time": NOW, "failed_lines": 5},
            {"begin_time": NOW - timedelta(days=1), "failed_lines": 0},
        ],
    )
    names = [row.job_id for row in turn(None, sort, 50).rows]
    assert names.index("0") == (0 if first else 2)


HOSTILE = [
    "zzz", "é", "\x00", "W10", "e30", "bnVsbA", "=" * 50, "A" * 5000,
    ["-begin_time"], ["-end_time", None, 1, False], ["-begin_time", None, 2**63 + 5, False], ["-begin_time", None, -1, False],
    ["-begin_time", None, 1, 1], ["-begin_time", 5, 1, False], ["-begin_time", "0001-01-01T00:00:00+14:00", 1, False],
    ["-begin_time", "9999-12-31T23:59:59-14:00", 1, False], ["-begin_time", "yesterday", 1, False],
    ["-begin_time", None, "1", False], ["-begin_time", None, None, False], [["-begin_time"], None, 1, False],
]  # fmt: skip
BY_SORT = [
    ("failed_lines", value) for value in ("NaN", "sNaN", "Infinity", "1e999999", "-1e40", "1e-999999", "0.5", "１", "", "x" * 999)
] + [("job_name", value) for value in ("\x00", "\ud800", "x" * 9999)] + [
    ("duration", value) for value in ("nan", "inf", "1e15", "-1e300", "x", "86399999999999")
] + [("loss_rate", value) for value in ("NaN", "1e999999", "-1e40", "0.123456789")]  # fmt: skip


def as_cursor(value):
    import base64
    import json

    if isinstance(value, str):
        return value
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [("-begin_time", as_cursor(one)) for one in HOSTILE]
    + [(sort, as_cursor([sort, value, 1, False])) for sort, value in BY_SORT],
)
def test_invalid_cursor_is_reported_or_shows_rows_and_never_fails(graph, sort, cursor):
    make(graph, [{"begin_time": NOW}, {"failed_lines": 3, "loss_rate": "0.5"}])
    query = QueryDict(mutable=True)
    query.update({"sort": sort, "cursor": cursor})
    found, problems = page(query, Job.objects.all(), SORTS, DEFAULT_SORT)
    if problems:
        assert problems[0].startswith("cursor: “")
        assert len(found.rows) == 2


def test_cursor_of_another_order_is_reported_and_the_first_page_shown(graph):
    make(graph, [{"begin_time": NOW}] * 3)
    query = QueryDict(mutable=True)
    query.update({"sort": "job_name", "cursor": turn(None, "-begin_time", 1).next})
    found, problems = page(query, Job.objects.all(), SORTS, DEFAULT_SORT)
    assert "showing the first page" in problems[0]
    assert len(found.rows) == 3


@pytest.mark.parametrize("size", ["0", "-1", "501", "x", "９", "1e2", "9" * 5000, "\x00", "1.0"])
def test_invalid_page_size_is_reported(graph, size):
    query = QueryDict(mutable=True)
    query.update({"page_size": size, "sort": "splendid"})
    _found, problems = page(query, Job.objects.all(), SORTS, DEFAULT_SORT)
    assert [problem.split(":")[0] for problem in problems] == ["sort", "page_size"]
    assert all(len(problem) < 300 for problem in problems)


def test_a_time_in_a_cursor_keeps_its_microseconds(graph):
    at = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
    make(graph, [{"begin_time": at}, {"begin_time": at + timedelta(microseconds=1)}])
    first = turn(None, "-begin_time", 1)
    assert [row.begin_time for row in turn(first.next, "-begin_time", 1).rows] == [at]
