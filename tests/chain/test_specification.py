"""docs/proof.md as its reader implements it: the example is right, by hand and by our code."""

import hashlib
import json
import re
from datetime import datetime
from itertools import pairwise

import pytest

from jobs.chain import forms, merkle
from jobs.models.reply import Source
from tests.markdown import blocks, first_column, text_of

PAGE = "docs/proof.md"
CHAINS, LEAVES, TREE, CHECKPOINT = blocks(PAGE, "text")[-4:]
LINK = re.compile(r"^body (.*)\nsha256 (\w+)\nform (.*)\nlink (\w+)$", re.MULTILINE)
LEAF = re.compile(r"^form (.*)\nleaf (\w+)$", re.MULTILINE)
NO_LINK = "0" * 64


def sha256(text, start=b""):
    return hashlib.sha256(start + text.encode()).hexdigest()


def raw(*digits):
    return [bytes.fromhex(one) for one in digits]


@pytest.mark.parametrize(("body", "digest", "form", "made"), LINK.findall(CHAINS))
def test_a_link_is_the_hash_of_its_form(body, digest, form, made):
    [kind, before, project_id, job_id, number, *facts, first_seen_at, sha256_of_body] = json.loads(
        form
    )
    assert (kind, sha256_of_body, made) == ("gesdash link 1", sha256(body), sha256(form))
    assert facts[0] in Source.values
    seen = datetime.fromisoformat(first_seen_at)
    reply = forms.ReplyFacts(project_id, job_id, number, *facts, seen, *raw(digest))
    assert forms.link(*raw(before), reply).hex() == made


def heads():
    """By job, the number and the link of the newest reply."""
    found = {}
    for _body, _digest, form, made in LINK.findall(CHAINS):
        _, before, _, job_id, number, *_ = json.loads(form)
        assert (number - 1, before) == found.get(job_id, (0, NO_LINK))
        found[job_id] = number, made
    return found


def test_the_leaves_are_the_ends_of_the_chains_in_the_order_of_their_bytes():
    leaves = [(json.loads(form)[1:], form, leaf) for form, leaf in LEAF.findall(LEAVES)]
    assert {job_id: tuple(head) for (job_id, *head), _, _ in leaves} == heads()
    assert all(
        one.encode() < other.encode() for ((one, *_), *_), ((other, *_), *_) in pairwise(leaves)
    )
    for (job_id, number, newest), form, leaf in leaves:
        assert leaf == sha256(form, b"\0") == forms.head_leaf(job_id, number, *raw(newest)).hex()


def test_the_root_is_that_of_the_leaves():
    leaves = raw(*(leaf for _, leaf in LEAF.findall(LEAVES)))
    root = merkle.Root()
    for leaf in leaves:
        root.add(leaf)
    assert TREE.split() == ["node", merkle.node(*leaves[:2]).hex(), "root", root.value().hex()]


def test_the_checkpoint_is_of_that_root():
    [(form, digest)] = re.findall(r"form (.*)\ndigest (\w+)", CHECKPOINT)
    _, before, project_id, number, sealed_at, up_to, jobs, replies, root = json.loads(form)
    assert (digest, root) == (sha256(form), TREE.split()[-1])
    assert (jobs, replies) == (len(heads()), len(LINK.findall(CHAINS)))
    at = datetime.fromisoformat(sealed_at)
    told = (*raw(before), project_id, number, at, up_to, jobs, replies, *raw(root))
    assert forms.checkpoint_digest(forms.CheckpointForm(*told)).hex() == digest


def test_the_forms_are_those_of_the_verifier():
    verifier = " ".join(text_of("jobs/evidence/verify_bundle.py").split())
    written = re.findall(r"^\[.*\]$", "".join(blocks(PAGE, "text")[:-4]), re.MULTILINE)
    assert len(written) == 3
    assert [form for form in written if form not in verifier] == []


def test_every_element_is_described():
    assert first_column(PAGE, "element of a link") == list(forms.ReplyFacts._fields)
    described = first_column(PAGE, "element of a checkpoint")
    assert described == list(forms.CheckpointForm._fields[1:])
