"""A lane: many calls to one project's GES at once, while their caller does other things."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from jobs.ges import event_loop
from jobs.ges.client import CONCURRENT, Client
from jobs.polling.client import StatusOutcome, StatusRequest, ask_status

PATIENCE = 15.0  # seconds a question waits for its turn; then its claim is given back, as it might run out before the answer


class Lane:
    """The calls to one project's GES, so many at a time; what comes of each is delivered from another thread."""

    def __init__(
        self, client: Client, deliver: Callable[["Lane", StatusRequest, StatusOutcome], None]
    ) -> None:
        self.client, self._deliver = client, deliver
        self._waiting: deque[tuple[StatusRequest, float]] = (
            deque()
        )  # each with the time when it is given up
        self._callers: set[asyncio.Task[None]] = set()

    def ask(self, questions: Sequence[StatusRequest]) -> None:
        """Have these asked; each is delivered once, unless the process is to stop."""
        event_loop.running().call_soon_threadsafe(self._take, questions)

    def stop(self) -> None:
        """Break off all calls; they are delivered as not asked."""
        event_loop.running().call_soon_threadsafe(self._break_off)

    def _take(self, questions: Sequence[StatusRequest]) -> None:
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
            said: StatusOutcome = None
            try:
                if clock() < give_up:
                    said = await ask_status(self.client, question)
            finally:
                self._deliver(self, question, said)

    def _break_off(self) -> None:
        while self._waiting:
            self._deliver(self, self._waiting.popleft()[0], None)
        for caller in self._callers:
            caller.cancel()
