"""One call to GES for all who ask the same at once, in this process and in the others.

In one process the first asks and the others wait for it. Between processes the first takes a lease in the database. Whoever
waits holds a thread but no database connection; there are never more of them than `SEATS` in a process, so that pages have
threads left however slow GES is.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock

from django.utils import timezone

from jobs.db import connections
from jobs.ges.answer import Answer
from jobs.ges.errors import CredentialsRefused, ErrorReply, GesError, Throttled, TimedOut
from jobs.models import Call, Project, Snapshot, Watch
from jobs.models.call import CallKey
from jobs.polling import on_demand

THREADS = 256  # of a server process, started as they are needed
SEATS = 240  # of those, how many may wait for GES
WAIT = 8.0  # seconds a caller waits for another's call
POLLER_WAIT = 5.0  # seconds a caller waits for a poll that is under way, before it asks itself
LOOK_AGAIN = 0.05  # seconds between two looks at what another process does
LEASE = timedelta(seconds=30)  # longer than the client waits for GES
KEPT = timedelta(hours=1)

_flights: dict[CallKey, "Future[Answer]"] = {}
_lock = Lock()
_seats = BoundedSemaphore(SEATS)


class Crowded(GesError):
    """Too many callers wait for GES already."""

    kind = "crowded"
    retry_after = 1.0


def ask(project: Project, question: CallKey, since: datetime) -> Answer:
    """What GES says to all that ask this now: a job status, or an error of its own that is meant for the caller.

    `since` is when the caller came: an answer newer than that will do.
    Raises: GesError for everything else; Crowded, budget.Spent, budget.Resting and TimedOut (another's call takes too long).
    """
    with _lock:
        flight = _flights.get(question)
        if is_first := flight is None:
            flight = _flights[question] = Future()
    assert flight is not None  # noqa: S101
    if not is_first:
        return _wait_for(flight)
    try:
        with _seat():
            answer = _ask_or_follow(project, question, since)
    except BaseException as wrong:
        _leave(question)
        flight.set_exception(wrong)
        raise
    _leave(question)
    flight.set_result(answer)
    return answer


def forget(now: datetime) -> int:
    """Drop the calls nobody can be waiting for any more; how many."""
    return Call.objects.filter(answered_at__lt=now - KEPT).delete()[0]


def _leave(question: CallKey) -> None:
    with _lock:
        del _flights[question]


@contextmanager
def _seat() -> Iterator[None]:
    if not _seats.acquire(blocking=False):
        raise Crowded("Too many callers wait for GES already.")
    try:
        yield
    finally:
        _seats.release()


def _wait_for(flight: "Future[Answer]") -> Answer:
    with _seat():
        connections.release_connection()
        try:
            return flight.result(WAIT)
        except TimeoutError as wrong:
            raise TimedOut(f"GES has not answered another caller within {WAIT:.0f} s.") from wrong


def _ask_or_follow(project: Project, question: CallKey, since: datetime) -> Answer:
    give_up = time.monotonic() + WAIT
    while True:
        now = timezone.now()
        if Call.objects.claim(question, since=since, now=now, until=now + LEASE):
            return _lead(project, question, since)
        call = Call.objects.about(question).first()
        if (
            call is not None
            and call.answered_at is not None
            and call.answered_at >= since
            and call.answer is not None
        ):
            return call.answer
        if time.monotonic() > give_up:
            raise TimedOut(f"GES has not answered another caller within {WAIT:.0f} s.")
        connections.release_connection()
        time.sleep(LOOK_AGAIN)


def _lead(project: Project, question: CallKey, since: datetime) -> Answer:
    """Ask, leave the answer for those in other processes, and give the lease back whatever happens."""
    answer: Answer | None = None
    try:
        answer = _from_poller(question, since) or _from_ges(project, question)
        return answer
    finally:
        said = {} if answer is None else {
            "answered_at": answer.observed_at,
            "http_status": answer.http_status,
            "content_type": answer.content_type,
            "request_id": answer.request_id or "",
            "body": answer.body,
        }  # fmt: skip
        Call.objects.about(question).update(leased_until=None, **said)


def _from_ges(project: Project, question: CallKey) -> Answer:
    try:
        return on_demand.ask_now(project, question.graph_id, question.job_id, question.version)
    except (CredentialsRefused, Throttled):
        raise
    except ErrorReply as error:
        if error.answer is None or error.http_status >= 500:
            raise
        return error.answer


def _from_poller(question: CallKey, since: datetime) -> Answer | None:
    """The reply of a worker that is asking about this job just now; None when none is, or its reply won't do."""
    if question.version != 1:
        return None
    give_up = time.monotonic() + POLLER_WAIT
    job = {"job__project": question.project, "job__job_id": question.job_id}
    while (
        Watch.objects.filter(**job, leased_until__gt=timezone.now()).exists()
        and time.monotonic() < give_up
    ):
        connections.release_connection()
        time.sleep(LOOK_AGAIN)
    replies = Snapshot.objects.replies_to(question.version).filter(
        **job, job__graph__graph_id=question.graph_id
    )
    reply = replies.filter(last_seen_at__gte=since).first()
    return (
        None
        if reply is None
        else Answer(200, bytes(reply.body), reply.content_type, None, None, reply.last_seen_at)
    )
