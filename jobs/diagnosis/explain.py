"""GES's error codes and the causes known so far, explained in both languages, with what to do now."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MAX_TEXT = 20_000  # characters looked at
MAX_EXPLANATIONS = 3

_CODE = re.compile(r"(?<![A-Za-z0-9])(GES|APIG)W?\.(\d{4})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Both:
    """A text in English and in Chinese."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        """The text for a language code such as zh-hans."""
        return self.zh if language.lower().startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code or a cause means, what to do now, and the document that says what it means."""

    title: Both
    meaning: Both
    advice: Both
    source: Both


@dataclass(frozen=True, slots=True)
class Known:
    """An explanation with the codes and the words it is told by; an empty pattern stands for no words."""

    explanation: Explanation
    codes: tuple[str, ...]
    pattern: re.Pattern[str] | None


def explain(text: str) -> list[Explanation]:
    """Explanations of a fail reason, a cause or an error message, in the order of what they explain; at most three.

    Codes of the gateway are told by number, whether they begin with APIG or APIGW.
    """
    text = text[:MAX_TEXT]
    codes = {
        f"{code[1].upper()}.{code[2]}": code.start()
        for code in reversed(list(_CODE.finditer(text)))
    }
    found: list[tuple[int, Explanation]] = []
    for known in all_known():
        places = [codes[code] for code in known.codes if code in codes]
        if known.pattern and (match := known.pattern.search(text)):
            places.append(match.start())
        if places:
            found.append((min(places), known.explanation))
    found.sort(key=lambda one: one[0])
    return [explanation for _, explanation in found[:MAX_EXPLANATIONS]]


@cache
def all_known() -> Sequence[Known]:
    """Everything that can be explained.

    Raises: TypeError for a field of explanations.toml that isn't known, KeyError for a source that isn't.
    """
    stored = tomllib.loads(
        Path(__file__).with_name("explanations.toml").read_text(encoding="utf-8")
    )
    return tuple(_read(stored.pop("sources"), **stored))


def _read(sources: dict[str, dict[str, str]], explanation: list[dict[str, Any]]) -> Iterator[Known]:
    for one in explanation:
        yield _known(sources, **one)


def _known(
    sources: dict[str, dict[str, str]],
    *,
    title: dict[str, str],
    meaning: dict[str, str],
    advice: dict[str, str],
    source: str,
    codes: Sequence[str] = (),
    pattern: str = "",
) -> Known:
    texts = Explanation(Both(**title), Both(**meaning), Both(**advice), Both(**sources[source]))
    return Known(texts, tuple(codes), re.compile(pattern, re.IGNORECASE) if pattern else None)
