"""Hostile text made safe to look at: what a screen would obey, hide or reorder is shown as an escape instead."""

from __future__ import annotations

import unicodedata

# By general category: controls, format characters (bidi, zero width), surrogates, private use, unassigned, every line,
# paragraph or other separator but the plain space, and enclosing marks, which draw over their neighbours.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Me"})

# Default-ignorable characters of other categories (Unicode, DerivedCoreProperties), and the blank braille cell.
_HIDDEN_RANGES = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0000, 0xE0FFF),
)
_MOST_MARKS = 2  # marks on one letter; more pile up over the lines around it
ELLIPSIS = "…"


def visible(text: str, width: int | None = None) -> str:
    r"""`text` as it can be shown, at most `width` terminal cells wide, an ellipsis telling that it was cut.

    Printable ASCII is unchanged, and so is a text that is visible already. Nothing is left out silently.

    >>> visible("Huobi\x1b[2J \u202e35")
    'Huobi\\x1b[2J \\u202e35'
    >>> visible("Tornado.Cash: Router", 12)
    'Tornado.Cas…'
    """
    plain = text.isascii() and text.isprintable()
    if plain and width is None:
        return text
    pieces = list(text) if plain else _pieces(text)
    whole = "".join(pieces)
    return whole if width is None else _cut(pieces, whole, width)


def cells(text: str) -> int:
    """How many terminal cells `text` takes: two for an ideograph, none for a mark."""
    from rich.cells import cell_len

    return len(text) if text.isascii() else sum(cell_len(char) for char in text)


def _pieces(text: str) -> list[str]:
    """One piece per character, so that a cut never falls inside an escape."""
    pieces, marks = [], _MOST_MARKS  # as if marked already: a mark at the start has no letter of its own
    for char in text:
        category = unicodedata.category(char)
        mark = category in ("Mn", "Mc")
        hidden = (char != " " and category in _HIDDEN_CATEGORIES) or _in_hidden_range(char)
        if hidden or (mark and marks >= _MOST_MARKS):
            pieces.append(_escape(char))
            marks = _MOST_MARKS
        else:
            pieces.append(char)
            marks = marks + 1 if mark else 0
    return pieces


def _in_hidden_range(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _HIDDEN_RANGES)


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cut(pieces: list[str], whole: str, width: int) -> str:
    if width < 1:
        raise ValueError(f"a width of {width} shows nothing")
    if cells(whole) <= width:
        return whole
    kept, left = [], width - 1
    for piece in pieces:
        left -= cells(piece)
        if left < 0:
            break
        kept.append(piece)
    return "".join(kept) + ELLIPSIS
