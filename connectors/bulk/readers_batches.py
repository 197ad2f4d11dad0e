"""Puts what was read into batches: columns that were read all at once, and transfers that were read one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.batch import SINK_CODES, Batch, CoinBatch, Rejected
from tracer.errors import BadRow, FundtrailError
from tracer.values import Chain, Family, Leg, Outpoint, Sink, Slot, Transfer

_WORD = 2**64
_LAST_INDEX = 2**31 - 1
Texts = tuple[NDArray[np.int32], list[str]]  # for each row the number of its text, and the texts
Numbered = tuple[int, Transfer]  # a row's number, and what it states


@dataclass(frozen=True, slots=True)
class Part:
    """Account transfers as columns of one length. Addresses of EVM chains are rows of 20 bytes, others are texts."""

    rows: NDArray[np.int64]
    block: NDArray[np.int64]
    time: NDArray[np.int64]
    index: NDArray[np.int32]
    tx: NDArray[np.uint8]  # rows of 32 bytes
    position: Texts
    asset: Texts
    payer: NDArray[np.uint8]
    payee: NDArray[np.uint8]
    payer_sink: NDArray[np.uint8]
    payee_sink: NDArray[np.uint8]
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


def rejected(row: int, error: FundtrailError) -> Rejected:
    """The error as the reason why a row is not taken, hint included."""
    return Rejected(row, f"{error} ({error.hint})" if error.hint else str(error))


def batch_of(parts: Sequence[Part], slow: Sequence[Numbered], bad: Iterable[Rejected], chain: Chain) -> Batch | None:
    """One batch of everything, in the order of the rows; None where there is nothing at all.

    Raises `BadRow` for a transfer that is not one leg a side.
    """
    bad = tuple(sorted(bad, key=lambda one: one.row))
    parts = [part for part in parts if len(part.rows)]
    if not (parts or slow or bad):
        return None
    if chain.family is not Family.EVM:
        return _in_text(slow, bad)
    begin = sum(len(part.rows) for part in parts)
    parts = [*parts, _part_of(slow)] if slow or not parts else parts
    whole = parts[0] if len(parts) == 1 else _joined(parts)
    order = np.argsort(whole.rows, kind="stable")
    if len(parts) > 1:
        whole = _in_order(whole, order)
    place = np.argsort(order, kind="stable") if slow else order  # where each row has come to stand
    read = [(int(place[begin + at]), transfer) for at, (_, transfer) in enumerate(slow)]
    named = {at: one.id.tx for at, one in read if not _is_hash(one.id.tx)}
    return Batch(
        whole.rows,
        whole.block,
        whole.time,
        whole.index,
        _with_names(whole.tx, named) if named else fixed(whole.tx),
        _dictionary(whole.position),
        _dictionary(whole.asset),
        fixed(whole.payer),
        fixed(whole.payee),
        whole.payer_sink,
        whole.payee_sink,
        whole.low,
        whole.high,
        {at: one.units for at, one in read if one.units >= _WORD**2},
        bad,
    )


def fixed(rows: NDArray[np.uint8]) -> pa.Array:
    """Rows of bytes as an Arrow array, without a copy where they lie together."""
    data = np.ascontiguousarray(rows)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(rows.shape[1]), len(rows), [None, pa.py_buffer(data)])


def one_text(text: str, rows: int) -> Texts:
    """The same text in every row."""
    return np.zeros(rows, np.int32), [text]


def encoded(texts: pa.Array) -> Texts:
    """Arrow strings as numbers of their different values, and the values; bytes as 0x and hex."""
    found = texts.dictionary_encode()
    values = [one if isinstance(one, str) else "0x" + one.hex() for one in found.dictionary.to_pylist()]
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int32), values


def _dictionary(texts: Texts) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(texts[0], pa.int32()), pa.array(texts[1], pa.string()))


def _joined(parts: Sequence[Part]) -> Part:
    found: dict[str, Any] = {}
    for name in Part.__slots__:
        columns = [getattr(part, name) for part in parts]
        if name not in ("position", "asset"):
            found[name] = np.concatenate(columns)
            continue
        numbers: list[NDArray[np.int32]] = []
        texts: list[str] = []
        for column in columns:
            numbers.append(column[0] + np.int32(len(texts)))
            texts += column[1]
        found[name] = (np.concatenate(numbers), texts)
    return Part(**found)


def _in_order(part: Part, order: NDArray[np.int64]) -> Part:
    found: dict[str, Any] = {}
    for name in Part.__slots__:
        column = getattr(part, name)
        found[name] = (column[0][order], column[1]) if isinstance(column, tuple) else column[order]
    return Part(**found)


def _is_hash(tx: str) -> bool:
    return tx.startswith("0x")


def _with_names(tx: NDArray[np.uint8], named: Mapping[int, str]) -> pa.Array:
    """The ids as text, for the few transactions that have a name instead of a hash: what block 0 allotted."""
    return pa.array([named.get(at) or "0x" + row.tobytes().hex() for at, row in enumerate(tx)], pa.large_string())


def _texts_of(texts: Sequence[str]) -> Texts:
    numbers: dict[str, int] = {}
    found = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int32)
    return found, list(numbers)


def _ends_of(transfer: Transfer) -> tuple[str, str, int, int]:
    """Payer and payee as text, "" for a sink, and the codes of the sinks."""
    if len(transfer.inputs) != 1 or len(transfer.outputs) != 1:
        raise BadRow("more than one leg a side", "write one row for each payer and payee")
    found: list[tuple[str, int]] = []
    for leg in (transfer.inputs[0], transfer.outputs[0]):
        holding = leg.holding
        if isinstance(holding, Sink):
            found.append(("", SINK_CODES[holding.kind]))
        elif isinstance(holding, Slot):
            found.append((holding.address.text, 0))
        else:
            raise BadRow("an output of a transaction stands where an address is wanted")
    return found[0][0], found[1][0], found[0][1], found[1][1]


def fits(transfer: Transfer) -> None:
    """Raise `BadRow` where columns cannot hold the transfer."""
    if transfer.id.chain.family is not Family.BITCOIN:
        _ends_of(transfer)
    if transfer.index > _LAST_INDEX:
        raise BadRow(f"index is {transfer.index}, which no block can hold")


def _part_of(slow: Sequence[Numbered]) -> Part:
    ends = [_ends_of(transfer) for _, transfer in slow]
    nothing = bytes(20)

    def bytes_of(at: int) -> NDArray[np.uint8]:
        joined = b"".join(bytes.fromhex(end[at][2:]) if end[at] else nothing for end in ends)  # type: ignore[index]  # a text
        return np.frombuffer(joined, np.uint8).reshape(-1, 20)

    columns = _numbers_of(slow)
    ids = [transfer.id.tx for _, transfer in slow]
    tx = b"".join(bytes.fromhex(one[2:]) if _is_hash(one) else bytes(32) for one in ids)
    return Part(
        columns[0],
        columns[1],
        columns[2],
        columns[3].astype(np.int32),
        np.frombuffer(tx, np.uint8).reshape(-1, 32),
        _texts_of([transfer.id.position for _, transfer in slow]),
        _texts_of([transfer.asset.contract for _, transfer in slow]),
        bytes_of(0),
        bytes_of(1),
        np.array([end[2] for end in ends], np.uint8),
        np.array([end[3] for end in ends], np.uint8),
        *_amounts_of([transfer.units for _, transfer in slow]),
    )


def _numbers_of(slow: Sequence[Numbered]) -> NDArray[np.int64]:
    rows = [(row, one.block.number, one.block.time, one.index) for row, one in slow]
    return np.array(rows, np.int64).reshape(-1, 4).T.copy()


def _amounts_of(units: Sequence[int]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    small = [0 if one >= _WORD**2 else one for one in units]
    return (
        np.array([one % _WORD for one in small], np.uint64),
        np.array([one // _WORD for one in small], np.uint64),
    )


def _in_text(slow: Sequence[Numbered], bad: tuple[Rejected, ...]) -> Batch:
    """A batch of a chain whose addresses are text."""
    ends = [_ends_of(transfer) for _, transfer in slow]
    columns = _numbers_of(slow)
    return Batch(
        columns[0],
        columns[1],
        columns[2],
        columns[3].astype(np.int32),
        pa.array([bytes.fromhex(transfer.id.tx) for _, transfer in slow], pa.binary(32)),
        _dictionary(_texts_of([transfer.id.position for _, transfer in slow])),
        _dictionary(_texts_of([transfer.asset.contract for _, transfer in slow])),
        pa.array([end[0] for end in ends], pa.string()),
        pa.array([end[1] for end in ends], pa.string()),
        np.array([end[2] for end in ends], np.uint8),
        np.array([end[3] for end in ends], np.uint8),
        *_amounts_of([transfer.units for _, transfer in slow]),
        {at: one.units for at, (_, one) in enumerate(slow) if one.units >= _WORD**2},
        bad,
    )


def coin_batch_of(
    read: Sequence[Numbered], bad: Iterable[Rejected], found: CoinBatch | None = None
) -> CoinBatch | None:
    """Whole UTXO transactions as one batch, in the order of the rows; None where there is nothing at all.

    `read` were read one by one, `found` by columns.
    """
    large = [number for number, one in read if any(leg.units >= _WORD**2 for leg in one.inputs + one.outputs)]
    beyond = [Rejected(number, "an amount of 2**128 or more: no such chain has as much") for number in large]
    read = [(number, one) for number, one in read if number not in set(large)]
    bad = tuple(sorted([*bad, *beyond], key=lambda one: one.row))
    if found is not None and not read:
        return replace(found, rejected=bad) if len(found.rows) or bad else None
    if not (read or bad):
        return None
    batch = _coins_of(read, bad)
    return batch if found is None else _both(batch, found)


def _coins_of(read: Sequence[Numbered], bad: tuple[Rejected, ...]) -> CoinBatch:
    sides = [(one.inputs, one.outputs) for _, one in read]
    flat: list[tuple[int, bool, Leg]] = [
        (at, output, leg) for at, both in enumerate(sides) for output in (False, True) for leg in both[output]
    ]
    columns = _numbers_of(read)
    points = [leg.holding if isinstance(leg.holding, Outpoint) else None for _, _, leg in flat]
    return CoinBatch(
        columns[0],
        columns[1],
        columns[2],
        columns[3].astype(np.int32),
        pa.array([bytes.fromhex(one.id.tx) for _, one in read], pa.binary(32)),
        np.array([at for at, _, _ in flat], np.int64),
        np.array([output for _, output, _ in flat], np.bool_),
        pa.array([bytes.fromhex(point.tx) if point else None for point in points], pa.binary(32)),
        np.array([point.index if point else 0 for point in points], np.int64),
        np.array([_sink_of(leg) for _, _, leg in flat], np.uint8),
        pa.array([leg.address.text if leg.address else "" for _, _, leg in flat], pa.string()),
        *_amounts_of([leg.units for _, _, leg in flat]),
        bad,
    )


def _both(one: CoinBatch, other: CoinBatch) -> CoinBatch:
    """Two batches of different rows as one, in the order of the rows."""
    order = np.argsort(np.concatenate((one.rows, other.rows)), kind="stable")
    place = np.argsort(order, kind="stable")  # where each transaction has come to stand
    of = place[np.concatenate((one.leg_of, other.leg_of + len(one.rows)))]
    legs = np.argsort(of, kind="stable")
    joined: dict[str, Any] = {"leg_of": of[legs], "rejected": one.rejected + other.rejected}
    for name in CoinBatch.__dataclass_fields__:
        if name not in joined:
            first, second = getattr(one, name), getattr(other, name)
            by = order if name in ("rows", "block", "time", "index", "tx") else legs
            if isinstance(first, np.ndarray):
                joined[name] = np.concatenate((first, second))[by]
            else:
                joined[name] = pa.concat_arrays([first, second.cast(first.type)]).take(pa.array(by))
    return CoinBatch(**joined)


def _sink_of(leg: Leg) -> int:
    return SINK_CODES[leg.holding.kind] if isinstance(leg.holding, Sink) else 0
