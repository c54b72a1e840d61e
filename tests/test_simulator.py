import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gesdash.env import Credentials
from jobs.ges.client import Client
from jobs.ges.errors import ErrorReply, NotAJobStatus, Refused, Throttled, Unreachable, WrongJob
from jobs.ges.reply import parse_graph_page, parse_job_page, parse_reply
from jobs.ges.simulator import PROJECT, Simulator, run_in_thread
from jobs.ges.words import meaning

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SIGNED = Credentials(ak="SIMULATED", sk="simulated-secret")
GRAPH = "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01"


@pytest.fixture
def simulator():
    return Simulator(now=lambda: NOW, started_at=NOW)


@pytest.fixture
def address(simulator):
    with run_in_thread(simulator) as address:
        yield address


async def ask(address, job_id, credentials=SIGNED, version=1):
    async with Client(address, PROJECT, credentials) as client:
        return await client.status(GRAPH, job_id, version)


def test_the_same_seed_and_clock_tell_the_same_story(simulator):
    again = Simulator(now=lambda: NOW, started_at=NOW)
    assert [simulator.state(job.job_id) for job in simulator.story.jobs(NOW)] == [
        again.state(job.job_id) for job in again.story.jobs(NOW)
    ]


def test_jobs_begin_and_end_by_the_clock(simulator):
    later = NOW + timedelta(minutes=5)
    first = simulator.story.jobs(later)[-len(simulator.story.jobs(NOW))]
    words = [simulator.story.state(first, NOW + timedelta(seconds=s))["status"] for s in (1, 10, 600)]
    assert words[:2] == ["pending", "running"]
    assert meaning(words[2]).is_final


@pytest.mark.parametrize("credentials", [SIGNED, Credentials(token="simulated-token")])
async def test_reading_what_it_writes_gives_back_what_it_meant(simulator, address, credentials):
    for job in simulator.story.jobs(NOW)[:40]:
        state = simulator.state(job.job_id)
        for version in (1, 2):
            answer = await ask(address, job.job_id, credentials, version)
            reply = parse_reply(answer.body, http_status=answer.http_status, job_id=job.job_id)
            assert (reply.status, reply.job_name, reply.version) == (state["status"], job.name, version)
            sent = [
                row
                for key in ("schemaPath", "vertexsetPath", "edgesetPath")
                for row in state.get("jobDetail", {}).get(key, [])
            ]
            assert [(f.path, f.failed_lines or 0) for f in reply.files] == [
                (r["path"], max(r.get("failedLines", 0), 0)) for r in sent
            ]
    assert simulator.asked["status", job.job_id] == 2


@pytest.mark.parametrize("wrong", [Credentials(ak="SIMULATED", sk="other"), Credentials(token="other")])
async def test_wrong_credentials_are_refused(address, wrong):
    answer = await ask(address, "x", wrong)
    with pytest.raises(Refused):
        parse_reply(answer.body, http_status=answer.http_status)


async def test_an_unknown_job_is_a_400(address):
    answer = await ask(address, "nosuch")
    with pytest.raises(ErrorReply, match="GES.8301"):
        parse_reply(answer.body, http_status=answer.http_status)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("throttle", Throttled), ("error", ErrorReply), ("html", NotAJobStatus), ("redirect", NotAJobStatus), ("cut", NotAJobStatus),
     ("wrong_job", WrongJob), ("drop", Unreachable)],
)  # fmt: skip
async def test_faults(simulator, address, kind, error):
    job = simulator.story.jobs(NOW)[3].job_id
    # The HTTP library tries once more itself when a connection breaks.
    simulator.fault(kind, job, times=2 if kind == "drop" else 1, retry_after=7)

    async def read():
        answer = await ask(address, job)
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
    assert graphs.count == 4
    assert json.loads(jobs.jobs[0][1], parse_float=Decimal) == simulator.state(jobs.jobs[0][0].job_id)


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
        told = client.show_job(ShowJobRequest(graph_id=GRAPH, job_id=job.job_id))
    assert json.loads(told.raw_content) == simulator.state(job.job_id)
    assert told.status == simulator.state(job.job_id)["status"]
