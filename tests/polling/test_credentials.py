"""A user's token from IAM, shared by all who ask GES."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.db import connection
from django.utils import timezone

from gesdash.env import ConfiguredCredentials, ConfiguredProject
from jobs.ges.errors import CredentialsRefused, Throttled
from jobs.models import CallBudget, IamToken, Miss, Snapshot
from jobs.polling import credentials, discovery, on_demand, watches, worker_round
from tests.conftest import Server
from tests.factories import body

pytestmark = pytest.mark.django_db(transaction=True)


class Iam:
    """Gives the tokens t1, t2, t3 …; a `status` other than 201 gives none."""

    def __init__(self, address):
        self.requests = []
        self.status = 201
        self.headers = {}
        self.life = timedelta(hours=24)
        self.is_valid = lambda token: token == self.newest
        self.credentials = ConfiguredCredentials(
            user="ada", password="a password", domain="d", iam_endpoint=address
        )

    @property
    def newest(self):
        return f"t{len(self.requests)}"


class IamHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        iam = self.server.iam
        iam.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        expires_at = f"{timezone.now() + iam.life:%Y-%m-%dT%H:%M:%S.000000Z}"
        content = json.dumps({"token": {"expires_at": expires_at}}).encode()
        headers = {"X-Subject-Token": iam.newest, "Content-Length": len(content), **iam.headers}
        self.send_response(iam.status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def iam(upstream, settings):
    server = Server(("127.0.0.1", 0), IamHandler)
    server.iam = iam = Iam(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    configured = ConfiguredProject("up", "p1", upstream.project.endpoint, iam.credentials)
    settings.GES_PROJECTS = {"up": configured}

    def answer(handler):
        if not iam.is_valid(handler.headers["X-Auth-Token"]):
            upstream.status = 401
            return b'{"error_code": "APIGW.0301", "error_msg": "token expires"}'
        upstream.status = 200
        return body(handler.path.split("/")[-2], "running")

    upstream.body = answer
    yield iam
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_one_token_is_shared_and_stored_encrypted(iam, upstream):
    def get():
        try:
            return credentials.token_for(upstream.project, iam.credentials)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert {one.result() for one in [pool.submit(get) for _ in range(6)]} == {"t1"}
    assert len(iam.requests) == 1, "one asks IAM, the others wait for it"
    row = IamToken.objects.get()
    assert b"t1" not in bytes(row.sealed_value)
    assert iam.credentials.password not in str(vars(row))
    assert timedelta(hours=23) < row.expires_at - timezone.now() <= timedelta(hours=24)


def test_a_token_is_renewed_before_it_expires(iam, upstream):
    iam.life = credentials.RENEWED_BEFORE + timedelta(seconds=60)
    assert credentials.token_for(upstream.project, iam.credentials) == "t1"
    assert credentials.token_for(upstream.project, iam.credentials) == "t1"
    IamToken.objects.update(expires_at=timezone.now() + credentials.RENEWED_BEFORE)
    assert credentials.token_for(upstream.project, iam.credentials) == "t2"


def test_a_refused_token_is_renewed_once_without_a_failed_poll(iam, upstream):
    for number in range(8):
        watches.watch(upstream.project, "g1", f"j{number}", timezone.now())
    credentials.token_for(upstream.project, iam.credentials)
    IamToken.objects.update(retry_at=None)  # it is not new any more
    iam.is_valid = lambda token: token == "t2"
    assert worker_round.poll_for(0.5) == 8
    assert len(iam.requests) == 2
    assert Snapshot.objects.count() == 8
    assert not Miss.objects.exists()


def test_a_refused_user_does_not_request_token_after_token(iam, upstream):
    iam.is_valid = lambda token: False
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    for _ in range(3):
        with pytest.raises(CredentialsRefused):
            on_demand.poll_now(job)
    assert len(iam.requests) <= 2
    assert Miss.objects.get().kind == "refused"


def test_polls_on_demand_and_lists_renew_a_refused_token(iam, upstream):
    credentials.token_for(upstream.project, iam.credentials)
    IamToken.objects.update(retry_at=None)
    iam.is_valid = lambda token: token == "t2"
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    on_demand.poll_now(job)
    assert len(iam.requests) == 2
    IamToken.objects.update(retry_at=None)
    iam.is_valid = lambda token: token == "t3"
    discovery.discover(upstream.project)
    assert len(iam.requests) == 3


def test_a_wrong_password_is_not_tried_again_for_a_while(iam, upstream):
    iam.status = 401
    with pytest.raises(CredentialsRefused):
        credentials.token_for(upstream.project, iam.credentials)
    with pytest.raises(credentials.NoToken, match="IAM gave no token"):
        credentials.token_for(upstream.project, iam.credentials)
    watches.watch(upstream.project, "g1", "j1", timezone.now())
    assert worker_round.poll_for(0.1) == 0
    discovery.discover(upstream.project)
    upstream.project.refresh_from_db()
    assert "IAM gave no token" in upstream.project.problem
    assert len(iam.requests) == 1
    assert upstream.asked == []
    iam.status = 201
    IamToken.objects.update(retry_at=timezone.now())
    assert worker_round.poll_for(0.1) == 1


def test_throttling_by_iam_pauses_the_project(iam, upstream):
    iam.status, iam.headers = 429, {"Retry-After": "90"}
    watches.watch(upstream.project, "g1", "j1", timezone.now())
    with pytest.raises(Throttled) as throttled:
        on_demand.poll_now(on_demand.Job.objects.get())
    assert throttled.value.retry_after == 90
    assert CallBudget.objects.get().paused_until > timezone.now() + timedelta(seconds=60)


def test_another_configured_user_gets_another_token(iam, upstream):
    assert credentials.token_for(upstream.project, iam.credentials) == "t1"
    other = ConfiguredCredentials(
        user="bob", password="another", domain="d", iam_endpoint=iam.credentials.iam_endpoint
    )
    assert credentials.token_for(upstream.project, other) == "t2"
