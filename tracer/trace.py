"""The trace: the answer for a set of losses under one rule, a partition of every stolen unit over ends.

It closes to the base unit or it is not issued.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tracer.basis import basis_of
from tracer.errors import BooksDoNotClose
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Lot, Rule
from tracer.moves import Amounts, Flow, Moves, barrier
from tracer.values import Address, Asset, Holding, Outpoint, Sink, SinkKind, Slot, TransferId


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
    INDIVISIBLE = "indivisible"  # exchanged for less than one unit of something
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
    StopCode.INDIVISIBLE: Part.NOT_FOLLOWED,
    StopCode.NOT_SHOWN: Part.NOT_FOLLOWED,
}
_SINKS = {
    SinkKind.FEE: StopCode.FEE,
    SinkKind.BURN: StopCode.BURNED,
    SinkKind.UNSPENDABLE: StopCode.BURNED,
    SinkKind.ISSUE: StopCode.BURNED,
    SinkKind.SEIZED: StopCode.SEIZED,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where units rest: an address's holdings of one asset, a holding without an address, or a transaction.

    A transaction (a `TransferId`) is where nothing is followed through it, as a CoinJoin.
    """

    asset: Asset
    address: Address | None
    holding: Holding | TransferId | None = None

    @property
    def spot(self) -> Spot | None:
        """What a stop is about; None for a sink."""
        return self.address or (None if isinstance(self.holding, Slot | Sink) else self.holding)


Spot = Address | Outpoint | TransferId


@dataclass(frozen=True, slots=True)
class End:
    """Stolen value at rest. `amounts`: (loss, units of the place's asset); `basis`: (loss, units of what was stolen).

    The two differ where value was converted on the way. `transfers`: what carried stolen value there.
    """

    place: Place
    stop: StopCode
    amounts: tuple[Lot, ...]
    basis: tuple[Lot, ...]
    transfers: tuple[TransferId, ...]

    @property
    def units(self) -> int:
        """All losses together, in the place's asset."""
        return sum(units for _, units in self.amounts)

    @property
    def stolen(self) -> int:
        """All losses together, in the stolen asset: what the books add up."""
        return sum(units for _, units in self.basis)


@dataclass(frozen=True, slots=True)
class Hop:
    """Stolen units that one transfer moved. `source` is None where several holdings paid, or none.

    `lots`: (loss, units); `basis`: (loss, what they stand for in the stolen asset, rounded down). Where it was an
    exchange, `gave` is what was given for them, as (asset, loss, units). `through`: addresses that it passed in the
    same transaction without staying.
    """

    transfer: TransferId
    source: Address | None
    target: Address | None
    lots: tuple[Lot, ...]
    basis: tuple[Lot, ...]
    gave: tuple[tuple[Asset, int, int], ...] = ()
    through: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Unseen:
    """Units that left a followed wallet without having been seen to arrive: inflow that the data does not show."""

    address: Address | None
    asset: Asset
    label: int
    units: int


@dataclass(frozen=True, slots=True)
class Books:
    """The five figures that must close, in base units of the stolen asset."""

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
        part = {part: sum(end.stolen for end in self.ends if end.stop.part is part) for part in Part}
        lost = sum(units for _, units in self.lost)
        return Books(lost, part[Part.ENDS], part[Part.HELD], part[Part.FEES], part[Part.NOT_FOLLOWED])


def place_of(ledger: Ledger, hid: int) -> Place:
    """Where a holding's units rest, as an end names it; a negative hid is a `tracer.moves.barrier`."""
    if hid < 0:
        transfer = ledger.transfer(barrier(hid))
        return Place(ledger.shown(transfer.asset), None, transfer.id)
    holding, address = ledger.holding(hid), ledger.address(hid)
    asset = holding.chain.coin if isinstance(holding, Outpoint) else holding.asset
    return Place(ledger.shown(asset), address, None if address else holding)


