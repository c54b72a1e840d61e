"""The commands of manage.py: ingest, export, watch, key, rebuild and their errors."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gesdash import database, env
from jobs.decisions.corrections import correct, revert
from jobs.decisions.review import decide, save_note
from jobs.management.commands import export
from jobs.management.commands.export import WRITERS
from jobs.models import AccessKey, Cause, ImportFile, Job, Watch
from jobs.record import find_jobs, observe, record
from tests.factories import NOW, body
from tests.servers import database_url

ROOT = Path(__file__).parents[2]
SAMPLE = {
    "jobId": "ff80808167f09aaa0167f19b35ec0305", "status": "success", "jobType": "GraphManagement", "jobName": "ImportGraph",
    "relatedGraph": "GES_UI_AUTO", "beginTime": "2018-11-27T21:39:00", "endTime": "2018-11-27T21:39:56",
    "jobDetail": {
        "vertexsetPath": [{"path": "ges-ui/auDatas/list_set_vertex.csv", "log": None, "cause": None, "status": "success"}],
        "edgesetPath": [{"path": "ges-ui/auDatas/list_set_edge.csv", "log": None, "cause": None, "status": "success"}],
        "schemaPath": [{"path": "ges-ui/auDatas/list_set_schema.xml", "log": None, "cause": None, "status": "success"}],
    },
    "jobProgress": 0,
}  # fmt: skip


def line(content, job_id=SAMPLE["jobId"], **change):
    fields = {
        "project_id": "p",
        "graph_id": "g",
        "job_id": job_id,
        "observed_at": "2018-11-28T00:00:00Z",
        "http_status": 200,
    }
    return json.dumps({**fields, "body": content, **change}) + "\n"


@pytest.fixture
def ingest(tmp_path, capsys):
    def run(*lines, code=0):
        path = tmp_path / "in.jsonl"
        path.write_text("".join(lines))
        try:
            call_command("ingest", str(path), "--rejects", str(tmp_path / "rejects"))
            got = 0
        except SystemExit as end:
            got = end.code
        assert got == code
        said = capsys.readouterr()
        return json.loads(said.out.splitlines()[-1]), said.err, (tmp_path / "rejects").read_text()

    return run


def exported(what="jobs", *options):
    out = io.StringIO()
    call_command("export", what, *options, stdout=out)
    return [json.loads(row) for row in out.getvalue().splitlines()]


def test_the_documented_sample(db, ingest):
    ingest(line(json.dumps(SAMPLE)))
    [job] = exported()
    assert (job["verdict"], job["ledger"], job["loss_rate"]) == ("success", "cannot_tell", None)
    assert job["lines"]["all"] == {
        "total": None,
        "failed": None,
        "successful": None,
        "complete": False,
    }
    assert [(file["kind"], file["total_lines"]) for file in job["files"]] == [
        ("schema", None),
        ("vertex", None),
        ("edge", None),
    ]


def test_the_sample_with_counts(db, ingest):
    counted = json.loads(json.dumps(SAMPLE))
    detail = counted["jobDetail"]
    detail["vertexsetPath"][0] |= {
        "status": "partFailed",
        "totalLines": 1659,
        "failedLines": 450,
        "successfulLines": 1209,
    }
    detail["edgesetPath"][0] |= {"totalLines": 1000, "failedLines": 0, "successfulLines": 1000}
    ingest(line(counted))
    [job] = exported()
    assert (job["verdict"], job["ledger"], job["loss_rate"]) == ("partial", "adds_up", 0.1692)
    assert len(exported("files")) == 3


def test_twice_changes_nothing(db, ingest):
    rows = [
        line(SAMPLE),
        line("<html>", "other"),
        line(SAMPLE | {"status": "running"}, observed_at="2018-11-27T22:00:00Z"),
    ]
    first, _, _ = ingest(*rows)
    before = exported(), exported("snapshots")
    second, _, _ = ingest(*rows)
    assert first == {"read": 3, "recorded": 2, "repeated": 0, "misses": 1, "rejected": 0}
    assert second == {"read": 3, "recorded": 0, "repeated": 2, "misses": 1, "rejected": 0}
    assert (exported(), exported("snapshots")) == before


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("nonsense\n", "not JSON"),
        ("[]\n", "expected an object"),
        (line(SAMPLE, "x" * 300), "job_id: 300 characters; expected at most 255"),
        (line(SAMPLE, "a/b"), "job_id:"),
        (line(SAMPLE, ".."), "job_id:"),
        (line(SAMPLE, "another"), "is about job"),
        (line(SAMPLE, observed_at="yesterday"), "observed_at: expected a time"),
        (line(SAMPLE, http_status="200"), "http_status: expected a whole number"),
        (line(None), "body: missing"),
    ],
)
def test_a_bad_line_is_named_kept_and_the_others_go_in(db, ingest, bad, said):
    summary, stderr, rejects = ingest(bad, line(SAMPLE), code=1)
    assert (summary["recorded"], summary["rejected"]) == (1, 1)
    assert stderr.startswith("line 1: ")
    assert said in stderr
    assert rejects == bad


def test_export_filters_and_refuses_wrong_ones(db, ingest, capsys):
    ingest(line(SAMPLE))
    assert exported("jobs", "--verdict", "failed") == []
    assert len(exported("jobs", "--verdict", "success")) == 1
    with pytest.raises(CommandError, match="splendid"):
        exported("jobs", "--verdict", "splendid")
    with pytest.raises(CommandError, match="--bom is for"):
        exported("jobs", "--bom")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_an_export_says_how_far_it_is_to_who_looks_on(imported, monkeypatch):
    monkeypatch.setattr(export, "PROGRESS_SECONDS", 0)
    rows = io.StringIO()
    call_command("export", "jobs", stdout=rows, stderr=(said := Terminal()), no_color=True)
    count = rows.getvalue().count("\n")
    assert said.getvalue().splitlines() == [
        *(f"{number:,} rows" for number in range(1, count + 1)),
        f"{count:,} rows: all.",
    ]
    for stdout, stderr in ((io.StringIO(), io.StringIO()), (Terminal(), Terminal())):
        call_command("export", "jobs", stdout=stdout, stderr=stderr, no_color=True)
        assert (stdout.getvalue(), stderr.getvalue()) == (rows.getvalue(), "")


def as_csv(capsys, *options):
    call_command("export", *options, "--format", "csv")
    return capsys.readouterr().out


@pytest.mark.parametrize("what", list(WRITERS))
def test_a_csv_has_its_header_even_without_rows_and_rows_have_its_columns(
    imported, admin, capsys, what
):
    full = as_csv(capsys, what)
    assert as_csv(capsys, what, "--graph", "none") == full.splitlines(keepends=True)[0]
    assert full.startswith(
        {"audit": "id,what,deed,at,", "reviews": "what,at,"}.get(what, "project_id,graph_id,")
    )
    decide(imported, state="accepted", note="known", actor=admin, now=NOW)
    for row in exported(what):
        assert tuple(row) == WRITERS[what][0]
    plain = as_csv(capsys, what)  # the trail also has the export itself by the next time
    assert as_csv(capsys, what, "--bom").startswith("\ufeff" + plain)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", " =1", "＝1", "\n=1"])
def test_a_csv_holds_nothing_a_spreadsheet_would_run(db, ingest, capsys, text):
    file = {"path": f"{text}.csv", "status": "failed", "cause": text}
    ingest(line(SAMPLE | {"jobDetail": {"edgesetPath": [file]}}))
    [row] = csv.DictReader(io.StringIO(as_csv(capsys, "files")))
    stored = ImportFile.objects.get()
    assert row["path"] == ("'" if stored.path[0] in "=+-@＝" else "") + stored.path
    assert (row["cause"], exported("files")[0]["cause"]) == (f"'{stored.cause}", stored.cause)


def test_the_audit_trail_is_one_with_the_pages_filters(imported, admin):
    at = [NOW + timedelta(minutes=minute) for minute in range(4)]
    made = correct(
        imported,
        kind="vertex",
        position=0,
        field="cause",
        corrected="disk",
        reason="r",
        actor=admin,
        now=at[1],
    )
    decide(
        imported,
        state="to_fix",
        note="ask",
        assignee=admin,
        due_on=at[0].date(),
        actor=admin,
        now=at[0],
    )
    save_note(Cause.objects.get(), "they know", actor=admin, now=at[3])
    revert(made, reason="seen again", actor=admin, now=at[3])
    decide(
        imported,
        state="fixed",
        fixed_by=load_again(imported),
        note="by hand",
        actor=admin,
        now=at[2],
    )
    people = ["--of", "correction", "--of", "review", "--of", "note"]
    rows = exported("audit", *people)
    assert [(row["what"], row["deed"]) for row in rows] == [
        ("correction", "made"), ("review", "made"), ("note", "changed"), ("correction", "undone"), ("review", "made"),
    ]  # fmt: skip
    assert len({tuple(row) for row in rows}) == 1
    assert [[row[key] for key in ("job_id", "actor", "reason")] for row in rows] == [
        ["j1", "ada", "r"], ["j1", "ada", "ask"], [None, "ada", "they know"], ["j1", "ada", "seen again"], ["j1", "ada", "by hand"],
    ]  # fmt: skip
    assert (rows[1]["assignee"], rows[1]["due_on"], rows[4]["fixed_by"]) == (
        "ada",
        "2026-03-04",
        "again",
    )
    assert (rows[0]["corrected"], rows[3]["reverted_by"], rows[2]["cause"]) == (
        "disk",
        "ada",
        "disk",
    )
    assert [row["state"] for row in exported("reviews")] == ["to_fix", "fixed"]
    assert exported("audit", "--job-id", "again") == []
    assert len(exported("audit", "--job-id", "j1", "--actor", "ada", "--deed", "undone")) == 1
    assert len(exported("audit", "--verdict", "partial", *people)) == 4
    assert (
        exported("audit", "--verdict", "failed")
        == exported("audit", "--before", "2020-01-01")
        == []
    )
    with pytest.raises(CommandError, match="after: “noon”"):
        exported("audit", "--after", "noon")


def test_an_export_is_noted_with_its_filters(imported):
    exported("jobs", "--verdict", "partial")
    [row] = exported("audit", "--deed", "exported", "--object", "jobs")
    assert (row["name"], row["after"]) == (
        "jobs",
        {"format": "jsonl", "filters": {"verdict": ["partial"]}},
    )
    assert row["actor"]


def load_again(job):
    again = find_jobs(job.project, [(job.graph, "again", NOW)])["again"]
    record([observe(again, "poll", NOW, 200, body("again"))])
    again.refresh_from_db()
    return again


def test_files_are_exported_in_the_order_sent(imported):
    assert [(row["job_id"], row["kind"], row["position"]) for row in exported("files")] == [
        ("j1", file["kind"], file["position"]) for file in exported()[0]["files"]
    ]


def test_a_database_without_tables_is_one_sentence(db, tmp_path):
    empty = database_url("postgres")
    env_ = {**os.environ, "GESDASH_HOME": str(tmp_path), "DATABASE_URL": empty}
    command = [sys.executable, str(ROOT / "manage.py"), "export", "jobs"]
    done = subprocess.run(
        command, env=env_, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "The database has no tables yet" in done.stderr
    assert "Traceback" not in done.stderr


def test_watch_and_key(project, admin, capsys):
    call_command("watch", "p1", "g1", "j1")
    assert Watch.objects.get().job == Job.objects.get()
    with pytest.raises(CommandError, match="slash"):
        call_command("watch", "p1", "g1", "a/b")
    with pytest.raises(CommandError, match="no project 'other'"):
        call_command("watch", "other", "g1", "j1")
    capsys.readouterr()
    call_command("key", "ada", "--project", "p1", "--days", "3")
    made = json.loads(capsys.readouterr().out)
    key = AccessKey.objects.get()
    assert (key.access_key, key.secret) == (made["access_key"], made["secret_key"])
    assert key.projects.get() == project
    with pytest.raises(CommandError, match="no user 'eve'"):
        call_command("key", "eve")


def test_rebuild_all_one_or_what_a_former_version_wrote(imported, capsys):
    def run(*options):
        call_command("rebuild", *options)
        return capsys.readouterr().out

    def spoil(**more):
        Job.objects.update(
            total_lines=None, failed_lines=None, successful_lines=None, review="", **more
        )
        ImportFile.objects.update(contradiction=None)

    before = list(Job.objects.values())
    assert run() == run("--job", "j1") == "1 jobs rebuilt.\n"
    assert list(Job.objects.values()) == before
    spoil(changed_at=None)
    assert run("--stale") == "1 jobs rebuilt.\n"
    assert run("--stale") == "0 jobs rebuilt.\n"
    [after] = Job.objects.values()
    assert after.pop("changed_at")
    assert before[0].pop("changed_at")
    assert after == before[0]
    with pytest.raises(CommandError, match="no job 'j9'"):
        run("--job", "j9")


def test_up_fills_what_a_former_version_left_empty_and_says_so_in_a_line(imported):
    from jobs.management.commands.up import Command

    said = io.StringIO()
    stop = threading.Event()
    Command(stdout=said)._fill_new_columns(stop)
    assert said.getvalue() == ""
    Job.objects.update(changed_at=None, review="")
    Command(stdout=said)._fill_new_columns(stop)
    assert said.getvalue() == "Bringing 1 jobs of a former version up to date …\n"
    assert (Job.objects.get().review, Job.objects.stale().count()) == ("waiting", 0)


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "postgresql://h", "nonsense", "postgresql://u:secret@h:port/d"]
)
def test_a_wrong_database_url_is_one_sentence_without_the_password(url, monkeypatch):
    with pytest.raises(env.BadSetting, match="DATABASE_URL") as said:
        database.from_url(url)
    assert "secret" not in str(said.value)


def test_a_database_that_is_not_there_is_one_sentence(tmp_path):
    home = {"GESDASH_HOME": str(tmp_path), "DATABASE_URL": "postgresql://u@127.0.0.1:9/d"}
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", "0"]
    done = subprocess.run(
        command, env={**os.environ, **home}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "The database can't be reached" in done.stderr
    assert "Traceback" not in done.stderr
