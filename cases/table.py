"""Rows as an aligned table where it fits, else as cards. A row's first cell is always whole and on one line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from cases.visible import cells, visible

_GAP = "   "


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], figures: int, width: int | None, *, colour: bool
) -> str:
    """`rows` under `headings`, the last `figures` columns to the right. `width` None: as wide as the content.

    Cells are data, never markup: they are made visible here, so nothing in them moves the cursor or breaks a line.

    >>> print(table(["address", "ETH"], [["0xa", "1.00"], ["0xb", "20.00"]], 1, None, colour=False))
    address     ETH
    ───────────────
    0xa        1.00
    0xb       20.00
    """
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(cells, column)) for column in zip(headings, *shown, strict=True)]
    if width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        return "\n".join(line for row in shown for line in _card(headings, row, width))
    head = _line(headings, widths, figures)
    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return "\n".join(
        [f"\x1b[1m{head}\x1b[0m" if colour else head, rule, *(_line(row, widths, figures) for row in shown)]
    )


def _line(row: Sequence[str], widths: Sequence[int], figures: int) -> str:
    # Not rich.table: it takes milliseconds a row, and a case has thousands of payments.
    first = len(row) - figures
    padded = []
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        room = " " * (width - cells(cell))
        padded.append(room + cell if place >= first else cell + room)
    return _GAP.join(padded).rstrip()


def _card(headings: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """The first cell, then each other one with its heading; as many to a line as fit."""
    lines, line = [row[0]], ""
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        if not cell:
            continue
        piece = f"{heading}: {cell}"
        if line and cells(line) + 3 + cells(piece) + 2 > width:
            lines += wrapped(line, width)
            line = piece
        else:
            line = f"{line}   {piece}" if line else piece
    return lines + (wrapped(line, width) if line else [])


def wrapped(text: str, width: int | None, indent: str = "  ") -> list[str]:
    """`text`, made visible, in lines of at most `width`; no word, so no address, is ever broken.

    >>> wrapped("paid to 0x098b716b8aaf21512996dc57eb0615e2383e2f96", 20)
    ['  paid to', '  0x098b716b8aaf21512996dc57eb0615e2383e2f96']
    """
    return textwrap.wrap(
        visible(text),
        max(20, width or 120),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
