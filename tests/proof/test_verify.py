"""Sealing and verifying: whatever is changed behind gesdash's back is found and named."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from bench.chaining import chain_stored_replies
from jobs.chain.forms import head_leaf
from jobs.chain.merkle import Root
from jobs.models import Checkpoint, ImportFile, Job, Project, Snapshot, Verification
from jobs.proof.kept_checkpoint import as_file
from jobs.proof.seal import DoesNotFit, seal, seal_all, state
from jobs.record import find_graph, find_jobs, observe, record
from tests.factories import NOW, body


def tell(project, seconds, *job_ids, source="poll", **said):
    at = NOW + timedelta(seconds=seconds)
    jobs = find_jobs(project, [(find_graph(project, "g1"), job_id, NOW) for job_id in job_ids])
    record([observe(jobs[job_id], source, at, 200, body(job_id, **said)) for job_id in job_ids])


@pytest.fixture
def sealed(project):
    """Three jobs of three replies each, sealed twice, and one reply that is not."""
    tell(project, 0, "j1", "j2", "j3", status="pending")
    tell(project, 1, "j1", "j2", "j3", status="running")
    seal(project, now=NOW)
    tell(
        project,
        2,
        "j1",
        "j2",
        "j3",
        jobDetail={"vertexsetPath": [{"path": "v.csv", "status": "success"}]},
    )
    seal(project, now=NOW + timedelta(hours=1))
    tell(project, 3, "j3", jobProgress="100")
    return project


def verify(*options, code=0):
    out, err, got = io.StringIO(), io.StringIO(), 0
    try:
        call_command("verify", *options, stdout=out, stderr=err)
    except SystemExit as end:
        got = end.code
    assert got == code, out.getvalue()
    return out.getvalue()


def tamper(statement, *values):
    """As somebody with all rights to the database would: no trigger, no foreign key is looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        assert cursor.rowcount > 0
        cursor.execute("SET session_replication_role = DEFAULT")


def test_a_checkpoint_is_the_tree_of_the_heads_by_the_bytes_of_their_ids(sealed):
    tell(sealed, 9, "J1", "j10", "é")
    made = seal(sealed, now=NOW)
    tree = Root()
    jobs = sorted(Job.objects.all(), key=lambda job: job.job_id.encode())
    assert [job.job_id for job in jobs] == ["J1", "j1", "j10", "j2", "j3", "é"]
    for job in jobs:
        tree.add(head_leaf(job.job_id, job.chain_length, bytes(job.chain_link)))
    assert (made.number, made.jobs, made.replies, bytes(made.root)) == (3, 6, 13, tree.value())
    assert bytes(made.before) == bytes(Checkpoint.objects.get(number=2).digest)


def test_only_news_is_sealed_and_each_project_apart(sealed):
    other = Project.objects.create(project_id="p2")
    assert seal_all(now=NOW) == 1
    assert seal_all(now=NOW) == 0
    tell(other, 0, "j1")
    assert seal_all(now=NOW) == 1
    assert other.checkpoints.get().jobs == 1
    assert [one.number for one in sealed.checkpoints.order_by("number")] == [1, 2, 3]


def test_an_older_checkpoint_still_fits_when_more_has_come(sealed):
    first = Checkpoint.objects.get(number=1)
    assert state(sealed, first.up_to) == (3, 6, bytes(first.root))
    assert "p1: walked 3 jobs, 10 replies, 0 removed replies, 2 checkpoints." in verify(
        "--every-checkpoint"
    )


def test_clean_verification_is_reported_and_kept(sealed):
    assert verify().endswith("Nothing wrong was found.\n")
    made = Verification.objects.get()
    assert (made.jobs, made.replies, made.checkpoints, made.faults, made.sentences) == (
        3,
        10,
        2,
        0,
        [],
    )


def reply(job_id, number):
    return Snapshot.objects.get(job__job_id=job_id, number=number)


