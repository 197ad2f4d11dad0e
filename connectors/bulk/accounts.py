"""Takes account transfers into a folder: one payer and one payee each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.batch import SINKS, Batch
from connectors.bulk.folder import NONE
from connectors.bulk.kernels import (
    ADDED,
    COMPARE,
    CONTRADICTS,
    FULL,
    MISPLACED,
    NOW_TOLD,
    OTHER_PLACE,
    REPEATED,
    U8,
    U32,
    U64,
    take_holdings,
    take_rows,
    take_transactions,
)
from connectors.bulk.keys import digests_in, nulls_in, numbers_in, transactions_in, words_in
from connectors.bulk.writing import Tally, Writing
from tracer.errors import InputError
from tracer.values import Family


@dataclass(frozen=True, slots=True)
class _Facts:
    """The columns of a batch, as the machine code takes them."""

    rows: NDArray[np.int64]
    block: U32
    time: U32
    index: NDArray[np.int32]
    tx: U32
    position: U32
    payer: U32
    payee: U32
    low: U64
    high: U64
    overflow: Mapping[int, int]


def take_batch(into: Writing, batch: Batch, source: int, file: str, tally: Tally) -> None:
    """Add what is new in the batch, note what is repeated, list what contradicts."""
    position = numbers_in(batch.position, into.position)
    bad = _bad(batch, position)
    if bad:
        for at, why in bad.items():
            into.refuse(source, file, "rejected", int(batch.rows[at]), why)
        tally.rejected += len(bad)
        kept = np.setdiff1d(np.arange(len(batch.rows)), list(bad))
        batch, position = _only(batch, kept), position[kept]
    if not len(batch.rows):
        return
    asset = numbers_in(batch.asset, into.asset).astype(np.uint32)
    low, high = np.ascontiguousarray(batch.low, np.uint64).copy(), np.ascontiguousarray(batch.high, np.uint64).copy()
    for at in batch.overflow:
        low[at] = high[at] = FULL
    facts = _Facts(
        batch.rows,
        batch.block.astype(np.uint32),
        batch.time.astype(np.uint32),
        np.array(batch.index, np.int32),
        transactions_in(batch.tx, into.odd),
        position.astype(np.uint32),
        _holdings(into, batch.payer, batch.payer_sink, asset),
        _holdings(into, batch.payee, batch.payee_sink, asset),
        low,
        high,
        batch.overflow,
    )
    _place(into, facts, source, file, tally)


def numbered_transactions(into: Writing, keys: U32, block: U32, time: U32, index: NDArray[np.int32]) -> tuple[U32, U8]:
    """(number, state) of each row's transaction, as `kernels.take_transactions` tells them."""
    ids, state = np.empty(len(keys), np.uint32), np.empty(len(keys), np.uint8)
    txs = into.txs
    txs.room(len(keys))
    slots = into.tables.room("by_tx", txs.count + len(keys))
    salt = np.uint64(into.manifest.salt)
    txs.count = take_transactions(keys, block, time, index, slots, txs.all, txs.count, txs.sealed, salt, ids, state)
    late = np.flatnonzero(state == NOW_TOLD)
    if len(late):  # first of all where a ledger of token transfers gets its transactions
        known = into.thawed(txs)
        for at in late:
            told = known[ids[at], 10]
            if told not in (NONE, index[at]):
                state[at] = OTHER_PLACE
            else:
                known[ids[at], 10] = index[at]
    return ids, state


def numbered_holdings(into: Writing, keys: U32, kind: U32, chained: bool) -> tuple[U32, U32]:
    """(hid of each row, the rows that new holdings were made from)."""
    hids, origin = np.empty(len(keys), np.uint32), np.empty(len(keys), np.uint32)
    holdings = into.holdings
    holdings.room(len(keys))
    before = holdings.count
    slots = into.tables.room("by_holding", before + len(keys))
    heads = into.tables.room("by_address", before + len(keys) if chained else 0)
    salt = np.uint64(into.manifest.salt)
    holdings.count = take_holdings(keys, kind, slots, heads, chained, holdings.all, before, salt, hids, origin)
    return hids, origin[: holdings.count - before]


def evidence_word(source: int, rows: NDArray[np.int64]) -> U64:
    """Source and row of the file in one word."""
    return np.uint64(source) | (rows.astype(np.uint64) << np.uint64(32))


def _holdings(into: Writing, column: pa.Array, sink: U8, asset: U32) -> U32:
    evm = into.chain.family is Family.EVM
    keys = words_in(column, 20) if evm else digests_in(column)
    keys[sink != 0] = 0
    before = into.holdings.count
    hids, origin = numbered_holdings(into, keys, asset | (sink.astype(np.uint32) << np.uint32(24)), True)
    if not evm and len(origin):
        _name(into, before, column, origin)
    return hids


def _name(into: Writing, before: int, column: pa.Array, origin: U32) -> None:
    """Keep the text of each new address, and give its number to its holdings."""
    width = into.manifest.key_words
    records = into.holdings.all
    fresh: list[str] = []
    texts = column.take(pa.array(origin)).to_pylist()
    number = into.text_ends.count
    for hid, text in enumerate(texts, before):
        if records[hid, width] >> np.uint32(24):
            records[hid, width + 2] = NONE
        elif records[hid, width + 1] == NONE:
            records[hid, width + 2] = number + len(fresh)
            fresh.append(text)
        else:
            records[hid, width + 2] = records[records[hid, width + 1], width + 2]
    into.add_texts(fresh)


