"""Unobserved times: on a job's page, in its history, on its graph's axis, and in the export."""

import json
import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from django.core.management import call_command
from django.template.loader import render_to_string
from django.utils import timezone

from jobs.models import Presence
from jobs.pages.drawing.axis import Axis
from jobs.pages.drawing.charts import Mark
from jobs.record import find_graph, find_jobs, observe, record
from tests.conftest import NOW
from tests.imports import file, record_reply, reply_body

SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def text(page):
    main = page.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<title>.*?</title>|<[^>]*>", " ", main)))


def present(project, *stretches):
    Presence.objects.bulk_create(
        [Presence(project=project, first_at=first, last_at=last) for first, last in stretches]
    )


def drawn(page, kind):
    """Left edges and widths of the rectangles of a kind, in thousandths of the axis."""
    figure = page.content.decode().partition("<figure")[2].partition("</svg>")[0]
    rows = re.findall(
        rf'<rect\s+class="(?:mark )?{kind}"\s+x="([\d.]+)"(?:\s+y="[\d.]+")?\s+width="([\d.]+)"',
        figure,
    )
    return [(float(x), float(width)) for x, width in rows]


@pytest.fixture
def changed(project):
    """Seen running from 12:00 to 12:10:05, and a success from 12:15:40 on."""
    record_reply(project, "j1", file("a", 0, 5), status="running", took=None)
    record_reply(
        project,
        "j1",
        file("a", 0, 5),
        status="running",
        took=None,
        at=NOW + 10 * MINUTE + 5 * SECOND,
    )
    return record_reply(project, "j1", file("a", 0, 9), at=NOW + 15 * MINUTE + 40 * SECOND)


BETWEEN = "between 2026-03-04 12:10:05 and 12:15:40 (5 min 35 s unobserved)"


def test_the_job_and_its_history_show_between_which_moments_a_change_came(signed_in, changed):
    assert BETWEEN in text(signed_in.get(f"/jobs/{changed.pk}/"))
    assert "changed between 2026-03-04 12:10:05 and 12:15:40 , 5 min 35 s unobserved" in text(
        signed_in.get(f"/jobs/{changed.pk}/history/")
    )


def test_a_repeated_final_status_does_not_hide_when_it_came(signed_in, changed, project):
    for source, minutes in (("list", 16), ("proxy", 17)):
        record(
            [
                observe(
                    changed,
                    source,
                    NOW + minutes * MINUTE,
                    200,
                    reply_body("j1", file("a", 0, 9), x=source),
                )
            ]
        )
    assert f"Completed {BETWEEN}" in text(signed_in.get(f"/jobs/{changed.pk}/"))


def test_a_change_within_a_second_is_shown_as_a_moment(signed_in, project):
    record_reply(project, "j1", file("a", 0, 5), status="running", took=None)
    job = record_reply(project, "j1", file("a", 0, 9), at=NOW + timedelta(milliseconds=400))
    assert "Completed 2026-03-04 12:00:00 (UTC)" in text(signed_in.get(f"/jobs/{job.pk}/"))
    assert "unobserved" not in text(signed_in.get(f"/jobs/{job.pk}/history/"))


def test_before_a_single_reply_nothing_is_known(signed_in, project):
    job = record_reply(project, "j1", file("a"))
    assert "by 2026-03-04 12:00:00 ; not observed before" in text(signed_in.get(f"/jobs/{job.pk}/"))
    assert "changed between" not in text(signed_in.get(f"/jobs/{job.pk}/history/"))


def test_a_later_sighting_by_another_source_narrows_the_time(signed_in, changed, project):
    job = find_jobs(project, [(find_graph(project, "id-of-payments"), "j1", NOW)])["j1"]
    running = reply_body("j1", status="running", took=None)
    for minute in (1, 14):
        record([observe(job, "list", NOW + minute * MINUTE, 200, running)])
    assert "between 2026-03-04 12:14:00 and 12:15:40 (1 min 40 s unobserved)" in text(
        signed_in.get(f"/jobs/{job.pk}/")
    )


def test_the_history_shows_when_no_worker_was_polling(signed_in, changed, project):
    present(project, (NOW - DAY, NOW + 11 * MINUTE), (NOW + 14 * MINUTE, NOW + 15 * MINUTE))
    page = signed_in.get(f"/jobs/{changed.pk}/history/")
    page_text = text(page)
    assert (
        page_text.count("Worker downtime") == 1
    )  # what came after the final reply is of no interest
    assert "Worker downtime 2026-03-04 12:11:00 – 12:14:00 (UTC) · 3 min 00 s" in page_text
    assert (
        page_text.index("Response #")
        < page_text.index("Worker downtime")
        < page_text.rindex("Response #")
    )
    [(x, width)] = drawn(page, "away")
    whole = (15 * 60 + 40) * 1.05 / 1000  # and a little room for the last
    assert (x * whole, width * whole) == (pytest.approx(660, abs=1), pytest.approx(180, abs=1))
    [(x, width)] = drawn(page, "unsure")
    assert (x * whole, (x + width) * whole) == (
        pytest.approx(605, abs=1),
        pytest.approx(940, abs=1),
    )


def test_a_running_job_that_is_no_longer_polled_says_so(signed_in, project):
    now = timezone.now()
    job = record_reply(project, "j1", file("a"), status="running", took=None, at=now - HOUR)
    present(project, (now - DAY, now - HOUR))
    assert re.search(
        r"Worker downtime [^)]*\(UTC\) · (59 min|1 h)",
        text(signed_in.get(f"/jobs/{job.pk}/history/")),
    )


