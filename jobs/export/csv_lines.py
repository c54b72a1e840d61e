"""CSV as RFC 4180 has it: its line ends, UTF-8, and nothing that a spreadsheet would run."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# A spreadsheet takes these for the start of a formula, in both widths, after any blanks.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


class _Line:
    """A file whose `write` returns the text to the caller of the writer."""

    def write(self, text: str) -> str:
        return text


def csv_lines(
    columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, bom: bool = False
) -> Iterator[str]:
    """The header and a line for each row, with their ends.

    `bom`: begin with a byte order mark, without which Excel does not read UTF-8.
    """
    names = list(columns)
    writer: Any = csv.DictWriter(_Line(), names)
    yield ("\ufeff" if bom else "") + writer.writeheader()
    for row in rows:
        yield writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    """Nested values as JSON; a quote in front of text that a spreadsheet would run as a formula."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value
