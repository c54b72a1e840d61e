"""Line totals of an import: edge and vertex files, apart and together. Schema rows never count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from jobs.diagnosis.verdict import FileCounts, is_data


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums in lines of what is known, None when nothing is; `complete` when every file has all three figures."""

    total: int | None
    failed: int | None
    successful: int | None
    complete: bool


def totals(files: Iterable[FileCounts], kind: str = "all") -> Totals:
    """The sums over the files of one kind (`edge`, `vertex`), or of both (`all`)."""
    rows = [file for file in files if is_data(file) and kind in {"all", file.kind}]
    complete = bool(rows) and all(
        None not in (f.total_lines, f.failed_lines, f.successful_lines) for f in rows
    )
    return Totals(
        total=_sum([file.total_lines for file in rows]),
        failed=_sum([file.failed_lines for file in rows]),
        successful=_sum([file.successful_lines for file in rows]),
        complete=complete,
    )


def loss_rate(of: Totals) -> Decimal | None:
    """Failed over all lines tried, to four places; None unless the total is complete and not empty."""
    tried = (of.failed or 0) + (of.successful or 0)
    if not of.complete or not tried:
        return None
    return (Decimal(of.failed or 0) / tried).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
