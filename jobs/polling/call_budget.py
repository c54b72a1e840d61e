"""The API quota of a project: token buckets and a circuit breaker in one row that all share.

| what happens | then |
|---|---|
| a call is made | the buckets of the second and the minute lose a token; both refill over time |
| GES rate-limits | no call until Retry-After (or 2 s); rates halved for a minute, 1/16 at least |
| 5 calls in a row get no response | the circuit opens for 5 s, then one call probes; up to 2 min |
| GES responds, whatever it says | the circuit closes |

While the circuit is open no call goes through; once its time is over it is half-open, and one call
goes through as a probe while the others wait for it. A failed probe doubles the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction

from jobs.ges.errors import ErrorReply, GesError, NoCredentials, Throttled, Unreachable
from jobs.models import CallBudget, Project

FAILURES_TO_OPEN = 5  # calls in a row without an answer
OPEN_TIME = timedelta(seconds=5)  # the first time; doubled each time the probe fails
MAX_OPEN_TIME = timedelta(minutes=2)
MAX_DOUBLINGS = 10  # counted, so that failures do not grow without end
PROBE_TIME = timedelta(seconds=25)  # longer than the client waits for GES
DEFAULT_PAUSE = 2.0  # seconds; what GES's pages advise
MAX_PAUSE = 3600.0  # seconds
LOWERED_TIME = timedelta(minutes=1)
MIN_SHARE = 1 / 16


class BudgetSpent(GesError):
    """The project's calls to GES are used up for the moment, or GES asked for a pause."""

    kind = "budget"


class CircuitOpen(GesError):
    """GES has not been answering, so it is not called for a while."""

    kind = "breaker"


