"""Takes whole UTXO transactions into a folder, each with all its inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.bulk.accounts import evidence_word, numbered_holdings, numbered_transactions
from connectors.bulk.batch import SINK_CODES, SINKS, CoinBatch
from connectors.bulk.folder import NONE
from connectors.bulk.kernels import ELSEWHERE, FINE, HALF, LOW, NOW_TOLD, U32, U64, take_holdings
from connectors.bulk.keys import digests_in, nulls_in, words_in
from connectors.bulk.tables import find, tag_of
from connectors.bulk.writing import Tally, Writing
from tracer.errors import InputError
from tracer.memory import BIP30
from tracer.values import SinkKind

_FEE, _UNSPENDABLE = SINK_CODES[SinkKind.FEE], SINK_CODES[SinkKind.UNSPENDABLE]


@dataclass(frozen=True, slots=True)
class _Facts:
    """A batch as records: the legs of transaction i are `legs[start[i]:start[i + 1]]`, its inputs first."""

    keys: U32
    block: NDArray[np.int64]
    time: NDArray[np.int64]
    index: NDArray[np.int32]
    legs: U64
    start: NDArray[np.int64]
    inputs: NDArray[np.int64]
    collects: NDArray[np.bool_]
    issued: NDArray[np.bool_]  # nothing goes in but new coins and fees
    word: U64

    def legs_of(self, at: int) -> U64:
        """The legs of one transaction."""
        return self.legs[self.start[at] : self.start[at + 1]]

    def row(self, at: int, tx: int, position: int, first_leg: int, legs: int) -> tuple[int, int, int, int]:
        """Its record, with its legs elsewhere."""
        return (
            tx | position << 32,
            first_leg | int(self.collects[at]) << 63,
            int(self.inputs[at]) | legs << 32,
            int(self.word[at]),
        )


def take_coins(into: Writing, batch: CoinBatch, source: int, file: str, tally: Tally) -> None:
    """Add the transactions that are new, note those repeated, list those that contradict."""
    bad = _bad(batch)
    for at, why in sorted(bad.items()):
        into.refuse(source, file, "rejected", int(batch.rows[at]), why)
    tally.rejected += len(bad)
    kept = np.setdiff1d(np.arange(len(batch.rows)), list(bad))
    if not len(kept):
        return
    facts = _facts(into, batch, kept, source)
    ids, state = numbered_transactions(
        into, facts.keys, facts.block.astype(np.uint32), facts.time.astype(np.uint32), facts.index
    )
    first = np.zeros(len(ids), np.bool_)
    first[np.unique(ids, return_index=True)[1]] = True
    plain = first & (into.txs.all[ids, 11] == NONE)
    _store(into, facts, ids, np.flatnonzero(plain))
    tally.added += int(plain.sum())
    for at in map(int, np.flatnonzero(~plain)):
        if into.overwritten:  # what stands under a hash may have changed since the rows were numbered
            one = slice(at, at + 1)
            ids[one], state[one] = numbered_transactions(
                into,
                facts.keys[one],
                facts.block[one].astype(np.uint32),
                facts.time[one].astype(np.uint32),
                facts.index[one],
            )
        if state[at] in (FINE, NOW_TOLD):
            why = _same(into, facts, at, int(into.txs.all[ids[at], 11]), int(facts.word[at]), tally)
        elif state[at] == ELSEWHERE and _may_repeat(into, facts, at, int(ids[at])):
            why = _twice(into, facts, at, tally)
        else:
            known = into.txs.all[ids[at]]
            places = f"{known[8]} at {known[9]} / {facts.block[at]} at {facts.time[at]}"
            why = f"it stands elsewhere, or at another place of its block: {places}"
        if why:
            text = f"{facts.keys[at].tobytes().hex()}: {why}"
            into.refuse(source, file, "contradiction", int(facts.word[at]) >> 32, text)
            tally.contradictions += 1


def _facts(into: Writing, batch: CoinBatch, kept: NDArray[np.int64], source: int) -> _Facts:
    place = np.full(len(batch.rows), -1, np.int64)
    place[kept] = np.arange(len(kept))
    of = place[batch.leg_of]
    order = np.lexsort((batch.output, of))
    order = order[of[order] >= 0]
    of, output, sink = of[order], batch.output[order], batch.sink[order]
    chosen = pa.array(order)
    keys = np.zeros((len(order), 9), np.uint32)
    keys[:, :8] = words_in(batch.coin_tx.take(chosen), 32)
    keys[:, 8] = batch.coin_index[order]
    keys[sink != 0] = 0
    hids, _ = numbered_holdings(into, keys, sink.astype(np.uint32) << np.uint32(24), False)
    address = _addresses(into, batch.address.take(chosen))
    legs = np.empty((len(order), 3), np.uint64)
    legs[:, 0] = hids.astype(np.uint64) | (address.astype(np.uint64) << HALF)
    legs[:, 1], legs[:, 2] = batch.low[order], batch.high[order]
    start = np.searchsorted(of, np.arange(len(kept) + 1))
    inputs = np.bincount(of[~output], minlength=len(kept))
    collects = np.bincount(of[~output & (sink == _FEE)], minlength=len(kept)) > 0
    issued = np.bincount(of[~output & (sink == 0)], minlength=len(kept)) == 0
    tx = words_in(batch.tx.take(pa.array(kept)), 32)
    word = evidence_word(source, batch.rows[kept])
    index = np.array(batch.index[kept], np.int32)
    return _Facts(tx, batch.block[kept], batch.time[kept], index, legs, start, inputs, collects, issued, word)


def _addresses(into: Writing, column: pa.Array) -> U32:
    """The number of each leg's address, 2**32 - 1 where it has none."""
    none = np.asarray(pc.equal(column.fill_null(""), "").to_numpy(zero_copy_only=False), np.bool_)
    told = np.flatnonzero(~none)
    numbers = np.full(len(column), NONE, np.uint32)
    if len(told):
        keys = digests_in(column.take(pa.array(told)))
        ids, origin = numbered_texts(into, keys)
        numbers[told] = ids
        into.add_texts(column.take(pa.array(told[origin])).to_pylist())
    return numbers


