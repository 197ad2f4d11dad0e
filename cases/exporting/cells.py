r"""Foreign words for a sink that must not obey them: escapes that can be undone, and a guard for cells.

What a screen, a parser or a spreadsheet would obey, hide or reorder becomes a visible escape (`cases.visible`), and a
backslash becomes two, so that `plain` gives back exactly what there was.
"""

from __future__ import annotations

import re

from cases.visible import visible
from tracer.errors import BadRow

#: What a spreadsheet takes for the start of a formula, plain and full-width.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width twins are the point
_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))?")


def escaped(text: str) -> str:
    r"""`text` with nothing in it that acts or hides; no two texts become one.

    >>> print(escaped("a\x1b[2J \\x1b \u202e"))
    a\x1b[2J \\x1b \u202e
    """
    return "\\\\".join(map(visible, text.split("\\")))


def plain(text: str) -> str:
    r"""What `escaped` was given. Raises `BadRow` for an escape that it does not write.

    >>> plain(escaped("a\x1b\\\n")) == "a\x1b\\\n"
    True
    """
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def inert(text: str) -> str:
    r"""`text` as a cell that no spreadsheet runs: escaped, with an apostrophe before what may start a formula.

    A text that begins with an apostrophe gets a second one, so that one can always be taken off again.

    >>> print(inert("=cmd|' /C calc'!A0"), inert(" +1"), inert("Huobi 35"), inert("\t=1"), inert("'x"), sep=", ")
    '=cmd|' /C calc'!A0, ' +1, Huobi 35, '\x09=1, ''x
    """
    return ("'" if text.startswith("'") or text.lstrip(" ").startswith(FORMULA) else "") + escaped(text)


def alive(cell: str) -> str:
    r"""What `inert` was given. Raises `BadRow`.

    >>> alive(inert("=1")), alive(inert("'x")), alive("plain")
    ('=1', "'x", 'plain')
    """
    return plain(cell.removeprefix("'"))


def _character(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if found[0] == "\\\\":
        return "\\"
    if digits is None or int(digits, 16) > 0x10FFFF:
        raise BadRow(f"{found.string!r:.60} has a backslash that is no escape", "a backslash itself is written twice")
    return chr(int(digits, 16))
