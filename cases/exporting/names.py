"""File names that are safe on every system, made of what a case is called."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{kind}{n}" for kind in ("com", "lpt") for n in range(10)
}
_MOST = 80


def safe_name(text: str) -> str:
    """`text` as the beginning of a file name: no folder, no device, nothing hidden, nothing a shell would read.

    >>> safe_name("../../etc/passwd"), safe_name("CON"), safe_name("mine 2024. "), safe_name("火")
    ('etc-passwd', 'case-CON', 'mine-2024', 'case')
    """
    kept = _PLAIN.sub("-", text)[:_MOST].strip("-._")
    if kept.partition(".")[0].lower() in _DEVICES:
        kept = f"case-{kept}"
    return kept or "case"
