"""How the polling does, for Prometheus. Read from the database at each scrape: no process has counted all of it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from jobs.models import Tally
from jobs.models.tally import Kind
from jobs.polling.health import Health, Vitals
from jobs.polling.outcomes import BOUNDS

LABEL = "project"


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max((now - at).total_seconds(), 0.0)


def _pause(one: Health, now: datetime) -> float:
    until = one.paused_until(now)
    return 0.0 if until is None else (until - now).total_seconds()


#: One value a project; none where it is not known yet.
_GAUGES: list[tuple[str, str, Callable[[Health, datetime], float | None]]] = [
    ("gesdash_watches_due", "Jobs to be asked about now.", lambda one, now: one.due.count),
    (
        "gesdash_watches_overdue",
        "Jobs that have been due for over a minute.",
        lambda one, now: one.due.overdue,
    ),
    (
        "gesdash_watch_lag_seconds",
        "For how long the job that waits for longest has been due.",
        lambda one, now: _age(one.due.since, now) or 0.0,
    ),
    (
        "gesdash_jobs_set_aside",
        "Jobs whose reply could not be recorded; they wait for a person.",
        lambda one, now: one.set_aside,
    ),
    (
        "gesdash_worker_seen_seconds",
        "Since a worker last did its round, to the minute.",
        lambda one, now: _age(one.present_at, now),
    ),
    (
        "gesdash_discovery_seconds",
        "Since GES's job list was last read.",
        lambda one, now: _age(one.project.discovered_at, now),
    ),
    (
        "gesdash_discovery_failing",
        "1 when the last look at GES's job list failed.",
        lambda one, now: bool(one.project.problem),
    ),
    (
        "gesdash_answer_seconds",
        "Since a poll last got a usable answer.",
        lambda one, now: _age(one.answered_at, now),
    ),
    (
        "gesdash_paused_seconds",
        "For how long GES is left alone, as it throttles or does not answer.",
        _pause,
    ),
    (
        "gesdash_budget_share",
        "Part of the allowed rates in use; below 1 after GES throttled.",
        lambda one, now: one.calls.share,
    ),
]


class Polling(Collector):
    """What one scraper may see."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        """All of it; a project is told by GES's id."""
        now, projects = self._vitals.now, self._vitals.projects
        yield GaugeMetricFamily(
            "gesdash_workers",
            "Workers that gave a sign of life in the last 30 s.",
            self._vitals.workers,
        )
        for name, words, value_of in _GAUGES:
            family = GaugeMetricFamily(name, words, labels=[LABEL])
            for one in projects:
                if (value := value_of(one, now)) is not None:
                    family.add_metric([one.project.project_id], value)
            yield family
        left = GaugeMetricFamily(
            "gesdash_budget_calls_left", "Calls that may be made now.", labels=[LABEL, "window"]
        )
        for one in projects:
            left.add_metric([one.project.project_id, "second"], one.calls.second_left)
            left.add_metric([one.project.project_id, "minute"], one.calls.minute_left)
        yield left
        yield from _counted(projects)


def _counted(projects: Iterable[Health]) -> Iterator[Metric]:
    replies = CounterMetricFamily(
        "gesdash_replies", "What came of asking GES: new, repeated, or why there was no reply.", labels=[LABEL, "source", "outcome"]
    )  # fmt: skip
    words = CounterMetricFamily("gesdash_unknown_words", "Replies with a status word GES does not document.", labels=[LABEL, "word"])  # fmt: skip
    fields = CounterMetricFamily("gesdash_unknown_fields", "Replies with a field GES does not document.", labels=[LABEL, "field"])  # fmt: skip
    latency = HistogramMetricFamily(
        "gesdash_answer_latency_seconds", "From asking GES to its answer.", labels=[LABEL]
    )
    for one in projects:
        project = one.project.project_id
        for tally in one.of(Kind.REPLY):
            replies.add_metric([project, *tally.name.split(":", 1)], tally.count)
        for tally in one.of(Kind.WORD):
            words.add_metric([project, tally.name], tally.count)
        for tally in one.of(Kind.FIELD):
            fields.add_metric([project, tally.name], tally.count)
        if rows := one.of(Kind.LATENCY):
            latency.add_metric([project], _buckets(rows), sum(tally.seconds for tally in rows))
    yield from (replies, words, fields, latency)


def _buckets(rows: Iterable[Tally]) -> list[tuple[str, float]]:
    """Counts up to each bound, as Prometheus has them; a bound of a former version counts under the next that there is."""
    found = {float(row.name): row.count for row in rows}
    bounds = sorted({*BOUNDS, *found, float("inf")})
    counts = accumulate(found.get(bound, 0) for bound in bounds)
    return [
        ("+Inf" if bound == float("inf") else str(bound), count)
        for bound, count in zip(bounds, counts, strict=True)
    ]


def registry(vitals: Vitals) -> CollectorRegistry:
    """All that is told at one scrape."""
    found = CollectorRegistry()
    found.register(Polling(vitals))
    return found
