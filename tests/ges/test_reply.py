"""Parsing GES's replies: whatever shape they have, what can be read is kept."""

import json
from datetime import UTC, datetime

import pytest

from jobs.ges.answer import MAX_BODY
from jobs.ges.errors import (
    CredentialsRefused,
    ErrorReply,
    NotAJobStatus,
    Throttled,
    TooLarge,
    WrongJob,
)
from jobs.ges.reply import parse_graph_page, parse_job_page, parse_reply
from jobs.ges.words import Verdict, meaning


def read(**fields):
    return parse_reply(json.dumps({"status": "success", **fields}).encode())


def read_file(**fields):
    detail = {"vertexsetPath": [{"path": "b/v.csv", "status": "success", **fields}]}
    return read(jobDetail=detail).files[0]


def test_only_a_status_is_needed():
    reply = parse_reply(b'{"status": "waiting"}')
    assert (reply.status, reply.job_id, reply.files) == ("waiting", None, ())


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("WAITING", "pending"),
        ("complete", "success"),
        ("PartFailed", "partial"),
        ("partiallyFailed", "partial"),
        ("Cancelled", "cancelled"),
        ("finished", "unknown"),
        ("suspended", "unknown"),
        ("", "unknown"),
    ],
)
def test_every_status_word_has_one_meaning(word, verdict):
    assert meaning(word) is Verdict(verdict)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1, None),
        (None, None),
        (0, 0),
        ("1659", 1659),
        ("1659.0", 1659),
        (1659.0, 1659),
        ("", None),
        (True, None),
        ("abc", None),
        (2**53 + 1, 2**53 + 1),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (1.5, None),
        (-7, None),
    ],
)
def test_counts(value, expected):
    assert read_file(totalLines=value).total_lines == expected


@pytest.mark.parametrize(
    "value",
    [
        "2018-11-27T21:39:00",
        "2018-11-27 21:39:00",
        "(2018-11-27 21:39:00)",
        "2018-11-27T21:39:00Z",
        "2018-11-28T05:39:00+08:00",
        "2018-11-27T21:39:00.000",
    ],
)
def test_times_are_utc(value):
    assert read(beginTime=value).begin_time == datetime(2018, 11, 27, 21, 39, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["yesterday", 5, [], "2018-13-01T00:00:00", "0001-01-01T00:00:00+23:00"]
)
def test_an_unreadable_time_is_none_with_a_peculiarity(value):
    reply = read(beginTime=value)
    assert reply.begin_time is None
    assert str(reply.peculiarities[0]).startswith("“beginTime”: expected a time")


def test_names_types_and_shapes():
    reply = read(
        jobName=["ImportGraph"],
        jobType=1,
        jobDetail={"edgesetPath": {"path": "e", "status": "failed"}, "vertexsetPath": None},
    )
    assert (reply.job_name, reply.job_type, len(reply.files)) == ("ImportGraph", "1", 1)
    assert read(jobName=[]).job_name is None


def test_v2_and_wrapped():
    body = {
        "job_id": "a",
        "status": "running",
        "job_detail": {"schema_path": [{"path": "s", "status": "success", "total_lines": 4}]},
    }
    assert parse_reply(json.dumps(body).encode()).files[0].total_lines == 4
    assert parse_reply(json.dumps(body).encode()).version == 2
    assert (
        parse_reply(json.dumps({"Job": {"jobId": "a", "status": "running"}}).encode()).job_id == "a"
    )


def test_undocumented_words_and_fields_are_kept_with_peculiarities():
    reply = read(status="Suspended", somethingNew=1)
    assert reply.status == "Suspended"
    assert len(reply.peculiarities) == 2


