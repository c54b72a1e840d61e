"""The admin's lists of big tables: by position, without a count, with the filters and the order kept."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape, strip_tags

from jobs.models import Correction, ImportFile, Job, Miss, Snapshot
from jobs.models.reply import Source
from jobs.record import find_jobs
from tests.factories import NOW

TABLES = ["job", "importfile", "snapshot", "miss", "correction"]
ROWS = 120  # three pages


@pytest.fixture
def many(imported, admin, client):
    """Three pages of each big table; an administrator is signed in."""
    jobs = find_jobs(
        imported.project,
        [(imported.graph, f"more{n:03}", NOW + timedelta(seconds=n)) for n in range(ROWS)],
    ).values()
    Job.objects.filter(job_id__startswith="more").update(verdict="running")
    ImportFile.objects.bulk_create(
        ImportFile(
            job=imported,
            kind="edge",
            position=n,
            path=f"b/{n}",
            verdict="success",
            ledger="adds_up",
        )
        for n in range(100, 100 + ROWS)
    )
    Snapshot.objects.bulk_create(
        Snapshot(
            job=job, source=Source.POLL, http_status=200, body=b"{}", sha256=b"%032d" % job.pk, version=1, number=1,
            link=b"%032d" % job.pk, first_seen_at=NOW, last_seen_at=NOW,
        )
        for job in jobs
    )  # fmt: skip
    Miss.objects.bulk_create(
        Miss(job=imported, source=Source.POLL, kind="timeout", first_seen_at=NOW, last_seen_at=NOW)
        for _ in range(ROWS)
    )
    Correction.objects.bulk_create(
        Correction(
            job=job, field="status", corrected="failed", reason="seen", actor=admin, made_at=NOW
        )
        for job in jobs
    )
    client.force_login(admin)
    return client


def rows_of(page, table):
    return re.findall(rf'href="/admin/jobs/{table}/(\d+)/change/', page)


def link(page, rel):
    found = re.search(rf'<a rel="{rel}" href="([^"]+)"', page)
    return found and found[1].replace("&amp;", "&")


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_on_one_page_forward_and_backward(many, table):
    model = {
        "job": Job,
        "importfile": ImportFile,
        "snapshot": Snapshot,
        "miss": Miss,
        "correction": Correction,
    }[table]
    address, at, pages = f"/admin/jobs/{table}/", "", []
    while at is not None:
        page = many.get(f"{address}{at}").content.decode()
        pages.append(list(dict.fromkeys(rows_of(page, table))))
        at = link(page, "next")
    assert sorted(int(pk) for rows in pages for pk in rows) == sorted(
        model.objects.values_list("pk", flat=True)
    )
    assert len(pages) == 3
    back = many.get(f"{address}{link(page, 'prev')}").content.decode()
    assert list(dict.fromkeys(rows_of(back, table))) == pages[1]
    assert link(many.get(address).content.decode(), "prev") is None


@pytest.mark.parametrize("table", TABLES)
def test_the_last_page_costs_what_the_first_does_without_a_count(many, table):
    address, asked = f"/admin/jobs/{table}/", []
    at = ""
    while at is not None:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = many.get(f"{address}{at}").content.decode()
        asked.append([one["sql"] for one in queries])
        at = link(page, "next")
    assert len({len(one) for one in asked}) == 1
    assert len(asked[0]) <= 10
    assert not [sql for sql in asked[0] + asked[-1] if "COUNT(" in sql.upper()]
    rows = next(sql for sql in asked[-1] if f'FROM "jobs_{table}"' in sql and "LIMIT 51" in sql)
    assert "OFFSET" not in rows
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {rows}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(
        rf"Index Scan( Backward)? using \w+ on jobs_{table}\b.*\n\s+Index Cond: \(.*<", plan
    ), plan
    assert "Sort" not in plan


def test_filter_search_and_order_are_kept_from_page_to_page(many):
    page = many.get(
        "/admin/jobs/job/?verdict__exact=running&q=more&o=2"
    ).content.decode()  # by name, of which all have none
    following = link(page, "next")
    assert {"verdict__exact=running", "q=more", "o=2"} <= set(
        following.removeprefix("?").split("&")
    )
    page = many.get(f"/admin/jobs/job/{following}").content.decode()
    ids = re.findall(r">(more\d+)</a>", page)
    assert ids == [f"more{n:03}" for n in range(50, 100)]
    assert "cursor=" not in "".join(
        re.findall(r'<th scope="col".*?</th>', page, re.S)
    )  # another order starts anew
    assert 'name="cursor"' not in page  # and so does another search
    assert "cursor=" not in page[page.index('id="changelist-filter"') : page.index('id="toolbar"')]


def test_only_indexed_columns_order_a_list(many):
    page = many.get("/admin/jobs/job/").content.decode()
    heads = re.findall(r'<th scope="col" class="([^"]*)column-(\w+)', page)
    assert [name for kinds, name in heads if "sortable" in kinds] == [
        "job_name",
        "begin_time",
        "loss_rate",
    ]
    plain = rows_of(page, "job")
    assert rows_of(many.get("/admin/jobs/job/?o=4").content.decode(), "job") == plain  # the verdict
    assert rows_of(many.get("/admin/jobs/job/?o=x.9").content.decode(), "job") == plain


@pytest.mark.parametrize("cursor", ["nonsense", "WyJpZCJd", "", "é"])
def test_invalid_cursor_is_reported_and_the_first_page_shown(many, cursor):
    page = many.get("/admin/jobs/miss/", {"cursor": cursor}).content.decode()
    assert (f"Cursor: “{escape(cursor)}” is not valid" in page) == bool(cursor)
    assert rows_of(page, "miss") == rows_of(many.get("/admin/jobs/miss/").content.decode(), "miss")


def test_an_action_on_all_pages_applies_to_the_filtered_rows(many, imported):
    page = many.get("/admin/jobs/job/?verdict__exact=running").content.decode()
    assert "Select all rows on all pages" in page
    assert (
        "Select all rows on all pages"
        not in many.get(f"/admin/jobs/job/?q={imported.job_id}").content.decode()
    )
    chosen = {
        "action": "correct_many",
        "index": 0,
        "select_across": 1,
        "_selected_action": rows_of(page, "job")[0],
    }
    here = f"/admin/jobs/job/{link(page, 'next')}"
    assert f"{ROWS} rows selected." in strip_tags(many.post(here, chosen).content.decode())


def test_corrections_are_filtered_by_field(many, imported, admin):
    other = Correction.objects.create(
        job=imported, field="job_name", corrected="n", reason="r", actor=admin, made_at=NOW
    )
    page = many.get("/admin/jobs/correction/?field=job_name").content.decode()
    assert rows_of(page, "correction") == [str(other.pk)] * page.count(
        f"/correction/{other.pk}/change/"
    )
    assert 'href="?field=status"' in page
