"""The list of jobs: its filters on the page, what is new in it, and saved views."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User

from jobs.models import Job, Membership, Project, SavedView
from jobs.models.job import VerdictChoices
from tests.conftest import NOW
from tests.imports import file, record_reply

PART = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def listed(client, address, **more):
    page = client.get(address, **more).content.decode()
    assert 'role="alert"' not in page
    return re.findall(r'title="([^"]*)"\s*>[^<]*</code>', page)


def one_line(page):
    return re.sub(r"\s+", " ", page.content.decode())


@pytest.fixture
def some(project):
    """Jobs by name, the newest first."""
    return {
        "runs": record_reply(
            project, "runs", file("a/x", 0, 5), begin=NOW, took=None, status="running"
        ),
        "lost": record_reply(
            project,
            "lost",
            file("a/x", 5, 5, cause="line 7: bad"),
            file("b/y", 0, 10),
            begin=NOW - timedelta(hours=1),
        ),
        "gone": record_reply(
            project,
            "gone",
            file("b/y", 9, 0, cause="no such file"),
            begin=NOW - timedelta(hours=2),
            status="failed",
        ),
        "good": record_reply(
            project,
            "good",
            file("a/x", 0, 3),
            begin=NOW - timedelta(hours=3),
            took=timedelta(hours=1),
        ),
        "stop": record_reply(
            project, "stop", jobName="StopGraph", begin=NOW - timedelta(hours=4), graph="other"
        ),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "runs lost gone good stop"),
        ("verdict=partial&verdict=failed", "lost gone"),
        ("verdict=partial&path=y", "lost"),
        ("path=a/x", "runs lost good"),
        ("path=A/X", ""),
        ("cause=LINE", "lost"),
        ("review=waiting", "lost gone"),
        ("graph=other", "stop"),
        ("graph=id-of-pay", "runs lost gone good"),
        ("job_name=stopgraph", "stop"),
        ("job_id=g", "gone good"),
        ("status=RUNNING", "runs"),
        ("ledger=adds_up&path=b/y", "lost gone"),
        ("loss_over=0.25", "gone"),
        ("began_after=2026-03-04T10:30:00Z", "runs lost"),
        ("began_after=2026-03-04T18:30&zone=Asia/Shanghai", "runs lost"),
        ("began_before=2026-03-04T09:00:00Z", "stop"),
        ("ended_after=2026-03-04T10:00:00Z&ended_before=2026-03-04T10:05:01Z", "gone good"),
        ("project=p1&job_type=graphmanagement&job_id=s", "stop"),
        ("project=p2", ""),
        ("sort=-failed_lines", "gone lost"),
        ("sort=failed_lines&verdict=success&verdict=partial&path=x", "good lost"),
        ("sort=-duration", "good"),
        ("sort=job_name&page_size=4", "gone good lost runs"),
        ("verdict=&path=&graph=", "runs lost gone good stop"),
    ],
)
def test_filters_and_orders(signed_in, some, query, names):
    listed_names = listed(signed_in, f"/jobs/?{query}")
    first_names = listed_names if "sort=" not in query else listed_names[: len(names.split())]
    assert (
        sorted(first_names) if query.startswith("sort=job_name") else first_names
    ) == names.split()
    assert listed(signed_in, f"/jobs/?{query}", headers=PART) == listed_names


def test_counts_by_verdict_are_of_the_filters_without_the_verdict(signed_in, some):
    page = signed_in.get("/jobs/?path=y&verdict=failed").content.decode()
    assert "All <b>2</b>" in page
    tabs = re.findall(r'verdict=(\w+)"[^>]*>.*?<b>(\d+)</b>', page, re.DOTALL)
    assert dict(tabs) == {"partial": "1", "failed": "1"}


def test_every_verdict_is_named_on_the_page(signed_in, some):
    for verdict in VerdictChoices:
        Job.objects.filter(job_id="stop").update(verdict=verdict)
        assert (
            f'href="#v-{verdict.value}"/></svg>{verdict.label}'
            in signed_in.get("/jobs/?job_id=stop").content.decode()
        )


def test_the_pager_goes_forth_and_back(signed_in, some):
    address, listed_names = "/jobs/?page_size=2&sort=begin_time", []
    while address:
        page = signed_in.get(address).content.decode()
        listed_names.append(listed(signed_in, address))
        address = next(
            (unescape(one) for one in re.findall(r'rel="next" href="([^"]*)"', page)), None
        )
    assert listed_names == [["stop", "good"], ["gone", "lost"], ["runs"]]
    back = unescape(re.search(r'rel="prev" href="([^"]*)"', page)[1])
    assert listed(signed_in, back) == ["gone", "lost"]


# News


@pytest.fixture
def news(signed_in, some):
    """The address that a list, drawn now, asks for what is new."""

    def address(of="/jobs/"):
        return unescape(
            re.search(r'id="news" hx-get="([^"]*)"', signed_in.get(of).content.decode())[1]
        )

    return address


def test_news_are_204_until_something_changes(signed_in, project, some, news):
    address = news()
    assert signed_in.get(address, headers=PART).status_code == 204
    record_reply(
        project,
        "good",
        file("a/x", 0, 3),
        begin=NOW - timedelta(hours=3),
        took=timedelta(hours=1),
        at=NOW + timedelta(minutes=1),
    )
    assert signed_in.get(address, headers=PART).status_code == 204


def test_news_count_new_jobs_once_and_bring_running_rows(signed_in, project, some, news):
    address = news()
    record_reply(project, "new", at=NOW + timedelta(minutes=1))
    record_reply(project, "runs", file("a/x", 2, 5), begin=NOW, at=NOW + timedelta(minutes=2))
    part = signed_in.get(address, headers=PART).content.decode()
    assert "<html" not in part
    assert "Show 1 new job" in part
    assert re.findall(r'<tr id="job-(\d+)" hx-swap-oob="true">', part) == [str(some["runs"].pk)]
    again = unescape(re.search(r'id="news" hx-get="([^"]*)"', part)[1])
    assert f"rows={some['runs'].pk}" not in again
    assert signed_in.get(again, headers=PART).status_code == 204
    record_reply(project, "newer", at=NOW + timedelta(minutes=3))
    assert "Show 2 new jobs" in signed_in.get(again, headers=PART).content.decode()


def test_news_bring_a_running_row_once_for_each_change(signed_in, project, some, news):
    address = news()
    for minute in (1, 2):
        record_reply(
            project,
            "runs",
            file("a/x", minute, 5),
            begin=NOW,
            took=None,
            status="running",
            at=NOW + timedelta(minutes=minute),
        )
        part = signed_in.get(address, headers=PART).content.decode()
        assert f'<b class="bad">{minute}</b>' in part
        assert "new job" not in part
        address = unescape(re.search(r'id="news" hx-get="([^"]*)"', part)[1])
        assert signed_in.get(address, headers=PART).status_code == 204


def test_news_follow_the_filters_and_the_graph(signed_in, project, some, news):
    failed, graph = news("/jobs/?verdict=failed"), news(f"/graphs/{some['stop'].graph_id}/?days=1")
    record_reply(project, "new", file("a"), at=NOW + timedelta(minutes=1))
    assert signed_in.get(failed, headers=PART).status_code == 204
    assert signed_in.get(graph, headers=PART).status_code == 204
    record_reply(
        project, "elsewhere", file("a", 1, 0), at=NOW + timedelta(minutes=2), graph="other"
    )
    assert "1 new job" in signed_in.get(failed, headers=PART).content.decode()
    part = signed_in.get(graph, headers=PART).content.decode()
    assert f'href="/graphs/{some["stop"].graph_id}/?' in part


def test_another_project_makes_no_news(client, project, some, news):
    address = news()
    user = User.objects.create_user("eve")
    own_project = Project.objects.create(project_id="mine")
    own_project.members.add(user)
    record_reply(project, "new", at=NOW + timedelta(minutes=1))
    client.force_login(user)
    assert client.get(address, headers=PART).status_code == 204
    record_reply(own_project, "mine", at=NOW + timedelta(minutes=2))
    assert "1 new job" in client.get(address, headers=PART).content.decode()


# Saved views


@pytest.fixture
def eve(project):
    user = User.objects.create_user("eve")
    Membership.objects.create(project=project, user=user)
    return user


def test_a_view_keeps_filters_and_order_without_the_position(signed_in, some):
    query = (
        "verdict=failed&verdict=partial&sort=-failed_lines&zone=Asia/Shanghai"
        "&cursor=xyz&days=7&nonsense=1&path="
    )
    answer = signed_in.post("/jobs/views/", {"name": " lost ", "query": query}, follow=True)
    assert "Saved as “lost”." in answer.content.decode()
    view = SavedView.objects.get()
    assert (view.name, view.is_shared) == ("lost", False)
    assert view.query == "verdict=failed&verdict=partial&sort=-failed_lines&zone=Asia%2FShanghai"
    href = unescape(
        re.search(r'href="([^"]*)">lost</a>', signed_in.get("/jobs/").content.decode())[1]
    )
    assert listed(signed_in, href) == ["gone", "lost"]
    assert signed_in.get(f"/jobs/views/{view.pk}/count/").content == b"2"


def test_saving_the_same_name_replaces_only_ones_own_view(signed_in, client, some, eve):
    SavedView.objects.create(owner=eve, name="lost", query="verdict=success", created_at=NOW)
    for query in ("verdict=failed", "verdict=partial"):
        signed_in.post("/jobs/views/", {"name": "lost", "query": query, "is_shared": "on"})
    assert sorted(SavedView.objects.values_list("owner__username", "query")) == [
        ("ada", "verdict=partial"),
        ("eve", "verdict=success"),
    ]


@pytest.mark.parametrize("name", ["", "   ", "\x00", "x" * 81])
def test_a_view_needs_a_name(signed_in, name):
    page = signed_in.post("/jobs/views/", {"name": name, "query": ""}, follow=True).content.decode()
    assert "The name of the view is not valid; expected 1 to 80 characters." in page
    assert not SavedView.objects.exists()


def test_a_view_that_is_too_long_is_refused_not_cut(signed_in):
    page = signed_in.post(
        "/jobs/views/", {"name": "x", "query": "path=" + "x" * 9000}, follow=True
    ).content.decode()
    assert "too long" in page
    assert not SavedView.objects.exists()


def test_a_shared_view_is_seen_by_others_and_counts_what_they_may_see(signed_in, client, some):
    signed_in.post("/jobs/views/", {"name": "ours", "query": "verdict=failed", "is_shared": "on"})
    signed_in.post("/jobs/views/", {"name": "private", "query": ""})
    ours, private = SavedView.objects.order_by("name")
    stranger = User.objects.create_user("stranger")
    client.force_login(stranger)
    page = client.get("/jobs/").content.decode()
    assert ">ours</a>" in page
    assert ">private</a>" not in page
    assert f"/jobs/views/{ours.pk}/delete/" not in page
    assert client.get(f"/jobs/views/{ours.pk}/count/").content == b"0"
    assert client.get(f"/jobs/views/{private.pk}/count/").status_code == 404
    assert client.post(f"/jobs/views/{ours.pk}/delete/").status_code == 404
    assert SavedView.objects.count() == 2


def test_only_ones_own_view_can_be_deleted(signed_in, admin):
    view = SavedView.objects.create(owner=admin, name="mine", created_at=NOW)
    page = signed_in.post(f"/jobs/views/{view.pk}/delete/", follow=True).content.decode()
    assert "The view “mine” was deleted." in page
    assert not SavedView.objects.exists()


def test_a_list_of_a_graph_shows_its_axis_whole_and_boosted_and_its_rows_as_a_part(
    signed_in, some, monkeypatch
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    address = f"/graphs/{some['lost'].graph_id}/"
    restored = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    for headers in ({}, {"HX-Request": "true", "HX-Boosted": "true"}, restored):
        page = signed_in.get(address, headers=headers).content.decode()
        assert "<html" in page
        assert "Latest import" in page
        assert 'aria-label="Timeline of jobs"' in page
        assert re.search(r"Failure threshold.*?<form", page, re.DOTALL)
    part = signed_in.get(address, headers=PART).content.decode()
    assert part.lstrip().startswith('<div id="jobs">')


def test_further_values_of_a_filter_stay_in_the_form_and_can_be_removed(signed_in, some):
    page = one_line(signed_in.get("/jobs/", {"job_id": ["runs", "lost"], "cursor": ""}))
    assert '<input name="job_id" value="runs" >' in page
    assert '<input type="hidden" name="job_id" value="lost">' in page
    [without] = re.findall(
        r'href="([^"]*)" aria-label="Remove filter Job ID starts with: lost"', page
    )
    assert listed(signed_in, unescape(without)) == ["runs"]
