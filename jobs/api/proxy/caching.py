"""HTTP caching of stored replies (RFC 9111, RFC 5861). Pure. Units: seconds."""

import re
from dataclasses import dataclass

FOR_EVER = 31_536_000  # a year: how long a final reply is fresh
_DIRECTIVE = re.compile(r'\s*([a-z-]+)\s*(?:=\s*"?(\d{1,9})"?\s*)?')


@dataclass(frozen=True, slots=True)
class Directives:
    """The caller's Cache-Control. Unknown directives are ignored, as RFC 9111 has it."""

    no_cache: bool = False
    only_if_cached: bool = False
    max_age: int | None = None
    max_stale: int = 0
    min_fresh: int = 0
    stale_if_error: int | None = None

    @classmethod
    def of(cls, header: str) -> "Directives":
        """Read a Cache-Control header."""
        arguments: dict[str, str | None] = {}
        for part in header.lower().split(","):
            if match := _DIRECTIVE.fullmatch(part):
                arguments.setdefault(match[1], match[2])

        def seconds(name: str) -> int | None:
            value = arguments.get(name)
            return None if value is None else int(value)

        max_stale = seconds("max-stale")
        if max_stale is None:  # without a number it means any age
            max_stale = FOR_EVER if "max-stale" in arguments else 0
        return cls(
            no_cache="no-cache" in arguments,
            only_if_cached="only-if-cached" in arguments,
            max_age=seconds("max-age"),
            max_stale=max_stale,
            min_fresh=seconds("min-fresh") or 0,
            stale_if_error=seconds("stale-if-error"),
        )

    def accept(self, age: float, lifetime: float) -> bool:
        """Whether a stored reply, fresh for `lifetime`, may answer without a request to GES."""
        if self.no_cache:
            return False
        if self.max_age is not None and age > self.max_age + self.max_stale:
            return False
        if self.only_if_cached:
            return True  # however old, within the caller's own max-age
        return age + self.min_fresh < lifetime + self.max_stale

    def accept_for_error(self, age: float, lifetime: float, default: int) -> bool:
        """Whether a stored reply may stand in where GES gave none; `default` as of RFC 5861."""
        allowed = default if self.stale_if_error is None else self.stale_if_error
        return age - lifetime <= allowed


def cache_control(lifetime: float, stale_if_error: int) -> str:
    """The header of a reply; private, since only those who may see its job get it."""
    return f"private, max-age={int(lifetime)}, stale-if-error={stale_if_error}"
