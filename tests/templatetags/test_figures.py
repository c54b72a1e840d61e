"""How figures look."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from jobs.templatetags.figures import compact, share_of
from jobs.templatetags.times import ago, duration
from jobs.templatetags.words import placeholder_values


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (9_999, "9,999", "9,999"),
        (12_300, "12.3 k", "1.2 万"),
        (4_200_000, "4.2 M", "420 万"),
        (Decimal(99_999_999), "100 M", "10,000 万"),
        (525_700_000, "525.7 M", "5.3 亿"),
        (None, "–", "–"),
    ],
)
def test_a_count_for_a_narrow_place(value, english, chinese):
    assert compact(value) == english
    with translation.override("zh-hans"):
        assert compact(value) == chinese


def test_whole_days_name_no_hours():
    assert duration(timedelta(days=1)) == "1 d"
    assert duration(timedelta(days=1, hours=2)) == "1 d 02 h"


def test_a_share_is_known_where_both_figures_are():
    assert share_of(1, 3) == Decimal("0.25")
    assert share_of(None, 3) is None
    assert share_of(0, 0) is None


def test_what_a_text_has_of_its_own_stands_in_a_line():
    assert placeholder_values("line 7 of 'x'") == "7 · 'x'"
    assert placeholder_values(None) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (59, "just now"),
        (61, "1 minute ago"),
        (-120, "in 1 minute"),
        (-125, "in 2 minutes"),
    ],
)
def test_less_than_a_minute_ago_is_just_now(seconds, said):
    text = ago(timezone.now() - timedelta(seconds=seconds)).replace("\xa0", " ")
    assert f">{said}<" in text
