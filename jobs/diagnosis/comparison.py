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

# A time of day belongs to it where it follows after a T or at once: after any other mark it may be the number of a part.
_TIME_OF_DAY = r"T(?:[01]\d|2[0-3])(?:[-:.]?[0-5]\d){0,2}Z?|(?:[01]\d|2[0-3])(?:[0-5]\d){1,2}"
_DAY = re.compile(
    rf"(?<!\d)(?:19|20)\d\d([-_./]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:{_TIME_OF_DAY})?(?!\d)"
)
_RANK = {Verdict.SUCCESS: 0, Verdict.PARTIAL: 1, Verdict.FAILED: 2}


class NamedFile(FileCounts, Protocol):
    """A file's figures with its path (bucket/key) and what GES said of its loss."""

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def cause(self) -> str | None: ...  # noqa: D102


class FileChange(StrEnum):
    """What became of a file; CANNOT_TELL when a figure or a known word is missing on one side only."""

    NEW = "new"
    GONE = "gone"
    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class FileDifference:
    """One file in both imports or in one; `path` is the later one's, `failed_delta` in lines, None unless both are known."""

    kind: str
    path: str
    change: FileChange
    before: NamedFile | None
    after: NamedFile | None
    failed_delta: int | None
    matched_by_date: bool


@dataclass(frozen=True, slots=True)
class NewCause:
    """A cause of the later import alone: how many files it hit, and their failed lines, None when no file tells them."""

    pattern: str
    example: str
    files: int
    failed_lines: int | None


def compare(before: Sequence[NamedFile], after: Sequence[NamedFile]) -> list[FileDifference]:
    """Every file of either import, worst first.

    Files are matched by kind and path; what is left, by kind and path apart from a day in it. Equals pair in their order.
    """
    exact = paired(before, after, lambda file: (file.kind, file.path))
    only_before = [old for old, new in exact if old is not None and new is None]
    only_after = [new for old, new in exact if old is None and new is not None]
    found = [_difference(old, new) for old, new in exact if old is not None and new is not None]
    for old, new in paired(
        only_before, only_after, lambda file: (file.kind, _DAY.sub("‹day›", file.path))
    ):
        found.append(_difference(old, new, matched_by_date=old is not None and new is not None))
    return sorted(found, key=_worst_first)


def paired[F: NamedFile](
    before: Iterable[F], after: Iterable[F], key: Callable[[F], Hashable]
) -> list[tuple[F | None, F | None]]:
    """Files of one key side by side, the first with the first: in the order of `after`, then those only in `before`."""
    waiting: dict[Hashable, deque[F]] = defaultdict(deque)
    olds = list(before)
    for old in olds:
        waiting[key(old)].append(old)
    pairs: list[tuple[F | None, F | None]] = []
    for new in after:
        same = waiting[key(new)]
        pairs.append((same.popleft() if same else None, new))
    left = {id(old) for same in waiting.values() for old in same}
    return pairs + [(old, None) for old in olds if id(old) in left]


def new_causes(before: Iterable[NamedFile], after: Iterable[NamedFile]) -> list[NewCause]:
    """The causes of lost files that no lost file of `before` has, those of most failed lines first."""
    known = {fingerprint(file.cause).digest for file in before if file.cause and is_lost(file)}
    hit: dict[str, list[NamedFile]] = defaultdict(list)
    for file in after:
        if file.cause and is_lost(file) and (digest := fingerprint(file.cause).digest) not in known:
            hit[digest].append(file)
    found = [_new_cause(files) for files in hit.values()]
    return sorted(
        found, key=lambda cause: (-(cause.failed_lines or 0), -cause.files, cause.pattern)
    )


def _new_cause(files: Sequence[NamedFile]) -> NewCause:
    example = files[0].cause or ""
    counts = [count for file in files if (count := _failed(file)) is not None]
    return NewCause(
        fingerprint(example).pattern, example, len(files), sum(counts) if counts else None
    )


def _difference(
    old: NamedFile | None, new: NamedFile | None, *, matched_by_date: bool = False
) -> FileDifference:
    file = new or old
    if file is None:
        raise ValueError("expected a file on one side at least")
    lines = _failed(old) if old else None, _failed(new) if new else None
    delta = None if lines[0] is None or lines[1] is None else lines[1] - lines[0]
    return FileDifference(
        file.kind, file.path, _change(old, new, delta), old, new, delta, matched_by_date
    )


def _failed(file: NamedFile) -> int | None:
    """Failed lines; a schema row's mean nothing."""
    return file.failed_lines if is_data(file) else None


def _change(old: NamedFile | None, new: NamedFile | None, delta: int | None) -> FileChange:
    if old is None:
        return FileChange.NEW
    if new is None:
        return FileChange.GONE
    was, now = file_verdict(old), file_verdict(new)
    if was is not now:
        if was not in _RANK or now not in _RANK:
            return FileChange.CANNOT_TELL
        return FileChange.WORSE if _RANK[now] > _RANK[was] else FileChange.BETTER
    if delta is None:
        return (
            FileChange.SAME
            if _failed(old) is None and _failed(new) is None
            else FileChange.CANNOT_TELL
        )
    return FileChange.WORSE if delta > 0 else FileChange.BETTER if delta < 0 else FileChange.SAME


_ORDER = (
    FileChange.WORSE,
    FileChange.GONE,
    FileChange.CANNOT_TELL,
    FileChange.BETTER,
    FileChange.NEW,
    FileChange.SAME,
)


def _worst_first(one: FileDifference) -> tuple[int, int, int, str, str]:
    new_loss = one.change is FileChange.NEW and one.after is not None and is_lost(one.after)
    place = 1 if new_loss else 2 * _ORDER.index(one.change)
    now = _failed(one.after) or 0 if one.after else 0
    return place, -(one.failed_delta or 0), -now, one.kind, one.path
