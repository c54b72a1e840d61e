"""A sentence that can be stored and translated later: the text apart from its values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

type Value = str | int

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def gettext_noop(text: str) -> str:
    """Mark a literal for the catalogues, and return it as it is: here is no Django to translate."""
    return text


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is marked with `gettext_noop`; each `{name}` in it is replaced by that value."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.fill(self.text)

    def fill(self, text: str) -> str:
        """Put the values into `text`, a translation of the sentence's own.

        Braces in a value stay as they are.
        """
        return _PLACEHOLDER.sub(self._value, text)

    def _value(self, placeholder: re.Match[str]) -> str:
        value = self.values.get(placeholder[1], placeholder[0])
        return f"{value:,}" if isinstance(value, int) else value

    def as_json(self) -> dict[str, Any]:
        """The form that `from_json` reads."""
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
            {
                name: value if isinstance(value, int) else str(value)
                for name, value in values.items()
            },
        )
