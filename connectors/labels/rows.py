"""What every label format speaks: the document it reads, and per row a claim, a refusal or a chain we do not carry."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from tracer.errors import BadRow, InputError
from tracer.labels import Role
from tracer.values import Chain

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # fromisoformat alone also takes 20240131 and 2024-W05-3


@dataclass(frozen=True, slots=True)
class Document:
    """A label file's text and what the caller said about it. `chain`, `source` and `seen` fill what it leaves open."""

    name: str
    folder: str
    text: str
    source: str = ""
    chain: Chain | None = None
    seen: date | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """The cells of the first line, read as CSV; () if that fails."""
        line, _, _ = self.text.partition("\n")
        try:
            return tuple(next(csv.reader([line.rstrip("\r")], strict=True), ()))
        except csv.Error:
            return ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What one row says, its address not yet checked. It holds on each of `chains`, which are of one family."""

    row: int
    address: str
    chains: tuple[Chain, ...]
    entity: str
    name: str
    roles: tuple[Role, ...]
    source: str
    seen: date | None
    confidence: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be read, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row about a chain we do not carry."""

    row: int
    reason: str


Outcome = Claim | Rejected | Skipped
Read = Callable[[int, dict[str, str]], Outcome]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of label file. `unit` is what a row of it is called.

    `fits` looks at the document and never raises; None where only the user can tell. `read` gives one outcome a row
    and raises `InputError` where the file as a whole cannot be read.
    """

    name: str
    unit: str
    fits: Callable[[Document], bool] | None
    read: Callable[[Document], Iterator[Outcome]]


def table(document: Document, needed: Iterable[str], read: Read) -> Iterator[Outcome]:
    """The rows of a CSV file with a header, each given to `read` by column name. Row 1 is the header.

    A `BadRow` that `read` raises is that row's refusal. Blank lines say nothing and are no rows.
    """
    # newline="" leaves line ends inside quotes as they are; strict refuses a file that ends inside a quote
    rows = csv.reader(io.StringIO(document.text, newline=""), strict=True)
    try:
        columns = next(rows, [])
        if missing := sorted(set(needed) - set(columns)):
            raise InputError(f"{document.name} has no column {missing[0]!r}", "the first line names the columns")
        if len(set(columns)) != len(columns):
            raise InputError(f"{document.name} names a column twice", "give every column its own name")
        for row, cells in enumerate(rows, 2):
            if not cells:
                continue
            if len(cells) != len(columns):
                yield Rejected(row, f"it has {len(cells)} cells, the header {len(columns)}")
                continue
            try:
                yield read(row, dict(zip(columns, cells, strict=True)))
            except BadRow as error:
                yield Rejected(row, str(error))
    except csv.Error as error:
        raise InputError(
            f"{document.name}, line {rows.line_num}, is not CSV: {error}", "the file may be cut short; copy it again"
        ) from None


def day(text: str) -> date | None:
    """The day, or None for an empty text. Raises `BadRow`.

    >>> day("2024-01-31")
    datetime.date(2024, 1, 31)
    """
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 31st of February
    raise BadRow(f"{text!r:.60} is not a day; write it as 2024-01-31")


def told_by_form(text: str) -> Chain | None:
    """The chain of a USDT or USDC address, which is on whichever of its chains the address has the form of.

    >>> told_by_form("TLM3zA3EWycoDX4ZX4gKze7sgfbdkntTum")
    Chain(name='tron', family=<Family.TRON: 'tron'>, symbol='TRX', decimals=6)
    """
    for start, chain in (("0x", "ethereum"), ("T", "tron"), ("1", "bitcoin"), ("3", "bitcoin"), ("bc1", "bitcoin")):
        if text.startswith(start):
            return Chain.named(chain)
    return None
