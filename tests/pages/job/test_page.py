"""One job's page: live while it runs, its files in parts, hostile data, and what people decide."""

import html
import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User

from jobs.decisions.review import decide
from jobs.models import Cause, Job, Membership, Review, SavedView, Watch
from tests.conftest import NOW
from tests.imports import file, record_reply
from tests.markup import one_line

PART = {"HX-Request": "true"}
FILES = PART | {"HX-Target": "files"}
XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 }}{% now %}"


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def page_of(client, job, query="", **more):
    return one_line(client.get(f"/jobs/{job.pk}/{query}", **more).content)


def text(page):
    """What a reader sees, on one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


# Live


def test_the_live_part_of_a_running_job_gets_204_until_it_changes(signed_in, project):
    job = record_reply(project, "j1", file("a", 0, 5), status="running", took=None)
    whole = page_of(signed_in, job, "?verdict=success")
    address = unescape(re.search(r'id="live" hx-get="([^"]*)" hx-trigger="every 5s"', whole)[1])
    assert "verdict=success" in address
    ask = lambda: signed_in.get(f"/jobs/{job.pk}/{address}", headers=PART)  # noqa: E731
    assert ask().status_code == 204
    record_reply(project, "j1", file("a", 2, 9), at=NOW + timedelta(minutes=1))
    part = one_line(ask().content)
    assert "<html" not in part
    assert 'id="job-title" class="title" hx-swap-oob="true"' in part
    assert 'hx-trigger="every' not in part
    assert "2 of 11 lines" in text(part)


def test_the_page_of_a_final_job_does_not_refresh(signed_in, imported):
    assert 'hx-trigger="every' not in page_of(signed_in, imported)


@pytest.mark.parametrize("more", [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}])
def test_a_boosted_or_restored_page_is_whole(signed_in, project, more):
    job = record_reply(project, "j1", file("a", 0, 5), status="running", took=None)
    token = re.search(r"seen=([^&\"]*)", page_of(signed_in, job))[1]
    answer = signed_in.get(f"/jobs/{job.pk}/?seen={token}", headers=FILES | more)
    page = answer.content.decode()
    assert "<html" in page
    assert "hx-swap-oob" not in page
    assert "How these figures are calculated" in page


def test_a_job_without_a_response_says_so(signed_in, project):
    from jobs.record import find_graph, find_jobs

    job = find_jobs(project, [(find_graph(project, "g1"), "j1", NOW)])["j1"]
    assert "GES has not returned any data for this job yet." in page_of(signed_in, job)


def test_the_page_shows_the_outcome_file_by_file(signed_in, imported):
    page = page_of(signed_in, imported)
    assert "Loaded 1,209 of 1,659 vertex lines." in page
    assert "450 of 2,659 lines failed, in 1 of 3 files." in page
    assert "b/<wbr><span>&lt;script&gt;v.csv</span>" in page
    assert "b/<wbr><span>s.xml</span>" in page


# Hostile data


@pytest.fixture
def hostile(project):
    project.name = XSS
    project.save()
    cause = f"line 7: {XSS} " + "x" * 13_000
    graph = "图‮evil" + XSS
    record_reply(project, "before", file("b/v.csv"), graph=graph, begin=NOW - timedelta(days=1))
    return record_reply(
        project,
        f"j{XSS}",
        file(f"b/{XSS}.csv", 3, cause=cause, log=f"b/{XSS}.log"),
        file("b/" + "n/" * 500 + "v.csv", 2, kind="edge", status=XSS),
        file(f"b/s{XSS}.xml", kind="schema", cause=XSS),
        graph=graph,
        jobName=f"Import{XSS}",
        jobType=XSS,
        failReason=XSS,
        status="failed",
        beginTime=XSS,
        endTime="2026-03-04T11:00:00",
        **{XSS: XSS},
    )


def test_hostile_texts_are_shown_and_never_run_on_any_page(signed_in, admin, hostile):
    cause = Cause.objects.exclude(pattern="").earliest("pk")
    Cause.objects.update(note=XSS, note_by=admin, note_at=NOW)
    decide(hostile, state="to_fix", note=XSS, actor=admin, now=NOW)
    SavedView.objects.create(owner=admin, name=XSS[:80], query="verdict=failed", created_at=NOW)
    snapshot = hostile.snapshots.get()
    below = [
        "",
        "?group=folder",
        "?group=cause",
        "compare/",
        "repair/",
        "repair/?api=v2",
        "history/",
        f"snapshots/{snapshot.pk}/",
    ]
    addresses = [f"/jobs/{hostile.pk}/{one}" for one in below]
    addresses += [
        "/",
        "/jobs/",
        "/graphs/",
        f"/graphs/{hostile.graph_id}/",
        "/causes/?days=90",
        f"/causes/{cause.pk}/",
    ]
    addresses += [
        "/files/?path=.csv",
        "/jobs/?path=%22%3E%3Cscript%3Ealert(1)",
        f"/jobs/?{XSS}={XSS}",
        f"/files/?path=<script>alert(1)&project={XSS}",
    ]
    for address in addresses:
        answer = signed_in.get(address)
        assert answer.status_code == 200, address
        page = answer.content.decode()
        assert "<script>alert" not in page, address
        assert "<img" not in page, address
        assert "{{ 7 }}" in page or "alert" not in page, address
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    page = page_of(signed_in, hostile)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5
    assert "x" * 13_000 in page


def test_long_paths_and_names_in_other_scripts_are_not_cut(signed_in, project):
    long = "桶/" + "文件夹/" * 240 + "תיקייה-مجلد.csv"
    job = record_reply(project, "j1", file(long, 1), graph="社交关系图", jobName="导入图")
    page = page_of(signed_in, job)
    assert long in page.replace("<wbr><span>", "")
    assert "导入图" in page
    assert "社交关系图" in signed_in.get("/graphs/?name=关系").content.decode()
    assert long in signed_in.get("/files/", {"path": long}).content.decode()


def test_sums_beyond_64_bits_are_exact_on_every_page(signed_in, project, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    huge = 9_223_372_036_854_775_806
    rows = [
        file(
            f"b/{name}",
            0,
            0,
            status="failed",
            totalLines=huge,
            failedLines=huge,
            successfulLines=0,
            cause="line 7: bad",
        )
        for name in "xy"
    ]
    job = record_reply(project, "j1", *rows)
    twice = "18,446,744,073,709,551,612"
    for query in ("", "?group=kind", "?group=cause", "?group=folder", "?group=verdict"):
        assert twice in page_of(signed_in, job, query), query
    record_reply(project, "j2", *rows, begin=NOW - timedelta(days=1))
    assert twice in signed_in.get("/jobs/").content.decode()
    four = "36,893,488,147,419,103,224"
    cause = Cause.objects.get()
    assert twice in signed_in.get("/graphs/").content.decode()
    assert four in signed_in.get(f"/causes/{cause.pk}/").content.decode()
    assert four in signed_in.get("/causes/").content.decode()
    assert f"{twice} failed lines" in text(signed_in.get("/").content.decode())
    assert twice in signed_in.get("/files/?path=b/x").content.decode()


# A thousand files


@pytest.fixture
def big(project):
    rows = [
        file(
            f"b/{'even' if n % 2 == 0 else 'odd'}/{n:04}.csv",
            n % 7 if n % 5 == 0 else 0,
            n,
            kind="vertex" if n < 400 else "edge",
            cause=f"line {n}: too long" if n % 10 == 0 else f"vertex [U{n}] is gone",
        )
        for n in range(1000)
    ]
    return record_reply(project, "big", *rows)


def walk(client, job, query):
    """The paths of all parts of the table, and how many each has."""
    address, paths, sizes = f"/jobs/{job.pk}/{query}", [], []
    while address:
        part = one_line(client.get(address).content)
        assert '<div id="files"' in part
        links = re.findall(
            r"<tr><td>.*?<code[^>]*>(b/[^<]*)", part.replace("<wbr><span>", ""), re.DOTALL
        )
        paths += links
        sizes.append(len(links))
        following = re.search(r'rel="next" href="([^"#]*)#h-files"', part)
        address = unescape(following[1]) if following else None
    return paths, sizes


def test_a_thousand_files_are_paged_by_a_hundred_each_once(
    signed_in, big, django_assert_max_num_queries
):
    for sort in (
        "",
        "path",
        "-path",
        "failed_lines",
        "-failed_lines",
        "-successful_lines",
        "total_lines",
    ):
        paths, sizes = walk(signed_in, big, f"?sort={sort}")
        assert sizes == [100] * 10, sort
        assert len(set(paths)) == 1000, sort
    with django_assert_max_num_queries(11):
        page = page_of(signed_in, big)
    assert "Next 100 of 1,000 files" in page
    worst, _sizes = walk(signed_in, big, "")
    files = {one.path: one for one in big.files.all()}
    rank = {"failed": 3, "partial": 2, "success": 0}
    keys = [(-rank[files[path].verdict], -files[path].failed_lines) for path in worst]
    assert keys == sorted(keys)


def test_a_thousand_files_filtered(signed_in, big):
    lost = big.files.filter(verdict__in=["partial", "failed"])
    for query, rows in [
        ("?kind=vertex", big.files.filter(kind="vertex")),
        ("?verdict=partial", big.files.filter(verdict="partial")),
        ("?file=odd/", big.files.filter(path__contains="odd/")),
        ("?file=TOO", big.files.filter(cause__contains="too")),
        (
            "?folder=b/odd/&kind=edge&verdict=partial",
            lost.filter(path__contains="odd/", kind="edge"),
        ),
    ]:
        paths, _sizes = walk(signed_in, big, query)
        assert sorted(paths) == sorted(rows.values_list("path", flat=True)), query
        assert paths


@pytest.mark.parametrize("group", ["kind", "verdict", "folder", "cause"])
def test_a_group_sums_its_files_and_links_to_exactly_those(signed_in, big, group):
    page = page_of(signed_in, big, f"?group={group}")
    rows = re.findall(
        r'<th class="wrap" scope="row">(.*?)</th><td[^>]*>(.*?)</td>', page, re.DOTALL
    )
    counted = 0
    for name, lost in rows:
        files = int(re.search(r"/ ([\d,]+)", text(lost))[1].replace(",", ""))
        counted += files
        if link := re.search(r'href="([^"#]*)#h-files"', name):
            paths, _sizes = walk(signed_in, big, unescape(link[1]))
            assert len(paths) == files, name
    assert counted == 1000
    assert text(name).strip()


def test_files_without_a_folder_or_a_cause_have_a_group_that_says_so(signed_in, project):
    job = record_reply(project, "j1", file("v.csv", 1), file("b/w.csv", 2, cause="line 7: x"))
    folders = text(page_of(signed_in, job, "?group=folder"))
    assert "no failure reason given" not in folders
    assert "no folder" in folders
    assert "no failure reason given" in text(page_of(signed_in, job, "?group=cause"))


def test_the_shares_of_the_causes_sum_to_the_loss(signed_in, project):
    job = record_reply(
        project,
        "j1",
        file("a", 30, cause="line 1: x"),
        file("b", 30, cause="line 2: x"),
        file("c", 20, cause="gone"),
        file("d", None),
    )
    page = page_of(signed_in, job)
    rows = [
        text(row).split()
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
        if "cause_group" in row
    ]
    never = ["in", "no", "import", "of", "this", "graph", "in", "the", "30", "days", "before"]
    assert rows == [
        ["line", "‹number›:", "x", "new", *never, "2", "60", "75.00%"],
        ["gone", "new", *never, "1", "20", "25.00%"],
    ]
    [first, _second] = re.findall(r'href="(\?cause_group=\d+)#files"', page)
    assert walk(signed_in, job, first)[0] == []  # their paths have no folder
    assert text(page_of(signed_in, job, first)).count("line 1: x") == 1


def test_a_cause_links_to_earlier_imports_of_the_graph_with_it(signed_in, project):
    for number in range(3):
        record_reply(
            project,
            f"e{number}",
            file("a", 3, cause="gone"),
            begin=NOW - timedelta(days=1 + number),
        )
    record_reply(project, "old", file("a", 3, cause="gone"), begin=NOW - timedelta(days=40))
    record_reply(
        project, "other", file("a", 3, cause="gone"), graph="other", begin=NOW - timedelta(days=1)
    )
    record_reply(project, "whole", file("a"), begin=NOW - timedelta(days=1))
    page = page_of(signed_in, record_reply(project, "now", file("a", 3, cause="gone")))
    assert "in 3 imports of this graph in the 30 days before" in text(page)
    [listed] = re.findall(r'href="(/jobs/\?cause_group=[^"]+)"', page)
    list_text = text(signed_in.get(html.unescape(listed)).content.decode())
    assert all(f" {one} " in list_text for one in ("e0", "e1", "e2"))
    assert not any(f" {one} " in list_text for one in ("old", "other", "now"))


# Decisions


@pytest.fixture
def lossy(project):
    return record_reply(project, "lossy", file("a", 3), file("b", 2))


def say(client, job, **typed):
    answer = client.post(f"/jobs/{job.pk}/review/", {"known": "0", **typed}, follow=True)
    return one_line(answer.content)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"state": "accepted"}, "Accepting failures requires a note with the reason."),
        ({"state": ""}, "'' is not a valid decision"),
        ({"state": "tolerated"}, "is not a valid decision"),
        ({"state": "fixed", "note": "kept"}, "A resolved import needs the job that fixed it."),
        (
            {"state": "fixed", "fixed_by": "nobody", "note": "kept"},
            "No job nobody found in this project.",
        ),
        ({"state": "fixed", "fixed_by": "lossy", "note": "kept"}, "A job can't fix itself."),
        (
            {"state": "to_fix", "assignee": "nobody", "note": "kept"},
            "nobody does not have access to this project.",
        ),
        (
            {"state": "to_fix", "due_on": "tomorrow", "note": "kept"},
            "“tomorrow” is not a valid date; expected, for example, 2026-01-31.",
        ),
        (
            {"state": "to_fix", "note": "kept " + "x" * 10_001},
            "The note has 10,006 characters; expected at most 10,000.",
        ),
    ],
)
def test_a_refused_review_is_explained_and_keeps_its_fields(signed_in, lossy, typed, sentence):
    page = say(signed_in, lossy, **typed)
    assert sentence in unescape(page)
    assert not Review.objects.exists()
    form = page[page.index('id="review"') :]
    for name, value in typed.items():
        if name == "state":
            assert not value or f'value="{value}" required checked' in form or value == "tolerated"
        elif name == "note":
            assert f">{value}</textarea>" in form
        else:
            assert re.search(rf'name="{name}"[^>]* value="{value}"', form), name
    assert "kept" not in page_of(signed_in, lossy)


def test_of_two_reviews_at_once_the_second_is_refused_and_keeps_its_fields(
    signed_in, project, lossy
):
    eve = User.objects.create_user("eve")
    Membership.objects.create(project=project, user=eve, role="reviewer")
    decide(lossy, state="to_fix", actor=eve, now=NOW, known=0)
    page = say(signed_in, lossy, state="accepted", note="known gap")
    assert "Meanwhile eve set the review to To fix. Check that first, then decide again." in page
    assert ">known gap</textarea>" in page
    newest_review = re.search(r'name="known" value="(\d+)"', page)[1]
    page = say(signed_in, lossy, state="accepted", note="known gap", known=newest_review)
    assert "Saved. Accepted." in page
    assert "Earlier decisions" in page
    assert list(Review.objects.order_by("pk").values_list("state", flat=True)) == [
        "to_fix",
        "accepted",
    ]


def test_the_job_that_fixed_it_is_proposed_and_saved(signed_in, project, lossy):
    fix = record_reply(project, "fix", file("a"), file("b"), begin=NOW - timedelta(minutes=10))
    page = page_of(signed_in, lossy)
    assert "A later import reloaded all of the failed files" in page
    assert "required checked" not in page  # the decision is a person's
    assert re.search(r'name="fixed_by" list="later" value="fix"', page)
    assert f'<datalist id="later" hx-get="/jobs/{lossy.pk}/later/"' in page
    offered = one_line(signed_in.get(f"/jobs/{lossy.pk}/later/").content)
    assert re.findall(r"<option[^>]*>([^<]+)</option>", offered) == [
        "2026-03-04 11:50:00 · Success · ImportGraph"
    ]
    page = say(signed_in, lossy, state="fixed", fixed_by="fix")
    assert "Saved. Resolved." in page
    assert f'fixed by job<a href="/jobs/{fix.pk}/">' in page
    assert Review.objects.get().fixed_by == fix
    newest = str(Review.objects.get().pk)
    page = say(signed_in, lossy, state="to_fix", known=newest)
    earlier = page[page.index("Earlier decisions") :]
    assert f'fixed by job<a href="/jobs/{fix.pk}/">' in earlier


def test_the_form_begins_with_the_current_review(signed_in, lossy, admin):
    say(signed_in, lossy, state="to_fix", note="ask them", assignee="ada", due_on="2026-03-09")
    page = page_of(signed_in, lossy)
    form = page[page.index('id="review"') :]
    assert 'value="to_fix" required checked' in form
    assert ">ask them</textarea>" in form
    assert re.search(r'name="assignee"[^>]* value="ada"', form)
    assert re.search(r'name="due_on"[^>]* value="2026-03-09"', form)
    say(signed_in, lossy, state="accepted", note="known", known=str(Review.objects.get().pk))
    page = page_of(signed_in, lossy)
    earlier = page[page.index("Earlier decisions") :]
    assert "assigned to ada" in text(earlier)
    assert "due 2026-03-09" in earlier


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"state": "accepted"}, "note"),
        ({"state": ""}, "state"),
        ({"state": "fixed"}, "fixed_by"),
        ({"state": "to_fix", "assignee": "nobody"}, "assignee"),
        ({"state": "to_fix", "due_on": "soon"}, "due_on"),
    ],
)
def test_an_error_is_shown_at_its_field(signed_in, lossy, typed, field):
    answer = signed_in.post(f"/jobs/{lossy.pk}/review/", {"known": "0", **typed})
    assert answer.headers["Location"] == f"/jobs/{lossy.pk}/#review-{field}"
    page = page_of(signed_in, lossy)
    assert re.search(rf'id="review-{field}"[^>]* aria-describedby="wrong-{field}"', page)
    assert page.count('class="message error"') == 1
    assert page.index('id="review"') < page.index(f'id="wrong-{field}"')


def test_a_review_of_an_import_without_failures_is_refused(signed_in, project):
    good = record_reply(project, "good", file("a"))
    assert "not an import with failures" in say(signed_in, good, state="to_fix")
    assert 'id="review"' not in page_of(signed_in, good)


def test_save_and_next_leads_to_the_newest_waiting_import(signed_in, project, lossy):
    older = record_reply(project, "older", file("a", 3), begin=NOW - timedelta(days=2))
    newer = record_reply(project, "newer", file("a", 3), begin=NOW)
    answer = signed_in.post(f"/jobs/{lossy.pk}/review/", {"state": "to_fix", "next": "1"})
    assert answer.headers["Location"] == f"/jobs/{newer.pk}/"
    Job.objects.filter(pk=newer.pk).update(review="accepted")
    answer = signed_in.post(f"/jobs/{lossy.pk}/review/", {"state": "to_fix", "next": "1"})
    assert answer.headers["Location"] == f"/jobs/{older.pk}/"


# Asking


def test_poll_now_reports_its_outcome(signed_in, polled, simulator):
    from jobs.polling.watches import watch

    message = next(
        job for job in simulator.story.jobs(simulator.now()) if job.graph == "payments_graph"
    )
    graph = next(one for one in simulator.story.graphs() if one["name"] == message.graph)
    job = watch(polled, graph["id"], message.job_id, NOW)
    simulator.fault("html", message.job_id)
    page = signed_in.post(f"/jobs/{job.pk}/poll/", follow=True).content.decode()
    assert "No usable response from GES: " in page
    page = signed_in.post(f"/jobs/{job.pk}/poll/", follow=True).content.decode()
    assert "GES responded; the latest status is shown." in page


def test_poll_now_without_a_graph_id_or_credentials_says_so(signed_in, project, imported):
    page = signed_in.post(f"/jobs/{imported.pk}/poll/", follow=True).content.decode()
    assert "No usable response from GES: " in page
    imported.graph.__class__.objects.update(graph_id=None)
    page = signed_in.post(f"/jobs/{imported.pk}/poll/", follow=True).content.decode()
    assert "GES no longer lists this graph" in page


def test_a_quarantined_job_says_so_and_how_to_resume(signed_in, imported):
    assert "Quarantined" not in page_of(signed_in, imported)
    Watch.objects.update_or_create(
        job=imported, defaults={"next_poll_at": None, "problem": "DataError: <b>too long</b>"}
    )
    page = page_of(signed_in, imported)
    assert "Select “Refresh from GES” to resume polling." in page
    assert "DataError: &lt;b&gt;too long&lt;/b&gt;" in page
