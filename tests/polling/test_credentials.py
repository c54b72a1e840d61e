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
from tests.conftest import Server, body

pytestmark = pytest.mark.django_db(transaction=True)


class Iam:
    """Gives t1, t2, t3 …; `status` other than 201 gives none."""

    def __init__(self):
        self.asked, self.status, self.headers, self.life = [], 201, {}, timedelta(hours=24)

    @property
    def newest(self):
        return f"t{len(self.asked)}"


@pytest.fixture
def iam(upstream, settings):
    made = Iam()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            made.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            said = json.dumps(
                {"token": {"expires_at": f"{timezone.now() + made.life:%Y-%m-%dT%H:%M:%S.000000Z}"}}
            ).encode()
            self.send_response(made.status)
            for name, value in {
                "X-Subject-Token": made.newest,
                "Content-Length": len(said),
                **made.headers,
            }.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    made.who = ConfiguredCredentials(
        user="ada", password="a password", domain="d", iam_endpoint=address
    )
    settings.GES_PROJECTS = {
        "up": ConfiguredProject("up", "p1", upstream.project.endpoint, made.who)
    }
    made.valid = lambda token: token == made.newest

    def say(handler):
        if not made.valid(handler.headers["X-Auth-Token"]):
            upstream.status = 401
            return b'{"error_code": "APIGW.0301", "error_msg": "token expires"}'
        upstream.status = 200
        return body(handler.path.split("/")[-2], "running")

    upstream.body = say
    yield made
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_one_token_serves_all_and_is_kept_sealed(iam, upstream):
    def get():
        try:
            return credentials.token_for(upstream.project, iam.who)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert {one.result() for one in [pool.submit(get) for _ in range(6)]} == {"t1"}
    assert len(iam.asked) == 1, "one asks IAM, the others wait for it"
    row = IamToken.objects.get()
    assert b"t1" not in bytes(row.sealed_value)
    assert iam.who.password not in str(vars(row))
    assert timedelta(hours=23) < row.expires_at - timezone.now() <= timedelta(hours=24)


def test_it_is_renewed_before_its_end(iam, upstream):
    iam.life = credentials.RENEWED_BEFORE + timedelta(seconds=60)
    assert credentials.token_for(upstream.project, iam.who) == "t1"
    assert credentials.token_for(upstream.project, iam.who) == "t1"
    IamToken.objects.update(expires_at=timezone.now() + credentials.RENEWED_BEFORE)
    assert credentials.token_for(upstream.project, iam.who) == "t2"


def test_a_token_that_ges_takes_no_more_is_renewed_once_and_nothing_is_missed(iam, upstream):
    for number in range(8):
        watches.watch(upstream.project, "g1", f"j{number}", timezone.now())
    credentials.token_for(upstream.project, iam.who)
    IamToken.objects.update(retry_at=None)  # it is not new any more
    iam.valid = lambda token: token == "t2"
    assert worker_round.poll_for(0.5) == 8
    assert len(iam.asked) == 2
    assert Snapshot.objects.count() == 8
    assert not Miss.objects.exists()


def test_a_user_whom_ges_refuses_makes_no_storm_on_iam(iam, upstream):
    iam.valid = lambda token: False
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    for _ in range(3):
        with pytest.raises(CredentialsRefused):
            on_demand.poll_now(job)
    assert len(iam.asked) <= 2
    assert Miss.objects.get().kind == "refused"


def test_poll_now_and_the_list_renew_it_too(iam, upstream):
    credentials.token_for(upstream.project, iam.who)
    IamToken.objects.update(retry_at=None)
    iam.valid = lambda token: token == "t2"
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    on_demand.poll_now(job)
    assert len(iam.asked) == 2
    IamToken.objects.update(retry_at=None)
    iam.valid = lambda token: token == "t3"
    discovery.discover(upstream.project)
    assert len(iam.asked) == 3


def test_a_wrong_password_is_not_tried_again_at_once(iam, upstream):
    iam.status = 401
    with pytest.raises(CredentialsRefused):
        credentials.token_for(upstream.project, iam.who)
    with pytest.raises(credentials.NoToken, match="IAM gave no token"):
        credentials.token_for(upstream.project, iam.who)
    watches.watch(upstream.project, "g1", "j1", timezone.now())
    assert worker_round.poll_for(0.1) == 0
    discovery.discover(upstream.project)
    upstream.project.refresh_from_db()
    assert "IAM gave no token" in upstream.project.problem
    assert len(iam.asked) == 1
    assert upstream.asked == []
    iam.status = 201
    IamToken.objects.update(retry_at=timezone.now())
    assert worker_round.poll_for(0.1) == 1


def test_iams_own_throttling_pauses_the_project(iam, upstream):
    iam.status, iam.headers = 429, {"Retry-After": "90"}
    watches.watch(upstream.project, "g1", "j1", timezone.now())
    with pytest.raises(Throttled) as throttled:
        on_demand.poll_now(on_demand.Job.objects.get())
    assert throttled.value.retry_after == 90
    assert CallBudget.objects.get().paused_until > timezone.now() + timedelta(seconds=60)


def test_another_user_in_the_settings_gets_a_token_of_their_own(iam, upstream):
    assert credentials.token_for(upstream.project, iam.who) == "t1"
    other = ConfiguredCredentials(
        user="bob", password="another", domain="d", iam_endpoint=iam.who.iam_endpoint
    )
    assert credentials.token_for(upstream.project, other) == "t2"
