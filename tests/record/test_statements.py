"""How many statements recording takes, however many polled replies there are, and whatever is among them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from jobs.decisions.corrections import NewCorrection, correct_all
from jobs.ges.errors import Unreachable
from jobs.models import (
    Cause,
    Contradiction,
    Correction,
    Graph,
    ImportFile,
    Job,
    Miss,
    Review,
    Snapshot,
    Watch,
)
from jobs.polling import commit, usual
from jobs.record import Observation, find_graph, find_jobs, rebuild, record
from tests.imports import file, reply_body
from tests.polling.test_worker_round import rows_read, statements
from tests.record.test_recorder import wait_for_waiting

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 8
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
GREEN, RED = {"cause": "a green label"}, {"cause": "a red label"}

#: What became of each job before the batch (hours ago, source, reply), and what the batch says of it.
STORIES = {
    "first heard": ([], [file("a", 3, **GREEN)]),
    "files": (
        [(9, "poll", [file("a", 1, **GREEN), file("b", 2, **GREEN)])],
        [file("a", 3, **RED), file("c", kind="edge")],
    ),
    "odd": ([(9, "poll", [file("a", 0, 9)])], [file("a", 0, 5)]),
    # A proxy's reply was seen after the one of this batch was asked for.
    "late, still odd": (
        [(9, "poll", [file("a", 0, 9)]), (-1, "proxy", [file("a", 0, 5)])],
        [file("a", 0, 7)],
    ),
    "late, not odd": (
        [(9, "poll", [file("a", 0, 9)]), (-1, "proxy", [file("a", 0, 5)])],
        [file("a", 0, 4)],
    ),
    "missed": ([(9, "poll", [file("a")])], Unreachable("no way there")),
    "missed again": ([(9, "poll", [file("a")]), (8, "poll", None)], Unreachable("no way there")),
    "unreadable": ([(9, "poll", [file("a")])], b"<html>"),
    "repeated": ([(9, "poll", [file("a")])], [file("a")]),
    "repeated beside a proxy": (
        [(9, "poll", [file("a")]), (8, "proxy", [file("a", 1)])],
        [file("a")],
    ),
    "corrected": ([(9, "poll", [file("a", 1, **GREEN)])], [file("a", 2, **RED)]),
    "decided": ([(9, "poll", [file("a", 1, **GREEN)])], [file("a", 2, **GREEN)]),
    "tolerated": ([(9, "poll", [file("a", 1, 999)])], [file("a", 2, 998)]),
    "of a former version": ([(9, "poll", [file("a")])], Unreachable("no way there")),
    "runs long": ([(9, "poll", [file("a", None)])], [file("a", None), file("b", None)]),
}


def story_of(job):
    return job.job_id.split("#")[0]


def reply(job, files):
    running = (
        {"status": "running", "took": None}
        if story_of(job) == "runs long"
        else {"status": "partiallyFailed"}
    )
    return reply_body(job.job_id, *files, begin=NOW - 6 * HOUR, **running)


def told(job, at, source, says):
    """An observation of this job; `says`: its files, a body that is no status, an error or, for none, that nothing came."""
    if says is None or isinstance(says, Exception):
        return Observation(job, source, at, None, None, error=says or Unreachable("no way there"))
    content = says if isinstance(says, bytes) else reply(job, says)
    return Observation(job, source, at, 200, content, unread=source == "poll")


@pytest.fixture
def lived(project, admin):
    """So many jobs of all stories, all due."""

    def live(count):
        stories = list(STORIES)
        graphs = {story: find_graph(project, f"g{at}") for at, story in enumerate(stories)}
        Graph.objects.filter(pk=graphs["tolerated"].pk).update(tolerated_loss="0.1")
        names = [stories[number % len(stories)] for number in range(count)]
        jobs = find_jobs(
            project,
            [
                (graphs[name], f"{name}#{number}", NOW - 9 * HOUR)
                for number, name in enumerate(names)
            ],
        )
        past = []
        for job in jobs.values():
            for ago, source, says in STORIES[story_of(job)][0]:
                past.append(told(job, NOW - ago * HOUR, source, says))
        for one in past:
            if one.error is None:
                one.read()
        record(past)
        of = {name: [job for job in jobs.values() if story_of(job) == name] for name in stories}
        fixes = [
            NewCorrection(job, "cause", "a blue label", "vertex", 0) for job in of["corrected"]
        ]
        fixes += [NewCorrection(job, "verdict", "success") for job in of["corrected"]]
        correct_all(fixes, reason="looked", actor=admin, now=NOW - 7 * HOUR)
        for job in of["decided"]:
            Review.objects.create(
                job=job, state="to_fix", note="n", actor=admin, made_at=NOW - 7 * HOUR
            )
        Job.objects.filter(pk__in=[job.pk for job in of["of a former version"]]).update(
            changed_at=None
        )
        Watch.objects.bulk_create([Watch(job=job, next_poll_at=NOW) for job in jobs.values()])
        usual.reset()
        return list(jobs.values())

    return live


def rows():
    """What is derived, without keys."""
    derived = [field.name for field in Job._meta.concrete_fields if field.name != "changed_at"]
    files = [field.name for field in ImportFile._meta.concrete_fields if field.name != "id"]
    odd = [field.name for field in Contradiction._meta.concrete_fields if field.name != "id"]
    return [
        list(model.objects.order_by(*order).values(*names))
        for model, names, order in (
            (Job, derived, ["pk"]),
            (ImportFile, files, ["job", "kind", "position"]),
            (Contradiction, odd, ["job", "seen_at", "kind"]),
        )
    ]


def finished(claimed):
    """Record what the batch says of these, by the statements that this takes."""
    seen = [told(one, NOW, "poll", STORIES[story_of(one)][1]) for one in claimed]
    return statements(lambda: commit.record_and_plan(seen, 1, {one.pk: one for one in claimed}))


@pytest.mark.parametrize("count", [30, 500])
def test_a_batch_of_everything_takes_few_statements(lived, count):
    jobs = lived(count)
    odd_before = dict(Contradiction.objects.values_list("job__job_id", "says"))
    claimed = Watch.objects.claim_due(jobs[0].project, 1, NOW, count)
    asked = finished(claimed)
    recording = [sql for sql in asked if "jobs_tally" not in sql]
    assert not Watch.objects.exclude(lease=None).exists()
    happened(odd_before)
    derived = rows()
    rebuild(jobs, with_contradictions=True)
    assert rows() == derived, "what was recorded in bulk is what the stored replies say"
    assert len(recording) <= MOST, "\n".join(sql[:200] for sql in recording)


def happened(odd_before):
    """That the batch had it all."""
    outcomes = dict(
        Snapshot.objects.filter(first_seen_at=NOW).order_by().values_list("job__job_id", "seen")
    )
    assert {name.split("#")[0] for name in outcomes} == {
        "first heard", "files", "odd", "late, still odd", "late, not odd", "corrected", "decided", "tolerated", "runs long",
    }  # fmt: skip
    again = Snapshot.objects.filter(seen=2).values_list("job__job_id", flat=True)
    assert {name.split("#")[0] for name in again} == {"repeated", "repeated beside a proxy"}
    assert dict(Miss.objects.order_by().values_list("job__job_id", "seen")).items() >= {
        ("missed again#6", 2),
        ("missed#5", 1),
    }
    assert set(Miss.objects.values_list("kind", flat=True)) == {"unreachable", "html"}
    files = ImportFile.objects.filter(job__job_id="files#1")
    assert list(files.order_by("kind").values_list("kind", "position", "path", "failed_lines")) == [
        ("edge", 0, "c", 0), ("vertex", 0, "a", 3),
    ]  # fmt: skip
    assert set(Cause.objects.values_list("example", flat=True)) == {
        "a green label",
        "a red label",
        "a blue label",
    }
    odd = dict(Contradiction.objects.values_list("job__job_id", "says"))
    assert {name.split("#")[0] for name in odd_before} == {"late, still odd", "late, not odd"}
    assert odd["odd#2"]
    states = {
        name.split("#")[0]: state
        for name, state in Job.objects.values_list("job_id", "review")
        if state
    }
    assert (states["files"], states["decided"], states["tolerated"]) == (
        "waiting",
        "to_fix",
        "tolerated",
    )
    assert set(Correction.objects.filter(field="cause").values_list("newest", "flag")) == {
        ("a red label", "contradicted")
    }
    assert not Job.objects.filter(changed_at=None, observed_at__isnull=False).exists()


def test_nothing_of_a_batch_is_compared_all_with_all(lived):
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE"
        )  # nothing is stored yet: PostgreSQL expects a few rows of everything
        [first, *_] = lived(450)
        claimed = Watch.objects.claim_due(first.project, 1, NOW, 450)
        with transaction.atomic():
            asked = finished(claimed)
            transaction.set_rollback(True)
        for sql in asked:
            if not sql.startswith("COPY") and "jobs_tally" not in sql:
                read = explained(cursor, sql.partition("NO SCROLL CURSOR FOR")[2] or sql)
                assert read < 60 * len(claimed), sql[:300]


def explained(cursor, sql):
    """How many rows it reads and compares; what it changes is undone."""
    with transaction.atomic():
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [[plan]] = cursor.fetchone()
        transaction.set_rollback(True)
    return rows_read(plan["Plan"])


def test_a_batch_that_waits_for_another_writer_folds_what_that_one_stored(lived):
    """What stands beside a job is read once the job is held, not as it was when the wait began."""
    jobs = lived(len(STORIES))
    claimed = Watch.objects.claim_due(jobs[0].project, 1, NOW, len(jobs))

    def finish():
        finished(claimed)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            meanwhile = [told(job, NOW - HOUR, "proxy", [file("z", 7, 1, **RED)]) for job in jobs]
            for one in meanwhile:
                one.read()
            record(meanwhile)
            waiting = pool.submit(finish)
            wait_for_waiting(1)
        waiting.result()
    assert not Watch.objects.quarantined().exists()
    for job in Job.objects.filter(snapshots__source="poll", snapshots__first_seen_at=NOW):
        assert job.snapshots.count() == job.snapshot_count == job.chain_length
    derived = rows()
    rebuild(jobs, with_contradictions=True)
    assert rows() == derived
