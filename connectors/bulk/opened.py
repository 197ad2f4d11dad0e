"""A ledger folder open for reading: its files mapped into memory, its records as Python integers.

Nothing is loaded and no library imported: the folder opens in milliseconds whatever its size.
"""

from __future__ import annotations

import hashlib
import mmap
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from connectors.bulk.folder import EVENT_BYTES, FULL, NONE, SINKS, load
from connectors.bulk.tables import find_newest, layers_of, words_of
from tracer.errors import InputError
from tracer.values import Address, Asset, Family, Holding, Outpoint, Sink, Slot

_FIRST_LEG = 2**63 - 1
_REMEMBERED = 200_000  # answers of one kind that are kept; a trace asks the same again and again

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class Row(NamedTuple):
    """A transfer as stored. `word` is its source and row there; legs of an account transfer are the two it has."""

    number: int
    tx: int
    position: int
    word: int


class StoredLeg(NamedTuple):
    """A side of a transfer. `owner` is the number of its address on a UTXO chain, 2**32 - 1 for none."""

    hid: int
    units: int
    owner: int


class Stretch(NamedTuple):
    """The events of a stretch of the ledger, seen as 32-bit `words`, 12 to a record, and as 64-bit `longs`, 6."""

    starts: memoryview
    words: memoryview
    longs: memoryview


class Span(NamedTuple):
    """The records `first`..`last` of a stretch are of one holding."""

    words: memoryview
    longs: memoryview
    first: int
    last: int


