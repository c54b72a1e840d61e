"""Worker rounds, also while workers, replies or the database fail."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, OperationalError, connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.db import outage
from jobs.db.bulk import Writes
from jobs.models import CallBudget, Miss, Project, Snapshot, Watch
from jobs.models.watch import LEASE, Plan
from jobs.polling import commit, on_demand, watches, worker_round
from jobs.record import Observation, find_graph, find_jobs, recorder
from tests.factories import body

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def watched(upstream):
    """Watches so many jobs, all due; GES says of each that it runs."""
    upstream.body = lambda handler: body(handler.path.split("/")[-2], "running")

    def watch(count):
        graph, now = find_graph(upstream.project, "g1"), timezone.now()
        jobs = find_jobs(upstream.project, [(graph, f"j{number}", now) for number in range(count)])
        watches.watch_unfinished(jobs.values())
        return [jobs[f"j{number}"] for number in range(count)]

    return watch


def start_thread(act):
    def run():
        try:
            return act()
        finally:
            connection.close()

    return ThreadPoolExecutor(1).submit(run)


def wait_until(holds, seconds=20):
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_claim_excludes_others_until_its_lease_ends(watched, upstream):
    watched(1)
    now, claim = (
        timezone.now(),
        lambda lease, at: Watch.objects.claim_due(upstream.project, lease, at, 9),
    )
    assert len(claim(1, now)) == 1
    assert claim(2, now) == []
    assert timedelta(seconds=30) < LEASE < timedelta(seconds=55), (
        "longer than a call, and taken over within a minute"
    )
    assert len(claim(2, now + LEASE)) == 1


def planned(lease, plan):
    """Whether this lease's plan was kept."""
    writes = Writes()
    Watch.objects.plan(lease, [plan], writes)
    writes.run()
    return Watch.objects.filter(job=plan.pk, failures=plan.failures).exists()


def test_a_late_worker_does_not_overwrite_the_plan_of_the_next_one(watched, upstream):
    [job] = watched(1)
    now = timezone.now()
    Watch.objects.claim_due(upstream.project, 1, now, 9)
    Watch.objects.claim_due(upstream.project, 2, now + LEASE, 9)
    assert not planned(1, Plan(job.pk, None, 7))
    assert Watch.objects.give_back(1, [job.pk]) == 0
    held = Watch.objects.get()
    assert (held.lease, held.failures, held.next_poll_at is None) == (2, 0, False)
    assert planned(2, Plan(job.pk, now + timedelta(hours=1), 3))
    held.refresh_from_db()
    assert (held.lease, held.leased_until, held.failures) == (None, None, 3)


def test_a_late_answer_is_recorded_although_its_claim_was_taken_over(watched, upstream):
    """The worker hangs while GES answers, and another takes its claim over."""
    [job] = watched(1)
    upstream.seconds = 1
    late = start_thread(lambda: worker_round.poll_for(5))
    wait_until(lambda: len(upstream.asked) == 1)
    taken = Watch.objects.claim_due(upstream.project, 99, timezone.now() + LEASE, 9)
    assert len(taken) == 1
    assert late.result(20) == 1
    assert Watch.objects.get().lease == 99, "the taker's claim stands"
    job.refresh_from_db()
    assert job.verdict == "running"


def test_concurrent_workers_poll_each_job_once(watched, upstream):
    watched(60)
    Project.objects.update(calls_per_second=500, calls_per_minute=5000)
    counts = [start_thread(lambda: worker_round.poll_for(0.5)) for _ in range(3)]
    assert sum(count.result(30) for count in counts) == len(upstream.asked) == 60
    assert Snapshot.objects.values("job").annotate(n=Count("*")).filter(n=1).count() == 60
    assert not Watch.objects.exclude(lease=None).exists()


def test_a_slow_answer_does_not_delay_others(watched, upstream):
    jobs = watched(3)
    slow = threading.Event()

    def answer(handler):
        if "/j0/" in handler.path:
            slow.wait(10)
        return body(handler.path.split("/")[-2], "running")

    upstream.body = answer
    ending = start_thread(lambda: worker_round.poll_for(0.1))
    wait_until(lambda: Snapshot.objects.count() == 2)
    assert Watch.objects.get(job=jobs[0]).lease is not None
    slow.set()
    assert ending.result(20) == 3


def test_a_job_under_way_is_not_polled_twice_when_its_own_lease_ran_out(watched, upstream):
    watched(3)
    upstream.seconds = 1.5
    round_ = start_thread(lambda: worker_round.poll_for(10))
    wait_until(lambda: len(upstream.asked) == 3)
    Watch.objects.update(leased_until=timezone.now())
    assert round_.result(30) == 3
    assert len(upstream.asked) == 3
    assert not Watch.objects.exclude(lease=None).exists()


