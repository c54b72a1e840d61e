"""What retention removes, what it never does, and that the chain is still whole."""

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from jobs import tasks
from jobs.decisions.review import decide
from jobs.models import AuditEntry, Hold, Job, Miss, Project, Pruning, Snapshot, Tombstone
from jobs.polling import client as polling_client
from jobs.proof.seal import seal
from jobs.record import find_graph, find_jobs, observe, rebuild, record
from jobs.retention import prune as prune_module
from jobs.retention.prune import prune
from jobs.retention.redundant import ReplyContent, redundant
from tests.factories import NOW, body
from tests.proof.test_verify import tamper, verify

LATER = NOW + timedelta(days=400)
RUNNING = [
    {"path": "v.csv", "status": "running", "totalLines": 0, "failedLines": 0, "successfulLines": 0}
]
LOADED = [
    {"path": "v.csv", "status": "success", "totalLines": 9, "failedLines": 0, "successfulLines": 9}
]
PART = [
    {
        "path": "v.csv",
        "status": "partFailed",
        "totalLines": 9,
        "failedLines": 4,
        "successfulLines": 5,
    }
]


def history(project, job_id="j1", end=LOADED):
    """A job as it is polled, listed, asked for by a program and missed, in the order of time."""
    job = find_jobs(project, [(find_graph(project, "g1"), job_id, NOW)])[job_id]
    told = [
        ("poll", {"status": "pending"}),
        ("poll", {"status": "running", "jobProgress": "0"}),
        ("poll", {"status": "running", "jobProgress": "10"}),  # 2: noise
        ("list", {"status": "running"}),  # 3: what the poll said
        ("poll", {"status": "running", "jobDetail": {"vertexsetPath": RUNNING}}),
        ("proxy", {"status": "running", "jobDetail": {"vertexsetPath": RUNNING}}),  # 5: a twin
        ("poll", {"status": "success", "jobDetail": {"vertexsetPath": end}}),
        (
            "proxy",
            {"status": "success", "jobDetail": {"vertexsetPath": end}, "jobProgress": "1"},
        ),  # 7: a twin
        ("list", {"status": "success"}),
        ("proxy", {"status": "success", "jobDetail": {"vertexsetPath": end}, "jobProgress": "2"}),
    ]
    for number, (source, said) in enumerate(told):
        at = NOW + timedelta(minutes=number)
        record([observe(job, source, at, 200, body(job_id, **said))], now=at)
    record([observe(job, "poll", NOW + timedelta(minutes=3, seconds=1), 502, b"<html>")], now=NOW)
    job.refresh_from_db()
    return job


@pytest.fixture
def job(project):
    project.keeps, project.keep_days = "changes", 30
    project.save()
    return history(project)


def run(*options):
    out = io.StringIO()
    call_command("prune", *options, stdout=out)
    return out.getvalue()


def numbers(job, model=Snapshot):
    return [one.number - 1 for one in model.objects.filter(job=job).order_by("number")]


def pruned(project, now=LATER, **options):
    return [(one.jobs, one.replies, one.misses) for one in prune(project, now=now, **options)]


def test_first_last_and_every_change_stay(job, project):
    before = list(
        Snapshot.objects.order_by("id")
        .filter(number__in=[3, 4, 6, 8])
        .values("id", "number", "link", "sha256", "seen")
    )
    bodies = sum(len(bytes(one.body)) for one in Snapshot.objects.filter(number__in=[3, 4, 6, 8]))
    assert pruned(project) == [(1, 4, 1)]
    assert numbers(job) == [0, 1, 4, 6, 8, 9]
    assert (
        list(Tombstone.objects.order_by("id").values("id", "number", "link", "sha256", "seen"))
        == before
    )
    made = Pruning.objects.get()
    assert (made.keeps, made.keep_days, made.replies, made.misses, made.size) == (
        "changes",
        30,
        4,
        1,
        bodies,
    )
    assert not Miss.objects.exists()


