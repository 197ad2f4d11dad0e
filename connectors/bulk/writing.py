"""The state of a folder while an ingest adds to it, and the commit that makes it true."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from connectors.bulk import events
from connectors.bulk.folder import EVENT_BYTES, Manifest, Source, StoredFile, save, sealed, tidy
from connectors.bulk.ordering import ordered
from connectors.bulk.storing import Records, Tables, put, written
from tracer.errors import InputError
from tracer.values import MAX_UNITS, Chain, TransferId

_LARGE = 40  # bytes of a record in `large`
_STRETCHES = 6  # of events; one more, and all are made into one: each costs a reader two pages


@dataclass(slots=True)
class Tally:
    """What became of the rows of one file, since the last commit and before."""

    read: int = 0
    added: int = 0
    repeated: int = 0
    rejected: int = 0
    contradictions: int = 0


@dataclass(slots=True)
class Writing:
    """A ledger folder being added to. Nothing of it is true before `commit`."""

    folder: Path
    manifest: Manifest
    rows: Records = field(init=False)
    legs: Records | None = field(init=False)
    txs: Records = field(init=False)
    holdings: Records = field(init=False)
    texts: Records = field(init=False)
    text_ends: Records = field(init=False)
    text_keys: Records = field(init=False)
    tables: Tables = field(init=False)
    owners: NDArray[np.uint32] = field(init=False)
    positions: list[str] = field(init=False)
    position_numbers: dict[str, int] = field(init=False)
    asset_numbers: dict[str, int] = field(init=False)
    odd: dict[str, str] = field(init=False)
    overwritten: dict[tuple[str, int], int] = field(init=False)
    large: dict[int, int] = field(init=False)
    repeats: list[NDArray[np.uint64]] = field(default_factory=list)
    refused: BinaryIO = field(init=False)
    reordered: bool = False

    def __post_init__(self) -> None:
        self._open()

    @property
    def chain(self) -> Chain:
        """The folder's chain."""
        return self.manifest.on

    def position(self, text: str) -> int:
        """The number of a position, -1 for a text that is none."""
        number = self.position_numbers.get(text)
        if number is None:
            try:
                _ = TransferId(self.chain, "", text).place
            except InputError:
                return -1
            number = self.position_numbers[text] = len(self.positions)
            self.positions.append(text)
        return number

    def asset(self, contract: str) -> int:
        """The number of an asset."""
        number = self.asset_numbers.setdefault(contract, len(self.asset_numbers))
        if number >= 1 << 24:
            raise InputError("more than 16 million different assets", "split the extract by contract")
        return number

    def refuse(self, source: int, file: str, kind: str, row: int, why: str) -> None:
        """List a row that is not taken: `kind` is "rejected" or "contradiction"."""
        line = {"source": source, "file": file, "row": row, "kind": kind, "why": why}
        self.refused.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def note_large(self, row: int, units: int) -> None:
        """Keep an amount of 2**128 and above; `row` is the row's number, of a leg the leg's."""
        if not 1 << 128 <= units <= MAX_UNITS:
            raise InputError(
                f"an amount of {units} in the overflow table", "this is a defect in the reader of the format"
            )
        self.large[row] = units

    def thawed(self, records: Records) -> NDArray[Any]:
        """The records, in a copy that may change."""
        records.thaw(self.manifest.generation + 1)
        self.reordered = True
        return records.used

    def add_texts(self, texts: Iterable[str]) -> None:
        """Append addresses written as text."""
        raw = [text.encode() for text in texts]
        if raw:
            ends = np.cumsum([len(one) for one in raw]).astype(np.uint64) + np.uint64(self.texts.count)
            self.texts.add(np.frombuffer(b"".join(raw), np.uint8).reshape(-1, 1))
            self.text_ends.add(ends.reshape(-1, 1))

    def commit(self, sources: tuple[Source, ...], assets: Mapping[str, tuple[str, int]], whole: bool) -> Manifest:
        """Write the index, flush everything, and put the new manifest in the old one's place."""
        generation = self.manifest.generation + 1
        changed = self.reordered or self.rows.count != self.rows.sealed or not self.manifest.files
        files = {name: stored for name, stored in self.manifest.files.items() if not name.startswith("by_")}
        self.refused.flush()
        size = self.refused.tell()
        files["rejected"] = sealed(self.folder, "rejected.jsonl", size, files.get("rejected"))
        files["repeats"] = self._store_repeats(generation)
        before = {"by_tx": self.txs.sealed, "by_row": self.rows.sealed, "by_text": self.text_keys.sealed}
        before |= dict.fromkeys(("by_holding", "by_address"), self.holdings.sealed)
        with ThreadPoolExecutor(2) as threads:  # what changes no more goes to the disk while the index is made
            records = {one.name: threads.submit(one.seal) for one in self._records()}
            tables = threads.submit(
                self.tables.store,
                lambda name, column: written(self.folder, name, generation, column),
                {} if self.reordered else before,
            )
            facts = self._index(generation, files) if changed else {}
            files |= tables.result() | {name: one.result() for name, one in records.items()}
        if self.manifest.coins:
            files["owners"] = written(self.folder, "owners", generation, self.owners[: self.holdings.count])
        self.manifest = replace(
            self.manifest, generation=generation, transfers=self.rows.count, transactions=self.txs.count,
            holdings=self.holdings.count, addresses=self.text_ends.count, legs=self.legs.count if self.legs else 0,
            whole=whole, assets=self._assets(assets), positions=tuple(self.positions), sources=sources, odd=self.odd,
            overwritten=tuple((tx, key, block) for (key, block), tx in self.overwritten.items()), files=files, **facts,
        )  # fmt: skip
        save(self.folder, self.manifest)
        self.close()
        tidy(self.folder, self.manifest)
        self._open()
        return self.manifest

    def close(self) -> None:
        """Let go of what is open; what was not committed is lost."""
        self.refused.close()
        for records in self._records():
            records.close()

    def _records(self) -> list[Records]:
        all_of_them = (self.rows, self.legs, self.txs, self.holdings, self.texts, self.text_ends, self.text_keys)
        return [records for records in all_of_them if records is not None]

    def forget(self) -> None:
        """Let go of the memory in which the bigger files are mapped; what is needed of them comes back."""
        for records in (self.rows, self.txs, self.legs):
            if records is not None:
                records.forget()

    def _open(self) -> None:
        manifest, files = self.manifest, self.manifest.files

        def records(name: str, words: int, kind: type[np.generic]) -> Records:
            return Records(self.folder, name, words, kind, files.get(name))

        self.rows = records("rows", 4 if manifest.coins else 5, np.uint64)
        self.legs = records("legs", 3, np.uint64) if manifest.coins else None
        self.txs = records("txs", 12, np.uint32)
        self.holdings = records("holdings", manifest.holding_words, np.uint32)
        self.texts = records("texts", 1, np.uint8)
        self.text_ends = records("text_ends", 1, np.uint64)
        self.text_keys = records("text_keys", 10, np.uint32)
        self.tables = Tables(self.folder, manifest, self.holdings)
        owners = files.get("owners")
        self.owners = np.fromfile(self.folder / owners.file, np.uint32) if owners else np.empty(0, np.uint32)
        self.positions = list(manifest.positions)
        self.position_numbers = {text: number for number, text in enumerate(self.positions)}
        self.asset_numbers = {contract: number for number, (contract, _, _) in enumerate(manifest.assets)}
        self.odd = dict(manifest.odd)
        self.overwritten = {(key, block): tx for tx, key, block in manifest.overwritten}
        self.large = dict(large_in(self.folder, files))
        self.repeats = []
        self.refused = (self.folder / "rejected.jsonl").open("ab")
        self.reordered = False

    def _assets(self, told: Mapping[str, tuple[str, int]]) -> tuple[tuple[str, str, int], ...]:
        """By number; of several reports of one asset the same one stands as in a ledger in memory."""
        known = {contract: (symbol, decimals) for contract, symbol, decimals in self.manifest.assets}
        found = []
        for contract in self.asset_numbers:
            reports = [one for one in (known.get(contract), told.get(contract)) if one]
            found.append((contract, *max(reports, default=("", 0))))
        coin = self.chain.coin
        return (("", coin.symbol, coin.decimals), *found[1:])

    def _store_repeats(self, generation: int) -> StoredFile:
        stored = self.manifest.files.get("repeats")
        if stored and not self.repeats:
            return stored
        before = [np.fromfile(self.folder / stored.file, np.uint64).reshape(-1, 2)] if stored else []
        found = np.concatenate([np.empty((0, 2), np.uint64), *before, *self.repeats])
        return written(self.folder, "repeats", generation, found[np.lexsort((found[:, 1], found[:, 0]))])

    def _index(self, generation: int, files: dict[str, StoredFile]) -> dict[str, Any]:
        """The order, the events and the large amounts."""
        manifest, txs = self.manifest, self.txs.used
        odd = {number: self.odd[key] for number, key in self._odd_numbers()}
        # What was in order before still is: rows that come to stand among it are noticed by the first of them.
        since = 0 if "order" in files or self.reordered else manifest.transfers
        order = ordered(self.rows.used, txs, self.positions, self.chain, odd, manifest.coins, since)
        files.pop("order", None)
        files.pop("places", None)
        if order is not None:
            places = np.empty(len(order), np.uint32)
            places[order] = np.arange(len(order), dtype=np.uint32)
            files["order"] = written(self.folder, "order", generation, order)
            files["places"] = written(self.folder, "places", generation, places)
        sink = (self.holdings.used[:, manifest.key_words] >> np.uint32(24)).astype(np.uint8)
        columns = events.Columns(
            self.rows.used, self.legs.used if self.legs else np.empty((0, 3), np.uint64), txs,
            np.empty(0, np.uint32) if order is None else order, sink,
            self.position_numbers.get("fee", 2**32 - 1),
            np.array([text.startswith("step:") for text in self.positions], np.uint8), manifest.coins,
            self.txs.forget,
        )  # fmt: skip
        base = self._base(order is not None)
        kept = manifest.stretches if base else ()
        for number in range(len(kept), len(manifest.stretches)):
            del files[f"events-{number}"], files[f"starts-{number}"]
        before = [self._stretch(files, number) for number in range(len(kept))]
        name = f"events-{len(kept)}"
        file = f"{name}.{generation}.bin"
        with (self.folder / file).open("wb") as stream:

            def store(records: NDArray[Any], number: int) -> None:
                put(stream.fileno(), records, number)

            starts, two_way = events.build(columns, self.holdings.count, base, before, store)
        files[name] = sealed(self.folder, file, int(starts[-1]) * EVENT_BYTES)
        name = f"starts-{len(kept)}"
        files[name] = written(self.folder, name, generation, starts)
        large = b"".join(
            row.to_bytes(8, "little") + units.to_bytes(32, "big") for row, units in sorted(self.large.items())
        )
        files["large"] = written(self.folder, "large", generation, np.frombuffer(large, np.uint8))
        if manifest.coins:
            files |= self._owned(generation)
        blocks, times = (txs[0 if self.reordered else manifest.transactions :, at] for at in (8, 9))
        if manifest.transactions and not self.reordered:  # what the manifest tells of them, and what is new
            blocks = np.append(blocks, np.array([manifest.first_block, manifest.last_block], blocks.dtype))
            times = np.append(times, np.array([manifest.last_time], times.dtype))
        return {
            "events": int(starts[-1]) + (manifest.events if base else 0), "stretches": (*kept, base),
            "two_way": tuple(sorted({*two_way, *(manifest.two_way if base else ())})),
            "first_block": int(blocks.min()) if len(blocks) else 0,
            "last_block": int(blocks.max()) if len(blocks) else -1,
            "last_time": int(times.max()) if len(blocks) else 0,
        }  # fmt: skip

    def _base(self, disordered: bool) -> int:
        """From where the events are to be made: behind all there is, unless what is new belongs among it."""
        manifest = self.manifest
        base = manifest.transfers
        fits = base and "order" not in manifest.files and not disordered and not self.reordered
        if not fits or len(manifest.stretches) >= _STRETCHES or base == self.rows.count:
            return 0
        last, first = (int(name) & 0xFFFFFFFF for name in self.rows.used[base - 1 : base + 1, 0])
        return base if last != first else 0

    def _stretch(self, files: Mapping[str, StoredFile], number: int) -> events.Stretch:
        """Events that are there already, mapped into memory; never written to."""
        starts, records = files[f"starts-{number}"], files[f"events-{number}"]
        mapped = np.memmap(self.folder / records.file, np.uint64, "c", shape=(records.size // EVENT_BYTES, 6))
        return events.Stretch(np.fromfile(self.folder / starts.file, np.uint64), np.asarray(mapped))

    def _odd_numbers(self) -> Iterator[tuple[int, str]]:
        if self.odd:
            for number, key in enumerate(self.txs.used[:, :8]):
                if (text := key.tobytes().hex()) in self.odd:
                    yield number, text

    def _owned(self, generation: int) -> dict[str, StoredFile]:
        """The holdings of each address, as runs of one column."""
        owners = self.owners[: self.holdings.count]
        order = np.argsort(owners, kind="stable").astype(np.uint32)
        at = np.searchsorted(owners[order], np.arange(self.text_ends.count + 1, dtype=np.uint32)).astype(np.uint64)
        columns: dict[str, NDArray[Any]] = {"owned": order, "owned_at": at}
        return {name: written(self.folder, name, generation, column) for name, column in columns.items()}


def large_in(folder: Path, files: Mapping[str, StoredFile]) -> Iterator[tuple[int, int]]:
    """(row or leg, units) of the amounts of 2**128 and above."""
    if stored := files.get("large"):
        raw = (folder / stored.file).read_bytes()[: stored.size]
        for at in range(0, len(raw), _LARGE):
            yield int.from_bytes(raw[at : at + 8], "little"), int.from_bytes(raw[at + 8 : at + _LARGE], "big")
