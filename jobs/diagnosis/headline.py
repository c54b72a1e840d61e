"""What a job page says first: how much of an import was loaded, and what was lost."""

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
    """Figures of one kind, or of all; `total` is what they prove at least when they don't tell everything."""

    total: int
    failed: int
    loaded: int | None
    complete: bool
    counted: bool


def headline(
    *, is_final: bool, heard: bool, totals: Mapping[str, Figures], lost_files: int, file_count: int
) -> list[Sentence]:
    """The sentences that tell an import's outcome; none of a job that imports nothing.

    Shape: `totals` is what Job.lines holds, by "vertex", "edge" and "all"; the files counted include schema files.
    """
    if not heard:
        return [Sentence(_UNTOLD)]
    if not file_count:
        return []
    every = _lines(totals.get("all", {}))
    if not every.counted:
        return _without_counts(is_final, lost_files, file_count)
    return [*_loaded(is_final, totals, every), _loss(is_final, every, lost_files, file_count)]


def _lines(of: Figures) -> _LineFacts:
    total, failed, loaded = of.get("total"), of.get("failed"), of.get("successful")
    complete = bool(of.get("complete"))
    # Some files tell only their total, others only parts of it: no sum may exceed what it is called a part of.
    least = max(total or 0, (failed or 0) + (loaded or 0))
    counted = (total, failed, loaded) != (None, None, None)
    return _LineFacts(
        total if complete and total is not None else least, failed or 0, loaded, complete, counted
    )


def _without_counts(is_final: bool, lost_files: int, file_count: int) -> list[Sentence]:
    if file_count == 1:
        said = [Sentence(_NO_COUNTS_ONE if is_final else _NO_COUNTS_YET_ONE)]
    else:
        said = [Sentence(_NO_COUNTS if is_final else _NO_COUNTS_YET, {"files": file_count})]
    if lost_files and file_count == 1:
        said.append(Sentence(_LOST_THE_FILE))
    elif lost_files == 1:
        said.append(Sentence(_LOST_FILES_ONE))
    elif lost_files:
        said.append(Sentence(_LOST_FILES, {"lost_files": lost_files}))
    return said


def _loaded(is_final: bool, totals: Mapping[str, Figures], every: _LineFacts) -> list[Sentence]:
    kinds = {kind: _lines(totals.get(kind, {})) for kind in ("vertex", "edge")}
    told_completely = all(lines.complete for lines in kinds.values() if lines.counted)
    said = []
    for kind, lines in kinds.items():
        if not lines.counted:
            # A kind without figures may have no files at all; it has some if it alone can leave the whole incomplete.
            if told_completely and not every.complete:
                said.append(Sentence(_UNCOUNTED[kind]))
        elif lines.loaded is None:
            said.append(Sentence(_LOADED_UNKNOWN[kind], {"total": lines.total}))
        else:
            text = _LOADED[kind, is_final, lines.complete]
            said.append(Sentence(text, {"loaded": lines.loaded, "total": lines.total}))
    return said


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
