"""Losses: what a victim reports. One case holds many, and every lot says which of them it stems from."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.errors import BadAmount
from tracer.values import MAX_UNITS, Address, Asset, TransferId


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """Stolen value, and where it enters the ledger.

    With `paid`: the units of that transfer (all of them, or the first `units`); on a UTXO chain what its `output` of
    that number (from 0) got, since the rest may be change. With `wallet`: whatever of `asset`
    that wallet had, from block `since` on: each unit it is recorded to receive, and each it must have had besides
    ("inflow not in the data"); with `units` only the first so many. `victim` is the reference of who lost it.
    """

    name: str
    asset: Asset
    victim: str = ""
    paid: TransferId | None = None
    wallet: Address | None = None
    units: int | None = None
    since: int = 0
    output: int | None = None

    def __post_init__(self) -> None:
        if (self.paid is None) == (self.wallet is None):
            raise ValueError("a loss enters by one transfer or by one wallet")
        if self.units is not None and (type(self.units) is not int or not 0 < self.units <= MAX_UNITS):
            raise BadAmount(f"a loss of {self.units!r:.60} base units", "a whole number above 0")
