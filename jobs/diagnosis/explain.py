"""GES's error codes and the failure reasons known so far, explained, with what to do now."""

import re
from functools import cache

from jobs.diagnosis.explanations import EXPLANATIONS, Explanation

MAX_TEXT = 20_000  # characters searched
MAX_EXPLANATIONS = 3

_CODE = re.compile(r"(?<![A-Za-z0-9])(GES|APIG)W?\.(\d{4})(?!\d)", re.IGNORECASE)


def explain(text: str) -> list[Explanation]:
    """Explanations of a failure reason or an error message, in its order; at most three.

    A gateway code is recognised by its number, with the prefix APIG or APIGW.
    """
    text = text[:MAX_TEXT]
    codes = {
        f"{code[1].upper()}.{code[2]}": code.start()
        for code in reversed(list(_CODE.finditer(text)))
    }
    positioned: list[tuple[int, Explanation]] = []
    for explanation in EXPLANATIONS:
        positions = [codes[code] for code in explanation.codes if code in codes]
        if explanation.pattern and (match := _compiled(explanation.pattern).search(text)):
            positions.append(match.start())
        if positions:
            positioned.append((min(positions), explanation))
    positioned.sort(key=lambda pair: pair[0])
    return [explanation for _, explanation in positioned[:MAX_EXPLANATIONS]]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
