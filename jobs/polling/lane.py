"""A lane: the calls to one project's GES, many at a time, while their caller does other things."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from jobs.ges import event_loop
from jobs.ges.client import CONCURRENT, Client
from jobs.polling.client import StatusOutcome, StatusRequest, send

#: Seconds a request waits for its turn. Then its claim is given back unsent: the lease might run
#: out before the answer comes.
PATIENCE = 15.0


class LaneResult(NamedTuple):
    """The result of one request of a lane; `outcome` is None where it was not sent."""

    lane: "Lane"
    request: StatusRequest
    outcome: StatusOutcome | None


class Lane:
    """CONCURRENT senders on one queue of requests, all of them tasks of the event loop.

    `deliver` is called from the loop's thread.
    """

    def __init__(self, client: Client, deliver: Callable[[LaneResult], None]) -> None:
        self.client = client
        self._deliver = deliver
        self._queue: asyncio.Queue[tuple[StatusRequest, float]] = asyncio.Queue()
        self._senders: list[asyncio.Task[None]] = []

    def send_all(self, requests: Sequence[StatusRequest]) -> None:
        """Send these; each has its result delivered once, unless the process is to stop."""
        event_loop.running().call_soon_threadsafe(self._enqueue, requests)

    def stop(self) -> None:
        """Cancel all calls; what was not sent is delivered as None."""
        event_loop.running().call_soon_threadsafe(self._cancel)

    def _enqueue(self, requests: Iterable[StatusRequest]) -> None:
        loop = asyncio.get_running_loop()
        for request in requests:
            self._queue.put_nowait((request, loop.time() + PATIENCE))
        if not self._senders:
            self._senders = [loop.create_task(self._send_queued()) for _ in range(CONCURRENT)]

    async def _send_queued(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            request, expires_at = await self._queue.get()
            outcome: StatusOutcome | None = None
            try:
                if clock() < expires_at:
                    outcome = await send(self.client, request)
            finally:
                self._deliver(LaneResult(self, request, outcome))

    def _cancel(self) -> None:
        while not self._queue.empty():
            request, _ = self._queue.get_nowait()
            self._deliver(LaneResult(self, request, None))
        for sender in self._senders:
            sender.cancel()
