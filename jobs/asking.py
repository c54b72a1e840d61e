"""Calls to GES: a client a project, and a lane in which many calls go on at once while their caller does other things."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from jobs import tokens
from jobs.ges import loop
from jobs.ges.client import CONCURRENT, Answer, Client
from jobs.ges.errors import GesError
from jobs.models import Job, Project
from jobs.models.watch import Claimed
from jobs.record import Observation

CLOCKS = 25  # answers of a batch by which GES's clock is told
PATIENCE = 15.0  # seconds a question waits for its turn; then its claim is given back, as it might run out before the answer


class Question(NamedTuple):
    """What is asked about one job: its status, at the v1.0 or the v2 address, under the graph id it is known or named by."""

    job: Job | Claimed
    graph_id: str
    version: int = 1


#: Set when this process is to stop: rounds give back what they hold and end, readings of the lists break off.
stopping = Event()

type Said = Answer | GesError | None  # None: it was not asked


def client_for(project: Project, *, refused: str = "") -> Client:
    """A client with the project's own credentials; it raises NoCredentials when the settings hold none.

    `refused`: the token of IAM's that GES took no more, so that another is got. Raises: what `tokens.token_for` does.
    """
    configured = settings.GES_PROJECTS.get(project.credentials)
    shown = configured.credentials if configured else None
    token = tokens.token_for(project, shown, refused=refused) if shown and tokens.needs_one(shown) else ""
    return Client(project.endpoint, project.project_id, shown, token)


def renewed(project: Project, client: Client) -> Client | None:
    """A client with another token, after GES refused this one's; None where there is no other."""
    other = client_for(project, refused=client.token) if client.token else client
    return other if other.token != client.token else None


def wait_for[T](call: Coroutine[Any, Any, T]) -> T:
    """What GES is asked in this call, while this thread waits.

    Raises: CancelledError when the process is to stop.
    """
    if stopping.is_set():
        call.close()
        raise CancelledError
    return loop.call(call)


def ask(project: Project, client: Client, question: Question) -> tuple[Said, Client]:
    """One call about a job, while this thread waits; and the client to ask with next."""
    return with_token(project, client, lambda shown: _ask(shown, question))


def with_token[T](project: Project, client: Client, call: Callable[[Client], Coroutine[Any, Any, T]]) -> tuple[T, Client]:
    """What GES is asked in this call, once more where it takes IAM's token no longer and there is another; and that client."""
    said = wait_for(call(client))
    if isinstance(said, Answer) and said.http_status == 401 and (other := renewed(project, client)):
        return wait_for(call(other)), other
    return said, client


def stop() -> None:
    """Break off all calls to GES and make no more, as the process is to stop."""
    stopping.set()
    loop.break_off()


async def _ask(client: Client, question: Question) -> Said:
    begun = time.monotonic()
    try:
        return await client.status(question.graph_id, question.job.job_id, question.version)
    except GesError as error:
        error.seconds = time.monotonic() - begun
        return error
    except Exception as wrong:  # whatever it is, it is this call's alone
        return GesError(f"Asking GES failed: {type(wrong).__name__}: {wrong}")


class Lane:
    """The calls to one project's GES, so many at a time; what comes of each is delivered from another thread."""

    def __init__(self, client: Client, deliver: Callable[["Lane", Question, Said], None]) -> None:
        self.client, self._deliver = client, deliver
        self._waiting: deque[tuple[Question, float]] = deque()  # each with the time when it is given up
        self._callers: set[asyncio.Task[None]] = set()

    def ask(self, questions: Sequence[Question]) -> None:
        """Have these asked; each is delivered once, unless the process is to stop."""
        loop.running().call_soon_threadsafe(self._take, questions)

    def stop(self) -> None:
        """Break off all calls; they are delivered as not asked."""
        loop.running().call_soon_threadsafe(self._break_off)

    def _take(self, questions: Sequence[Question]) -> None:
        give_up = asyncio.get_running_loop().time() + PATIENCE
        self._waiting.extend((question, give_up) for question in questions)
        # One that has just ended, though nobody was told of it yet, takes no more questions.
        self._callers = {caller for caller in self._callers if not caller.done()}
        for _ in range(min(CONCURRENT - len(self._callers), len(self._waiting))):
            self._callers.add(asyncio.create_task(self._call()))

    async def _call(self) -> None:
        """One call after the other, while any waits."""
        clock = asyncio.get_running_loop().time
        while self._waiting:
            question, give_up = self._waiting.popleft()
            said: Said = None
            try:
                if clock() < give_up:
                    said = await _ask(self.client, question)
            finally:
                self._deliver(self, question, said)

    def _break_off(self) -> None:
        while self._waiting:
            self._deliver(self, self._waiting.popleft()[0], None)
        for caller in self._callers:
            caller.cancel()


def new_lease() -> int:
    """A number no other claim has."""
    return secrets.randbits(63)


def observed(question: Question, said: Answer | GesError, source: str, *, unread: bool = False) -> Observation:
    """What came of asking, read; `unread`: an answer that may say again what was heard last is read by whoever needs it."""
    if isinstance(said, GesError):
        return Observation(
            question.job, source, timezone.now(), None, None, error=said, graph_id=question.graph_id, seconds=said.seconds
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


def clock_skews(said: Iterable[Said]) -> list[timedelta]:
    """How far GES's clock is ahead of ours, as some of these answers tell it."""
    answers = [one for one in said if isinstance(one, Answer)]
    some = answers[:: len(answers) // CLOCKS + 1]
    return [skew for one in some if (skew := one.clock_skew) is not None]
