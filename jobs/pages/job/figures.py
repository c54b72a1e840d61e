"""Where the figures of a job's page come from."""

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's anchor on the page, its name, its formula, and the GES fields it is made of."""

    anchor: str
    name: str
    formula: str
    fields: str


def figures() -> list[Figure]:
    """All of them, in the reader's language."""
    return [
        Figure(
            anchor="verdict",
            name=_("Status"),
            formula=_("GES status combined with what its files report"),
            fields="status",
        ),
        Figure(
            anchor="lines",
            name=_("Total lines"),
            formula=_("sum over vertex and edge files; “at least” if a file has no line counts"),
            fields="jobDetail.*.totalLines",
        ),
        Figure(
            anchor="failed",
            name=_("Failed lines"),
            formula=_("sum over vertex and edge files; metadata rows are never counted"),
            fields="jobDetail.*.failedLines",
        ),
        Figure(
            anchor="loaded",
            name=_("Loaded lines"),
            formula=_("sum over vertex and edge files"),
            fields="jobDetail.*.successfulLines",
        ),
        Figure(
            anchor="loss",
            name=_("Failure rate"),
            formula=_("failed ÷ (failed + loaded), only if every file has line counts"),
            fields="failedLines, successfulLines",
        ),
        Figure(
            anchor="ledger",
            name=_("Count check"),
            formula=_(
                "each file: total = failed + loaded, and the status agrees; the job "
                "takes the result of its worst file"
            ),
            fields="totalLines, failedLines, successfulLines, status",
        ),
        Figure(
            anchor="took",
            name=_("Duration"),
            formula=_("end time − start time"),
            fields="endTime, beginTime",
        ),
    ]
