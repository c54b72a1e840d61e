"""The history of responses, comparison, re-import plan, and causes and paths over all imports."""

import re
from datetime import timedelta
from html import unescape

import pytest

from jobs.models import Cause, Miss
from jobs.record import find_graph, find_jobs, observe, record
from tests.conftest import NOW
from tests.imports import file, record_reply

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def text(page):
    """What a reader sees of the main part, on one line."""
    main = page.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", main.replace("<wbr><span>", ""))))


def miss(job, at, body=b"<html>", status=200):
    record([observe(job, "poll", at, status, body)])


# History


def test_the_history_shows_changes_and_contradictions_between_replies(signed_in, project):
    record_reply(project, "j1", status="pending", begin=None, jobName="ImportGraph")
    record_reply(project, "j1", file("a", 1, 5), status="running", took=None, at=NOW + MINUTE)
    job = record_reply(project, "j1", file("a", 3, 4, cause="line 7: x"), at=NOW + 3 * MINUTE)
    page = signed_in.get(f"/jobs/{job.pk}/history/")
    steps = page.content.decode().partition('<ol class="steps')[2]
    assert re.findall(r'#v-(\w+)"/></svg><div>', steps) == ["partial", "running", "pending"]
    page_text = text(page)
    first, second, third = page_text.partition("Response #")[2].split("Response #")
    assert "changed between 2026-03-04 12:01:00 and 12:03:00 , 2 min 00 s unobserved" in first
    for change in (
        "GES status: running → success",
        "failed lines: 1 → 3",
        "failure reason: line 7: x",
        "Loaded lines of “a” dropped from 5 to 4.",
    ):
        assert change in first
    assert "vertex a added" in second
    assert "→" not in third


def test_failed_polls_stand_between_the_replies(signed_in, project):
    job = record_reply(project, "j1", file("a"), status="running", took=None)
    for number in range(3):
        miss(job, NOW + (1 + number) * MINUTE)
    miss(job, NOW + 5 * MINUTE, b'{"errorCode": "APIGW.0308", "errorMessage": "slow down"}', 429)
    record_reply(project, "j1", file("a"), at=NOW + 9 * MINUTE)
    page_text = text(signed_in.get(f"/jobs/{job.pk}/history/"))
    rate_limited = page_text.index("GES is rate limiting requests")
    html_page = page_text.index("GES returned an HTML page")
    assert page_text.index("Response #") < rate_limited < html_page < page_text.rindex("Response #")
    assert "3 polls" in page_text[html_page:]
    assert "12:01 – 2026-03-04 12:03" in page_text[html_page:]


def test_earlier_replies_are_linked_each_reply_and_failed_poll_once(signed_in, project):
    from itertools import count

    minutes = count()
    for number in range(45):
        job = record_reply(
            project,
            "j1",
            file("a", 0, number),
            status="running",
            took=None,
            at=NOW + next(minutes) * MINUTE,
        )
        if number % 4 == 0 or number in {0, 44}:
            miss(job, NOW + next(minutes) * MINUTE)
    miss(job, NOW - 9 * MINUTE)  # before the first reply
    # Two of the same moment, by different ways.
    record(
        [
            observe(job, way, NOW + DAY, 200, b'{"status": "running", "x": "%s"}' % way.encode())
            for way in ("poll", "list")
        ]
    )
    address, replies, misses, pages = f"/jobs/{job.pk}/history/", [], 0, 0
    while address:
        page = signed_in.get(address).content.decode()
        replies += [int(pk) for pk in re.findall(r"Response #(\d+)", page)]
        misses += page.count("returned an HTML page")
        pages += 1
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = f"/jobs/{job.pk}/history/{following[1]}" if following else None
    assert pages == 3
    assert sorted(replies) == sorted(job.snapshots.values_list("pk", flat=True))
    assert misses == Miss.objects.count()


def test_a_page_break_between_replies_of_one_moment_loses_none(signed_in, project):
    job = record_reply(project, "j1", file("a"), status="running", took=None)
    for number in range(11):
        seen_at = NOW + number * MINUTE
        record(
            [
                observe(
                    job,
                    way,
                    seen_at,
                    200,
                    b'{"status": "running", "n": %d, "w": "%s"}' % (number, way.encode()),
                )
                for way in ("poll", "list")
            ]
        )
    first = signed_in.get(f"/jobs/{job.pk}/history/").content.decode()
    query = re.search("rel=.next. href=.([^ ]*)..Earlier", first)[1].rstrip('"')
    rest = signed_in.get(f"/jobs/{job.pk}/history/{query}").content.decode()
    replies = re.findall(r"Response #(\d+)", first + rest)
    assert len(replies) == len(set(replies)) == job.snapshots.count()


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "success", "failReason": "\\ud800 half"}',
        b'\xef\xbb\xbf{"status": "success"}',
        b'{"status":"success","n":1.10,"big":123456789012345678901234567890}\n\n',
        '{"status": "success", "jobName": "导入\u202e"}'.encode(),
    ],
)
def test_a_reply_is_shown_and_its_bytes_are_exactly_as_received(signed_in, project, body):
    job = find_jobs(project, [(find_graph(project, "g1"), "j1", NOW)])["j1"]
    record([observe(job, "poll", NOW, 200, body)])
    address = f"/jobs/{job.pk}/snapshots/{job.snapshots.get().pk}/"
    raw = signed_in.get(f"{address}?raw")
    assert raw.content == body
    assert raw.headers["Content-Type"] == "application/octet-stream"
    assert "attachment" in raw.headers["Content-Disposition"]
    page_text = text(signed_in.get(address))
    assert f"{len(body)} B" in page_text
    assert '"status": "success"' in page_text


