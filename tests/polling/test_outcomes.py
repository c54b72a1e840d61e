"""What came of asking GES is counted a batch at a time, and told in the log."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.ges.errors import GesError
from jobs.models import Tally
from jobs.models.tally import MOST_NAMES, OTHER, Counted, Kind
from jobs.polling import discovery, on_demand, outcomes, watches
from jobs.record import find_graph, find_jobs, observe, record
from tests.conftest import NOW, body


def tallied(kind):
    return dict(Tally.objects.filter(kind=kind).values_list("name", "count"))


def seen(project, at, said=None, source="poll", job_id="j1"):
    job = find_jobs(project, [(find_graph(project, "g1"), job_id, at)])[job_id]
    return observe(job, source, at, 200, body(job_id) if said is None else said)


@pytest.mark.django_db(transaction=True)
def test_every_poll_is_counted_by_what_came_of_it(upstream):
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
        batch = [seen(project, NOW + timedelta(minutes=minute), odd)]
        record(batch)
        outcomes.note(batch, NOW)
    assert tallied(Kind.WORD) == {"hibernating": 1, "halfway": 1}
    assert tallied(Kind.FIELD) == {"colour": 1, "smell": 1}
    assert tallied(Kind.REPLY) == {"poll:new": 1, "poll:repeated": 2}


@pytest.mark.django_db
def test_words_without_end_do_not_become_labels_without_end(project):
    for batch in range(3):
        words = {
            (project.pk, Kind.WORD, f"word {batch} {number} {'x' * 99}"): Counted(1)
            for number in range(80)
        }
        Tally.objects.add(words, NOW)
    found = tallied(Kind.WORD)
    assert len(found) == MOST_NAMES + 1
    assert found[OTHER] == 240 - MOST_NAMES


@pytest.mark.django_db
def test_a_batch_is_one_write_whatever_its_size(project):
    batch = [seen(project, NOW, job_id=f"j{number}") for number in range(50)]
    record(batch)
    with CaptureQueriesContext(connection) as captured:
        outcomes.note(batch, NOW)
    assert len(captured) == 1
    assert tallied(Kind.REPLY) == {"poll:new": 50}


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "0.025"), (0.025, "0.025"), (0.026, "0.05"), (19.9, "20"), (20.1, "inf")],
)
def test_a_latency_has_the_least_bound_that_is_enough(seconds, name):
    assert outcomes.bound(seconds) == name


@pytest.mark.django_db(transaction=True)
def test_a_poll_is_told_with_job_graph_project_and_the_request_id_of_ges(upstream, caplog):
    caplog.set_level(logging.INFO)
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    upstream.headers["X-Request-Id"] = "ges-said-42"
    upstream.body = body("j1", "running")
    on_demand.poll_now(job)
    upstream.body = b"<html>"
    with pytest.raises(GesError):
        on_demand.poll_now(job)
    said, missed, warned = [one for one in caplog.records if one.name == "jobs.polling.outcomes"]
    for one in (said, missed):
        told = (one.project, one.graph, one.job, one.ges_request_id)
        assert told == ("p1", "g1", "j1", "ges-said-42")
    assert said.getMessage() == "GES status: running."
    assert missed.outcome == "html"
    assert (warned.levelname, warned.ges_request_id) == ("WARNING", "ges-said-42")
    assert warned.getMessage().startswith(
        "1 of 1 polls got no usable answer: The reply is not JSON: an HTML page"
    )
