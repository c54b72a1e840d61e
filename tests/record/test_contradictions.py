"""What GES says against its own earlier words is kept, marked and counted."""

import json
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.export.job import job_object
from jobs.models import Contradiction, Job, Snapshot
from jobs.record import find_graph, find_jobs, observe, rebuild_in_batches, record
from tests.factories import NOW, body


@pytest.fixture
def job(project):
    return find_jobs(project, [(find_graph(project, "g1"), "j1", NOW)])["j1"]


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def said(status="running", lines=(10, 10), begin=10, end=None, more=()):
    """A reply about files a, b, …, so many lines each; hours of this day."""
    files = [
        {"path": path, "status": "success", "totalLines": count}
        for path, count in zip("abcdef", lines, strict=False)
    ]
    times = {"beginTime": f"2026-03-04T{begin:02d}:00:00"} | (
        {"endTime": f"2026-03-04T{end:02d}:00:00"} if end else {}
    )
    return body(status=status, jobDetail={"edgesetPath": files}, **times)


def see(job, *replies):
    record([observe(job, "poll", at(seconds), 200, content) for seconds, content in replies])
    job.refresh_from_db()


def marks():
    return list(
        Contradiction.objects.order_by("seen_at", "kind").values_list("seen_at", "kind", "count")
    )


@pytest.mark.parametrize(
    ("first", "then", "found"),
    [
        (said("success"), said("running"), [("final_word", 1)]),
        (said(begin=11), said(begin=10), [("earlier", 1)]),
        (said("success", begin=10, end=13), said("success", begin=10, end=12), [("earlier", 1)]),
        (said(), said("success", begin=10, end=9), [("ends_first", 1)]),
        (said(lines=(10, 10, 9)), said(lines=(9, 8, 9)), [("fewer_lines", 2)]),
        (said(lines=(1, 2)), said(lines=(1,)), [("files", 1)]),
        (said("success", lines=(1,)), said("failed", lines=(1, 2)), [("files", 1), ("final_word", 1)]),
        (said(lines=(1,)), said(lines=(1, 2)), []),
        (said(), said("success", begin=10, end=11), []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("together", [True, False])
def test_each_contradiction_is_a_row_and_the_reply_is_kept(job, first, then, found, together):
    if together:
        see(job, (0, first), (5, then))
    else:
        see(job, (0, first)), see(job, (5, then))
    assert marks() == [(at(5), kind, count) for kind, count in found]
    assert job.contradiction_count == len(found) == job_object(job)["contradictions"]
    assert Snapshot.objects.count() == job.snapshot_count == 2


def test_a_first_reply_can_contradict_itself(job):
    see(job, (0, said("success", begin=10, end=9)))
    assert marks() == [(at(0), "ends_first", 1)]
    see(job, (5, said("success", begin=10, end=9)), (9, said("failed", begin=10, end=9)))
    assert marks() == [(at(0), "ends_first", 1), (at(9), "final_word", 1)]
    assert job.contradiction_count == 2


def test_a_late_reply_takes_back_a_mark_it_explains_and_moves_one(job):
    see(job, (0, said(lines=(5, 5))), (20, said(lines=(3, 3))))
    assert marks() == [(at(20), "fewer_lines", 2)]
    see(job, (10, said(lines=(3, 4))))
    assert marks() == [(at(10), "fewer_lines", 2), (at(20), "fewer_lines", 1)]
    assert job.contradiction_count == 2
    see(job, (15, said(lines=(3, 3))))
    assert marks() == [(at(10), "fewer_lines", 2), (at(15), "fewer_lines", 1)]
    see(job, (-5, said("success", lines=(5, 5))))
    assert marks()[0] == (at(0), "final_word", 1)
    assert job.contradiction_count == 3


def test_any_order_of_arrival_gives_the_same_marks_and_rebuild_gives_them_again(project):
    graph, roll = find_graph(project, "g1"), random.Random(5)
    told = []
    for number in range(6):
        name = f"j{number}"
        for step in range(9):
            status = roll.choice(["running", "running", "success", "failed"])
            lines = tuple(roll.randrange(9) for _ in range(roll.randrange(1, 4)))
            content = said(
                status, lines, begin=roll.choice([10, 11]), end=roll.choice([None, 9, 12])
            )
            told.append(
                (
                    name,
                    step * 5,
                    json.dumps(json.loads(content) | {"jobId": name, "jobProgress": step}).encode(),
                )
            )
    dumps = []
    for order in range(3):
        if order:
            roll.shuffle(told)
        names = [f"{name}" for name in sorted({name for name, *_ in told})]
        jobs = find_jobs(project, [(graph, name, NOW) for name in names])
        for start in range(0, len(told), 7):
            record(
                [
                    observe(jobs[name], "ingest", at(seconds), 200, content)
                    for name, seconds, content in told[start : start + 7]
                ]
            )
        assert {job.contradiction_count for job in Job.objects.all()} != {0}
        dumps.append(dump())
        Contradiction.objects.filter(kind__in=["final_word", "ends_first"]).delete()
        Contradiction.objects.filter(kind="files").update(count=99)
        Contradiction.objects.create(
            job=Job.objects.first(),
            seen_at=at(5),
            kind="ends_first",
            count=7,
            says={"text": "spoilt"},
        )
        Job.objects.filter(pk__in=[job.pk for job in jobs.values()][:3]).update(
            contradiction_count=0
        )
        list(rebuild_in_batches(Job.objects.all(), now=NOW))
        assert dump() == dumps[-1]
        forget(project)
    assert dumps[0] == dumps[1] == dumps[2]


def dump():
    rows = Contradiction.objects.order_by("job__job_id", "seen_at", "kind")
    return list(rows.values_list("job__job_id", "seen_at", "kind", "count", "says")) + list(
        Job.objects.order_by("job_id").values_list("job_id", "contradiction_count", "status")
    )


def forget(project):
    """The triggers that keep the evidence are off for a moment."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in ("snapshot", "contradiction", "importfile", "job"):
            cursor.execute(f"DELETE FROM jobs_{table}")
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_job_that_says_nothing_odd_costs_no_body(job):
    see(job, (0, said()))
    with CaptureQueriesContext(connection) as asked:
        see(job, (5, said()), (6, said()))
    assert not [
        query
        for query in asked.captured_queries
        if "body" in query["sql"] or '"jobs_contradiction"' in query["sql"]
    ]


def test_the_job_page_says_it_and_leads_to_the_replies(client, admin, job):
    client.force_login(admin)

    def shown(address):
        return " ".join(client.get(address).content.decode().split())

    see(job, (0, said("success", lines=(5, 5, 5))), (5, said("running", lines=(4, 4, 4))))
    page = shown(f"/jobs/{job.pk}/")
    assert "Inconsistent responses" in page
    assert "The final GES status changed from “success” to “running”." in page
    assert "Total lines of “a” dropped from 5 to 4. 2 more like this." in page
    assert f'href="/jobs/{job.pk}/history/"' in page
    see(job, *((10 + n, said("success" if n % 2 else "failed", lines=(4 - n,))) for n in range(4)))
    assert f"and {job.contradiction_count - 4} more inconsistencies" in shown(
        f"/jobs/{job.pk}/"
    )
    history = shown(f"/jobs/{job.pk}/history/")
    assert "The final GES status changed from “success” to “running”." in history
