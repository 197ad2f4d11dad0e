"""A table somebody brings, or a folder of them, as a source: each row's line is its evidence, and none is dropped."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from connectors.cursors import pages_after
from connectors.fields import address as address_on
from connectors.fields import problem_of
from connectors.protocol import Evidence, Page, Problem
from connectors.reading import CAPS, Caps, lines, text_of
from connectors.tables.telling import ENDING, Telling
from tracer.coverage import Coverage, Kind, State
from tracer.errors import BadRow, FundtrailError, InputError
from tracer.values import Address, Chain, Transfer

_ENDINGS = (".csv", ".csv.gz", ".csv.xz")
Row = Mapping[str, str]
_Key = TypeVar("_Key")


class Form(ABC):
    """How the rows of one file are read: made once for each file, from its columns and what was told about it."""

    kind: Kind
    chain: Chain
    #: Numbers of rows at which the website's download ends, whether or not there is more.
    ends_at: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @abstractmethod
    def read(self, row: Row) -> tuple[Transfer, ...]:
        """The transfers that the row states, () if it moved nothing. Raises `InputError`."""


@dataclass(slots=True)
class _Table:
    """One file, read. `bad`: what is wrong with a line, by its number, and the addresses that it names, if any."""

    name: str
    form: Form
    header: bytes
    raw: dict[int, bytes] = field(default_factory=dict)
    made: dict[int, tuple[Transfer, ...]] = field(default_factory=dict)
    bad: dict[int, tuple[Problem, frozenset[Address]]] = field(default_factory=dict)
    by_address: dict[Address, list[int]] = field(default_factory=dict)
    by_tx: dict[str, list[int]] = field(default_factory=dict)
    rows: int = 0

    def evidence(self, numbers: Sequence[int], source: str, asked: str) -> Evidence:
        """The header and these lines, byte for byte."""
        return Evidence(self.header + b"".join(self.raw[n] for n in numbers), source, f"{asked}, lines of {self.name}")

    def transfers(self, numbers: Sequence[int], cited: str) -> dict[object, Transfer]:
        """The transfers of these lines, each citing its line."""
        found: dict[object, Transfer] = {}
        for number in numbers:
            for one in self.made.get(number, ()):
                found.setdefault(one.id, replace(one, evidence=(f"{cited}#{number}",)))
        return found


class TableFile(ABC):
    """Rows of a file or of all CSV files of a folder, which are read at once: such downloads are short.

    A row that cannot be read is a `Problem` of the addresses it names, or of all where it names none, and their
    coverage is `FAILED`. Otherwise it is `UNSTATED`: no table says that it is all there is; and `CUT` where a file has
    just as many rows as its website gives.
    """

    kind_name = ""

    def __init__(self, where: Path | str, caps: Caps = CAPS) -> None:
        self._where = str(where)
        self._tables = [self._read(path, caps) for path in _files(Path(where), self.kind_name)]

    @property
    def name(self) -> str:
        """`KIND:PATH`, as given."""
        return f"{self.kind_name}:{self._where}"

    @property
    def chains(self) -> frozenset[Chain]:
        """The chains that the files are of."""
        return frozenset(table.form.chain for table in self._tables)

    @property
    def problems(self) -> list[Problem]:
        """What had to be assumed to read the files at all."""
        return [Problem(note, table.name) for table in self._tables for note in table.form.notes]

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """One page for each file that has rows of `address`."""
        pages = self._pages(address)
        yield from pages_after(pages, [page.cursor for page in pages[:-1]], after, self.name)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of `tx` in the files, () if there are none."""
        found: dict[object, Transfer] = {}
        for table in self._tables:
            numbers = table.by_tx.get(tx, [])
            if table.form.chain == chain and numbers:
                cited = table.evidence(numbers, self.name, f"{chain} {tx}").id
                found = {**table.transfers(numbers, cited), **found}
        return tuple(found.values())

    @abstractmethod
    def form_of(self, path: Path, columns: Sequence[str], telling: Telling) -> Form:
        """How a file with these columns is read. Raises `InputError` for one that cannot be."""

    def _pages(self, address: Address) -> list[Page]:
        pages: list[Page] = []
        kinds: set[Kind] = set()
        gaps: list[tuple[State, str]] = []
        for table in self._tables:
            bad = [n for n, (_, named) in table.bad.items() if address in named or not named]
            mine = table.by_address.get(address, [])
            if not mine and not any(address in table.bad[n][1] for n in bad):
                continue
            kinds.add(table.form.kind)
            evidence = table.evidence(sorted({*mine, *bad}), self.name, f"{address.chain} {address}")
            transfers = tuple(table.transfers(mine, evidence.id).values())
            notes = [Problem(note, table.name) for note in table.form.notes]
            problems = (*notes, *(table.bad[n][0] for n in bad))
            pages.append(Page(transfers, table.name, evidence, None, problems))
            if bad:
                gaps.append((State.FAILED, f"{len(bad)} rows of {table.name} cannot be read"))
            if table.rows in table.form.ends_at:
                gaps.append((State.CUT, f"{table.name} has {table.rows:,} rows, at which the website's download ends"))
        if not pages:
            nothing = Coverage(address, State.NOT_RECORDED, frozenset(), self.name, reason="no row touches it")
            return [Page((), "", None, nothing)]
        state = max((state for state, _ in gaps), default=State.UNSTATED)
        reason = "; ".join(why for _, why in gaps) or "a download from a website does not say whether it is all"
        rows = sum(len(page.transfers) for page in pages)
        cited = pages[-1].evidence.id if pages[-1].evidence else ""
        coverage = Coverage(address, state, frozenset(kinds), self.name, cited, rows=rows, reason=reason)
        return [*pages[:-1], replace(pages[-1], cursor="", coverage=coverage)]

    def _read(self, path: Path, caps: Caps) -> _Table:
        rows = lines(path, caps)
        _, header = next(rows, (0, b""))
        if not header.strip():
            raise InputError(f"{path} is empty", "its first line names the columns")
        columns = _cells(text_of(header, f"{path.name}, line 1"))
        table = _Table(path.name, self.form_of(path, columns, Telling.beside(path)), header)
        for number, raw in rows:
            if raw.strip():
                self._take(table, columns, number, raw)
        return table

    def _take(self, table: _Table, columns: Sequence[str], number: int, raw: bytes) -> None:
        """Read one line into the table."""
        table.rows += 1
        table.raw[number] = raw
        where, cells = f"{table.name}, line {number}", []
        try:
            cells = _cells(text_of(raw, where))
            if len(cells) != len(columns):
                told = f"{len(cells)} cells, but {len(columns)} columns"
                raise BadRow(told, "a comma inside a cell needs quotes around it")
            made = table.form.read(_named(columns, cells))
            for one in made:
                self._fits(table, one)
        except FundtrailError as error:
            table.bad[number] = problem_of(error, where), frozenset(_addresses(cells, table.form.chain))
            return
        table.made[number] = made
        for one in made:
            _note(table.by_tx, one.id.tx, number)
            for leg in one.inputs + one.outputs:
                if leg.address is not None:
                    _note(table.by_address, leg.address, number)

    def _fits(self, table: _Table, one: Transfer) -> None:
        """Refuse a row that gives a transfer of an earlier row another content."""
        for number in table.by_tx.get(one.id.tx, ()):
            for known in table.made[number]:
                if known.id == one.id and replace(known, evidence=one.evidence) != one:
                    raise BadRow(
                        f"line {number} states another {one.id.position} of the same transaction",
                        "if they are two movements, the table needs a column that tells them apart: position",
                    )


