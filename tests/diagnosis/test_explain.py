"""GES's codes and failure reasons have explanations."""

import re

import pytest

from jobs.diagnosis import explanations
from jobs.diagnosis.explain import MAX_EXPLANATIONS, explain
from jobs.diagnosis.explanations import EXPLANATIONS
from jobs.ges.simulator.plot import GONE_FILE

# GES API Reference, error codes of the management and the service plane, and those of samples;
# then the gateway's.
CODES = """
0001 0016 2067 7000 7001 7002 7003 7004 7005 7006 7007 7008 7009 7010 7011 7014 7015 7016 7017 7018
7019 7023 7024 7027 7028 7029 7030 7036 7037 7040 7041 7042 7048 7049 7050 7054 7056 7057 7059 7061
7062 7063 7064 7067 7069 7070 8000 8005 8006 8007 8008 8011 8012 8013 8301 8302 8303 8304 8601 8602
8801 9999
""".split()  # noqa: SIM905
GATEWAY = ["0101", "0201", "0301", "0302", "0303", "0304", "0305", "0306", "0307", "0308"]


@pytest.mark.parametrize(
    "code",
    [f"GES.{number}" for number in CODES] + [f"APIG.{number}" for number in GATEWAY],
)
def test_every_code_is_explained_once(code: str):
    assert len(explain(f"{code}: whatever")) == 1
    assert sum(explanation.codes.count(code) for explanation in EXPLANATIONS) == 1


@pytest.mark.parametrize("code", GATEWAY)
def test_the_gateway_has_two_prefixes(code: str):
    assert explain(f"APIGW.{code}") == explain(f"APIG.{code}") != []


def test_every_explanation_has_texts_and_a_code_or_pattern():
    for explanation in EXPLANATIONS:
        assert all((explanation.title, explanation.meaning, explanation.advice, explanation.source))
        assert explanation.codes or explanation.pattern


def test_no_source_is_left_over():
    sources = {
        value
        for name, value in vars(explanations).items()
        if name.isupper() and isinstance(value, str)
    }
    assert {explanation.source for explanation in EXPLANATIONS} == sources


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "line {n}: property count 5 does not match label 'user' (6 expected)",
            "The number of values does not match the properties of the label",
        ),
        ("vertex [U{n}] of edge does not exist", "not in the graph"),
        (
            "line {n}: '2026-13-01' is not a date (YYYY-MM-DD HH:MM:SS)",
            "The date format is not accepted by GES",
        ),
        ("label [merchant_v2] is not in the metadata", "The label is not in the metadata"),
        (
            "line {n}: value 'n/a' of property 'amount' is not a double",
            "The value does not match the property type",
        ),
        (
            "line {n}: char array of property 'name' is longer than 64",
            "The text exceeds the length of its char array",
        ),
        ("edge source vertex [A{n}] does not exist", "not in the graph"),
        ("line {n}: 'GOLD' is not listed for enum 'tier'", "The value is not in the enum"),
        (
            "line {n}: 数据列数与元数据不一致",
            "The number of values does not match the properties of the label",
        ),
        ("line {n}: vertex id is empty", "The line has no vertex ID"),
        (GONE_FILE, "The object does not exist in OBS"),
        ("Failed to incrementally import data to the graph.", "The import failed"),
        ("all labels are imported", "All labels already exist"),
        ("label name is invalid  which can only contain letters", "The label name is not valid"),
        ("can not find job, jobId is 1", "Job not found in GES"),
        ("parameter format error", "Incorrect parameter format"),
        ("edge source vertex [Lily] does not exist", "not in the graph"),
        ("vertex [Lily] already exists", "The vertex already exists in the graph"),
        ("graph [demo] is not found", "The graph does not exist or was deleted"),
        ("Running algorithm [shortest_path] error: parameter [source] is invalid!", "algorithm"),
        ("policy user over ratelimit,limit:10,time:1 minute", "Too many requests"),
        ("the file exceeds 5 GB", "The file exceeds the maximum import size"),
    ],
)
def test_known_causes(text: str, title: str):
    explanations = explain(text.format(n=27))
    assert [title in explanation.title for explanation in explanations] == [True]


def test_the_first_line_may_be_a_header():
    explanations = explain("line 1: label [label] is not in the metadata")
    assert [explanation.title for explanation in explanations] == [
        "First line failed: possibly a header",
        "The label is not in the metadata",
    ]
    for later in ("10", "1,209"):
        assert len(explain(f"line {later}: label [label] is not in the metadata")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "something else",
        "GES.70171",
        "XGES.7017",
        "GES.1234",
        "GES.701",
        "settled format",
        "label [5G user] 5 GB",
    ],
)
def test_an_unknown_text_is_not_explained(text: str):
    assert explain(text) == []


def test_in_the_order_of_the_text_and_at_most_three():
    text = "ges.7017, then GES.7003 GES.7001 apigw.0308, GES.7010"
    assert [explanation.title for explanation in explain(text)] == [
        "The object does not exist in OBS",
        "The graph is not running",
        "Too many requests",
    ]
    assert len(explain(text)) == MAX_EXPLANATIONS


def test_patterns_repeat_within_bounds():
    for explanation in EXPLANATIONS:
        plain = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", explanation.pattern)
        assert not re.search(r"[*+]|,\}", plain), explanation.pattern
