import json
from datetime import timedelta

import pytest
from django.db import InternalError, transaction
from django.db.utils import DatabaseError

from jobs.models import Correction, ImportFile, Job, Miss, Snapshot
from jobs.record import correct, find_graph, find_jobs, observe, rebuild, record, revert

from .conftest import NOW, body


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
    assert (job.verdict, job.snapshot_count, job.observed_at) == ("success", 2, NOW + timedelta(seconds=10))


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
    assert list(Miss.objects.order_by("pk").values_list("kind", "seen")) == [("not_a_status", 2), ("error_reply", 1)]
    assert job.verdict == "success"


def test_another_jobs_reply_is_a_miss(job):
    see(job, 0, body("j2"))
    assert Miss.objects.get().kind == "wrong_job"
    assert job.observed_at is None


@pytest.mark.parametrize("change", ["UPDATE jobs_snapshot SET body = 'x'", "DELETE FROM jobs_snapshot"])
def test_evidence_cannot_be_changed_even_by_sql(job, change):
    from django.db import connection

    see(job, 0, body())
    with pytest.raises((InternalError, DatabaseError), match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_totals_leave_schema_rows_out(imported):
    assert (imported.verdict, imported.ledger, str(imported.loss_rate)) == ("partial", "adds_up", "0.1692")
    assert imported.lines["all"] == {"total": 2659, "failed": 450, "successful": 2209, "complete": True}
    assert (imported.file_count, imported.lost_file_count) == (3, 1)


def rows(job):
    return list(Job.objects.filter(pk=job.pk).values()), list(ImportFile.objects.filter(job=job).order_by("pk").values())


def test_rebuild_gives_equal_rows(imported):
    before = rows(imported)
    ImportFile.objects.all().delete()
    Job.objects.update(verdict="unknown", lines={})
    rebuild([imported])
    drop = lambda found: (found[0], [{k: v for k, v in row.items() if k != "id"} for row in found[1]])  # noqa: E731
    by_place = lambda found: (found[0], sorted(found[1], key=lambda row: (row["kind"], row["position"])))  # noqa: E731
    assert by_place(drop(rows(imported))) == by_place(drop(before))


def test_a_correction_is_laid_over_survives_rebuild_and_is_undone(imported, admin):
    made = correct(
        imported, kind="vertex", position=0, field="failed_lines", corrected="0", reason="reloaded", actor=admin, now=NOW
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
        revert(one, actor=admin, now=NOW)
    imported.refresh_from_db()
    assert str(imported.loss_rate) == "0.1692"
    with pytest.raises(ValueError, match="already undone"):
        revert(made, actor=admin, now=NOW)


@pytest.mark.parametrize(
    ("field", "value", "reason", "said"),
    [
        ("failed_lines", "many", "r", "not a count"),
        ("failed_lines", "1", " ", "needs a reason"),
        ("body", "x", "r", "can't be corrected"),
    ],
)
def test_a_wrong_correction_is_refused_with_a_sentence(imported, admin, field, value, reason, said):
    with pytest.raises(ValueError, match=said):
        correct(imported, kind="vertex", position=0, field=field, corrected=value, reason=reason, actor=admin, now=NOW)
    assert not Correction.objects.exists()


def test_recording_many_costs_as_many_queries_as_few(project, django_assert_num_queries):
    graph = find_graph(project, "g1")

    def batch(start, size):
        jobs = find_jobs(project, [(graph, f"j{n}", NOW) for n in range(start, start + size)])
        return [observe(job, "poll", NOW, 200, body(job_id)) for job_id, job in jobs.items()]

    few, many = batch(0, 2), batch(100, 100)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as first:
        record(few)
    with django_assert_num_queries(len(first)):
        record(many)
    assert json.loads(body("x"))["jobId"] == "x"
