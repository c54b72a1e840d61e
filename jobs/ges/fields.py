"""Single values of GES's JSON: text, ids, counts, times.

A value that can't be read becomes None, with a sentence in `peculiarities`.
"""

import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from jobs.sentences import Sentence, gettext_noop

MAX_ID = 255
MAX_COUNT = 2**63 - 1

_TIME = re.compile(r"^\(?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)? ?(Z|[+-]\d\d:?\d\d)?\)?$")


def first(data: dict[str, Any], *names: str) -> Any:
    """The first of these keys that has a value."""
    return next((data[name] for name in names if data.get(name) is not None), None)


def array(value: Any) -> list[Any]:
    """An array as it is, null as an empty one, and anything else as an array of it alone.

    Source: so the official SDK reads it.
    """
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def clean(text: str) -> str:
    """Text that PostgreSQL can store: no NUL, no half of a surrogate pair.

    The stored body keeps both.
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def text(value: Any) -> str | None:
    """Text cleaned, a number as text, anything else as its JSON."""
    if value is None:
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool | int | Decimal):
        return str(value)
    return clean(json.dumps(value, ensure_ascii=False, default=str))


def name(value: Any, peculiarities: list[Sentence]) -> str | None:
    """A job's name, which older editions send as an array."""
    if isinstance(value, list):
        if len(value) > 1:
            peculiarities.append(
                Sentence(
                    gettext_noop("The job has {count} names; the first is shown."),
                    {"count": len(value)},
                )
            )
        value = value[0] if value else None
    return text(value) or None


def count(value: Any, path: str, peculiarities: list[Sentence]) -> int | None:
    """A count of lines, up to 64 bits; None for -1 as for nothing."""
    number: Decimal | int | None = None
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,30}(\.0{1,30})?", value.strip()):
        number = Decimal(value.strip())
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = value
    elif value is None or value == "":
        return None
    if isinstance(number, Decimal) and (not math.isfinite(number) or abs(number.adjusted()) > 30):
        number = None
    if number == -1:
        return None
    if number is None or number != int(number) or not 0 <= number <= MAX_COUNT:
        template = gettext_noop("“{place}”: expected a whole number of lines, got “{value}”.")
        peculiarities.append(Sentence(template, {"place": path, "value": short(str(value))}))
        return None
    return int(number)


def time(value: Any, path: str, peculiarities: list[Sentence]) -> datetime | None:
    """A time in UTC, which is what GES means without a zone."""
    if value in (None, ""):
        return None
    match = _TIME.match(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        day, clock, fraction, zone = match.groups()
        read = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{zone or '+00:00'}")
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        template = gettext_noop(
            "“{place}”: expected a time such as 2026-01-31T08:15:00, got “{value}”."
        )
        peculiarities.append(Sentence(template, {"place": path, "value": short(str(value))}))
        return None


class IdFault(Enum):
    """What is wrong with a text as an id of GES."""

    LENGTH = auto()
    CHARACTERS = auto()


def id_fault(value: str, *, in_reply: bool = False) -> IdFault | None:
    """What is wrong with this id; None if nothing is. The one place where that is decided.

    An id in GES's reply is kept as it came. One that people and programs name also has to stay whole
    in an address, where a slash or dots would change the path.
    """
    if not 0 < len(value) <= MAX_ID:
        return IdFault.LENGTH
    if not value.isprintable():
        return IdFault.CHARACTERS
    if not in_reply and ("/" in value or value in {".", ".."}):
        return IdFault.CHARACTERS
    return None


def is_id(value: Any) -> bool:
    """Whether this JSON value of a reply is text that `id_fault` finds nothing wrong with."""
    return isinstance(value, str) and id_fault(value, in_reply=True) is None


def short(text: str, limit: int = 80) -> str:
    """Clean text of at most `limit` characters."""
    text = clean(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
