"""Changes from one reply of a job to the next, and contradictions, which GES should never cause."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jobs.diagnosis.comparison import paired
from jobs.diagnosis.corrections import FILE_FIELDS, REPLY_FIELDS
from jobs.ges.shapes import FileReply, JobReply
from jobs.ges.words import meaning
from jobs.sentences import Sentence, gettext_noop

type Value = str | int | datetime | None
type Pair = tuple[FileReply | None, FileReply | None]

_FEWER = {
    "total_lines": gettext_noop("Total lines of “{path}” dropped from {before} to {after}."),
    "failed_lines": gettext_noop("Failed lines of “{path}” dropped from {before} to {after}."),
    "successful_lines": gettext_noop("Loaded lines of “{path}” dropped from {before} to {after}."),
}
_EARLIER = {
    "begin_time": gettext_noop("The start time moved back from {before} to {after}."),
    "end_time": gettext_noop("The end time moved back from {before} to {after}."),
}


class ContradictionKind(StrEnum):
    """How a reply of a job contradicts the one before it, or itself."""

    FINAL_WORD = "final_word"  # a final status was taken back
    EARLIER = "earlier"  # the begin or the end moved back in time
    ENDS_FIRST = "ends_first"  # the end is before the begin
    FEWER_LINES = "fewer_lines"  # a line count of a file dropped
    FILES = "files"  # a file is gone, or is new in a list that was final


@dataclass(frozen=True, slots=True)
class ReplyContradiction:
    """One contradiction, in words."""

    kind: ContradictionKind
    says: Sentence


@dataclass(frozen=True, slots=True)
class Changed:
    """One value that changed.

    `kind` and `path` are empty for the job itself. The field "file" is for a whole file that is new
    (`before` is None) or gone (`after` is None); the other side is its path.
    """

    kind: str
    path: str
    field: str
    before: Value
    after: Value


def changes(before: JobReply | None, after: JobReply) -> list[Changed]:
    """The job's changes, then those of its files in the order sent, gone ones last.

    Without `before`, all values of the first reply are changes.
    """
    changed = [
        Changed("", "", field, old, new)
        for field in REPLY_FIELDS
        if (old := getattr(before, field, None)) != (new := getattr(after, field))
    ]
    return changed + [
        change for old, new in _pairs(before, after) for change in _changes_of_file(old, new)
    ]


def _changes_of_file(old: FileReply | None, new: FileReply | None) -> Iterator[Changed]:
    file = new or old
    if file is None:
        return
    if old is None or new is None:
        old_path = old.path if old else None
        new_path = new.path if new else None
        yield Changed(file.kind, file.path, "file", old_path, new_path)
        return
    for field in FILE_FIELDS:
        old_value = getattr(old, field)
        new_value = getattr(new, field)
        if old_value != new_value:
            yield Changed(file.kind, file.path, field, old_value, new_value)


def contradictions_between(before: JobReply | None, after: JobReply) -> list[ReplyContradiction]:
    """The contradictions of a reply to the one before it, and to itself."""
    if before is None:
        return list(_ends_first(after))
    pairs = _pairs(before, after)
    return [
        *_final_status_changed(before, after),
        *_moved_back(before, after),
        *_files_changed(pairs, meaning(before.status).is_final),
        *_fewer_lines(pairs),
    ]


def _final_status_changed(before: JobReply, after: JobReply) -> Iterator[ReplyContradiction]:
    old_verdict, new_verdict = meaning(before.status), meaning(after.status)
    if old_verdict.is_final and old_verdict is not new_verdict:
        text = gettext_noop("The final GES status changed from “{before}” to “{after}”.")
        yield ReplyContradiction(
            ContradictionKind.FINAL_WORD,
            Sentence(text, {"before": before.status, "after": after.status}),
        )


def _moved_back(before: JobReply, after: JobReply) -> Iterator[ReplyContradiction]:
    for field, text in _EARLIER.items():
        old, new = getattr(before, field), getattr(after, field)
        if old is not None and new is not None and new < old:
            yield ReplyContradiction(
                ContradictionKind.EARLIER,
                Sentence(text, {"before": old.isoformat(), "after": new.isoformat()}),
            )
    if (before.begin_time, before.end_time) != (after.begin_time, after.end_time):
        yield from _ends_first(after)


def _ends_first(reply: JobReply) -> Iterator[ReplyContradiction]:
    begin, end = reply.begin_time, reply.end_time
    if begin and end and end < begin:
        text = gettext_noop("The end time {end} is before the start time {begin}.")
        yield ReplyContradiction(
            ContradictionKind.ENDS_FIRST,
            Sentence(text, {"end": end.isoformat(), "begin": begin.isoformat()}),
        )


def _files_changed(pairs: list[Pair], was_final: bool) -> Iterator[ReplyContradiction]:
    """A running import may come to list more files; no file may go, and no final list may grow."""
    gone = [old for old, new in pairs if old is not None and new is None]
    added = [new for old, new in pairs if old is None and new is not None]
    if gone:
        text = gettext_noop(
            "The response no longer lists all files. Missing: {count}, the first is “{path}”."
        )
        yield ReplyContradiction(
            ContradictionKind.FILES, Sentence(text, {"count": len(gone), "path": gone[0].path})
        )
    if added and was_final:
        text = gettext_noop(
            "The response lists more files than the previous final one. Added: "
            "{count}, the first is “{path}”."
        )
        yield ReplyContradiction(
            ContradictionKind.FILES, Sentence(text, {"count": len(added), "path": added[0].path})
        )


def _fewer_lines(pairs: list[Pair]) -> Iterator[ReplyContradiction]:
    for old, new in pairs:
        for field, text in _FEWER.items():
            old_lines, new_lines = getattr(old, field, None), getattr(new, field, None)
            if new is None or old_lines is None or new_lines is None or new_lines >= old_lines:
                continue
            yield ReplyContradiction(
                ContradictionKind.FEWER_LINES,
                Sentence(text, {"path": new.path, "before": old_lines, "after": new_lines}),
            )


def _pairs(before: JobReply | None, after: JobReply) -> list[Pair]:
    return paired(before.files if before else (), after.files, lambda file: (file.kind, file.path))
