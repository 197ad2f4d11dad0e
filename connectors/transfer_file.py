"""The source `file:PATH`: transfers in our own format, for whoever has data and no connector for it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.cursors import pages_after
from connectors.fields import address as address_on
from connectors.fields import problem_of, transaction_in
from connectors.protocol import Evidence, Page, Problem
from connectors.reading import CAPS, Caps, lines, text_of
from connectors.strict_json import parse_json
from connectors.transfer_rows import (
    BURN,
    COLUMNS,
    COVERAGE_COLUMNS,
    COVERAGE_REQUIRED,
    REQUIRED,
    coverage_of,
    places_in,
    transfer_of,
)
from connectors.transfer_writing import ENDINGS
from tracer.coverage import Coverage, CoverageBook, State
from tracer.errors import BadRow, FundtrailError, InputError
from tracer.values import Address, Chain, Transfer


@dataclass(slots=True)
class _Part:
    """One file of the folder. `header` and `columns` are empty for JSON lines."""

    name: str
    header: bytes = b""
    columns: tuple[str, ...] = ()
    lines: dict[int, bytes] = field(default_factory=dict)

    def where(self, number: int) -> str:
        return f"{self.name}, line {number}"

    def row(self, number: int, raw: bytes) -> dict[str, object]:
        """The line as a row. Raises `InputError`."""
        text = text_of(raw, self.where(number)).rstrip("\r\n")
        if self.columns:
            return dict(zip(self.columns, _cells(text, self.columns), strict=True))
        record = parse_json(text, self.where(number))
        if not isinstance(record, dict):
            raise BadRow("not a JSON object")
        return record

    def body(self, numbers: Iterable[int]) -> bytes:
        """The header and these lines, byte for byte: what is kept as evidence, and can be read again as a file."""
        return self.header + b"".join(self.lines[number] for number in numbers)


class TransferFile:
    """Transfers from one file or from a folder (docs/transfer-files.md); a file that cannot be opened raises.

    Rows are read when their address is asked for; only the addresses in them are looked at before. `problems` is what
    was found by then. A row that cannot be read makes the coverage of every address it may concern `FAILED`. `name`
    stands for the place, where that differs between machines.
    """

    def __init__(self, where: Path | str, caps: Caps = CAPS, name: str = "") -> None:
        self._name = name or f"file:{where}"
        self._by_address: dict[Address, dict[str, list[int]]] = {}
        self._by_tx: dict[tuple[Chain, str], dict[str, list[int]]] | None = None
        self._coverage = CoverageBook()
        self._chains: dict[str, Chain] = {}
        self._made: dict[tuple[str, int], Transfer] = {}
        self._lost: list[str] = []  # lines that may concern any address
        self._parts: dict[str, _Part] = {}
        self._statements: dict[str, tuple[bytes, dict[Address, bytes]]] = {}
        self.problems: list[Problem] = []
        for path in _files(Path(where)):
            if path.name.startswith("coverage."):
                self._read_statements(path, caps)
            else:
                self._parts[path.name] = self._read_part(path, caps)

    @property
    def name(self) -> str:
        """`file:PATH` as given."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The chains that rows or coverage records speak of."""
        return frozenset(self._chains.values()) | {answer.address.chain for answer in self._coverage}

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """One page per file that has rows of `address`: one, unless a folder holds CSV and JSON lines."""
        pages = self._pages(address)
        yield from pages_after(pages, [page.cursor for page in pages[:-1]], after, self.name)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transfers of `tx` in the file, () if there are none."""
        if self._by_tx is None:
            self._by_tx = self._index_transactions()
        found: list[Transfer] = []
        for name, numbers in self._by_tx.get((chain, tx), {}).items():
            part = self._parts[name]
            evidence = Evidence(part.body(numbers), self.name, f"{chain} {tx}, lines of {name}")
            transfers, _ = self._read(part, numbers, evidence)  # problems stand on the page of each address
            found += transfers
        return tuple(found)

    def _pages(self, address: Address) -> list[Page]:
        pages: list[Page] = []
        for name, numbers in self._by_address.get(address, {}).items():
            part = self._parts[name]
            evidence = Evidence(part.body(numbers), self.name, f"{address.chain} {address}, lines of {name}")
            transfers, bad = self._read(part, numbers, evidence)
            pages.append(Page(tuple(transfers), name, evidence, None, tuple(bad)))
        if not pages:
            pages.append(Page((), "", self._statement(address), None))
        coverage, problems = self._answer(address, pages)
        pages[-1] = replace(pages[-1], cursor="", coverage=coverage, problems=(*pages[-1].problems, *problems))
        return pages

    def _answer(self, address: Address, pages: list[Page]) -> tuple[Coverage, list[Problem]]:
        """What the file says about `address` as a whole: its own statement, unless rows contradict it."""
        rows = sum(len(page.transfers) for page in pages)
        bad = {problem.where for page in pages for problem in page.problems} | set(self._lost)
        evidence = pages[-1].evidence.id if pages[-1].evidence else ""
        said = self._coverage.of(address)
        problems = []
        if said.state is State.NOT_ASKED:
            said = Coverage(address, State.NOT_RECORDED, frozenset(), self.name, reason="no row of the file touches it")
            if len(self._coverage):
                said = replace(said, reason="it is not among the addresses that the file states as read")
            elif rows or any(page.problems for page in pages):
                reason = "the file does not say whether these rows are all"
                said = replace(said, state=State.UNSTATED, reason=reason)
        elif said.state is State.EMPTY and rows:
            problems.append(Problem(f"coverage says empty, but {rows} rows touch {address}", self.name))
            said = replace(said, state=State.UNSTATED, last=None, reason="stated as empty, but there are rows")
        if self.problems:
            text = f"{len(self.problems)} things in the file cannot be read and may concern this address; the first: "
            problems.append(Problem(text + self.problems[0].text, self.problems[0].where))
        if bad and (rows or said.state is not State.NOT_RECORDED):
            said = replace(said, state=State.FAILED, last=None, reason=f"{len(bad)} rows of the file cannot be read")
        return replace(said, evidence=evidence, rows=rows), problems

    def _statement(self, address: Address) -> Evidence | None:
        """The coverage record itself as evidence, for an address that has no rows."""
        for name, (header, records) in self._statements.items():
            if address in records:
                return Evidence(header + records[address], self.name, f"{address.chain} {address}, lines of {name}")
        return None

    def _read(self, part: _Part, numbers: list[int], evidence: Evidence) -> tuple[list[Transfer], list[Problem]]:
        """The transfers of these lines, citing the evidence that holds them, and what is wrong with the rest."""
        cited = evidence.id
        transfers: list[Transfer] = []
        problems: list[Problem] = []
        for number in numbers:
            try:
                transfer = self._transfer(part, number)
            except FundtrailError as error:
                problems.append(problem_of(error, part.where(number)))
            else:
                transfers.append(replace(transfer, evidence=(f"{cited}#{number}",)))
        return transfers, problems

    def _transfer(self, part: _Part, number: int) -> Transfer:
        key = part.name, number
        if key not in self._made:
            self._made[key] = transfer_of(part.row(number, part.lines[number]), f"{part.name}#{number}")
        return self._made[key]

    def _read_part(self, path: Path, caps: Caps) -> _Part:
        part = _Part(path.name)
        rows = lines(path, caps)
        if ".csv" in path.suffixes:
            part.header, part.columns = _header(rows, path, COLUMNS, REQUIRED)
        empty = True
        for number, raw in rows:
            empty = False
            if not raw.strip():
                continue
            try:
                self._index(part, number, raw)
            except FundtrailError as error:
                self._lose(error, part.where(number))
        if empty and not part.columns:
            raise InputError(f"{path} is empty", "a transfer file has at least one line: docs/transfer-files.md")
        return part

    def _index(self, part: _Part, number: int, raw: bytes) -> None:
        """Note which addresses the line concerns. Raises where not even that can be told."""
        row = part.row(number, raw)
        if "coverage" in row and not part.columns:
            return self._keep_statement(row["coverage"], part.name, b"", raw)
        written = row.get("chain")
        chain = self._chains.get(written) if isinstance(written, str) else None
        if chain is None:
            if not isinstance(written, str):
                raise BadRow("chain is missing or not text")
            chain = self._chains[written] = Chain.named(written)
        places: Iterable[object] = places_in(row) if not part.columns else (row["from"], row["to"])
        part.lines[number] = raw
        concerned = False
        for place in places:
            if not place or place == BURN:
                continue
            concerned = True
            try:
                numbers = self._by_address.setdefault(address_on(str(place), chain), {}).setdefault(part.name, [])
            except FundtrailError as error:
                self._lose(error, part.where(number))
                continue
            if numbers[-1:] != [number]:
                numbers.append(number)
        if not concerned:
            raise BadRow("the row names no address", "give `from` or `to`")
        return None

    def _read_statements(self, path: Path, caps: Caps) -> None:
        rows = lines(path, caps)
        part = _Part(path.name)
        part.header, part.columns = _header(rows, path, COVERAGE_COLUMNS, COVERAGE_REQUIRED)
        for number, raw in rows:
            if raw.strip():
                try:
                    self._keep_statement(part.row(number, raw), part.name, part.header, raw)
                except FundtrailError as error:
                    self.problems.append(problem_of(error, part.where(number)))

    def _keep_statement(self, record: object, name: str, header: bytes, raw: bytes) -> None:
        if not isinstance(record, dict):
            raise BadRow("coverage is not a JSON object")
        answer = coverage_of(record, self.name, "")
        self._coverage.add(answer)
        records = self._statements.setdefault(name, (header, {}))[1]
        records[answer.address] = records.get(answer.address, b"") + raw

    def _index_transactions(self) -> dict[tuple[Chain, str], dict[str, list[int]]]:
        found: dict[tuple[Chain, str], dict[str, list[int]]] = {}
        for part in self._parts.values():
            for number, raw in part.lines.items():
                row = part.row(number, raw)
                chain = self._chains[str(row["chain"])]
                try:
                    tx = transaction_in(row, "tx", chain)
                except InputError:
                    continue  # a `Problem` on the page of each address the row touches
                found.setdefault((chain, tx), {}).setdefault(part.name, []).append(number)
        return found

    def _lose(self, error: FundtrailError, where: str) -> None:
        self._lost.append(where)
        self.problems.append(problem_of(error, where))


def _files(where: Path) -> list[Path]:
    """The files to read: the one named, or those of a folder that have our names."""
    if not where.exists():
        raise InputError(f"there is no file or folder {where}", "file:PATH names a transfer file or a folder with one")
    if not where.is_dir():
        if not {".csv", ".jsonl"} & set(where.suffixes):
            raise InputError(
                f"{where} is neither .csv nor .jsonl", "the ending tells the format: docs/transfer-files.md"
            )
        return [where]
    found = []
    for stem in ("transfers.csv", "transfers.jsonl", "coverage.csv"):
        same = [where / (stem + ending) for ending in ENDINGS if (where / (stem + ending)).exists()]
        if len(same) > 1:
            raise InputError(f"{where} holds {same[0].name} and {same[1].name}", "remove one: they would be read twice")
        found += same
    if not any(path.name.startswith("transfers.") for path in found):
        raise InputError(f"{where} holds no transfers.csv and no transfers.jsonl", "the format: docs/transfer-files.md")
    return found


def _header(
    rows: Iterator[tuple[int, bytes]], path: Path, known: Sequence[str], required: Sequence[str]
) -> tuple[bytes, tuple[str, ...]]:
    _, raw = next(rows, (0, b""))
    if not raw:
        raise InputError(f"{path} is empty", f"its first line names the columns: {','.join(known)}")
    columns = tuple(_cells(text_of(raw, f"{path.name}, line 1").rstrip("\r\n")))
    unknown, missing = [c for c in columns if c not in known], [c for c in required if c not in columns]
    if unknown or missing or len(set(columns)) != len(columns):
        wrong = (
            f"no column is named {unknown[0]!r:.60}"
            if unknown
            else f"no column {missing[0]}"
            if missing
            else "a column twice"
        )
        raise BadRow(f"{path.name}, line 1: {wrong}", f"the columns are {','.join(known)}")
    return raw, columns


def _cells(text: str, columns: Sequence[str] = ()) -> list[str]:
    try:
        cells = next(csv.reader([text], strict=True), []) if '"' in text else text.split(",")
    except csv.Error as error:
        raise BadRow(f"not a CSV row: {error}", "a cell cannot hold a line break here") from None
    if columns and len(cells) != len(columns):
        raise BadRow(f"{len(cells)} cells, but {len(columns)} columns", "a comma inside a cell needs quotes around it")
    return cells
