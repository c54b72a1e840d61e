import re
import tomllib
from pathlib import Path

import pytest

from jobs.diagnosis import explain as module
from jobs.diagnosis.explain import MAX_EXPLANATIONS, all_known, explain
from jobs.ges.simulator.plot import GONE_FILE

# GES API Reference, error codes of the management and the service plane, and those of samples; then the gateway's.
CODES = """
0001 0016 2067 7000 7001 7002 7003 7004 7005 7006 7007 7008 7009 7010 7011 7014 7015 7016 7017 7018 7019 7023 7024 7027 7028
7029 7030 7036 7037 7040 7041 7042 7048 7049 7050 7054 7056 7057 7059 7061 7062 7063 7064 7067 7069 7070 8000 8005 8006 8007
8008 8011 8012 8013 8301 8302 8303 8304 8601 8602 8801 9999
""".split()  # noqa: SIM905
GATEWAY = ["0101", "0201", "0301", "0302", "0303", "0304", "0305", "0306", "0307", "0308"]


@pytest.mark.parametrize(
    "code", [f"GES.{one}" for one in CODES] + [f"APIG.{one}" for one in GATEWAY]
)
def test_every_code_is_explained_once(code: str):
    assert len(explain(f"{code}: whatever")) == 1
    assert sum(known.codes.count(code) for known in all_known()) == 1


@pytest.mark.parametrize("code", GATEWAY)
def test_the_gateway_has_two_prefixes(code: str):
    assert explain(f"APIGW.{code}") == explain(f"APIG.{code}") != []


def test_every_text_is_there_in_both_languages():
    for known in all_known():
        one = known.explanation
        for text in (one.title, one.meaning, one.advice, one.source):
            assert re.search("[a-z]", text.en)
            assert re.search("[\u4e00-\u9fa5]", text.zh)
            assert not re.search("[\u4e00-\u9fa5]", text.en)
        assert known.codes or known.pattern


def test_no_source_is_left_over():
    stored = tomllib.loads(Path(module.__file__).with_name("explanations.toml").read_text())
    assert {one["source"] for one in stored["explanation"]} == set(stored["sources"])


def test_a_field_nobody_knows_is_refused(monkeypatch):
    known = {
        "title": {"en": "", "zh": ""},
        "meaning": {"en": "", "zh": ""},
        "advice": {"en": "", "zh": ""},
        "source": "s",
    }
    assert list(module._read({"s": {"en": "", "zh": ""}}, [known]))
    with pytest.raises(TypeError, match="advise"):
        list(module._read({"s": "S"}, [{**known, "advise": ""}]))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("line {n}: property count 5 does not match label 'user' (6 expected)", "as many values"),
        ("vertex [U{n}] of edge does not exist", "not in the graph"),
        ("line {n}: '2026-13-01' is not a date (YYYY-MM-DD HH:MM:SS)", "no date"),
        ("label [merchant_v2] is not in the metadata", "does not know this label"),
        ("line {n}: value 'n/a' of property 'amount' is not a double", "type of its property"),
        ("line {n}: char array of property 'name' is longer than 64", "longer than its char array"),
        ("edge source vertex [A{n}] does not exist", "not in the graph"),
        ("line {n}: 'GOLD' is not listed for enum 'tier'", "one of the enum's"),
        ("line {n}: 数据列数与元数据不一致", "as many values"),
        ("line {n}: vertex id is empty", "no vertex id"),
        (GONE_FILE, "not in OBS"),
        ("Failed to incrementally import data to the graph.", "The import failed"),
        ("all labels are imported", "there already"),
        ("label name is invalid  which can only contain letters", "name of the label"),
        ("can not find job, jobId is 1", "does not know this job"),
        ("parameter format error", "wrong format"),
        ("edge source vertex [Lily] does not exist", "not in the graph"),
        ("vertex [Lily] already exists", "in the graph already"),
        ("graph [demo] is not found", "graph is gone"),
        ("Running algorithm [shortest_path] error: parameter [source] is invalid!", "algorithm"),
        ("policy user over ratelimit,limit:10,time:1 minute", "Too many requests"),
        ("the file exceeds 5 GB", "larger than GES imports"),
    ],
)
def test_known_causes(text: str, title: str):
    found = explain(text.format(n=27))
    assert [title in one.title.en for one in found] == [True]


def test_the_first_line_may_be_a_header():
    found = explain("line 1: label [label] is not in the metadata")
    assert [one.title.en for one in found] == [
        "It was the first line: perhaps a header",
        "The metadata does not know this label",
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
def test_what_is_not_known_is_not_explained(text: str):
    assert explain(text) == []


def test_in_the_order_of_the_text_and_at_most_three():
    text = "ges.7017, then GES.7003 GES.7001 apigw.0308, GES.7010"
    assert [one.title.en for one in explain(text)] == [
        "The file is not in OBS",
        "The graph is not running",
        "Too many requests",
    ]
    assert len(explain(text)) == MAX_EXPLANATIONS


def test_the_language_chooses():
    title = explain("GES.7017")[0].title
    assert title.of("zh-hans") == title.zh
    assert title.of("en") == title.en


def test_patterns_repeat_within_bounds():
    for known in all_known():
        if known.pattern:
            plain = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", known.pattern.pattern)
            assert not re.search(r"[*+]|,\}", plain), known.pattern.pattern