def numbered_texts(into: Writing, keys: U32) -> tuple[U32, U32]:
    """(address number of each row, the rows that new addresses were made from)."""
    ids, origin = np.empty(len(keys), np.uint32), np.empty(len(keys), np.uint32)
    records = into.text_keys
    records.room(len(keys))
    before = records.count
    slots = into.tables.room("by_text", before + len(keys))
    kind, heads = np.zeros(len(keys), np.uint32), np.zeros(2, np.uint64)
    salt = np.uint64(into.manifest.salt)
    records.count = take_holdings(keys, kind, slots, heads, False, records.all, before, salt, ids, origin)
    return ids, origin[: records.count - before]


def _store(into: Writing, facts: _Facts, ids: U32, which: NDArray[np.int64]) -> None:
    """Append these transactions and their legs."""
    assert into.legs is not None  # noqa: S101  a folder of coins has legs
    if not len(which):
        return
    counts = (facts.start[1:] - facts.start[:-1])[which]
    chosen = np.repeat(facts.start[which] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(
        counts.sum()
    )
    begin = into.legs.count + np.concatenate(([0], np.cumsum(counts)[:-1]))
    records = np.empty((len(which), 4), np.uint64)
    records[:, 0] = ids[which]
    records[:, 1] = begin.astype(np.uint64) | (facts.collects[which].astype(np.uint64) << np.uint64(63))
    records[:, 2] = facts.inputs[which].astype(np.uint64) | (counts.astype(np.uint64) << HALF)
    records[:, 3] = facts.word[which]
    into.txs.all[ids[which], 11] = into.rows.count + np.arange(len(which))
    legs = facts.legs[chosen]
    into.legs.add(legs)
    into.rows.add(records)
    _note_owners(into, legs)


def _note_owners(into: Writing, legs: U64) -> None:
    more = into.holdings.count - len(into.owners)
    if more > 0:
        into.owners = np.concatenate((into.owners, np.full(max(more, len(into.owners) // 2), NONE, np.uint32)))
    address = (legs[:, 0] >> HALF).astype(np.uint32)
    told = address != NONE
    into.owners[(legs[:, 0] & LOW).astype(np.int64)[told]] = address[told]


def _same(into: Writing, facts: _Facts, at: int, row: int, word: int, tally: Tally) -> str:
    """Note the repeat, or say what differs."""
    assert into.legs is not None  # noqa: S101  a folder of coins has legs
    record = into.rows.all[row]
    start, count = int(record[1]) & (2**63 - 1), int(record[2]) >> 32
    known, told = into.legs.all[start : start + count], facts.legs_of(at)
    if int(record[2]) & NONE != facts.inputs[at] or not np.array_equal(known, told):
        cited = f"row {int(record[3]) >> 32} of source {int(record[3]) & NONE}"
        return f"its inputs or outputs differ from {cited}: {_brief(known)} / {_brief(told)}"
    into.repeats.append(np.array([[row, word]], np.uint64))
    tally.repeated += 1
    return ""


def _brief(legs: U64) -> str:
    units = [str((int(high) << 64) + int(low)) for _, low, high in legs[:4]]
    return f"{len(legs)} legs of {', '.join(units)}{' ...' if len(legs) > 4 else ''}"


def _may_repeat(into: Writing, facts: _Facts, at: int, id: int) -> bool:
    """Twice, on Bitcoin, two coinbases had one hash (BIP30)."""
    known = int(into.txs.all[id, 8])
    return bool(facts.issued[at]) and {known, int(facts.block[at])} in BIP30


def _twice(into: Writing, facts: _Facts, at: int, tally: Tally) -> str:
    """The second of two coinbases of one hash. The later took the earlier one's place: nobody can spend that."""
    assert into.legs is not None  # noqa: S101  a folder of coins has legs
    key, block = facts.keys[at].tobytes().hex(), int(facts.block[at])
    words = [int(word) for word in facts.keys[at]]
    slots = into.tables["by_tx"]
    live = find(_Slots(slots), words, into.manifest.salt, _is_tx(into, words))
    assert live is not None  # noqa: S101  it was found a moment ago
    live_block, tx = int(into.txs.all[live, 8]), into.txs.count
    if block == live_block:
        return _same(into, facts, at, int(into.txs.all[live, 11]), int(facts.word[at]), tally)
    if (key, block) in into.overwritten:
        row = int(into.txs.all[into.overwritten[key, block], 11])
        into.repeats.append(np.array([[row, int(facts.word[at])]], np.uint64))
        tally.repeated += 1
        return ""
    into.txs.add(
        np.array([[*words, block, int(facts.time[at]), int(facts.index[at]) & NONE, into.rows.count]], np.uint32)
    )
    legs, count = facts.legs_of(at), int(facts.inputs[at])
    if block > live_block:
        _point(slots, words, into.manifest.salt, live, tx)
        _overwrite(into, live)
        record = facts.row(at, tx, 0, into.legs.count, len(legs))
        _note_owners(into, legs)
        into.legs.add(legs)
    else:
        into.overwritten[key, block] = tx
        position = into.position(f"tx:{block}")
        record = facts.row(at, tx, position, into.legs.count, count + 1)
        into.legs.add(_lost(into, legs[:count]))
    into.rows.add(np.array([record], np.uint64))
    tally.added += 1
    return ""


def _overwrite(into: Writing, tx: int) -> None:
    """Let the coins of that coinbase be lost."""
    assert into.legs is not None  # noqa: S101  a folder of coins has legs
    rows = into.thawed(into.rows)
    row, block = int(into.txs.all[tx, 11]), int(into.txs.all[tx, 8])
    start, count = int(rows[row, 1]) & (2**63 - 1), int(rows[row, 2]) & NONE
    legs = _lost(into, into.legs.all[start : start + count])
    rows[row, 0] = tx | into.position(f"tx:{block}") << 32
    rows[row, 1] = into.legs.count | int(rows[row, 1]) >> 63 << 63
    rows[row, 2] = count | (count + 1) << 32
    into.legs.add(legs)
    into.overwritten[into.txs.all[tx, :8].tobytes().hex(), block] = tx


def _lost(into: Writing, inputs: U64) -> U64:
    """The inputs, and one output that nobody can spend."""
    units = sum((int(high) << 64) + int(low) for _, low, high in inputs)
    kind = np.array([_UNSPENDABLE << 24], np.uint32)
    hids, _ = numbered_holdings(into, np.zeros((1, 9), np.uint32), kind, False)
    _note_owners(into, np.empty((0, 3), np.uint64))
    sink = np.array([[int(hids[0]) | NONE << 32, units & (2**64 - 1), units >> 64]], np.uint64)
    return np.concatenate((inputs, sink))


class _Slots(list[int]):
    """A table's slots one at a time, as Python integers."""

    def __init__(self, slots: U64) -> None:
        super().__init__()
        self._slots = slots

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, at: int) -> int:  # type: ignore[override]  # one place at a time, never a slice
        return int(self._slots[at])


def _is_tx(into: Writing, words: list[int]) -> Callable[[int], bool]:
    return lambda id: bool(into.txs.all[id, :8].tolist() == words)


def _point(slots: U64, words: list[int], salt: int, old: int, new: int) -> None:
    """Let the table lead to another transaction of the same hash."""
    tag = tag_of(words, salt)
    at = (tag * len(slots)) >> 32
    while int(slots[at]) != tag << 32 | (old + 1):
        at = (at + 1) & (len(slots) - 1)
    slots[at] = tag << 32 | (new + 1)


def _bad(batch: CoinBatch) -> dict[int, str]:
    """Place in the batch -> why the transaction cannot be stored."""
    count, bad = len(batch.rows), dict[int, str]()
    per_leg = ("leg_of", "output", "coin_tx", "coin_index", "sink", "address", "low", "high")
    lengths = {len(getattr(batch, name)) for name in per_leg}
    if lengths != {len(batch.leg_of)} or {len(batch.block), len(batch.time), len(batch.index), len(batch.tx)} != {
        count
    }:
        raise InputError("columns of different lengths", "this is a defect in the reader of the format")
    of = batch.leg_of
    if len(of) and (of[0] < 0 or of[-1] >= count or (of[1:] < of[:-1]).any()):
        raise InputError("legs that do not ascend", "this is a defect in the reader of the format")
    for name, least, most in (("rows", 1, NONE), ("block", 0, NONE), ("time", 0, NONE), ("index", -1, 2**31 - 2)):
        column = getattr(batch, name)
        for at in np.flatnonzero((column < least) | (column > most)):
            bad[int(at)] = f"{name} is {column[at]}, outside {least} .. {most}"
    for at in np.flatnonzero(nulls_in(batch.tx)):
        bad[int(at)] = "tx is missing"
    for at in np.flatnonzero(batch.index == -1):  # a block's coins may be spent in it: only the place tells the order
        bad.setdefault(int(at), "its place in the block is not told")
    wrong = (batch.sink == 0) & ((batch.coin_index < 0) | (batch.coin_index >= NONE) | nulls_in(batch.coin_tx))
    for at in np.unique(of[wrong | (batch.sink > len(SINKS))]):
        bad[int(at)] = "a leg names neither an output of a transaction nor a sink"
    for output in (False, True):
        for at in np.flatnonzero(np.bincount(of[batch.output == output], minlength=count) == 0):
            bad.setdefault(int(at), f"it has no {'outputs' if output else 'inputs'}")
    paid, got = _sums(batch, False, count), _sums(batch, True, count)
    for at in np.flatnonzero((paid != got).any(axis=1)):
        sums = [sum(int(part) << 32 * place for place, part in enumerate(side[at])) for side in (paid, got)]
        bad.setdefault(int(at), f"inputs {sums[0]}, outputs {sums[1]}: the source dropped or added a leg")
    return bad


def _sums(batch: CoinBatch, output: bool, count: int) -> U64:
    """What each transaction's legs of one side add up to, in five digits of 32 bits."""
    digits = np.zeros((count, 5), np.uint64)
    side = batch.output == output
    for place, part in enumerate((batch.low & LOW, batch.low >> HALF, batch.high & LOW, batch.high >> HALF)):
        np.add.at(digits[:, place], batch.leg_of[side], part[side])
    for place in range(4):
        digits[:, place + 1] += digits[:, place] >> HALF
        digits[:, place] &= LOW
    return digits
