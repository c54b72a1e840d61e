"""The files that lost lines, over all jobs: what is to be imported again, and why."""

import csv
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.decisions.review import decide
from jobs.models import Cause, ImportFile, Membership, Project
from tests.conftest import NOW
from tests.imports import file, record_reply

HOUR = timedelta(hours=1)


@pytest.fixture
def signed_in(client, admin, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    client.force_login(admin)
    return client


@pytest.fixture
def night(project):
    """Two graphs with losses last night, one file reloaded since; losses of the week before."""
    label = "label [merchant_v2] is not in the metadata"
    record_reply(project, "old", file("b/old.csv", 7), graph="rings", begin=NOW - 100 * HOUR)
    record_reply(
        project,
        "rings",
        file("b/v.csv", 5, cause=label),
        file("b/e.csv", 90, kind="edge"),
        graph="rings",
        begin=NOW - 9 * HOUR,
    )
    record_reply(
        project,
        "again",
        file("b/e.csv", kind="edge"),
        file("b/other", 1),
        graph="rings",
        begin=NOW - 2 * HOUR,
    )
    record_reply(
        project,
        "chain",
        file("s/e.csv", 217_890, 0, cause="GES.7017: gone"),
        file("s/whole"),
        graph="chain",
        begin=NOW - 8 * HOUR,
    )
    # The same path in another graph, and before: neither has loaded what this one lost.
    record_reply(project, "elsewhere", file("s/e.csv"), graph="rings", begin=NOW - HOUR)
    record_reply(project, "earlier", file("s/e.csv"), graph="chain", begin=NOW - 20 * HOUR)


def rows(page):
    """(path, state) of each row."""
    row_html = re.findall(r"<tr[^>]*>(.*?)</tr>", page.replace("<wbr><span>", ""), re.DOTALL)
    return [
        (re.search(r"<code.*?>(.*?)<", row)[1], re.search(r'class="tag[^>]*>(.*?)<', row)[1])
        for row in row_html[1:]
        if "<code" in row
    ]


def text(answer):
    return b"".join(answer.streaming_content).decode()


def test_last_night_is_one_page(signed_in, night):
    page = signed_in.get("/files/").content.decode()
    assert "4 files with failures and 217,986 failed lines since" in page
    assert "3 need re-import." in page
    assert "label [merchant_v2] is not in the metadata" in page
    assert set(rows(page)) == {
        ("b/other", "Re-import needed"),
        ("s/e.csv", "Re-import needed"),
        ("b/v.csv", "Re-import needed"),
        ("b/e.csv", "Reloaded"),
    }
    assert re.findall(r'<pre hidden id="paths-\d+">(.*?)</pre>', page, re.DOTALL) == [
        "b/other\nb/v.csv\n",
        "s/e.csv\n",
    ]
    assert "Copy all 2 paths" in page
    assert "b/old.csv" not in page
    assert "b/old.csv" in signed_in.get("/files/?since=7d").content.decode()


def test_closed_reviews_need_no_import(signed_in, admin, night, project):
    decide(project.jobs.get(job_id="chain"), state="accepted", note="known", actor=admin, now=NOW)
    page = signed_in.get("/files/").content.decode()
    assert ("s/e.csv", "accepted") in rows(page)
    assert "s/e.csv" not in text(signed_in.get("/files/?list"))


def test_a_path_that_failed_again_is_imported_once(signed_in, project):
    for hours in (9, 5, 1):
        record_reply(project, f"at {hours}", file("b/v.csv", hours), begin=NOW - hours * HOUR)
    page = signed_in.get("/files/").content.decode()
    assert [state for _path, state in rows(page)] == [
        "Re-import needed",
        "Failed again",
        "Failed again",
    ]
    assert text(signed_in.get("/files/?list")) == "b/v.csv\n"


def test_the_downloads_have_all_rows(signed_in, night):
    assert text(signed_in.get("/files/?list")).split() == ["b/other", "s/e.csv", "b/v.csv"]
    assert text(signed_in.get("/files/?list&graph=rings")).split() == ["b/other", "b/v.csv"]
    sent = text(signed_in.get("/files/?csv&since=24h"))
    assert sent.startswith("\ufeffproject_id,")  # for Excel
    csv_rows = list(csv.DictReader(sent.removeprefix("\ufeff").splitlines()))
    assert {
        (row["path"], row["failed_lines"], row["loaded_since_by"], row["import_again"])
        for row in csv_rows
    } == {
        ("b/other", "1", "", "yes"),
        ("s/e.csv", "217890", "", "yes"),
        ("b/v.csv", "5", "", "yes"),
        ("b/e.csv", "90", "again", "no"),
    }
    assert {row["cause"] for row in csv_rows} >= {
        "label [merchant_v2] is not in the metadata",
        "GES.7017: gone",
    }
    assert {row["graph_name"] for row in csv_rows} == {"rings", "chain"}


def test_a_formula_in_a_cause_is_exported_as_text(signed_in, project):
    record_reply(project, "j", file("b/v.csv", 1, cause="=HYPERLINK(1)"))
    assert "'=HYPERLINK(1)" in text(signed_in.get("/files/?csv"))


def test_a_page_continues_where_the_last_ended(signed_in, night):
    paths, address = [], "/files/?page_size=1&since=30d&sort=-failed_lines"
    while address:
        page = signed_in.get(address).content.decode()
        paths += [path for path, _state in rows(page)]
        next_link = re.search(r'rel="next" href="([^"]*)"', page)
        address = next_link and next_link[1].replace("&amp;", "&")
        assert len(paths) < 9
    assert paths == ["s/e.csv", "b/e.csv", "b/old.csv", "b/v.csv", "b/other"]


def test_a_job_without_a_begin_time_is_listed(signed_in, project):
    record_reply(project, "unbegun", file("b/v.csv", 3), begin=None)
    page = signed_in.get("/files/").content.decode()
    assert rows(page) == [("b/v.csv", "Re-import needed")]
    assert "1 file with failures and 3 failed lines since" in page
    assert text(signed_in.get("/files/?list")) == "b/v.csv\n"


def test_an_invalid_time_is_reported_and_the_last_day_shown(signed_in, night):
    page = signed_in.get("/files/?since=soon").content.decode()
    assert "Since: “soon” is not valid; expected a time such as" in page
    assert re.search(
        r"4 files with failures and [\d,]+ failed lines since <time [^>]+>[-\d: ]{16}</time> \(UTC\)\.",
        page,
    )
    for download in ("list", "csv"):
        refused = signed_in.get(f"/files/?{download}&since=soon")
        assert (refused.status_code, refused["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert "Since: “soon” is not valid; expected a time such as" in refused.content.decode()


def test_an_outsider_sees_and_downloads_nothing(client, night):
    client.force_login(User.objects.create_user("eve"))
    for address in ("/files/", "/files/?since=30d&project=p1", "/files/?graph=rings"):
        page = client.get(address).content.decode()
        assert "No files with failures since" in page
        assert "b/v.csv" not in page
    assert text(client.get("/files/?list&since=30d")) == ""
    assert text(client.get("/files/?csv&since=30d")).count("\n") == 1


def test_a_member_sees_only_their_project(client, night, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    other = Project.objects.create(project_id="p2")
    record_reply(other, "theirs", file("z/v.csv", 3))
    mia = User.objects.create_user("mia")
    Membership.objects.create(project=other, user=mia)
    client.force_login(mia)
    assert rows(client.get("/files/?since=30d").content.decode()) == [
        ("z/v.csv", "Re-import needed")
    ]


def test_the_queries_do_not_grow_with_the_rows(signed_in, night, project):
    def asked():
        with CaptureQueriesContext(connection) as captured:
            signed_in.get("/files/?since=30d")
        return len(captured)

    few = asked()
    for number in range(30):
        record_reply(
            project,
            f"n{number}",
            *(file(f"n/{number}/{one}", 1) for one in range(5)),
            graph=f"g{number}",
            begin=NOW - HOUR,
        )
    assert asked() <= few <= 10


def test_lost_files_are_read_from_the_index_of_lossy_jobs(night):
    from tests.pages.test_costs import plan

    begun = ImportFile.objects.filter(
        job__lost_file_count__gt=0, job__begin_time__gte=NOW - 24 * HOUR
    )
    assert "job_lossy" in plan(begun.order_by("-job__begin_time", "-pk")[:200], partly_sorted=True)
    assert Cause.objects.exists()
