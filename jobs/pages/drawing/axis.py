"""A time axis with what ran on it, and behind it the times that were not observed, each told in words too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    RowRange,
    Value,
    Window,
)
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from jobs.diagnosis.gaps import gaps, joined
from jobs.models import Graph, Miss, Presence, Snapshot
from jobs.models.presence import PAUSE
from jobs.pages.drawing.charts import LANE, Mark, Span, timeline

MOST = 400  # jobs, and runs of failed polls
MOST_CHANGES = 20  # of one job
SHOWN = 100  # rows of the table


@dataclass(frozen=True, slots=True)
class Axis:
    """What a figure draws."""

    marks: list[Mark]
    gaps: list[Mark]
    times: Sequence[Span]  # the gaps and the unobserved changes, the newest first
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
        return self.end - self.begin < timedelta(minutes=4)

    @property
    def words(self) -> set[str]:
        """The verdicts that are drawn, for the legend."""
        return {mark.kind for mark in self.marks}

    @property
    def kinds(self) -> set[str]:
        """What kinds of unobserved time there are, for the legend."""
        return {one.kind for one in self.times}


def axis(
    spans: Sequence[Span],
    gaps: Sequence[Span],
    begin: datetime,
    end: datetime,
    *,
    until_now: bool,
    cut: bool = False,
) -> Axis:
    """Spans in lanes, gaps over the whole height behind them."""
    marks, lanes = timeline(spans, begin, end)
    behind, _lanes = timeline(gaps, begin, end)
    times = [*gaps, *(one for span in spans for one in span.unsure)]
    newest = sorted(times, key=lambda one: one.begin, reverse=True)[:SHOWN]
    return Axis(marks, behind, newest, max(1, lanes) * LANE, begin, end, until_now, cut)


def gap(begin: datetime, end: datetime) -> Span:
    """A run of failed polls."""
    return Span(begin, end, "gap", "", _("no usable response from GES"))


def absence(begin: datetime, end: datetime) -> Span:
    """A time without a worker."""
    return Span(begin, end, "away", "", _("worker downtime"))


def unsure(label: str, since: datetime, at: datetime) -> Span:
    """A change that came at some time between the two."""
    return Span(since, at, "unsure", "", label)


def gaps_of(graph: Graph, begin: datetime, end: datetime) -> list[Span]:
    """When nobody observed this graph's jobs: failed polls, of which those that touch are one, and no worker. One query."""
    misses = Miss.objects.filter(job__graph=graph, last_seen_at__gte=begin).order_by(
        "-last_seen_at"
    )
    failed = misses.values_list(Value("gap"), "first_seen_at", "last_seen_at")[:MOST]
    present = Presence.objects.stretches(graph.project_id, end).values_list(
        Value("present"), "first_at", "last_at"
    )
    rows = list(failed.union(present, all=True))
    away = gaps(
        ((first, last) for kind, first, last in rows if kind == "present"),
        begin,
        end,
        longer_than=PAUSE,
    )
    return [
        *(absence(*one) for one in away),
        *(
            gap(*one)
            for one in joined((first, last) for kind, first, last in rows if kind == "gap")
        ),
    ]


def wide_changes(begin: datetime, end: datetime) -> ArraySubquery:
    """For a queryset of jobs: between which moments each one's changes came, where that is wide enough to be seen here."""
    earlier = Window(
        Max("last_seen_at", output_field=DateTimeField()),
        partition_by=F("job"),
        order_by=[F("first_seen_at").asc(), F("id").asc()],
        frame=RowRange(start=None, end=-1),
    )
    wide = ExpressionWrapper(F("first_seen_at") - F("since"), output_field=DurationField())
    rows = Snapshot.objects.filter(job=OuterRef("pk")).annotate(since=earlier).annotate(wide=wide)
    rows = rows.filter(
        wide__gt=max(timedelta(seconds=1), (end - begin) / 500), first_seen_at__gte=begin
    )
    return ArraySubquery(
        rows.order_by("-first_seen_at").values(told=JSONObject(since="since", at="first_seen_at"))[
            :MOST_CHANGES
        ]
    )
