"""Random coins that move between a few wallets: transactions with several inputs and outputs, for fakes to serve."""

from __future__ import annotations

import hashlib
import random

from tracer.addresses import parse
from tracer.values import Address, Block, Chain, Leg, SinkKind, Transfer, TransferId

BITCOIN = Chain.named("bitcoin")
WALLETS = tuple(
    parse(text, BITCOIN)
    for text in (
        "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3",
        "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    )
)


Coin = tuple[tuple[str, int], Address, int]  # (transaction, number of its output), owner, units


def random_coins(chance: random.Random) -> tuple[list[Transfer], Address]:
    """Transfers in the order of the chain, in blocks 1 to 30, and the wallet to ask about."""
    held: list[Coin] = []
    rows: list[Transfer] = []
    blocks = sorted(chance.randint(1, 30) for _ in range(chance.choice([0, 3, 9, 18])))
    for number, block in enumerate(blocks):
        tx = hashlib.sha256(f"coin {number} {chance.random()}".encode()).hexdigest()
        spent = chance.sample(held, min(len(held), chance.choice([0, 1, 1, 2, 3])))
        held = [one for one in held if one not in spent]
        inputs = tuple(_leg(*one) for one in spent)
        total = sum(leg.units for leg in inputs)
        if not inputs:
            total = chance.choice([5_000_000_000, 2**51 - 1, 4])
            inputs = (Leg.sink(BITCOIN.coin, SinkKind.ISSUE, total),)
        fee = chance.choice([0, 1, 2]) if spent and total > 10 else 0
        parts = [total - fee]
        if parts[0] > 10 and chance.random() < 0.7:
            cut = chance.randint(1, parts[0] - 1)
            parts = [cut, parts[0] - cut]
        made = [((tx, at), chance.choice(WALLETS), units) for at, units in enumerate(parts)]
        held += made
        outputs = tuple(_leg(*one) for one in made)
        if fee:
            outputs += (Leg.sink(BITCOIN.coin, SinkKind.FEE, fee),)
        where = Block(block, 1_600_000_000 + 600 * block)
        rows.append(Transfer(TransferId(BITCOIN, tx), where, number, BITCOIN.coin, inputs, outputs, ("made up#0",)))
    return rows, WALLETS[0]


def _leg(point: tuple[str, int], owner: Address, units: int) -> Leg:
    return Leg.coin(*point, BITCOIN, units, owner)
