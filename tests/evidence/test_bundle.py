"""The evidence bundle: whole, the same for the same state, and verified by its own program in a plain interpreter."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from jobs.decisions.corrections import correct
from jobs.decisions.review import decide
from jobs.evidence import gather, verify_bundle
from jobs.evidence.bundle import evidence
from jobs.models import Job, Project
from jobs.pages import evidence as evidence_pages
from jobs.proof.kept_checkpoint import as_file
from jobs.proof.seal import seal
from jobs.record import find_jobs, observe, record
from jobs.retention.prune import prune
from tests.factories import NOW, body
from tests.retention.test_prune import LATER, PART, history


@pytest.fixture
def told(project, admin):
    """Three jobs, one of them corrected and decided about, one thinned, sealed; then one more reply and one more job."""
    project.keeps, project.keep_days = "changes", 30
    project.save()
    lossy = history(project, "lossy", end=PART)
    history(project, "jöb : 2")
    history(project, "j3")
    correct(
        lossy,
        kind="vertex",
        position=0,
        field="cause",
        corrected="a disk <was> full",
        reason="seen",
        actor=admin,
        now=NOW,
    )
    decide(lossy, state="to_fix", actor=admin, now=NOW, note="ask them")
    list(prune(project, now=LATER))
    seal(project, now=NOW)
    more = body("lossy", jobDetail={"vertexsetPath": PART}, jobProgress="9")
    record([observe(lossy, "poll", NOW + timedelta(hours=2), 200, more)], now=NOW)
    new = find_jobs(project, [(lossy.graph, "new", NOW)])["new"]
    record([observe(new, "poll", NOW, 200, body("new"))], now=NOW)
    find_jobs(project, [(lossy.graph, "silent", NOW)])
    return project


@pytest.fixture
def bundle(told, tmp_path):
    path = tmp_path / "evidence.zip"
    path.write_bytes(b"".join(evidence(Job.objects.all())))
    return path


@pytest.fixture
def folder(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def check(*arguments, script, code=0):
    """Run it as somebody does who has nothing of gesdash: no site packages, no environment, another folder."""
    command = [sys.executable, "-I", "-S", str(script), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd="/", env={}
    )
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    with redirect_stdout(io.StringIO()) as said:  # here too, where coverage sees it
        assert verify_bundle.main([*map(str, arguments)] or [str(script.parent)]) == code
    assert said.getvalue() == done.stdout
    return done.stdout


def rows(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def write(folder, name, changed):
    (folder / name).write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in changed)
    )


def sign_again(folder):
    """As a forger would: the list of digests made to fit."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"
    )
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_a_whole_bundle_is_verified_packed_and_unpacked(bundle, folder, told):
    for said in (check(script=folder / "verify.py"), check(bundle, script=folder / "verify.py")):
        assert "32 replies of 5 jobs are chained as they were recorded." in said
        assert "8 of these replies were removed by retention" in said
        assert "2 of these jobs are sealed as they are" in said
        assert (
            f"Project p1, checkpoint 1 of 2026-03-04T12:00:00.000000Z: digest {bytes(told.checkpoints.get().digest).hex()}"
            in said
        )
        assert said.endswith("All of it fits.\n")


def test_what_is_in_it(folder):
    replies = rows(folder, "replies.jsonl")
    for one in replies:
        if one["file"] is not None:
            start, end = one["offset"], one["offset"] + one["size"]
            found = (folder / one["file"]).read_bytes()[start:end]
            assert hashlib.sha256(found).hexdigest() == one["sha256"]
    assert [row["job_id"] for row in rows(folder, "jobs.jsonl")] == [
        "j3",
        "jöb : 2",
        "lossy",
        "new",
        "silent",
    ]
    assert [
        (row["what"], row["actor"], row["reason"]) for row in rows(folder, "decisions.jsonl")
    ] == [
        ("correction", "ada", "seen"),
        ("review", "ada", "ask them"),
    ]
    assert len(rows(folder, "misses.jsonl")) == 1  # the others were as old as the replies
    heads = {row["job_id"]: row for row in rows(folder, "heads.jsonl")}
    assert (heads["lossy"]["number"], heads["lossy"]["sealed"]["number"]) == (11, 10)
    assert heads["new"]["sealed"] is heads["silent"]["sealed"] is None
    report = (folder / "report.html").read_text()
    assert "a disk &lt;was&gt; full" in report
    assert "deleted by retention" in report
    assert "<script" not in report
    assert "http" not in report.replace("HTTP", "")


def test_the_same_state_gives_the_same_bytes(bundle, told):
    again = b"".join(evidence(Job.objects.all()))
    assert again == bundle.read_bytes()
    record(
        [observe(Job.objects.get(job_id="new"), "poll", NOW, 200, body("new", jobProgress="1"))],
        now=NOW,
    )
    assert b"".join(evidence(Job.objects.all())) != again


def change(folder, change):
    """Change the file of replies, and give the first row."""
    first = rows(folder, "replies.jsonl")[0]
    path = folder / first["file"]
    path.write_bytes(change(path.read_bytes()))
    return first


