"""The overview's charts: jobs, loaded and failed lines by day, and the same as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from jobs.models.job import VerdictChoices
from jobs.pages.drawing.charts import BarPart, Mark, bars
from jobs.queries.overview import DaySums

# From the ground up: what went well carries the rest.
STACK = (
    VerdictChoices.SUCCESS,
    VerdictChoices.RUNNING,
    VerdictChoices.PENDING,
    VerdictChoices.CANCELLED,
    VerdictChoices.UNKNOWN,
    VerdictChoices.PARTIAL,
    VerdictChoices.FAILED,
)


@dataclass(frozen=True)
class Charts:
    """The charts' part of the overview's context.

    `totals` are verdict, jobs and address; a row of `table` is the day, jobs by verdict in the
    order of `totals`, loaded and failed lines.
    """

    days: Sequence[date]
    middle_day: date
    job_marks: list[Mark]
    most_jobs: int
    loaded_marks: list[Mark]
    most_loaded: int
    lost_marks: list[Mark]
    most_lost: int
    totals: list[tuple[str, int, str]]
    total_jobs: int
    total_loaded: int
    total_lost: int
    table: list[tuple[date, list[int], int, int]]
    lost_url: str


def charts(days: Sequence[date], sums: Mapping[date, DaySums]) -> Charts:
    """Charts of these days; a day without sums had no jobs."""
    by_day = {day: sums.get(day) or DaySums() for day in days}
    job_marks, most_jobs = bars([_job_parts(day, of_day) for day, of_day in by_day.items()])
    loaded_marks, most_loaded = bars(
        [[_loaded_part(day, of_day)] for day, of_day in by_day.items()]
    )
    lost_marks, most_lost = bars(
        [[_lost_part(day, of_day)] for day, of_day in by_day.items()], hanging=True
    )
    totals = _totals(by_day)
    losing = {verdict for of_day in by_day.values() for verdict in of_day.losing_verdicts}
    return Charts(
        days=days,
        middle_day=days[len(days) // 2],
        job_marks=job_marks,
        most_jobs=most_jobs,
        loaded_marks=loaded_marks,
        most_loaded=most_loaded,
        lost_marks=lost_marks,
        most_lost=most_lost,
        totals=[
            (verdict, count, _list_url(days[0], days[-1], [verdict]))
            for verdict, count in totals.items()
        ],
        total_jobs=sum(totals.values()),
        total_loaded=sum(of_day.loaded_lines for of_day in by_day.values()),
        total_lost=sum(of_day.lost_lines for of_day in by_day.values()),
        table=_table(by_day, list(totals)),
        lost_url=_list_url(days[0], days[-1], sorted(losing)),
    )


def _totals(by_day: Mapping[date, DaySums]) -> dict[str, int]:
    """Jobs by verdict, of the verdicts that occur."""
    counts = {
        verdict: sum(of_day.jobs_by_verdict.get(verdict, 0) for of_day in by_day.values())
        for verdict in VerdictChoices.values
    }
    return {verdict: count for verdict, count in counts.items() if count}


def _table(
    by_day: dict[date, DaySums], verdicts: Sequence[str]
) -> list[tuple[date, list[int], int, int]]:
    return [
        (
            day,
            [of_day.jobs_by_verdict.get(verdict, 0) for verdict in verdicts],
            of_day.loaded_lines,
            of_day.lost_lines,
        )
        for day, of_day in reversed(by_day.items())
        if any(of_day.jobs_by_verdict.values())
    ]


def _job_parts(day: date, of_day: DaySums) -> list[BarPart]:
    parts = []
    for verdict in STACK:
        count = of_day.jobs_by_verdict.get(verdict, 0)
        label = f"{date_format(day, 'DATE_FORMAT')}: {count:,} {VerdictChoices(verdict).label}"
        parts.append(BarPart(count, verdict, _list_url(day, day, [verdict]), label))
    return parts


def _loaded_part(day: date, of_day: DaySums) -> BarPart:
    label = _lines_label(day, of_day.loaded_lines, _("loaded"))
    return BarPart(of_day.loaded_lines, "good", _list_url(day, day, []), label)


def _lost_part(day: date, of_day: DaySums) -> BarPart:
    label = _lines_label(day, of_day.lost_lines, _("failed"))
    return BarPart(of_day.lost_lines, "failed", _list_url(day, day, of_day.losing_verdicts), label)


def _lines_label(day: date, lines: int, kind: str) -> str:
    return _("%(day)s: %(count)s %(what)s lines") % {
        "day": date_format(day, "DATE_FORMAT"),
        "count": f"{lines:,}",
        "what": kind,
    }


def _list_url(first: date, last: date, verdicts: Sequence[str]) -> str:
    """The list of the jobs that began on these days, in the reader's zone."""
    params = [
        ("began_after", first.isoformat()),
        ("began_before", (last + timedelta(days=1)).isoformat()),
        ("zone", str(timezone.get_current_timezone())),
        ("hidden", "no"),
        *(("verdict", verdict) for verdict in verdicts),
    ]
    return f"{reverse('pages:jobs')}?{urlencode(params)}"
