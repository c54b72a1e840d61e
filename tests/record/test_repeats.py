"""Replies that say again what was heard last, kept without being read; and what only looks like one."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs.models import Job, Miss, Snapshot
from jobs.polling import commit
from jobs.record import Observation, find_graph, find_jobs, observe, rebuild, record
from tests.factories import NOW, body

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(project):
    return find_jobs(project, [(find_graph(project, "g1"), "j1", NOW)])["j1"]


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def poll(job, minutes, said, status=200):
    """What a worker does with an answer; whether it had to be read."""
    one = Observation(job, "poll", at(minutes), status, said, unread=True)
    commit.record_and_plan([one], 1, {})
    return one.reply is not None or one.error is not None


def runs():
    return list(
        Snapshot.objects.order_by("pk").values_list(
            "source", "first_seen_at", "last_seen_at", "seen"
        )
    )


def rows():
    return list(Job.objects.order_by("pk").values())


RUNNING = body("j1", "running")


def test_the_same_again_is_not_read_and_only_moves_when_it_was_seen(job):
    assert poll(job, 0, RUNNING)
    before = rows()[0]
    assert not poll(job, 1, RUNNING)
    assert not poll(job, 3, RUNNING)
    assert runs() == [("poll", at(0), at(3), 3)]
    [after] = rows()
    assert {name for name in after if after[name] != before[name]} == {"observed_at"}
    assert after["observed_at"] == at(3)
    rebuild([job], now=timezone.now())
    assert rows() == [after]


@pytest.mark.parametrize(
    ("earlier", "said", "minutes", "status"),
    [
        ([("poll", 0, RUNNING)], RUNNING, 0, 200),  # at the same moment
        ([("poll", 5, RUNNING)], RUNNING, 1, 200),  # late
        ([("poll", 0, RUNNING)], body("j1", "pending"), 1, 200),
        ([("poll", 0, RUNNING)], RUNNING, 1, 500),
        ([("proxy", 0, RUNNING)], RUNNING, 1, 200),  # not a poll's
        (
            [("poll", 0, RUNNING), ("list", 1, body("j1", "success"))],
            RUNNING,
            2,
            200,
        ),  # the row says what the list said
        (
            [("poll", 0, RUNNING), ("poll", 9, RUNNING), ("poll", 5, body("j1", "pending"))],
            RUNNING,
            10,
            200,
        ),  # a later run
        (
            [("poll", 1, RUNNING), ("list", 1, body("j1", "success"))],
            RUNNING,
            2,
            200,
        ),  # at one moment, this recorded last
    ],
)
def test_what_only_looks_like_it_is_read_and_folded(job, earlier, said, minutes, status):
    for source, when, words in earlier:
        record([observe(job, source, at(when), 200, words)])
    assert poll(job, minutes, said, status)
    stored = rows()
    rebuild([job])
    assert rows() == stored


@pytest.mark.parametrize("other", [("list", 1), ("list", 3), ("proxy", 0), ("proxy", 2)])
def test_earlier_replies_of_others_do_not_interfere(job, other):
    source, when = other
    for one in (("poll", 0, RUNNING), (source, when, body("j1", "pending")), ("poll", 3, RUNNING)):
        record([observe(job, one[0], at(one[1]), 200, one[2])])
    stands = Snapshot.objects.order_by("-last_seen_at", "-pk").first()
    assert poll(job, 4, RUNNING) == (stands.source != "poll")
    assert not poll(job, 5, RUNNING)
    stored = rows()
    rebuild([job])
    assert rows() == stored


def test_a_batch_of_both_keeps_both_and_a_miss_beside_them(project):
    graph = find_graph(project, "g1")
    jobs = find_jobs(project, [(graph, f"j{number}", NOW) for number in range(6)])
    for one in jobs.values():
        poll(one, 0, body(one.job_id, "running"))
    said = {"j0": body("j0", "success"), "j1": b"<html>"}
    seen = [
        Observation(job, "poll", at(1), 200, said.get(job_id, body(job_id, "running")), unread=True)
        for job_id, job in jobs.items()
    ]
    commit.record_and_plan(seen, 1, {})
    assert [one.outcome for one in seen] == [
        "new",
        "html",
        "repeated",
        "repeated",
        "repeated",
        "repeated",
    ]
    assert Miss.objects.get().job == jobs["j1"]
    assert Snapshot.objects.filter(seen=2).count() == 4


def test_callers_of_both_versions_by_turns_make_a_row_each(job):
    """Each version's reply is compared with the newest of its own."""
    from dataclasses import replace

    second = body("j1", "running", jobProgress=1)
    for minute in range(6):
        one = observe(job, "proxy", at(minute), 200, second if minute % 2 else RUNNING)
        one.reply = replace(one.reply, version=1 + minute % 2)
        record([one])
    assert runs() == [("proxy", at(0), at(4), 3), ("proxy", at(1), at(5), 3)]
    stored = rows()
    rebuild([job])
    assert rows() == stored


@pytest.mark.django_db(transaction=True)
def test_what_is_recorded_while_a_poll_waits_for_its_job_is_seen(job):
    """A late reply comes between: folded one after the other, and at once, they make the same runs."""
    for minute in (0, 9):
        poll(job, minute, RUNNING)
    with ThreadPoolExecutor() as other:
        with transaction.atomic():
            record([observe(job, "poll", at(5), 200, body("j1", "pending"))])
            late = other.submit(poll, job, 10, RUNNING)
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            with connection.cursor() as cursor:
                while cursor.execute(waiting) is not None and not cursor.fetchone():
                    time.sleep(0.01)
        assert late.result(20), "it is read, and folded"
        other.submit(lambda: connection.close()).result()  # that thread's
    assert sorted(runs(), key=lambda run: run[1]) == [
        ("poll", at(0), at(9), 2), ("poll", at(5), at(5), 1), ("poll", at(10), at(10), 1)
    ]  # fmt: skip
