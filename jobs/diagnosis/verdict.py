"""The verdict of a file and of a job: GES's word weighed against what its files say."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from jobs.ges.words import FINAL, Verdict, meaning


class FileCounts(Protocol):
    """A file's figures as stored or as replied; counts in lines, None when unknown."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def total_lines(self) -> int | None: ...  # noqa: D102
    @property
    def failed_lines(self) -> int | None: ...  # noqa: D102
    @property
    def successful_lines(self) -> int | None: ...  # noqa: D102


def is_data(file: FileCounts) -> bool:
    """An edge or vertex file: schema rows say success with every line "failed" and never count."""
    return file.kind != "schema"


def file_verdict(file: FileCounts) -> Verdict:
    """The word of the file, except that a success with failed lines is partial (schema rows apart)."""
    said = meaning(file.status)
    if said is Verdict.SUCCESS and is_data(file) and (file.failed_lines or 0) > 0:
        return Verdict.PARTIAL
    return said


def job_verdict(word: str, files: Sequence[FileCounts]) -> Verdict:
    """What became of the job: its word while it is not final, else the word weighed against the files."""
    said = meaning(word)
    if said not in FINAL or said is Verdict.CANCELLED:
        return said
    lost, loaded = any(map(is_lost, files)), any(map(_is_loaded, files))
    if said is Verdict.FAILED:
        return Verdict.PARTIAL if lost and loaded else Verdict.FAILED
    if not lost:
        return said
    data = [file for file in files if is_data(file)]
    if data and all(meaning(file.status) is Verdict.FAILED for file in data):
        return Verdict.PARTIAL if loaded else Verdict.FAILED
    return Verdict.PARTIAL


def is_lost(file: FileCounts) -> bool:
    """Whether something of the file did not load."""
    if meaning(file.status) in {Verdict.FAILED, Verdict.PARTIAL}:
        return True
    return is_data(file) and (file.failed_lines or 0) > 0


def _is_loaded(file: FileCounts) -> bool:
    said = meaning(file.status)
    return is_data(file) and (
        said in {Verdict.SUCCESS, Verdict.PARTIAL} or (file.successful_lines or 0) > 0
    )


def lost(files: Iterable[FileCounts]) -> int:
    """How many files lost something."""
    return sum(map(is_lost, files))
