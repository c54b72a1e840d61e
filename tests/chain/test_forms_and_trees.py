"""The forms as an outsider computes them, and the trees."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.chain.forms import (
    START,
    CheckpointForm,
    ReplyFacts,
    checkpoint_digest,
    head_leaf,
    link,
    moment,
)
from jobs.chain.merkle import Root, Tree, root_of

SEEN = datetime(2026, 3, 4, 12, 0, 0, 1500, UTC)
FACTS = ReplyFacts(
    "p1", "jöb", 1, "poll", 1, 200, 'application/json; a="b"', SEEN, hashlib.sha256(b"{}").digest()
)


def by_hand(form, start=b""):
    return hashlib.sha256(start + json.dumps(form, ensure_ascii=False).encode()).digest()


def test_the_forms_are_what_is_written_down():
    first_seen_at = "2026-03-04T12:00:00.001500Z"
    body = hashlib.sha256(b"{}").hexdigest()
    facts = ["p1", "jöb", 1, "poll", 1, 200, 'application/json; a="b"', first_seen_at, body]
    assert link(START, FACTS) == by_hand(["gesdash link 1", "0" * 64, *facts])
    assert head_leaf("jöb", 3, START) == by_hand(["gesdash head 1", "jöb", 3, "0" * 64], b"\x00")
    sealed = CheckpointForm(START, "p1", 2, SEEN, 77, 3, 9, START)
    form = ["gesdash checkpoint 1", "0" * 64, "p1", 2, first_seen_at, 77, 3, 9, "0" * 64]
    assert checkpoint_digest(sealed) == by_hand(form)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_texts_in_a_link_are_encoded_as_json_does(job_id, content_type):
    facts = FACTS._replace(job_id=job_id, content_type=content_type)
    form = ["p1", job_id, 1, "poll", 1, 200, content_type, moment(SEEN), FACTS.sha256.hex()]
    assert link(START, facts) == by_hand(["gesdash link 1", "0" * 64, *form])


def test_a_time_is_the_same_in_any_zone():
    assert (
        moment(SEEN.astimezone(timezone(timedelta(hours=8))))
        == moment(SEEN)
        == "2026-03-04T12:00:00.001500Z"
    )
    assert moment(datetime(2026, 3, 4, tzinfo=UTC)) == "2026-03-04T00:00:00.000000Z"


@pytest.mark.parametrize("position", range(len(FACTS)))
def test_a_link_depends_on_every_fact_and_on_the_link_before(position):
    other = list(FACTS)
    value = FACTS[position]
    other[position] = (
        value + timedelta(microseconds=1)
        if isinstance(value, datetime)
        else value + type(value)(value)
    )
    assert link(START, ReplyFacts(*other)) != link(START, FACTS) != link(link(START, FACTS), FACTS)


def rfc6962(leaves):
    """The definition itself."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + rfc6962(leaves[:left]) + rfc6962(leaves[left:])).digest()


@given(st.integers(0, 70), st.data())
def test_the_root_is_that_of_rfc_6962_and_a_path_proves_its_leaf_only(size, data):
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(size)]
    counter = Root()
    for leaf in leaves:
        counter.add(leaf)
    with Tree(leaves) as tree:
        assert counter.value() == tree.root == rfc6962(leaves)
        assert counter.size == tree.size == size
        if not size:
            return
        index = data.draw(st.integers(0, size - 1))
        path = tree.path(index)
        assert root_of(leaves[index], index, size, path) == tree.root
        assert root_of(bytes(32), index, size, path) != tree.root
        with pytest.raises(ValueError, match="too long"):
            root_of(leaves[index], index, size, [*path, bytes(32)])
        if path:
            with pytest.raises(ValueError, match="too short"):
                root_of(leaves[index], index, size, path[:-1])


def test_a_tree_larger_than_one_chunk_has_the_same_root():
    leaves = [hashlib.sha256(str(number).encode()).digest() for number in range(9_001)]
    with Tree(leaves) as tree:
        assert tree.root == rfc6962(leaves)
        assert root_of(leaves[9_000], 9_000, 9_001, tree.path(9_000)) == tree.root
