"""Raw Bitcoin blocks as our transfers, for tests: a parser of its own, and the two real blocks that have prevouts.

Formats: the block as nodes send it (BIP144 where it has witnesses); `-undo.raw` of bcoin, the spent outputs in the
order of the inputs; the utxostore of btcd, one entry per outpoint with amount and script compressed.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tracer.addresses import base58
from tracer.values import Address, Chain, Leg, SinkKind, Transfer, TransferId
from tracer.values import Block as BlockId

BITCOIN = Chain.named("bitcoin")
BTC = BITCOIN.coin
FOLDER = Path(__file__).parents[1].parent / "shared" / "data" / "btc-blocks"
# Skipped where the data are absent, except in CI, where the tests then run and fail for want of them.
_ABSENT = not FOLDER.exists() and os.environ.get("CI") != "true"
needs_blocks = pytest.mark.skipif(_ABSENT, reason="the real blocks are not beside the repository")

Point = tuple[str, int]  # transaction and number of its output


@dataclass(frozen=True, slots=True)
class Output:
    """An amount and the script that guards it."""

    units: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Input:
    """What is spent, and with what."""

    point: Point
    script: bytes
    sequence: int
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction. `txid` is as people write it."""

    txid: str
    version: int
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    locktime: int

    @property
    def coinbase(self) -> bool:
        """True for the one that issues coins."""
        return self.inputs[0].point == ("0" * 64, 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class RawBlock:
    """One block, `merkle` the root that its header states."""

    hash: str
    merkle: str
    time: int
    transactions: tuple[Transaction, ...]


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        part = self.data[self.at : self.at + length]
        if len(part) != length:
            raise ValueError(f"the data end at {len(self.data)}, {length} bytes wanted at {self.at}")
        self.at += length
        return part

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def size(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << (first - 0xFC))

    def text(self) -> bytes:
        return self.take(self.size())

    def vlq(self) -> int:
        """btcd's and Bitcoin Core's variable length number, of which every value has one spelling."""
        value = 0
        while True:
            byte = self.number(1)
            value = (value << 7) | (byte & 0x7F)
            if byte < 0x80:
                return value
            value += 1


def _named(data: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()[::-1].hex()


def sized(data: bytes) -> bytes:
    """Bytes with their length before them, as in a transaction."""
    return _size(len(data)) + data


def _size(number: int) -> bytes:
    for length, mark in ((2, 0xFD), (4, 0xFE)):
        if number < 0xFD:
            break
        if number < 1 << 8 * length:
            return bytes([mark]) + number.to_bytes(length, "little")
    return bytes([number])


def serialised(tx: Transaction, witness: bool = False) -> bytes:
    """The transaction as bytes again, with its witnesses or as its txid is made."""
    body = _size(len(tx.inputs))
    for one in tx.inputs:
        body += bytes.fromhex(one.point[0])[::-1] + one.point[1].to_bytes(4, "little")
        body += sized(one.script) + one.sequence.to_bytes(4, "little")
    body += _size(len(tx.outputs)) + b"".join(out.units.to_bytes(8, "little") + sized(out.script) for out in tx.outputs)
    if witness:
        stacks = (_size(len(one.witness)) + b"".join(map(sized, one.witness)) for one in tx.inputs)
        body = b"\x00\x01" + body + b"".join(stacks)
    return tx.version.to_bytes(4, "little") + body + tx.locktime.to_bytes(4, "little")


def parse(data: bytes) -> RawBlock:
    """A block from its bytes, every one of which must be read. Raises `ValueError`."""
    stream = _Bytes(data)
    header = stream.take(80)
    found = tuple(_transaction(stream) for _ in range(stream.size()))
    if stream.at != len(data):
        raise ValueError(f"{len(data) - stream.at} bytes are left after the last transaction")
    return RawBlock(_named(header), header[36:68][::-1].hex(), int.from_bytes(header[68:72], "little"), found)


def _transaction(stream: _Bytes) -> Transaction:
    version = stream.number(4)
    count = stream.size()
    segwit = count == 0
    if segwit:
        if stream.number(1) != 1:
            raise ValueError("a transaction without inputs")
        count = stream.size()
    inputs = tuple(
        Input((stream.take(32)[::-1].hex(), stream.number(4)), stream.text(), stream.number(4)) for _ in range(count)
    )
    outputs = tuple(Output(stream.number(8), stream.text()) for _ in range(stream.size()))
    if segwit:
        inputs = tuple(
            Input(one.point, one.script, one.sequence, tuple(stream.text() for _ in range(stream.size())))
            for one in inputs
        )
    tx = Transaction("", version, inputs, outputs, stream.number(4))
    return Transaction(_named(serialised(tx)), version, inputs, outputs, tx.locktime)


def merkle_root(txids: Sequence[str]) -> str:
    """The root over transactions in their order, which the header of their block commits to."""
    row = [bytes.fromhex(txid)[::-1] for txid in txids]
    while len(row) > 1:
        row += row[-1:] if len(row) % 2 else []
        row = [bytes.fromhex(_named(one + two))[::-1] for one, two in zip(row[::2], row[1::2], strict=True)]
    return row[0][::-1].hex()


def address_of(script: bytes) -> Address | None:
    """The address that stands for the script; None where there is none, as for a bare key or bare multisig."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return Address(BITCOIN, base58.write(0, script[3:23]))
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return Address(BITCOIN, base58.write(5, script[2:22]))
    opcode = script[0] if script else None
    program = script[2:]
    if opcode is None or not 2 <= len(program) <= 40 or script[1] != len(program):
        return None
    if (opcode == 0 and len(program) in (20, 32)) or 0x51 <= opcode <= 0x60:
        return Address(BITCOIN, _bech32(max(0, opcode - 0x50), program))
    return None


def _bech32(version: int, program: bytes) -> str:
    from base58_bech32 import bech32

    return bech32.bech32_encode("bc", [version, *bech32.convertbits(program, 8, 5)]).decode("ascii")


def unspendable(script: bytes) -> bool:
    """True for OP_RETURN."""
    return script[:1] == b"\x6a"


def transfers(block: RawBlock, height: int, prevouts: Mapping[Point, Output], name: str = "") -> list[Transfer]:
    """One transfer for each transaction, in the order of the block, with the fee as its last output.

    `prevouts` are the outputs that the block spends; those it makes itself need not be among them.
    """
    name = name or f"block{height}"
    known = dict(prevouts) | made_in(block)
    fees = sum(fee_of(tx, known) for tx in block.transactions if not tx.coinbase)
    return [
        Transfer(
            TransferId(BITCOIN, tx.txid),
            BlockId(height, block.time, block.hash),
            place,
            BTC,
            _issued(tx, height, fees) if tx.coinbase else tuple(_spent(one.point, known) for one in tx.inputs),
            (*_got(tx), *_fee(0 if tx.coinbase else fee_of(tx, known))),
            (f"{name}#{place}",),
        )
        for place, tx in enumerate(block.transactions)
    ]


def made_in(block: RawBlock) -> dict[Point, Output]:
    """Every output that the block makes."""
    return {(tx.txid, n): output for tx in block.transactions for n, output in enumerate(tx.outputs)}


def fee_of(tx: Transaction, known: Mapping[Point, Output]) -> int:
    """What the inputs hold more than the outputs."""
    return sum(known[one.point].units for one in tx.inputs) - sum(output.units for output in tx.outputs)


def subsidy(height: int) -> int:
    """New coins of a block."""
    return 50 * 10**8 >> height // 210_000


def _issued(tx: Transaction, height: int, fees: int) -> tuple[Leg, ...]:
    claimed = sum(output.units for output in tx.outputs)
    if claimed > subsidy(height) + fees:
        raise ValueError(f"the coinbase claims {claimed}, more than {subsidy(height)} and fees of {fees}")
    issued = min(claimed, subsidy(height))
    return (Leg.sink(BTC, SinkKind.ISSUE, issued), *_fee(claimed - issued))


def _fee(units: int) -> tuple[Leg, ...]:
    return (Leg.sink(BTC, SinkKind.FEE, units),) if units else ()


def _spent(point: Point, known: Mapping[Point, Output]) -> Leg:
    return Leg.coin(*point, BITCOIN, known[point].units, address_of(known[point].script))


def _got(tx: Transaction) -> tuple[Leg, ...]:
    return tuple(
        Leg.sink(BTC, SinkKind.UNSPENDABLE, output.units)
        if unspendable(output.script)
        else Leg.coin(tx.txid, n, BITCOIN, output.units, address_of(output.script))
        for n, output in enumerate(tx.outputs)
    )


def read_undo(data: bytes, block: RawBlock) -> dict[Point, Output]:
    """bcoin's undo data: amount and script of every output that the block spends, in the order of the inputs."""
    stream = _Bytes(data)
    points = [one.point for tx in block.transactions if not tx.coinbase for one in tx.inputs]
    spent = {point: Output(stream.number(8), stream.text()) for point in points}
    if stream.at != len(data):
        raise ValueError(f"{len(data) - stream.at} bytes are left after the last spent output")
    return spent


def read_utxostore(data: bytes) -> dict[Point, Output]:
    """btcd's utxostore: transaction, number, length and (origin, amount, script) of each output."""
    stream, found = _Bytes(data), {}
    while stream.at < len(data):
        point = stream.take(32)[::-1].hex(), stream.number(4)
        entry = _Bytes(stream.take(stream.number(4)))
        entry.vlq()  # height of its block, and whether a coinbase made it
        found[point] = Output(_amount(entry.vlq()), _script(entry))
        if entry.at != len(entry.data):
            raise ValueError(f"bytes are left after the script of {point}")
    return found


def _amount(packed: int) -> int:
    """Amounts are stored by their digits without zeros at the end: [number, last digit, how many zeros]."""
    if packed == 0:
        return 0
    rest, zeros = divmod(packed - 1, 10)
    if zeros == 9:
        return int((rest + 1) * 10**9)
    number, digit = divmod(rest, 9)
    return int((number * 10 + digit + 1) * 10**zeros)


def _script(entry: _Bytes) -> bytes:
    kind = entry.vlq()
    if kind == 0:
        return b"\x76\xa9\x14" + entry.take(20) + b"\x88\xac"
    if kind == 1:
        return b"\xa9\x14" + entry.take(20) + b"\x87"
    if kind in (2, 3):
        return b"\x21" + bytes([kind]) + entry.take(32) + b"\xac"
    if kind in (4, 5):
        return b"\x41\x04" + _both(entry.take(32), kind - 4) + b"\xac"
    return entry.take(kind - 6)


def _both(x: bytes, odd: int) -> bytes:
    """Both coordinates of a key on secp256k1 from one and the parity of the other."""
    prime = 2**256 - 2**32 - 977
    y = pow(int.from_bytes(x, "big") ** 3 + 7, (prime + 1) // 4, prime)
    return x + (y if y % 2 == odd else prime - y).to_bytes(32, "big")


def _packed(name: str) -> bytes:
    path = FOLDER / name
    return bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()


def unframed(data: bytes) -> list[bytes]:
    """Blocks from a file in which each has the network's mark and its length before it."""
    stream, found = _Bytes(data), []
    while stream.at < len(data):
        if stream.take(4) != b"\xf9\xbe\xb4\xd9":
            raise ValueError(f"no block begins at {stream.at - 4}")
        found.append(stream.take(stream.number(4)))
    return found


@cache
def block_300025() -> tuple[RawBlock, dict[Point, Output]]:
    """The block of 10 May 2014, and what it spends."""
    block = parse(_packed("block300025.raw"))
    return block, read_undo(_packed("block300025-undo.raw"), block)


@cache
def block_277647() -> tuple[RawBlock, dict[Point, Output]]:
    """The block of 30 December 2013, and what it spends of earlier blocks."""
    (data,) = unframed(_packed("277647.dat.bz2"))
    return parse(data), read_utxostore(_packed("277647.utxostore.bz2"))


WITH_PREVOUTS: dict[int, Callable[[], tuple[RawBlock, dict[Point, Output]]]] = {
    277647: block_277647,
    300025: block_300025,
}
WHOLE = (
    "block300025.raw",
    "block426884.raw",
    "block702861.raw",
    "block-0000000000000000001602407ac49862a7bca9d00f7f402db20b7be2f5de59d2.blk",
    "block-00000000000000000021868c2cefc52a480d173c849412fe81c4e5ab806f94ab.blk",
)


@cache
def whole(name: str) -> tuple[RawBlock, bytes]:
    """One of the files in WHOLE, and its bytes."""
    data = _packed(name)
    return parse(data), data


@cache
def told() -> tuple[RawBlock, bytes, tuple[str, ...]]:
    """Block 951658 of 2026, its bytes, and its transactions as the node that sent it names them."""
    answer = json.loads(_packed("bitcoin_mainnet_951658.json"))
    data = bytes.fromhex(answer["block"])
    return parse(data), data, tuple(answer["tx"])


@cache
def first_blocks() -> list[RawBlock]:
    """Blocks 1 to 255, for all that the file is called (it begins after the genesis block)."""
    return [parse(data) for data in unframed(_packed("blocks1-256.bz2"))]
