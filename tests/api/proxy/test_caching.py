"""Which stored replies a caller accepts instead of a call to GES (RFC 9111, RFC 5861)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.api.proxy.caching import FOR_EVER, Directives
from jobs.models import Job
from tests.factories import body

ADDRESS = "/v1.0/p1/graphs/g1/jobs/j1/status"


@pytest.mark.parametrize(("header", "age", "lifetime", "accepted"), [
    ("", 4, 5, True),
    ("", 5, 5, False),
    ("", 9e7, FOR_EVER * 9, True),
    ("no-cache", 0, 5, False),
    ("NO-CACHE", 0, 5, False),
    ("max-age=3", 3, 5, True),
    ("max-age=3", 4, 5, False),
    ("max-age=60", 6, 5, False),  # a wish for young replies makes no old one fresh
    ('max-age="3"', 4, 5, False),
    ("max-age=0", 1, FOR_EVER, False),
    ("max-stale=10", 14, 5, True),
    ("max-stale=10", 16, 5, False),
    ("max-stale", 1e6, 5, True),
    ("max-age=3, max-stale=10", 12, 5, True),
    ("min-fresh=3", 1, 5, True),
    ("min-fresh=3", 3, 5, False),
    ("only-if-cached", 1e6, 5, True),
    ("only-if-cached, max-age=9", 10, 5, False),
    ("only-if-cached, no-cache", 0, 5, False),
    ("splendid=1, , =, max-age=-1, max-age=x", 4, 5, True),
])  # fmt: skip
def test_when_a_stored_reply_answers(header, age, lifetime, accepted):
    assert Directives.of(header).accept(age, lifetime) is accepted


@pytest.mark.parametrize(("header", "age", "accepted"), [
    ("", 105, True), ("", 106, False), ("stale-if-error=10", 15, True), ("stale-if-error=10", 16, False),
    ("stale-if-error=0", 6, False), ("no-cache", 105, True),
])  # fmt: skip
def test_when_a_stored_reply_stands_in_for_an_error(header, age, accepted):
    assert Directives.of(header).accept_for_error(age, lifetime=5, default=100) is accepted


@pytest.fixture
def ask(client, upstream, shown):
    """Ask once live, then make the stored reply so old."""
    upstream.body = body("j1", "running")
    client.get(ADDRESS, headers=shown)
    upstream.asked.clear()

    def ask(cache_control="", age=0.0, **headers):
        at = timezone.now() - timedelta(seconds=age)
        Job.objects.update(first_seen_at=timezone.now())
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_snapshot DISABLE TRIGGER USER")
            cursor.execute(
                "UPDATE jobs_snapshot SET first_seen_at = %s, last_seen_at = %s", [at, at]
            )
            cursor.execute("ALTER TABLE jobs_snapshot ENABLE TRIGGER USER")
        return client.get(ADDRESS, headers={**shown, "Cache-Control": cache_control, **headers})

    return ask


pytest_db = pytest.mark.django_db(transaction=True)


@pytest_db
@pytest.mark.parametrize(("cache_control", "age", "source"), [
    ("", 2, "store"), ("", 6, "live"), ("no-cache", 0, "live"), ("max-age=1", 2, "live"), ("max-age=9", 2, "store"),
    ("max-stale=60", 30, "store"), ("only-if-cached", 9999, "store"),
])  # fmt: skip
def test_each_directive_over_http(ask, upstream, cache_control, age, source):
    answer = ask(cache_control, age)
    assert (answer.status_code, answer.headers["X-Gesdash-Source"]) == (200, source)
    assert len(upstream.asked) == (source == "live")
    if source == "store":
        assert age <= int(answer.headers["Age"]) <= age + 3
        assert answer.headers["Cache-Control"] == "private, max-age=5, stale-if-error=86400"


@pytest_db
@pytest.mark.parametrize("cache_control", ["only-if-cached, max-age=5", "only-if-cached, no-cache"])
def test_only_if_cached_without_a_fitting_reply_is_a_504(ask, upstream, cache_control):
    answer = ask(cache_control, 60)
    assert (answer.status_code, answer.json()["errorCode"]) == (504, "GESDASH.0504")
    assert not upstream.asked


@pytest_db
@pytest.mark.parametrize(("cache_control", "age", "status"), [
    ("", 60, 200), ("", 86_400, 200), ("", 87_000, 504), ("stale-if-error=100", 60, 200), ("stale-if-error=10", 60, 504),
    ("stale-if-error=0", 60, 504), ("no-cache", 60, 200), ("no-cache, stale-if-error=0", 60, 504),
])  # fmt: skip
def test_stale_if_error_over_http(ask, upstream, cache_control, age, status):
    upstream.status, upstream.body = 503, b"down"
    answer = ask(cache_control, age)
    assert answer.status_code == status
    if status == 200:
        assert answer.content == body("j1", "running")
        assert int(answer.headers["Age"]) >= age
        assert answer.headers["X-Gesdash-Upstream-Error"].startswith("GESDASH.0504 ")


@pytest_db
def test_stored_reply_replaces_throttling_and_nonsense_but_not_a_400(ask, upstream):
    upstream.status = 429
    assert ask("", 60).headers["X-Gesdash-Upstream-Error"].startswith("GESDASH.0503 ")
    from jobs.models import CallBudget

    CallBudget.objects.all().delete()
    upstream.status, upstream.body = 200, b"<html>"
    assert ask("", 60).headers["X-Gesdash-Upstream-Error"].startswith("GESDASH.0502 ")
    upstream.status, upstream.body = 400, b'{"errorCode":"GES.8301"}'
    assert (ask("", 60).status_code, ask("", 60).content) == (400, upstream.body)


@pytest_db
def test_the_default_of_stale_if_error_is_a_setting(ask, upstream, settings):
    settings.STALE_IF_ERROR = 30
    upstream.status, upstream.body = 503, b"down"
    assert (ask("", 20).status_code, ask("", 60).status_code) == (200, 504)


@pytest_db
def test_a_matching_etag_of_the_bytes_is_a_304(ask, upstream):
    first = ask("", 1)
    same = ask("", 1, **{"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary", "X-Gesdash-Source"):
        assert same.headers[name] == first.headers[name]
    assert "Age" in same.headers
    assert ask("", 1, **{"If-None-Match": '"other"'}).status_code == 200
    live = ask("no-cache", 1, **{"If-None-Match": first.headers["ETag"]})
    assert (live.status_code, live.headers["X-Gesdash-Source"]) == (304, "live")
    upstream.body = body("j1", "success")
    changed = ask("no-cache", 1, **{"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.content) == (200, upstream.body)
