"""What an answer of GES says: an observation to record, and how far its clock is from ours."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from jobs.ges.answer import Answer
from jobs.ges.errors import GesError
from jobs.polling.client import StatusOutcome, StatusRequest
from jobs.record import Observation

CLOCKS = 25  # answers of a batch by which GES's clock is told


def observed(
    question: StatusRequest, said: Answer | GesError, source: str, *, unread: bool = False
) -> Observation:
    """What came of asking, read; `unread`: an answer that may say again what was heard last is read by whoever needs it."""
    if isinstance(said, GesError):
        return Observation(
            question.job,
            source,
            timezone.now(),
            None,
            None,
            error=said,
            graph_id=question.graph_id,
            seconds=said.seconds,
        )
    seen = Observation(
        question.job, source, said.observed_at, said.http_status, said.body, content_type=said.content_type,
        request_id=said.request_id or "", retry_after=said.retry_after, seconds=said.seconds,
        graph_id=question.graph_id, unread=unread,
    )  # fmt: skip
    if not seen.unread:
        seen.read()
    if seen.reply is not None and source == "proxy":
        # What was asked, not what the keys look like: a bare {"status"} is the same in both.
        seen.reply = replace(seen.reply, version=question.version)
    return seen


def clock_skews(said: Iterable[StatusOutcome]) -> list[timedelta]:
    """How far GES's clock is ahead of ours, as some of these answers tell it."""
    answers = [one for one in said if isinstance(one, Answer)]
    some = answers[:: len(answers) // CLOCKS + 1]
    return [skew for one in some if (skew := one.clock_skew) is not None]
