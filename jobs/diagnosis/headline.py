"""The sentences at the top of a job page: how much of an import was loaded, and what failed."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.sentences import Sentence
from jobs.sentences import gettext_noop as _

type Figures = Mapping[str, int | None]  # total, failed, successful: lines; complete: a truth value

# Whole sentences, so that a translator sees what belongs together, and none that needs a plural.
# By kind, whether the job is final, and whether every file told all its figures.
_LOADED = {
    ("vertex", True, True): _("Loaded {loaded} of {total} vertex lines."),
    ("vertex", True, False): _("Loaded at least {loaded} of at least {total} vertex lines."),
    ("vertex", False, True): _("{loaded} of {total} vertex lines loaded so far."),
    ("vertex", False, False): _(
        "At least {loaded} of at least {total} vertex lines loaded so far."
    ),
    ("edge", True, True): _("Loaded {loaded} of {total} edge lines."),
    ("edge", True, False): _("Loaded at least {loaded} of at least {total} edge lines."),
    ("edge", False, True): _("{loaded} of {total} edge lines loaded so far."),
    ("edge", False, False): _("At least {loaded} of at least {total} edge lines loaded so far."),
}
_LOADED_UNKNOWN = {
    "vertex": _("GES did not report how many of at least {total} vertex lines were loaded."),
    "edge": _("GES did not report how many of at least {total} edge lines were loaded."),
}
_UNCOUNTED = {
    "vertex": _("GES reported no line counts for the vertex files."),
    "edge": _("GES reported no line counts for the edge files."),
}
# By whether the job is final, and whether every file told all its figures.
_LOST = {
    (True, True): _("{lost_lines} of {total} lines failed, in {lost_files} of {files} files."),
    (True, False): _(
        "At least {lost_lines} of at least {total} lines failed, in {lost_files} of {files} files."
    ),
    (False, True): _(
        "{lost_lines} of {total} lines failed so far, in {lost_files} of {files} files."
    ),
    (False, False): _(
        "At least {lost_lines} of at least {total} lines failed so far, in "
        "{lost_files} of {files} files."
    ),
}
_LOST_UNCOUNTED = {
    True: _("Failures in {lost_files} of {files} files, but GES counted no failed lines."),
    False: _("Failures in {lost_files} of {files} files so far, but GES counted no failed lines."),
}
_UNTOLD = _("GES has not returned any data for this job yet.")
_NO_COUNTS = _("{files} files; GES reported no line counts.")
_NO_COUNTS_ONE = _("One file; GES reported no line counts.")
_NO_COUNTS_YET = _("{files} files; GES has reported no line counts so far.")
_NO_COUNTS_YET_ONE = _("One file; GES has reported no line counts so far.")
_LOST_FILES = _("{lost_files} of them have failures.")
_LOST_FILES_ONE = _("One of them has failures.")
_LOST_THE_FILE = _("The file has failures.")
_NO_LOSS = _("All lines were loaded.")
_NO_LOSS_YET = _("No failures so far.")
_NO_LOSS_REPORTED = _("No failures were reported, but some line counts are missing.")
_NO_LOSS_AT_ODDS = _("No failures were reported, but not all lines were counted as loaded.")


@dataclass(frozen=True, slots=True)
class _LineFacts:
    """Line counts of one kind, or of all; an incomplete `total` is the least that is certain."""

    total: int
    failed: int
    loaded: int | None
    complete: bool
    counted: bool


def headline(
    *,
    is_final: bool,
    has_reply: bool,
    totals: Mapping[str, Figures],
    lost_files: int,
    file_count: int,
) -> list[Sentence]:
    """The sentences that sum up an import; none for a job that imports nothing.

    Shape: `totals` as in Job.lines, by "vertex", "edge" and "all". `file_count` includes schema
    files.
    """
    if not has_reply:
        return [Sentence(_UNTOLD)]
    if not file_count:
        return []
    every = _lines(totals.get("all", {}))
    if not every.counted:
        return _without_counts(is_final, lost_files, file_count)
    return [*_loaded(is_final, totals, every), _loss(is_final, every, lost_files, file_count)]


def _lines(figures: Figures) -> _LineFacts:
    total = figures.get("total")
    failed = figures.get("failed")
    loaded = figures.get("successful")
    is_complete = bool(figures.get("complete"))
    if total is None or not is_complete:
        # Some files have only a total, others only parts of it: no part may exceed the total.
        total = max(total or 0, (failed or 0) + (loaded or 0))
    is_counted = any(figures.get(name) is not None for name in ("total", "failed", "successful"))
    return _LineFacts(total, failed or 0, loaded, is_complete, is_counted)


def _without_counts(is_final: bool, lost_files: int, file_count: int) -> list[Sentence]:
    if file_count == 1:
        sentences = [Sentence(_NO_COUNTS_ONE if is_final else _NO_COUNTS_YET_ONE)]
    else:
        sentences = [Sentence(_NO_COUNTS if is_final else _NO_COUNTS_YET, {"files": file_count})]
    if lost_files and file_count == 1:
        sentences.append(Sentence(_LOST_THE_FILE))
    elif lost_files == 1:
        sentences.append(Sentence(_LOST_FILES_ONE))
    elif lost_files:
        sentences.append(Sentence(_LOST_FILES, {"lost_files": lost_files}))
    return sentences


def _loaded(is_final: bool, totals: Mapping[str, Figures], every: _LineFacts) -> list[Sentence]:
    kinds = {kind: _lines(totals.get(kind, {})) for kind in ("vertex", "edge")}
    are_all_complete = all(lines.complete for lines in kinds.values() if lines.counted)
    sentences = []
    for kind, lines in kinds.items():
        if not lines.counted:
            # A kind without counts may have no files at all. It has some if nothing else can be why
            # the whole is incomplete.
            if are_all_complete and not every.complete:
                sentences.append(Sentence(_UNCOUNTED[kind]))
        elif lines.loaded is None:
            sentences.append(Sentence(_LOADED_UNKNOWN[kind], {"total": lines.total}))
        else:
            text = _LOADED[kind, is_final, lines.complete]
            sentences.append(Sentence(text, {"loaded": lines.loaded, "total": lines.total}))
    return sentences


def _loss(is_final: bool, every: _LineFacts, lost_files: int, file_count: int) -> Sentence:
    files = {"lost_files": lost_files, "files": file_count}
    if every.failed:
        text = _LOST[is_final, every.complete]
        return Sentence(text, {"lost_lines": every.failed, "total": every.total, **files})
    if lost_files:
        return Sentence(_LOST_UNCOUNTED[is_final], files)
    if not is_final:
        return Sentence(_NO_LOSS_YET)
    if not every.complete:
        return Sentence(_NO_LOSS_REPORTED)
    return Sentence(_NO_LOSS if every.loaded == every.total else _NO_LOSS_AT_ODDS)
