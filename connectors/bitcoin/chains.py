"""What the chains of the Bitcoin family are known by, and when a block of theirs counts as final.

Genesis blocks: `chainparams.cpp` of Bitcoin Core, Litecoin Core, Dogecoin Core and Bitcoin Cash Node. Bitcoin Cash
shares Bitcoin's genesis block and all blocks below 478,559, so that one tells them apart.
"""

from __future__ import annotations

from tracer.values import Chain

#: Hash of block 0 -> the chains that begin with it; the first is meant where nothing tells them apart.
GENESIS: dict[str, tuple[str, ...]] = {
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f": ("bitcoin", "bitcoin-cash"),
    "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943": ("bitcoin-testnet", "bitcoin-cash-testnet"),
    "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043": ("bitcoin-testnet",),
    "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6": ("bitcoin-testnet",),
    "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206": ("bitcoin-regtest", "bitcoin-cash-regtest"),
    "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2": ("litecoin",),
    "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0": ("litecoin-testnet",),
    "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9": ("litecoin-regtest",),
    "1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691": ("dogecoin",),
    "bb0a78264637406b6360aad926284d544d7049f45189db5664f3c4d07350559e": ("dogecoin-testnet",),
    "3d2160a3b5dc4a9d62e7e66a295f70313ac808440ef7400d6c0772171ce973a5": ("dogecoin-regtest",),
}
FORK = 478_559  # the first block that Bitcoin and Bitcoin Cash do not share
FORKED: dict[str, str] = {
    "00000000000000000019f112ec0a9982926f1258cdcc558dd7c3b7e5dc7fa148": "bitcoin",
    "000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec": "bitcoin-cash",
}

#: Confirmations after which a block counts as final (docs/decisions/0020). A block at the tip has one.
CONFIRMATIONS = {"bitcoin": 6, "litecoin": 12, "dogecoin": 40, "bitcoin-cash": 10}

#: Blocks from one halving to the next, where each began with 50 coins a block. Dogecoin has no such schedule.
HALVINGS = {
    "bitcoin": 210_000, "bitcoin-testnet": 210_000, "bitcoin-regtest": 150,
    "bitcoin-cash": 210_000, "bitcoin-cash-testnet": 210_000, "bitcoin-cash-regtest": 150,
    "litecoin": 840_000, "litecoin-testnet": 840_000, "litecoin-regtest": 150,
}  # fmt: skip
_COIN = 10**8


def final_block(chain: Chain, tip: int) -> int | None:
    """The newest block that counts as final while `tip` is the newest, None where none does.

    >>> final_block(Chain.named("bitcoin"), 100), final_block(Chain.named("bitcoin"), 4)
    (95, None)
    """
    name = chain.name.removesuffix("-testnet").removesuffix("-regtest")
    final = tip - CONFIRMATIONS[name] + 1
    return final if final >= 0 else None


def new_coins(chain: Chain, height: int, claimed: int) -> int:
    """How much of what a coinbase claims is new: all of it where the chain's schedule is not known.

    >>> new_coins(Chain.named("bitcoin"), 840_000, 437_500_000)
    312500000
    """
    every = HALVINGS.get(chain.name)
    return min(claimed, 50 * _COIN >> height // every) if every else claimed


__all__ = ["CONFIRMATIONS", "FORK", "FORKED", "GENESIS", "HALVINGS", "final_block", "new_coins"]
