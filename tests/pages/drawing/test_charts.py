import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pages.drawing.charts import HEIGHT, MIN_HEIGHT, STEP, BarPart, Span, bars, timeline
from tests.conftest import NOW

columns = st.lists(
    st.lists(st.sampled_from([0, 1, 5, 100, 10**6]) | st.integers(0, 2**65), max_size=7),
    min_size=1,
    max_size=12,
)


def parts(values):
    return [BarPart(value, f"kind{number}", "#", str(value)) for number, value in enumerate(values)]


@given(columns, st.booleans())
def test_marks_stay_inside_the_plot_and_each_can_be_seen(values, hanging):
    marks, _most = bars([parts(column) for column in values], hanging=hanging)
    assert len(marks) == sum(value > 0 for column in values for value in column)
    for mark in marks:
        assert mark.height >= MIN_HEIGHT - 0.01
        assert mark.y >= -0.05
        assert mark.y + mark.height <= HEIGHT + 0.05
        assert mark.x >= 0
        assert mark.x + mark.width <= STEP * len(values)


@given(columns)
def test_parts_of_a_column_touch_and_do_not_overlap(values):
    for hanging in (False, True):
        marks, _most = bars([parts(column) for column in values], hanging=hanging)
        for x in {mark.x for mark in marks}:
            stacked = sorted((mark for mark in marks if mark.x == x), key=lambda mark: mark.y)
            for above, below in itertools.pairwise(stacked):
                assert above.y + above.height == pytest.approx(below.y, abs=0.03)
            assert (
                stacked[0].y if hanging else HEIGHT - stacked[-1].y - stacked[-1].height
            ) == pytest.approx(0, abs=0.03)


def test_heights_are_in_proportion_and_sum_to_the_whole():
    marks, most = bars([parts([50, 25]), parts([100, 100]), parts([])])
    assert most == 200
    assert [(mark.x, mark.y, mark.height, mark.kind) for mark in marks] == [
        (1, 75, 25, "kind0"),
        (1, 62.5, 12.5, "kind1"),
        (11, 50, 50, "kind0"),
        (11, 0, 50, "kind1"),
    ]
    assert sum(int(mark.label) for mark in marks) == 275


def test_a_small_part_on_a_large_one_can_be_seen():
    marks, _most = bars([parts([100_000, 1])])
    assert [mark.height for mark in marks] == [98, 2]


def test_a_towering_bar_is_cut_and_the_others_can_be_seen():
    marks, most = bars([parts([10]), parts([8]), parts([10_000, 10]), parts([4])])
    assert most == 10
    assert [mark.kind for mark in marks] == ["kind0", "kind0", "kind0 cut", "kind1 cut", "kind0"]
    assert marks[2].height + marks[3].height == HEIGHT
    assert marks[0].height == HEIGHT


@pytest.mark.parametrize("values", [[], [[]], [[0, 0]]])
def test_empty_data_draws_nothing(values):
    assert bars([parts(column) for column in values]) == ([], 0)


spans = st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 200)), max_size=20)


@given(spans)
def test_spans_stay_on_the_axis_and_those_of_a_lane_apart(lengths):
    end = NOW + timedelta(hours=100)
    kept = [
        Span(NOW + timedelta(hours=begin), NOW + timedelta(hours=begin + took), "success", "#", "")
        for begin, took in lengths
    ]
    kept = [span for span in kept if span.end >= NOW and span.begin <= end]
    marks, lanes = timeline(kept, NOW, end)
    assert len(marks) == len(kept)
    for mark in marks:
        assert mark.x >= 0
        assert mark.x + mark.width <= 1000.1
        assert mark.width >= 3
    for y in {mark.y for mark in marks}:
        lane = sorted((mark for mark in marks if mark.y == y), key=lambda mark: mark.x)
        assert all(left.x + left.width <= right.x + 0.2 for left, right in itertools.pairwise(lane))
    assert len({mark.y for mark in marks}) == lanes
