"""gesdash's own status of a file and of a job, from GES's status word and the line counts."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from jobs.ges.words import FINAL, Verdict, meaning


class FileCounts(Protocol):
    """A file's counts, stored or from a reply. Units: lines, None when unknown."""

    @property
    def kind(self) -> str:
        """One of schema, vertex and edge."""

    @property
    def status(self) -> str:
        """GES's status word for the file."""

    @property
    def total_lines(self) -> int | None:
        """The sum of the others, unless GES's counts disagree."""

    @property
    def failed_lines(self) -> int | None:
        """Lines that GES did not load."""

    @property
    def successful_lines(self) -> int | None:
        """Lines that GES loaded."""


def is_data(file: FileCounts) -> bool:
    """Whether it is a vertex or edge file.

    Schema files report success with every line "failed", so their counts never matter.
    """
    return file.kind != "schema"


def file_verdict(file: FileCounts) -> Verdict:
    """The meaning of the file's status, except that a success with failed lines is partial."""
    status = meaning(file.status)
    if status is Verdict.SUCCESS and is_data(file) and (file.failed_lines or 0) > 0:
        return Verdict.PARTIAL
    return status


def job_verdict(word: str, files: Sequence[FileCounts]) -> Verdict:
    """The meaning of the job's status word; once that is final, weighed against the files."""
    status = meaning(word)
    if status not in FINAL or status is Verdict.CANCELLED:
        return status
    has_failures = any(map(is_lost, files))
    has_loaded_lines = any(map(_is_loaded, files))
    if status is Verdict.FAILED:
        return Verdict.PARTIAL if has_failures and has_loaded_lines else Verdict.FAILED
    if not has_failures:
        return status
    data_files = [file for file in files if is_data(file)]
    if data_files and all(meaning(file.status) is Verdict.FAILED for file in data_files):
        return Verdict.PARTIAL if has_loaded_lines else Verdict.FAILED
    return Verdict.PARTIAL


def is_lost(file: FileCounts) -> bool:
    """Whether the file has failures: its status says so, or a line failed."""
    if meaning(file.status) in {Verdict.FAILED, Verdict.PARTIAL}:
        return True
    return is_data(file) and (file.failed_lines or 0) > 0


def _is_loaded(file: FileCounts) -> bool:
    if not is_data(file):
        return False
    status = meaning(file.status)
    return status in {Verdict.SUCCESS, Verdict.PARTIAL} or (file.successful_lines or 0) > 0


def count_lost(files: Iterable[FileCounts]) -> int:
    """The number of files with failures."""
    return sum(map(is_lost, files))
