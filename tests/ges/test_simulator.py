"""The simulated GES: one story for each seed, and faults on request."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gesdash.env import ConfiguredCredentials
from jobs.ges.client import Client
from jobs.ges.errors import (
    CredentialsRefused,
    ErrorReply,
    NotAJobStatus,
    Throttled,
    Unreachable,
    WrongJob,
)
from jobs.ges.reply import parse_graph_page, parse_job_page, parse_reply
from jobs.ges.simulator.server import PROJECT, Simulator, run_in_thread
from jobs.ges.simulator.story import Story
from jobs.ges.words import Verdict, meaning

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SIGNED = ConfiguredCredentials(ak="SIMULATED", sk="simulated-secret")
GRAPH = "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01"


@pytest.fixture
def simulator():
    return Simulator(now=lambda: NOW, started_at=NOW)


@pytest.fixture
def address(simulator):
    with run_in_thread(simulator) as address:
        yield address


async def request_status(address, job_id, credentials=SIGNED, version=1):
    async with Client(address, PROJECT, credentials) as client:
        return await client.status(GRAPH, job_id, version)


def test_the_same_seed_and_clock_make_the_same_jobs(simulator):
    again = Simulator(now=lambda: NOW, started_at=NOW)
    assert [simulator.state(job.job_id) for job in simulator.story.jobs(NOW)] == [
        again.state(job.job_id) for job in again.story.jobs(NOW)
    ]


def test_another_seed_makes_other_jobs(simulator):
    assert not {job.job_id for job in Story(8, NOW).jobs(NOW)} & {
        job.job_id for job in simulator.story.jobs(NOW)
    }


def read(simulator, job, now=NOW):
    return parse_reply(
        json.dumps(simulator.story.state(job, now), ensure_ascii=False).encode(), job_id=job.job_id
    )


@pytest.mark.parametrize("hour", [0, 3, 12, 23])
def test_the_history_is_complete_at_any_time_of_day(hour):
    epoch = NOW.replace(hour=hour)
    story = Story(7, epoch)
    past = [job for job in story.jobs(epoch) if job.begin < epoch]
    assert 200 < len(past) < 400
    assert [job.quirk for job in past if not job.has_ended(epoch)] == ["endless"]
    words = Counter(job.outcome for job in past if job.files)
    assert 0.6 < words["success"] / words.total() < 0.75


def test_the_last_import_lost_450_of_1659_lines_of_one_of_its_31_files(simulator):
    last = next(job for job in simulator.story.jobs(NOW) if job.has_ended(NOW))
    assert (last.graph, last.files) == ("payments_graph", 31)
    [lost] = [
        file for file in read(simulator, last).files if file.kind != "schema" and file.failed_lines
    ]
    assert (lost.path, lost.total_lines, lost.failed_lines) == (
        "ges-data/payments/vertex/part-0003.csv",
        1659,
        450,
    )
    assert lost.cause


def imports_of(simulator, graph):
    return [
        job
        for job in simulator.story.jobs(NOW)
        if job.graph == graph and job.files and job.has_ended(NOW)
    ]


def test_paths_and_causes_recur_from_night_to_night(simulator):
    nights = [job for job in imports_of(simulator, "supply_chain") if job.files == 18]
    assert len({(job.vertices, job.edges) for job in nights}) == 1
    failing = [
        [f.path for f in read(simulator, job).files if f.status == "failed"] for job in nights[:12]
    ]
    assert failing == [["ges-data/supply-chain/edge/part-0004.csv"]] * 12
    dated = [job for job in imports_of(simulator, "fraud_rings") if job.files == 27]
    assert len({job.edges for job in dated}) == len(dated)
    assert {f"{NOW:%Y-%m-%d}" in path for path in dated[0].edges} == {True}
    causes = {
        file.cause for job in dated[:7] for file in read(simulator, job).files if file.failed_lines
    }
    assert "label [merchant_v2] is not in the metadata" in causes


def test_an_hour_later_a_repair_loads_just_the_failed_files(simulator):
    jobs = imports_of(simulator, "payments_graph")
    repairs = [job for job in jobs if job.schema is None]
    assert len(repairs) == 3
    for repair in repairs:
        repaired = next(
            job for job in jobs if repair.submitted_at - job.submitted_at == timedelta(hours=1)
        )
        lost = {
            file.path
            for file in read(simulator, repaired).files
            if file.kind != "schema" and file.failed_lines
        }
        assert {file.path for file in read(simulator, repair).files} == lost
        assert {file.status for file in read(simulator, repair).files} == {"success"}


def test_rare_cases_occur_once(simulator):
    jobs = simulator.story.jobs(NOW)
    replies = [read(simulator, job) for job in jobs]
    words = Counter(meaning(reply.status) for reply in replies)
    assert words[Verdict.UNKNOWN] == words[Verdict.CANCELLED] == 1
    files = [file for reply in replies for file in reply.files if file.kind != "schema"]
    assert (
        len({f.total_lines for f in files if f.total_lines is None or f.total_lines > 2**62}) == 2
    )
    whole = [f for f in files if None not in (f.total_lines, f.failed_lines, f.successful_lines)]
    assert sum(f.total_lines != f.failed_lines + f.successful_lines for f in whole) == 1
    assert max(len(reply.files) for reply in replies) == 1000
    assert max(len(file.path) for file in files) > 900
    assert max(len(file.cause or "") for file in files) > 13_000
    assert any("<script>" in file.path for file in files)
    assert any('"<script>' in (file.cause or "") for file in files)
    assert all(NOW - job.begin > timedelta(days=5) for job in jobs if job.graph == "device_links")


def test_a_running_import_has_more_lines_every_time_and_one_never_ends(simulator):
    endless = next(job for job in simulator.story.jobs(NOW) if job.quirk == "endless")
    assert NOW - endless.begin > timedelta(hours=2)
    times = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(days=9)]
    replies = [read(simulator, endless, moment) for moment in times]
    assert {reply.status for reply in replies} == {"running"}
    lines = [sum(file.total_lines or 0 for file in reply.files) for reply in replies]
    assert lines == sorted(set(lines))


def test_jobs_begin_and_end_by_the_clock(simulator):
    later = NOW + timedelta(minutes=5)
    first = simulator.story.jobs(later)[-len(simulator.story.jobs(NOW))]
    words = [
        simulator.story.state(first, NOW + timedelta(seconds=s))["status"] for s in (1, 10, 600)
    ]
    assert words[:2] == ["pending", "running"]
    assert meaning(words[2]).is_final


@pytest.mark.parametrize("credentials", [SIGNED, ConfiguredCredentials(token="simulated-token")])
async def test_parsing_its_answers_gives_the_state_of_the_jobs(simulator, address, credentials):
    for job in simulator.story.jobs(NOW)[:40]:
        state = simulator.state(job.job_id)
        for version in (1, 2):
            answer = await request_status(address, job.job_id, credentials, version)
            reply = parse_reply(answer.body, http_status=answer.http_status, job_id=job.job_id)
            assert (reply.status, reply.job_name, reply.version) == (
                state["status"],
                job.name,
                version,
            )
            sent = [
                row
                for key in ("schemaPath", "vertexsetPath", "edgesetPath")
                for row in state.get("jobDetail", {}).get(key) or []
            ]
            assert [(f.path, f.failed_lines or 0) for f in reply.files] == [
                (r["path"], max(r.get("failedLines") or 0, 0)) for r in sent
            ]
    assert simulator.requests["status", job.job_id] == 2


@pytest.mark.parametrize(
    "credentials",
    [ConfiguredCredentials(ak="SIMULATED", sk="other"), ConfiguredCredentials(token="other")],
)
async def test_wrong_credentials_are_refused(address, credentials):
    answer = await request_status(address, "x", credentials)
    with pytest.raises(CredentialsRefused):
        parse_reply(answer.body, http_status=answer.http_status)


async def test_an_unknown_job_is_a_400(address):
    answer = await request_status(address, "nosuch")
    with pytest.raises(ErrorReply, match="GES.8301"):
        parse_reply(answer.body, http_status=answer.http_status)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttle", Throttled),
        ("error", ErrorReply),
        ("html", NotAJobStatus),
        ("redirect", NotAJobStatus),
        ("cut", NotAJobStatus),
        ("wrong_job", WrongJob),
        ("drop", Unreachable),
    ],
)
async def test_faults(simulator, address, kind, error):
    job = simulator.story.jobs(NOW)[3].job_id
    # The HTTP library tries once more itself when a connection breaks.
    simulator.fault(kind, job, times=2 if kind == "drop" else 1, retry_after=7)

    async def read():
        answer = await request_status(address, job)
        return parse_reply(answer.body, http_status=answer.http_status, job_id=job)

    with pytest.raises(error):
        await read()
    assert (await read()).job_id == job


async def test_lists(simulator, address):
    async with Client(address, PROJECT, SIGNED) as client:
        jobs = parse_job_page((await client.jobs(0, 100)).body)
        graphs = parse_graph_page((await client.graphs(0, 100)).body)
    assert jobs.count == len(simulator.story.jobs(NOW))
    assert len(jobs.jobs) == 100
    assert graphs.count == 5
    assert json.loads(jobs.jobs[0][1], parse_float=Decimal) == simulator.state(
        jobs.jobs[0][0].job_id
    )


@pytest.mark.filterwarnings("ignore")  # the SDK leaves its sockets open
def test_the_official_sdk_reads_from_it(simulator, address, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkges.v1 import GesClient, ShowJobRequest

        client = (
            GesClient.new_builder()
            .with_credentials(BasicCredentials(SIGNED.ak, SIGNED.sk, PROJECT))
            .with_endpoint(address)
            .build()
        )
        job = next(job for job in simulator.story.jobs(NOW) if job.outcome == "partial")
        response = client.show_job(ShowJobRequest(graph_id=GRAPH, job_id=job.job_id))
    assert json.loads(response.raw_content) == simulator.state(job.job_id)
    assert response.status == simulator.state(job.job_id)["status"]
