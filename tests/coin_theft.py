"""A theft carried out on a litecoind of the test's own, and where every base unit of it is in the end.

The victim pays the thief. Four hops on, through a split, a note in OP_RETURN and a consolidation, most of it lies at
an exchange's hot wallet; a rest is kept, and the fees are gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from litecoin_node import COIN, LitecoinNode

FEE = 1_000
LOST = 8 * COIN


@dataclass(frozen=True)
class Theft:
    """`start` is the loss as a victim names it; `ends` are address (or sink) -> base units, all of it."""

    start: str
    hot_wallet: str
    ends: dict[str, int]
    people: dict[str, str]
    txs: dict[str, str]


def steal(node: LitecoinNode) -> Theft:
    """Carry it out, each step in a block of its own but the last two, which share one."""
    node.mine(102)
    names = ("victim", "change", "thief", "left", "right", "mule", "purse", "joint", "hot", "kept")
    kinds = {"thief": "legacy", "left": "p2sh-segwit", "joint": "legacy"}
    who = {name: node.address(kinds.get(name, "bech32")) for name in names}
    txs: dict[str, str] = {}

    def pay(name: str, inputs: list[tuple[str, int]], **outputs: int) -> str:
        txs[name] = node.spend(inputs, [(who.get(to, to), units) for to, units in outputs.items()])
        return txs[name]

    reward = node.call("getblock", node.call("getblockhash", 1), 1)["tx"][0]
    funded = node.spend([(reward, 0)], [(who["victim"], 10 * COIN), (node.miner, 40 * COIN - FEE)])
    node.mine()
    paid = pay("paid", [(funded, 0)], thief=LOST, change=2 * COIN - FEE)
    node.mine()
    split = pay("split", [(paid, 0)], left=5 * COIN, data=0, right=3 * COIN - FEE)
    node.mine()
    one = pay("one", [(split, 0)], mule=5 * COIN - FEE)
    two = pay("two", [(split, 2)], purse=3 * COIN - 2 * FEE)
    node.mine()
    joined = pay("joined", [(one, 0), (two, 0)], joint=LOST - 4 * FEE)
    pay("cashed", [(joined, 0)], hot=7 * COIN, kept=COIN - 5 * FEE)
    node.mine(2)
    ends = {who["hot"]: 7 * COIN, who["kept"]: COIN - 5 * FEE, "fee": 5 * FEE}
    assert sum(ends.values()) == LOST
    return Theft(f"{paid}:0", who["hot"], ends, who, txs)


__all__ = ["FEE", "LOST", "Theft", "steal"]
