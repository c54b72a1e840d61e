"""HTTP caching of stored replies (RFC 9111, RFC 5861). Pure. Units: seconds."""

import re
from dataclasses import dataclass

FOR_EVER = 31_536_000  # a year: how long a final reply is fresh
_DIRECTIVE = re.compile(r'\s*([a-z-]+)\s*(?:=\s*"?(\d{1,9})"?\s*)?')


@dataclass(frozen=True, slots=True)
class Directives:
    """What the caller's Cache-Control asks for. Words that are not known are passed over, as RFC 9111 has it."""

    no_cache: bool = False
    only_if_cached: bool = False
    max_age: int | None = None
    max_stale: int = 0
    min_fresh: int = 0
    stale_if_error: int | None = None

    @classmethod
    def of(cls, header: str) -> "Directives":
        """Read a Cache-Control header."""
        words: dict[str, str | None] = {}
        for part in header.lower().split(","):
            if match := _DIRECTIVE.fullmatch(part):
                words.setdefault(match[1], match[2])

        def seconds(name: str) -> int | None:
            value = words.get(name)
            return None if value is None else int(value)

        any_age = FOR_EVER if "max-stale" in words else 0
        return cls(
            "no-cache" in words,
            "only-if-cached" in words,
            seconds("max-age"),
            any_age if seconds("max-stale") is None else seconds("max-stale") or 0,
            seconds("min-fresh") or 0,
            seconds("stale-if-error"),
        )

    def accept(self, age: float, lifetime: float) -> bool:
        """Whether a stored reply of this age will do without asking GES, fresh for so long."""
        if self.no_cache:
            return False
        if self.max_age is not None and age > self.max_age + self.max_stale:
            return False
        if self.only_if_cached:
            return True  # whatever is stored, as long as the caller's own words allow it
        return age + self.min_fresh < lifetime + self.max_stale

    def accept_for_error(self, age: float, lifetime: float, default: int) -> bool:
        """Whether a stored reply may stand in for one that GES failed to give."""
        allowed = default if self.stale_if_error is None else self.stale_if_error
        return age - lifetime <= allowed


def cache_control(lifetime: float, stale_if_error: int) -> str:
    """What is said of a reply; private, since it was given to one who may see it."""
    return f"private, max-age={int(lifetime)}, stale-if-error={stale_if_error}"
