"""The overview of a known history: exact figures, and links to lists of exactly those jobs."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User

from jobs.decisions.review import decide, set_tolerance
from jobs.models import Job, Project
from jobs.record import find_graph
from tests.conftest import NOW
from tests.imports import file, record_reply, record_story
from tests.markup import one_line

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PART = {"HX-Request": "true"}


@pytest.fixture
def clock(monkeypatch):
    """The time of every page: noon of 4 March 2026, UTC; it is moved by `clock.at`."""

    class Clock:
        at = NOW

    monkeypatch.setattr("django.utils.timezone.now", lambda: Clock.at)
    return Clock


@pytest.fixture
def signed_in(client, admin, clock):
    client.force_login(admin)
    return client


def marks(page, label):
    """Of one chart: what each mark says, and the address it leads to."""
    chart = re.search(rf'aria-label="{re.escape(label)}">(.*?)</svg>', page, re.DOTALL)[1]
    return {
        unescape(label_of_mark)
        .replace("March 4, 2026", "4")
        .replace("March 5, 2026", "5"): unescape(href)
        for href, label_of_mark in re.findall(r'<a href="([^"]*)" aria-label="([^"]*)"', chart)
    }


def listed(client, address):
    page = one_line(client.get(address).content)
    return set(re.findall(r'title="([^"]*)">[^<]*</code>', page))


@pytest.fixture
def late(project):
    """One job in the evening of the 3rd, UTC, and others by noon of the 4th."""
    record_reply(project, "late", file("a"), begin=NOW.replace(day=3, hour=23, minute=30))
    record_reply(project, "lost", file("a", 4, 6), file("b", kind="edge"), begin=NOW - 2 * HOUR)
    record_reply(project, "gone", file("a", 10, 0), begin=NOW - HOUR, status="failed")
    record_reply(project, "runs", file("a", 3, 7), begin=NOW - HOUR, took=None, status="running")
    record_reply(project, "other", begin=NOW - 3 * HOUR, jobName="ClearGraph")
    record_reply(project, "long ago", file("a", 1), begin=NOW - 40 * DAY)


def test_jobs_a_day_by_verdict_in_the_readers_zone(signed_in, late):
    chart = marks(one_line(signed_in.get("/").content), "Jobs per day by status")
    assert {mark_label for mark_label in chart if mark_label[0] == "4"} == {
        "4: 1 Success",
        "4: 1 Running",
        "4: 1 Partial success",
        "4: 1 Failed",
    }
    assert {mark_label for mark_label in chart if "March 3" in mark_label} == {
        "March 3, 2026: 1 Success"
    }
    signed_in.cookies["gesdash_zone"] = "Asia/Shanghai"
    chart = marks(one_line(signed_in.get("/").content), "Jobs per day by status")
    assert chart.keys() == {"4: 2 Success", "4: 1 Running", "4: 1 Partial success", "4: 1 Failed"}
    assert listed(signed_in, chart["4: 2 Success"]) == {"late", "other"}
    assert listed(signed_in, chart["4: 1 Partial success"]) == {"lost"}


@pytest.mark.parametrize(
    "zone", ["", "Asia/Shanghai", "America/Los_Angeles", "Etc/GMT-8", "Asia/Kathmandu"]
)
def test_every_mark_links_to_exactly_its_jobs(signed_in, late, zone):
    signed_in.cookies["gesdash_zone"] = zone
    page = one_line(signed_in.get("/").content)
    for mark_label, address in marks(page, "Jobs per day by status").items():
        count = int(re.search(r": (\d+) ", mark_label)[1])
        assert len(listed(signed_in, address)) == count, mark_label
        assert 'role="alert"' not in signed_in.get(address).content.decode()
    for label, field in (
        ("Loaded lines per day", "successful_lines"),
        ("Failed lines per day (separate scale)", "failed_lines"),
    ):
        for mark_label, address in marks(page, label).items():
            jobs = Job.objects.filter(job_id__in=listed(signed_in, address))
            assert sum(getattr(job, field) or 0 for job in jobs) == int(
                re.search(r": ([\d,]+) ", mark_label)[1].replace(",", "")
            )


def test_lines_loaded_and_lost(signed_in, late):
    page = one_line(signed_in.get("/").content)
    assert marks(page, "Loaded lines per day").keys() == {
        "March 3, 2026: 10 loaded lines",
        "4: 23 loaded lines",
    }
    lost = marks(page, "Failed lines per day (separate scale)")
    assert lost.keys() == {"4: 17 failed lines"}
    assert listed(signed_in, lost["4: 17 failed lines"]) == {"lost", "gone", "runs"}
    assert "33 loaded" in page
    total = re.search(r'<a href="([^"]*)"><b class="bad">17 failed', page)[1]
    assert listed(signed_in, unescape(total)) == {"lost", "gone", "runs"}
    table = [
        re.findall(r">([^<]*)</t[hd]>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", page)
        if "2026-03-0" in row
    ]
    assert table == [
        ["2026-03-04", "1", "1", "1", "1", "23", "17"],
        ["2026-03-03", "", "1", "", "", "10", "0"],
    ]


def test_a_count_in_the_legend_links_to_exactly_its_jobs(signed_in, project, late):
    record_reply(project, "good, long ago", file("a"), begin=NOW - 40 * DAY)
    page = one_line(signed_in.get("/").content)
    legend = re.findall(
        r'<a class="soft" href="([^"]*)"><svg[^>]*><use[^>]*/></svg>([\w ]+) (\d+)</a>', page
    )
    assert {(word, count) for _href, word, count in legend} == {
        ("Success", "2"),
        ("Partial success", "1"),
        ("Failed", "1"),
        ("Running", "1"),
    }
    for href, _word, count in legend:
        assert len(listed(signed_in, unescape(href))) == int(count)


def test_the_queue_has_imports_to_review_and_to_fix(signed_in, admin, late, project):
    page = one_line(signed_in.get("/").content)
    assert "3 imports to review" in page  # one of them began long ago
    assert "10 failed lines in 1 of 1 files · 100.00%" in re.sub(r"\s+", " ", page)
    assert "2 more to review" in page
    jobs = {job.job_id: job for job in Job.objects.all()}
    decide(jobs["gone"], state="accepted", note="known", actor=admin, now=NOW)
    decide(jobs["lost"], state="to_fix", actor=admin, now=NOW)
    page = one_line(signed_in.get("/").content)
    assert "2 imports to review" in page
    address = unescape(re.search(r'href="([^"]*)">2 imports', page)[1])
    assert listed(signed_in, address) == {"lost", "long ago"}


def test_a_loss_within_the_threshold_is_not_queued_and_its_page_says_so(signed_in, project):
    graph = find_graph(project, "id-of-payments", "payments")
    set_tolerance(graph, "0.05", now=NOW)
    little = record_reply(project, "little", file("a", 1, 99))
    record_reply(project, "much", file("a", 10, 90))
    page = one_line(signed_in.get("/").content)
    assert "1 import to review" in page
    assert f"/jobs/{little.pk}/" not in page
    assert (
        "failure rate of 1.00% is within its graph’s threshold of 5.00%; no review needed"
        in signed_in.get(f"/jobs/{little.pk}/").content.decode()
    )


def test_a_tiny_loss_is_not_shown_as_none(signed_in, project):
    job = record_reply(project, "tiny", file("a", 1, 10**9))
    for address in ("/", "/jobs/", f"/jobs/{job.pk}/", "/graphs/", f"/graphs/{job.graph_id}/"):
        page = signed_in.get(address).content.decode()
        assert "&lt;0.01%" in page, address
        assert ">0%<" not in page, address


@pytest.mark.parametrize(("runs", "is_stuck"), [(5, False), (14, False), (16, True), (300, True)])
def test_a_job_is_stuck_when_it_runs_far_longer_than_usual(signed_in, project, runs, is_stuck):
    for number in range(4):
        record_reply(project, f"j{number}", file("a"), begin=NOW - number * DAY - 5 * HOUR)
    record_reply(
        project, "runs", file("a"), begin=NOW - timedelta(minutes=runs), took=None, status="running"
    )
    assert ("Running longer than usual:" in one_line(signed_in.get("/").content)) is is_stuck


def test_without_earlier_jobs_nothing_is_stuck(signed_in, project):
    record_reply(project, "runs", file("a"), begin=NOW - 9 * HOUR, took=None, status="running")
    page = one_line(signed_in.get("/").content)
    assert "Running longer than usual" not in page
    assert "for 9 h 00 min" in page
    assert "All clear" in page


@pytest.mark.parametrize(
    ("newest", "deleted", "is_quiet"), [(1, False, False), (5, False, True), (5, True, False)]
)
def test_a_graph_is_overdue_when_its_imports_have_stopped(
    signed_in, project, newest, deleted, is_quiet
):
    for number in range(4):
        record_reply(project, f"j{number}", file("a"), begin=NOW - (newest + number) * DAY)
    find_graph(project, "id-of-payments").__class__.objects.update(is_deleted=deleted)
    page = one_line(signed_in.get("/").content)
    assert ("Overdue: no new import (usually every 1 d)" in page) is is_quiet


def test_the_overview_covers_only_the_readers_projects(client, clock, project, late):
    own_project = Project.objects.create(project_id="mine", problem="GES refused the key")
    user = User.objects.create_user("eve")
    own_project.members.add(user)
    record_reply(own_project, "theirs", file("a", 1, 1, cause="line 7: x"), graph="other")
    client.force_login(user)
    page = one_line(client.get("/").content)
    assert "1 import to review" in page
    assert "GES refused the key" in page
    assert "payments" not in page
    assert "No jobs running" in page
    assert marks(page, "Failed lines per day (separate scale)").keys() == {"4: 1 failed lines"}


def test_the_live_part_gets_204_until_something_changes(signed_in, clock, project, late):
    whole = one_line(signed_in.get("/").content)
    address = unescape(re.search(r'id="now" hx-get="([^"]*)"', whole)[1])
    assert signed_in.get(address, headers=PART).status_code == 204
    assert signed_in.get(address).status_code == 200
    assert (
        signed_in.get(address, headers=PART | {"HX-History-Restore-Request": "true"}).status_code
        == 200
    )
    record_reply(
        project,
        "late",
        file("a"),
        begin=NOW.replace(day=3, hour=23, minute=30),
        at=NOW + timedelta(minutes=1),
    )
    assert signed_in.get(address, headers=PART).status_code == 204  # the same word once more
    record_reply(project, "new", file("a", 1), at=NOW + timedelta(minutes=1))
    part = signed_in.get(address, headers=PART)
    assert part.status_code == 200
    assert "<html" not in part.content.decode()


def test_the_live_part_is_redrawn_for_changes_without_a_response(signed_in, clock, project, late):
    address = unescape(
        re.search(r'id="now" hx-get="([^"]*)"', one_line(signed_in.get("/").content))[1]
    )
    Project.objects.update(problem="GES is not to be reached")
    part = one_line(signed_in.get(address, headers=PART).content)
    assert "GES is not to be reached" in part
    address = unescape(re.search(r'id="now" hx-get="([^"]*)"', part)[1])
    assert signed_in.get(address, headers=PART).status_code == 204
    clock.at = NOW + timedelta(minutes=11)
    assert signed_in.get(address, headers=PART).status_code == 200


def test_jobs_of_the_future_or_of_extreme_years_break_nothing(signed_in, project):
    for number, begin in enumerate(
        ["9999-12-31T23:59:59", "0001-01-01T00:00:00", "2026-03-09T00:00:00"]
    ):
        record_reply(
            project,
            f"j{number}",
            file("a", 1, 1, cause="line 7: x"),
            beginTime=begin,
            endTime=begin,
        )
    for zone in ("America/New_York", "Asia/Shanghai", "UTC"):
        signed_in.cookies["gesdash_zone"] = zone
        for address in ("/", "/jobs/", "/graphs/", "/causes/", "/files/?path=a"):
            assert signed_in.get(address).status_code == 200, (zone, address)
        for job in Job.objects.all():
            for below in ("", "compare/", "repair/", "history/"):
                assert signed_in.get(f"/jobs/{job.pk}/{below}").status_code == 200, (
                    zone,
                    job.job_id,
                    below,
                )
            assert signed_in.get(f"/graphs/{job.graph_id}/").status_code == 200
            cause = job.files.get().cause_group_id
            assert signed_in.get(f"/causes/{cause}/").status_code == 200


def test_the_story_of_the_simulator_costs_few_queries(
    signed_in, project, django_assert_max_num_queries
):
    record_story(project)
    with django_assert_max_num_queries(15):
        page = one_line(signed_in.get("/").content)
    assert "device_links" in page
    assert "Overdue: no new import" in page
    assert "Running longer than usual: 2 h 59 min" in page


def test_without_a_project_it_says_what_to_set(signed_in):
    assert "GES_ENDPOINT=" in one_line(signed_in.get("/").content)


def queued(page):
    """The graphs in the queue, in order."""
    listing = re.search(r'id="h-needs".*?</ul>', page, re.DOTALL)[0]
    return re.findall(r'<li>.*?<a href="/graphs/\d+/">([^<]*)</a>·<a href="/jobs/\d+/">', listing)


def test_a_large_loss_of_today_comes_before_newer_small_ones(signed_in, project):
    for number in range(12):
        record_reply(
            project,
            f"small {number}",
            file("a", 1),
            graph=f"small {number % 3}",
            begin=NOW - number * HOUR / 4,
        )
    record_reply(
        project,
        "large",
        file("a", 217_890, cause="GES.7017: gone"),
        file("b", 1, cause="x"),
        graph="chain",
        begin=NOW - 20 * HOUR,
    )
    record_reply(project, "old", file("a", 10**9), graph="old", begin=NOW - 3 * DAY)
    page = one_line(signed_in.get("/").content)
    assert queued(page)[0] == "chain"
    assert queued(page)[-1] == "old"
    assert len(queued(page)) == 5
    assert "GES.7017: gone" in re.search(r'id="h-needs".*?</ul>', page, re.DOTALL)[0]
    assert page.count("3 more to review") == 3
    assert "14 imports to review" in page
    assert (
        '<a class="end" href="/files/?since=24h">View 14 failed files since yesterday</a>' in page
    )


def test_imports_repaired_by_a_later_one_are_tagged(signed_in, project, admin):
    record_reply(project, "lost", file("a", 4), file("b", 1), begin=NOW - 5 * HOUR)
    record_reply(project, "half", file("a"), begin=NOW - 4 * HOUR)
    for address in ("/", "/jobs/"):
        assert "Reloaded by a later import" not in signed_in.get(address).content.decode()
    fix = record_reply(project, "whole", file("a"), file("b"), begin=NOW - 3 * HOUR)
    for address in ("/", "/jobs/"):
        tag = rf'<a class="tag good" href="/jobs/{fix.pk}/"[^>]*>Reloaded by a later import'
        assert re.search(tag, one_line(signed_in.get(address).content)), address
    decide(Job.objects.get(job_id="lost"), state="accepted", note="known", actor=admin, now=NOW)
    assert "Reloaded by" not in signed_in.get("/jobs/").content.decode()


def test_an_implausible_count_is_left_out_of_the_sums_and_reported(signed_in, project):
    record_reply(project, "odd", file("a", 0, 2**62), begin=NOW - HOUR)
    record_reply(project, "good", file("a", 5, 95), begin=NOW - HOUR)
    page = one_line(signed_in.get("/").content)
    assert "1 job reports more than 10¹⁵ lines" in page
    assert "95 loaded" in page
