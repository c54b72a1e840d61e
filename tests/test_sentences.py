"""Texts that are stored now and translated when shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.diagnosis.ledger import contradiction
from jobs.ges.shapes import FileReply
from jobs.sentences import Sentence

sentences = st.builds(
    Sentence, st.text(), st.dictionaries(st.text(), st.integers() | st.text(), max_size=3)
)


def test_numbers_have_thousands_separators():
    assert (
        str(Sentence("{lost} of {total} in {graph}", {"lost": 1, "total": 12345, "graph": "g"}))
        == "1 of 12,345 in g"
    )


def test_a_translation_takes_the_same_values():
    assert Sentence("{a} then {b}", {"a": 1000, "b": "x"}).fill("{b}先于{a}") == "x先于1,000"


@given(st.text(), st.text())
def test_values_are_never_interpreted(one, other):
    assert str(Sentence("{one}|{other}", {"one": one, "other": other})) == f"{one}|{other}"


@given(sentences)
def test_stored_and_read_again(sentence):
    assert Sentence.from_json(json.loads(json.dumps(sentence.as_json()))) == sentence


def test_a_bare_string_is_a_text_without_values():
    assert str(Sentence.from_json("{odd} and {}")) == "{odd} and {}"


@pytest.mark.parametrize("stored", [None, 5, [], {}, {"text": 5}, {"text": "a", "values": [1]}])
def test_a_stored_value_that_is_no_sentence_is_refused(stored):
    with pytest.raises(ValueError, match="is not a sentence"):
        Sentence.from_json(stored)


def test_a_contradiction_is_a_sentence():
    file = FileReply("edge", 0, "b/e", None, "partFailed", None, 5000, 1500, 4000)
    assert (
        str(contradiction(file))
        == "1,500 failed and 4,000 loaded lines add up to 5,500, but the total is 5,000."
    )
