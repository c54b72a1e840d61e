"""A time axis: what ran, behind it the times nobody observed, and both as rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from jobs.pages.drawing.charts import LANE_HEIGHT, Mark, Span, timeline
from jobs.queries.unobserved import Unobserved

MAX_TABLE_ROWS = 100
BRIEF = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Axis:
    """A figure; `times` are the gaps and the unobserved changes, newest first."""

    marks: list[Mark]
    gaps: list[Mark]
    times: Sequence[Span]
    height: float
    begin: datetime
    end: datetime
    until_now: bool
    cut: bool = False

    @property
    def middle(self) -> datetime:
        """The time at the middle of the axis."""
        return self.begin + (self.end - self.begin) / 2

    @property
    def is_brief(self) -> bool:
        """Whether its times to the minute could be the same."""
        return self.end - self.begin < BRIEF

    @property
    def words(self) -> set[str]:
        """The verdicts that are drawn, for the legend."""
        return {mark.kind for mark in self.marks}

    @property
    def kinds(self) -> set[str]:
        """The kinds of unobserved time that are drawn, for the legend."""
        return {span.kind for span in self.times}


def axis(
    spans: Sequence[Span],
    gaps: Sequence[Span],
    begin: datetime,
    end: datetime,
    *,
    until_now: bool,
    cut: bool = False,
) -> Axis:
    """Spans in lanes, and gaps over the whole height behind them."""
    marks, lanes = timeline(spans, begin, end)
    gap_marks, _lanes = timeline(gaps, begin, end)
    times = [*gaps, *(change for span in spans for change in span.unsure)]
    newest = sorted(times, key=lambda span: span.begin, reverse=True)[:MAX_TABLE_ROWS]
    return Axis(
        marks=marks,
        gaps=gap_marks,
        times=newest,
        height=max(1, lanes) * LANE_HEIGHT,
        begin=begin,
        end=end,
        until_now=until_now,
        cut=cut,
    )


def unobserved_spans(times: Unobserved) -> list[Span]:
    """The times nobody observed, as spans."""
    return [
        *(absence(*stretch) for stretch in times.absences),
        *(failed_poll(*stretch) for stretch in times.failed_polls),
    ]


def failed_poll(begin: datetime, end: datetime) -> Span:
    """A run of failed polls."""
    return Span(begin, end, "gap", "", _("no usable response from GES"))


def absence(begin: datetime, end: datetime) -> Span:
    """A time without a worker."""
    return Span(begin, end, "away", "", _("worker downtime"))


def unsure(label: str, since: datetime, at: datetime) -> Span:
    """A change that came at some time between the two."""
    return Span(since, at, "unsure", "", label)
