"""The one sentence that sums up a job."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diagnosis.headline import headline
from jobs.diagnosis.totals import totals
from jobs.diagnosis.verdict import is_lost


@dataclass
class File:
    kind: str
    total_lines: int | None
    failed_lines: int | None
    successful_lines: int | None
    status: str = "success"


def headline_of(
    files: Iterable[File], *, is_final: bool = True, has_reply: bool = True
) -> list[str]:
    files = list(files)
    lines = {kind: asdict(totals(files, kind)) for kind in ("vertex", "edge", "all")}
    lost = sum(map(is_lost, files))
    sentences = headline(
        is_final=is_final, has_reply=has_reply, totals=lines, lost_files=lost, file_count=len(files)
    )
    return [str(sentence) for sentence in sentences]


CLEAN, HURT = File("edge", 10, 0, 10), File("vertex", 1659, 450, 1209, "partFailed")
SILENT = File("vertex", None, None, None)


@pytest.mark.parametrize(
    ("files", "sentences"),
    [
        (
            [HURT],
            ["Loaded 1,209 of 1,659 vertex lines.", "450 of 1,659 lines failed, in 1 of 1 files."],
        ),
        (
            [HURT, CLEAN],
            [
                "Loaded 1,209 of 1,659 vertex lines.",
                "Loaded 10 of 10 edge lines.",
                "450 of 1,669 lines failed, in 1 of 2 files.",
            ],
        ),
        ([CLEAN], ["Loaded 10 of 10 edge lines.", "All lines were loaded."]),
        (
            [HURT, SILENT],
            [
                "Loaded at least 1,209 of at least 1,659 vertex lines.",
                "At least 450 of at least 1,659 lines failed, in 1 of 2 files.",
            ],
        ),
        (
            [CLEAN, SILENT],
            [
                "GES reported no line counts for the vertex files.",
                "Loaded 10 of 10 edge lines.",
                "No failures were reported, but some line counts are missing.",
            ],
        ),
        (
            [File("edge", 10, None, None)],
            [
                "GES did not report how many of at least 10 edge lines were loaded.",
                "No failures were reported, but some line counts are missing.",
            ],
        ),
        (
            [CLEAN, File("edge", None, None, None, "failed")],
            [
                "Loaded at least 10 of at least 10 edge lines.",
                "Failures in 1 of 2 files, but GES counted no failed lines.",
            ],
        ),
        (
            [CLEAN, File("schema", None, None, None, "failed")],
            [
                "Loaded 10 of 10 edge lines.",
                "Failures in 1 of 2 files, but GES counted no failed lines.",
            ],
        ),
        (
            [File("edge", 10, 0, 8)],
            [
                "Loaded 8 of 10 edge lines.",
                "No failures were reported, but not all lines were counted as loaded.",
            ],
        ),
        ([SILENT], ["One file; GES reported no line counts."]),
        ([SILENT, SILENT], ["2 files; GES reported no line counts."]),
        (
            [File("edge", None, None, None, "failed")],
            ["One file; GES reported no line counts.", "The file has failures."],
        ),
        (
            [SILENT, File("edge", None, None, None, "failed")],
            ["2 files; GES reported no line counts.", "One of them has failures."],
        ),
        (
            [SILENT, *[File("edge", None, None, None, "failed")] * 2],
            ["3 files; GES reported no line counts.", "2 of them have failures."],
        ),
        ([], []),
    ],
)
def test_the_outcome_of_a_final_import(files: list[File], sentences: list[str]):
    assert headline_of(files) == sentences


@pytest.mark.parametrize(
    ("files", "sentences"),
    [
        (
            [HURT, CLEAN],
            [
                "1,209 of 1,659 vertex lines loaded so far.",
                "10 of 10 edge lines loaded so far.",
                "450 of 1,669 lines failed so far, in 1 of 2 files.",
            ],
        ),
        (
            [HURT, SILENT],
            [
                "At least 1,209 of at least 1,659 vertex lines loaded so far.",
                "At least 450 of at least 1,659 lines failed so far, in 1 of 2 files.",
            ],
        ),
        ([CLEAN], ["10 of 10 edge lines loaded so far.", "No failures so far."]),
        ([SILENT], ["One file; GES has reported no line counts so far."]),
        ([SILENT] * 3, ["3 files; GES has reported no line counts so far."]),
        ([], []),
    ],
)
def test_the_progress_of_a_running_import(files: list[File], sentences: list[str]):
    assert headline_of(files, is_final=False) == sentences


def test_a_job_without_a_reply():
    assert headline_of([], has_reply=False) == ["GES has not returned any data for this job yet."]


COUNT = st.none() | st.integers(0, 50)


@given(
    st.lists(
        st.builds(File, st.sampled_from(["vertex", "edge", "schema"]), COUNT, COUNT, COUNT),
        max_size=4,
    ),
    st.booleans(),
)
def test_an_incomplete_part_never_exceeds_its_whole(files: list[File], is_final: bool):
    lines = {kind: asdict(totals(files, kind)) for kind in ("vertex", "edge", "all")}
    sentences = headline(
        is_final=is_final, has_reply=True, totals=lines, lost_files=1, file_count=len(files)
    )
    assert bool(sentences) is bool(files)
    for sentence in sentences:
        values = dict(sentence.values)
        if "at least" in sentence.text and "loaded" in values:
            assert values["loaded"] <= values["total"]
