"""How each network of the Bitcoin family writes its addresses, as a table; a new network is one row here.

Sources: `chainparams.cpp` of Bitcoin Core, Litecoin Core, Dogecoin Core and Bitcoin Cash Node.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """The version bytes and prefixes of one network.

    The first byte of a kind is the one its nodes write; all of them are read. So Litecoin's old `3...` becomes the
    `M...` that names the same script. `segwit` and `cashaddr` are "" where the network has no such form.
    """

    key: tuple[int, ...]
    script: tuple[int, ...]
    segwit: str = ""
    cashaddr: str = ""


#: By chain name. A row whose name is not one of `tracer.values.CHAINS` is a test network: no address of it is taken
#: for a real chain, but the error names it, and a `Chain` made with that name (say for a local node) can be parsed.
NETWORKS: dict[str, Network] = {
    "bitcoin": Network(key=(0,), script=(5,), segwit="bc"),
    "bitcoin-testnet": Network(key=(111,), script=(196,), segwit="tb"),
    "bitcoin-regtest": Network(key=(111,), script=(196,), segwit="bcrt"),
    "litecoin": Network(key=(48,), script=(50, 5), segwit="ltc"),
    "litecoin-testnet": Network(key=(111,), script=(58, 196), segwit="tltc"),
    "litecoin-regtest": Network(key=(111,), script=(58, 196), segwit="rltc"),
    "dogecoin": Network(key=(30,), script=(22,)),
    "dogecoin-testnet": Network(key=(113,), script=(196,)),
    "dogecoin-regtest": Network(key=(111,), script=(196,)),
    "bitcoin-cash": Network(key=(0,), script=(5,), cashaddr="bitcoincash"),
    "bitcoin-cash-testnet": Network(key=(111,), script=(196,), cashaddr="bchtest"),
    "bitcoin-cash-regtest": Network(key=(111,), script=(196,), cashaddr="bchreg"),
}
