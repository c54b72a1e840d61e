"""Responses are chained as they are recorded."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.chain.forms import START, ReplyFacts, link
from jobs.models import Job, Snapshot
from jobs.record import find_graph, find_jobs, known_or_new_jobs, observe, rebuild, record
from tests.factories import NOW, body


@pytest.fixture
def jobs(project):
    return list(
        find_jobs(
            project, [(find_graph(project, "g1"), f"jöb {n}", NOW) for n in range(3)]
        ).values()
    )


def told(job, seconds, source="poll", **said):
    return observe(job, source, NOW + timedelta(seconds=seconds), 200, body(job.job_id, **said))


def recomputed(job):
    before = START
    for number, one in enumerate(job.snapshots.order_by("pk"), 1):
        facts = (
            one.source,
            one.version,
            one.http_status,
            one.content_type,
            one.first_seen_at,
            bytes(one.sha256),
        )
        before = link(before, ReplyFacts(job.project.project_id, job.job_id, number, *facts))
        assert (one.number, bytes(one.link)) == (number, before)
    return number, before


def test_replies_are_chained_in_the_order_of_recording(jobs):
    for job in jobs:
        record([told(job, 10, status="running"), told(job, 20), told(job, 12, "proxy")])
    record(
        [told(jobs[0], 5, status="pending"), told(jobs[1], 25), told(jobs[0], 30, jobProgress="é")]
    )
    for job in Job.objects.select_related("project"):
        assert recomputed(job) == (job.chain_length, bytes(job.chain_link))
    assert [job.chain_length for job in Job.objects.order_by("pk")] == [5, 3, 3]
    late = Snapshot.objects.get(job=jobs[0], number=4)
    assert late.first_seen_at == NOW + timedelta(seconds=5)


def test_a_new_job_is_chained_with_its_first_replies(project):
    job = known_or_new_jobs(project, [(find_graph(project, "g1"), "new", NOW)])["new"]
    record([told(job, 0, status="running"), told(job, 1)])
    stored = Job.objects.get()
    assert recomputed(stored) == (2, bytes(stored.chain_link))


def test_the_chain_costs_no_query_more_for_many_jobs(jobs):
    for job in jobs:
        record([told(job, 0)])

    def queries(seconds, *of):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            record([told(job, seconds, jobProgress=str(seconds)) for job in of])
        return len(asked)

    assert queries(10, *jobs) == queries(20, jobs[0])


def test_rebuilding_leaves_the_head_alone(jobs):
    record([told(jobs[0], 0)])
    Job.objects.update(chain_length=7, chain_link=b"x" * 32)
    rebuild(jobs)
    assert Job.objects.filter(chain_length=7, chain_link=b"x" * 32).count() == 3