def issue(
    ledger: Ledger, losses: Iterable[Loss], moves: Moves, between: Between, stops: Mapping[Spot, StopCode]
) -> Trace:
    """The trace of `moves`. `stops`: the code of every spot where value rests; sinks have their own.

    Raises `BooksDoNotClose` if any loss does not add up to the base unit, rather than issue it.
    """
    places = _Places(ledger)
    losses = tuple(losses)
    by_label: dict[Place, Amounts] = {}
    came: dict[Place, dict[TransferId, None]] = {}
    came_to: dict[int, dict[TransferId, None]] = {}  # the same by holding: a place is slow to hash
    passed: dict[int, Amounts] = {}
    for flow in moves.flows:
        if flow.target not in came_to:
            came_to[flow.target] = came.setdefault(places[flow.target], {})
        came_to[flow.target][ledger.id(flow.ordinal)] = None
        _add(passed.setdefault(flow.target, {}), flow.lots)
    for hid, through in passed.items():
        if hid not in moves.followed:
            _add(by_label.setdefault(places[hid], {}), through.items())
    for hid, lots in moves.rest.items():
        _add(by_label.setdefault(places[hid], {}), lots)
    homes = {label: places[strain.hid] for label, strain in moves.strains.items()}
    if moves.strains:  # what cannot be shared out evenly goes by name, and not by which row came first
        by_label = dict(sorted(by_label.items(), key=lambda item: _text(item[0])))
    basis = basis_of(moves, by_label, homes)
    amounts: dict[Place, Amounts] = {}
    for place, lots_here in by_label.items():
        _add(amounts.setdefault(place, {}), ((moves.loss(label), units) for label, units in lots_here.items()))
    ends = []
    for place in sorted({*amounts, *basis}, key=_text):
        units, stolen = amounts.get(place, {}), basis.get(place, {})
        if any(units.values()) or any(stolen.values()):
            carried = tuple(came.get(place, ()))
            stop = _stop(place, stops, units)
            ends.append(End(place, stop, tuple(sorted(units.items())), tuple(sorted(stolen.items())), carried))
    trace = Trace(
        moves.rule,
        between,
        losses,
        tuple(sorted(moves.lost.items())),
        tuple(ends),
        tuple(_hop(ledger, losses, moves, flow) for flow in moves.flows),
        tuple(
            Unseen(ledger.address(hid), places[hid].asset, label, units)
            for hid, unseen in sorted(moves.unseen.items(), key=lambda item: _text(places[item[0]]))
            for label, units in sorted(unseen.items())
        ),
    )
    for label, lost in trace.lost:
        rests = sum(units for end in ends for of, units in end.basis if of == label)
        if rests != lost:
            raise BooksDoNotClose(
                f"under {moves.rule} loss {label} has {lost} base units and its ends add up to {rests}",
                "this is a defect in fundtrail; keep the case file and report it",
            )
    return trace


def _hop(ledger: Ledger, losses: Sequence[Loss], moves: Moves, flow: Flow) -> Hop:
    lots: Amounts = {}
    basis: Amounts = {}
    gave: dict[tuple[Asset, int], int] = {}
    if not moves.strains:  # nothing was converted: lots are of a loss, and stand for themselves
        _add(lots, flow.lots)
        basis = lots
    for label, units in flow.lots if moves.strains else ():
        _add(lots, [(moves.loss(label), units)])
        _add(basis, [(moves.loss(label), moves.worth([(label, units)]))])
        strain = moves.strains.get(label)
        if strain and strain.hid == flow.target and ledger.step_of(flow.ordinal) == strain.ordinal:
            for parent, part in strain.parents:
                key = _asset(ledger, losses, moves, parent), strain.loss
                gave[key] = gave.get(key, 0) + part
    through: dict[Address, None] = {}
    for one in ledger.movements(ledger.step_of(flow.ordinal)):
        if one.through and one.ordinal == flow.ordinal:
            through |= {address: None for hid in one.through if (address := ledger.address(hid)) is not None}
    return Hop(
        ledger.id(flow.ordinal),
        ledger.address(flow.source) if flow.source >= 0 else None,
        ledger.address(flow.target) if flow.target >= 0 else None,
        tuple(sorted(lots.items())),
        tuple(sorted(basis.items())),
        tuple((asset, loss, units) for (asset, loss), units in gave.items()),
        tuple(through),
    )


def _asset(ledger: Ledger, losses: Sequence[Loss], moves: Moves, label: int) -> Asset:
    """What lots of a label are of."""
    if label in moves.strains:
        return place_of(ledger, moves.strains[label].hid).asset
    return losses[label - 1].asset


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


def _stop(place: Place, stops: Mapping[Spot, StopCode], units: Amounts) -> StopCode:
    if isinstance(place.holding, Sink):
        return _SINKS[place.holding.kind]
    if not any(units.values()):
        return StopCode.INDIVISIBLE
    spot = place.spot
    if spot is None or (spot not in stops and not place.address):
        return StopCode.NOT_READ
    return stops[spot]


def _text(place: Place) -> tuple[str, str, str]:
    return place.asset.name, place.address.text if place.address else "~", repr(place.holding)
