"""Recording replies: order, repeats, rebuilding and races."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, connections, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from jobs.decisions.corrections import correct, revert
from jobs.ges.simulator.snake_case import to_v2
from jobs.ges.simulator.story import Story
from jobs.models import (
    Cause,
    Contradiction,
    Correction,
    Graph,
    ImportFile,
    Job,
    Miss,
    Project,
    Review,
    Snapshot,
)
from jobs.record import (
    find_graph,
    find_jobs,
    known_or_new_jobs,
    observe,
    rebuild,
    rebuild_in_batches,
    record,
)
from tests.factories import NOW, body


@pytest.fixture
def job(project):
    return find_jobs(project, [(find_graph(project, "g1"), "j1", NOW)])["j1"]


def see(job, seconds, content, http_status=200, source="poll"):
    made = record([observe(job, source, NOW + timedelta(seconds=seconds), http_status, content)])
    job.refresh_from_db()
    return made


def test_equal_neighbours_are_one_row(job):
    for seconds in (0, 5, 10):
        see(job, seconds, body(status="running"))
    see(job, 15, body())
    rows = Snapshot.objects.order_by("pk").values_list("seen", "last_seen_at")
    assert list(rows) == [(3, NOW + timedelta(seconds=10)), (1, NOW + timedelta(seconds=15))]
    assert (job.verdict, job.snapshot_count) == ("success", 2)


def test_the_bytes_are_kept_as_received(job):
    odd = b'{"status":  "success", "n": 1.50}\n'
    see(job, 0, odd)
    assert bytes(Snapshot.objects.get().body) == odd


def test_a_late_older_reply_does_not_move_the_job_back(job):
    see(job, 10, body())
    see(job, 5, body(status="running"))
    assert (job.verdict, job.snapshot_count, job.observed_at) == (
        "success",
        2,
        NOW + timedelta(seconds=10),
    )


def test_seeing_the_same_again_changes_nothing(job):
    for _ in range(2):
        for seconds, status in ((0, "running"), (5, "running"), (10, "success")):
            see(job, seconds, body(status=status))
    assert list(Snapshot.objects.order_by("pk").values_list("seen", flat=True)) == [2, 1]


def test_a_failed_poll_is_a_miss_and_a_run_of_them_one_row(job):
    for seconds in (0, 5):
        see(job, seconds, b"<html>maintenance</html>")
    see(job, 10, body())
    see(job, 15, b'{"errorCode": "GES.8301", "errorMessage": "can not find job"}', http_status=400)
    assert list(Miss.objects.order_by("pk").values_list("kind", "seen")) == [
        ("html", 2),
        ("error_reply", 1),
    ]
    assert job.verdict == "success"


def test_another_jobs_reply_is_a_miss(job):
    see(job, 0, body("j2"))
    assert Miss.objects.get().kind == "wrong_job"
    assert job.observed_at is None


@pytest.mark.parametrize(
    "change", ["UPDATE jobs_snapshot SET body = 'x'", "DELETE FROM jobs_snapshot"]
)
def test_evidence_cannot_be_changed_even_by_sql(job, change):
    see(job, 0, body())
    with (
        pytest.raises((InternalError, DatabaseError), match="Cannot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_totals_leave_schema_rows_out(imported):
    assert (imported.verdict, imported.ledger, str(imported.loss_rate)) == (
        "partial",
        "adds_up",
        "0.1692",
    )
    assert imported.lines["all"] == {
        "total": 2659,
        "failed": 450,
        "successful": 2209,
        "complete": True,
    }
    assert (imported.file_count, imported.lost_file_count) == (3, 1)


def lossy(cause="line 7: no such label", failed=1, total=10, **fields):
    """An import whose only file lost `failed` of `total` lines."""
    counts = {"totalLines": total, "failedLines": failed, "successfulLines": total - failed}
    file = {"path": "b/v.csv", "status": "partFailed", "cause": cause, **counts}
    return body(status="partiallyFailed", jobDetail={"vertexsetPath": [file]}, **fields)


def dump():
    """All that is derived, by place: a file's own key says nothing."""
    files = ImportFile.objects.order_by("job", "kind", "position")
    return (
        list(Job.objects.order_by("pk").values()),
        [{name: value for name, value in row.items() if name != "id"} for row in files.values()],
        list(Cause.objects.order_by("pk").values()),
        list(
            Contradiction.objects.order_by("job", "seen_at", "kind").values(
                "job", "seen_at", "kind", "count", "says"
            )
        ),
    )