def _note(index: dict[_Key, list[int]], key: _Key, number: int) -> None:
    numbers = index.setdefault(key, [])
    if numbers[-1:] != [number]:
        numbers.append(number)


def _named(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """The cells by column. Some websites give a column twice; then both must say the same."""
    row: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=True):
        if row.setdefault(column.strip(), cell.strip()) != cell.strip():
            raise BadRow(f"the column {column!r:.60} stands there twice, with two values")
    return row


def _addresses(cells: Sequence[str], chain: Chain) -> Iterator[Address]:
    for cell in cells:
        try:
            yield address_on(cell.strip(), chain)
        except FundtrailError:
            continue


def _files(where: Path, kind: str) -> list[Path]:
    if not where.exists():
        raise InputError(f"there is no file or folder {where}", f"{kind}:PATH names a CSV file or a folder of them")
    if not where.is_dir():
        return [where]
    found = sorted(path for path in where.iterdir() if path.name.endswith(_ENDINGS) and not path.name.endswith(ENDING))
    if not found:
        raise InputError(f"{where} holds no CSV file", f"their names end in {', '.join(_ENDINGS)}")
    return found


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text.rstrip("\r\n")], strict=True), [])
    except csv.Error as error:
        raise BadRow(f"not a CSV row: {error}", "a cell cannot hold a line break here") from None


__all__ = ["Form", "Row", "TableFile"]
