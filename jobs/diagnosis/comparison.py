"""Two imports file by file, and the causes only the second one has."""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from jobs.diagnosis.causes import fingerprint
from jobs.diagnosis.verdict import FileCounts, file_verdict, is_data, is_lost
from jobs.ges.words import Verdict

# A time of day belongs to it where it follows at once or after a T: after any other character it
# may be the number of a part.
_TIME_OF_DAY = r"T(?:[01]\d|2[0-3])(?:[-:.]?[0-5]\d){0,2}Z?|(?:[01]\d|2[0-3])(?:[0-5]\d){1,2}"
_DATE = r"(?:19|20)\d\d([-_./]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"
_DAY = re.compile(rf"(?<!\d){_DATE}(?:{_TIME_OF_DAY})?(?!\d)")
_RANK = {Verdict.SUCCESS: 0, Verdict.PARTIAL: 1, Verdict.FAILED: 2}


class NamedFile(FileCounts, Protocol):
    """A file's counts with its path and failure reason."""

    @property
    def path(self) -> str:
        """As bucket/key."""

    @property
    def cause(self) -> str | None:
        """GES's failure reason."""


class FileChange(StrEnum):
    """How a file did in the later import.

    CANNOT_TELL when a count or a documented status is missing on one side only.
    """

    NEW = "new"
    GONE = "gone"
    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file of one import or both; `path` is that of the later one.

    Units: `failed_delta` in lines, None unless both counts are known.
    """

    kind: str
    path: str
    change: FileChange
    before: NamedFile | None
    after: NamedFile | None
    failed_delta: int | None
    matched_by_date: bool


@dataclass(frozen=True, slots=True)
class NewCause:
    """A failure reason of the later import alone, with the number of its files.

    Units: `failed_lines` in lines, None when no file has a count.
    """

    pattern: str
    example: str
    files: int
    failed_lines: int | None


def compare(before: Sequence[NamedFile], after: Sequence[NamedFile]) -> list[FileDifference]:
    """Every file of either import, worst first.

    Files are matched by kind and path, the others by kind and path with dates left out. Files with
    the same key are matched in their order.
    """
    exact = paired(before, after, lambda file: (file.kind, file.path))
    only_before = [old for old, new in exact if old is not None and new is None]
    only_after = [new for old, new in exact if old is None and new is not None]
    differences = [
        _difference(old, new) for old, new in exact if old is not None and new is not None
    ]
    for old, new in paired(
        only_before, only_after, lambda file: (file.kind, _DAY.sub("‹day›", file.path))
    ):
        is_pair = old is not None and new is not None
        differences.append(_difference(old, new, matched_by_date=is_pair))
    return sorted(differences, key=_worst_first)


def paired[F: NamedFile](
    before: Iterable[F], after: Iterable[F], key: Callable[[F], Hashable]
) -> list[tuple[F | None, F | None]]:
    """Pairs of files with the same key, the first with the first.

    They are in the order of `after`, then come those only in `before`.
    """
    waiting: dict[Hashable, deque[F]] = defaultdict(deque)
    olds = list(before)
    for old in olds:
        waiting[key(old)].append(old)
    pairs: list[tuple[F | None, F | None]] = []
    for new in after:
        candidates = waiting[key(new)]
        pairs.append((candidates.popleft() if candidates else None, new))
    unpaired = {id(old) for candidates in waiting.values() for old in candidates}
    return pairs + [(old, None) for old in olds if id(old) in unpaired]


def new_causes(before: Iterable[NamedFile], after: Iterable[NamedFile]) -> list[NewCause]:
    """The failure reasons that no failed file of `before` has, those of most failed lines first."""
    former = {fingerprint(file.cause).digest for file in before if file.cause and is_lost(file)}
    files_by_cause: dict[str, list[NamedFile]] = defaultdict(list)
    for file in after:
        if file.cause and is_lost(file):
            digest = fingerprint(file.cause).digest
            if digest not in former:
                files_by_cause[digest].append(file)
    causes = [_new_cause(files) for files in files_by_cause.values()]
    return sorted(
        causes, key=lambda cause: (-(cause.failed_lines or 0), -cause.files, cause.pattern)
    )


def _new_cause(files: Sequence[NamedFile]) -> NewCause:
    example = files[0].cause or ""
    counts = [count for file in files if (count := _failed(file)) is not None]
    failed_lines = sum(counts) if counts else None
    return NewCause(fingerprint(example).pattern, example, len(files), failed_lines)


def _difference(
    old: NamedFile | None, new: NamedFile | None, *, matched_by_date: bool = False
) -> FileDifference:
    file = new or old
    if file is None:
        raise ValueError("expected a file on one side at least")
    old_failed = _failed(old) if old else None
    new_failed = _failed(new) if new else None
    delta = None if old_failed is None or new_failed is None else new_failed - old_failed
    return FileDifference(
        file.kind, file.path, _change(old, new, delta), old, new, delta, matched_by_date
    )


def _failed(file: NamedFile) -> int | None:
    """Failed lines; those of a schema file mean nothing."""
    return file.failed_lines if is_data(file) else None


def _change(old: NamedFile | None, new: NamedFile | None, delta: int | None) -> FileChange:
    if old is None:
        return FileChange.NEW
    if new is None:
        return FileChange.GONE
    old_verdict, new_verdict = file_verdict(old), file_verdict(new)
    if old_verdict is not new_verdict:
        if old_verdict not in _RANK or new_verdict not in _RANK:
            return FileChange.CANNOT_TELL
        is_worse = _RANK[new_verdict] > _RANK[old_verdict]
        return FileChange.WORSE if is_worse else FileChange.BETTER
    if delta is None:
        is_uncounted = _failed(old) is None and _failed(new) is None
        return FileChange.SAME if is_uncounted else FileChange.CANNOT_TELL
    return FileChange.WORSE if delta > 0 else FileChange.BETTER if delta < 0 else FileChange.SAME


_ORDER = (
    FileChange.WORSE,
    FileChange.GONE,
    FileChange.CANNOT_TELL,
    FileChange.BETTER,
    FileChange.NEW,
    FileChange.SAME,
)


def _worst_first(difference: FileDifference) -> tuple[int, int, int, str, str]:
    change, file = difference.change, difference.after
    is_new_and_failed = change is FileChange.NEW and file is not None and is_lost(file)
    rank = 1 if is_new_and_failed else 2 * _ORDER.index(change)  # right after those that are worse
    failed = (_failed(file) or 0) if file else 0
    return rank, -(difference.failed_delta or 0), -failed, difference.kind, difference.path