def test_each_absence_is_on_one_page_of_a_long_history(signed_in, project):
    for number in range(45):
        job = record_reply(
            project, "j1", file("a", 0, number), status="running", took=None, at=NOW + number * HOUR
        )
    present(project, *((NOW + n * HOUR - MINUTE, NOW + n * HOUR + 20 * MINUTE) for n in range(45)))
    address, absences = f"/jobs/{job.pk}/history/", []
    while address:
        page = signed_in.get(address).content.decode()
        absences += re.findall(
            r'Worker downtime</b>\s*<span class="dim"><time datetime="([^"]*)"', page
        )
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = f"/jobs/{job.pk}/history/{following[1]}" if following else None
    assert len(absences) == len(set(absences)) == 45


def test_a_graphs_axis_shows_absence_failed_polls_and_unobserved_changes(signed_in, project):
    now = timezone.now()
    begin = now - 12 * HOUR
    record_reply(project, "j1", file("a", 0, 5), status="running", took=None, begin=begin, at=begin)
    job = record_reply(project, "j1", file("a", 0, 9), begin=begin, took=HOUR, at=begin + 3 * HOUR)
    record([observe(job, "poll", begin + minute * MINUTE, 200, b"<html>") for minute in (30, 60)])
    present(project, (now - 20 * HOUR, begin), (begin + 2 * HOUR, now))
    page = signed_in.get(f"/graphs/{job.graph_id}/?days=1")
    hour = 1000 / 24
    for kind, width in (("away", 2 * hour), ("gap", hour / 2), ("unsure", 3 * hour)):
        [(x, wide)] = drawn(page, kind)
        assert wide == pytest.approx(width, abs=0.5)
        assert x == pytest.approx(12 * hour + (hour / 2 if kind == "gap" else 0), abs=0.5)
    page_text = text(page)
    assert "3 unobserved periods" in page_text
    assert "2 h 00 min worker downtime" in page_text
    assert "30 min 00 s no usable response from GES" in page_text
    assert "3 h 00 min ImportGraph · success: changed at some point in this interval" in page_text


def test_a_change_too_short_to_be_seen_is_not_drawn(signed_in, project):
    now = timezone.now()
    begin = now - 12 * HOUR
    record_reply(project, "j1", file("a", 0, 5), status="running", took=None, begin=begin, at=begin)
    job = record_reply(project, "j1", file("a", 0, 9), begin=begin, at=begin + 10 * SECOND)
    page = signed_in.get(f"/graphs/{job.graph_id}/?days=7")
    assert drawn(page, "success")
    assert not drawn(page, "unsure")
    assert "unobserved period" not in text(page)


def test_the_export_has_the_time_in_which_a_reply_changed(changed):
    output = StringIO()
    call_command("export", "snapshots", stdout=output)
    first, second = map(json.loads, output.getvalue().splitlines())
    assert (first["changed_after"], first["unobserved_seconds"]) == (None, None)
    assert (second["changed_after"], second["unobserved_seconds"]) == (
        "2026-03-04T12:10:05Z",
        335.0,
    )


def test_a_running_job_shows_the_usual_duration_and_whether_it_is_stuck(signed_in, project):
    now = timezone.now()
    for number, minutes in enumerate((2, 3, 4)):
        record_reply(
            project,
            f"like-{number}",
            file("a"),
            begin=now - (number + 1) * DAY,
            took=minutes * MINUTE,
        )
    job = record_reply(
        project, "j1", file("a", 0, 1), status="running", begin=now - 5 * MINUTE, took=None, at=now
    )
    page_text = text(signed_in.get(f"/jobs/{job.pk}/"))
    assert "Running for 5 min" in page_text
    assert "typically 3 min 00 s (median of 3 jobs)" in page_text
    assert "Running longer than usual:" not in page_text
    record_reply(
        project,
        "j1",
        file("a", 0, 2),
        status="running",
        begin=now - HOUR,
        took=None,
        at=now + SECOND,
    )
    stuck = text(signed_in.get(f"/jobs/{job.pk}/"))
    assert (
        "Running longer than usual: Running for 1 h 00 min. "
        "Duration of the last 3 jobs of this name on this graph: median 3 min 00 s" in stuck
    )


def test_a_job_without_enough_earlier_ones_is_never_stuck(signed_in, project):
    job = record_reply(project, "j1", file("a"), status="running", begin=NOW - 9 * DAY, took=None)
    page_text = text(signed_in.get(f"/jobs/{job.pk}/"))
    assert "too few similar jobs for a typical duration" in page_text
    assert "Running longer than usual:" not in page_text


def test_the_times_of_a_brief_axis_are_told_apart():
    def row(seconds):
        axis = Axis(
            [Mark(0, 0, 1, 1, "running", "", "one")],
            [],
            [],
            9.0,
            NOW,
            NOW + seconds * SECOND,
            until_now=False,
        )
        return re.findall(
            r"<time [^>]*>([^<]*)</time>", render_to_string("parts/axis.html", {"axis": axis})
        )

    assert row(60) == ["2026-03-04 12:00:00", "12:00:30", "12:01:00"]
    assert row(600) == ["2026-03-04 12:00", "2026-03-04 12:05", "2026-03-04 12:10"]
