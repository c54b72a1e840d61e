"""A lane: what it is given is asked, however its callers come and go."""

import asyncio
import time
from dataclasses import dataclass

from jobs.ges import event_loop
from jobs.ges.client import CONCURRENT
from jobs.models import Job
from jobs.polling.client import StatusRequest
from jobs.polling.lane import Lane


@dataclass
class AtOnce:
    """A GES that answers all calls in one moment."""

    asked: int = 0
    moment: asyncio.Event | None = None

    async def status(self, *_):
        self.moment = self.moment or asyncio.Event()
        self.asked += 1
        await self.moment.wait()
        return "answer"


def test_questions_that_come_in_the_moment_when_all_callers_end_are_asked():
    client, said = AtOnce(), []
    lane, question = (
        Lane(client, lambda _lane, _question, answer: said.append(answer)),
        StatusRequest(Job(job_id="j1"), "g1"),
    )
    lane.ask([question] * CONCURRENT)

    def wait_until(holds):
        give_up = time.monotonic() + 10
        while not holds() and time.monotonic() < give_up:
            time.sleep(0.01)

    wait_until(lambda: client.asked == CONCURRENT)

    def answer_all_and_ask_more():
        client.moment.set()
        asyncio.get_running_loop().call_soon(
            lane._take, [question] * 3
        )  # right after the callers have gone

    event_loop.running().call_soon_threadsafe(answer_all_and_ask_more)
    wait_until(lambda: len(said) == CONCURRENT + 3)
    assert said == ["answer"] * (CONCURRENT + 3)
