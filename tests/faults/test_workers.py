"""Workers that are killed at any moment, and two hosts of them on one database."""

import os
import random
import signal


def test_twenty_workers_killed_in_the_middle_of_a_batch(site):
    """Each state is recorded once, whichever workers are killed.

    A reply to a worker that was killed before it recorded it is requested again. Had GES advanced
    meanwhile, the state would be lost without anybody's fault; so here it advances only from
    recorded states.
    """
    here = site(jobs=40, states=8)
    here.simulator.fault("delay", times=10**6, seconds=0.1)
    here.story.may_end = False
    here.discover()
    here.start(3)
    at = 0
    for _ in range(20):
        here.until(
            lambda at=at: here.advance_recorded() or here.asked > at + random.randrange(1, 40),
            "GES is asked",
        )
        here.kill()
        at = here.asked
    here.story.may_end = True
    here.until(here.advance_recorded, "every job is at its end")
    assert len(here.check()) == 40 * 8


def test_two_hosts_share_one_database(site):
    """No job is polled twice at a time, and each reply is recorded once."""
    here = site(jobs=40, states=10)
    here.simulator.fault("delay", times=10**6, seconds=0.05)
    here.host()
    here.discover()
    here.flow()
    here.start(4)
    here.end_of_flow()
    assert len(here.check()) == 40 * 10


def test_a_worker_that_was_stopped_records_nothing_outdated(site):
    """A worker stopped in the middle of a batch, as on a paused machine, while others go on.

    Others poll the jobs again whose answers it had not read, so GES advances only from recorded
    states.
    """
    here = site(jobs=20, states=60)
    here.patience = 1.5  # for an answer; a claim counts as a dead worker's after two seconds
    here.simulator.fault("delay", times=10**6, seconds=0.3)
    here.story.may_end = False
    here.discover()
    here.start(2)
    for _ in range(2):
        asked, stopped = here.asked, random.choice(list(here.workers))
        here.until(
            lambda asked=asked: here.advance_recorded() or here.asked > asked + 5,
            "a batch is under way",
        )
        os.kill(stopped, signal.SIGSTOP)
        asked = here.asked
        here.until(
            lambda asked=asked: here.advance_recorded() or here.asked > asked + 80,
            "the other goes on",
        )
        os.kill(stopped, signal.SIGCONT)
    here.story.states = max(here.story.at.values()) + 2
    here.story.may_end = True
    here.until(here.advance_recorded, "every job is at its end")
    here.check()
    assert here.sql("SELECT count(*) FROM jobs_contradiction") == [(0,)]