def test_a_reply_in_another_encoding_or_truncated_is_shown_as_received(signed_in, project):
    from jobs.models import Snapshot

    job = record_reply(project, "j1", file("a"))
    snapshot = Snapshot.objects.create(
        job=job,
        source="ingest",
        version=1,
        http_status=200,
        body=b"\xff\x00[[[",
        sha256=b"x" * 32,
        first_seen_at=NOW,
        last_seen_at=NOW,
        number=99,
        link=b"x" * 32,
    )
    assert "shown as received" in text(signed_in.get(f"/jobs/{job.pk}/snapshots/{snapshot.pk}/"))
    assert signed_in.get(f"/jobs/{job.pk}/history/").status_code == 200


# Comparison


def test_the_last_good_import_before_this_one_is_compared_with(signed_in, project):
    night = {number: NOW - number * DAY for number in range(6)}
    record_reply(project, "good, later", file("b/2026-03-05/a"), begin=night[0])
    job = record_reply(
        project,
        "one",
        file("b/2026-03-03/a", 3),
        file("b/2026-03-03/new", 2, 0, cause="line 7: bad"),
        begin=night[1],
    )
    record_reply(project, "bad", file("b/2026-03-02/a", 1), begin=night[2])
    good = record_reply(
        project,
        "good",
        file("b/2026-03-01/a", 1, 9, status="success", failedLines=0),
        file("b/gone"),
        begin=night[3],
    )
    record_reply(project, "good, elsewhere", file("b/2026-03-02/a"), begin=night[2], graph="other")
    record_reply(project, "good, earlier", file("b/2026-02-27/a"), begin=night[4])
    page = signed_in.get(f"/jobs/{job.pk}/compare/")
    assert f'value="{good.pk}" selected' in page.content.decode()
    page_text = text(page)
    assert "▲ worse" in page_text
    assert "＋ new" in page_text
    assert "－ gone" in page_text
    assert "matched ignoring the date in its path" in page_text
    assert "Failure reasons not in the baseline line ‹number›: bad" in page_text
    cause = job.files.filter(cause_group__isnull=False).first().cause_group_id
    assert f'<a href="/causes/{cause}/">line ‹number›: bad</a>' in page.content.decode()
    only = text(signed_in.get(f"/jobs/{job.pk}/compare/?change=gone"))
    assert "b/gone" in only
    assert "b/2026-03-03/a" not in only.partition("File by file")[2]
    assert "No files with this change." in text(
        signed_in.get(f"/jobs/{job.pk}/compare/?change=better")
    )


def test_only_another_import_of_the_graph_is_compared_with(signed_in, project):
    job = record_reply(project, "one", file("a"))
    other = record_reply(project, "other", file("secret"), graph="other")
    for other_pk in (other.pk, job.pk, 12345):
        page_text = text(signed_in.get(f"/jobs/{job.pk}/compare/?with={other_pk}"))
        assert "the number of another import of this graph" in page_text
        assert "secret" not in page_text


def test_without_another_import_it_says_so(signed_in, project):
    assert "This graph has no other import to compare with yet." in text(
        signed_in.get(f"/jobs/{record_reply(project, 'one', file('a')).pk}/compare/")
    )


# Repair kit


def test_the_repair_kit_shows_both_versions_ready_to_copy(signed_in, project):
    project.endpoint = "https://ges.example.com"
    project.save()
    job = record_reply(
        project,
        "j1",
        file("b/x/v.csv", 3),
        file("b/y/e.csv", 5, 0, kind="edge"),
        file("b/ok.csv"),
        file("b/s.xml", kind="schema"),
    )
    first, second = (
        unescape(signed_in.get(f"/jobs/{job.pk}/repair/?api={api}").content.decode())
        for api in ("v1", "v2")
    )
    assert "2 files to re-import." in first
    assert (
        "https://ges.example.com/v1.0/p1/graphs/id-of-payments/action?action_id=import-graph'"
        in first
    )
    assert re.search(r'<pre id="body-1"[^>]*>\{\n  "vertexsetPath": "b/x/v.csv",', first)
    assert "https://ges.example.com/v2/p1/graphs/id-of-payments/import-graph" in second
    assert re.search(r'<pre id="body-2"[^>]*>\{\n  "edgeset_path": "b/y/e.csv",', second)
    listing = signed_in.get(f"/jobs/{job.pk}/repair/?list")
    assert listing.content == b"b/x/v.csv\nb/y/e.csv\n"
    assert "b/ok.csv" not in first


