"""The API quota of a project: token buckets and a circuit breaker in one row that all share.

| what happens | then |
|---|---|
| a call is made | the buckets of the second and the minute lose a token; both refill over time |
| GES rate-limits | no call until Retry-After (or 2 s); rates halved for a minute, 1/16 at least |
| 5 calls in a row get no response | the circuit opens for 5 s, then one call probes; up to 2 min |
| GES responds, whatever it says | the circuit closes |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from jobs.ges.errors import ErrorReply, GesError, NoCredentials, Throttled, Unreachable
from jobs.models import CallBudget, Project

FAILURES = 5  # calls in a row without an answer, before GES is left alone
REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=2)
PROBE = timedelta(seconds=25)  # longer than the client waits for GES
DEFAULT_PAUSE = 2.0  # seconds; what GES's pages advise
LONGEST_PAUSE = 3600.0
LOWERED = timedelta(minutes=1)
LEAST_SHARE = 1 / 16


class Spent(GesError):
    """The project's calls to GES are used up for the moment, or GES asked for a pause."""

    kind = "budget"


class Resting(GesError):
    """GES has not been answering, so it is left alone for a while."""

    kind = "breaker"


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What is left. Pure: every change makes a new one. Units: calls."""

    second_left: float
    minute_left: float
    counted_at: datetime
    share: float = 1.0
    lowered_until: datetime | None = None
    paused_until: datetime | None = None
    failures: int = 0


def refilled(state: BudgetState, per_second: int, per_minute: int, now: datetime) -> BudgetState:
    """The buckets as they stand now; each holds at most what may be called in its time."""
    share = 1.0 if state.lowered_until is None or state.lowered_until <= now else state.share
    seconds = max((now - state.counted_at).total_seconds(), 0.0)
    # A second's bucket below one call would never let any through.
    return replace(
        state,
        second_left=min(
            state.second_left + seconds * per_second * share, max(per_second * share, 1.0)
        ),
        minute_left=min(
            state.minute_left + seconds * per_minute * share / 60, max(per_minute * share, 1.0)
        ),
        counted_at=max(now, state.counted_at),
        share=share,
    )


def spend(state: BudgetState, wanted: int, now: datetime) -> tuple[BudgetState, int]:
    """The state after as many of these calls as may be made, and how many those are."""
    if state.paused_until is not None and state.paused_until > now:
        return state, 0
    if (
        state.failures >= FAILURES
    ):  # half open: one call shows whether GES is back, the others wait for it
        wanted, state = min(wanted, 1), replace(state, paused_until=now + PROBE)
    granted = max(0, min(wanted, int(state.second_left), int(state.minute_left)))
    return replace(
        state, second_left=state.second_left - granted, minute_left=state.minute_left - granted
    ), granted


def slowed(state: BudgetState, retry_after: float | None, now: datetime) -> BudgetState:
    """The state after GES asked for fewer calls."""
    pause = timedelta(seconds=min(max(retry_after or DEFAULT_PAUSE, 1.0), LONGEST_PAUSE))
    if state.paused_until is not None and state.paused_until >= now + pause:
        return state  # one of many answers to the same burst
    return replace(
        state,
        share=max(state.share / 2, LEAST_SHARE),
        paused_until=now + pause,
        lowered_until=now + pause + LOWERED,
        second_left=0.0,
    )


def failed(state: BudgetState, count: int, now: datetime) -> BudgetState:
    """The state after so many calls without an answer."""
    failures = state.failures + count
    if failures < FAILURES:
        return replace(state, failures=failures)
    rest = min(REST * 2 ** min(failures - FAILURES, 10), LONGEST_REST)
    return replace(state, failures=min(failures, FAILURES + 10), paused_until=now + rest)


def take(project: Project, wanted: int, now: datetime) -> int:
    """Draw on the budget: how many of the wanted calls may be made."""
    with transaction.atomic():
        row, state = _locked(project, now)
        state, granted = spend(state, wanted, now)
        _save(row, state)
    return granted


def take_one(project: Project, now: datetime) -> None:
    """Draw one call.

    Raises: Spent or Resting, with the seconds to wait as `retry_after`.
    """
    with transaction.atomic():
        row, state = _locked(project, now)
        state, granted = spend(state, 1, now)
        _save(row, state)
    if granted:
        return
    error: GesError
    if state.paused_until is not None and state.paused_until > now:
        wait = (state.paused_until - now).total_seconds()
        error = Resting(_RESTING) if state.failures >= FAILURES else Spent(_PAUSED)
    else:
        error, wait = Spent(_SPENT), _wait(project, state)
    error.retry_after = wait
    raise error


def tell(project: Project, errors: Sequence[GesError | None], now: datetime) -> None:
    """What came of calls that were made: an error each, None for an answer with a job status."""
    failures = sum(_is_no_answer(error) for error in errors)
    throttles = [error for error in errors if isinstance(error, Throttled)]
    answered = len(errors) > failures
    row = CallBudget.objects.filter(project=project).first()
    if (
        not throttles
        and not failures
        and (row is None or (row.failures == 0 and row.paused_until is None))
    ):
        return  # the common case writes nothing
    with transaction.atomic():
        row, state = _locked(project, now)
        if answered and state.failures:
            state = replace(state, failures=0, paused_until=None)
        if failures and not answered:
            state = failed(state, failures, now)
        if throttles:
            state = slowed(
                state, max((error.retry_after or 0.0 for error in throttles), default=0.0), now
            )
        _save(row, state)


def now_left(project: Project, row: CallBudget | None, now: datetime) -> BudgetState:
    """What stands now of a budget that was read, for showing; a project that was never asked about has all of it."""
    if row is None:
        return BudgetState(project.calls_per_second, project.calls_per_minute, now)
    return refilled(_state(row), project.calls_per_second, project.calls_per_minute, now)


def _state(row: CallBudget) -> BudgetState:
    return BudgetState(**{name: getattr(row, name) for name in _FIELDS})


def _is_no_answer(error: GesError | None) -> bool:
    if isinstance(error, ErrorReply):
        return error.http_status >= 500
    return isinstance(error, Unreachable) and not isinstance(error, NoCredentials)


def _wait(project: Project, state: BudgetState) -> float:
    """Seconds until both buckets hold a whole call."""
    second = (1 - state.second_left) / (project.calls_per_second * state.share)
    minute = (1 - state.minute_left) * 60 / (project.calls_per_minute * state.share)
    return max(second, minute, 0.0)


_RESTING = "GES has not been answering, so it is left alone for a moment."
_PAUSED = "GES asked to be asked less often, so it is left alone for a moment."
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
    full = {
        "second_left": project.calls_per_second,
        "minute_left": project.calls_per_minute,
        "counted_at": now,
    }
    row = CallBudget.objects.select_for_update().filter(project=project).first()
    if row is None:
        CallBudget.objects.bulk_create([CallBudget(project=project, **full)], ignore_conflicts=True)
        row = CallBudget.objects.select_for_update().get(project=project)
    return row, refilled(_state(row), project.calls_per_second, project.calls_per_minute, now)


def _save(row: CallBudget, state: BudgetState) -> None:
    for name in _FIELDS:
        setattr(row, name, getattr(state, name))
    row.save(update_fields=_FIELDS)
