"""The log says what a line is about, for people or for programs, and never a secret."""

import json
import logging
import os
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from gesdash import logs
from jobs.ges.errors import GesError
from jobs.models import Snapshot
from jobs.polling import on_demand, watches
from tests.factories import body
from tests.management.test_up import ROOT

SECRET = 's3cret/of+"quotes"'


@pytest.fixture(params=[logs.Text, logs.Json])
def written(request):
    """What goes to the log in each of the two shapes, as it would be written."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keep()
    handler.setFormatter(request.param([SECRET, django_settings.SECRET_KEY]))
    handler.addFilter(logs.About())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def test_json_is_one_object_a_line_with_what_it_is_about(written):
    log = logging.getLogger("tried")
    with logs.about(project="p1", job="over"):
        log.warning("line\none", extra={"job": "j1", "unknown": object(), "graph": None})
    log.error("two")
    first, second = written
    assert "\n" not in first
    if not first.startswith("{"):
        assert first.endswith("WARNING tried line\\none project=p1 job=j1")
        assert second.endswith("ERROR tried two")
        return
    told = json.loads(first)
    assert told.pop("timestamp").endswith("+00:00")
    assert told == {
        "level": "WARNING",
        "logger": "tried",
        "message": "line\none",
        "project": "p1",
        "job": "j1",
    }
    assert json.loads(second).keys() == {"level", "logger", "message", "timestamp"}


def test_a_secret_is_cut_out_wherever_it_stands(written):
    token = "gd_" + "Ab-1" * 12
    iam = "MII" + "aB+/" * 40
    try:
        raise RuntimeError(f"wrong: {SECRET}")
    except RuntimeError:
        logging.getLogger("tried").exception(
            "%s and %s and %s", SECRET, token, iam, extra={"job": SECRET}
        )
    [line] = written
    assert "RuntimeError: wrong: …" in line
    for part in (SECRET, json.dumps(SECRET)[1:-1], token, iam):
        assert part not in line


@pytest.mark.django_db(transaction=True)
def test_what_ges_echoes_of_our_credentials_stays_out_of_the_log(upstream, settings, written):
    from gesdash.env import ConfiguredCredentials, ConfiguredProject

    settings.GES_PROJECTS = {
        "up": ConfiguredProject(
            "up", "p1", upstream.project.endpoint, ConfiguredCredentials(token=SECRET)
        )
    }
    job = watches.watch(upstream.project, "g1", "j1", timezone.now())
    upstream.status = 401
    upstream.body = lambda handler: json.dumps(
        {"errorCode": "APIGW.0301", "errorMessage": f"bad token {handler.headers['X-Auth-Token']}"}
    ).encode()
    with pytest.raises(GesError, match="bad token"):
        on_demand.poll_now(job)
    told = [line for line in written if "APIGW.0301" in line]
    assert told
    for line in written:
        assert SECRET not in line
        assert json.dumps(SECRET)[1:-1] not in line


@pytest.mark.django_db(transaction=True)
def test_proxy_call_is_logged_with_both_ids(client, upstream, shown, written):
    upstream.headers["X-Request-Id"] = "of-ges"
    upstream.body = body("j1", "running")
    answer = client.get(
        "/v1.0/p1/graphs/g1/jobs/j1/status", headers=shown | {"X-Request-Id": "mine-1"}
    )
    assert answer.headers["X-Request-Id"] == "of-ges"
    assert Snapshot.objects.get().source == "proxy"
    [line] = [line for line in written if "GES status: running" in line]
    for part in ("p1", "g1", "j1", "mine-1", "of-ges"):
        assert part in line
    upstream.status, upstream.body = 403, b'{"errorCode": "APIGW.0302", "errorMessage": "no"}'
    refused = client.get("/v1.0/p1/graphs/g1/jobs/j2/status", headers=shown)
    assert refused.status_code == 502
    [line] = [line for line in written if "GESDASH.0502" in line]
    for part in ("p1", "g1", "j2", refused.headers["X-Request-Id"]):
        assert part in line
    assert shown["X-Auth-Token"] not in "".join(written)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a-1.b:c", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("é", False)],
)
def test_every_response_has_a_request_id_the_callers_where_it_will_do(client, db, sent, kept):
    answer = client.get("/healthz", headers={"X-Request-Id": sent})
    assert (answer.headers["X-Request-Id"] == sent) is kept
    assert len(answer.headers["X-Request-Id"]) >= 7


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("GESDASH_LOG", "yaml", "text or json"), ("GESDASH_LOG_LEVEL", "LOUD", "DEBUG or INFO")],
)
def test_a_wrong_setting_is_one_sentence(tmp_path, name, value, expected):
    env = {**os.environ, "GESDASH_HOME": str(tmp_path), name: value}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert f"{name} is '{value}'; expected {expected}" in done.stderr
    assert "Traceback" not in done.stderr
