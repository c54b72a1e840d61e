"""The health of polling for Prometheus.

It is read from the database at each scrape, as no process has counted all of it.
"""

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
from jobs.polling.health import PollingHealth, ProjectHealth
from jobs.polling.outcomes import BOUNDS

LABEL = "project"


def _seconds_since(time: datetime | None, now: datetime) -> float | None:
    return None if time is None else max((now - time).total_seconds(), 0.0)


def _pause(health: ProjectHealth, now: datetime) -> float:
    until = health.paused_until(now)
    return 0.0 if until is None else (until - now).total_seconds()


#: One value a project; none where it is not known yet.
_GAUGES: list[tuple[str, str, Callable[[ProjectHealth, datetime], float | None]]] = [
    ("gesdash_watches_due", "Jobs whose next poll is due.", lambda health, now: health.due.count),
    (
        "gesdash_watches_overdue",
        "Jobs that have been due for over a minute.",
        lambda health, now: health.due.overdue,
    ),
    (
        "gesdash_watch_lag_seconds",
        "For how long the longest waiting job has been due.",
        lambda health, now: _seconds_since(health.due.since, now) or 0.0,
    ),
    (
        "gesdash_jobs_set_aside",
        "Quarantined jobs: a response could not be recorded; they wait for a person.",
        lambda health, now: health.set_aside,
    ),
    (
        "gesdash_worker_seen_seconds",
        "Since a worker was last there, to the minute.",
        lambda health, now: _seconds_since(health.present_at, now),
    ),
    (
        "gesdash_discovery_seconds",
        "Since GES's job list was last read.",
        lambda health, now: _seconds_since(health.project.discovered_at, now),
    ),
    (
        "gesdash_discovery_failing",
        "1 when the last look at GES's job list failed.",
        lambda health, now: bool(health.project.problem),
    ),
    (
        "gesdash_answer_seconds",
        "Since a poll last got a usable answer.",
        lambda health, now: _seconds_since(health.answered_at, now),
    ),
    (
        "gesdash_paused_seconds",
        "For how long GES is not called, as it throttles or does not answer.",
        _pause,
    ),
    (
        "gesdash_budget_share",
        "Part of the allowed rates in use; below 1 after GES throttled.",
        lambda health, now: health.calls.share,
    ),
]


class PollingCollector(Collector):
    """The metrics of the projects that one scraper may see."""

    def __init__(self, health: PollingHealth) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """All metrics; the label of a project is GES's id."""
        yield GaugeMetricFamily(
            "gesdash_workers",
            "Workers that gave a sign of life in the last 30 s.",
            self._health.workers,
        )
        yield from _gauges(self._health)
        yield _calls_left(self._health.projects)
        yield from _counters(self._health.projects)
        yield _latency(self._health.projects)


def _gauges(polling: PollingHealth) -> Iterator[Metric]:
    for name, help_text, value_of in _GAUGES:
        family = GaugeMetricFamily(name, help_text, labels=[LABEL])
        for health in polling.projects:
            if (value := value_of(health, polling.now)) is not None:
                family.add_metric([health.project.project_id], value)
        yield family


def _calls_left(healths: Iterable[ProjectHealth]) -> Metric:
    family = GaugeMetricFamily(
        "gesdash_budget_calls_left", "Calls that may be made now.", labels=[LABEL, "window"]
    )
    for health in healths:
        project_id = health.project.project_id
        family.add_metric([project_id, "second"], health.calls.second_left)
        family.add_metric([project_id, "minute"], health.calls.minute_left)
    return family


def _counters(healths: Iterable[ProjectHealth]) -> Iterator[Metric]:
    replies = CounterMetricFamily(
        "gesdash_replies",
        "Outcomes of calls to GES: new, repeated, or why there was no reply.",
        labels=[LABEL, "source", "outcome"],
    )
    words = CounterMetricFamily(
        "gesdash_unknown_words",
        "Replies with a status word GES does not document.",
        labels=[LABEL, "word"],
    )
    fields = CounterMetricFamily(
        "gesdash_unknown_fields",
        "Replies with a field GES does not document.",
        labels=[LABEL, "field"],
    )
    for health in healths:
        project_id = health.project.project_id
        for tally in health.of(Kind.REPLY):
            replies.add_metric([project_id, *tally.name.split(":", 1)], tally.count)
        for tally in health.of(Kind.WORD):
            words.add_metric([project_id, tally.name], tally.count)
        for tally in health.of(Kind.FIELD):
            fields.add_metric([project_id, tally.name], tally.count)
    yield from (replies, words, fields)


def _latency(healths: Iterable[ProjectHealth]) -> Metric:
    family = HistogramMetricFamily(
        "gesdash_answer_latency_seconds", "From a request to GES to its answer.", labels=[LABEL]
    )
    for health in healths:
        if tallies := health.of(Kind.LATENCY):
            seconds = sum(tally.seconds for tally in tallies)
            family.add_metric([health.project.project_id], _buckets(tallies), seconds)
    return family


def _buckets(tallies: Iterable[Tally]) -> list[tuple[str, float]]:
    """Cumulative counts up to each bound, as Prometheus has them.

    A bound of a former version counts under the next that there is.
    """
    counts = {float(tally.name): tally.count for tally in tallies}
    bounds = sorted({*BOUNDS, *counts, float("inf")})
    totals = accumulate(counts.get(bound, 0) for bound in bounds)
    return [
        ("+Inf" if bound == float("inf") else str(bound), total)
        for bound, total in zip(bounds, totals, strict=True)
    ]


def registry(health: PollingHealth) -> CollectorRegistry:
    """A registry with the metrics of one scrape."""
    scraped = CollectorRegistry()
    scraped.register(PollingCollector(health))
    return scraped
