"""The venues of an answer: which exchange wallets stolen value came to, directly or through deposit addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cases.answer_ends import Rest
from graphs.deposits import Deposit, deposit
from graphs.following import Following
from graphs.origins import Origins
from graphs.stops import StopRules
from tracer.labels import Label, LabelBook, Role
from tracer.lots import Rule
from tracer.trace import StopCode
from tracer.values import Address, Asset


@dataclass(slots=True)
class _Venue:
    """What came to one wallet of an exchange in one asset; `wallet` None where only a deposit address is labelled."""

    wallet: Address | None
    asset: Asset
    label: str
    entity: str
    through: set[Address] = field(default_factory=set)
    deposited: dict[Rule, int] = field(default_factory=dict)
    swept: int = 0
    direct: dict[Rule, int] = field(default_factory=dict)


def venues_part(
    following: Following | Origins, rests: Sequence[Rest], chosen: Sequence[Rule], labels: LabelBook, rules: StopRules
) -> list[dict[str, Any]]:
    """Per wallet and asset: at its deposit addresses (inferred), swept to it from there (recorded), come direct.

    `swept` is in that asset; what is inferred is in the stolen one, whatever it was exchanged for.
    """
    found: dict[tuple[str, str, str], _Venue] = {}

    def venue(wallet: Address | None, claim: Label | None, asset: Asset, name: str = "") -> _Venue:
        own = _exchange(labels, wallet, rules) or claim
        entity = own.entity if own else name
        made = _Venue(wallet, asset, (own.name or own.entity) if own else name, entity)
        return found.setdefault((wallet.text if wallet else "", "" if wallet else entity, asset.name), made)

    for rest in rests:
        address, asset = rest.place.address, rest.place.asset
        if address is None or not any(rest.stolen(rule) for rule in chosen):
            continue
        if rest.code is StopCode.EXCHANGE:
            _add(venue(address, _exchange(labels, address, rules), asset).direct, rest, chosen)
        elif rest.code is StopCode.DEPOSIT_ADDRESS:
            reading = _reading(following, labels, rest, rules)
            if reading is None:
                at = venue(None, _exchange(labels, address, rules), asset, rest.stop.name if rest.stop else "")
            else:
                for wallet, units in _swept(reading).items():
                    swept = venue(wallet, reading.venue, asset)
                    swept.swept += units
                    swept.through.add(address)
                at = venue(reading.hot, reading.venue, asset)
            at.through.add(address)
            _add(at.deposited, rest, chosen)

    def order(one: _Venue) -> tuple[int, int, str, str, str]:
        most = max(one.deposited.get(rule, 0) + one.direct.get(rule, 0) for rule in chosen)
        return -most, -one.swept, one.wallet.text if one.wallet else "~", one.entity, one.asset.name

    return [
        {
            "address": one.wallet.text if one.wallet else None,
            "asset": one.asset.name,
            "symbol": one.asset.symbol,
            "decimals": one.asset.decimals,
            "label": one.label,
            "entity": one.entity,
            "through": [address.text for address in sorted(one.through)],
            "deposited": {str(rule): str(one.deposited.get(rule, 0)) for rule in chosen},
            "swept": str(one.swept),
            "direct": {str(rule): str(one.direct.get(rule, 0)) for rule in chosen},
        }
        for one in sorted(found.values(), key=order)
    ]


_VENUES = (Role.EXCHANGE, Role.EXCHANGE_DEPOSIT)


def _exchange(labels: LabelBook, wallet: Address | None, rules: StopRules) -> Label | None:
    claims = labels.of(wallet) if wallet is not None else ()
    told = (claim for claim in claims if claim.role in _VENUES and claim.confidence >= rules.label_confidence)
    return next(told, None)


def _reading(following: Following | Origins, labels: LabelBook, rest: Rest, rules: StopRules) -> Deposit | None:
    """How the address behaves: where a label alone calls it a deposit address, steady sweeps still name the wallet."""
    address = rest.place.address
    reading = deposit(following.ledger, labels, address, rules) if address is not None else None
    if reading is None or reading.asset != rest.place.asset:
        return None
    by_behaviour = rest.stop is not None and rest.stop.venue is not None
    return reading if by_behaviour or reading.score >= rules.deposit_score else None


def _swept(reading: Deposit) -> dict[Address, int]:
    """Base units of the recorded sweeps, by the wallet they went to."""
    units: dict[Address, int] = {}
    for sweep in reading.sweeps:
        for leg in sweep.outputs:
            if leg.address is not None:
                units[leg.address] = units.get(leg.address, 0) + leg.units
    return units


def _add(amounts: dict[Rule, int], rest: Rest, chosen: Sequence[Rule]) -> None:
    for rule in chosen:
        amounts[rule] = amounts.get(rule, 0) + rest.stolen(rule)
