"""One term for one thing: what is shown is in docs/glossary.md's words, in both languages."""

import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from tests.markdown import table

GLOSSARY = table("docs/glossary.md", "English")
#: What was said before the glossary. None of it is shown any more.
FORMER = """
verdict, ledger, trail, deed, won't do, what became of it, what GES said, against another import,
GES's word, needs a person, heard, came to its end, poll now, took, lost, loss, tolerated, tolerance,
struck, how we fixed it, nobody has said, repair kit, leave them out, loaded whole, proof,
faults, sealed, status of polling, what came of, without a worker, set aside, left alone, calls left,
call budget, this is the past, return to now, came by, jobs a day, out of the statistics, contradicted,
can't tell, from its start, or also, ask no more, shut out, data fixes, something broke, stuck, reply,
replies, miss, misses, anew, so many, of then, told
"""
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")


@pytest.fixture(scope="module")
def catalogue():
    with (settings.BASE_DIR / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as stored:
        return [message for message in read_po(stored) if message.id]


def forms(text):
    return [text] if isinstance(text, str) else list(text)


def test_each_term_is_listed_once():
    terms = [term.lower() for row in GLOSSARY for term in row[0].split(" / ")]
    assert len(terms) == len(set(terms))


def test_each_term_has_its_translation(catalogue):
    known = {term.lower(): row[1].split(" / ") for row in GLOSSARY for term in row[0].split(" / ")}
    others = [
        (message.id, translation)
        for message in catalogue
        for english in forms(message.id)
        for translation in forms(message.string)
        if translation not in known.get(english.lower(), [translation])
    ]
    assert others == []


@pytest.mark.parametrize("former", " ".join(FORMER.split()).split(", "))
def test_no_former_word_is_shown(catalogue, former):
    pattern = re.compile(rf"\b{former}\b", re.IGNORECASE)
    shown = [text for message in catalogue for text in forms(message.id)]
    assert [text for text in shown if pattern.search(PLACE.sub("", text).replace("’", "'"))] == []
