"""The trace: the answer for a set of losses under one rule, a partition of every stolen unit over ends.

It closes to the base unit or it is not issued.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tracer.engine import Amounts, Moves
from tracer.errors import BooksDoNotClose
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Lot, Rule
from tracer.values import Address, Asset, Holding, Outpoint, Sink, SinkKind, TransferId


class Part(StrEnum):
    """The four parts that the books are made of: lost = ends + held + fees + not followed."""

    ENDS = "ends"  # with somebody who can be asked: an exchange, a service; or beyond tracing: a mixer, burned
    HELD = "held"  # still in wallets that were followed
    FEES = "fees"
    NOT_FOLLOWED = "not_followed"  # went on, or may have, and this trace did not go along


class StopCode(StrEnum):
    """Why a stolen unit rests where it does. Every end has exactly one."""

    EXCHANGE = "exchange"
    DEPOSIT_ADDRESS = "deposit address"
    SERVICE = "service"
    MIXER = "mixer"
    COINJOIN = "coinjoin"
    BRIDGE = "bridge"
    BURNED = "burned"
    SEIZED = "seized"
    UNSPENT = "unspent"
    DORMANT = "dormant"
    FEE = "fee"
    SUSPECTED_SERVICE = "suspected service"
    PROTOCOL = "protocol"
    DUST = "dust"
    DILUTED = "diluted"
    TIME_WINDOW = "time window"
    HOP_LIMIT = "hop limit"
    BUDGET = "budget"
    NOT_READ = "not read"
    NOT_SHOWN = "not in the data"  # backward: came from somewhere that histories read in full do not show

    @property
    def part(self) -> Part:
        """Which part of the books it belongs to."""
        return _PARTS.get(self, Part.ENDS)


_PARTS = {
    StopCode.UNSPENT: Part.HELD,
    StopCode.DORMANT: Part.HELD,
    StopCode.FEE: Part.FEES,
    StopCode.SUSPECTED_SERVICE: Part.NOT_FOLLOWED,
    StopCode.PROTOCOL: Part.NOT_FOLLOWED,
    StopCode.DUST: Part.NOT_FOLLOWED,
    StopCode.DILUTED: Part.NOT_FOLLOWED,
    StopCode.TIME_WINDOW: Part.NOT_FOLLOWED,
    StopCode.HOP_LIMIT: Part.NOT_FOLLOWED,
    StopCode.BUDGET: Part.NOT_FOLLOWED,
    StopCode.NOT_READ: Part.NOT_FOLLOWED,
    StopCode.NOT_SHOWN: Part.NOT_FOLLOWED,
}
_SINKS = {
    SinkKind.FEE: StopCode.FEE,
    SinkKind.BURN: StopCode.BURNED,
    SinkKind.UNSPENDABLE: StopCode.BURNED,
    SinkKind.ISSUE: StopCode.BURNED,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where units rest: an address's holdings of one asset, or a holding without an address."""

    asset: Asset
    address: Address | None
    holding: Holding | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Stolen units at rest. `amounts`: (label, units) per loss. `transfers`: what carried stolen units there."""

    place: Place
    stop: StopCode
    amounts: tuple[Lot, ...]
    transfers: tuple[TransferId, ...]

    @property
    def units(self) -> int:
        """All losses together."""
        return sum(units for _, units in self.amounts)


@dataclass(frozen=True, slots=True)
class Hop:
    """Stolen units that one transfer moved. `source` is None where several holdings paid, or none."""

    transfer: TransferId
    source: Address | None
    target: Address | None
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Units that left a followed wallet without having been seen to arrive: inflow that the data does not show."""

    address: Address | None
    asset: Asset
    label: int
    units: int


