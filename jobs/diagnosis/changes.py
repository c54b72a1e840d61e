"""What changed from one reply of a job to the next, and what went backwards, as GES should never let it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jobs.diagnosis.comparison import paired
from jobs.diagnosis.corrections import FILE_FIELDS, REPLY_FIELDS
from jobs.ges.shapes import FileReply, JobReply
from jobs.ges.words import meaning
from jobs.sentences import Sentence, gettext_noop

type Told = str | int | datetime | None
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
    """What one reply of a job said against the one before it, or against itself."""

    FINAL_WORD = "final_word"  # a final word was taken back
    EARLIER = "earlier"  # the begin or the end moved back in time
    ENDS_FIRST = "ends_first"  # the end is before the begin
    FEWER_LINES = "fewer_lines"  # a file lost lines that were reported
    FILES = "files"  # a file is gone, or is new in a list that was final


@dataclass(frozen=True, slots=True)
class ReplyContradiction:
    """One such contradiction."""

    kind: ContradictionKind
    says: Sentence


@dataclass(frozen=True, slots=True)
class Changed:
    """One value that GES told anew.

    `kind` and `path` are empty for the job itself. Field "file" says that a whole file is new (`before` is None) or gone
    (`after` is None); the other side is its path.
    """

    kind: str
    path: str
    field: str
    before: Told
    after: Told


def changes(before: JobReply | None, after: JobReply) -> list[Changed]:
    """The job's changes, then those of its files in the order sent, gone ones last; from nothing when `before` is None."""
    job = [
        Changed("", "", field, old, new)
        for field in REPLY_FIELDS
        if (old := getattr(before, field, None)) != (new := getattr(after, field))
    ]
    return job + [one for pair in _pairs(before, after) for one in _of_file(*pair)]


def _of_file(old: FileReply | None, new: FileReply | None) -> Iterator[Changed]:
    file = new or old
    if file is None:
        return
    if old is None or new is None:
        yield Changed(
            file.kind, file.path, "file", old.path if old else None, new.path if new else None
        )
        return
    for field in FILE_FIELDS:
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            yield Changed(file.kind, file.path, field, was, now)


def contradictions_between(before: JobReply | None, after: JobReply) -> list[ReplyContradiction]:
    """What contradicts the order of the replies, or the reply itself; the first reply can only contradict itself."""
    if before is None:
        return list(_ends_first(after))
    pairs = _pairs(before, after)
    return [
        *_word(before, after),
        *_times(before, after),
        *_files(pairs, meaning(before.status).is_final),
        *_lines(pairs),
    ]


def _word(before: JobReply, after: JobReply) -> Iterator[ReplyContradiction]:
    was, now = meaning(before.status), meaning(after.status)
    if was.is_final and was is not now:
        text = gettext_noop("The final GES status changed from “{before}” to “{after}”.")
        yield ReplyContradiction(
            ContradictionKind.FINAL_WORD,
            Sentence(text, {"before": before.status, "after": after.status}),
        )


def _times(before: JobReply, after: JobReply) -> Iterator[ReplyContradiction]:
    for field, text in _EARLIER.items():
        was, now = getattr(before, field), getattr(after, field)
        if was is not None and now is not None and now < was:
            yield ReplyContradiction(
                ContradictionKind.EARLIER,
                Sentence(text, {"before": was.isoformat(), "after": now.isoformat()}),
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


def _files(pairs: list[Pair], was_final: bool) -> Iterator[ReplyContradiction]:
    """A running import may come to list more files; a file never goes, and a final list stays."""
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


def _lines(pairs: list[Pair]) -> Iterator[ReplyContradiction]:
    for old, new in pairs:
        for field, text in _FEWER.items():
            was, now = getattr(old, field, None), getattr(new, field, None)
            if new is not None and was is not None and now is not None and now < was:
                yield ReplyContradiction(
                    ContradictionKind.FEWER_LINES,
                    Sentence(text, {"path": new.path, "before": was, "after": now}),
                )


def _pairs(before: JobReply | None, after: JobReply) -> list[Pair]:
    return paired(before.files if before else (), after.files, lambda file: (file.kind, file.path))