def test_the_repair_kit_names_first_what_was_reloaded(signed_in, project):
    job = record_reply(
        project,
        "j1",
        file("b/v.csv", 3),
        file("b/e.csv", 2, kind="edge"),
        begin=NOW - timedelta(hours=5),
    )
    load = record_reply(project, "half", file("b/v.csv"), begin=NOW - timedelta(hours=4))
    page = signed_in.get(f"/jobs/{job.pk}/repair/").content.decode()
    page_text = text(signed_in.get(f"/jobs/{job.pk}/repair/"))
    assert (
        "A later import fully loaded one of the failed files: re-importing it would add edges twice."
        in page_text
    )
    assert page_text.index("loaded one of the failed files") < page_text.index(
        "1 file to re-import."
    )
    assert re.search(
        rf'<code class="id">b/v.csv</code>\s*<small>\s*reloaded by\s*<a href="/jobs/{load.pk}/"',
        page,
    )
    assert signed_in.get(f"/jobs/{job.pk}/repair/?list").content == b"b/e.csv\n"
    assert b"vertexsetPath" not in signed_in.get(f"/jobs/{job.pk}/repair/").content
    assert signed_in.get(f"/jobs/{job.pk}/repair/?list&all=1").content == b"b/v.csv\nb/e.csv\n"
    assert b"vertexsetPath" in signed_in.get(f"/jobs/{job.pk}/repair/?all=1").content
    record_reply(
        project,
        "whole",
        file("b/v.csv"),
        file("b/e.csv", kind="edge"),
        begin=NOW - timedelta(hours=3),
    )
    page_text = text(signed_in.get(f"/jobs/{job.pk}/repair/"))
    assert (
        "Job whole has since loaded all of these files: re-importing them would add edges twice."
        in page_text
    )
    assert "No files left to re-import." in page_text
    assert "curl" not in page_text


def test_the_repair_kit_of_a_graph_without_an_id_uses_variables(signed_in, project):
    job = record_reply(project, "j1", file("b/v.csv", 3))
    project.graphs.update(graph_id=None)
    page_text = text(signed_in.get(f"/jobs/{job.pk}/repair/"))
    assert '"$GES_ENDPOINT/v1.0/p1/graphs/$GRAPH_ID/action' in page_text
    assert "Put the ID into the variable GRAPH_ID" in page_text


def test_many_lost_files_say_how_many_requests_are_left_out(signed_in, project):
    job = record_reply(
        project, "j1", *[file(f"b/{n}/v.csv", 1) for n in range(60)], file("b/0/w.csv")
    )
    page_text = text(signed_in.get(f"/jobs/{job.pk}/repair/"))
    assert "60 files to re-import." in page_text
    assert "10 more requests are not shown here" in page_text


def test_an_import_without_failures_has_nothing_to_repair(signed_in, project):
    assert "nothing to re-import" in text(
        signed_in.get(f"/jobs/{record_reply(project, 'j1', file('a')).pk}/repair/")
    )


# Causes and files


