"""Our own label file: CSV with one line a label, safe to open in a spreadsheet, written and read without loss."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.labels.rows import Claim, Document, Format, Outcome, day, table
from tracer.errors import BadRow, InputError, UnknownName
from tracer.labels import Label, Role
from tracer.values import CHAINS

COLUMNS = ("chain", "address", "entity", "name", "role", "source", "seen", "confidence", "note")
REPORTED = 50  # the confidence of a row that leaves it open

# Invisible characters (controls, line ends, bidirectional marks, lone surrogates) are spelt out, so that a file is
# valid UTF-8, a label stays on its line, and nobody is shown another name than the one that is there.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_ESCAPE = re.compile(r"\\(?:\\|u\{([0-9a-f]{1,6})\})")
# A spreadsheet runs a cell that begins like these; an apostrophe in front makes it text.
_FORMULA = re.compile("'*[=+@＝＋－＠-]")  # noqa: RUF001 - the wide ones are meant
_GUARDED = re.compile("'+[=+@＝＋－＠-]")  # noqa: RUF001


def write_labels(labels: Iterable[Label], path: Path) -> int:
    """Write labels to `path` in the order given and return how many; a name ending in .gz or .xz is compressed.

    The same labels give the same bytes, and `read_labels` gives back all but `evidence`, which becomes this file.
    The file appears whole or not at all. Raises `InputError`.
    """
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for label in labels:
        count += 1
        writer.writerow((
            label.address.chain.name, label.address.text, guarded(label.entity), guarded(label.name), label.role.value,
            guarded(label.source), label.seen or "", label.confidence, guarded(label.note),
        ))  # fmt: skip
    body = page.getvalue().encode()
    if path.suffix == ".gz":
        body = gzip.compress(body, mtime=0)  # no time inside: the same labels, the same bytes
    elif path.suffix == ".xz":
        body = lzma.compress(body)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(body)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}", "check the folder and your rights") from None
    return count


def guarded(text: str) -> str:
    r"""Foreign words as a cell of our file: nothing invisible, nothing a spreadsheet would run.

    >>> print(guarded("=cmd()\n"))
    '=cmd()\u{a}
    """
    escaped = "".join(
        f"\\u{{{ord(letter):x}}}" if unicodedata.category(letter) in _INVISIBLE else letter
        for letter in text.replace("\\", "\\\\")
    )
    return "'" + escaped if _FORMULA.match(escaped) else escaped


def unguarded(cell: str) -> str:
    r"""What `guarded` was given. Raises `BadRow` for an escape that no character has.

    >>> unguarded("'=cmd()\\u{a}")
    '=cmd()\n'
    """
    if _GUARDED.match(cell):
        cell = cell[1:]
    try:
        return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else "\\", cell)
    except ValueError:
        raise BadRow(f"{cell!r:.60} names a character that does not exist") from None


def _fits(document: Document) -> bool:
    return {"address", "role"} <= set(document.header)


def _read(document: Document) -> Iterator[Outcome]:
    # A misspelt column would otherwise be a value silently left out.
    if unknown := [column for column in document.header if column not in COLUMNS]:
        raise InputError(f"{document.name} has a column {unknown[0]!r:.60}", f"columns are {', '.join(COLUMNS)}")

    def read(row: int, cells: dict[str, str]) -> Outcome:
        try:
            role = Role(cells["role"])
        except ValueError:
            raise BadRow(f"no role named {cells['role']!r:.60}; roles are {', '.join(Role)}") from None
        chain = CHAINS.get(cells.get("chain", ""), None if cells.get("chain") else document.chain)
        if chain is None:
            raise BadRow(str(UnknownName.among("chain", cells.get("chain", "")[:60], CHAINS)))
        confidence = cells.get("confidence") or str(REPORTED)
        if not (confidence.isascii() and confidence.isdecimal() and len(confidence) <= 3):
            raise BadRow(f"confidence is {confidence!r:.60}, not a whole number from 0 to 100")
        return Claim(
            row, cells["address"], (chain,), unguarded(cells.get("entity", "")), unguarded(cells.get("name", "")),
            (role,), unguarded(cells.get("source", "")) or document.source, day(cells.get("seen", "")) or document.seen,
            int(confidence), unguarded(cells.get("note", "")),
        )  # fmt: skip

    return table(document, ("address", "role"), read)


FORMAT = Format("fundtrail-labels", "row", _fits, _read)