def test_answers_are_held_during_database_outage_until_timeout_or_shutdown(
    monkeypatch,
):
    monkeypatch.setattr(outage, "AGAIN_SECONDS", 0.01)
    tries, stopping = [], threading.Event()

    def fails(times, error=OperationalError):
        def do():
            tries.append(1)
            if len(tries) <= times:
                raise error("away")
            return "done"

        tries.clear()
        return do

    assert outage.retry_in_outage(fails(3), stopping) == "done"
    with pytest.raises(IntegrityError):
        outage.retry_in_outage(fails(3, IntegrityError), stopping)
    assert len(tries) == 1
    monkeypatch.setattr(outage, "HOLD_SECONDS", 0.0)
    with pytest.raises(OperationalError):
        outage.retry_in_outage(fails(9), stopping)
    monkeypatch.setattr(outage, "HOLD_SECONDS", 600.0)
    stopping.set()
    with pytest.raises(OperationalError):
        outage.retry_in_outage(fails(9), stopping)
    assert len(tries) == 1


def test_a_read_only_session_is_left_after_its_first_error():
    """A session that began while the database was read-only stays so for its life."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    begun = connection.connection.info.backend_pid
    with pytest.raises(InternalError, match="read-only"):
        Project.objects.create(project_id="p9")
    connection.close()
    assert Project.objects.create(project_id="p9").pk

    def has_ended():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [begun])
            return not cursor.fetchone()

    wait_until(has_ended)


def test_a_session_begun_inside_another_wrapper_keeps_that_wrapper_apart():
    connection.close()
    connection.execute_wrappers.clear()
    with connection.execute_wrapper(lambda execute, *rest: execute(*rest)):
        assert Project.objects.count() == 0
    assert connection.execute_wrappers == [outage._end_if_read_only]


def test_a_worker_that_stops_gives_its_claims_back_at_once(watched, upstream):
    watched(5)
    upstream.seconds = 5
    ending = start_thread(lambda: worker_round.poll_for(60))
    wait_until(lambda: Watch.objects.exclude(lease=None).count() == 5)
    began = time.monotonic()
    worker_round.stop_requested.set()
    assert ending.result(4) == 0
    assert time.monotonic() - began < 4
    assert Watch.objects.due(timezone.now()).count() == 5
    assert not Miss.objects.exists()


def break_recording(monkeypatch, error, job_id):
    """Let recording fail on one job, as by a fault of our own or a value the database refuses."""
    fold = recorder._fold

    def fold_or_break(history, observation, count):
        if observation.job.job_id == job_id and observation.reply is not None:
            raise error
        fold(history, observation, count)

    monkeypatch.setattr(recorder, "_fold", fold_or_break)


def test_a_reply_that_cannot_be_recorded_is_quarantined_alone(
    watched, upstream, monkeypatch, caplog
):
    jobs = watched(7)
    with monkeypatch.context() as patch:
        break_recording(patch, ValueError("cannot fold\x00 this"), "j3")
        assert worker_round.poll_for(0.1) == 7
    assert Snapshot.objects.count() == 6
    miss = Miss.objects.get()
    assert (miss.job_id, miss.kind, bytes(miss.body)) == (
        jobs[3].pk,
        "not_recorded",
        body("j3", "running"),
    )
    aside = Watch.objects.quarantined().get()
    assert (aside.job_id, aside.problem) == (jobs[3].pk, "ValueError: cannot fold this")
    assert (aside.next_poll_at, aside.lease) == (None, None)
    assert "job j3" in caplog.text
    on_demand.poll_now(jobs[3])
    aside.refresh_from_db()
    assert (aside.problem, aside.failures) == ("", 0)
    assert aside.next_poll_at is not None
    assert Snapshot.objects.count() == 7


def test_a_reply_that_breaks_the_parser_is_kept(watched, upstream, monkeypatch):
    watched(2)

    def parse(body, **options):
        if b"j1" in body:
            raise KeyError("reader")
        return read(body, **options)

    from jobs.record import observations

    read = observations.parse_reply
    monkeypatch.setattr(observations, "parse_reply", parse)
    assert worker_round.poll_for(0.1) == 2
    assert Snapshot.objects.count() == 1
    assert Miss.objects.get().kind == "not_recorded"


def test_a_database_outage_quarantines_nothing(watched, monkeypatch):
    watched(4)
    with monkeypatch.context() as patch:
        patch.setattr(outage, "HOLD_SECONDS", 0.0)  # held no longer than this: let go then
        patch.setattr(
            commit,
            "record_held",
            lambda *_, **__: (_ for _ in ()).throw(OperationalError("server closed")),
        )
        with pytest.raises(OperationalError):
            worker_round.poll_for(0.1)
    assert not Watch.objects.quarantined().exists()
    assert Watch.objects.due(timezone.now()).count() == 4, "given back at once"
    assert worker_round.poll_for(0.1) == 4


def test_a_paused_project_is_neither_called_nor_claimed(watched, upstream):
    watched(3)
    now = timezone.now()
    CallBudget.objects.create(
        project=upstream.project,
        second_left=9,
        minute_left=9,
        counted_at=now,
        paused_until=now + timedelta(minutes=1),
    )
    began = time.monotonic()
    assert worker_round.poll_for(30) == 0
    assert time.monotonic() - began < 10, "nothing to wait for in this round"
    assert upstream.asked == []


def statements(act):
    """The statements that `act` executes, without those of transactions."""
    with CaptureQueriesContext(connection) as queries:
        act()
    marks = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [one["sql"] for one in queries if not one["sql"].startswith(marks)]


def statements_of_recording(jobs, body_of):
    now = timezone.now()
    Watch.objects.update(next_poll_at=now)
    claimed = Watch.objects.claim_due(jobs[0].project, 1, now, len(jobs))
    assert len(claimed) == len(jobs)
    observations = [
        Observation(one, "poll", now, 200, body_of(one.job_id), unread=True) for one in claimed
    ]
    executed = statements(
        lambda: commit.record_and_plan(observations, 1, {one.pk: one for one in claimed})
    )
    assert not Watch.objects.exclude(lease=None).exists()
    return executed


def with_files(job_id):
    file = {
        "path": f"b/{job_id}.csv",
        "status": "partFailed",
        "totalLines": 9,
        "failedLines": 1,
        "successfulLines": 8,
        "cause": "bad",
    }
    return body(
        job_id,
        "partiallyFailed",
        jobDetail={"vertexsetPath": [file]},
        beginTime="2026-03-04T11:00:00",
    )


@pytest.mark.parametrize("count", [20, 500])
def test_the_number_of_statements_does_not_grow_with_the_batch(watched, count):
    jobs = watched(count)
    first, again = (
        len(statements_of_recording(jobs, lambda job_id: body(job_id, "running"))) for _ in range(2)
    )
    ended = statements_of_recording(jobs, with_files)
    assert (first, again) == (5, 3), "one of them is the tally"
    assert len(ended) <= 8, "\n".join(sql[:150] for sql in ended)


def test_the_next_poll_of_a_long_running_job_is_planned_by_its_usual_duration(watched):
    old, new = watched(4), timezone.now() - timedelta(minutes=20)

    def body_of(job_id):
        if job_id != "j3":
            return body(
                job_id,
                jobName="Nightly",
                beginTime="2026-03-04T10:00:00",
                endTime="2026-03-04T12:00:00",
            )
        return body(job_id, "running", jobName="Nightly", beginTime=f"{new:%Y-%m-%dT%H:%M:%S}")

    Watch.objects.filter(job=old[3]).update(leased_until=timezone.now() + timedelta(days=1))
    statements_of_recording(old[:3], body_of)
    Watch.objects.update(leased_until=None)
    Watch.objects.exclude(job=old[3]).delete()
    statements_of_recording(old[3:], body_of)
    assert Watch.objects.get().next_poll_at > timezone.now() + timedelta(minutes=4)


def rows_read(node):
    here = (node["Actual Rows"] + node.get("Rows Removed by Join Filter", 0)) * node["Actual Loops"]
    return here + sum(rows_read(part) for part in node.get("Plans", ()))


def test_recording_a_batch_never_compares_all_rows_with_all(watched):
    jobs = watched(300)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE"
        )  # neither claims nor replies are seen: PostgreSQL expects a row of either
        for _ in range(2):
            statements_of_recording(jobs, lambda job_id: body(job_id, "running"))
        with transaction.atomic():
            executed = statements_of_recording(jobs, lambda job_id: body(job_id, "running"))
            transaction.set_rollback(True)
        Watch.objects.update(next_poll_at=timezone.now())
        Watch.objects.claim_due(jobs[0].project, 1, timezone.now(), 300)
        for sql in executed:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            [[plan]] = cursor.fetchone()
            assert rows_read(plan["Plan"]) < 60 * len(jobs), sql[:300]


def test_a_round_makes_no_query_for_each_job(watched):
    watched(40)
    executed = statements(lambda: worker_round.poll_for(0.1))
    assert sum('FROM "jobs_project" WHERE "jobs_project"."id"' in sql for sql in executed) <= 1
    assert sum('FROM "jobs_graph"' in sql for sql in executed) <= 1


def test_due_watches_are_found_by_their_index(watched, upstream):
    watched(1)
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        due = (
            Watch.objects.due(timezone.now())
            .filter(project=upstream.project)
            .order_by("next_poll_at")[:9]
        )
        assert "watch_due" in due.explain()
        cursor.execute("RESET enable_seqscan")
