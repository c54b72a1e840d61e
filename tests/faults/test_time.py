"""Skipped time: a GES that is down, and replies that come late, twice and in any order."""

import json
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import CallBudget, Contradiction, ImportFile, Job, Miss, Snapshot, Watch
from jobs.polling import call_budget, watches, worker_round
from jobs.record import find_graph, find_jobs, observe, rebuild_in_batches, record
from tests.factories import NOW
from tests.faults.story import Steps
from tests.servers import free_port

STEP = timedelta(seconds=5)


@pytest.mark.django_db(transaction=True)
def test_ges_is_down_for_ten_minutes(polled, simulator, monkeypatch):
    """Only the clock is patched: each step advances it, with real calls to a closed port."""
    now = clock = timezone.now()
    simulator.story = story = Steps(jobs=12, states=4, begin=f"{now:%Y-%m-%dT%H:%M:%S}")
    monkeypatch.setattr(timezone, "now", lambda: clock)
    monkeypatch.setattr(worker_round, "database_clock", lambda: lambda: clock)
    monkeypatch.setattr(worker_round, "NAP", 0.01)
    address = polled.endpoint
    for job_id in story.at:
        watches.watch(polled, "g1", job_id, now)

    def go_on(until, step=STEP):
        nonlocal clock
        while clock < until:
            worker_round.poll_for(0.01)
            clock += step

    go_on(now + STEP)
    assert Snapshot.objects.count() == 12
    type(polled).objects.update(endpoint=f"http://127.0.0.1:{free_port()}")
    down, asked = clock, simulator.requests.total()
    go_on(down + timedelta(minutes=10))
    assert simulator.requests.total() == asked
    gaps = list(Miss.objects.all())
    assert {(gap.kind, gap.last_seen_at >= down) for gap in gaps} == {("no_listener", True)}
    assert len(gaps) <= 12, "a gap of a job is one row"
    assert CallBudget.objects.get().failures >= call_budget.FAILURES_TO_OPEN
    assert sum(gap.seen for gap in gaps) < 60, "a GES that is down is left alone"
    type(polled).objects.update(endpoint=address)
    for _ in range(story.states):
        for job_id in story.at:
            story.advance(job_id)
        go_on(clock + timedelta(minutes=15), step=9 * STEP)
    assert {job.status for job in Job.objects.all()} == {"success"}
    assert list(Watch.objects.exclude(next_poll_at=None, lease=None)) == []
    told = {(job_id, body) for what, job_id, body in simulator.sent if what == "status"}
    assert {
        (one.job.job_id, bytes(one.body)) for one in Snapshot.objects.select_related("job")
    } == told
    assert Snapshot.objects.count() == len(told) == 12 * story.states


def projections():
    files = ImportFile.objects.order_by("job", "kind", "position")
    return (
        list(Job.objects.order_by("pk").values()),
        [{name: value for name, value in row.items() if name != "id"} for row in files.values()],
        list(
            Contradiction.objects.order_by("job", "seen_at", "kind").values(
                "job", "seen_at", "kind", "count", "says"
            )
        ),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_replies_that_come_late_twice_and_in_any_order(project, seed):
    """The same is recorded as when they come once and in order."""
    roll, story = random.Random(seed), Steps(jobs=8, states=9, width=3)
    graph = find_graph(project, "g1")
    jobs = find_jobs(project, [(graph, job_id, NOW) for job_id in story.at])
    told = []
    for step in range(story.states):
        for job_id in story.at:
            told.append((job_id, NOW + step * STEP, story.body(job_id)))
            story.advance(job_id)
    come = told * 2
    roll.shuffle(come)
    while come:
        batch = [come.pop() for _ in range(min(len(come), roll.randrange(1, 20)))]
        record(
            [observe(jobs[job_id], "poll", at, 200, content) for job_id, at, content in batch],
            now=NOW,
        )
    rows = Snapshot.objects.select_related("job").order_by("job__job_id", "first_seen_at")
    assert [(row.job.job_id, row.first_seen_at, bytes(row.body)) for row in rows] == sorted(told)
    assert {row.seen for row in rows} == {1}
    assert set(Job.objects.values_list("status", "snapshot_count", "contradiction_count")) == {
        ("success", story.states, 0)
    }
    before = projections()
    list(rebuild_in_batches(Job.objects.all(), now=NOW))
    assert projections() == before
    assert json.loads(bytes(rows[0].body))["status"] == "running"
