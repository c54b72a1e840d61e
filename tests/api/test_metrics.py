"""What Prometheus reads: from the database, for what the scraper may see, and at a cost that does not grow."""

import base64
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from jobs.models import AccessKey, CallBudget, Job, Project, Tally, Watch
from jobs.models.tally import Counted, Kind
from jobs.polling.health import STALLED_AFTER
from tests.imports import file, record_reply

TOKEN = "a scrapers token"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(token, name="prometheus"):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()}


def scraped(client, **headers):
    """Samples by name and labels."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }


def watched(project, job_id, due_at):
    job = record_reply(project, job_id, file("a"), status="running", took=None)
    return Watch.objects.create(job=job, next_poll_at=due_at)


@pytest.fixture
def elsewhere(db):
    return Project.objects.create(project_id="p2")


@pytest.fixture
def open_to(settings):
    settings.METRICS_TOKEN = TOKEN


def test_due_and_overdue_watches_and_the_lag(client, project, open_to):
    now = timezone.now()
    for number, ago in enumerate((10, 50, 90, 400, -60)):
        watched(project, f"j{number}", now - timedelta(seconds=ago))
    leased = watched(project, "j9", now - timedelta(seconds=900))
    Watch.objects.filter(pk=leased.pk).update(leased_until=now + timedelta(seconds=30))
    found = scraped(client, **bearer(TOKEN))
    label = (("project", "p1"),)
    assert found["gesdash_watches_due", label] == 4
    assert found["gesdash_watches_overdue", label] == 2
    assert found["gesdash_watch_lag_seconds", label] == pytest.approx(400, abs=60)


def test_counters_are_the_stored_ones(client, project, open_to):
    now = timezone.now()
    Tally.objects.add(
        {
            (project.pk, Kind.REPLY, "poll:new"): Counted(7),
            (project.pk, Kind.REPLY, "list:throttled"): Counted(2),
            (project.pk, Kind.WORD, 'odd "word"'): Counted(3),
            (project.pk, Kind.FIELD, "colour"): Counted(4),
            (project.pk, Kind.LATENCY, "0.1"): Counted(5, 0.4),
            (project.pk, Kind.LATENCY, "inf"): Counted(1, 25.0),
            (project.pk, Kind.LATENCY, "0.07"): Counted(2, 0.1),  # a bound of a former version
        },
        now,
    )
    Tally.objects.add({(project.pk, Kind.REPLY, "poll:new"): Counted(1)}, now)
    found = scraped(client, **bearer(TOKEN))
    p = ("project", "p1")
    assert found["gesdash_replies_total", (("outcome", "new"), p, ("source", "poll"))] == 8
    assert found["gesdash_replies_total", (("outcome", "throttled"), p, ("source", "list"))] == 2
    assert found["gesdash_unknown_words_total", (p, ("word", 'odd "word"'))] == 3
    assert found["gesdash_unknown_fields_total", (("field", "colour"), p)] == 4
    buckets = {
        labels[0][1]: value for (name, labels), value in found.items() if name.endswith("_bucket")
    }
    assert (buckets["0.05"], buckets["0.1"], buckets["20.0"], buckets["+Inf"]) == (0, 7, 7, 8)
    assert found["gesdash_answer_latency_seconds_sum", (p,)] == pytest.approx(25.5)
    assert found["gesdash_answer_latency_seconds_count", (p,)] == 8


def test_open_circuit_and_remaining_quota(client, project, open_to):
    now = timezone.now()
    Project.objects.filter(pk=project.pk).update(
        calls_per_second=10, calls_per_minute=60, problem="GES is down"
    )
    CallBudget.objects.create(
        project=project, second_left=0, minute_left=0, counted_at=now - timedelta(seconds=30), share=0.5,
        lowered_until=now + timedelta(minutes=9), paused_until=now + timedelta(minutes=5),
    )  # fmt: skip
    found = scraped(client, **bearer(TOKEN))
    label = (("project", "p1"),)
    assert found["gesdash_paused_seconds", label] == pytest.approx(300, abs=30)
    assert found["gesdash_budget_share", label] == 0.5
    assert found["gesdash_discovery_failing", label] == 1
    assert found["gesdash_budget_calls_left", (*label, ("window", "second"))] == 5
    assert found["gesdash_budget_calls_left", (*label, ("window", "minute"))] == pytest.approx(
        15, abs=5
    )


def test_workers_are_counted_by_their_heartbeats(client, project, open_to):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) SELECT now() - interval '1 hour' * (number / 4)"
            " FROM generate_series(0, 5) AS number"
        )
    assert scraped(client, **bearer(TOKEN))["gesdash_workers", ()] == 2, (
        "each process has a row for each of its queues"
    )


def key_of(user, *projects):
    return AccessKey.issue(user, now=timezone.now(), projects=projects or None)[2]


def seen_by(client, **headers):
    return {dict(labels).get("project") for _name, labels in scraped(client, **headers)} - {None}


def test_metrics_need_credentials(client, project, elsewhere, settings):
    settings.METRICS_TOKEN = ""
    for headers in (
        {},
        bearer(""),
        basic(""),
        bearer("wrong"),
        basic("wrong"),
        {"Authorization": "Basic %%%"},
    ):
        answer = client.get("/metrics", headers=headers)
        assert answer.status_code == 401, headers
        assert b"p1" not in answer.content
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_settings_token_reads_all_and_a_key_its_projects(client, project, elsewhere, open_to):
    member, root = User.objects.create_user("mia"), User.objects.create_superuser("root")
    member.ges_projects.add(project)
    assert seen_by(client, **bearer(TOKEN)) == seen_by(client, **basic(TOKEN)) == {"p1", "p2"}
    assert seen_by(client, **bearer(key_of(member))) == {"p1"}
    assert seen_by(client, **basic(key_of(member))) == {"p1"}
    assert seen_by(client, **{"X-Auth-Token": key_of(member)}) == {"p1"}
    assert seen_by(client, **bearer(key_of(root))) == {"p1", "p2"}
    assert seen_by(client, **bearer(key_of(root, elsewhere))) == {"p2"}
    outsider = User.objects.create_user("otto", is_staff=True)
    assert seen_by(client, **bearer(key_of(outsider))) == set()
    assert client.get("/metrics", headers=bearer(TOKEN + "x")).status_code == 401


def test_a_session_reads_only_as_staff(client, project, elsewhere):
    member, staff = User.objects.create_user("mia"), User.objects.create_user("sam", is_staff=True)
    member.ges_projects.add(project)
    client.force_login(member)
    assert client.get("/metrics").status_code == 403
    client.force_login(staff)
    assert seen_by(client) == {"p1", "p2"}


@pytest.mark.parametrize(
    "accept", ["", "text/html", "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.3"]
)
def test_the_format_follows_the_accept_header(client, project, open_to, accept):
    answer = client.get("/metrics", headers=bearer(TOKEN) | {"Accept": accept})
    assert answer.status_code == 200
    assert ("openmetrics" in answer.headers["Content-Type"]) is ("openmetrics" in accept)
    assert b"# TYPE gesdash_workers gauge" in answer.content
    assert client.post("/metrics", headers=bearer(TOKEN)).status_code == 405


def test_a_scrape_costs_the_same_for_any_number_of_jobs(client, project, open_to):
    now = timezone.now()
    watched(project, "j", now)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get("/metrics", headers=bearer(TOKEN))
        return len(captured)

    few = queries()
    for number in range(9):
        other = Project.objects.create(project_id=f"more-{number}")
        watched(other, f"j{number}", now)
        Tally.objects.add({(other.pk, Kind.REPLY, "poll:new"): Counted(1)}, now)
    assert queries() == few <= 7


# Readiness


def readiness(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.content.decode()


def test_ready_unless_due_jobs_are_not_polled(client, project):
    now = timezone.now()
    assert readiness(client) == (200, "ready\n")
    watched(project, "j1", now - STALLED_AFTER - timedelta(minutes=1))
    status, said = readiness(client)
    assert status == 503
    assert said.startswith(
        "polling: nothing was polled for over 0:05:00, though something is due since 20"
    )
    Tally.objects.add({(project.pk, Kind.REPLY, "list:new"): Counted(1)}, now)
    assert readiness(client)[0] == 503  # a look at the list is no poll
    Tally.objects.add({(project.pk, Kind.REPLY, "poll:timeout"): Counted(1)}, now)
    assert readiness(client)[0] == 200
    Tally.objects.update(last_at=now - STALLED_AFTER - timedelta(seconds=9))
    assert readiness(client)[0] == 503
    CallBudget.objects.create(
        project=project,
        second_left=0,
        minute_left=0,
        counted_at=now,
        paused_until=now + timedelta(minutes=1),
    )
    assert readiness(client)[0] == 200  # GES asked for a pause
    CallBudget.objects.all().delete()
    Watch.objects.update(next_poll_at=now - STALLED_AFTER + timedelta(minutes=1))
    assert readiness(client)[0] == 200
    assert Job.objects.count() == 1
