"""Concurrent requests for one job share one call to GES."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from jobs.ges.errors import TimedOut
from jobs.models import Call, Job, Miss, Watch
from jobs.models.call import CallKey
from jobs.polling import single_flight, watches, worker_round
from tests.factories import body
from tests.servers import get, serving

ADDRESS = "/v1.0/p1/graphs/g1/jobs/j1/status"
pytestmark = pytest.mark.django_db(transaction=True)


def call_concurrently(count, make_call):
    """Call `ask` from so many threads at once; what each gave or raised."""

    def call(_):
        try:
            return make_call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


@pytest.fixture
def call_key(upstream):
    upstream.body, upstream.seconds = body("j1", "running"), 0.5
    return CallKey(upstream.project.pk, "g1", "j1", 1)


def test_concurrent_callers_of_one_process_share_one_call(upstream, call_key):
    since = timezone.now()
    results = call_concurrently(
        20, lambda: single_flight.request_shared(upstream.project, call_key, since)
    )
    assert {answer.body for answer in results} == {upstream.body}
    assert len(upstream.asked) == 1
    assert single_flight._calls == {}


def test_an_error_for_the_caller_is_shared_and_stores_no_job(upstream, call_key):
    upstream.status, upstream.body = (
        400,
        b'{"errorCode":"GES.8301","errorMessage":"can not find job"}',
    )
    since = timezone.now()
    results = call_concurrently(
        10, lambda: single_flight.request_shared(upstream.project, call_key, since)
    )
    assert {(answer.http_status, answer.body) for answer in results} == {(400, upstream.body)}
    assert len(upstream.asked) == 1
    assert Job.objects.count() == Miss.objects.count() == 0


def test_a_caller_in_another_process_gets_the_stored_answer(upstream, call_key):
    since = timezone.now()
    single_flight.request_shared(upstream.project, call_key, since)
    assert single_flight.request_shared(upstream.project, call_key, since).body == upstream.body
    assert len(upstream.asked) == 1
    assert (
        single_flight.request_shared(upstream.project, call_key, timezone.now()).body
        == upstream.body
    )
    assert len(upstream.asked) == 2


def test_a_lease_of_another_process_is_waited_for_up_to_the_limit(upstream, call_key, monkeypatch):
    monkeypatch.setattr(single_flight, "WAIT_SECONDS", 0.3)
    now = timezone.now()
    assert Call.objects.claim(call_key, since=now, now=now, until=now + timedelta(seconds=30))
    assert not Call.objects.claim(call_key, since=now, now=now, until=now + timedelta(seconds=30))
    with pytest.raises(TimedOut, match="another caller"):
        single_flight.request_shared(upstream.project, call_key, now)
    assert not upstream.asked
    Call.objects.update(leased_until=now)  # the one that held it died
    assert single_flight.request_shared(upstream.project, call_key, now).body == upstream.body


def test_a_poll_under_way_is_waited_for(upstream, call_key):
    now = timezone.now()
    watches.watch(upstream.project, "g1", "j1", now)
    acts = iter([lambda: worker_round.poll_for(0.1), lambda: request_later(upstream, call_key)])
    results = call_concurrently(2, lambda: next(acts)())
    assert sorted(type(one).__name__ for one in results) == ["Answer", "int"]
    assert len(upstream.asked) == 1


def request_later(upstream, call_key):
    time.sleep(0.2)
    return single_flight.request_shared(upstream.project, call_key, timezone.now())


def test_after_the_wait_limit_a_caller_gets_the_newest_stored_reply(
    client, upstream, call_key, shown, monkeypatch
):
    upstream.seconds = 0
    client.get(ADDRESS, headers=shown)
    monkeypatch.setattr(single_flight, "WAIT_SECONDS", 0.2)
    now = timezone.now()
    assert Call.objects.claim(call_key, since=now, now=now, until=now + timedelta(seconds=30))
    answer = client.get(ADDRESS, headers={**shown, "Cache-Control": "no-cache"})
    assert (answer.status_code, answer.content, answer.headers["X-Gesdash-Source"]) == (
        200,
        upstream.body,
        "store",
    )
    assert (
        "another caller" in answer.headers["X-Gesdash-Upstream-Error"]
        or "0504" in answer.headers["X-Gesdash-Upstream-Error"]
    )


def test_the_number_of_waiting_callers_is_limited(upstream, call_key, monkeypatch, client, shown):
    single_flight.reset(max_waiting=3)
    since = timezone.now()
    results = call_concurrently(
        10, lambda: single_flight.request_shared(upstream.project, call_key, since)
    )
    assert sum(isinstance(one, single_flight.TooManyWaiting) for one in results) == 7
    assert len(upstream.asked) == 1
    single_flight.reset(max_waiting=0)
    answer = client.get(ADDRESS.replace("j1", "j2"), headers=shown)
    assert (answer.status_code, answer.json()["errorCode"], answer.headers["Retry-After"]) == (
        503,
        "GESDASH.0503",
        "1",
    )


def test_old_answers_are_deleted(upstream, call_key):
    single_flight.request_shared(upstream.project, call_key, timezone.now())
    assert single_flight.delete_old_calls(timezone.now()) == 0
    assert single_flight.delete_old_calls(timezone.now() + timedelta(hours=2)) == 1


@pytest.fixture
def servers(upstream, tmp_path):
    """Two web servers of two processes each."""
    with serving(upstream.project, tmp_path / "home", count=2, processes=2) as addresses:
        yield addresses


def test_500_callers_in_four_processes_share_one_call(servers, upstream, shown):
    upstream.body, upstream.seconds = body("j1", "running"), 1.0
    with ThreadPoolExecutor(500) as pool:
        results = list(pool.map(lambda n: get(servers[n % 2] + ADDRESS, shown), range(500)))
    assert len(upstream.asked) == 1
    assert {(one[0], one[1]) for one in results} == {(200, upstream.body)}
    Watch.objects.update(next_poll_at=None)
    upstream.asked.clear()
    Job.objects.update(first_seen_at=timezone.now() - timedelta(minutes=10))
    with ThreadPoolExecutor(500) as pool:
        results = list(
            pool.map(
                lambda n: get(servers[n % 2] + ADDRESS, {**shown, "Cache-Control": "max-age=0"}),
                range(500),
            )
        )
    assert {(one[0], one[1]) for one in results} == {(200, upstream.body)}
    assert all("Age" in one[2] for one in results)


def test_a_slow_ges_does_not_slow_down_pages(servers, upstream, shown, admin):
    upstream.body, upstream.seconds = (
        lambda handler: body(handler.path.split("/")[-2], "running"),
        3.0,
    )
    with ThreadPoolExecutor(220) as pool:
        waiting = [
            pool.submit(get, servers[0] + ADDRESS.replace("j1", f"j{n % 40}"), shown)
            for n in range(200)
        ]
        time.sleep(0.5)
        pages = [pool.submit(get, f"{servers[0]}/api/jobs/", shown) for _ in range(20)]
        assert [one.result()[0] for one in pages] == [200] * 20
        assert not all(one.done() for one in waiting), (
            "the pages came before the last of the callers was answered"
        )
        assert {one.result()[0] for one in waiting} <= {200, 503}