@pytest.fixture
def struck(project, monkeypatch):
    """One cause in two graphs, and a smaller one; one of them over a month ago."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    record_reply(
        project,
        "j1",
        file("b/a", 3, cause="line 1: bad"),
        file("b/b", 4, cause="line 2: bad"),
        file("b/c", 1, cause="gone"),
    )
    record_reply(
        project, "j2", file("b/a", 5, cause="line 3: bad"), graph="other", begin=NOW - 2 * DAY
    )
    record_reply(project, "j3", file("b/a", 6, cause="line 4: bad"), begin=NOW - 45 * DAY)
    record_reply(project, "j4", file("b/a", 0, 9), begin=NOW - 3 * DAY)
    return Cause.objects.get(pattern__startswith="line"), Cause.objects.get(pattern="gone")


def rows_of(page):
    return [
        text_of
        for row in re.findall(r"<tr>(.*?)</tr>", page.content.decode(), re.DOTALL)
        if (text_of := re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)).strip())
    ][1:]


def test_causes_are_summed_over_the_days_asked_for(signed_in, struck):
    rows = rows_of(signed_in.get("/causes/"))
    assert re.search(r"bad (?:new )?12 3 2 2 ", f"{rows[0]} ")
    assert re.search(r"gone (?:new )?1 1 1 1 ", f"{rows[1]} ")
    assert re.search(r"bad (?:new )?18 4 3 2 ", f"{rows_of(signed_in.get('/causes/?days=90'))[0]} ")
    assert [row[:4] for row in rows_of(signed_in.get("/causes/?has=GON"))] == ["gone"]
    assert "No failure reason in this time range contains this text." in text(
        signed_in.get("/causes/?has=nothing")
    )


def test_a_cause_sums_all_its_days_and_links_to_its_jobs(signed_in, struck, admin):
    most, _least = struck
    page_text = text(signed_in.get(f"/causes/{most.pk}/"))
    assert "Failed lines 18 Files 4 Jobs 3 Graphs 2" in page_text
    table = re.findall(r"(2026-\d\d-\d\d) (\d+) (\d+)", page_text)
    assert table == [("2026-03-04", "2", "7"), ("2026-03-02", "1", "5")]
    assert 'title="j3"' in signed_in.get(f"/jobs/?cause_group={most.pk}").content.decode()
    signed_in.post(f"/causes/{most.pk}/note/", {"note": "months with 13\nask Li"})
    page = signed_in.get(f"/causes/{most.pk}/").content.decode()
    assert "months with 13<br>ask Li" in page
    assert "months with 13" in signed_in.get("/causes/?has=13").content.decode()
    assert "The note has 10,001 characters" in text(
        signed_in.post(f"/causes/{most.pk}/note/", {"note": "x" * 10_001}, follow=True)
    )


def test_a_path_shows_all_its_imports(signed_in, struck):
    page = signed_in.get("/files/?path=b/a")
    assert (
        "Imports of this path: 4; 3 of them had failures, with 14 failed lines in total."
        in text(page)
    )
    assert [row.split()[0] for row in rows_of(page)] == ["partial", "partial", "success", "partial"]
    assert [
        row.split()[0]
        for row in rows_of(signed_in.get("/files/?path=b/a&sort=begin_time&page_size=2"))
    ] == [
        "partial",
        "success",
    ]
    assert "Matching paths b/a 4 imports b/b 1 import b/c 1 import" in text(
        signed_in.get("/files/?path=b/")
    )
    assert "No import that you can see has a matching path." in text(
        signed_in.get("/files/?path=b/x")
    )
    assert "Failed files" in text(signed_in.get("/files/"))


def test_a_position_past_the_last_import_of_a_path_shows_no_other_list(signed_in, struck):
    page = signed_in.get("/files/?path=b/a&page_size=3").content.decode()
    following = unescape(re.search(r'rel="next" href="([^"]*)"', page)[1])
    assert "Imports of this path: 4" in text(signed_in.get(following))


def test_the_page_of_a_cause_shows_what_varies_by_file(signed_in, project):
    job = record_reply(project, "j1", file("b/v.csv", 3, cause="label [merchant_v2] is not there"))
    page = signed_in.get(f"/causes/{Cause.objects.get().pk}/").content.decode()
    assert re.search(
        r'<span class="clip" title="label \[merchant_v2\] is not there">\[merchant_v2\]</span>',
        page,
    )
    assert f'<a href="/jobs/{job.pk}/">ImportGraph</a>' in page


def test_a_job_marks_a_cause_that_is_new(signed_in, project):
    for number, days in enumerate((30, 0)):
        seen_at = NOW - timedelta(days=days)
        record_reply(
            project, f"j{number}", file("b/v.csv", 3, cause="old"), at=seen_at, begin=seen_at
        )
    new = record_reply(
        project,
        "new",
        file("b/v.csv", 3, cause="old"),
        file("b/w.csv", 3, cause="fresh"),
        begin=NOW,
    )
    page_text = text(signed_in.get(f"/jobs/{new.pk}/"))
    assert "old since 2026-02-02" in page_text
    assert "fresh new" in page_text


def test_a_graph_shows_the_loss_of_last_night_whatever_came_since(signed_in, project, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    record_reply(project, "night", file("b/v.csv", 217_890), begin=NOW - timedelta(hours=9))
    record_reply(project, "small", file("b/w.csv"), begin=NOW - timedelta(hours=1))
    page = signed_in.get("/graphs/").content.decode()
    assert re.search(
        r'<a href="/files/\?since=24h&amp;graph=[^"]+"><b class="bad">217,890</b>', page
    )
    graph = signed_in.get(f"/graphs/{project.graphs.get().pk}/").content.decode()
    newest = project.jobs.get(job_id="small")
    assert (
        f'<a href="/jobs/{newest.pk}/compare/">compare with the last successful import</a>' in graph
    )
    legend = re.search(r'<p class="legend">(.*?)</p>', graph, re.DOTALL)[1]
    assert "partial" in legend
    assert "cancelled" not in legend
