"""Line totals of an import: edge and vertex files, apart and together. Schema rows never count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from jobs.diagnosis.verdict import FileCounts, is_data


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of the known line counts, None where none is known.

    `complete`: every file has all three counts.
    """

    total: int | None
    failed: int | None
    successful: int | None
    complete: bool


def totals(files: Iterable[FileCounts], kind: str = "all") -> Totals:
    """The sums over the files of one kind (`edge`, `vertex`), or of both (`all`)."""
    rows = [file for file in files if is_data(file) and kind in {"all", file.kind}]
    complete = bool(rows) and all(
        None not in (file.total_lines, file.failed_lines, file.successful_lines) for file in rows
    )
    return Totals(
        total=_sum([file.total_lines for file in rows]),
        failed=_sum([file.failed_lines for file in rows]),
        successful=_sum([file.successful_lines for file in rows]),
        complete=complete,
    )


def loss_rate(sums: Totals) -> Decimal | None:
    """Failed over all lines tried, to four places; None unless complete and not empty."""
    tried = (sums.failed or 0) + (sums.successful or 0)
    if not sums.complete or not tried:
        return None
    return (Decimal(sums.failed or 0) / tried).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _sum(values: Sequence[int | None]) -> int | None:
    counts = [value for value in values if value is not None]
    return sum(counts) if counts else None
