"""Error texts are grouped by what stays the same in them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.diagnosis.causes import fingerprint, varying
from jobs.ges.simulator.plot import TROUBLES


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (
            "line 5: property count 5 does not match label 'user' (6 expected)",
            "line ‹number›: property count ‹number› does not match label ‹value›"
            " (‹number› expected)",
        ),
        ("vertex [U77] of edge does not exist", "vertex ‹value› of edge does not exist"),
        ("第123行: 数据列数与元数据不一致", "第‹number›行: 数据列数与元数据不一致"),
        ("第１２３行", "第‹number›行"),
        ("列“金额”的值「x」错误", "列‹value›的值‹value›错误"),
        ("GES.7017: The object does not exist.", "GES.7017: The object does not exist."),
        ("APIG.0308 limit:20,time:1 minute", "APIG.0308 limit:‹number›,time:‹number› minute"),
        (
            "can not find job, jobId is 5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01123456789",
            "can not find job, jobId is ‹id›",
        ),
        ("job 0af31c9be2d14e5f8a7b6c5d4e3f2a1b5 of A7", "job ‹id› of ‹id›"),
        (
            "1,659 of -3.25% at 2026-03-04 10:00:00, 2026-03-04T10:00:00Z",
            "‹number› of ‹number›% at ‹time›, ‹time›",
        ),
        ("2020/04/24 10:27:27 GMT+08:00", "‹time› GMT+‹time›"),
        ("ges-data/社交关系图/2026-03-04/edge/part-0001.csv: gone", "‹path›: gone"),
        ("文件b/图/边.csv不存在", "文件‹path›不存在"),
        (
            "open file:///tmp/x, obs://b/k or https://b.obs.cn-north-4.myhuaweicloud.com/k?x=1.",
            "open ‹path›, ‹path› or ‹path›.",
        ),
        (
            "bucket/key.csv and b2/k but not n/a, and/or 1/5",
            "‹path› and ‹path› but not n/a, and/or ‹number›/‹number›",
        ),
        ("it can't be 'O'Brien's'  \n now", "it can’t be ‹value› now"),
        (
            "Running algorithm [shortest_path] error: parameter [source] is invalid!",
            "Running algorithm ‹value› error: parameter ‹value› is invalid!",
        ),
        (
            "label name is invalid  which can only contain letters, digits, space,%,@,#,- and _",
            "label name is invalid which can only contain letters, digits, space,%,@,#,- and _",
        ),
        ("all labels are imported", "all labels are imported"),
        ("", ""),
    ],
)
def test_varying_parts_become_placeholders(text, pattern):
    assert fingerprint(text).pattern == pattern


def test_each_cause_of_the_simulator_has_one_fingerprint_of_its_own():
    causes = {trouble.cause for trouble in TROUBLES}
    patterns = {fingerprint(cause.format(n=n)).digest for cause in causes for n in (7, 12_345)}
    assert len(patterns) == len(causes)


def test_case_is_kept_in_the_pattern_and_ignored_in_the_digest():
    upper, lower = fingerprint("Vertex ID Is Empty"), fingerprint("vertex id is empty")
    assert upper.pattern == "Vertex ID Is Empty"
    assert upper.digest == lower.digest


pieces = st.lists(
    st.sampled_from(
        [
            *"'\"`[]「」“”‹›/.:,-+ \nT0a图",
            "GES.7017",
            "2026-03-04",
            "10:00",
            "b/k.csv",
            "‹id›",
            "U7",
            "it's",
            "n/a",
            "图/",
        ]
    )
    | st.text(max_size=5),
    max_size=40,
).map("".join)


@given(pieces)
def test_a_pattern_has_the_fingerprint_of_its_texts(text):
    once = fingerprint(text)
    assert fingerprint(once.pattern) == once


@given(pieces.map(lambda text: text * 200))
@example("[[[0:0:GES.7017" * 200)
def test_only_the_beginning_counts_and_the_pattern_is_bounded(text):
    once = fingerprint(text)
    assert fingerprint(text[:2000]) == once
    assert len(once.pattern) <= 2000
    assert fingerprint(once.pattern) == once


@given(
    st.sampled_from([trouble.cause for trouble in TROUBLES]),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
)
def test_numbers_do_not_matter(cause, number, other):
    assert fingerprint(cause.format(n=number)) == fingerprint(cause.format(n=other))


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("label [merchant_v2] is not in the metadata", ["[merchant_v2]"]),
        (
            "line 1087: property count 5 does not match label 'user' (6 expected)",
            ["1087", "5", "'user'", "6"],
        ),
        ("GES.7017: The object does not exist.", []),
        (
            "file a/b/part-1.csv: gone at 2026-03-04 10:00",
            ["a/b/part-1.csv", "2026-03-04", "10:00"],
        ),
        ("", []),
    ],
)
def test_the_varying_parts_of_a_text(text, own):
    assert varying(text) == own
