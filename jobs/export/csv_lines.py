"""CSV as all of gesdash writes it: RFC 4180's line ends, UTF-8, nothing that a spreadsheet would run."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# What a spreadsheet takes for the start of a formula, in both widths; it drops blanks in front.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


class _Line:
    """Hands back the text that the writer makes."""

    def write(self, text: str) -> str:
        return text


def csv_lines(
    columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, bom: bool = False
) -> Iterator[str]:
    """The header and a line a row, each with its end. `bom`: a byte order mark, without which Excel takes UTF-8 for something else."""
    names = list(columns)
    writer: Any = csv.DictWriter(_Line(), names)
    yield ("\ufeff" if bom else "") + writer.writeheader()
    for row in rows:
        yield writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    """Nested ones as JSON text; text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value
