"""The envelope: for each end the least and the most stolen value under any accounting rule, exactly.

The ledger is unrolled in time: what a holding has between two inflows is a node, a payment an arc that can carry at
most its amount, what stays an arc to the holding's next node, an exchange an arc with its rate as gain. An assignment
of stolen units to payments is possible under some rule exactly if it is a flow in that network, so an end's bounds are
maximum flows (docs/method.md): the most stolen units that can come, and the most clean ones, which leave the least.
Holdings that are wholly stolen, wholly clean or spent in one payment leave no choice: they never enter the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from tracer.gains import most, most_worth
from tracer.ledger import Ledger
from tracer.moves import Course, Seeds
from tracer.trace import Place, place_of
from tracer.unrolled import Unrolled
from tracer.ways import ONE


@dataclass(frozen=True, slots=True)
class Bounds:
    """Stolen base units at an end under any rule: never less than `least`, never more than `most`.

    Where value was exchanged on the way they are of the end's own asset, and `basis` bounds what they stand for in the
    stolen asset; `None` where the two are the same. `decided` then says whether rounding alone keeps them apart.
    """

    least: int
    most: int
    basis: tuple[int, int] | None = None
    decided: bool = False

    @property
    def rule_independent(self) -> bool:
        """True where every rule gives the same."""
        return self.least == self.most if self.basis is None else self.decided

    @property
    def stolen(self) -> tuple[int, int]:
        """The bounds in the stolen asset."""
        return (self.least, self.most) if self.basis is None else self.basis


def _exactly(of: Unrolled) -> dict[Place, Bounds]:
    network = of.ways.network
    nodes = {place: network.node() for place in of.ends}
    node_of = list(nodes.values())
    came: dict[int, int] = {}
    for tail, end, room in of.pending:
        network.arc(tail, node_of[end], room)
        came[node_of[end]] = came.get(node_of[end], 0) + room
    found = {}
    for place in {**of.certain, **of.stranded}:
        mine = of.certain.get(place, {})
        low = high = sum(mine.values())
        if place in nodes:
            node = nodes[place]
            high += floor(most(network, [node]))
            low += came[node] - floor(most(network, [node], supplies=of.ways.clean))
        bounds = Bounds(max(0, low - of.slack), high + of.slack)
        converted = place in of.stranded or any(worth != ONE for worth in mine)
        if converted or of.apart or of.blurred or (place in nodes and _came_converted(of, of.ends[place])):
            bounds = _with_basis(of, place, bounds, nodes)
        found[place] = bounds
    if of.slack:  # then value may have come wherever it could have at all
        for hid in of.reached:
            found.setdefault(place_of(of.ledger, hid), Bounds(0, of.slack))
    return {place: bounds for place, bounds in found.items() if bounds.most or bounds.stolen[1]}


def _loosely(of: Unrolled) -> dict[Place, Bounds]:
    """What holds whatever the rules make of it: no more than came, and no more than was lost."""
    found: dict[Place, Bounds] = {}
    lost = of.entered + of.slack
    for hid in {**of.reached, **dict.fromkeys(of.seeds.unseen)}:
        came = of.came.get(hid, 0) + (lost if hid in of.seeds.unseen else 0)
        found[place_of(of.ledger, hid)] = Bounds(0, came, (0, lost + of.rounding), False)
    for place in of.certain:
        found.setdefault(place, Bounds(0, lost, (0, lost + of.rounding), False))
    return found


def _came_converted(of: Unrolled, end: int) -> bool:
    return any(tail in of.ways.converted for tail, at, _ in of.pending if at == end)


def _with_basis(of: Unrolled, place: Place, bounds: Bounds, nodes: Mapping[Place | None, int]) -> Bounds:
    """The bounds of what it stands for: the most by worth, and the least as what cannot go anywhere else."""
    low = high = Fraction(of.stranded.get(place, 0)) + sum(
        (worth * units for worth, units in of.certain.get(place, {}).items()), Fraction(0)
    )
    if place in nodes:
        ways, node = of.ways, nodes[place]
        others = [other for other in nodes.values() if other != node]
        high += most_worth(ways.network, [node], ways.worth)
        low += max(Fraction(0), ways.total - (most_worth(ways.network, others, ways.worth) if others else 0))
    # The books share whole units out: at each exchange lots may round by one, on their way to each end again.
    slack = of.slack + of.blurred + of.rounding + (of.exchanges + 1) * (of.exchanges + of.seeds.labels())
    high = min(high, Fraction(of.entered + of.slack))  # an end stands for no more than was lost
    decided = bounds.least == bounds.most and low == high
    basis = max(0, floor(low) - slack), min(ceil(high) + slack, of.entered + of.slack)
    return Bounds(bounds.least, bounds.most, basis, decided)


def envelope(
    ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], course: Course | None = None
) -> dict[Place, Bounds]:
    """The bounds of every place where stolen value can rest; places not named can hold none under any rule.

    `followed` and `course` as in `tracer.engine.move`. All losses together; they must be of one asset. Cost: two flows
    per end that rules disagree on, and two more where value was exchanged.

    >>> from tracer.values import *
    >>> eth = Chain.named("ethereum"); v, c, w, e = (Address(eth, name) for name in ("0xv", "0xc", "0xw", "0xe"))
    >>> def pay(n: int, source: Address, target: Address, units: int) -> Transfer:
    ...     return Transfer(TransferId(eth, f"0x{n}"), Block(n, 1600000000 + n), 0, eth.coin,
    ...         (Leg.slot(source, eth.coin, units),), (Leg.slot(target, eth.coin, units),), ("sha256:0",))
    >>> ledger = Ledger.of([pay(1, v, w, 60), pay(2, c, w, 40), pay(3, w, e, 90)])
    >>> bounds = envelope(ledger, Seeds({0: ((1, 60),)}), {ledger.hid(Slot(w, eth.coin)): 3})
    >>> (bounds[Place(eth.coin, e)].least, bounds[Place(eth.coin, e)].most)
    (50, 60)
    """
    of = Unrolled(ledger, seeds, followed, course or Course())
    of.unroll()
    return _loosely(of) if of.loose else _exactly(of)
