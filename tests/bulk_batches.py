"""Transfers written to a file and read back as batches: a stand-in for the readers of formats, in a few plain lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.batch import SINK_CODES, Batch, CoinBatch, Rejected
from connectors.transfer_rows import record_of, transfer_of
from tracer.errors import FundtrailError
from tracer.values import Address, Chain, Family, Leg, Outpoint, Sink, Slot, Transfer

Numbered = tuple[int, Transfer]
_WORD = 2**64


def write(path: Path, transfers: Iterable[Transfer]) -> Path:
    """A file of one JSON record a line; a line can also be spoilt by whoever writes it."""
    path.write_text("".join(json.dumps(record_of(one)) + "\n" for one in transfers))
    return path


@dataclass
class JsonReader:
    """Reads such files, `size` rows to a batch. `hook` is called before each."""

    chain: Chain
    size: int = 7
    name: str = "json records"
    assets: dict[str, tuple[str, int]] = field(default_factory=dict)

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
        with path.open() as stream:
            lines = islice(enumerate(stream, 1), skip_rows, None)
            while some := list(islice(lines, self.size)):
                yield self._batch(some)

    def _batch(self, lines: Sequence[tuple[int, str]]) -> Batch | CoinBatch:
        read: list[Numbered] = []
        bad: list[Rejected] = []
        for number, line in lines:
            try:
                record = json.loads(line)
                transfer = transfer_of(record, "sha256:0")
            except (ValueError, FundtrailError) as error:
                bad.append(Rejected(number, str(error)))
            else:
                asset = transfer.asset
                if asset.contract:
                    self.assets[asset.contract] = (asset.symbol, asset.decimals)
                read.append((number, transfer))
        make = coin_batch if self.chain.family is Family.BITCOIN else account_batch
        return make(read, tuple(bad))


def account_batch(read: Sequence[Numbered], bad: tuple[Rejected, ...] = ()) -> Batch:
    """One leg a side, as columns."""
    evm = not read or read[0][1].id.chain.family is Family.EVM
    transfers = [one for _, one in read]
    payers, payees = ([getattr(one, side)[0] for one in transfers] for side in ("inputs", "outputs"))
    units = [one.units for one in transfers]
    large = {at: amount for at, amount in enumerate(units) if amount >= 2**128}
    fits = [0 if amount >= 2**128 else amount for amount in units]
    return Batch(
        np.array([row for row, _ in read], np.int64),
        np.array([one.block.number for one in transfers], np.int64),
        np.array([one.block.time for one in transfers], np.int64),
        np.array([one.index for one in transfers], np.int32),
        _hashes([one.id.tx for one in transfers]),
        pa.array([one.id.position for one in transfers], pa.string()),
        pa.array([one.asset.contract for one in transfers], pa.string()).dictionary_encode(),
        _places(payers, evm),
        _places(payees, evm),
        _sinks(payers),
        _sinks(payees),
        np.array([amount % _WORD for amount in fits], np.uint64),
        np.array([amount // _WORD for amount in fits], np.uint64),
        large,
        bad,
    )


def coin_batch(read: Sequence[Numbered], bad: tuple[Rejected, ...] = ()) -> CoinBatch:
    """All legs of each transaction, as columns."""
    transfers = [one for _, one in read]
    legs = [
        (at, side, leg)
        for at, one in enumerate(transfers)
        for side in (0, 1)
        for leg in (one.inputs, one.outputs)[side]
    ]
    points = [leg.holding if isinstance(leg.holding, Outpoint) else None for _, _, leg in legs]
    return CoinBatch(
        np.array([row for row, _ in read], np.int64),
        np.array([one.block.number for one in transfers], np.int64),
        np.array([one.block.time for one in transfers], np.int64),
        np.array([one.index for one in transfers], np.int32),
        _hashes([one.id.tx for one in transfers]),
        np.array([at for at, _, _ in legs], np.int64),
        np.array([side for _, side, _ in legs], np.bool_),
        pa.array([bytes.fromhex(point.tx) if point else None for point in points], pa.binary(32)),
        np.array([point.index if point else 0 for point in points], np.int64),
        _sinks([leg for _, _, leg in legs]),
        pa.array([leg.address.text if leg.address else "" for _, _, leg in legs], pa.string()),
        np.array([leg.units % _WORD for _, _, leg in legs], np.uint64),
        np.array([leg.units // _WORD for _, _, leg in legs], np.uint64),
        bad,
    )


def _hashes(texts: Sequence[str]) -> pa.Array:
    if any(len(text.removeprefix("0x")) != 64 for text in texts):
        return pa.array(texts, pa.large_string())
    return pa.array([bytes.fromhex(text.removeprefix("0x")) for text in texts], pa.binary(32))


def _places(legs: Sequence[Leg], evm: bool) -> pa.Array:
    addresses: list[Address | None] = [leg.holding.address if isinstance(leg.holding, Slot) else None for leg in legs]
    if evm:
        return pa.array([bytes.fromhex(one.text[2:]) if one else None for one in addresses], pa.binary(20))
    return pa.array([one.text if one else None for one in addresses], pa.string())


def _sinks(legs: Sequence[Leg]) -> NDArray[np.uint8]:
    return np.array([SINK_CODES[leg.holding.kind] if isinstance(leg.holding, Sink) else 0 for leg in legs], np.uint8)