def test_unreadable_files_are_peculiarities_and_the_others_are_kept():
    reply = read(
        jobDetail={
            "schemaPath": "b/s",
            "edgesetPath": [None, {"path": "b/e", "status": "success", "totalLines": "x"}],
        }
    )
    assert [file.path for file in reply.files] == ["b/e"]
    assert [str(odd) for odd in reply.peculiarities] == [
        "“schemaPath”: expected an array, got “b/s”.",
        "“edgesetPath[0]”: expected an object, got “null”.",
        "“edgesetPath[1].totalLines”: expected a whole number of lines, got “x”.",
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"<html>", "an HTML page"),
        (b'{"status": "succ', "cut short"),
        (b"[]", "an array"),
        (b"{}", "no keys"),
        (b"", "an empty body"),
        (b'{"status": 5}', "no status"),
        (b"[" * 100_000, "not JSON"),
        (b'{"status":"success","jobProgress":NaN}', "not JSON"),
    ],
)
def test_a_body_that_is_no_status_is_named_in_the_error(body, named):
    with pytest.raises(NotAJobStatus, match=named):
        parse_reply(body)


@pytest.mark.parametrize("job_id", ["a/b", "..", ".", "é b", "x" * 255])
def test_a_reply_keeps_its_ids_as_they_came(job_id):
    assert parse_reply(json.dumps({"jobId": job_id, "status": "success"}).encode()).job_id == job_id
    graph = {"id": job_id, "name": "g", "vertexsetPath": [{"jobId": job_id}]}
    [read] = parse_graph_page(json.dumps({"graphs": [graph]}).encode()).graphs
    assert (read.graph_id, read.job_ids) == (job_id, (job_id,))


@pytest.mark.parametrize("job_id", ["x" * 256, "a\nb"])
def test_a_reply_whose_id_is_too_long_or_unprintable_is_refused(job_id):
    with pytest.raises(NotAJobStatus, match="characters or unprintable ones"):
        parse_reply(json.dumps({"jobId": job_id, "status": "success"}).encode())


def test_errors_of_ges():
    body = b'{"errorMessage": "can not find job", "errorCode": "GES.8301"}'
    with pytest.raises(ErrorReply, match="GES.8301"):
        parse_reply(body, http_status=400)
    with pytest.raises(ErrorReply, match="GES.8301"):
        parse_reply(body)
    with pytest.raises(CredentialsRefused):
        parse_reply(b'{"error_code":"APIGW.0301"}', http_status=401)
    with pytest.raises(Throttled):
        parse_reply(b'{"error_code":"APIG.0308"}', http_status=429)
    with pytest.raises(NotAJobStatus, match="301"):
        parse_reply(b"", http_status=301)


def test_another_jobs_reply_and_a_huge_one_are_refused():
    with pytest.raises(WrongJob, match="about job b"):
        parse_reply(b'{"jobId": "b", "status": "success"}', job_id="a")
    with pytest.raises(TooLarge):
        parse_reply(b" " * (MAX_BODY + 1))


def test_a_list_keeps_each_items_own_bytes():
    first = b'{"jobId":"a",  "status":"success", "n": 1.50}'
    page = parse_job_page(b'{"jobCount": 3, "jobList": [' + first + b', 5,\n {"status": ""}]}')
    assert page.count == 3
    assert [raw for _, raw in page.jobs] == [first]
    assert len(page.refused) == 2


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b'{"a": {"jobList": []}, "jobList": [{"status": "x"}]}', [b'{"status": "x"}']),
        (b'{"b": "\\"jobList\\": [1", "jobList": {"status": "x"} }', [b'{"status": "x"}']),
        (
            b'{"jobList": [{"status": "y"}, 1], "job\\u004cist" : [ {"status": "x"}]}',
            [b'{"status": "x"}'],
        ),
        (b'\xef\xbb\xbf {"jobList": null}', []),
    ],
)
def test_the_list_is_found_at_any_position_in_the_body(body, items):
    assert [raw for _, raw in parse_job_page(body).jobs] == items


def test_a_status_of_null_characters_alone_is_refused():
    with pytest.raises(NotAJobStatus, match="no status"):
        read(status="\x00")


def test_graph_list():
    page = parse_graph_page(
        b'{"graphCount": 2, "graphs": [{"id": "g", "name": "n", "status": "200"}, {}]}'
    )
    assert (page.count, page.graphs[0].graph_id) == (2, "g")
