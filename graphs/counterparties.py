"""What labels and the ledger's own record say of whoever an exchange was made with: a market, or somebody's own pool.

All of it is told from steps: no list of addresses, no knowledge of any one protocol's calls.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields

from tracer.errors import InputError
from tracer.labels import CUSTODIANS, Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.lots import apportion
from tracer.values import Address, Asset, Sink, SinkKind, Slot


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """Settings, printed with every result. Rates are what came out, in percent of what went in, by value.

    `owner_percent`: a pool of whose recorded liquidity one party brought more than this is that party's own.
    `look_back`: how many of a party's steps are looked at, nearest to the exchange first. `unlabelled`: 1 to believe
    also what anybody can make up: a wrapper or a pool without a label of its own because its own record, or the label
    of the contract that was called, speaks for it. 0 (the default) asks for a label or a price.
    """

    label_confidence: int = 20
    market_parties: int = 10
    least_percent: int = 70
    most_percent: int = 105
    owner_percent: int = 50
    look_back: int = 10_000
    unlabelled: int = 0

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if type(value) is not int or value < 0:
                raise InputError(f"{setting.name} is {value!r}", "a whole number, 0 or more")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who brought `units` of the `total` of one asset that is known to have been a pool's own, and in which steps."""

    address: Address
    asset: Asset
    units: int
    total: int
    steps: tuple[int, ...]


NOBODY = frozenset({"0x" + "0" * 40, "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"})  # the zero address, as chains write it


def claim(labels: LabelBook, address: Address, roles: Collection[Role], rules: ExchangeRules) -> Label | None:
    """The claim that decides what `address` is, of those sure enough, if it says one of `roles`."""
    sure = (label for label in labels.of(address) if label.confidence >= rules.label_confidence)
    deciding = next(sure, None)
    return deciding if deciding is not None and deciding.role in roles else None


def dealt_with(ledger: Ledger, party: Address, ordinal: int, rules: ExchangeRules) -> set[Address]:
    """Everybody who paid `party` or was paid by it directly, the step at `ordinal` apart."""
    found: set[Address] = set()
    for hid in ledger.holdings_of(party):
        for at in _near(ledger.events(hid), ordinal, rules.look_back):
            for one in ledger.movements(at):
                if any(leg == hid for leg, _ in one.inputs):
                    found |= _addresses(ledger, one.outputs)
                elif any(leg == hid for leg, _ in one.outputs):
                    found |= _addresses(ledger, one.inputs)
    return found - {party}


def customers(
    ledger: Ledger, pool: Address, pair: tuple[Asset, Asset], ordinal: int, rules: ExchangeRules
) -> dict[Address, int]:
    """Who paid `pool` one asset of `pair` in a step in which it paid out the other, and the first such step.

    Empty unless the record shows it doing so both ways: whoever only sells is not a market.
    """
    one, two = (ledger.hid(Slot(pool, asset)) for asset in pair)
    found: dict[Address, int] = {}
    ways: set[bool] = set()
    if one is None or two is None:
        return {}
    for at in _near(ledger.events(one), ordinal, rules.look_back):
        first, second = net(ledger, at, one), net(ledger, at, two)
        if first * second < 0:
            ways.add(first > 0)
            got = one if first > 0 else two
            for movement in ledger.movements(at):
                if any(hid == got for hid, _ in movement.outputs):
                    for payer in _addresses(ledger, movement.inputs) - {pool}:
                        found.setdefault(payer, at)
    return found if len(ways) == 2 else {}


def owner(
    ledger: Ledger, pool: Address, asset: Asset, moved: int, ordinal: int, rules: ExchangeRules
) -> Owner | None:  # fmt: skip
    """Who brought more than `owner_percent` of what `pool` was given of `asset` before, outside exchanges.

    It must have had at least the `moved` units that the exchange itself moved, or most of it came unseen.
    """
    hid = ledger.hid(Slot(pool, asset))
    brought: dict[Address, int] = {}
    steps: dict[Address, list[int]] = {}
    total = 0
    for at in _before(ledger.events(hid), ordinal, rules.look_back) if hid is not None else ():
        if _pays(ledger, at, pool):
            continue
        for one in ledger.movements(at):
            came = sum(units for leg, units in one.outputs if leg == hid)
            total += came
            for (payer, _), part in zip(one.inputs, apportion(came, [units for _, units in one.inputs]), strict=True):
                address = ledger.address(payer)
                if part and address is not None:
                    brought[address] = brought.get(address, 0) + part
                    steps.setdefault(address, []).append(at)
    total = max(total, moved)
    for address, units in brought.items():
        if units * 100 > total * rules.owner_percent:
            return Owner(address, asset, units, total, tuple(steps[address]))
    return None


def lets_go(
    ledger: Ledger, contract: Address, token: Asset, reserve: Asset, ordinal: int, rules: ExchangeRules
) -> tuple[int, ...]:
    """The steps in which `contract` paid out `reserve` without being given back its `token`, if that was most of it.

    A wrapper or a vault does not; whoever dresses up a wallet as one has to.
    """
    hid = ledger.hid(Slot(contract, reserve))
    back = {ledger.hid(Sink(token, SinkKind.BURN)), ledger.hid(Slot(contract, token))}
    back |= {ledger.hid(Slot(Address(contract.chain, text), token)) for text in NOBODY}
    back.discard(None)
    took = max(net(ledger, ordinal, hid), 0) if hid is not None else 0
    gone, steps = 0, []
    for at in _near(ledger.events(hid), ordinal, rules.look_back) if hid is not None else ():
        units = net(ledger, at, hid) if hid is not None else 0
        took += max(units, 0)
        if units < 0 and not any(leg in back for leg, _ in ledger.outputs(at)):
            gone -= units
            steps.append(at)
    return tuple(steps) if gone * 2 > took else ()


def net(ledger: Ledger, ordinal: int, hid: int) -> int:
    """What the holding got in the step less what it paid."""
    got = sum(units for leg, units in ledger.outputs(ordinal) if leg == hid)
    return got - sum(units for leg, units in ledger.inputs(ordinal) if leg == hid)


def custodian(labels: LabelBook, address: Address, rules: ExchangeRules) -> bool:
    """Whether others' money is what it holds: having dealt with it links nobody to its other customers."""
    return claim(labels, address, CUSTODIANS, rules) is not None


def _pays(ledger: Ledger, ordinal: int, address: Address) -> bool:
    mine = {hid for hid, _ in ledger.inputs(ordinal) if ledger.address(hid) == address}
    return any(net(ledger, ordinal, hid) < 0 for hid in mine)


def _addresses(ledger: Ledger, legs: Iterable[tuple[int, int]]) -> set[Address]:
    found = {ledger.address(hid) for hid, units in legs if units}
    return {address for address in found if address is not None and address.text not in NOBODY}


def _before(events: Sequence[int], ordinal: int, most: int) -> Sequence[int]:
    """The last `most` events before `ordinal`."""
    at = bisect_left(events, ordinal)
    return events[max(0, at - most) : at]


def _near(events: Sequence[int], ordinal: int, most: int) -> list[int]:
    """The `most` events before `ordinal` and as many after it."""
    at = bisect_left(events, ordinal)
    return [event for event in events[max(0, at - most) : at + most + 1] if event != ordinal]
