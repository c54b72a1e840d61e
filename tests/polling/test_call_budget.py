"""The token bucket and the circuit breaker that limit calls to GES."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from jobs.ges.errors import ErrorReply, NotAJobStatus, Throttled, TimedOut
from jobs.models import CallBudget, Job, Miss, Project, Watch
from jobs.polling import call_budget, watches, worker_round
from tests.factories import body

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
FULL = call_budget.BudgetState(second_left=10, minute_left=100, counted_at=NOW)
ADDRESS = "/v1.0/p1/graphs/g1/jobs/j1/status"


def after(state, seconds, per_second=10, per_minute=100):
    return call_budget.refilled(state, per_second, per_minute, NOW + timedelta(seconds=seconds))


def test_a_call_takes_a_token_from_both_buckets():
    state, granted = call_budget.withdrawn(FULL, 7, NOW)
    assert (granted, state.second_left, state.minute_left) == (7, 3, 93)
    assert call_budget.withdrawn(state, 7, NOW)[1] == 3


@pytest.mark.parametrize(
    ("seconds", "second", "minute"),
    [
        (0, 0, 0),
        (0.5, 5, 0.5 * 100 / 60),
        (1, 10, 100 / 60),
        (60, 10, 100),
        (3600, 10, 100),
        (-5, 0, 0),
    ],
)
def test_buckets_refill_with_time_up_to_their_size(seconds, second, minute):
    state = after(replace(FULL, second_left=0, minute_left=0), seconds)
    assert (state.second_left, state.minute_left) == (pytest.approx(second), pytest.approx(minute))


def test_a_throttling_pauses_and_halves_the_rates_for_a_minute():
    state = call_budget.throttled(FULL, 9, NOW)
    assert call_budget.withdrawn(after(state, 8.9), 5, NOW + timedelta(seconds=8.9))[1] == 0
    later = after(state, 10)
    assert (later.share, call_budget.withdrawn(later, 50, NOW + timedelta(seconds=10))[1]) == (
        0.5,
        5,
    )
    assert after(state, 70).share == 1.0
    assert call_budget.throttled(state, 9, NOW) == state, (
        "the second answer to the same burst changes nothing"
    )
    for step in range(1, 9):
        state = call_budget.throttled(replace(state, paused_until=None), None, NOW)
        assert state.share == max(0.5 ** (step + 1), 1 / 16)
    assert call_budget.throttled(FULL, 1e9, NOW).paused_until == NOW + timedelta(hours=1)


def test_the_circuit_opens_and_lets_one_probe_through_at_a_time():
    state = call_budget.failed(FULL, 4, NOW)
    assert call_budget.withdrawn(state, 5, NOW)[1] == 5
    state = call_budget.failed(state, 1, NOW)
    assert call_budget.withdrawn(state, 5, NOW + timedelta(seconds=4.9))[1] == 0
    probed_at = NOW + timedelta(seconds=5)
    state, granted = call_budget.withdrawn(after(state, 5), 5, probed_at)
    assert granted == 1
    assert call_budget.withdrawn(state, 5, probed_at)[1] == 0, "the others wait for the one"
    waits = []
    for _ in range(8):
        state = call_budget.failed(state, 1, probed_at)
        waits.append((state.paused_until - probed_at).total_seconds())
    assert waits == [10, 20, 40, 80, 120, 120, 120, 120]


@pytest.fixture
def small(project):
    Project.objects.update(calls_per_second=5, calls_per_minute=8)
    project.refresh_from_db()
    return project


def test_a_budget_is_shared_through_the_database(small):
    assert [call_budget.draw(small, 3, NOW) for _ in range(3)] == [3, 2, 0]
    with pytest.raises(call_budget.BudgetSpent) as spent:
        call_budget.draw_one(small, NOW)
    assert spent.value.retry_after == pytest.approx(0.2)
    assert call_budget.draw(small, 9, NOW + timedelta(seconds=2)) == 3
    with pytest.raises(call_budget.BudgetSpent) as spent:
        call_budget.draw_one(small, NOW + timedelta(seconds=4))
    assert 1 < spent.value.retry_after < 7


@pytest.mark.parametrize(
    ("error", "failures"),
    [
        (TimedOut(""), 1),
        (ErrorReply(500, "", ""), 1),
        (ErrorReply(400, "GES.8301", ""), 0),
        (NotAJobStatus(""), 0),
        (None, 0),
    ],
)
def test_only_calls_without_an_answer_count_as_failures(small, error, failures):
    call_budget.report(small, [error], NOW)
    row = CallBudget.objects.filter(project=small).first()
    assert (row.failures if row else 0) == failures


def test_any_answer_closes_the_circuit(small):
    call_budget.report(small, [TimedOut("")] * 5, NOW)
    with pytest.raises(call_budget.CircuitOpen) as resting:
        call_budget.draw_one(small, NOW)
    assert resting.value.retry_after == 5
    call_budget.report(small, [TimedOut(""), None], NOW)
    call_budget.draw_one(small, NOW)


def test_a_throttling_pauses_all_callers(small):
    error = Throttled(429, "APIG.0308", "")
    error.retry_after = 30
    call_budget.report(small, [None, error], NOW)
    with pytest.raises(call_budget.BudgetSpent) as spent:
        call_budget.draw_one(small, NOW)
    assert spent.value.retry_after == 30


@pytest.mark.django_db(transaction=True)
def test_concurrent_draws_get_no_more_calls_than_are_left(small):
    granted, ready = [], Barrier(8)

    def draw():
        ready.wait()
        granted.append(call_budget.draw(small, 2, NOW))
        connection.close()

    threads = [Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 5


@pytest.mark.django_db(transaction=True)
def test_workers_and_the_proxy_share_one_budget(client, upstream, shown):
    Project.objects.update(calls_per_second=3, calls_per_minute=3)
    project = Project.objects.get()
    upstream.body = lambda handler: body(handler.path.split("/")[-2], "running")
    now = timezone.now()
    for number in range(5):
        watches.watch(project, "g1", f"w{number}", now)
    assert worker_round.poll_for(0.1) == 3
    assert len(upstream.asked) == 3
    assert Watch.objects.due(now).count() == 2, "what the budget does not allow stays due"
    answer = client.get(ADDRESS, headers=shown)
    assert (answer.status_code, answer.json()["errorCode"]) == (503, "GESDASH.0503")
    assert int(answer.headers["Retry-After"]) >= 1
    # Which three of five that are due at one moment were asked about is the database's choice.
    polled_id = Job.objects.exclude(observed_at=None)[0].job_id
    stored = client.get(
        ADDRESS.replace("j1", polled_id), headers={**shown, "Cache-Control": "no-cache"}
    )
    assert (stored.status_code, stored.headers["X-Gesdash-Upstream-Error"][:12]) == (
        200,
        "GESDASH.0503",
    )
    assert len(upstream.asked) == 3
    assert not Miss.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_due_jobs_of_one_project_do_not_delay_another_project(upstream):
    upstream.body = lambda handler: body(handler.path.split("/")[-2], "running")
    Project.objects.update(calls_per_second=1, calls_per_minute=60)
    first = Project.objects.get()
    second = Project.objects.create(
        project_id="p2", endpoint=first.endpoint, credentials=first.credentials
    )
    now = timezone.now()
    for number in range(9):
        watches.watch(first, "g1", f"a{number}", now - timedelta(hours=1))
    watches.watch(second, "g2", "b", now)
    worker_round.poll_for(0.1)
    assert {path.split("/")[2] for path, _ in upstream.asked} == {"p1", "p2"}


@pytest.mark.django_db(transaction=True)
def test_five_calls_without_an_answer_open_the_circuit(client, upstream, shown):
    upstream.status, upstream.body = 500, b"dead"
    answers = [client.get(ADDRESS.replace("j1", f"j{n}"), headers=shown) for n in range(8)]
    assert [(a.status_code, a.json()["errorCode"]) for a in answers] == [(504, "GESDASH.0504")] * 8
    assert len(upstream.asked) == 5
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 6
    CallBudget.objects.update(paused_until=timezone.now())
    upstream.status, upstream.body = 200, body("j1", "running")
    assert client.get(ADDRESS, headers=shown).status_code == 200
    assert CallBudget.objects.get().failures == 0
