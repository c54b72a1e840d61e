"""Single flight: callers who ask the same at once share one call to GES, over all processes.

In one process the first caller makes the call and the others wait for its result. Between processes
the first takes a lease in the database. Whoever waits holds a thread but no database connection,
and a process has at most MAX_WAITING of them: pages have threads left however slow GES is.
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

SERVER_THREADS = 256  # of a server process, started as they are needed
MAX_WAITING = 240  # of those, how many may wait for GES
WAIT_SECONDS = 8.0  # for another caller's call
POLLER_WAIT_SECONDS = 5.0  # for a poll that is under way, before the caller makes a call of its own
RECHECK_SECONDS = 0.05  # between two looks at what another process does
CALL_LEASE = timedelta(seconds=30)  # longer than the client waits for GES
CALLS_KEPT = timedelta(hours=1)

#: This process's calls that others may join, and how many callers may still wait. Process-wide,
#: since callers come on any thread; `reset` sets both back between tests.
_calls: dict[CallKey, "Future[Answer]"] = {}
_calls_lock = Lock()
_waiting_slots = BoundedSemaphore(MAX_WAITING)


class TooManyWaiting(GesError):
    """Too many callers wait for GES already."""

    kind = "crowded"
    retry_after = 1.0


def request_shared(project: Project, key: CallKey, since: datetime) -> Answer:
    """GES's answer to all who ask this now: a job status, or an error of GES's own for the caller.

    `since` is when the caller came: an answer newer than that is used.
    Raises: GesError for everything else; TooManyWaiting; BudgetSpent or CircuitOpen when GES may
    not be called now; TimedOut when another's call takes too long.
    """
    with _calls_lock:
        call = _calls.get(key)
        is_first = call is None
        if call is None:
            call = _calls[key] = Future()
    if not is_first:
        return _wait_for(call)

    try:
        with _waiting_slot():
            answer = _lead_or_follow(project, key, since)
    except BaseException as error:
        _end_call(key)
        call.set_exception(error)
        raise
    _end_call(key)
    call.set_result(answer)
    return answer


def delete_old_calls(now: datetime) -> int:
    """Delete the answers nobody can be waiting for any more; how many."""
    return Call.objects.filter(answered_at__lt=now - CALLS_KEPT).delete()[0]


def reset(max_waiting: int = MAX_WAITING) -> None:
    """Forget all calls and waiting callers."""
    global _waiting_slots
    with _calls_lock:
        _calls.clear()
        _waiting_slots = BoundedSemaphore(max_waiting)


def _end_call(key: CallKey) -> None:
    with _calls_lock:
        del _calls[key]


@contextmanager
def _waiting_slot() -> Iterator[None]:
    slots = _waiting_slots
    if not slots.acquire(blocking=False):
        raise TooManyWaiting("Too many callers wait for GES already.")
    try:
        yield
    finally:
        slots.release()


def _wait_for(call: "Future[Answer]") -> Answer:
    with _waiting_slot():
        connections.release_connection()
        try:
            return call.result(WAIT_SECONDS)
        except TimeoutError as error:
            raise _other_call_timed_out() from error


def _other_call_timed_out() -> TimedOut:
    return TimedOut(f"GES has not answered another caller within {WAIT_SECONDS:.0f} s.")


def _lead_or_follow(project: Project, key: CallKey, since: datetime) -> Answer:
    """Make the call, unless another process is making it; then wait for its answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        now = timezone.now()
        if Call.objects.claim(key, since=since, now=now, until=now + CALL_LEASE):
            return _lead(project, key, since)
        if answer := _stored_answer(key, since):
            return answer
        if time.monotonic() > deadline:
            raise _other_call_timed_out()
        connections.release_connection()
        time.sleep(RECHECK_SECONDS)


def _stored_answer(key: CallKey, since: datetime) -> Answer | None:
    """The answer that another process left, if it is new enough."""
    call = Call.objects.about(key).first()
    if call is None or call.answered_at is None or call.answered_at < since:
        return None
    return call.answer


def _lead(project: Project, key: CallKey, since: datetime) -> Answer:
    """Get the answer and leave it for other processes; the lease is given back in any case."""
    answer: Answer | None = None
    try:
        answer = _from_poller(key, since) or _from_ges(project, key)
        return answer
    finally:
        columns = {}
        if answer is not None:
            columns = {
                "answered_at": answer.observed_at,
                "http_status": answer.http_status,
                "content_type": answer.content_type,
                "request_id": answer.request_id or "",
                "body": answer.body,
            }
        Call.objects.about(key).update(leased_until=None, **columns)


def _from_ges(project: Project, key: CallKey) -> Answer:
    try:
        return on_demand.request_now(project, key.graph_id, key.job_id, key.version)
    except (CredentialsRefused, Throttled):
        raise
    except ErrorReply as error:
        if error.answer is None or error.http_status >= 500:
            raise
        return error.answer


def _from_poller(key: CallKey, since: datetime) -> Answer | None:
    """The reply to a poll that is under way; None when there is none, or it got no reply."""
    if key.version != 1:
        return None
    job = {"job__project": key.project, "job__job_id": key.job_id}
    deadline = time.monotonic() + POLLER_WAIT_SECONDS
    while (
        Watch.objects.filter(**job, leased_until__gt=timezone.now()).exists()
        and time.monotonic() < deadline
    ):
        connections.release_connection()
        time.sleep(RECHECK_SECONDS)

    replies = Snapshot.objects.replies_to(key.version).filter(
        **job, job__graph__graph_id=key.graph_id
    )
    reply = replies.filter(last_seen_at__gte=since).first()
    if reply is None:
        return None
    return Answer(200, bytes(reply.body), reply.content_type, None, None, reply.last_seen_at)
