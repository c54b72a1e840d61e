"""Gaps in observation: between runs of presence, and before a change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diagnosis.gaps import gaps, joined, seen_before

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PAUSE = timedelta(minutes=2)


def at(minute):
    return NOW + timedelta(minutes=minute)


def runs(*pairs):
    return [(at(first), at(last)) for first, last in pairs]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([], []),  # nothing is known, so nothing is a gap
        ([(0, 60)], []),
        ([(0, 10), (20, 60)], [(10, 20)]),
        ([(20, 60), (0, 10)], [(10, 20)]),
        ([(0, 10), (12, 60)], []),  # no longer than expected
        ([(0, 10), (13, 60)], [(10, 13)]),
        ([(0, 30), (10, 20), (40, 60)], [(30, 40)]),  # two workers at once
        ([(0, 10)], [(10, 60)]),  # still away
        ([(0, 58)], []),
        ([(-90, -60), (30, 60)], [(0, 30)]),  # cut to the span asked about
        ([(30, 60)], []),  # before the first run
    ],
)
def test_gaps_lie_between_runs_and_after_the_last(present, expected):
    assert gaps(runs(*present), at(0), at(60), longer_than=PAUSE) == runs(*expected)


moments = st.integers(-100, 200)


@given(st.lists(st.tuples(moments, st.integers(0, 50)), max_size=10))
def test_no_run_overlaps_a_gap(lengths):
    present = runs(*((first, first + took) for first, took in lengths))
    between = gaps(present, at(0), at(100), longer_than=PAUSE)
    for begin, end in between:
        assert at(0) <= begin < end <= at(100)
        assert not any(first < end and last > begin for first, last in present)
    assert between == sorted(between)


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ([], None),
        ([(0, 5)], 5),
        ([(0, 5), (2, 8)], 8),  # another source saw the old state later
        ([(0, 5), (2, 12)], 5),  # a list's item that is still seen afterwards tells nothing
        ([(0, 10)], 10),
        ([(11, 12)], None),
    ],
)
def test_a_change_is_no_older_than_the_last_other_observation(earlier, expected):
    assert seen_before(at(10), runs(*earlier)) == (None if expected is None else at(expected))


@pytest.mark.parametrize(
    ("apart", "expected"),
    [
        ([], []),
        ([(5, 9), (0, 3)], [(0, 3), (5, 9)]),
        ([(0, 3), (3, 9)], [(0, 9)]),
        ([(0, 9), (2, 3), (8, 10)], [(0, 10)]),
    ],
)
def test_runs_that_touch_are_one(apart, expected):
    assert joined(runs(*apart)) == runs(*expected)
