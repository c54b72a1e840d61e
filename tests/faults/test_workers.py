"""Workers that are killed at any moment, and two hosts of them on one database."""

import random


def test_twenty_workers_killed_in_the_middle_of_a_batch(site):
    """Every state GES stays in until it is recorded is recorded, once, whoever is killed.

    A reply that GES gave a worker which was killed before it wrote it is asked for again; had GES gone on meanwhile, that
    state would be lost, and nobody could have kept it. So here GES goes on only from what is recorded, and each state must
    come through.
    """
    here = site(jobs=40, states=8)
    here.simulator.fault("delay", times=10**6, seconds=0.1)
    here.story.may_end = False
    here.discover()
    here.start(3)
    at = 0
    for _ in range(20):
        here.until(lambda at=at: here.advance_recorded() or here.asked > at + random.randrange(1, 40), "GES is asked")
        here.kill()
        at = here.asked
    here.story.may_end = True
    here.until(here.advance_recorded, "every job is at its end")
    assert len(here.check()) == 40 * 8