def test_first_and_last_alone(job, project):
    project.keeps = "ends"
    pruned(project)
    # The newest of each version and door stays: the proxy answers with it.
    assert numbers(job) == [0, 8, 9]


def test_the_chain_is_whole_the_rows_are_the_same_and_it_goes_on(job, project):
    seal(project, now=NOW)
    rows = Job.objects.values().get()
    pruned(project)
    assert "walked 1 jobs, 6 replies, 4 removed replies, 1 checkpoints" in verify(
        "--every-checkpoint"
    )
    rebuild([job])
    assert Job.objects.values().get() == rows | {"snapshot_count": 6}
    record([observe(job, "poll", LATER, 200, body(jobProgress="x"))], now=LATER)
    assert Snapshot.objects.latest("pk").number == 11
    seal(project, now=LATER)
    assert pruned(project) == [(1, 1, 0)]  # what was the newest is one of its twins now
    assert "Nothing wrong" in verify("--every-checkpoint")


@pytest.mark.parametrize(
    "change",
    ["sha256 = sha256('x')", "first_seen_at = now()", "link = sha256(link)", "number = 77"],
)
def test_a_changed_tombstone_is_found(job, project, change):
    pruned(project)
    one = Tombstone.objects.earliest("number")
    tamper(f"UPDATE jobs_tombstone SET {change} WHERE id = %s", one.pk)
    assert "job j1, response" in verify(code=1)


def test_a_removed_tombstone_is_found(job, project):
    pruned(project)
    tamper("DELETE FROM jobs_tombstone WHERE number = 3")
    assert "its number is 4; expected 3" in verify(code=1)