def live(project, admin):
    """Three weeks of a simulated project, seen as they went: polled, listed, missed, late, corrected and decided about."""
    story = Story(7, NOW)
    graphs = {
        graph["name"]: find_graph(project, graph["id"], graph["name"]) for graph in story.graphs()
    }
    told = [job for job in story.jobs(NOW) if job.graph in graphs]
    jobs = find_jobs(project, [(graphs[one.graph], one.job_id, one.submitted_at) for one in told])
    for share in (-0.1, 0.4, 0.6, 1, 1, 0.5):
        seen = []
        for number, one in enumerate(told):
            at = one.begin + share * (one.end - one.begin)
            said = story.state(one, at)
            content = json.dumps(said if number % 3 else to_v2(said)).encode()
            if share == 0.6 and number % 5 == 0:
                content = b"<html>"
            seen.append(
                observe(jobs[one.job_id], "proxy" if share == 0.6 else "poll", at, 200, content)
            )
        record(seen)
    one = Job.objects.filter(verdict="partial").order_by("pk").first()
    place = {"kind": "vertex", "position": 0}
    correct(
        one,
        **place,
        field="cause",
        corrected="a disk was full",
        reason="seen",
        actor=admin,
        now=NOW,
    )
    correct(one, **place, field="status", corrected="failed", reason="seen", actor=admin, now=NOW)
    Review.objects.create(job=one, state="to_fix", actor=admin, made_at=NOW)
    Graph.objects.filter(name="supply_chain").update(tolerated_loss="0.05")
    rebuild(list(Job.objects.all()), now=NOW)
    return jobs


def test_rebuild_gives_equal_rows(project, admin):
    live(project, admin)
    before = dump()
    states = {row["review"] for row in before[0]}
    assert states == {"", "waiting", "tolerated", "to_fix"}
    assert {row["verdict"] for row in before[0]} >= {"success", "partial", "failed"}
    assert len(before[2]) > 5
    assert rebuild(list(Job.objects.all()), now=NOW + timedelta(days=1)) == len(before[0])
    assert dump() == before


def test_rebuild_restores_what_was_lost_or_spoilt(project, admin):
    live(project, admin)
    before = dump()
    ImportFile.objects.filter(position=0).delete()
    ImportFile.objects.filter(position=1).update(
        cause="spoilt", cause_group=None, contradiction={"text": "spoilt"}
    )
    ImportFile.objects.create(
        job=Job.objects.first(), kind="edge", position=999, path="never told", verdict="failed"
    )
    Job.objects.update(
        verdict="unknown", lines={}, total_lines=1, review="fixed", file_count=0, snapshot_count=0
    )
    changed = NOW + timedelta(days=1)
    list(rebuild_in_batches(Job.objects.all(), now=changed))
    after = dump()
    assert {row.pop("changed_at") for row in after[0]} == {changed}
    assert [row.pop("changed_at") for row in before[0]]
    assert after == before


def test_totals_are_columns_too_and_unknown_is_null(job, imported):
    assert (imported.total_lines, imported.failed_lines, imported.successful_lines) == (
        2659,
        450,
        2209,
    )
    big = {"path": "p", "status": "success", "totalLines": 2**63 - 1}
    other = find_jobs(job.project, [(job.graph, "j2", NOW)])["j2"]
    see(other, 0, body("j2", jobDetail={"edgesetPath": [big, big]}))
    assert (other.total_lines, other.failed_lines) == (2**64 - 2, None)


def test_changed_at_moves_only_when_the_row_or_its_files_say_something_else(job):
    at = lambda seconds: NOW + timedelta(seconds=seconds)  # noqa: E731
    moved = []
    for seconds, content in (
        (0, lossy()),
        (5, lossy()),  # the same
        (10, lossy(jobProgress=1)),  # other bytes that say the same
        (15, b"<html>"),
        (20, lossy(cause="another")),  # only a file's cause
        (12, body(status="running")),  # late
        (25, lossy(cause="another", endTime="2026-03-04T12:00:00")),
    ):
        see(job, seconds, content)
        moved.append(job.changed_at)
    assert moved == [at(0), at(0), at(0), at(0), at(20), at(20), at(25)]
    record([observe(job, "poll", at(30), 200, body())], now=at(99))
    see(job, 40, lossy())
    assert (job.verdict, job.changed_at) == ("partial", at(99))  # never back


