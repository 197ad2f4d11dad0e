"""The sheets of a case as pandas data frames. No kind is guessed: figures are Python integers, the rest text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cases.exporting.contents import Contents
from cases.exporting.reading_back import sheets_of
from cases.exporting.sheets import Sheet

if TYPE_CHECKING:
    import pandas


def frames(contents: Contents) -> dict[str, pandas.DataFrame]:
    """Sheet name -> its rows. Every column is of dtype `object`; None where a figure is not known.

    `frame.attrs["statement"]` says which kind of statement the rows are. Sums of such columns are exact, since Python
    adds the integers; a cast to int64 or float64 would not be, and pandas makes none by itself.
    """
    import pandas

    found = {}
    for sheet in sheets_of(contents):
        columns = {name: pandas.Series(_column(sheet, at), dtype=object) for at, name in enumerate(sheet.columns)}
        found[sheet.name] = pandas.DataFrame(columns, columns=list(sheet.columns), dtype=object)
        found[sheet.name].attrs["statement"] = sheet.statement.value
    return found


def _column(sheet: Sheet, at: int) -> list[int | str | None]:
    texts = [row[at] for row in sheet.rows]
    if sheet.columns[at] not in sheet.numbers:
        return list(texts)
    return [int(text) if text else None for text in texts]
