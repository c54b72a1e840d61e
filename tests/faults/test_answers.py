"""A GES that is slow, throttles, breaks off or answers wrongly: each answer is recorded once."""

import random
from collections import Counter

from tests.polling.test_failed_polls import KINDS_OF_MISS

ROUNDS = 3  # of every fault


def test_every_broken_answer_is_a_failed_poll_and_every_other_one_a_reply(site):
    here = site(jobs=40, states=6)
    here.patience = 1.0
    here.discover()
    here.flow()
    here.sql("UPDATE jobs_project SET calls_per_second = 200")
    faults = [kind for kind in KINDS_OF_MISS for _ in range(ROUNDS)]
    random.Random(3).shuffle(faults)
    jobs = sorted(here.story.at)
    for number, kind in enumerate(faults):
        # One each, on jobs that are polled again: the HTTP library itself retries a dropped
        # connection once.
        here.simulator.fault(kind, jobs[number % len(jobs)], times=2 if kind == "drop" else 1)
    here.start(2)

    def over():
        here.sql("UPDATE jobs_callbudget SET paused_until = NULL, failures = 0")
        return here.story.is_over

    here.until(over, "every job is at its end")
    here.check()
    assert not [fault for fault in here.simulator.faults if fault.times], (
        "all went wrong that was to"
    )
    expected = Counter(KINDS_OF_MISS[kind] for kind in faults)
    assert here.gaps() == expected


def test_an_answer_about_another_job_is_recorded_for_none(site):
    here = site(jobs=5, states=3)
    here.discover()
    here.flow()
    for job_id in here.story.at:
        here.simulator.fault("wrong_job", job_id, times=2)
    here.start(1)
    here.end_of_flow()
    here.check()
    assert here.gaps() == {"wrong_job": 10}
    assert here.sql("SELECT count(*) FROM jobs_job") == [(5,)]