def _place(into: Writing, facts: _Facts, source: int, file: str, tally: Tally) -> None:
    ids, state = numbered_transactions(into, facts.tx, facts.block, facts.time, facts.index)
    count, rows = len(ids), into.rows
    if rows.count + count >= NONE:
        raise InputError("more than 4.29 billion transfers", "split the extract over several folders")
    fresh, outcome, twin = np.empty((count, 5), np.uint64), np.empty(count, np.uint8), np.empty(count, np.uint32)
    slots = into.tables.room("by_row", rows.count + count - into.txs.count)  # all but each transaction's first
    word = evidence_word(source, facts.rows)
    salt = np.uint64(into.manifest.salt)
    added = take_rows(
        ids, state, facts.position, facts.payer, facts.payee, facts.low, facts.high, word, into.txs.all, rows.used,
        slots, salt, fresh, outcome, twin,
    )  # fmt: skip
    rows.add(fresh[:added])
    for at, units in facts.overflow.items():
        if outcome[at] == ADDED:
            into.note_large(int(twin[at]), units)
    for at in map(int, np.flatnonzero(outcome == COMPARE)):
        units = facts.overflow.get(at, 2**128 - 1)
        outcome[at] = REPEATED if into.large.get(int(twin[at]), 2**128 - 1) == units else CONTRADICTS
    again = outcome == REPEATED
    if again.any():
        into.repeats.append(np.column_stack((twin[again].astype(np.uint64), word[again])))
    wrong = np.flatnonzero((outcome == CONTRADICTS) | (outcome == MISPLACED))
    for at in map(int, wrong):
        why = _why(into, facts, at, int(twin[at]), outcome[at] == MISPLACED)
        into.refuse(source, file, "contradiction", int(facts.rows[at]), why)
    tally.added += added
    tally.repeated += int(again.sum())
    tally.contradictions += len(wrong)


def _why(into: Writing, facts: _Facts, at: int, twin: int, misplaced: bool) -> str:
    tx, row = facts.tx[at].tobytes().hex(), into.rows.all[twin]
    cited = f"row {int(row[4]) >> 32} of source {int(row[4]) & NONE}"
    if misplaced:
        known = into.txs.all[int(row[0]) & NONE]
        told = [f"block {known[8]}, time {known[9]}, place {np.int32(known[10])}"]
        told.append(f"block {facts.block[at]}, time {facts.time[at]}, place {facts.index[at]}")
        return f"{tx} stands elsewhere by {cited}: {' / '.join(told)}"
    kept = into.large.get(twin, (int(row[3]) << 64) + int(row[2]))
    units = facts.overflow.get(at, (int(facts.high[at]) << 64) + int(facts.low[at]))
    differences = []
    if kept != units:
        differences.append(f"units {kept} / {units}")
    for side, one, two in (
        ("payer", int(row[1]) & NONE, int(facts.payer[at])),
        ("payee", int(row[1]) >> 32, int(facts.payee[at])),
    ):
        if one != two:
            differences.append(f"{side} {_told(into, one)} / {_told(into, two)}")
    return f"{tx} {into.positions[facts.position[at]]} differs from {cited}: {'; '.join(differences)}"


def _told(into: Writing, hid: int) -> str:
    width, record = into.manifest.key_words, into.holdings.all[hid]
    kind = int(record[width])
    contract = list(into.asset_numbers)[kind & 0xFFFFFF]
    place: str = SINKS[kind >> 24] if kind >> 24 else "0x" + record[:width].tobytes().hex()
    if not kind >> 24 and into.chain.family is not Family.EVM:
        number = int(record[width + 2])
        start = int(into.text_ends.all[number - 1, 0]) if number else 0
        place = into.texts.all[start : int(into.text_ends.all[number, 0]), 0].tobytes().decode()
    return f"{place} ({contract})" if contract else place


def _bad(batch: Batch, position: NDArray[np.int64]) -> dict[int, str]:
    """Place in the batch -> why it cannot be stored. Readers check rows; here is what would break the storage."""
    count, bad = len(batch.rows), dict[int, str]()
    lengths = {len(getattr(batch, name)) for name in Batch.__dataclass_fields__ if name not in ("overflow", "rejected")}
    if lengths != {count}:
        raise InputError(
            f"columns of different lengths: {sorted(lengths)}", "this is a defect in the reader of the format"
        )
    for name, least, most in (("rows", 1, NONE), ("block", 0, NONE), ("time", 0, NONE), ("index", -1, 2**31 - 2)):
        column: NDArray[Any] = getattr(batch, name)
        for at in np.flatnonzero((column < least) | (column > most)):
            bad[int(at)] = f"{name} is {column[at]}, outside {least} .. {most}"
    for at in np.flatnonzero(position < 0):
        bad[int(at)] = f"no such position in a transaction: {batch.position[int(at)].as_py()!r:.60}"
    for at in np.flatnonzero(nulls_in(batch.tx)):
        bad[int(at)] = "tx is missing"
    for side, sink in ((batch.payer, batch.payer_sink), (batch.payee, batch.payee_sink)):
        for at in np.flatnonzero((nulls_in(side) & (sink == 0)) | (sink > len(SINKS))):
            bad[int(at)] = "a side names neither an address nor a sink"
    return bad


def _only(batch: Batch, kept: NDArray[np.int64]) -> Batch:
    """The batch with only these rows."""
    chosen = pa.array(kept)
    columns: dict[str, Any] = {
        name: column[kept] if isinstance(column, np.ndarray) else column.take(chosen)
        for name in Batch.__dataclass_fields__
        if name not in ("overflow", "rejected")
        for column in (getattr(batch, name),)
    }
    place = {int(at): new for new, at in enumerate(kept)}
    overflow = {place[at]: units for at, units in batch.overflow.items() if at in place}
    return replace(batch, **columns, overflow=overflow)
