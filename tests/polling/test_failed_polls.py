"""Each kind of failed poll is recorded as its own, with an explanation and advice."""

import datetime
import ssl

import pytest
from asgiref.sync import async_to_sync
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from jobs.ges import errors, http
from jobs.ges.answer import Answer
from jobs.ges.client import Client
from jobs.ges.simulator.faults import KINDS
from jobs.models import Miss, Project, Snapshot
from jobs.pages.job import misses
from jobs.polling import call_budget, on_demand, single_flight, watches, worker_round
from tests.ges.test_simulator import GRAPH, SIGNED
from tests.servers import free_port

KINDS_OF_MISS = {
    "throttle": "throttled",
    "error": "server_error",
    "refuse": "refused",
    "wrong_job": "wrong_job",
    "html": "html",
    "gateway": "server_error",
    "redirect": "redirect",
    "cut": "cut",
    "empty": "not_a_status",
    "encoding": "encoding",
    "packed": "encoding",
    "huge": "too_large",
    "drop": "broken_connection",
    "silence": "timeout",
    "stall": "stalled",
    "trickle": "slow_body",
    "short": "broken_body",
    "bad_chunk": "broken_body",
    "half_chunk": "broken_body",
    "bad_gzip": "broken_body",
    "no_http": "not_http",
}


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(http, "TOTAL_SECONDS", 1.2)
    monkeypatch.setattr(http, "SILENT_SECONDS", 0.4)
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.3)


def test_every_fault_of_the_simulator_is_tested():
    assert set(KINDS_OF_MISS) == set(KINDS) - {"delay"}


def every_kind(error=errors.GesError):
    yield error.kind
    for below in error.__subclasses__():
        yield from every_kind(below)


def test_every_kind_of_failure_has_an_explanation():
    assert (
        {call_budget.BudgetSpent.kind, single_flight.TooManyWaiting.kind}
        <= set(every_kind())
        <= set(misses.TEXTS)
    )
    assert all(": " in str(says) or "; " in str(says) for says in misses.TEXTS.values()), (
        "what happened, and what to do"
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", KINDS_OF_MISS)
def test_a_fault_is_recorded_as_a_failed_poll_of_its_kind(
    polled, simulator, impatient, client, admin, fault
):
    job = watches.watch(
        polled, GRAPH, simulator.story.jobs(timezone.now())[5].job_id, timezone.now()
    )
    simulator.fault(
        fault, job.job_id, times=2 if fault == "drop" else 1
    )  # the HTTP library tries once more itself
    with pytest.raises(errors.GesError):
        on_demand.poll_now(job)
    miss = Miss.objects.get()
    assert (miss.kind, miss.seen) == (KINDS_OF_MISS[fault], 1)
    assert miss.detail
    client.force_login(admin)
    page = client.get(f"/jobs/{job.pk}/history/").content.decode()
    assert str(misses.TEXTS[miss.kind]).replace("'", "&#x27;") in page
    call_budget.CallBudget.objects.all().delete()
    on_demand.poll_now(job)
    assert Snapshot.objects.get().job_id == job.pk
    assert simulator.sent["status", job.job_id, bytes(Snapshot.objects.get().body)] == 1


async def failure(address):
    async with Client(address, "p1", SIGNED) as client:
        with pytest.raises(errors.GesError) as failed:
            await client.status("g", "j")
    return failed.value


async def test_a_host_name_without_an_address_has_its_own_kind():
    error = await failure("http://no.such.host.invalid")
    assert (error.kind, str(error)[:35]) == ("dns", "no.such.host.invalid has no address")


async def test_a_refused_connection_has_its_own_kind():
    address = f"http://127.0.0.1:{free_port()}"
    error = await failure(address)
    assert (error.kind, str(error)) == ("no_listener", f"Nothing listens at {address}.")


@pytest.fixture
def certificate(tmp_path):
    """One that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_an_untrusted_certificate_and_plain_http_are_tls_failures(certificate, simulator):
    import asyncio

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(
        lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context
    )
    async with server:
        error = await failure(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert error.kind == "tls"
    assert "self-signed" in str(error)
    assert (await failure(simulator.address.replace("http:", "https:"))).kind == "tls"


def test_a_slow_but_steady_answer_is_read(simulator, monkeypatch):
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.0)
    job = simulator.story.jobs(timezone.now())[5].job_id
    simulator.fault("delay", job, seconds=0.3)

    async def ask():
        async with Client(simulator.address, simulator.project_id, SIGNED) as client:
            return await client.status(GRAPH, job)

    assert async_to_sync(ask)().http_status == 200


def test_a_steady_body_past_the_time_limit_is_slow_not_stalled(simulator, impatient, monkeypatch):
    monkeypatch.setattr(http, "SLOW_SECONDS", 60)
    job = simulator.story.jobs(timezone.now())[5].job_id
    simulator.fault("trickle", job, seconds=0.02)

    async def ask():
        async with Client(simulator.address, simulator.project_id, SIGNED) as client:
            await client.status(GRAPH, job)

    with pytest.raises(errors.TooSlow, match=r"not whole after 1\.2 s"):
        async_to_sync(ask)()


@pytest.mark.parametrize("ahead", [-3600, 0, 90])
@pytest.mark.django_db(transaction=True)
def test_the_clock_skew_is_stored_only_when_it_changed(upstream, client, admin, ahead):
    from email.utils import format_datetime

    upstream.body = b'{"status": "running"}'
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())

    def poll(seconds):
        upstream.headers = {
            "Date": format_datetime(timezone.now() + datetime.timedelta(seconds=seconds))
        }
        on_demand.poll_now(job)
        return Project.objects.get().clock_skew_ms

    kept = poll(ahead)
    assert abs(kept - ahead * 1000) < 2500
    assert poll(ahead) == kept, "a fraction of a second is no news"
    client.force_login(admin)
    page = client.get("/").content.decode()
    assert ("clocks of GES and gesdash differ" in page) == (ahead != 0)
    assert abs(poll(ahead + 60) - kept - 60_000) < 2500


def test_an_invalid_date_header_gives_no_skew():
    now = timezone.now()
    answer = Answer(200, b"", "", None, None, now, requested_at=now, responded_at=now)
    far = [
        "Mon, 01 Jan 2026 00:00:00 +999999999999999999",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
    ]
    for date in [None, "yesterday", *far]:
        assert answer._replace(date=date).clock_skew is None
    assert answer._replace(date="Fri, 31 Dec 9999 23:59:59 GMT").clock_skew.days > 10**6


@pytest.mark.django_db(transaction=True)
def test_an_impossible_date_header_costs_no_reply(upstream):
    upstream.body = b'{"status": "running"}'
    upstream.headers = {"Date": "Mon, 01 Jan 2026 00:00:00 +999999999999999999"}
    on_demand.poll_now(watches.watch(upstream.project, "g1", "j1", timezone.now()))
    watches.watch(upstream.project, "g1", "j2", timezone.now())
    assert worker_round.poll_for(5) == 1
    assert Snapshot.objects.count() == 2
