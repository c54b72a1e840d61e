"""Jobs as they were known at a moment: on their page, in their graph's list, in the export."""

import json
import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.as_of.jobs import jobs_as_of
from jobs.decisions.corrections import correct, revert
from jobs.decisions.review import decide
from jobs.export.job import job_object
from jobs.models import Job, Tombstone
from tests.factories import NOW
from tests.imports import file, record_reply
from tests.pages.test_every_page import is_sound

MINUTE = timedelta(minutes=1)


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def at(minutes):
    return f"{NOW + minutes * MINUTE:%Y-%m-%dT%H:%M:%SZ}"


def text(page):
    main = page.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", main.replace("<wbr><span>", ""))))


@pytest.fixture
def told(project, admin):
    """Running at 12:00, lossy at 12:10, corrected at 12:20 and undone at 12:40, accepted at 12:30."""
    record_reply(project, "j1", file("b/a.csv", 0, 5), status="running", took=None)
    job = record_reply(
        project, "j1", file("b/a.csv", 3, 7, cause="line 7: bad"), at=NOW + 10 * MINUTE
    )
    one = correct(job, kind="vertex", position=0, field="failed_lines", corrected="2", reason="counted", actor=admin, now=NOW + 20 * MINUTE)  # fmt: skip
    decide(Job.objects.get(), state="accepted", note="fine so", actor=admin, now=NOW + 30 * MINUTE)
    revert(one, reason="seen again", actor=admin, now=NOW + 40 * MINUTE)
    return Job.objects.get()


@pytest.mark.parametrize(
    ("minutes", "verdict", "failed", "review", "snapshots"),
    [
        (0, "running", 0, "", 1),
        (9, "running", 0, "", 1),
        (10, "partial", 3, "waiting", 2),
        (25, "partial", 2, "waiting", 2),
        (35, "partial", 2, "accepted", 2),
        (45, "partial", 3, "accepted", 2),
    ],
)
def test_what_was_known_is_folded_from_what_there_was_by_then(
    told, minutes, verdict, failed, review, snapshots
):
    past = jobs_as_of([told], NOW + minutes * MINUTE)[told.pk]
    job = past.job
    assert (job.verdict, job.failed_lines, job.review, job.snapshot_count) == (
        verdict,
        failed,
        review,
        snapshots,
    )
    assert past.files[0].failed_lines == failed
    assert job.duration == (None if verdict == "running" else 5 * MINUTE)
    told.refresh_from_db()
    assert (told.verdict, told.failed_lines, told.review) == ("partial", 3, "accepted")


def test_now_is_what_stands(told):
    past = jobs_as_of([told], NOW + 50 * MINUTE)[told.pk]
    assert job_object(past.job, past.files) == job_object(told)


def test_as_of_shows_the_reply_seen_last_not_the_one_first_seen_last(project):
    """A list may tell an old state again after a poll told a newer; the store goes by the last time seen, and so did it then."""
    record_reply(project, "j1", status="running", took=None, source="list")
    record_reply(project, "j1", status="success", at=NOW + 5 * MINUTE)
    job = record_reply(
        project, "j1", status="running", took=None, source="list", at=NOW + 9 * MINUTE
    )
    verdicts = [jobs_as_of([job], NOW + minutes * MINUTE)[job.pk].job.verdict for minutes in (4, 9)]
    assert verdicts == ["running", job.verdict]


def test_its_page_says_that_it_is_the_past_and_offers_nothing_to_change(signed_in, told):
    page = signed_in.get(f"/jobs/{told.pk}/?as_of={at(25)}")
    assert is_sound(page.content)
    shown = text(page)
    assert "Historical view : as known at 2026-03-04 12:25:00 UTC . Back to current" in shown
    assert "b/a.csv" in shown
    assert "counted" in shown
    assert "fine so" not in shown
    main = page.content.decode().partition("<main")[2]
    assert 'method="post"' not in main
    assert "hx-get" not in main
    later = text(signed_in.get(f"/jobs/{told.pk}/?as_of={at(35)}"))
    assert "Accepted : fine so" in later
    early = text(signed_in.get(f"/jobs/{told.pk}/?as_of={at(5)}"))
    assert "counted" not in early
    assert "Running" in early


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            "nonsense",
            "as_of: “nonsense” is not valid; expected a time such as 2026-01-31, 2026-01-31T08:15:00Z, 24h, 7d, 4w, today or yesterday.",
        ),
        ("0001-01-01T00:00:00+14:00", "is not valid; expected a time"),
        ("", "is not valid; expected a time"),
        (
            "9999-01-01T00:00:00Z",
            "as_of: 9999-01-01T00:00:00Z is in the future; current data is shown.",
        ),
        (
            "2026-03-04T11:59:59Z",
            "Nothing was known about this job at that time: its first response from GES was seen on 2026-03-04 12:00:00 UTC.",
        ),
    ],
)
def test_invalid_moment_is_reported(signed_in, told, asked, sentence):
    page = signed_in.get(f"/jobs/{told.pk}/", {"as_of": asked})
    assert page.status_code == 200
    assert sentence in text(page)
    assert is_sound(page.content)


def test_pruned_replies_are_reported_not_guessed(signed_in, told):
    gone = told.snapshots.latest("first_seen_at")
    fields = ["number", "source", "version", "http_status", "content_type", "sha256", "first_seen_at", "last_seen_at", "seen", "link"]  # fmt: skip
    Tombstone.objects.create(
        id=gone.pk, job=told, size=9, **{name: getattr(gone, name) for name in fields}
    )
    gone.delete()
    assert jobs_as_of([told], NOW + 15 * MINUTE) == {}
    assert "the response was deleted by retention" in text(
        signed_in.get(f"/jobs/{told.pk}/?as_of={at(15)}")
    )
    assert jobs_as_of([told], NOW + 5 * MINUTE)[told.pk].job.verdict == "running"


