"""Discovery, a worker's round and a single poll against the simulated GES."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.ges.errors import GesError
from jobs.models import Graph, Job, Miss, Snapshot, Watch
from jobs.polling import discovery, on_demand, schedule, watches, worker_round
from tests.factories import body


def be_due():
    """Let the time until the next polls have passed."""
    assert Watch.objects.exclude(next_poll_at=None).update(next_poll_at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_discovery_brings_in_all_jobs_and_watches_the_unfinished(polled, simulator):
    count = discovery.discover(polled)
    assert count == Job.objects.count() > 100
    assert (
        Watch.objects.count()
        == Job.objects.unfinished().filter(graph__graph_id__isnull=False).count()
    )
    assert Graph.objects.filter(graph_id=None, is_deleted=True).get().name == "legacy_customers"
    assert Snapshot.objects.values_list("source", flat=True).distinct().get() == "list"


@pytest.mark.django_db(transaction=True)
def test_a_round_polls_due_jobs_until_their_final_status_is_confirmed(polled, simulator):
    now = timezone.now()
    graph = "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01"
    done = next(
        job for job in simulator.story.jobs(now) if job.graph == "payments_graph" and job.end < now
    )
    job = watches.watch(polled, graph, done.job_id, now)
    assert worker_round.poll_for(0.1) == 1
    job.refresh_from_db()
    assert job.is_final
    confirm = Watch.objects.get(job=job).next_poll_at - job.observed_at
    assert confirm == schedule.CONFIRM
    assert not Watch.objects.due(now + confirm - timedelta(seconds=5)).exists()
    assert worker_round.poll_for(0.1) == 0
    be_due()
    assert worker_round.poll_for(0.1) == 1, "once more, to see whether the word stands"
    assert Watch.objects.get(job=job).next_poll_at is None
    assert worker_round.poll_for(0.1) == 0
    assert simulator.requests["status", done.job_id] == 2


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_final_status_is_taken_back_is_polled_on(upstream):
    now = timezone.now()
    upstream.body = body("j1", "success")
    job = watches.watch(upstream.project, "g1", "j1", now)
    assert worker_round.poll_for(0.1) == 1
    upstream.body = body("j1", "running")
    be_due()
    assert worker_round.poll_for(0.1) == 1
    job.refresh_from_db()
    assert job.verdict == "running"
    assert Watch.objects.get().next_poll_at < timezone.now() + timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_a_failed_poll_backs_off_and_honours_retry_after(polled, simulator):
    now = timezone.now()
    job = watches.watch(polled, "g", simulator.story.jobs(now)[0].job_id, now)
    simulator.fault("throttle", times=1, retry_after=600)
    with pytest.raises(GesError):
        on_demand.poll_now(job)
    watch = Watch.objects.get()
    assert watch.failures == 1
    assert watch.next_poll_at - now > timedelta(seconds=590)
    assert Miss.objects.get().kind == "throttled"


@pytest.mark.django_db(transaction=True)
def test_a_failed_look_is_stored_as_the_projects_problem(polled):
    polled.endpoint = "http://127.0.0.1:9"
    polled.save()
    assert discovery.discover(polled) == 0
    polled.refresh_from_db()
    assert "Nothing listens at http://127.0.0.1:9" in polled.problem


@pytest.mark.parametrize("bad", ["", "x" * 256, "a/b", "..", "a\x00b"])
def test_ids_that_ges_cannot_have_given_are_refused(bad):
    with pytest.raises(ValueError, match="job ID"):
        watches.check_id(bad, "job ID")
