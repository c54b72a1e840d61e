"""A lane: every request that it is given has its result, whenever it comes."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from jobs.ges import event_loop
from jobs.ges.client import CONCURRENT
from jobs.models import Job
from jobs.polling import lane as lane_module
from jobs.polling.client import StatusRequest
from jobs.polling.lane import Lane

REQUEST = StatusRequest(Job(job_id="j1"), "g1")


@dataclass
class HeldGes:
    """A GES that answers all calls at once, when `release` is set."""

    calls: int = 0
    release: asyncio.Event | None = None

    async def status(self, *_):
        self.release = self.release or asyncio.Event()
        self.calls += 1
        await self.release.wait()
        return "answer"


@pytest.fixture
def ges():
    return HeldGes()


@pytest.fixture
def outcomes():
    return []


@pytest.fixture
def lane(ges, outcomes):
    lane = Lane(ges, lambda result: outcomes.append(result.outcome))
    yield lane
    lane.stop()


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_requests_that_come_just_when_all_senders_are_done_are_sent(lane, ges, outcomes):
    lane.send_all([REQUEST] * CONCURRENT)
    wait_until(lambda: ges.calls == CONCURRENT)

    def answer_all_and_send_more():
        ges.release.set()
        asyncio.get_running_loop().call_soon(lane._enqueue, [REQUEST] * 3)

    event_loop.running().call_soon_threadsafe(answer_all_and_send_more)
    wait_until(lambda: len(outcomes) == CONCURRENT + 3)
    assert outcomes == ["answer"] * (CONCURRENT + 3)


def test_a_stopped_lane_delivers_all_that_it_did_not_finish_as_not_sent(lane, ges, outcomes):
    lane.send_all([REQUEST] * (CONCURRENT + 3))
    wait_until(lambda: ges.calls == CONCURRENT)
    lane.stop()
    wait_until(lambda: len(outcomes) == CONCURRENT + 3)
    assert set(outcomes) == {None}


def test_a_request_that_waited_too_long_for_its_turn_is_not_sent(lane, ges, outcomes, monkeypatch):
    monkeypatch.setattr(lane_module, "PATIENCE", 0.0)
    lane.send_all([REQUEST])
    wait_until(lambda: outcomes == [None])
    assert ges.calls == 0
