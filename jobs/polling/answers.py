"""From GES's answers to observations, and how far GES's clock is from ours."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from jobs.ges.answer import Answer
from jobs.ges.errors import GesError
from jobs.polling.client import StatusOutcome, StatusRequest
from jobs.record import Observation

MAX_SKEW_SAMPLES = 25  # answers of a batch from which the skew of the clocks is measured


def observation_of(
    request: StatusRequest, outcome: StatusOutcome, source: str, *, unread: bool = False
) -> Observation:
    """The outcome as an observation, read unless `unread`.

    `unread` leaves the parsing to the recorder, which skips it where the body is a repeat.
    """
    if isinstance(outcome, GesError):
        return Observation(
            request.job,
            source,
            timezone.now(),
            None,
            None,
            error=outcome,
            graph_id=request.graph_id,
            seconds=outcome.seconds,
        )

    observation = Observation(
        request.job,
        source,
        outcome.observed_at,
        outcome.http_status,
        outcome.body,
        content_type=outcome.content_type,
        request_id=outcome.request_id or "",
        retry_after=outcome.retry_after,
        seconds=outcome.seconds,
        graph_id=request.graph_id,
        unread=unread,
    )
    if not observation.unread:
        observation.read()
    if observation.reply is not None and source == "proxy":
        # The address decides, not the look of the keys: a bare {"status"} is the same in both.
        observation.reply = replace(observation.reply, version=request.version)
    return observation


def clock_skews(outcomes: Iterable[StatusOutcome]) -> list[timedelta]:
    """How far GES's clock is ahead of ours, by a sample of these answers."""
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    sample = answers[:: len(answers) // MAX_SKEW_SAMPLES + 1]
    return [skew for answer in sample if (skew := answer.clock_skew) is not None]
