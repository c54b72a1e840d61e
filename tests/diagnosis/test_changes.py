"""What changed between two replies about one job."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diagnosis.changes import Changed, changes, contradictions_between
from jobs.ges.reply import parse_reply
from jobs.ges.simulator.story import Story


def reply(status="running", files=(), **fields):
    rows = [{"path": path, "status": "success", **more} for path, more in files]
    return parse_reply(
        json.dumps({"status": status, "jobDetail": {"edgesetPath": rows}, **fields}).encode()
    )


def test_nothing_changed():
    assert (
        changes(reply(files=[("a", {"totalLines": 1})]), reply(files=[("a", {"totalLines": 1})]))
        == []
    )


def test_the_jobs_changes_come_before_its_files():
    before = reply(
        files=[("gone", {}), ("a", {"totalLines": 1, "cause": "old"}), ("a", {"totalLines": 5})]
    )
    after = reply(
        "failed",
        [
            ("a", {"totalLines": 2, "failedLines": 1, "status": "partFailed", "log": "l"}),
            ("a", {"totalLines": 5}),
            ("new", {}),
        ],
        beginTime="2026-03-04T10:00:00",
        jobName="ImportGraph",
        failReason="why",
    )
    assert changes(before, after) == [
        Changed("", "", "status", "running", "failed"),
        Changed("", "", "job_name", None, "ImportGraph"),
        Changed("", "", "begin_time", None, datetime(2026, 3, 4, 10, tzinfo=UTC)),
        Changed("", "", "fail_reason", None, "why"),
        Changed("edge", "a", "status", "success", "partFailed"),
        Changed("edge", "a", "cause", "old", None),
        Changed("edge", "a", "log", None, "l"),
        Changed("edge", "a", "total_lines", 1, 2),
        Changed("edge", "a", "failed_lines", None, 1),
        Changed("edge", "new", "file", None, "new"),
        Changed("edge", "gone", "file", "gone", None),
    ]


def test_all_values_of_the_first_reply_are_changes():
    changed = changes(None, reply(files=[("a", {"totalLines": 1})]))
    assert changed == [
        Changed("", "", "status", None, "running"),
        Changed("edge", "a", "file", None, "a"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            reply("success"),
            reply("running"),
            "The final GES status changed from “success” to “running”.",
        ),
        (
            reply("success"),
            reply("failed"),
            "The final GES status changed from “success” to “failed”.",
        ),
        (
            reply(files=[("a", {"totalLines": 1000})]),
            reply(files=[("a", {"totalLines": 999})]),
            "Total lines of “a” dropped from 1,000 to 999.",
        ),
        (
            reply(beginTime="2026-03-04T10:00:00"),
            reply(beginTime="2026-03-04T09:00:00"),
            "The start time moved back from 2026-03-04T10:00:00+00:00"
            " to 2026-03-04T09:00:00+00:00.",
        ),
        (
            reply(),
            reply(beginTime="2026-03-04T10:00:00", endTime="2026-03-04T09:00:00"),
            "The end time 2026-03-04T09:00:00+00:00 is before the start time"
            " 2026-03-04T10:00:00+00:00.",
        ),
        (
            reply(files=[("a", {}), ("b", {})]),
            reply(files=[("a", {})]),
            "The response no longer lists all files. Missing: 1, the first is “b”.",
        ),
        (
            reply("success", files=[("a", {})]),
            reply("success", files=[("a", {}), ("a", {}), ("b", {})]),
            "The response lists more files than the previous final one."
            " Added: 2, the first is “a”.",
        ),
        (
            None,
            reply(beginTime="2026-03-04T10:00:00", endTime="2026-03-04T09:00:00"),
            "The end time 2026-03-04T09:00:00+00:00 is before the start time"
            " 2026-03-04T10:00:00+00:00.",
        ),
    ],
)
def test_each_contradiction_has_its_sentence(before, after, sentence):
    assert [str(contradiction.says) for contradiction in contradictions_between(before, after)] == [
        sentence
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, reply("success")),
        (reply("success"), reply("complete")),
        (reply("running"), reply("pending")),
        (reply(), reply(files=[("a", {})])),
        (reply(files=[("a", {})]), reply(files=[("a", {}), ("b", {})])),
        (reply(files=[("a", {"totalLines": 5})]), reply(files=[("a", {"totalLines": -1})])),
        (reply(endTime="2026-03-04T09:00:00", beginTime="2026-03-04T10:00:00"),) * 2,
    ],
)
def test_progress_is_no_contradiction(before, after):
    assert contradictions_between(before, after) == []


@given(
    st.integers(0, 20), st.integers(0, 5), st.lists(st.integers(-10, 200), min_size=2, max_size=4)
)
def test_simulated_jobs_never_contradict_themselves(seed, number, seconds):
    epoch = datetime(2026, 3, 4, 12, tzinfo=UTC)
    story = Story(seed, epoch)
    job = story.jobs(epoch + timedelta(minutes=5))[number]
    replies = [
        parse_reply(json.dumps(story.state(job, job.begin + timedelta(seconds=second))).encode())
        for second in sorted(seconds)
    ]
    for before, after in itertools.pairwise(replies):
        assert contradictions_between(before, after) == []
