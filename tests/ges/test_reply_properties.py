"""The simulator's answers are parsed as they were meant; all else raises only a GesError."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from jobs.ges.errors import GesError
from jobs.ges.reply import parse_graph_page, parse_job_page, parse_reply
from jobs.ges.simulator.snake_case import to_v2
from jobs.ges.simulator.story import Story

EPOCH = datetime(2026, 3, 4, 12, tzinfo=UTC)
READERS = (parse_reply, parse_job_page, parse_graph_page)
LISTS = {"schema": "schemaPath", "vertex": "vertexsetPath", "edge": "edgesetPath"}
COUNTS = {
    "total_lines": "totalLines",
    "failed_lines": "failedLines",
    "successful_lines": "successfulLines",
}


@cache
def story_of(seed):
    """A story with a clock of its own, and its jobs."""
    story = Story(seed, EPOCH + timedelta(seconds=98_765 * seed))
    return story, story.jobs(story.epoch + timedelta(minutes=10))


@st.composite
def cases(draw):
    """A job of a story, the time it is asked about, and its state then."""
    story, jobs = story_of(draw(st.integers(0, 50)))
    job = draw(st.sampled_from(jobs))
    length = (job.end - job.begin).total_seconds()
    now = job.begin + timedelta(seconds=draw(st.floats(-0.1, 1.1)) * length)
    return job, now, story.state(job, now)


def written(state, version):
    return json.dumps(to_v2(state) if version == 2 else state, ensure_ascii=False).encode()


@given(cases(), st.sampled_from([1, 2]))
def test_a_simulated_job_is_parsed_as_it_was_meant(case, version):
    job, now, state = case
    reply = parse_reply(written(state, version), job_id=job.job_id)
    assert (reply.version, reply.job_id, reply.status) == (version, job.job_id, state["status"])
    assert (reply.job_name, reply.job_type, reply.related_graph) == (
        job.name,
        state["jobType"],
        job.graph,
    )
    assert reply.begin_time == (job.begin if now >= job.begin else None)
    assert reply.end_time == (job.end if now >= job.end else None)
    assert (reply.fail_reason, reply.peculiarities) == (state.get("failReason"), ())


@given(cases(), st.sampled_from([1, 2]))
def test_simulated_files_are_parsed_as_they_were_meant(case, version):
    _, _, state = case
    detail = state.get("jobDetail", {})
    expected = [
        (kind, position, row)
        for kind, key in LISTS.items()
        for position, row in enumerate(detail.get(key) or [])
    ]
    files = parse_reply(written(state, version)).files
    assert len(files) == len(expected)
    for file, (kind, position, row) in zip(files, expected, strict=True):
        assert (file.kind, file.position, file.path, file.log) == (
            kind,
            position,
            row["path"],
            row.get("log"),
        )
        assert (file.status, file.cause) == (row["status"], row.get("cause"))
        for field, key in COUNTS.items():
            assert getattr(file, field) == (None if row.get(key) in (None, -1) else row[key])


@given(st.lists(cases(), max_size=3), st.sampled_from([1, 2]), st.sampled_from([None, 2]))
def test_an_item_of_a_page_is_parsed_like_a_reply_of_its_own(case, version, indent):
    states = [state for _, _, state in case]
    page = {"jobCount": 99, "jobList": states}
    body = json.dumps(
        to_v2(page) if version == 2 else page, ensure_ascii=False, indent=indent
    ).encode()
    read = parse_job_page(body)
    assert (read.count, read.refused) == (99, ())
    assert [reply for reply, _ in read.jobs] == [
        parse_reply(written(state, version)) for state in states
    ]
    for reply, raw in read.jobs:
        assert raw in body
        assert parse_reply(raw) == reply


KEYS = [
    "status",
    "Job",
    "jobId",
    "job_id",
    "jobName",
    "jobType",
    "relatedGraph",
    "beginTime",
    "end_time",
    "jobDetail",
    "schemaPath",
    "edgeset_path",
    "path",
    "cause",
    "totalLines",
    "failed_lines",
    "jobList",
    "job_list",
    "jobCount",
    "graphs",
    "graphCount",
    "id",
    "name",
    "errorCode",
    "error_msg",
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [
            10**400,
            -1,
            "-1",
            "1e9",
            "1659.0",
            "success",
            "partFailed",
            "2018-11-27T21:39:00",
            "\ud800",
            "\x00",
            "GES.8301",
            '"jobList": [1, ',
        ]
    )
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=25,
)
objects = st.dictionaries(st.sampled_from(KEYS), values, max_size=8)
http_statuses = st.sampled_from([200, 200, 301, 400, 401, 404, 429, 500])


def read_by_all(body, http_status=200):
    for reader in READERS:
        with contextlib.suppress(GesError):
            reader(body, http_status=http_status)


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode), http_statuses)
def test_arbitrary_bytes_raise_only_ges_errors(body, http_status):
    read_by_all(body, http_status)


@given(objects | values, http_statuses)
def test_arbitrary_json_raises_only_ges_errors(value, http_status):
    read_by_all(json.dumps(value).encode(), http_status)


@given(st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=6))
def test_repeated_keys_raise_only_ges_errors(pairs):
    members = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs)
    read_by_all(f"{{{members}}}".encode())


@given(cases(), st.data())
def test_one_wrong_value_raises_only_ges_errors_and_costs_no_file(case, data):
    _, _, state = case
    broken = json.loads(json.dumps(state))
    rows = [row for key in LISTS.values() for row in broken.get("jobDetail", {}).get(key) or []]
    target = data.draw(st.sampled_from([broken, *rows]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(values)
    with contextlib.suppress(GesError):
        reply = parse_reply(json.dumps(broken).encode())
        assert len(reply.files) == len(rows) or target is broken


@given(cases(), st.data())
def test_spoilt_bytes_raise_only_ges_errors(case, data):
    body = bytearray(json.dumps({"jobCount": 1, "jobList": [case[2]]}).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read_by_all(bytes(body[: data.draw(st.integers(len(body) // 2, len(body)))]))
