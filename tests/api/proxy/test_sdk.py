"""The official SDK, pointed at GES (the simulator) and at gesdash: the same, but for gesdash's own errors."""

import json

import pytest
from django.utils import timezone

from jobs.models import AccessKey

GRAPH = "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01"
# The SDK leaves its sockets open and warns of its own regular expressions.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ask(live_server, polled, simulator, admin, tmp_path, monkeypatch):
    """Ask with a client of the SDK; gives its object or its exception, from GES itself and through the proxy."""
    monkeypatch.setenv("HOME", str(tmp_path))
    key, secret, _ = AccessKey.issue(admin, now=timezone.now())

    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import SdkException
    from huaweicloudsdkges import v1, v2

    doors = {
        "ges": (simulator.address, simulator.access_key, simulator.secret_key),
        "proxy": (live_server.url, key.access_key, secret),
    }

    def ask(door, job_id, version=1, graph_id=GRAPH, **other):
        address, ak, sk = doors[door]
        credentials = BasicCredentials(
            other.get("ak", ak), other.get("sk", sk), other.get("project_id", polled.project_id)
        )
        made = (
            (v1 if version == 1 else v2)
            .GesClient.new_builder()
            .with_credentials(credentials)
            .with_endpoint(address)
            .build()
        )
        try:
            if version == 1:
                return made.show_job(v1.ShowJobRequest(graph_id=graph_id, job_id=job_id))
            return made.show_job2(v2.ShowJob2Request(graph_id=graph_id, job_id=job_id))
        except SdkException as error:
            return error

    ask.key = key
    return ask


def told(error):
    return type(error).__name__, error.status_code, error.error_code, error.error_msg


@pytest.mark.parametrize("version", [1, 2])
def test_a_status_is_the_same_object(ask, simulator, version):
    job = next(job for job in simulator.story.jobs(timezone.now()) if job.outcome == "partial")
    ges, live, stored = (ask(door, job.job_id, version) for door in ("ges", "proxy", "proxy"))
    assert ges.status == simulator.state(job.job_id)["status"]
    for mine in (live, stored):
        assert mine.to_json_object() == ges.to_json_object()
        assert (mine.status_code, mine.raw_content) == (200, ges.raw_content)
    assert simulator.requests["status", job.job_id] == 2


@pytest.mark.parametrize("version", [1, 2])
def test_a_job_unknown_to_ges_is_the_same_exception(ask, version):
    ges, mine = ask("ges", "nosuch", version), ask("proxy", "nosuch", version)
    assert told(mine) == told(ges)
    assert told(ges)[:2] == ("ClientRequestException", 400)
    assert "GES.8301" in f"{ges.error_code} {ges.error_msg}"


@pytest.mark.parametrize("version", [1, 2])
def test_refusals_of_gesdash_have_the_class_of_ges_and_our_code(ask, simulator, version):
    job_id = simulator.story.jobs(timezone.now())[5].job_id
    ges, mine = (ask(door, job_id, version, sk="wrong") for door in ("ges", "proxy"))
    assert (type(mine), mine.status_code) == (type(ges), ges.status_code)
    assert told(mine)[:3] == ("ClientRequestException", 401, "GESDASH.0401")
    assert "does not match" in mine.error_msg
    ges, mine = (ask(door, job_id, version, project_id="other") for door in ("ges", "proxy"))
    assert (type(mine), mine.status_code) == (type(ges), ges.status_code)
    assert told(mine)[:3] == ("ClientRequestException", 403, "GESDASH.0403")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttle", 503, "GESDASH.0503"),
        ("error", 504, "GESDASH.0504"),
        ("html", 502, "GESDASH.0502"),
    ],
)
def test_a_failure_of_ges_is_a_server_exception_with_our_code(
    ask, simulator, version, fault, status, code
):
    job_id = simulator.story.jobs(timezone.now())[5].job_id
    simulator.fault(fault, job_id)
    assert told(ask("proxy", job_id, version))[:3] == ("ServerResponseException", status, code)


@pytest.mark.parametrize("version", [1, 2])
def test_a_timeout_of_ges_is_a_server_exception_with_our_code(ask, simulator, version, monkeypatch):
    monkeypatch.setattr("jobs.ges.http.TOTAL_SECONDS", 0.3)
    job_id = simulator.story.jobs(timezone.now())[5].job_id
    simulator.fault("delay", job_id, seconds=2)
    assert told(ask("proxy", job_id, version))[:3] == (
        "ServerResponseException",
        504,
        "GESDASH.0504",
    )


def test_a_key_over_its_own_rate_is_the_429_of_a_gateway(ask, simulator):
    AccessKey.objects.update(requests_per_minute=1)
    job_id = simulator.story.jobs(timezone.now())[5].job_id
    answers = [ask("proxy", job_id) for _ in range(3)]  # two of the three are in one minute
    simulator.fault("throttle", job_id)
    ges = ask("ges", job_id)
    assert told(ges)[:3] in {told(mine)[:3] for mine in answers if isinstance(mine, Exception)}


def test_ids_are_percent_decoded_once_and_signed_as_sent(ask, simulator, polled):
    for odd in ("a b", "ä+%&=?#", "任务", "a%2Fb", "~-_."):
        ges, mine = ask("ges", odd), ask("proxy", odd)
        assert told(mine) == told(ges)
        assert json.loads(mine.error_msg)["errorMessage"] == f"can not find job, jobId is {odd}"
    assert told(ask("proxy", "a/b"))[:3] == ("ClientRequestException", 400, "GESDASH.0400")