class Circuit(Enum):
    """The states of the circuit breaker."""

    CLOSED = "calls go through"
    OPEN = "no call goes through"
    HALF_OPEN = "one call goes through, as a probe"


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The buckets and the breaker of one project. Pure: every change makes a new state.

    Units: `second_left` and `minute_left` in calls.
    """

    second_left: float
    minute_left: float
    counted_at: datetime
    share: float = 1.0  # of the project's rates
    lowered_until: datetime | None = None
    paused_until: datetime | None = None
    failures: int = 0  # in a row

    def is_paused(self, now: datetime) -> bool:
        """Whether no call may be made: the circuit is open, or GES asked for a pause."""
        return self.paused_until is not None and self.paused_until > now

    def circuit(self, now: datetime) -> Circuit:
        """The state of the circuit breaker."""
        if self.failures < FAILURES_TO_OPEN:
            return Circuit.CLOSED
        return Circuit.OPEN if self.is_paused(now) else Circuit.HALF_OPEN


def refilled(state: BudgetState, per_second: int, per_minute: int, now: datetime) -> BudgetState:
    """The buckets as they are now; each holds at most what may be called in its time."""
    share = 1.0 if state.lowered_until is None or state.lowered_until <= now else state.share
    seconds = max((now - state.counted_at).total_seconds(), 0.0)
    second_rate, minute_rate = per_second * share, per_minute * share
    # A bucket below one call would never let any through.
    return replace(
        state,
        second_left=min(state.second_left + seconds * second_rate, max(second_rate, 1.0)),
        minute_left=min(state.minute_left + seconds * minute_rate / 60, max(minute_rate, 1.0)),
        counted_at=max(now, state.counted_at),
        share=share,
    )


def withdrawn(state: BudgetState, wanted: int, now: datetime) -> tuple[BudgetState, int]:
    """The state after as many of the wanted calls as may be made, and their number."""
    if state.is_paused(now):
        return state, 0
    if state.circuit(now) is Circuit.HALF_OPEN:
        wanted = min(wanted, 1)
        state = replace(state, paused_until=now + PROBE_TIME)
    granted = max(0, min(wanted, int(state.second_left), int(state.minute_left)))
    state = replace(
        state, second_left=state.second_left - granted, minute_left=state.minute_left - granted
    )
    return state, granted


def throttled(state: BudgetState, retry_after: float | None, now: datetime) -> BudgetState:
    """The state after GES asked for fewer calls."""
    pause = timedelta(seconds=min(max(retry_after or DEFAULT_PAUSE, 1.0), MAX_PAUSE))
    if state.paused_until is not None and state.paused_until >= now + pause:
        return state  # one of many answers to the same burst
    return replace(
        state,
        share=max(state.share / 2, MIN_SHARE),
        paused_until=now + pause,
        lowered_until=now + pause + LOWERED_TIME,
        second_left=0.0,
    )


def failed(state: BudgetState, count: int, now: datetime) -> BudgetState:
    """The state after `count` calls without an answer; the circuit opens when they are enough."""
    failures = state.failures + count
    if failures < FAILURES_TO_OPEN:
        return replace(state, failures=failures)
    doublings = min(failures - FAILURES_TO_OPEN, MAX_DOUBLINGS)
    return replace(
        state,
        failures=FAILURES_TO_OPEN + doublings,
        paused_until=now + min(OPEN_TIME * 2**doublings, MAX_OPEN_TIME),
    )


def draw(project: Project, wanted: int, now: datetime) -> int:
    """Draw calls from the budget; how many of the wanted ones may be made."""
    with transaction.atomic():
        row, state = _locked(project, now)
        state, granted = withdrawn(state, wanted, now)
        _save(row, state)
    return granted


def draw_one(project: Project, now: datetime) -> None:
    """Draw one call.

    Raises: BudgetSpent or CircuitOpen, with the seconds to wait as `retry_after`.
    """
    with transaction.atomic():
        row, state = _locked(project, now)
        state, granted = withdrawn(state, 1, now)
        _save(row, state)
    if granted:
        return

    error: GesError
    if state.paused_until is not None and state.paused_until > now:
        is_open = state.circuit(now) is Circuit.OPEN
        error = CircuitOpen(_CIRCUIT_OPEN) if is_open else BudgetSpent(_PAUSED)
        error.retry_after = (state.paused_until - now).total_seconds()
    else:
        error = BudgetSpent(_SPENT)
        error.retry_after = _seconds_to_next_call(project, state)
    raise error


def report(project: Project, errors: Sequence[GesError | None], now: datetime) -> None:
    """Tell the budget how calls went: an error for each, None for an answer with a job status."""
    failures = sum(_is_no_answer(error) for error in errors)
    throttlings = [error for error in errors if isinstance(error, Throttled)]
    is_answered = len(errors) > failures
    row = CallBudget.objects.filter(project=project).first()
    is_untroubled = row is None or (row.failures == 0 and row.paused_until is None)
    if is_untroubled and not throttlings and not failures:
        return  # the common case writes nothing

    with transaction.atomic():
        row, state = _locked(project, now)
        if is_answered and state.failures:
            state = replace(state, failures=0, paused_until=None)
        if failures and not is_answered:
            state = failed(state, failures, now)
        if throttlings:
            state = throttled(state, max(error.retry_after or 0.0 for error in throttlings), now)
        _save(row, state)


def state_now(project: Project, row: CallBudget | None, now: datetime) -> BudgetState:
    """The state of a budget that was read, for display; a project never called has all of it."""
    if row is None:
        return BudgetState(project.calls_per_second, project.calls_per_minute, now)
    return refilled(_state(row), project.calls_per_second, project.calls_per_minute, now)


def _state(row: CallBudget) -> BudgetState:
    return BudgetState(**{name: getattr(row, name) for name in _FIELDS})


def _is_no_answer(error: GesError | None) -> bool:
    if isinstance(error, ErrorReply):
        return error.http_status >= 500
    return isinstance(error, Unreachable) and not isinstance(error, NoCredentials)


def _seconds_to_next_call(project: Project, state: BudgetState) -> float:
    """Seconds until both buckets hold a whole call."""
    second = (1 - state.second_left) / (project.calls_per_second * state.share)
    minute = (1 - state.minute_left) * 60 / (project.calls_per_minute * state.share)
    return max(second, minute, 0.0)


_CIRCUIT_OPEN = "GES has not been answering, so it is not called for a moment."
_PAUSED = "GES throttles the project, so it is not called for a moment."
_SPENT = "The project's calls to GES are used up for the moment."
_FIELDS = (
    "second_left",
    "minute_left",
    "counted_at",
    "share",
    "lowered_until",
    "paused_until",
    "failures",
)


def _locked(project: Project, now: datetime) -> tuple[CallBudget, BudgetState]:
    row = CallBudget.objects.select_for_update().filter(project=project).first()
    if row is None:
        full = CallBudget(
            project=project,
            second_left=project.calls_per_second,
            minute_left=project.calls_per_minute,
            counted_at=now,
        )
        CallBudget.objects.bulk_create([full], ignore_conflicts=True)
        row = CallBudget.objects.select_for_update().get(project=project)
    return row, refilled(_state(row), project.calls_per_second, project.calls_per_minute, now)


def _save(row: CallBudget, state: BudgetState) -> None:
    for name in _FIELDS:
        setattr(row, name, getattr(state, name))
    row.save(update_fields=_FIELDS)
