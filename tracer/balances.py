"""Balance assertions: what a source says an address holds, beside the sum of what was read of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tracer.values import Address, Asset, Transfer


@dataclass(frozen=True, slots=True)
class Balance:
    """What a source says that an address holds of `asset` after `block`, beside the sum of what was read of it.

    >>> from tracer.values import Chain
    >>> Balance(Chain.named("ethereum").coin, 7, stated=10, counted=12).residue
    -2
    """

    asset: Asset
    block: int
    stated: int
    counted: int  # may be negative: what was read paid more than it got

    @property
    def residue(self) -> int:
        """Base units that what was read does not explain: 0 is a proof that nothing is missing on balance."""
        return self.stated - self.counted


def counted(address: Address, transfers: Iterable[Transfer]) -> dict[Asset, int]:
    """What `address` has of each asset if these transfers are all: inflow less outflow, in base units.

    A transfer that stands there twice counts once. Less than nothing means that inflow is missing.
    """
    found: dict[Asset, int] = {}
    for transfer in {transfer.id: transfer for transfer in transfers}.values():
        for sign, legs in ((-1, transfer.inputs), (1, transfer.outputs)):
            for leg in legs:
                if leg.address == address:
                    found[transfer.asset] = found.get(transfer.asset, 0) + sign * leg.units
    return found
