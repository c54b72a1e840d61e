"""The count check: whether GES's own line counts and status words agree with each other."""

from collections.abc import Sequence
from enum import StrEnum

from jobs.diagnosis.verdict import FileCounts, is_data
from jobs.ges.words import Verdict, meaning
from jobs.sentences import Sentence, gettext_noop


class Ledger(StrEnum):
    """The result of the count check of a file or a job."""

    ADDS_UP = "adds_up"
    DOES_NOT_ADD_UP = "does_not_add_up"
    CANNOT_TELL = "cannot_tell"


def contradiction(file: FileCounts) -> Sentence | None:
    """Which line counts of a file contradict each other or its status; None when none do."""
    total, failed, good = file.total_lines, file.failed_lines, file.successful_lines
    if total is not None and failed is not None and good is not None and total != failed + good:
        text = gettext_noop(
            "{failed} failed and {successful} loaded lines add up to {sum}, but the "
            "total is {total}."
        )
        return Sentence(
            text, {"failed": failed, "successful": good, "sum": failed + good, "total": total}
        )
    if total is not None and failed is not None and failed > total:
        return Sentence(
            gettext_noop("The failed line count {failed} exceeds the total of {total}."),
            {"failed": failed, "total": total},
        )
    if total is not None and good is not None and good > total:
        text = gettext_noop("The loaded line count {successful} exceeds the total of {total}.")
        return Sentence(text, {"successful": good, "total": total})
    return _status_contradiction(meaning(file.status), failed, good) if is_data(file) else None


def _status_contradiction(status: Verdict, failed: int | None, good: int | None) -> Sentence | None:
    if status is Verdict.SUCCESS and failed:
        return Sentence(
            gettext_noop("The file status is Success, but the failed line count is {failed}."),
            {"failed": failed},
        )
    if status is Verdict.FAILED and good:
        return Sentence(
            gettext_noop("The file status is Failed, but the loaded line count is {successful}."),
            {"successful": good},
        )
    if status is Verdict.PARTIAL and failed == 0:
        return Sentence(gettext_noop("The file status is Partial, but the failed line count is 0."))
    if status is Verdict.PARTIAL and good == 0:
        return Sentence(gettext_noop("The file status is Partial, but the loaded line count is 0."))
    return None


def file_ledger(file: FileCounts) -> Ledger:
    """The count check of one file; its status counts too."""
    if contradiction(file):
        return Ledger.DOES_NOT_ADD_UP
    if None in (file.total_lines, file.failed_lines, file.successful_lines):
        return Ledger.CANNOT_TELL
    return Ledger.ADDS_UP


def job_ledger(files: Sequence[FileCounts]) -> Ledger | None:
    """The worst count check of the data files; None when there is none."""
    results = {file_ledger(file) for file in files if is_data(file)}
    for worst in (Ledger.DOES_NOT_ADD_UP, Ledger.CANNOT_TELL, Ledger.ADDS_UP):
        if worst in results:
            return worst
    return None
