"""Texts from outside in a form that every graph store can keep and index, and back without a loss."""

from __future__ import annotations

import hashlib
import re

# Written out, not asked of `unicodedata`: a key must be the same on every version of Python. These cannot be stored
# (lone surrogates, NUL in places), end lines or fields, or change how the text around them is read.
_ACTS = (
    "\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
)
_UNSAFE = re.compile(f"[{_ACTS}]")
_ESCAPED = re.compile(r"\\(?:\\|u([0-9a-f]{4}))")
LONGEST_KEY = 1_000  # characters; an index of Neo4j takes entries of about 8,000 bytes and refuses the transaction else


def escaped(text: str) -> str:
    r"""`text` with what acts or cannot be stored as `\uXXXX`, and `\` doubled.

    >>> escaped("a\x00b"), escaped("C:\\x"), escaped("HTX 35")
    ('a\\u0000b', 'C:\\\\x', 'HTX 35')
    """
    if text.isascii() and text.isprintable() and "\\" not in text:  # nearly always, and asked millions of times
        return text
    return _UNSAFE.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", text)


def unescaped(text: str) -> str:
    r"""Back from `escaped`.

    >>> unescaped(escaped("\ud800 \\u0041 \u202e")) == "\ud800 \\u0041 \u202e"
    True
    """
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", text)


def key(text: str) -> str:
    """`escaped`, and so short that it can be indexed: a longer one ends in its own hash.

    >>> key("ethereum:0x1"), len(key("x" * 40_000))
    ('ethereum:0x1', 265)
    """
    safe = escaped(text)
    if len(safe) <= LONGEST_KEY:
        return safe
    return f"{safe[:200]}#{hashlib.sha256(safe.encode()).hexdigest()}"