def first_space(content):
    return content.replace(b" ", b"\t", 1)


def swapped(content):
    one, other, rest = content.split(b"\n", 2)
    return b"\n".join([other, one, rest])


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (
            first_space,
            "project p1, job j3, reply number 1: the bytes in replies/00001.txt from 0 are not the reply's",
        ),
        (swapped, "reply number 1: the bytes in replies/00001.txt from 0"),
        (lambda content: content.split(b"\n", 1)[1], "reply number 1: the bytes in"),
        (lambda content: content[:-1], "the bytes in replies/00001.txt from"),
        (
            lambda content: content + b"more\n",
            "replies/00001.txt: there is more in it than its replies",
        ),
    ],
)
def test_changed_replies(folder, forge, said):
    change(folder, forge)
    assert "the file is not the one that was packed" in check(script=folder / "verify.py", code=1)
    sign_again(folder)
    assert said in check(script=folder / "verify.py", code=1)


def test_swapped_replies_with_swapped_rows(folder):
    change(folder, swapped)
    told = rows(folder, "replies.jsonl")
    swap(told)
    told[0] |= {"number": 1, "offset": 0}
    told[1] |= {"number": 2, "offset": told[0]["size"] + 1}
    write(folder, "replies.jsonl", told)
    sign_again(folder)
    assert "reply number 1: its link does not follow" in check(script=folder / "verify.py", code=1)


@pytest.mark.parametrize(
    ("name", "value"), [("offset", 1), ("size", -1), ("size", "9"), ("size", None)]
)
def test_a_forged_place(folder, name, value):
    told = rows(folder, "replies.jsonl")
    told[0][name] = value
    write(folder, "replies.jsonl", told)
    sign_again(folder)
    assert "reply number 1: expected from byte 0 of replies/00001.txt" in check(
        script=folder / "verify.py", code=1
    )


def test_a_removed_file(folder):
    (folder / rows(folder, "replies.jsonl")[0]["file"]).unlink()
    assert "the file is missing" in check(script=folder / "verify.py", code=1)
    sign_again(folder)
    assert "the file is missing" in check(script=folder / "verify.py", code=1)


def test_replies_go_on_in_the_next_file(told, tmp_path, monkeypatch):
    monkeypatch.setattr(gather, "FILE", 300)
    monkeypatch.setattr(gather, "BODY_BYTES", 500)
    monkeypatch.setattr(gather, "BATCH", 2)
    path = tmp_path / "many.zip"
    path.write_bytes(b"".join(evidence(Job.objects.all())))
    with zipfile.ZipFile(path) as packed:
        names = [name for name in packed.namelist() if name.startswith("replies/")]
        assert len(names) > 5
        packed.extract("verify.py", tmp_path)
    assert "32 replies of 5 jobs" in check(path, script=tmp_path / "verify.py")


def test_one_reply_comes_out_byte_for_byte(bundle, folder):
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(bundle), "--reply"]
    stored = Job.objects.get(job_id="lossy").snapshots.get(number=11)
    got = subprocess.run([*command, "lossy", "11"], capture_output=True, timeout=60, check=True)
    assert got.stdout == bytes(stored.body)
    gone = next(row for row in rows(folder, "replies.jsonl") if row["file"] is None)
    wrong = [
        ("lossy", "99", b"no reply number 99"),
        ("j9", "1", b"of a job j9"),
        (gone["job_id"], str(gone["number"]), b"removed"),
    ]
    for job, number, said in wrong:
        got = subprocess.run([*command, job, number], capture_output=True, timeout=60, check=False)
        assert (got.returncode, said in got.stdout) == (1, True), got.stdout


def swap(told):
    told[0], told[1] = told[1], told[0]


def leave_out(told):
    del told[1]


def leave_out_the_last(told):
    last = max(at for at, row in enumerate(told) if row["job_id"] == "j3")
    del told[last]


def date(told):
    told[0]["first_seen_at"] = "2026-03-04T12:00:00.000001Z"


def leave_out_all(told):
    told[:] = [row for row in told if row["job_id"] != "j3"]


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (swap, "reply number 2: expected number 1"),
        (leave_out, "reply number 3: expected number 2"),
        (leave_out_the_last, "job j3: the chain ends with reply number 9; expected 10"),
        (leave_out_all, "job j3: the chain ends with reply number 0; expected 10"),
        (date, "reply number 1: its link does not follow"),
    ],
)
def test_a_forged_list_of_replies(folder, forge, said):
    told = rows(folder, "replies.jsonl")
    forge(told)
    write(folder, "replies.jsonl", told)
    sign_again(folder)
    assert said in check(script=folder / "verify.py", code=1)


def test_recomputed_chain_does_not_match_the_checkpoint(folder):
    told = rows(folder, "replies.jsonl")
    heads = rows(folder, "heads.jsonl")
    last = max(at for at, row in enumerate(told) if row["job_id"] == "j3")
    del told[last]
    heads[0] |= {"number": 9, "link": told[last - 1]["link"]}
    heads[0]["sealed"]["number"] = 9
    write(folder, "replies.jsonl", told)
    write(folder, "heads.jsonl", heads)
    sign_again(folder)
    assert "job j3: its head is not what checkpoint 1 sealed" in check(
        script=folder / "verify.py", code=1
    )