FACTS = [
    ("body = body || ' '", "the SHA-256 of its body is"),
    ("body = body || ' ', sha256 = sha256(body || ' ')", "its link is"),
    ("sha256 = sha256('x')", "the SHA-256 of its body is"),
    ("first_seen_at = first_seen_at - interval '1 microsecond'", "its link is"),
    ("source = 'proxy'", "its link is"),
    ("version = 2", "its link is"),
    ("http_status = 201", "its link is"),
    ("content_type = 'text/plain'", "its link is"),
    ("link = sha256(link)", "its link is"),
    ("seen = 3", "it was seen 3 times"),
    ("last_seen_at = last_seen_at + interval '1 s'", "it was seen 1 times"),
]


@pytest.mark.parametrize(("change", "said"), FACTS)
def test_a_changed_fact_is_found_and_its_reply_named(sealed, change, said):
    one = reply("j2", 2)
    tamper(f"UPDATE jobs_snapshot SET {change} WHERE id = %s", one.pk)
    found = verify(code=1)
    assert f"Project p1, job j2, response {one.pk}: {said}" in found
    assert "1 faults." in found
    assert Verification.objects.get().sentences[0]["values"]["reply"] == str(one.pk)


def test_a_swapped_order_is_found(sealed):
    first, second = reply("j2", 1), reply("j2", 2)
    tamper("UPDATE jobs_snapshot SET number = 99 WHERE id = %s", first.pk)
    tamper("UPDATE jobs_snapshot SET number = 1 WHERE id = %s", second.pk)
    tamper("UPDATE jobs_snapshot SET number = 2 WHERE id = %s", first.pk)
    assert f"job j2, response {second.pk}: its link is" in verify(code=1)


def test_a_removed_reply_is_found_wherever_it_stood(sealed):
    after = reply("j2", 3).pk
    tamper("DELETE FROM jobs_snapshot WHERE id = %s", reply("j2", 2).pk)
    assert f"job j2, response {after}: its number is 3; expected 2" in verify(code=1)
    tamper("DELETE FROM jobs_snapshot WHERE id = %s", reply("j3", 4).pk)
    assert "job j3: the chain ends with response number 3" in verify("--job", "j3", code=1)


def test_a_reply_put_in_is_found(sealed):
    tamper(
        """INSERT INTO jobs_snapshot (job_id, source, version, http_status, content_type, body, sha256, first_seen_at,
        last_seen_at, seen, number, link) SELECT job_id, source, version, http_status, content_type, '{}', sha256('{}'),
        now(), now(), 1, 5, link FROM jobs_snapshot WHERE id = %s""",
        reply("j3", 4).pk,
    )
    assert f"job j3, response {Snapshot.objects.latest('pk').pk}: its link is" in verify(code=1)


def test_a_removed_job_shows_against_the_checkpoint(sealed):
    job = Job.objects.get(job_id="j2").pk
    tamper("DELETE FROM jobs_snapshot WHERE job_id = %s", job)
    tamper("DELETE FROM jobs_importfile WHERE job_id = %s", job)
    tamper("DELETE FROM jobs_job WHERE id = %s", job)
    found = verify(code=1)
    assert (
        "Project p1, checkpoint 2 of 2026-03-04T13:00:00.000000Z: the stored responses give 2 jobs, 6 responses"
        in found
    )
    assert "expected 3 jobs, 9 responses" in found


