"""Kinds of filter values: each reads text, says what it expects, and gives its JSON Schema."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Protocol

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

type JsonSchema = dict[str, Any]
type Choices = tuple[tuple[str, str | Promise], ...]

MAX_ID = 2**63 - 1  # PostgreSQL's bigint
#: The value of a form's empty field, which filters nothing.
EMPTY: JsonSchema = {"type": "string", "maxLength": 0}

#: What is expected, for people.
TIME_WORDS = gettext_lazy(
    "a time such as 2026-01-31, 2026-01-31T08:15:00Z, 24h, 7d, 4w, today or yesterday"
)
_TEXT = gettext_lazy("text of at most 1,024 characters")
_RATE = gettext_lazy("a rate from 0 to 1, such as 0.05 or 5%")

_AGE = re.compile(r"(\d{1,4})([hdw])", re.ASCII)
_AGE_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAYS_BACK = {"today": 0, "yesterday": 1, "今天": 0, "昨天": 1}


class Kind(Protocol):
    """One kind of value."""

    @property
    def expected(self) -> str | Promise:
        """Completes “… is not valid; expected …”."""

    @property
    def schema(self) -> JsonSchema:
        """Of one value."""

    def read(self, text: str, zone: tzinfo) -> Any:
        """The value in `text`; `zone` is that of times which name none.

        Raises: ValueError, ArithmeticError or LookupError for text that is none of this kind.
        """


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that PostgreSQL can store."""

    max_length: int = 1024
    expected: str | Promise = _TEXT

    @property
    def schema(self) -> JsonSchema:
        """PostgreSQL stores no NUL."""
        return {"type": "string", "maxLength": self.max_length, "pattern": "^[^\\u0000]*$"}

    def read(self, text: str, zone: tzinfo) -> str:
        """The text itself."""
        text.encode()  # half of a surrogate pair is a ValueError
        if "\x00" in text or len(text) > self.max_length:
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a row, from 0."""

    expected: str | Promise

    @property
    def schema(self) -> JsonSchema:
        """An empty field is no number."""
        return {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_ID}, EMPTY]}

    def read(self, text: str, zone: tzinfo) -> int:
        """Only ASCII digits: `int` would take other scripts', signs and underscores."""
        if not (text.isascii() and text.isdigit()) or int(text) > MAX_ID:
            raise ValueError
        return int(text)


@dataclass(frozen=True, slots=True)
class Rate:
    """A part of a whole, from 0 to 1."""

    expected: str | Promise = _RATE

    @property
    def schema(self) -> JsonSchema:
        """As a number or in percent."""
        return {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": "^(100|[0-9]{1,2})%$"},
                EMPTY,
            ]
        }

    def read(self, text: str, zone: tzinfo) -> Decimal:
        """The rate as a part of 1."""
        rate = Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)
        if not 0 <= rate <= 1:
            raise ValueError
        return rate


@dataclass(frozen=True, slots=True)
class Time:
    """A moment, or an age that is evaluated when it is read."""

    expected: str | Promise = TIME_WORDS

    @property
    def schema(self) -> JsonSchema:
        """Without the days in Chinese, which are for people."""
        return {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {
                    "type": "string",
                    "pattern": "^([0-9]{1,4}[hdw]|today|yesterday)$",
                    "description": "An age, or the start of that day.",
                },
                EMPTY,
            ]
        }

    def read(self, text: str, zone: tzinfo) -> datetime:
        """In UTC."""
        return read_when(text, zone)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, each with its label."""

    choices: Choices

    @property
    def values(self) -> list[str]:
        """The words, without their labels."""
        return [value for value, _label in self.choices]

    @property
    def expected(self) -> str:
        """The words are names of the API, so they are not translated."""
        return ", ".join(self.values)

    @property
    def schema(self) -> JsonSchema:
        """The words, and an empty field."""
        return {"type": "string", "enum": ["", *self.values]}

    def read(self, text: str, zone: tzinfo) -> str:
        """One of the words, as spelt."""
        if text not in self.values:
            raise ValueError
        return text


def choice_of(choices: Iterable[tuple[str, str | Promise]]) -> Choice:
    """A kind from the choices of a model's field."""
    return Choice(tuple(choices))


YES_OR_NO = Choice((("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))))


def read_when(text: str, zone: tzinfo) -> datetime:
    """A time in UTC: an ISO time, an age (24h, 7d, 4w), or the start of today or yesterday.

    Ages and days are relative to the moment of reading, so that a saved view does not age. `zone`
    is that of days, and of times which name none.

    Raises: ValueError, OverflowError.
    """
    word, now = text.casefold(), timezone.now()
    if age := _AGE.fullmatch(word):
        return now - int(age[1]) * _AGE_UNITS[age[2]]
    if word in _DAYS_BACK:
        day = now.astimezone(zone).date() - timedelta(days=_DAYS_BACK[word])
        return datetime.combine(day, time.min, zone).astimezone(UTC)

    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