def test_a_checkpoint_kept_outside_is_what_counts(folder, told, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(as_file(told.checkpoints.get())))
    assert "is the one that was kept" in check(
        "--checkpoint", kept, folder, script=folder / "verify.py"
    )
    kept.write_text(json.dumps(as_file(told.checkpoints.get()) | {"root": "0" * 64}))
    assert "kept was 1 with" in check(
        "--checkpoint", kept, folder, script=folder / "verify.py", code=1
    )
    write(folder, "checkpoints.jsonl", [rows(folder, "checkpoints.jsonl")[0] | {"root": "0" * 64}])
    sign_again(folder)
    assert "its digest does not fit" in check(script=folder / "verify.py", code=1)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 100])
def test_what_is_no_bundle(folder, tmp_path, content):
    (tmp_path / "odd.zip").write_bytes(content)
    assert "CAN'T BE READ" in check(tmp_path / "odd.zip", script=folder / "verify.py", code=1)


def test_the_oldest_python_that_is_promised_reads_the_program(folder):
    import ast

    ast.parse((folder / "verify.py").read_text(), feature_version=(3, 9))


def test_the_command_takes_the_lists_filters(told, tmp_path):
    path = tmp_path / "some.zip"
    call_command("evidence", "--job", "lossy", "-o", str(path))
    with zipfile.ZipFile(path) as packed:
        assert [json.loads(line)["job_id"] for line in packed.read("jobs.jsonl").splitlines()] == [
            "lossy"
        ]
    call_command("evidence", "--verdict", "partial", "-o", str(path))
    for wrong, said in (
        (["--job", "j9"], "no such job"),
        (["--verdict", "grand"], "grand"),
        ([], "No such file"),
    ):
        where = str(path) if wrong else str(tmp_path / "no" / "folder.zip")
        with pytest.raises(CommandError, match=said):
            call_command("evidence", *wrong, "-o", where)


def test_more_than_a_browser_fetches(told, tmp_path, monkeypatch, client, admin):
    monkeypatch.setattr(evidence_pages, "MAX_EVIDENCE_JOBS", 2)
    client.force_login(admin)
    assert (
        "the evidence bundle of at most 2 jobs"
        in client.get("/jobs/evidence/", follow=True).content.decode()
    )


def test_many_jobs_cost_no_more_questions_than_few(told):
    few = Job.objects.filter(job_id__in=["lossy", "j3"])
    counts = []
    for jobs in (few, Job.objects.all()):
        with CaptureQueriesContext(connection) as captured:
            b"".join(evidence(jobs))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_pages_give_it_to_those_who_see_the_job(told, client):
    user = User.objects.create_user("vera")
    user.ges_projects.add(told)
    client.force_login(user)
    job = Job.objects.get(job_id="lossy")
    assert f"/jobs/{job.pk}/evidence/" in client.get(f"/jobs/{job.pk}/").content.decode()
    assert (
        "/jobs/evidence/?verdict=partial" in client.get("/jobs/?verdict=partial").content.decode()
    )
    one = b"".join(client.get(f"/jobs/{job.pk}/evidence/").streaming_content)
    listed = b"".join(
        client.get("/jobs/evidence/?verdict=partial&verdict=success").streaming_content
    )
    for content, count in ((one, 1), (listed, 4)):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            assert len(packed.read("jobs.jsonl").splitlines()) == count
    other = history(Project.objects.create(project_id="p2"))
    assert client.get(f"/jobs/{other.pk}/evidence/").status_code == 404
    with zipfile.ZipFile(
        io.BytesIO(b"".join(client.get("/jobs/evidence/").streaming_content))
    ) as packed:
        assert b"p2" not in packed.read("jobs.jsonl")
    assert client.get("/jobs/evidence/?verdict=grand").url == "/jobs/?verdict=grand"


@pytest.mark.django_db(transaction=True)
def test_a_bundle_is_of_one_moment_however_long_it_takes():
    project = Project.objects.create(project_id="p1")
    job = history(project)
    pieces = evidence(Job.objects.all())
    begun = next(pieces)

    def tell_more():
        record([observe(job, "poll", LATER, 200, body(jobProgress="new"))])
        connections.close_all()

    with ThreadPoolExecutor(1) as other:
        other.submit(tell_more).result()
    with zipfile.ZipFile(io.BytesIO(begun + b"".join(pieces))) as packed:
        assert len(packed.read("replies.jsonl").splitlines()) == 10
    assert Job.objects.get().snapshot_count == 11


@pytest.mark.parametrize("asked", [["--reply", "j1"], ["--checkpoint"], ["--nonsense"]])
def test_what_the_verifier_is_asked_wrongly_it_says_with_what_it_takes(folder, asked):
    said = subprocess.run(
        [sys.executable, folder / "verify.py", *asked], capture_output=True, text=True
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert "[--reply JOB NUMBER]" in said.stderr
    assert "Traceback" not in said.stderr
