"""Moving house: what one gesdash exports, an empty one ingests, and both have the same jobs and the same chains."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command

from jobs.models import (
    Cause,
    Checkpoint,
    Contradiction,
    Graph,
    ImportFile,
    Job,
    Miss,
    Project,
    Pruning,
    Snapshot,
    Tombstone,
)
from jobs.proof.seal import seal, state
from jobs.record import find_jobs, observe, record
from jobs.retention.prune import prune
from tests.factories import NOW, body
from tests.management.test_commands import exported, ingest  # noqa: F401  a fixture
from tests.proof.test_verify import tamper, verify
from tests.record.test_recorder import live
from tests.retention.test_prune import LATER, history

RUNS = [
    "job__job_id",
    "number",
    "link",
    "sha256",
    "source",
    "version",
    "http_status",
    "content_type",
    "first_seen_at",
    "last_seen_at",
    "seen",
]
MISSES = [
    "job__job_id",
    "source",
    "kind",
    "detail",
    "http_status",
    "body",
    "first_seen_at",
    "last_seen_at",
    "seen",
]
HEADS = ["job_id", "chain_length", "chain_link"]


def stands():
    """All of it that has to be the same in the other house."""
    return (
        exported("jobs"),
        exported("files"),
        list(Snapshot.objects.order_by("job__job_id", "number").values_list(*RUNS, "body")),
        list(Tombstone.objects.order_by("job__job_id", "number").values_list(*RUNS, "size")),
        list(Miss.objects.order_by("job__job_id", "first_seen_at", "kind").values_list(*MISSES)),
        list(Job.objects.order_by("job_id").values_list(*HEADS)),
    )


def leave():
    """An empty house: the same database without a row of it."""
    for model in (
        Contradiction,
        Snapshot,
        Tombstone,
        Pruning,
        Checkpoint,
        Miss,
        ImportFile,
        Cause,
        Job,
        Graph,
        Project,
    ):
        if model.objects.exists():
            tamper(f"DELETE FROM {model._meta.db_table}")


def moved(ingest, what="history"):  # noqa: F811
    rows = [json.dumps(row, ensure_ascii=False) + "\n" for row in exported(what)]
    leave()
    assert not Job.objects.exists()
    return rows, ingest(*rows)


@pytest.fixture
def house(project, admin):
    """Jobs as they are polled, listed, missed and told late; two doors, another encoding, a graph that is only a name."""
    project.keeps, project.keep_days = "changes", 30
    project.save()
    live(project, admin)
    for name in ("j1", "j2"):
        history(project, name)
    gone = Graph.objects.create(project=project, name="gone", is_deleted=True)
    job = find_jobs(project, [(gone, "on a gone graph", NOW)])["on a gone graph"]
    for seconds, said in ((0, "a"), (9, "b"), (4, "a"), (12, "b")):
        record(
            [
                observe(
                    job,
                    "poll",
                    NOW + timedelta(seconds=seconds),
                    200,
                    body(job.job_id, jobProgress=said),
                )
            ]
        )
    odd = observe(
        job, "proxy", NOW, 200, body(job.job_id, jobName="\u4e2d").decode().encode("utf-16")
    )
    odd.content_type = "application/json;charset=utf-16"
    record([odd])
    return project


def uncorrected(project):
    """What people did stays in the old house: only what GES said moves."""
    tamper("DELETE FROM jobs_correction")
    tamper("DELETE FROM jobs_review")
    Graph.objects.update(tolerated_loss=None)
    call_command("rebuild", stdout=io.StringIO())


def test_the_same_jobs_and_the_same_chains(house, ingest):  # noqa: F811
    uncorrected(house)
    list(prune(house, now=LATER))
    before = stands()
    assert [len(part) > 3 for part in before] == [True] * 6
    there = seal(house, now=NOW)
    rows, (summary, said, _) = moved(ingest)
    assert (summary["read"], summary["rejected"], said) == (len(rows), 0, "")
    assert stands() == before
    new = Project.objects.get()
    assert state(new, 2**62) == (there.jobs, there.replies, bytes(there.root))
    assert "Nothing wrong" in verify()
    again, _, _ = ingest(*rows)
    assert again["recorded"] == 0
    assert stands() == before


def test_replies_alone_keep_their_chains_too(house, ingest):  # noqa: F811
    uncorrected(house)
    before = stands()
    moved(ingest, "snapshots")
    after = stands()
    assert (after[2], after[5]) == (before[2], before[5])
    assert not Miss.objects.exists()


def test_altered_line_is_refused_or_reported(project, ingest):  # noqa: F811
    history(project)
    rows = exported("history")
    leave()
    rows[1]["body"] += " "
    rows[5]["observed_at"] = "2026-03-04T12:05:00.5Z"
    rows[5]["last_seen_at"] = "2026-03-04T12:05:00.5Z"
    summary, said, _ = ingest(*(json.dumps(row) + "\n" for row in rows), code=1)
    assert summary["rejected"] == 1
    assert "line 2: sha256: it is not that of the body, which is not as it was exported." in said
    assert "line 3: recorded, but its link does not continue the chain of job j1 here." in said
    assert "Nothing wrong" in verify()
    assert Snapshot.objects.count() == 9


def test_a_removed_reply_without_its_place_is_refused(project, ingest):  # noqa: F811
    project.keeps = "changes"
    history(project)
    list(prune(project, now=LATER))
    rows = exported("history")
    leave()
    [lost] = [row for row in rows if row["number"] == 4]
    summary, said, rejects = ingest(json.dumps(lost) + "\n", code=1)
    assert summary == {"read": 1, "recorded": 0, "repeated": 0, "misses": 0, "rejected": 1}
    assert "line 1: link: removed reply 4 of job j1 does not continue its chain here." in said
    assert json.loads(rejects) == lost
    assert not Tombstone.objects.exists()


def test_a_longer_run_prolongs_the_one_that_is_here(project, ingest):  # noqa: F811
    history(project)
    [row] = exported("snapshots")[-1:]
    row |= {"last_seen_at": "2026-03-04T13:00:00Z", "seen": 5}
    for _ in range(2):
        ingest(json.dumps(row) + "\n")
        one = Snapshot.objects.get(number=row["number"])
        assert (one.seen, one.last_seen_at) == (5, NOW + timedelta(hours=1))


def test_an_export_of_a_former_version_brings_its_runs(project, ingest):  # noqa: F811
    history(project)
    before = list(
        Snapshot.objects.order_by("first_seen_at").values_list(
            "sha256", "source", "first_seen_at", "seen"
        )
    )
    rows = [
        {
            key: value
            for key, value in row.items()
            if key not in {"number", "link", "version", "content_type"}
        }
        for row in exported("snapshots")
    ]
    leave()
    _, said, _ = ingest(*(json.dumps(row) + "\n" for row in rows))
    assert said == ""
    assert (
        list(
            Snapshot.objects.order_by("first_seen_at").values_list(
                "sha256", "source", "first_seen_at", "seen"
            )
        )
        == before
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "rumour"}, "source: expected poll, proxy, list, ingest, got 'rumour'"),
        ({"seen": 0}, "seen: expected a whole number from 1 to"),
        ({"seen": 1, "last_seen_at": "2026-03-05T00:00:00Z"}, "does not fit 1 times seen"),
        ({"last_seen_at": "2026-03-03T00:00:00Z"}, "does not fit 1 times seen"),
        ({"last_seen_at": "soon"}, "last_seen_at: expected a time"),
        ({"version": 3}, "version: expected a whole number from 1 to 2, got 3"),
        ({"link": "abc"}, "link: expected 64 hex digits, got 'abc'"),
        ({"number": None}, "number: expected a whole number"),
        ({"sha256": 7}, "sha256: expected 64 hex digits"),
        ({"content_type": "x" * 256}, "content_type: expected text of at most 255 characters"),
        ({"miss": ""}, "miss: expected a kind"),
        ({"graph_id": None, "graph_name": None}, "graph_id: expected text"),
    ],
)
def test_a_wrong_value_is_named(project, ingest, change, said):  # noqa: F811
    history(project)
    row = exported("history")[0] | change
    _, told, _ = ingest(json.dumps(row) + "\n", code=1)
    assert told.startswith("line 1: ")
    assert said in told
