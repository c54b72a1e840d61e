"""Positions of the marks of a chart. Pure.

Units: a bar chart is 100 high and 10 wide a bar; a timeline is 1,000 wide. SVG scales both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

STEP = 10.0  # width of a bar with the space around it
HEIGHT = 100.0
MIN_HEIGHT = 2.0  # of a bar that is not zero, so that it can be seen
TOWERS_OVER = 20  # times the middle bar: a higher one is cut, so that the others can be seen

TIMELINE_WIDTH = 1000.0
LANE_HEIGHT = 14.0
MARK_HEIGHT = 10.0
MIN_WIDTH = 3.0
LANE_SPACE = 2.0  # between two marks of one lane


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle that links to the list it counts."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class BarPart:
    """A share of one stacked bar."""

    value: int
    kind: str
    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted, for a timeline.

    `lane`: its lane, else the first that is free. `unsure`: the times in which a change of it may
    have come, drawn over it and beside it.
    """

    begin: datetime
    end: datetime
    kind: str
    href: str
    label: str
    lane: int | None = None
    unsure: "tuple[Span, ...]" = ()

    @property
    def took(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.begin


def bars(columns: Sequence[Sequence[BarPart]], *, hanging: bool = False) -> tuple[list[Mark], int]:
    """Stacked bars, one a column, and the value that stands at the full height.

    A bar that towers over all others is drawn at the full height, and its parts' kinds get "cut".
    """
    sums = [sum(part.value for part in column) for column in columns]
    scale = _scale([value for value in sums if value > 0])
    marks: list[Mark] = []
    for number, (column, whole) in enumerate(zip(columns, sums, strict=True)):
        marks += _bar(number, column, whole, scale, hanging=hanging)
    return marks, scale


def _bar(
    number: int, column: Sequence[BarPart], whole: int, scale: int, *, hanging: bool
) -> Iterable[Mark]:
    parts = [part for part in column if part.value > 0]
    heights = _heights([part.value for part in parts], max(scale, whole))
    level = 0.0
    for part, height in zip(parts, heights, strict=True):
        y = level if hanging else HEIGHT - level - height
        yield Mark(
            x=number * STEP + 1,
            y=round(y, 2),
            width=STEP - 2,
            height=round(height, 2),
            kind=f"{part.kind} cut" if whole > scale else part.kind,
            href=part.href,
            label=part.label,
        )
        level += height


def _heights(values: Sequence[int], scale: int) -> list[float]:
    """In proportion, but at least MIN_HEIGHT; where that is too high in all, the others shrink."""
    heights = [max(MIN_HEIGHT, HEIGHT * float(Decimal(value) / scale)) for value in values]
    excess = sum(heights) - HEIGHT
    if excess <= 0:
        return heights
    spare = sum(height - MIN_HEIGHT for height in heights)
    return [height - excess * (height - MIN_HEIGHT) / spare for height in heights]


def _scale(sums: Sequence[int]) -> int:
    """The largest sum that does not tower over the others."""
    if not sums:
        return 0
    middle = sorted(sums)[len(sums) // 2]
    return max(value for value in sums if value <= TOWERS_OVER * middle)


def timeline(spans: Iterable[Span], begin: datetime, end: datetime) -> tuple[list[Mark], int]:
    """Spans from begin to end, each in the first free lane, and the number of lanes."""
    free_from: list[float] = []  # by lane, the x at which it is free again
    marks = []
    for span in sorted(spans, key=_first_begin):
        parts = [(part, *_extent(part, begin, end)) for part in (span, *span.unsure)]
        left_edge = min(left for _part, left, _width in parts)
        right_edge = max(left + width for _part, left, width in parts)
        lane = _lane(span, left_edge, free_from)
        free_from += [0.0] * (lane + 1 - len(free_from))
        free_from[lane] = right_edge + LANE_SPACE
        marks += [_mark(part, lane, left, width) for part, left, width in parts]
    return marks, len(free_from)


def _first_begin(span: Span) -> datetime:
    return min((part.begin for part in span.unsure), default=span.begin)


def _extent(span: Span, begin: datetime, end: datetime) -> tuple[float, float]:
    """Left edge and width of a span, cut to the axis."""
    left = TIMELINE_WIDTH * ((max(span.begin, begin) - begin) / (end - begin))
    right = TIMELINE_WIDTH * ((min(span.end, end) - begin) / (end - begin))
    left = min(TIMELINE_WIDTH - MIN_WIDTH, left)
    return left, max(MIN_WIDTH, right - left)


def _lane(span: Span, left_edge: float, free_from: Sequence[float]) -> int:
    if span.lane is not None:
        return span.lane
    free = (lane for lane, free_at in enumerate(free_from) if free_at <= left_edge)
    return next(free, len(free_from))


def _mark(span: Span, lane: int, left: float, width: float) -> Mark:
    return Mark(
        x=round(left, 1),
        y=lane * LANE_HEIGHT,
        width=round(width, 1),
        height=MARK_HEIGHT,
        kind=span.kind,
        href=span.href,
        label=span.label,
    )
