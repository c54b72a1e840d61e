"""Reviews: what a person may decide, who wins a race, and what follows for the job."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction

from jobs.decisions.corrections import correct
from jobs.decisions.review import (
    InvalidDecision,
    decide,
    find_fix,
    later_imports,
    propose_fix,
    save_note,
    set_tolerance,
)
from jobs.models import Cause, Job, Membership, Review
from jobs.record import find_graph, find_jobs, observe, rebuild, record
from tests.factories import NOW, body

LATER = NOW + timedelta(hours=1)


def load(project, job_id, graph="g1", day=4, **files):
    """A final import: each file by its path, and how it went (`success`, `partFailed` or `failed`)."""
    rows = [
        {
            "path": path,
            "status": status,
            "totalLines": 10,
            "failedLines": failed,
            "successfulLines": 10 - failed,
        }
        for path, status in files.items()
        for failed in [{"success": 0, "partFailed": 1, "failed": 10}[status]]
    ]
    job = find_jobs(project, [(find_graph(project, graph), job_id, NOW)])[job_id]
    content = body(
        job_id, jobDetail={"vertexsetPath": rows}, beginTime=f"2026-03-{day:02}T00:00:00"
    )
    record([observe(job, "poll", NOW, 200, content)])
    job.refresh_from_db()
    return job


@pytest.fixture
def job(project):
    return load(project, "j1", a="partFailed", b="success")


def test_a_decision_is_added_and_shows_on_the_job(job, admin):
    assert job.review == "waiting"
    first = decide(
        job,
        state="to_fix",
        note=" ask the supplier ",
        assignee=admin,
        due_on=NOW.date(),
        actor=admin,
        now=NOW,
    )
    second = decide(job, state="accepted", note="known gap", actor=admin, now=LATER, known=first.pk)
    assert (job.review, job.changed_at) == ("accepted", LATER)
    assert list(job.reviews.order_by("pk")) == [first, second]
    assert (first.note, first.assignee, first.due_on) == ("ask the supplier", admin, NOW.date())


def test_decision_survives_rebuilding_and_a_new_reply(job, admin):
    decide(job, state="accepted", note="known gap", actor=admin, now=NOW)
    rebuild([job])
    job.refresh_from_db()
    assert job.review == "accepted"
    place = {"kind": "vertex", "position": 0, "reason": "recounted", "actor": admin, "now": NOW}
    for field, value in (("status", "success"), ("failed_lines", "0"), ("successful_lines", "10")):
        correct(job, field=field, corrected=value, **place)
    job.refresh_from_db()
    assert (job.verdict, job.review) == ("success", "")


def test_second_of_two_concurrent_decisions_is_refused(job, admin):
    seen = 0
    eve = User.objects.create_user("eve")
    decide(job, state="to_fix", actor=eve, now=NOW, known=seen)
    with pytest.raises(ValueError, match="Meanwhile eve set the review to To fix"):
        decide(job, state="accepted", note="fine", actor=admin, now=NOW, known=seen)
    assert Review.objects.count() == 1
    with pytest.raises(ValueError, match="does not belong to this job"):
        decide(
            load(job.project, "j2", a="failed"),
            state="to_fix",
            actor=admin,
            now=NOW,
            known=Review.objects.get().pk,
        )


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_does(job, admin):
    def try_it(_number):
        try:
            decide(job, state="to_fix", actor=admin, now=NOW, known=0)
        except ValueError as told:
            return str(told)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(try_it, range(4)))
    assert sorted(map(bool, said)) == [False, True, True, True]
    assert Review.objects.count() == 1


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"state": "accepted"}, "requires a note"),
        ({"state": "accepted", "note": "\x00 "}, "requires a note"),
        ({"state": "tolerated"}, "is not a valid decision"),
        ({"state": "splendid"}, "'splendid' is not a valid decision"),
        ({"state": "fixed"}, "needs the job that fixed it"),
        ({"state": "fixed", "fixed_by": "itself"}, "can't fix itself"),
        ({"state": "fixed", "fixed_by": "elsewhere"}, "belongs to another graph"),
        ({"state": "fixed", "fixed_by": "running"}, "not ended"),
        ({"state": "fixed", "fixed_by": "failed"}, "loaded nothing"),
        (
            {"state": "fixed", "fixed_by": "before", "note": "surely"},
            "before started before this import",
        ),
        (
            {"state": "fixed", "fixed_by": "same time", "note": "surely"},
            "same time started before this import",
        ),
        (
            {"state": "fixed", "fixed_by": "other files"},
            "other files did not fully load these failed files: a. Enter another",
        ),
        (
            {"state": "fixed", "fixed_by": "lost again"},
            "lost again did not fully load these failed files: a",
        ),
        ({"state": "to_fix", "fixed_by": "good"}, "Only a resolved import"),
        ({"state": "to_fix", "assignee": "stranger"}, "stranger does not have access"),
    ],
)
def test_a_decision_that_will_not_do_is_refused_with_a_sentence(job, admin, decision, said):
    project = job.project
    others = {
        "itself": job,
        "elsewhere": load(project, "elsewhere", graph="g2", a="success"),
        "running": find_jobs(project, [(job.graph, "running", NOW)])["running"],
        "failed": load(project, "failed", day=5, a="failed"),
        "good": load(project, "good", day=5, a="success"),
        "before": load(project, "before", day=3, a="success"),
        "same time": load(project, "same time", a="success"),
        "other files": load(project, "other files", day=5, c="success"),
        "lost again": load(project, "lost again", day=5, a="partFailed", b="success"),
    }
    given = dict(decision)
    if "fixed_by" in given:
        given["fixed_by"] = others[given["fixed_by"]]
    if "assignee" in given:
        given["assignee"] = User.objects.create_user(given["assignee"])
    with pytest.raises(ValueError, match=said):
        decide(job, actor=admin, now=NOW, **given)
    assert not Review.objects.exists()


def test_a_note_may_say_why_a_job_that_did_not_load_all_fixed_it(project, admin):
    lost = load(project, "lost", day=4, **{f"p{number}": "failed" for number in range(9)})
    half = load(project, "half", day=5, p0="success", p1="success")
    with pytest.raises(InvalidDecision, match=r"p2, p3, p4 and 4 more") as told:
        decide(lost, state="fixed", fixed_by=half, actor=admin, now=NOW)
    assert told.value.field == "fixed_by"
    decide(
        lost, state="fixed", fixed_by=half, note="the others are empty by now", actor=admin, now=NOW
    )
    assert lost.review == "fixed"


def test_job_is_found_by_an_unambiguous_id_prefix(project, job):
    first, second = (
        load(project, "abc1", day=5, a="success"),
        load(project, "abd2", day=5, a="success"),
    )
    load(project, "abe3", graph="g2", a="success")
    assert find_fix(job, "abc") == first
    assert find_fix(job, "abd2") == second
    assert find_fix(job, "abe3").job_id == "abe3"  # whole: of another graph, as will be said
    with pytest.raises(
        InvalidDecision, match="Several job IDs start with ab: abd2, abc1. Enter more"
    ):
        find_fix(job, "ab")
    for none in ("abe", "%"):
        with pytest.raises(InvalidDecision, match=f"No job {none} found"):
            find_fix(job, none)
    assert list(later_imports(job)) == [first, second]


def test_only_an_import_that_lost_data_is_decided_about(project, admin):
    with pytest.raises(ValueError, match="nothing to review"):
        decide(load(project, "whole", a="success"), state="to_fix", actor=admin, now=NOW)


def test_a_member_may_be_asked_to_fix(job, admin):
    bob = User.objects.create_user("bob")
    Membership.objects.create(project=job.project, user=bob)
    assert decide(job, state="to_fix", assignee=bob, actor=admin, now=NOW).assignee == bob


def test_the_earliest_later_import_that_loaded_every_lost_path_is_proposed(
    project, admin, django_assert_num_queries
):
    lost = load(project, "lost", day=10, a="partFailed", b="failed", c="success")
    load(project, "before", day=9, a="success", b="success")
    load(project, "half", day=11, a="success", c="success")
    load(project, "again", day=12, a="success", b="partFailed")
    load(project, "elsewhere", graph="g2", day=12, a="success", b="success")
    load(project, "other spelling", day=12, A="success", b="success")
    assert propose_fix(lost) is None
    last = load(project, "last", day=20, a="success", b="success")
    fix = load(project, "fix", day=13, a="success", b="success", d="failed")
    with django_assert_num_queries(2):
        assert propose_fix(lost) == fix
    decide(lost, state="fixed", fixed_by=fix, actor=admin, now=NOW)
    assert propose_fix(load(project, "whole", day=1, a="success")) is None
    assert propose_fix(load(project, "early", day=19, a="failed")) == last


def test_tolerance_re_evaluates_what_nobody_decided_about(
    project, admin, django_assert_num_queries
):
    graph = find_graph(project, "g1")
    little = load(project, "little", a="partFailed", b="success")  # 1 of 20
    much = load(project, "much", a="failed", b="success")  # 10 of 20
    decided = load(project, "decided", a="partFailed", b="success")
    elsewhere = load(project, "elsewhere", graph="g2", a="partFailed")
    decide(decided, state="waiting", note="look again", actor=admin, now=NOW)
    states = lambda: dict(Job.objects.exclude(review="").values_list("job_id", "review"))  # noqa: E731
    with django_assert_num_queries(6):  # with its savepoint
        assert set_tolerance(graph, Decimal("0.05"), now=LATER) == 1
    assert states() == {
        "little": "tolerated",
        "much": "waiting",
        "decided": "waiting",
        "elsewhere": "waiting",
    }
    assert set(Job.objects.filter(changed_at=LATER)) == {little}
    rebuild([little, much, decided, elsewhere])
    assert states()["little"] == "tolerated"
    assert set_tolerance(graph, "0.5", now=LATER) == 1
    assert states()["much"] == "tolerated"
    assert set_tolerance(graph, "0.0499", now=LATER) == 2
    assert set_tolerance(graph, 1, now=LATER) == 2
    assert set_tolerance(graph, None, now=LATER) == 2
    assert set(states().values()) == {"waiting"}
    graph.refresh_from_db()
    assert graph.tolerated_loss is None


@pytest.mark.django_db(transaction=True)
def test_what_is_recorded_while_the_tolerance_changes_follows_it(project):
    graph = find_graph(project, "g1")
    recorded, asked = threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            load(project, "j1", a="partFailed", b="success")
            recorded.set()
            asked.wait(30)
            time.sleep(
                0.2
            )  # for the other to reach its lock; were it later, it would find all committed
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert recorded.wait(30)
        asked.set()
        set_tolerance(graph, "0.5", now=LATER)
        writing.result()
    assert Job.objects.get().review == "tolerated"


@pytest.mark.parametrize("share", ["1.1", "-0.1", "much", "0.00001", "NaN", ""])
def test_a_wrong_tolerance_is_refused_with_a_sentence(project, share):
    with pytest.raises(ValueError, match="expected a rate from 0 to 1"):
        set_tolerance(find_graph(project, "g1"), share, now=NOW)


def test_a_note_about_a_cause(project, admin):
    cause = Cause.objects.create(
        project=project,
        fingerprint="f",
        pattern="p",
        example="e",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    save_note(cause, " the supplier writes months with 13 \x00", actor=admin, now=LATER)
    cause.refresh_from_db()
    assert (cause.note, cause.note_by, cause.note_at) == (
        "the supplier writes months with 13",
        admin,
        LATER,
    )