class Opened:
    """The files of a folder. Raises `InputError` where the folder is none of ours, or damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, load(folder)
        manifest = self.manifest
        self.chain, self.coins = manifest.on, manifest.coins
        self.order, self.places = self.view("order"), self.view("places")
        self.rows, self.txs = self.view("rows", "Q"), self.view("txs")
        self.row_words = self.rows.cast("B").cast("I")
        self.legs = self.view("legs", "Q")
        self.records, self.owners = self.view("holdings"), self.view("owners")
        self.stretches = tuple(
            Stretch(self.view(f"starts-{n}", "Q"), self.view(f"events-{n}"), self.view(f"events-{n}", "Q"))
            for n in range(len(manifest.stretches))
        )
        self.texts, self.text_ends = self.view("texts", "B"), self.view("text_ends", "Q")
        self.text_keys = self.view("text_keys")
        self.owned, self.owned_at = self.view("owned"), self.view("owned_at", "Q")
        self.by_tx, self.by_text = self.table("by_tx"), self.table("by_text")
        self.by_holding, self.by_address = self.table("by_holding"), self.table("by_address")
        self.repeats = self.view("repeats", "Q")
        self.key_words, self.width = manifest.key_words, manifest.holding_words
        self.assets = tuple(Asset(self.chain, *asset) for asset in manifest.assets)
        self.asset_numbers = {asset.contract: number for number, asset in enumerate(self.assets)}
        self.odd_keys = {text: key for key, text in manifest.odd.items()}
        self._large: dict[int, int] | None = None

    def view(self, name: str, format: Literal["B", "I", "Q"] = "I") -> memoryview:
        """A file as integers of one width: B 8, I 32, Q 64 bits, little-endian. Empty where there is no such file."""
        stored = self.manifest.files.get(name)
        if stored is None or not stored.size:
            return memoryview(b"").cast(format)
        path = self.folder / stored.file
        try:
            with path.open("rb") as stream:
                mapped = mmap.mmap(stream.fileno(), stored.size, access=mmap.ACCESS_READ)
                mapped.madvise(mmap.MADV_RANDOM)  # or the first look at each place would fetch 128 KB
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read: {error}", "the folder is damaged: ingest the sources anew"
            ) from None
        return memoryview(mapped).cast(format)

    def table(self, name: str) -> tuple[memoryview, ...]:
        """A hash table: its files, the newest first."""
        return tuple(self.view(layer, "Q") for layer in layers_of(name, self.manifest.files))

    def spans(self, hid: int) -> list[Span]:
        """Where the events of a holding are, in order."""
        found = []
        for starts, words, longs in self.stretches:
            if hid + 1 < len(starts) and (first := starts[hid]) != (last := starts[hid + 1]):
                found.append(Span(words, longs, first, last))
        return found

    def fetch(self, span: Span) -> Span:
        """Have all records of a span brought in at once, not page by page; for whoever reads them all."""
        begin = span.first * EVENT_BYTES // mmap.PAGESIZE * mmap.PAGESIZE
        if span.last * EVENT_BYTES - begin > 4 * mmap.PAGESIZE and isinstance(mapped := span.words.obj, mmap.mmap):
            mapped.madvise(mmap.MADV_WILLNEED, begin, span.last * EVENT_BYTES - begin)
        return span

    def flags(self, spans: Iterable[Span]) -> bytes:
        """The flags of each record of some spans, without by how much its step's ordinal is smaller."""
        raw = ((words.cast("B"), first, last) for words, _, first, last in spans)
        return b"".join(
            view[EVENT_BYTES * first + 12 : EVENT_BYTES * last : EVENT_BYTES].tobytes() for view, first, last in raw
        )

    def kinds(self, hid: int) -> frozenset[int]:
        """The flags that occur among the events of a holding."""
        return frozenset(self.flags(map(self.fetch, self.spans(hid))))

    # Transfers

    def row(self, ordinal: int) -> Row:
        """The record of the transfer at `ordinal`."""
        if not 0 <= ordinal < self.manifest.transfers:
            raise IndexError(f"no transfer at {ordinal}: there are {self.manifest.transfers}")
        number = self.order[ordinal] if self.order else ordinal
        at = number * (4 if self.coins else 5)
        name = self.rows[at]
        return Row(number, name & NONE, name >> 32, self.rows[at + (3 if self.coins else 4)])

    def ordinal(self, row: int) -> int:
        """Where a row stands in the order."""
        return self.places[row] if self.places else row

    def tx_at(self, ordinal: int) -> int:
        """The number of the transaction of the transfer at `ordinal`."""
        return self.rows[(self.order[ordinal] if self.order else ordinal) * (4 if self.coins else 5)] & NONE

    def alone(self, ordinal: int, tx: int) -> bool:
        """Whether the transfer is the only one of its transaction."""
        before = ordinal > 0 and self.tx_at(ordinal - 1) == tx
        return not before and (ordinal + 1 == self.manifest.transfers or self.tx_at(ordinal + 1) != tx)

    def payment(self, row: Row) -> tuple[int, int, int]:
        """Payer, payee and units of a transfer of an account chain."""
        at = row.number * 5
        both = self.rows[at + 1]
        return both & NONE, both >> 32, self.units(self.rows[at + 2], self.rows[at + 3], row.number)

    def ends(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Payer and payee of each transfer of an account chain from `first` to before `end`, in order."""
        if self.order:
            ends = [self.rows[5 * row + 1] for row in self.order[first:end]]
            return ((both & NONE, both >> 32) for both in ends)
        words = self.row_words[10 * first : 10 * end]
        return zip(words[2::10].tolist(), words[3::10].tolist(), strict=True)

    def coin_ends(self, first: int, end: int) -> Iterator[list[int]]:
        """The holdings of each transaction of a UTXO chain."""
        for row in self.order[first:end] if self.order else range(first, end):
            start, count = self.rows[4 * row + 1] & _FIRST_LEG, self.rows[4 * row + 2] >> 32
            yield [place & NONE for place in self.legs[3 * start : 3 * (start + count) : 3].tolist()]

    def sides(self, row: Row) -> tuple[tuple[StoredLeg, ...], tuple[StoredLeg, ...]]:
        """Inputs and outputs."""
        if not self.coins:
            payer, payee, units = self.payment(row)
            return (StoredLeg(payer, units, NONE),), (StoredLeg(payee, units, NONE),)
        at = row.number * 4
        start, counts = self.rows[at + 1] & _FIRST_LEG, self.rows[at + 2]
        legs = []
        for leg in range(start, start + (counts >> 32)):
            place, low, high = self.legs[3 * leg : 3 * leg + 3]
            legs.append(StoredLeg(place & NONE, self.units(low, high, leg), place >> 32))
        inputs = counts & NONE
        return tuple(legs[:inputs]), tuple(legs[inputs:])

    def units(self, low: int, high: int, number: int) -> int:
        """The amount of row (or leg) `number`."""
        if low == FULL == high:
            return self.large.get(number, 2**128 - 1)
        return high << 64 | low

    @property
    def large(self) -> dict[int, int]:
        """Row (or leg) -> units, of amounts of 2**128 and above."""
        if self._large is None:
            raw = self.view("large", "B")
            self._large = {
                int.from_bytes(raw[at : at + 8], "little"): int.from_bytes(raw[at + 8 : at + 40], "big")
                for at in range(0, len(raw), 40)
            }
        return self._large

    def evidence(self, row: Row) -> tuple[str, ...]:
        """Every source and row that told of it."""
        sources = self.manifest.sources
        if not self.repeats:
            return (f"sha256:{sources[row.word & NONE].sha256}#{row.word >> 32}",)
        words = {row.word}
        at = bisect_left(range(len(self.repeats) // 2), row.number, key=lambda n: self.repeats[2 * n])
        while 2 * at < len(self.repeats) and self.repeats[2 * at] == row.number:
            words.add(self.repeats[2 * at + 1])
            at += 1
        return tuple(sorted(f"sha256:{sources[word & NONE].sha256}#{word >> 32}" for word in words))

    # Transactions

    def tx_text(self, tx: int) -> str:
        """A transaction's id as written."""
        key = self.txs[12 * tx : 12 * tx + 8].tobytes().hex()
        if self.manifest.odd and key in self.manifest.odd:
            return self.manifest.odd[key]
        return "0x" + key if self.chain.family is Family.EVM else key

    def tx_number(self, text: str) -> int | None:
        """The number of a transaction, None where it is not here."""
        prefix = "0x" if self.chain.family is Family.EVM else ""
        try:
            key = bytes.fromhex(self.odd_keys.get(text) or (text[len(prefix) :] if text.startswith(prefix) else ""))
        except ValueError:
            return None
        if len(key) != 32:
            return None
        words = list(words_of(key))
        salt = self.manifest.salt
        found = find_newest(self.by_tx, words, salt, lambda tx: self.txs[12 * tx : 12 * tx + 8].tolist() == words)
        return found if found is not None and self.tx_text(found) == text else None

    def first_ordinal(self, tx: int) -> int:
        """The first transfer of a transaction."""
        at = self.ordinal(self.txs[12 * tx + 11])
        while at and self.tx_at(at - 1) == tx:
            at -= 1
        return at

    # Holdings

    def holding(self, hid: int) -> Holding:
        """The holding of that number."""
        at, width = hid * self.width, self.key_words
        kind = self.records[at + width]
        if kind >> 24:
            return Sink(self.assets[kind & 0xFFFFFF], SINKS[kind >> 24])
        if self.coins:
            return Outpoint(self.chain, self.records[at : at + 8].tobytes().hex(), self.records[at + 8])
        address = self.address(hid)
        assert address is not None  # noqa: S101  what is no sink has one
        return Slot(address, self.assets[kind & 0xFFFFFF])

    def address(self, hid: int) -> Address | None:
        """The address of a holding."""
        at, width = hid * self.width, self.key_words
        if self.coins:
            return self.address_of(self.owners[hid]) if hid < len(self.owners) else None
        if self.records[at + width] >> 24:
            return None
        if self.chain.family is Family.EVM:
            return Address(self.chain, "0x" + self.records[at : at + 5].tobytes().hex())
        return self.address_of(self.records[at + width + 2])

    def address_of(self, number: int) -> Address | None:
        """The address of that number, where addresses are kept as text."""
        if number == NONE:
            return None
        start = self.text_ends[number - 1] if number else 0
        return Address(self.chain, self.texts[start : self.text_ends[number]].tobytes().decode())

    def is_sink(self, hid: int) -> bool:
        """True for fees, burns and issues."""
        return self.records[hid * self.width + self.key_words] >> 24 != 0

    def hid(self, key: tuple[int, ...], kind: int) -> int | None:
        """The holding of a key and kind, None where no transfer touches it."""
        words, width = [*key, kind], self.width

        def is_key(hid: int) -> bool:
            return self.records[hid * width : hid * width + len(words)].tolist() == words

        found = find_newest(self.by_holding, words, self.manifest.salt, is_key)
        return found if found is not None and self.spans(found) else None

    def address_key(self, address: Address) -> tuple[int, ...] | None:
        """The words that stand for an address, None for what is none of this chain."""
        if address.chain != self.chain:
            return None
        if self.chain.family is not Family.EVM:
            return words_of(hashlib.sha256(address.text.encode()).digest())
        try:
            key = bytes.fromhex(address.text[2:] if address.text.startswith("0x") else "")
        except ValueError:
            return None
        return words_of(key) if len(key) == 20 else None

    def holdings_of(self, address: Address) -> Iterator[int]:
        """The holdings of an address that some transfer touches."""
        key = self.address_key(address)
        if key is None:
            return
        words, salt = list(key), self.manifest.salt
        if self.coins:
            number = find_newest(
                self.by_text, [*words, 0], salt, lambda n: self.text_keys[10 * n : 10 * n + 8].tolist() == words
            )
            found = self.owned[self.owned_at[number] : self.owned_at[number + 1]].tolist() if number is not None else []
        else:
            width, found = self.width, []
            head = find_newest(
                self.by_address,
                words,
                salt,
                lambda h: self.records[h * width : h * width + len(words)].tolist() == words,
            )
            while head is not None and head != NONE:
                found.append(head)
                head = self.records[head * width + self.key_words + 1]
        yield from (hid for hid in sorted(found) if self.spans(hid))


def remembered(known: dict[_Key, _Answer], key: _Key, ask: Callable[[_Key], _Answer]) -> _Answer:
    """What `ask` says to `key`, asked once; of one kind so many answers are kept."""
    answer = known.get(key)
    if answer is None:
        if len(known) >= _REMEMBERED:
            known.clear()
        answer = known[key] = ask(key)
    return answer
