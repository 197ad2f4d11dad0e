"""An export as one XLSX workbook: a sheet for each kind of row, every cell a text, no formula, no link, no clock."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from cases.exporting.cells import escaped
from cases.exporting.contents import Contents
from cases.exporting.reading_back import FORMAT, sheets_of

MOST_CHARACTERS = 32_767  # of a cell; what is longer a spreadsheet drops, or refuses the file
MOST_ROWS = 1_048_576
MARK = "… (cut here; the csv and jsonl exports have it whole)"
_MADE = datetime(2009, 1, 3, tzinfo=UTC)  # a fixed time: the file would differ with the time of day otherwise


def write(contents: Contents) -> bytes:
    """The workbook. The first sheet says of each other one which kind of statement it holds."""
    import xlsxwriter

    sheets = sheets_of(contents)
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": FORMAT, "author": "", "comments": "", "created": _MADE})
    # quote_prefix: a cell that is edited and left again stays a text, even if it begins with "="
    cell = book.add_format({"num_format": "@", "quote_prefix": True})
    head = book.add_format({"num_format": "@", "bold": True})
    index = ("sheet", "statement", "rows", "of which here")
    rows = [
        (one.name, one.statement.value, str(len(one.rows)), str(min(len(one.rows), MOST_ROWS - 1))) for one in sheets
    ]
    _fill(book.add_worksheet("contents"), index, rows, head, cell)
    for sheet in sheets:
        _fill(book.add_worksheet(sheet.name), sheet.columns, sheet.rows, head, cell)
    book.close()
    return out.getvalue()


def _fill(page: object, columns: tuple[str, ...], rows: object, head: object, cell: object) -> None:
    page.freeze_panes(1, 0)  # type: ignore[attr-defined]
    page.set_column(0, len(columns) - 1, 24)  # type: ignore[attr-defined]
    for at, name in enumerate(columns):
        page.write_string(0, at, name, head)  # type: ignore[attr-defined]
    for number, row in enumerate(rows[: MOST_ROWS - 1], start=1):  # type: ignore[index]
        for at, value in enumerate(row):
            page.write_string(number, at, shortened(escaped(value)), cell)  # type: ignore[attr-defined]


def shortened(text: str) -> str:
    """`text` as long as a cell can be, with a mark where it was cut. A cell counts in halves of UTF-16."""
    if len(text) * 2 <= MOST_CHARACTERS:
        return text
    halves = text.encode("utf-16-le")
    if len(halves) <= 2 * MOST_CHARACTERS:
        return text
    return halves[: 2 * (MOST_CHARACTERS - len(MARK))].decode("utf-16-le", "ignore") + MARK
