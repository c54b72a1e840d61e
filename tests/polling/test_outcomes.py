"""Outcomes of calls to GES are counted a batch at a time, and logged."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.ges.errors import GesError
from jobs.models import Tally
from jobs.models.tally import MAX_NAMES, OTHER, Counted, Kind
from jobs.polling import discovery, on_demand, outcomes, watches
from jobs.record import find_graph, find_jobs, observe, record
from tests.factories import NOW, body


def tallied(kind):
    return dict(Tally.objects.filter(kind=kind).values_list("name", "count"))


def observation(project, now, content=None, source="poll", job_id="j1"):
    job = find_jobs(project, [(find_graph(project, "g1"), job_id, now)])[job_id]
    return observe(job, source, now, 200, body(job_id) if content is None else content)


@pytest.mark.django_db(transaction=True)
def test_polls_are_counted_by_their_outcome(upstream):
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    upstream.body = body("j1", "running")
    on_demand.poll_now(job)
    on_demand.poll_now(job)
    upstream.body = b"<html>"
    with pytest.raises(GesError):
        on_demand.poll_now(job)
    upstream.status, upstream.body = 503, b"{}"
    assert discovery.discover(upstream.project) == 0
    assert tallied(Kind.REPLY) == {
        "poll:new": 1,
        "poll:repeated": 1,
        "poll:html": 1,
        "list:server_error": 1,
    }
    latencies = Tally.objects.filter(kind=Kind.LATENCY)
    assert sum(one.count for one in latencies) == 3
    assert 0 < sum(one.seconds for one in latencies) < 60


@pytest.mark.django_db
def test_unknown_words_and_fields_are_counted_once_a_new_reply(project):
    odd = body(
        "j1",
        "hibernating",
        colour="blue",
        smell=1,
        jobDetail={"edgesetPath": [{"path": "p", "status": "halfway"}]},
    )
    for minute in range(3):
        batch = [observation(project, NOW + timedelta(minutes=minute), odd)]
        record(batch)
        outcomes.note(batch, NOW)
    assert tallied(Kind.WORD) == {"hibernating": 1, "halfway": 1}
    assert tallied(Kind.FIELD) == {"colour": 1, "smell": 1}
    assert tallied(Kind.REPLY) == {"poll:new": 1, "poll:repeated": 2}


@pytest.mark.django_db
def test_the_number_of_labels_for_undocumented_words_is_limited(project):
    for batch in range(3):
        words = {
            (project.pk, Kind.WORD, f"word {batch} {number} {'x' * 99}"): Counted(1)
            for number in range(80)
        }
        Tally.objects.add(words, NOW)
    found = tallied(Kind.WORD)
    assert len(found) == MAX_NAMES + 1
    assert found[OTHER] == 240 - MAX_NAMES


@pytest.mark.django_db
def test_a_batch_is_one_write_whatever_its_size(project):
    batch = [observation(project, NOW, job_id=f"j{number}") for number in range(50)]
    record(batch)
    with CaptureQueriesContext(connection) as captured:
        outcomes.note(batch, NOW)
    assert len(captured) == 1
    assert tallied(Kind.REPLY) == {"poll:new": 50}


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "0.025"), (0.025, "0.025"), (0.026, "0.05"), (19.9, "20"), (20.1, "inf")],
)
def test_a_latency_is_counted_in_the_smallest_bucket_that_holds_it(seconds, name):
    assert outcomes.bound(seconds) == name


@pytest.mark.django_db(transaction=True)
def test_a_poll_is_logged_with_project_graph_job_and_request_id(upstream, caplog):
    caplog.set_level(logging.INFO)
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    upstream.headers["X-Request-Id"] = "ges-said-42"
    upstream.body = body("j1", "running")
    on_demand.poll_now(job)
    upstream.body = b"<html>"
    with pytest.raises(GesError):
        on_demand.poll_now(job)
    reply, failure, warning = [one for one in caplog.records if one.name == "jobs.polling.outcomes"]
    for record_ in (reply, failure):
        facts = (record_.project, record_.graph, record_.job, record_.ges_request_id)
        assert facts == ("p1", "g1", "j1", "ges-said-42")
    assert reply.getMessage() == "GES status: running."
    assert failure.outcome == "html"
    assert (warning.levelname, warning.ges_request_id) == ("WARNING", "ges-said-42")
    assert warning.getMessage().startswith(
        "1 of 1 polls got no usable answer: The reply is not JSON: an HTML page"
    )
