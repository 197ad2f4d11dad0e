"""The network of what the rules may do: units on the move, what a holding has, and the ways from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tracer.gains import Network

Worth = Fraction  # of one unit, in units of the stolen asset: 1 until it is exchanged
ONE = Fraction(1)


@dataclass(slots=True)
class Part:
    """Units on the move: `stolen` of them for certain (by worth), and whatever up to `room` the node `node` gives."""

    units: int
    stolen: dict[Worth, int] = field(default_factory=dict)
    node: int = -1
    room: int = 0

    @property
    def certain(self) -> int:
        """How many of them are stolen whatever the rule."""
        return sum(self.stolen.values())

    @property
    def dirty(self) -> bool:
        """Whether any of them can be stolen."""
        return bool(self.room or self.stolen)


@dataclass(slots=True)
class Held:
    """A holding: `total` units; `stolen` of them, or (node >= 0) what flows into that node."""

    total: int = 0
    stolen: dict[Worth, int] = field(default_factory=dict)
    node: int = -1

    @property
    def mixed(self) -> bool:
        """Whether it matters which of its units leave."""
        return bool(self.stolen) and (sum(self.stolen.values()) < self.total or len(self.stolen) > 1)


@dataclass(slots=True)
class Ways:
    """The network, with what starts where: stolen units by worth, and clean ones."""

    network: Network = field(default_factory=Network)
    worth: dict[int, Worth] = field(default_factory=dict)  # source -> worth of a unit
    clean: dict[int, int] = field(default_factory=dict)
    top: dict[int, Worth] = field(default_factory=dict)  # node -> the most that a stolen unit there can stand for
    converted: set[int] = field(default_factory=set)  # nodes that exchanged value can come to
    total: Fraction = Fraction(0)  # what all stolen units that start here stand for

    def node(self, stolen: Mapping[Worth, int], clean: int, after: Sequence[int] = ()) -> int:
        """A node where so much starts, behind those of `after`; each worth has a source of its own."""
        network = self.network
        sources = [(network.node(units), units, worth) for worth, units in stolen.items() if units]
        found = network.node()
        for source, units, worth in sources:
            self.worth[source] = worth
            self.total += worth * units
            network.arc(source, found, units)
        if clean:
            self.clean[found] = clean
        self.top[found] = max((*stolen, *(self.top[node] for node in after)), default=ONE)
        if any(worth != ONE for worth in stolen) or any(node in self.converted for node in after):
            self.converted.add(found)
        return found

    def take(self, state: Held, units: int) -> Part:
        """Take `units` of what a holding has. Certain if it is all of one kind or all of it leaves."""
        if state.node < 0 and state.mixed and units < state.total:
            state.node = self.node(state.stolen, state.total - sum(state.stolen.values()))
        if state.node >= 0:
            part = Part(units, {}, state.node, units)
        elif units == state.total:
            part = Part(units, state.stolen)
        else:
            (worth,) = state.stolen or (None,)
            part = Part(units, {worth: units} if worth is not None and units else {})
            if worth is not None:
                state.stolen = {worth: state.stolen[worth] - units}
        state.total -= units
        if not state.total:
            state.stolen, state.node = {}, -1
        return part

    def put(self, state: Held, parts: list[Part]) -> None:
        """Put parts into what a holding has; a new node where it hangs on the rule what they are."""
        unsure = [part for part in parts if part.node >= 0 and part.room]
        stolen = summed(part.stolen for part in parts)
        units = sum(part.units for part in parts)
        if unsure or state.node >= 0:
            clean = units - sum(stolen.values()) - sum(part.room for part in unsure)
            after = [part.node for part in unsure]
            if state.node >= 0:
                after.append(state.node)
            else:
                clean += state.total - sum(state.stolen.values())
                stolen = summed([stolen, state.stolen])
            fresh = self.node(stolen, clean, after)
            if state.node >= 0:
                self.network.arc(state.node, fresh, state.total)
            for part in unsure:
                self.network.arc(part.node, fresh, part.room)
            state.node, state.stolen = fresh, {}
        else:
            state.stolen = summed([state.stolen, stolen])
        state.total += units


def summed(lots: Iterable[Mapping[Worth, int]]) -> dict[Worth, int]:
    """How many units of each worth there are in all."""
    total: dict[Worth, int] = {}
    for one in lots:
        for worth, units in one.items():
            if units:
                total[worth] = total.get(worth, 0) + units
    return total
