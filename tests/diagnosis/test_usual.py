"""What is usual for a graph's jobs, and which running job is stuck."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.diagnosis.usual import Usual, is_quiet, is_stuck, usual_duration

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def minutes(*numbers: float) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def test_usual_duration_is_median_and_nine_in_ten():
    assert usual_duration(minutes(*range(10, 0, -1))) == Usual(
        timedelta(minutes=5.5), timedelta(minutes=9), 10
    )
    assert usual_duration(minutes(3, 1, 60)) == Usual(
        timedelta(minutes=3), timedelta(minutes=60), 3
    )


def test_fewer_than_three_jobs_have_no_usual_duration():
    assert usual_duration(minutes(3, 1)) is None
    assert usual_duration(minutes(3, 1, -5)) is None


@pytest.mark.parametrize(("p90", "stuck_after"), [(1, 11), (10, 20), (30, 60)])
def test_stuck_beyond_twice_and_ten_minutes(p90: int, stuck_after: int):
    usual = Usual(timedelta(minutes=1), timedelta(minutes=p90), 3)
    assert not is_stuck(timedelta(minutes=stuck_after), usual)
    assert is_stuck(timedelta(minutes=stuck_after, seconds=1), usual)


def test_nothing_is_stuck_where_nothing_is_usual():
    assert not is_stuck(timedelta(days=30), None)


@pytest.mark.parametrize(
    ("silent_hours", "gap_hours", "imports", "quiet"),
    [
        (48, 24, 9, False),
        (49, 24, 9, True),
        (49, 24, 3, True),
        (49, 24, 2, False),
        (23, 1, 9, False),
        (24, 1, 9, True),
    ],
)
def test_quiet_graphs(silent_hours: int, gap_hours: int, imports: int, quiet: bool):
    begin = NOW - timedelta(hours=silent_hours)
    assert is_quiet(begin, timedelta(hours=gap_hours), imports, NOW) is quiet


def test_a_graph_without_imports_is_not_quiet():
    assert not is_quiet(None, timedelta(hours=1), 9, NOW)
    assert not is_quiet(NOW - timedelta(days=9), None, 9, NOW)