def test_what_a_former_version_wrote_is_filled_when_the_same_reply_comes_again(job):
    see(job, 0, lossy())
    Job.objects.update(changed_at=None, review="", total_lines=None)
    see(job, 5, lossy())
    assert (job.review, job.total_lines, job.changed_at) == (
        "waiting",
        10,
        NOW + timedelta(seconds=5),
    )


def test_lost_files_share_a_cause_by_its_fingerprint(job):
    graph = job.graph
    jobs = find_jobs(job.project, [(graph, f"c{n}", NOW) for n in range(3)])
    begun = ["2026-03-02T00:00:00", "2026-03-01T00:00:00", None]
    for (job_id, one), begin in zip(jobs.items(), begun, strict=True):
        see(one, 3, lossy(f"line {job_id[1]}7: no such label", jobId=job_id, beginTime=begin))
    cause = Cause.objects.get()
    assert (cause.example, cause.files.count()) == ("line 07: no such label", 3)
    assert cause.first_seen_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert cause.last_seen_at == NOW + timedelta(seconds=3)  # of the one that tells no begin


def test_a_cause_of_a_file_that_is_whole_makes_no_group(job):
    see(
        job,
        0,
        body(
            jobDetail={
                "schemaPath": [
                    {"path": "s", "status": "success", "cause": "all labels are imported"}
                ]
            }
        ),
    )
    assert not Cause.objects.exists()
    assert ImportFile.objects.get().cause_group is None


def test_causes_are_kept_apart_by_project(job):
    other = Project.objects.create(project_id="p2")
    see(job, 0, lossy())
    see(find_jobs(other, [(find_graph(other, "g"), "j1", NOW)])["j1"], 0, lossy())
    assert Cause.objects.count() == 2
    assert Cause.objects.values("fingerprint").distinct().count() == 1


def wait_for_waiting(count):
    """Until so many others wait for a lock in this database."""
    give_up = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < give_up:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0] == count:
                return
            time.sleep(0.01)
    pytest.fail("nobody waited")


@pytest.mark.django_db(transaction=True)
def test_recorders_of_the_same_causes_in_opposite_order_do_not_deadlock(project):
    jobs = find_jobs(project, [(find_graph(project, "g1"), job_id, NOW) for job_id in ("j1", "j2")])
    words = ["red", "green", "blue"]

    def write(job_id, causes, day):
        files = [{"path": word, "status": "failed", "cause": f"a {word} label"} for word in causes]
        content = body(job_id, status="failed", jobDetail={"edgesetPath": files})
        record([observe(jobs[job_id], "poll", NOW + timedelta(days=day), 200, content)])
        connections.close_all()

    write("j1", words, 0)
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Cause.objects.select_for_update().get(example__contains="green")
            writing = [
                pool.submit(write, "j1", [*words, "j1"], 1),
                pool.submit(write, "j2", words[::-1], 2),
            ]
            wait_for_waiting(2)
        for one in writing:
            one.result()
    assert {
        cause.last_seen_at
        for cause in Cause.objects.filter(example__in=[f"a {word} label" for word in words])
    } == {NOW + timedelta(days=2)}


@pytest.mark.django_db(transaction=True)
def test_two_who_record_the_same_new_jobs_at_once_both_succeed(project):
    graph = find_graph(project, "g1")
    both_looked = threading.Barrier(2)

    def write(worker):
        ids = [f"n{number}" for number in range(worker * 20, worker * 20 + 40)]
        jobs = known_or_new_jobs(project, [(graph, job_id, NOW) for job_id in ids])
        assert {job.pk for job in jobs.values()} == {None}
        both_looked.wait(30)
        seen = [observe(job, "poll", NOW, 200, lossy(jobId=job_id)) for job_id, job in jobs.items()]
        made = record(seen)
        connections.close_all()
        assert {one.job.pk for one in seen} == set(
            Job.objects.filter(job_id__in=ids).values_list("pk", flat=True)
        )
        connections.close_all()
        return made.recorded, made.repeated

    with ThreadPoolExecutor(2) as pool:
        counts = sorted(pool.map(write, range(2)))
    assert counts == [(20, 20), (40, 0)]
    assert Job.objects.count() == Snapshot.objects.count() == ImportFile.objects.count() == 60
    assert set(Job.objects.values_list("review", "snapshot_count", "changed_at")) == {
        ("waiting", 1, NOW)
    }


