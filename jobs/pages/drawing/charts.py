"""Where the marks of a chart stand: pure. A chart is 100 high and 10 a step wide, and stretches to its place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

STEP, HEIGHT, LEAST = 10.0, 100.0, 2.0
PLAUSIBLE = 10**15  # lines: a figure beyond is no count, and would hide all others in a sum


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle that leads to the list that proves it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Part:
    """A share of one bar."""

    value: int
    kind: str
    href: str
    label: str


TOWERS_OVER = 20  # times the middle bar: one that is higher is cut, so that the others can be seen


def bars(columns: Sequence[Sequence[Part]], *, hanging: bool = False) -> tuple[list[Mark], int]:
    """Stacked bars, one a column, and the value at the full height; a part that is not zero is never too thin to see.

    A column that towers over all others is drawn at full height with its kind marked `cut`.
    """
    sums = [sum(part.value for part in column) for column in columns]
    most = _scale([value for value in sums if value > 0])
    marks = []
    for number, (column, whole) in enumerate(zip(columns, sums, strict=True)):
        level, against = 0.0, max(most, whole)
        shown = [part for part in column if part.value > 0]
        for part, height in zip(
            shown, _heights([part.value for part in shown], against), strict=True
        ):
            y = level if hanging else HEIGHT - level - height
            kind = f"{part.kind} cut" if whole > most else part.kind
            marks.append(
                Mark(
                    number * STEP + 1,
                    round(y, 2),
                    STEP - 2,
                    round(height, 2),
                    kind,
                    part.href,
                    part.label,
                )
            )
            level += height
    return marks, most


def _heights(values: Sequence[int], against: int) -> list[float]:
    """In proportion, but none below LEAST: where that is too high for the plot, the others give way."""
    heights = [max(LEAST, HEIGHT * float(Decimal(value) / against)) for value in values]
    over = sum(heights) - HEIGHT
    if over <= 0:
        return heights
    spare = sum(height - LEAST for height in heights)
    return [height - over * (height - LEAST) / spare for height in heights]


def _scale(sums: Sequence[int]) -> int:
    """The largest sum that does not tower over the others."""
    if not sums:
        return 0
    middle = sorted(sums)[len(sums) // 2]
    return max(value for value in sums if value <= TOWERS_OVER * middle)


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted, for a timeline."""

    begin: datetime
    end: datetime
    kind: str
    href: str
    label: str
    lane: int | None = None  # where it is not to be the first that is free
    unsure: "tuple[Span, ...]" = ()  # when a change of it may have come; drawn over it and beside it

    @property
    def took(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.begin


LANE, THICK, THIN = 14.0, 10.0, 3.0


def timeline(spans: Iterable[Span], begin: datetime, end: datetime) -> tuple[list[Mark], int]:
    """Spans on a time axis 1,000 wide, each in the first lane that is free; and how many lanes there are."""
    whole = (end - begin) / timedelta(seconds=1)
    free: list[float] = []
    marks = []

    def place(span: Span) -> tuple[float, float]:
        left = min(
            1000 - THIN, 1000 * ((max(span.begin, begin) - begin) / timedelta(seconds=1)) / whole
        )
        right = 1000 * ((min(span.end, end) - begin) / timedelta(seconds=1)) / whole
        return left, max(THIN, right - left)

    for span in sorted(
        spans, key=lambda one: min((part.begin for part in one.unsure), default=one.begin)
    ):
        parts = [(part, *place(part)) for part in (span, *span.unsure)]
        start = min(left for _part, left, _width in parts)
        lane = next((number for number, until in enumerate(free) if until <= start), len(free))
        lane = lane if span.lane is None else span.lane
        free += [0.0] * (lane + 1 - len(free))
        free[lane] = max(left + width for _part, left, width in parts) + 2
        for part, left, width in parts:
            marks.append(
                Mark(
                    round(left, 1),
                    lane * LANE,
                    round(width, 1),
                    THICK,
                    part.kind,
                    part.href,
                    part.label,
                )
            )
    return marks, len(free)
