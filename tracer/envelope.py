"""The envelope: for each end the least and the most stolen value under any accounting rule, exactly.

The ledger is unrolled in time: what a holding has between two inflows is a node, a payment an arc that can carry at
most its amount, what stays an arc to the holding's next node. An assignment of stolen units to payments is possible
under some rule exactly if it is a flow in that network, so an end's bounds are maximum flows (docs/method.md).
Holdings that are wholly stolen, wholly clean or spent in one payment leave no choice: they never enter the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tracer.engine import Seeds, reach
from tracer.ledger import Ledger
from tracer.trace import Place, place_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """Stolen base units at an end under any rule: never less than `least`, never more than `most`."""

    least: int
    most: int

    @property
    def rule_independent(self) -> bool:
        """True where every rule gives the same."""
        return self.least == self.most


@dataclass(slots=True)
class _Part:
    """Units on the move: `stolen` of them for certain, or whatever up to `room` the node `node` gives."""

    units: int
    stolen: int = 0
    node: int = -1
    room: int = 0


@dataclass(slots=True)
class _State:
    """A holding: `total` units; `stolen` of them, or (node >= 0) what flows into that node."""

    total: int = 0
    stolen: int = 0
    node: int = -1


@dataclass(slots=True)
class _Network:
    """Arcs in pairs: 2k forward, 2k + 1 its reverse. Nodes come in time order, so their indices are topological."""

    supply: list[int] = field(default_factory=list)
    arcs: list[list[int]] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    room: list[int] = field(default_factory=list)

    def node(self, supply: int = 0) -> int:
        self.supply.append(supply)
        self.arcs.append([])
        return len(self.arcs) - 1

    def arc(self, tail: int, head: int, room: int) -> None:
        if room:
            self.arcs[tail].append(len(self.head))
            self.arcs[head].append(len(self.head) + 1)
            self.head += (head, tail)
            self.room += (room, 0)

    def fill(self, ends: set[int]) -> None:
        """Send every supply on to an end. Each node can pass on all it gets, so one sweep in time order does it."""
        held = list(self.supply)
        for node in range(len(self.arcs)):
            if node in ends:
                continue
            for arc in self.arcs[node]:
                if arc % 2 == 0 and held[node]:
                    units = min(held[node], self.room[arc])
                    self.room[arc] -= units
                    self.room[arc + 1] += units
                    held[node] -= units
                    held[self.head[arc]] += units

    def reroute(self, sources: Sequence[int], targets: set[int]) -> int:
        """The most that can be moved from `sources` to `targets` in what the present flow leaves open (Dinic)."""
        room, head, arcs = list(self.room), self.head, self.arcs
        moved = 0
        while True:
            level = dict.fromkeys(sources, 0)
            edge, found = list(sources), False
            while edge and not found:
                further = []
                for node in edge:
                    for arc in arcs[node]:
                        if room[arc] and head[arc] not in level:
                            level[head[arc]] = level[node] + 1
                            found = found or head[arc] in targets
                            further.append(head[arc])
                edge = further
            if not found:
                return moved
            at = dict.fromkeys(level, 0)
            for source in sources:
                moved += _augment(source, targets, level, at, room, head, arcs)


def _augment(
    source: int, targets: set[int], level: dict[int, int], at: dict[int, int], room: list[int], head: list[int],
    arcs: list[list[int]],
) -> int:  # fmt: skip
    """Every shortest path from `source`, depth first without recursion."""
    moved, node = 0, source
    path: list[int] = []
    while True:
        if node in targets and node != source:
            units = min(room[arc] for arc in path)
            moved += units
            for arc in path:
                room[arc] -= units
                room[arc ^ 1] += units
            path, node = [], source
            continue
        mine = arcs[node]
        while at[node] < len(mine):
            arc = mine[at[node]]
            if room[arc] and level.get(head[arc]) == level[node] + 1:
                path.append(arc)
                node = head[arc]
                break
            at[node] += 1
        else:
            if node == source:
                return moved
            level[node] = -1
            node = head[path.pop() ^ 1]


class _Unrolled:
    def __init__(self, ledger: Ledger, seeds: Seeds, followed: Mapping[int, int]) -> None:
        self.ledger, self.seeds, self.followed = ledger, seeds, followed
        self.states: dict[int, _State] = {}
        self.network = _Network()
        self.ends: dict[Place | None, int] = {}  # None: back in a wallet whose whole content is the loss
        self.certain: dict[Place, int] = {}
        self.left = dict(seeds.caps)
        self.slack = 0
        self.doubted = dict(seeds.caps)
        self.reached: dict[int, int] = {}
        self.pending: list[tuple[int, int, int]] = []  # (node, end, room)

    def unroll(self) -> None:
        ledger = self.ledger
        reached = self.reached = reach(ledger, self.seeds, self.followed)
        tracked = [hid for hid in reached if hid in self.followed] + list(self.seeds.unseen)
        ordinals = set(self.seeds.paid)
        for hid in tracked:
            ordinals.update(at for at in ledger.events(hid) if at >= reached.get(hid, 0) or hid in self.seeds.unseen)
        for ordinal in sorted(ordinals):
            inputs, outputs = ledger.inputs(ordinal), ledger.outputs(ordinal)
            if inputs and {hid for hid, _ in inputs} == {hid for hid, _ in inputs + outputs}:
                continue
            parts = [self._drawn(hid, units, ordinal) for hid, units in inputs]
            parts = self._marked(parts, ordinal)
            if len(outputs) > 1:
                pool = _State()
                self._into(pool, parts)
                for hid, units in outputs:
                    self._given(hid, [self._out(pool, units)], ordinal)
            else:
                self._given(outputs[0][0], parts, ordinal)
        for hid, state in self.states.items():
            if hid in self.followed and state.total:
                self._end(place_of(ledger, hid), [self._out(state, state.total)])

    def _drawn(self, hid: int, units: int, ordinal: int) -> _Part:
        state = self.states.get(hid)
        if ordinal > self.followed.get(hid, -1) or (state is None and hid not in self.seeds.unseen):
            return _Part(units)
        if state is None:
            state = self.states[hid] = _State(self.ledger.balance_before(hid, ordinal))
        short = max(0, units - state.total)
        part = self._out(state, units - short)
        part.units += short
        label = self.seeds.unseen.get(hid, 0)
        if short and label and ordinal >= self.seeds.since.get(hid, 0):
            part.stolen += self._within_cap(label, short)
        return part

    def _out(self, state: _State, units: int) -> _Part:
        """Take `units` of what a holding has. Certain if it is all of one kind or all of it leaves."""
        if state.node < 0 and 0 < state.stolen < state.total and units < state.total:
            state.node = self.network.node(state.stolen)
        if state.node >= 0:
            part = _Part(units, 0, state.node, units)
        else:
            part = _Part(
                units, units if units <= state.stolen == state.total else state.stolen if units == state.total else 0
            )
            state.stolen -= part.stolen
        state.total -= units
        if not state.total:
            state.stolen, state.node = 0, -1
        return part

    def _marked(self, parts: list[_Part], ordinal: int) -> list[_Part]:
        """The loss that this payment is. What was stolen before stays so, however much the rule says that is."""
        units = sum(part.units for part in parts)
        for label, asked in self.seeds.paid.get(ordinal, ()):
            most = min(asked, units, self.left.get(label, units))
            certain = sum(part.stolen for part in parts)
            unsure = sum(part.room for part in parts)
            # How much of it is this loss, or is left of its cap, depends on the rule: widen every bound instead.
            if unsure and (most < units or label in self.left):
                self.slack += 2 * min(unsure, units) + 2 * self.doubted.pop(label, 0)
            fresh = most if unsure else min(most, units - certain)
            if label in self.left:
                self.left[label] -= fresh
            if unsure:
                self._end(None, [part for part in parts if part.node >= 0])
            parts = [_Part(units, min(units, certain + fresh))]
        return parts

    def _within_cap(self, label: int, units: int) -> int:
        units = min(units, self.left.get(label, units))
        if label in self.left:
            self.left[label] -= units
        return units

    def _given(self, hid: int, parts: list[_Part], ordinal: int) -> None:
        if hid not in self.followed:
            if any(part.stolen or part.room for part in parts):
                self._end(place_of(self.ledger, hid), parts)
            return
        state = self.states.get(hid)
        if state is None:
            if not any(part.stolen or part.room for part in parts):
                return
            state = self.states[hid] = _State(self.ledger.balance_before(hid, ordinal))
        self._into(state, parts)

    def _into(self, state: _State, parts: list[_Part]) -> None:
        unsure = [part for part in parts if part.node >= 0]
        stolen = sum(part.stolen for part in parts)
        if unsure or (state.node >= 0):
            fresh = self.network.node(stolen + (state.stolen if state.node < 0 else 0))
            if state.node >= 0:
                self.network.arc(state.node, fresh, state.total)
            for part in unsure:
                self.network.arc(part.node, fresh, part.room)
            state.node, state.stolen = fresh, 0
        else:
            state.stolen += stolen
        state.total += sum(part.units for part in parts)

    def _end(self, place: Place | None, parts: list[_Part]) -> None:
        for part in parts:
            if place is not None:
                self.certain[place] = self.certain.get(place, 0) + part.stolen
            if part.node >= 0:
                if place not in self.ends:
                    self.ends[place] = len(self.ends)
                self.pending.append((part.node, self.ends[place], part.room))

    def bounds(self) -> dict[Place, Bounds]:
        network = self.network
        nodes = {place: network.node() for place in self.ends}
        node_of = list(nodes.values())
        for tail, end, room in self.pending:
            network.arc(tail, node_of[end], room)
        everyone = set(node_of)
        network.fill(everyone)
        found = {}
        for place, certain in self.certain.items():
            low = high = certain
            if place in nodes:
                mine = nodes[place]
                now = sum(network.room[arc] for arc in network.arcs[mine])  # all its arcs are reverses: what flows in
                others = everyone - {mine}
                low += now - network.reroute([mine], others)
                high += now + network.reroute(sorted(others), {mine})
            found[place] = Bounds(max(0, low - self.slack), high + self.slack)
        if self.slack:  # then value may have come wherever it could have at all
            for hid in self.reached:
                found.setdefault(place_of(self.ledger, hid), Bounds(0, self.slack))
        return {place: bounds for place, bounds in found.items() if bounds.most}


def envelope(ledger: Ledger, seeds: Seeds, followed: Mapping[int, int]) -> dict[Place, Bounds]:
    """The bounds of every place where stolen value can rest; places not named can hold none under any rule.

    `followed` as in `tracer.engine.move`. All losses together. Cost: two flows per end that rules disagree on.

    >>> from tracer.values import *
    >>> eth = Chain.named("ethereum"); v, c, w, e = (Address(eth, name) for name in ("0xv", "0xc", "0xw", "0xe"))
    >>> def pay(n: int, source: Address, target: Address, units: int) -> Transfer:
    ...     return Transfer(TransferId(eth, f"0x{n}"), Block(n, 1600000000 + n), 0, eth.coin,
    ...         (Leg.slot(source, eth.coin, units),), (Leg.slot(target, eth.coin, units),), ("sha256:0",))
    >>> ledger = Ledger.of([pay(1, v, w, 60), pay(2, c, w, 40), pay(3, w, e, 90)])
    >>> bounds = envelope(ledger, Seeds({0: ((1, 60),)}), {ledger.hid(Slot(w, eth.coin)): 3})
    >>> bounds[Place(eth.coin, e)]
    Bounds(least=50, most=60)
    """
    unrolled = _Unrolled(ledger, seeds, followed)
    unrolled.unroll()
    return unrolled.bounds()