@dataclass(frozen=True, slots=True)
class Books:
    """The five figures that must close, in base units."""

    lost: int
    ends: int
    held: int
    fees: int
    not_followed: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Where each unit of `losses` rests under `rule`. Labels in lots are places in `losses`, from 1."""

    rule: Rule
    between: Between
    losses: tuple[Loss, ...]
    lost: tuple[Lot, ...]
    ends: tuple[End, ...]
    hops: tuple[Hop, ...]
    unseen: tuple[Unseen, ...]

    @property
    def books(self) -> Books:
        """lost = ends + held + fees + not_followed."""
        part = {part: sum(end.units for end in self.ends if end.stop.part is part) for part in Part}
        lost = sum(units for _, units in self.lost)
        return Books(lost, part[Part.ENDS], part[Part.HELD], part[Part.FEES], part[Part.NOT_FOLLOWED])


def place_of(ledger: Ledger, hid: int) -> Place:
    """Where a holding's units rest, as an end names it."""
    holding, address = ledger.holding(hid), ledger.address(hid)
    asset = holding.chain.coin if isinstance(holding, Outpoint) else holding.asset
    return Place(ledger.shown(asset), address, None if address else holding)


def issue(
    ledger: Ledger, losses: Iterable[Loss], moves: Moves, between: Between, stops: Mapping[Address, StopCode]
) -> Trace:
    """The trace of `moves`. `stops`: the code of every address where units rest; sinks have their own.

    Raises `BooksDoNotClose` if any loss does not add up to the base unit, rather than issue it.
    """
    places = _Places(ledger)
    amounts: dict[Place, Amounts] = {}
    came: dict[Place, dict[TransferId, None]] = {}
    passed: dict[int, Amounts] = {}
    for flow in moves.flows:
        came.setdefault(places[flow.target], {})[ledger.transfer(flow.ordinal).id] = None
        through = passed.setdefault(flow.target, {})
        for label, units in flow.lots:
            through[label] = through.get(label, 0) + units
    for hid, through in passed.items():
        if hid not in moves.followed:
            _add(amounts.setdefault(places[hid], {}), through.items())
    for hid, lots in moves.rest.items():
        _add(amounts.setdefault(places[hid], {}), lots)
    ends = tuple(
        End(place, _stop(place, stops), tuple(sorted(by_label.items())), tuple(came.get(place, ())))
        for place, by_label in sorted(amounts.items(), key=lambda item: _text(item[0]))
        if any(by_label.values())
    )
    trace = Trace(
        moves.rule,
        between,
        tuple(losses),
        tuple(sorted(moves.lost.items())),
        ends,
        tuple(
            Hop(
                ledger.transfer(f.ordinal).id,
                ledger.address(f.source) if f.source >= 0 else None,
                ledger.address(f.target),
                f.lots,
            )
            for f in moves.flows
        ),
        tuple(
            Unseen(ledger.address(hid), places[hid].asset, label, units)
            for hid, by_label in sorted(moves.unseen.items(), key=lambda item: _text(places[item[0]]))
            for label, units in sorted(by_label.items())
        ),
    )
    for label, lost in trace.lost:
        rests = sum(units for end in ends for of, units in end.amounts if of == label)
        if rests != lost:
            raise BooksDoNotClose(
                f"under {moves.rule} loss {label} has {lost} base units and its ends add up to {rests}",
                "this is a defect in fundtrail; keep the case file and report it",
            )
    return trace


class _Places(dict[int, Place]):
    """`place_of`, remembered: a mixer's place is asked for at each of thousands of payments."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __missing__(self, hid: int) -> Place:
        self[hid] = place_of(self._ledger, hid)
        return self[hid]


def _add(amounts: Amounts, lots: Iterable[Lot]) -> None:
    for label, units in lots:
        amounts[label] = amounts.get(label, 0) + units


def _stop(place: Place, stops: Mapping[Address, StopCode]) -> StopCode:
    if isinstance(place.holding, Sink):
        return _SINKS[place.holding.kind]
    return stops[place.address] if place.address else StopCode.UNSPENT


def _text(place: Place) -> tuple[str, str, str]:
    return place.asset.name, place.address.text if place.address else "~", repr(place.holding)
