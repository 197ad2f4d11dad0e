"""What an account holds, by TronGrid's record of it: coin, frozen coin included, and tokens of both kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.fields import address, number_in, units_in
from connectors.tron.assets import TRON, TRX
from tracer.errors import BadRow
from tracer.values import Asset

_LISTS = (("frozen", "frozen_balance"), ("frozenV2", "amount"), ("unfrozenV2", "unfreeze_amount"))
_DELEGATED = (
    "delegated_frozen_balance_for_bandwidth", "delegated_frozen_balance_for_energy",
    "delegated_frozenV2_balance_for_bandwidth", "delegated_frozenV2_balance_for_energy",
)  # fmt: skip


def held(rows: Sequence[Mapping[str, object]], assets: Sequence[Asset]) -> dict[Asset, int]:
    """Base units of each of `assets` that the answer of `/v1/accounts/ADDRESS` tells. Raises `BadRow`.

    No row: the account was never activated, and holds no coin. A token it does not list is not told.

    >>> held([{"balance": 5, "frozenV2": [{"amount": 2}, {"type": "ENERGY"}]}], [TRX])[TRX]
    7
    """
    if not rows:
        return {asset: 0 for asset in assets if asset == TRX}
    if len(rows) > 1:
        raise BadRow("an account is told twice")
    account = rows[0]
    told: dict[str, int] = {}
    for one in _records(account, "assetV2"):
        told[str(one.get("key"))] = number_in(one, "value")
    for one in _records(account, "trc20"):
        for contract in one:
            told[address(contract, TRON).text] = units_in(one, contract)
    found = {asset: told[asset.contract] for asset in assets if asset.contract in told and asset.chain == TRON}
    if TRX in assets:
        found[TRX] = _coin(account)
    return found


def _coin(account: Mapping[str, object]) -> int:
    """TRX at hand and all that is put away: freezing and delegating change what it may do, not whose it is."""
    resource = account.get("account_resource") or {}
    if not isinstance(resource, Mapping):
        raise BadRow("account_resource is no object")
    units = number_in(account, "balance", 0)
    units += sum(number_in(one, field, 0) for name, field in _LISTS for one in _records(account, name))
    units += sum(number_in(part, name, 0) for part in (account, resource) for name in _DELEGATED)
    energy = resource.get("frozen_balance_for_energy")
    return units + (number_in(energy, "frozen_balance", 0) if isinstance(energy, Mapping) else 0)


def _records(account: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = account.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadRow(f"{name} is not a list of objects")
    return found


__all__ = ["held"]
