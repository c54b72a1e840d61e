"""What the simulator writes is read as it was meant; whatever else comes raises nothing but a GesError."""

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
def told(draw):
    """A job of a story, the time it is asked about, and its state then."""
    story, jobs = story_of(draw(st.integers(0, 50)))
    job = draw(st.sampled_from(jobs))
    length = (job.end - job.begin).total_seconds()
    now = job.begin + timedelta(seconds=draw(st.floats(-0.1, 1.1)) * length)
    return job, now, story.state(job, now)


def written(state, version):
    return json.dumps(to_v2(state) if version == 2 else state, ensure_ascii=False).encode()


@given(told(), st.sampled_from([1, 2]))
def test_a_job_is_read_as_it_was_meant(said, version):
    job, now, state = said
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


@given(told(), st.sampled_from([1, 2]))
def test_its_files_are_read_as_they_were_meant(said, version):
    _, _, state = said
    detail = state.get("jobDetail", {})
    meant = [
        (kind, position, row)
        for kind, key in LISTS.items()
        for position, row in enumerate(detail.get(key) or [])
    ]
    files = parse_reply(written(state, version)).files
    assert len(files) == len(meant)
    for file, (kind, position, row) in zip(files, meant, strict=True):
        assert (file.kind, file.position, file.path, file.log) == (
            kind,
            position,
            row["path"],
            row.get("log"),
        )
        assert (file.status, file.cause) == (row["status"], row.get("cause"))
        for field, key in COUNTS.items():
            assert getattr(file, field) == (None if row.get(key) in (None, -1) else row[key])


@given(st.lists(told(), max_size=3), st.sampled_from([1, 2]), st.sampled_from([None, 2]))
def test_a_page_tells_what_each_job_told_by_itself(said, version, indent):
    states = [state for _, _, state in said]
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


KEYS = ["status", "Job", "jobId", "job_id", "jobName", "jobType", "relatedGraph", "beginTime", "end_time", "jobDetail", "schemaPath",
        "edgeset_path", "path", "cause", "totalLines", "failed_lines", "jobList", "job_list", "jobCount", "graphs", "graphCount", "id",
        "name", "errorCode", "error_msg"]  # fmt: skip
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from([10**400, -1, "-1", "1e9", "1659.0", "success", "partFailed", "2018-11-27T21:39:00", "\ud800", "\x00", "GES.8301", '"jobList": [1, '])
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip
objects = st.dictionaries(st.sampled_from(KEYS), values, max_size=8)
http_statuses = st.sampled_from([200, 200, 301, 400, 401, 404, 429, 500])


def read_by_all(body, http_status=200):
    for reader in READERS:
        with contextlib.suppress(GesError):
            reader(body, http_status=http_status)


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode), http_statuses)
def test_no_bytes_raise_anything_else(body, http_status):
    read_by_all(body, http_status)


@given(objects | values, http_statuses)
def test_no_json_raises_anything_else(value, http_status):
    read_by_all(json.dumps(value).encode(), http_status)


@given(st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=6))
def test_no_object_with_repeated_keys_raises_anything_else(pairs):
    read_by_all(
        f"{{{', '.join(f'{json.dumps(key)}: {json.dumps(value)}' for key, value in pairs)}}}".encode()
    )


@given(told(), st.data())
def test_no_reply_with_a_value_gone_wrong_raises_anything_else_and_the_rest_is_kept(said, data):
    _, _, state = said
    broken = json.loads(json.dumps(state))
    rows = [row for key in LISTS.values() for row in broken.get("jobDetail", {}).get(key) or []]
    place = data.draw(st.sampled_from([broken, *rows]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(values)
    with contextlib.suppress(GesError):
        reply = parse_reply(json.dumps(broken).encode())
        assert len(reply.files) == len(rows) or place is broken


@given(told(), st.data())
def test_no_reply_with_spoilt_bytes_raises_anything_else(said, data):
    body = bytearray(json.dumps({"jobCount": 1, "jobList": [said[2]]}).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read_by_all(bytes(body[: data.draw(st.integers(len(body) // 2, len(body)))]))