def test_recomputed_chain_fails_the_checkpoint_and_is_not_sealed(sealed):
    one = reply("j2", 2)
    tamper("UPDATE jobs_snapshot SET first_seen_at = first_seen_at - interval '1 s', last_seen_at = last_seen_at - interval '1 s' WHERE id = %s", one.pk)  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        chain_stored_replies(cursor)
        cursor.execute("SET session_replication_role = DEFAULT")
    found = verify(code=1)
    assert "checkpoint 2 of" in found
    assert "1 faults." in found
    assert "checkpoint 1 of" in verify("--every-checkpoint", code=1)
    with pytest.raises(DoesNotFit, match="Checkpoint 2 of project p1"):
        seal(sealed, now=NOW)
    assert seal_all(now=NOW) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "DELETE FROM jobs_checkpoint WHERE number = 1",
            "checkpoint 1 is missing; the next existing one is number 2",
        ),
        (
            "DELETE FROM jobs_checkpoint WHERE number = 2",
            "checkpoint 2 is missing; it existed when verified on",
        ),
        (
            "UPDATE jobs_checkpoint SET sealed_at = sealed_at - interval '1 s' WHERE number = 1",
            "checkpoint 1: its digest is",
        ),
        (
            "UPDATE jobs_checkpoint SET before = digest WHERE number = 2",
            "checkpoint 2: its digest is",
        ),
        (
            "UPDATE jobs_checkpoint SET root = sha256(root) WHERE number = 2",
            "checkpoint 2: its digest is",
        ),
    ],
)
def test_a_changed_or_removed_checkpoint_is_found(sealed, change, said):
    verify()
    tamper(change)
    assert f"Project p1{':' if 'missing' in said else ','} {said}" in verify(code=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE jobs_job SET verdict = 'failed' WHERE job_id = 'j2'",
            "verdict is failed; expected success",
        ),
        (
            "UPDATE jobs_job SET snapshot_count = 9 WHERE job_id = 'j2'",
            "snapshot_count is 9; expected 3",
        ),
        (
            "UPDATE jobs_importfile SET failed_lines = 7",
            "vertex file 0, failed_lines is 7; expected None",
        ),
        ("DELETE FROM jobs_importfile", "vertex file 0 is missing; expected stored"),
    ],
)
def test_row_that_differs_from_its_replies_is_reported_and_not_changed(sealed, change, said):
    tamper(change)
    before = (
        list(Job.objects.order_by("pk").values()),
        list(ImportFile.objects.order_by("pk").values()),
    )
    assert f"Project p1, job j2: {said}" in verify(code=1)
    assert (
        list(Job.objects.order_by("pk").values()),
        list(ImportFile.objects.order_by("pk").values()),
    ) == before


def test_a_checkpoint_kept_outside_is_compared(sealed, tmp_path, monkeypatch):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(as_file(Checkpoint.objects.get(number=1))))
    assert "Nothing wrong" in verify("--checkpoint", str(kept))
    monkeypatch.setattr("sys.stdin", io.StringIO(kept.read_text()))
    assert "Nothing wrong" in verify("--checkpoint", "-")
    tamper("DELETE FROM jobs_checkpoint")
    tamper("DELETE FROM jobs_snapshot WHERE id = %s", reply("j1", 1).pk)
    tamper("UPDATE jobs_snapshot SET link = sha256(link) WHERE id = %s", reply("j1", 2).pk)
    found = verify("--checkpoint", str(kept), code=1)
    assert "checkpoint 1, of which an external copy exists, is missing" in found
    assert (
        "checkpoint 1 of 2026-03-04T12:00:00.000000Z: the stored responses give 3 jobs, 6 responses"
        in found
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x", "not a checkpoint"),
        ("[]", 'expected an object with "gesdash": "checkpoint 1"'),
        ({"root": "00"}, "root: expected 64 hex digits, got '00'"),
        ({"jobs": True}, "jobs: expected a whole number, got True"),
        ({"sealed_at": "noon"}, "sealed_at: expected a time"),
        ({"project_id": "p9"}, "There is no project 'p9'"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_one_sentence(sealed, tmp_path, content, said):
    kept = tmp_path / "kept.json"
    good = as_file(Checkpoint.objects.get(number=1))
    kept.write_text(content if isinstance(content, str) else json.dumps(good | content))
    with pytest.raises(CommandError) as wrong:
        call_command("verify", "--checkpoint", str(kept))
    assert said in str(wrong.value)


def test_an_edited_file_is_found(sealed, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(as_file(Checkpoint.objects.get(number=1)) | {"jobs": 4}))
    assert "external copy of checkpoint 1: its digest is" in verify(
        "--checkpoint", str(kept), code=1
    )


def test_a_part_is_walked_and_an_unknown_one_named(sealed):
    assert "walked 1 jobs, 4 replies, 0 removed replies, 0 checkpoints" in verify("--job", "j3")
    assert "walked 3 jobs" in verify("--project", "p1")
    for option in ("--job", "--project"):
        with pytest.raises(CommandError, match="There is no"):
            call_command("verify", option, "other")


@pytest.mark.parametrize("table", ["checkpoint", "snapshot"])
@pytest.mark.parametrize("change", ["DELETE FROM jobs_{}", "UPDATE jobs_{} SET number = 9"])
def test_evidence_is_refused_a_change(sealed, table, change):
    with (
        pytest.raises(DatabaseError, match="Cannot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(table))
