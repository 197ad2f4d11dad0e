"""Transactions that mix coins, drawn by the amounts that are paid in and come out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from graphs.coinjoins import verdicts
from tracer.addresses import parse
from tracer.values import Address, Block, Chain, Leg, SinkKind, Transfer, TransferId

BITCOIN, LITECOIN, ETHEREUM = Chain.named("bitcoin"), Chain.named("litecoin"), Chain.named("ethereum")
ONE = 10**8
TX = "ab" * 32
GENERAL = ("blocksci", "joinmarket-dumplings", "joinmarket-graphsense")


def owner(name: object, kind: str = "key hash") -> Address | None:
    """An address of that kind, the same for the same name."""
    from base58_bech32 import base58, bech32

    digest = hashlib.sha256(repr(name).encode()).digest()
    if kind == "bare":
        return None
    if kind in ("legacy", "script"):
        version = bytes([0 if kind == "legacy" else 5])
        return parse(base58.b58encode_check(version + digest[:20], in_size=21).decode(), BITCOIN)
    witness, program = {"key hash": (0, digest[:20]), "script hash": (0, digest), "taproot": (1, digest)}[kind]
    return parse(bech32.bech32_encode("bc", [witness, *bech32.convertbits(program, 8, 5)]).decode(), BITCOIN)


Coin = tuple[int, Address | None]


def coins(units: Sequence[int], side: str, kind: str = "key hash") -> list[Coin]:
    """Coins of these units, each at an address of its own."""
    return [(one, owner((side, place), kind)) for place, one in enumerate(units)]


def spend(
    paid: Sequence[Coin], got: Sequence[Coin], height: int = 800_000, marks: int = 0, chain: Chain = BITCOIN
) -> Transfer:
    """The transaction that spends `paid` into `got` and `marks` outputs of OP_RETURN; what is left is the fee."""
    inputs = tuple(Leg.coin(f"{n:064x}", 0, chain, units, address) for n, (units, address) in enumerate(paid))
    outputs = [Leg.coin(TX, n, chain, units, address) for n, (units, address) in enumerate(got)]
    outputs += [Leg.sink(chain.coin, SinkKind.UNSPENDABLE, 0)] * marks
    fee = sum(units for units, _ in paid) - sum(units for units, _ in got)
    outputs += [Leg.sink(chain.coin, SinkKind.FEE, fee)] if fee else []
    return Transfer(TransferId(chain, TX), Block(height, 1), 0, chain.coin, inputs, tuple(outputs), ("drawn#1",))


def mix(paid: Sequence[int], got: Sequence[int], height: int = 800_000, marks: int = 0) -> Transfer:
    """A transaction of which every input and output has an address of its own."""
    return spend(coins(paid, "in"), coins(got, "out"), height, marks)


def yes(transfer: Transfer) -> set[str]:
    """The rules that hold."""
    return {name for name, holds in verdicts(transfer).items() if holds}