def test_nothing_goes_without_a_tombstone_and_no_tombstone_goes(job, project):
    pruned(project)
    for statement in (
        "DELETE FROM jobs_snapshot",
        "DELETE FROM jobs_tombstone",
        "UPDATE jobs_tombstone SET seen = 9",
    ):
        with (
            pytest.raises(DatabaseError, match="Cannot"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_what_is_young_stays(job, project):
    young = NOW + timedelta(days=30, minutes=4)
    assert pruned(project, now=young) == [(1, 2, 1)]
    assert numbers(job, Tombstone) == [2, 3]


def kept_by_default(project, job, admin):
    project.keeps = "all"


def unfinished(project, job, admin):
    record([observe(job, "poll", NOW + timedelta(hours=1), 200, body(status="running"))])


def a_word_nobody_knows(project, job, admin):
    record([observe(job, "poll", NOW + timedelta(hours=1), 200, body(status="resting"))])


def held(project, job, admin):
    Hold.objects.create(job=job, reason="asked for by the bank", actor=admin, made_at=NOW)


@pytest.mark.parametrize("why", [kept_by_default, unfinished, a_word_nobody_knows, held])
def test_all_stays_of_a_job_that_is(why, job, project, admin):
    why(project, job, admin)
    before = Snapshot.objects.count()
    assert sum(one[1] for one in pruned(project)) == 0
    assert (Snapshot.objects.count(), Miss.objects.count()) == (before, 1)


def test_all_stays_while_it_is_under_review(job, project, admin):
    lossy = history(project, "lossy", end=PART)
    assert lossy.review == "waiting"
    assert pruned(project) == [(1, 4, 1)]
    decide(lossy, state="to_fix", actor=admin, now=NOW, note="")
    assert pruned(project) == [(0, 0, 0)]
    decide(lossy, state="accepted", actor=admin, now=NOW, note="known")
    assert pruned(project) == [(1, 4, 1)]


def test_a_dry_run_counts_the_same_and_removes_nothing(job, project):
    said = run("--dry-run")
    assert "p1: would remove 4 replies (" in said
    assert (Snapshot.objects.count(), Tombstone.objects.count(), Miss.objects.count()) == (10, 0, 1)
    assert run("--project", "p1").replace("removed", "would remove") == said
    assert Snapshot.objects.count() == 6


def test_the_rule_is_each_projects_own(job, project):
    other = Project.objects.create(project_id="p2")
    history(other)
    assert "p2: keeps all." in run()
    assert Snapshot.objects.filter(job__project=other).count() == 10
    with pytest.raises(CommandError, match="no project 'p9'"):
        run("--project", "p9")


def test_small_batches_do_the_same(job, project, monkeypatch):
    for number in range(4):
        history(project, f"more {number}")
    monkeypatch.setattr(prune_module, "BATCH_JOBS", 2)
    assert pruned(project) == [(2, 8, 2), (2, 8, 2), (1, 4, 1)]
    assert "Nothing wrong" in verify()


def test_what_cannot_be_read_stays():
    told = [
        ReplyContent(n, "poll", 1, NOW + timedelta(minutes=n), word, b"")
        for n, word in enumerate([("a", None)] * 4)
    ]
    assert [one.id for one in redundant(told, keep_changes=True)] == [1, 2]
    unread = [*told[:1], ReplyContent(1, "poll", 1, NOW, None, None), *told[2:]]
    assert [one.id for one in redundant(unread, keep_changes=False)] == [2]


def test_the_job_page_says_what_was_removed(job, project, client, admin):
    client.force_login(admin)
    said = "responses with no new information were deleted by retention"
    assert said not in client.get(f"/jobs/{job.pk}/history/").content.decode()
    pruned(project)
    assert f"4 {said}" in client.get(f"/jobs/{job.pk}/history/").content.decode()


def test_the_worker_prunes_each_night_and_leaves_off_when_it_stops(job, project):
    kept = history(type(project).objects.create(project_id="p2"))
    polling_client.stop_requested.set()
    tasks.retain()
    polling_client.reset()
    assert Pruning.objects.count() == 1  # a batch that was begun is ended
    tasks.retain()
    assert numbers(job, Tombstone) == [2, 3, 5, 7]
    assert not Tombstone.objects.filter(job=kept).exists()


@pytest.fixture
def owner(client, project):
    user = User.objects.create_user("olga")
    project.membership_set.create(user=user, role="owner")
    client.force_login(user)
    return client


def test_an_owner_sees_what_would_go_and_sets_the_rule(owner, project):
    history(project)
    address = f"/projects/{project.pk}/"
    assert "Retention" in owner.get(address).content.decode()
    rule = {"keeps": "changes", "keep_days": "30"}
    said = owner.post(f"{address}retention/", rule | {"count": "1"}).content.decode()
    assert "4 responses (" in said
    assert "of 1 jobs and 1 runs of failed polls would be deleted." in said
    project.refresh_from_db()
    assert (project.keeps, Tombstone.objects.count()) == ("all", 0)
    assert (
        "Saved. What the rule no longer keeps is deleted overnight."
        in owner.post(f"{address}retention/", rule, follow=True).content.decode()
    )
    project.refresh_from_db()
    assert (project.keeps, project.keep_days) == ("changes", 30)
    assert AuditEntry.objects.filter(what="project", deed="changed", actor="olga").count() == 1
    tasks.retain()
    assert re.search(r"\b4 responses \([^)]*\) deleted so far", owner.get(address).content.decode())


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"keeps": "some"}, "expected all, changes, ends"), ({"keep_days": "0"}, "“0” is not a valid number of days"), ({"keep_days": "ten"}, "“ten” is not a valid number of days"),
     ({"keep_days": "٣"}, "expected a whole number from 1 to 36,500"), ({"keep_days": "36501"}, "“36501”"), ({"keep_days": "\x00"}, "is not a valid number of days")],
)  # fmt: skip
def test_a_rule_that_wont_do_is_a_sentence_and_nothing_is_kept(owner, project, typed, said):
    answer = owner.post(
        f"/projects/{project.pk}/retention/", {"keeps": "ends", "keep_days": "30", **typed}
    )
    assert (answer.status_code, said in answer.content.decode()) == (400, True)
    project.refresh_from_db()
    assert project.keeps == "all"