def test_the_moments_at_which_something_changed_are_links(signed_in, told):
    page = signed_in.get(f"/jobs/{told.pk}/").content.decode()
    links = re.findall(r'\?as_of=(2026[^"]*)"[^>]*>.*?</a>\s+([^<]*?)\s+</li>', page)
    words = [
        "new response from GES",
        "new response from GES",
        "correction",
        "decision",
        "correction undone",
    ]
    assert [what for _at, what in links] == words
    assert [unescape(when).replace("%3A", ":") for when, _what in links] == [
        at(minutes) for minutes in (0, 10, 20, 30, 40)
    ]
    past = signed_in.get(f"/jobs/{told.pk}/?as_of={at(25)}").content.decode()
    assert re.search(r'type="range" min="0" max="4" value="2"', past)
    assert '<label class="slider" hidden>' in past


def test_a_graphs_jobs_stand_as_known_then(signed_in, told, project):
    record_reply(project, "j2", status="success", at=NOW + 60 * MINUTE)
    page = signed_in.get(f"/graphs/{told.graph_id}/?as_of={at(5)}")
    assert is_sound(page.content)
    rows = page.content.decode().partition('<div id="jobs">')[2]
    assert re.findall(r'<tr\s+id="job-(\d+)"', rows) == [str(told.pk)]
    assert 'class="verdict running"' in rows.partition("<tbody")[2]
    assert f"?as_of={at(5)}".replace(":", "%3A") in rows
    assert "Historical view : rows are as known at 2026-03-04 12:05:00 UTC" in text(page)
    assert re.search(
        r'name="as_of"\s+required\s+value="2026-03-04T12:05:00"', page.content.decode()
    )
    assert "Nothing on this page was known at that time." in text(
        signed_in.get(f"/graphs/{told.graph_id}/?as_of={at(-5)}")
    )
    assert "as_of: “x” is not valid" in text(signed_in.get(f"/graphs/{told.graph_id}/?as_of=x"))


def test_an_outsider_finds_no_past(client, told, django_user_model):
    client.force_login(django_user_model.objects.create_user("otto"))
    assert client.get(f"/jobs/{told.pk}/?as_of={at(5)}").status_code == 404


def test_the_export_stands_as_known_then(told, project):
    record_reply(project, "j2", status="success", at=NOW + 60 * MINUTE)

    def exported(moment):
        out = StringIO()
        call_command("export", "jobs", "--as-of", moment, stdout=out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    [early] = exported(at(5))
    assert (early["job_id"], early["verdict"], early["files"][0]["failed_lines"]) == (
        "j1",
        "running",
        0,
    )
    [later] = exported(at(25))
    assert (
        later["verdict"],
        later["files"][0]["failed_lines"],
        later["lines"]["all"]["failed"],
    ) == ("partial", 2, 2)
    assert exported(at(-5)) == []
    with pytest.raises(CommandError, match="--as-of 'x' is not valid; expected a time"):
        exported("x")
    with pytest.raises(CommandError, match="--as-of is for jobs"):
        call_command("export", "files", "--as-of", at(5))


def test_many_jobs_cost_no_more_questions_than_one(project):
    for number in range(12):
        record_reply(project, f"j{number}", file("a", 1, 5))
    jobs = list(Job.objects.select_related("graph"))
    counts = []
    for some in (jobs[:1], jobs):
        with CaptureQueriesContext(connection) as captured:
            assert len(jobs_as_of(some, NOW)) == len(some)
        counts.append(len(captured))
    assert counts[0] == counts[1] == 7


def test_the_overview_stands_as_known_then(signed_in, told, project):
    record_reply(
        project, "old", file("a", 1, 5), at=NOW - 5 * MINUTE, begin=NOW - 60 * MINUTE
    )  # nothing changed since
    record_reply(project, "new", status="success", at=NOW + 60 * MINUTE)
    page = signed_in.get(f"/?as_of={at(5)}")
    assert is_sound(page.content)
    early = text(page)
    assert "Historical view : as known at 2026-03-04 12:05:00 UTC" in early
    assert "Running 1 Partial success 1 Loaded lines 10 Failed lines 1" in early
    assert "Needed attention 1" in early
    assert "No jobs were running." not in early
    later = text(signed_in.get(f"/?as_of={at(15)}"))
    assert "Partial success 2 Loaded lines 12 Failed lines 4" in later
    assert "Needed attention 2" in later
    assert "No jobs were running." in later
    assert "Needed attention 1" in text(
        signed_in.get(f"/?as_of={at(35)}")
    )  # one is accepted by then
    assert "Jobs 0 Loaded lines 0" in text(signed_in.get(f"/?as_of={at(-9999)}"))
    assert "as_of: “x” is not valid" in text(signed_in.get("/?as_of=x"))


def test_an_overview_that_would_fold_too_much_says_so(signed_in, told, monkeypatch):
    for module in ("jobs.as_of.overview", "jobs.pages.overview.as_of"):
        monkeypatch.setattr(f"{module}.MAX_FOLDED", 0)
    assert "More than 0 jobs have changed since" in text(signed_in.get(f"/?as_of={at(5)}"))
    assert "More than" not in text(signed_in.get(f"/?as_of={at(9999)}"))


def test_an_outsiders_past_is_empty(client, told, django_user_model):
    client.force_login(django_user_model.objects.create_user("otto"))
    assert "Jobs 0 Loaded lines 0" in text(client.get(f"/?as_of={at(15)}"))
