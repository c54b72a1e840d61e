"""A database that goes away, comes back, takes nothing, or is full; and one that is migrated while workers poll."""

import signal

import pytest


def in_full_swing(here, workers=2):
    """Workers that are in the middle of a batch."""
    here.simulator.fault("delay", times=10**6, seconds=0.1)
    here.discover()
    here.story.may_end = False
    here.start(workers)
    here.until(lambda: here.advance_recorded() or len(here.recorded()) > len(here.story.at), "polling")
    asked = here.asked
    here.until(lambda: here.asked > asked + 3, "a batch is under way")


def to_the_end(here):
    here.story.may_end = True
    here.until(here.advance_recorded, "every job is at its end")
    return here.check()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["shut", "killed"])
def test_the_database_is_restarted_in_the_middle_of_a_batch(site, server, how):
    here = site(jobs=30, states=5)
    in_full_swing(here)
    server.kill(how)
    server.start()
    assert len(to_the_end(here)) == 30 * 5