def test_what_the_database_refuses_is_not_tried_for_ever(project):
    graph = find_graph(project, "g1")
    [job] = known_or_new_jobs(project, [(graph, "", NOW)]).values()
    with pytest.raises(IntegrityError, match="job_id_not_empty"):
        record([observe(job, "poll", NOW, 200, lossy())])


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (lossy(), "waiting"),
        (body(status="running"), ""),
        (body(), ""),
        (body(status="failed"), "waiting"),  # an import that failed before it told a file
        (body(status="failed", jobName="CreateBackup"), ""),
        (body(status="cancelled"), ""),
        (json.dumps({**json.loads(lossy()), "status": "running"}).encode(), ""),
    ],
)
def test_an_import_that_lost_data_waits_for_review(job, content, state):
    see(job, 0, content)
    assert job.review == state


@pytest.mark.parametrize(
    ("failed", "total", "tolerated", "state"),
    [
        (1, 10, None, "waiting"),
        (1, 10, "0.1", "tolerated"),
        (1, 10, "0.0999", "waiting"),
        (1, 1_000_000, "0", "waiting"),  # the rate is rounded to 0.0000; the loss is none the less
        (-1, 10, "1", "waiting"),  # nobody knows how much was lost
    ],
)
def test_a_known_loss_within_the_graphs_tolerance_waits_for_nobody(
    job, failed, total, tolerated, state
):
    Graph.objects.update(tolerated_loss=tolerated)
    see(job, 0, lossy(failed=failed, total=total))
    assert job.review == state
    new = known_or_new_jobs(job.project, [(job.graph, "j2", NOW)])["j2"]
    see(new, 0, lossy(failed=failed, total=total, jobId="j2"))
    assert new.review == state, "of a job too that its first reply makes"


def test_a_correction_is_laid_over_survives_rebuild_and_is_undone(imported, admin):
    made = correct(
        imported,
        kind="vertex",
        position=0,
        field="failed_lines",
        corrected="0",
        reason="reloaded",
        actor=admin,
        now=NOW,
    )
    correct(
        imported,
        kind="vertex",
        position=0,
        field="successful_lines",
        corrected="1659",
        reason="reloaded",
        actor=admin,
        now=NOW,
    )
    rebuild([imported])
    imported.refresh_from_db()
    assert (made.observed, str(imported.loss_rate)) == ("450", "0.0000")
    for one in Correction.objects.all():
        revert(one, reason="seen again", actor=admin, now=NOW)
    imported.refresh_from_db()
    assert str(imported.loss_rate) == "0.1692"
    with pytest.raises(ValueError, match="already been undone"):
        revert(made, reason="seen again", actor=admin, now=NOW)


@pytest.mark.parametrize(
    ("field", "value", "reason", "said"),
    [
        ("failed_lines", "many", "r", "not a valid line count"),
        ("failed_lines", "1", " ", "reason is required"),
        ("body", "x", "r", "can't be corrected"),
    ],
)
def test_a_wrong_correction_is_refused_with_a_sentence(imported, admin, field, value, reason, said):
    with pytest.raises(ValueError, match=said):
        correct(
            imported,
            kind="vertex",
            position=0,
            field=field,
            corrected=value,
            reason=reason,
            actor=admin,
            now=NOW,
        )
    assert not Correction.objects.exists()


@pytest.mark.parametrize("again", [False, True])
def test_recording_many_costs_as_many_queries_as_few(project, django_assert_num_queries, again):
    graph = find_graph(project, "g1")

    def batch(start, size, seconds):
        jobs = find_jobs(project, [(graph, f"j{n}", NOW) for n in range(start, start + size)])
        at = NOW + timedelta(seconds=seconds)
        odd = [observe(job, "poll", at, 500, b"<html>") for job in jobs.values()]
        return odd + [
            observe(job, "poll", at, 200, lossy(f"{n} and {seconds}", jobId=n))
            for n, job in jobs.items()
        ]

    if again:
        record(batch(0, 5, 0)), record(batch(100, 50, 0))
    few, many = batch(0, 5, 8), batch(100, 50, 9)
    with CaptureQueriesContext(connection) as first:
        record(few)
    assert len(first) < 20
    with django_assert_num_queries(len(first)):
        record(many)


def test_finding_many_jobs_costs_as_many_queries_as_few(project, django_assert_num_queries):
    graph = find_graph(project, "g1")
    for size in (5, 50):
        with django_assert_num_queries(2):
            found = find_jobs(project, [(graph, f"{size}.{n}", NOW) for n in range(size)])
        assert {job.graph_id for job in found.values()} == {graph.pk}
        assert set(
            Job.objects.filter(job_id__startswith=f"{size}.").values_list("pk", flat=True)
        ) == {job.pk for job in found.values()}
