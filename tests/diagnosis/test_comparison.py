"""The files of two imports are paired and compared."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diagnosis.comparison import FileChange, compare, new_causes
from jobs.ges.shapes import FileReply


def file(path="b/v.csv", status="success", failed=None, kind="vertex", cause=None):
    return FileReply(kind, 0, path, None, status, cause, None, failed, None)


@pytest.mark.parametrize(
    ("before", "after", "change", "delta"),
    [
        (("success", 0), ("success", 0), "same", 0),
        (("success", None), ("success", None), "same", None),
        (
            ("success", None),
            ("success", 0),
            "cannot_tell",
            None,
        ),  # nothing lost, as one of them says; the other does not
        (("success", 0), ("success", 3), "worse", 3),  # a success with failed lines is partial
        (("partFailed", 9), ("partiallyFailed", 4), "better", -5),
        (("partFailed", 4), ("partFailed", 9), "worse", 5),
        (("partFailed", 900), ("failed", 1), "worse", -899),  # the verdict counts before the lines
        (("failed", None), ("partFailed", None), "better", None),
        (("failed", 5), ("dunno", 5), "cannot_tell", 0),
        (("running", 5), ("success", 0), "cannot_tell", -5),
        (("dunno", 5), ("dunno", 5), "same", 0),
    ],
)
def test_a_file_got_better_or_worse(before, after, change, delta):
    [difference] = compare([file("x", *before)], [file("x", *after)])
    assert (difference.change, difference.failed_delta) == (change, delta)


def test_a_schema_rows_lines_do_not_count():
    [difference] = compare([file(kind="schema", failed=0)], [file(kind="schema", failed=4)])
    assert (difference.change, difference.failed_delta) == (FileChange.SAME, None)


def test_repeated_paths_pair_in_order():
    differences = compare(
        [file(failed=0), file(failed=7)], [file(failed=0), file(failed=7), file(failed=1)]
    )
    assert sorted((difference.change, difference.failed_delta) for difference in differences) == [
        ("new", None),
        ("same", 0),
        ("same", 0),
    ]


@pytest.mark.parametrize(
    ("before", "after", "matched"),
    [
        ("d/2026-03-04/e", "d/2026-03-05/e", True),
        ("d/20260304.csv", "d/20261231.csv", True),
        ("d/2026/03/04/e", "d/2026/03/05/e", True),
        ("d/20260304.csv", "d/2026-03-05.csv", True),
        ("d/part-0001", "d/part-0002", False),
        ("d/20261304", "d/20261305", False),
        ("d/120260304", "d/120260305", False),
        ("d/20260304020000/e", "d/20260305021530/e", True),
        ("d/2026-03-04T02:00:00Z/e", "d/2026-03-05T0217/e", True),
        ("d/20260304-0001", "d/20260304-0002", False),
    ],
)
def test_other_files_match_with_dates_left_out(before, after, matched):
    differences = compare([file(before)], [file(after)])
    assert [
        (difference.path, difference.change, difference.matched_by_date)
        for difference in differences
    ] == ([(after, "same", True)] if matched else [(before, "gone", False), (after, "new", False)])


def test_an_exact_match_precedes_one_without_dates_and_kinds_never_match():
    differences = compare(
        [file("d/2026-03-04"), file("d/2026-03-05")],
        [file("d/2026-03-05"), file("d/2026-03-04", kind="edge")],
    )
    assert [
        (difference.kind, difference.path, difference.change) for difference in differences
    ] == [
        ("vertex", "d/2026-03-04", "gone"),
        ("edge", "d/2026-03-04", "new"),
        ("vertex", "d/2026-03-05", "same"),
    ]


def test_the_worst_come_first():
    before = [
        file("same"),
        file("better", "failed"),
        file("worse", failed=1),
        file("gone"),
        file("worst", failed=1),
    ]
    after = [
        file("new"),
        file("same"),
        file("new and lost", "failed", 5),
        file("better", "partFailed"),
        file("worse", failed=5),
        file("worst", failed=50),
    ]
    paths = [difference.path for difference in compare(before, after)]
    assert paths == ["worst", "worse", "new and lost", "gone", "better", "new", "same"]


files = st.builds(
    file,
    st.sampled_from(["a", "b", "d/2026-03-04", "d/2026-03-05", "d/20260304"]),
    st.sampled_from(["success", "partFailed", "failed", "dunno"]),
    st.none() | st.integers(0, 5),
    st.sampled_from(["edge", "vertex", "schema"]),
)
imports = st.lists(files, max_size=8)


@given(imports, imports)
def test_every_file_occurs_once_and_the_reverse_comparison_is_the_reverse(before, after):
    differences, reverse = compare(before, after), compare(after, before)
    assert sorted(
        id(difference.before) for difference in differences if difference.before
    ) == sorted(map(id, before))
    assert sorted(id(difference.after) for difference in differences if difference.after) == sorted(
        map(id, after)
    )
    opposite = {"new": "gone", "gone": "new", "better": "worse", "worse": "better"}
    assert sorted(
        opposite.get(difference.change, difference.change) for difference in differences
    ) == sorted(difference.change for difference in reverse)


@given(imports)
def test_an_import_is_the_same_as_itself(rows):
    assert {difference.change for difference in compare(rows, [replace(row) for row in rows])} <= {
        FileChange.SAME
    }


def test_new_causes_are_those_of_no_failed_file_before():
    before = [
        file("a", "partFailed", 3, cause="line 5: vertex id is empty"),
        file(
            "s", "success", 0, cause="label [x] is not in the metadata"
        ),  # nothing lost: no cause of a loss
    ]
    after = [
        file("a", "partFailed", 9, cause="line 77: vertex id is empty"),
        file("b", "failed", 20, cause="label [x] is not in the metadata"),
        file("c", "failed", None, cause="label [y] is not in the metadata"),
        file("d", "failed", None, cause="GES.7017: gone"),
        file("e", "success", 0, cause="said beside a success"),
    ]
    assert [
        (difference.pattern, difference.example, difference.files, difference.failed_lines)
        for difference in new_causes(before, after)
    ] == [
        ("label ‹value› is not in the metadata", "label [x] is not in the metadata", 2, 20),
        ("GES.7017: gone", "GES.7017: gone", 1, None),
    ]
