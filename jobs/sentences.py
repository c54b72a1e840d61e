"""A sentence for readers that can be stored and translated later: the English text apart from what is filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

type Value = str | int

_PLACE = re.compile(r"\{(\w+)\}")


def gettext_noop(text: str) -> str:
    """Mark a literal for the catalogues; the same text comes back, since there is no Django here to translate it."""
    return text


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is a literal marked with `gettext_noop`; each `{name}` in it stands for the value of that name."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.fill(self.text)

    def fill(self, text: str) -> str:
        """The values put into `text`, a translation of the sentence's own; braces in a value stay what they are."""
        return _PLACE.sub(self._value, text)

    def _value(self, place: re.Match[str]) -> str:
        value = self.values.get(place[1], place[0])
        return f"{value:,}" if isinstance(value, int) else value

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"text": self.text, "values": dict(self.values)}

    @classmethod
    def from_json(cls, stored: Any) -> "Sentence":
        """A stored sentence; a bare string, as former versions stored, is a text without values.

        Raises: ValueError when it is neither.
        """
        if isinstance(stored, str):
            return cls(stored)
        values = (stored.get("values") or {}) if isinstance(stored, dict) else None
        if not isinstance(values, dict) or not isinstance(stored.get("text"), str):
            raise ValueError(
                f"{stored!r} is not a sentence; expected an object with a text and values."
            )
        return cls(
            stored["text"],
            {name: one if isinstance(one, int) else str(one) for name, one in values.items()},
        )
