"""The most that can flow to a place through payments and swaps, exactly: maximum flow with gains, in whole numbers.

A network is a ledger unrolled in time: nodes in time order, an arc per payment (gain 1: what goes in comes out) or per
swap (gain 450/900: each unit in comes out as half a unit of another asset). Nothing need be routed: a unit that does
not go to the target stays elsewhere. So two questions, each the optimum of a linear program, answered without rounding:
`most` (units that arrive, in units of the target) and `most_worth` (units that can be sent, in the sources' worth).

How. A node's *worth* is what one unit there can still become at the target along the best way left; an arc is *tight*
if it lies on such a way. Each round measures everything in worth, where tight arcs pass units on one for one, sends
an ordinary maximum flow through them alone, and finds the worths anew in what is left, until no source has a way. Flow
on tight arcs never leaves a circle that multiplies money, and the last worths are the prices of the linear program's
dual: they prove the optimum. Each round the worth of each source falls, so it ends. `most_worth` is the same question
asked backward in time: from the target, through inverse gains, to sources that take no more than they have.

Without gains all worths are equal: one integer maximum flow, or one per price where sources have prices.

Sources: K. Onaga, "Dynamic programming of optimum flows in lossy communication nets" (1966): best way first;
K. Truemper, "On max flows with gains and pure min-cost flows" (1977): why it is a minimum-cost flow in logarithms;
R. Ahuja, T. Magnanti, J. Orlin, "Network Flows" (1993), chapter 15; E. Dinic (1970): the flow within a round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from math import ceil, floor, lcm

Units = int | Fraction
NONE, ONE = Fraction(0), Fraction(1)


@dataclass(slots=True)
class Network:
    """Nodes in time order and arcs from earlier to later ones. Built once, asked often: asking changes nothing.

    Arcs in pairs: 2k forward, 2k + 1 its reverse. `gain` names only arcs whose gain is not 1.
    """

    supplies: list[int] = field(default_factory=list)
    arcs: list[list[int]] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    room: list[Units] = field(default_factory=list)
    gain: dict[int, Fraction] = field(default_factory=dict)

    def node(self, supply: int = 0) -> int:
        """The number of a new node, later than all before it, where `supply` units may start."""
        self.supplies.append(0)
        self.arcs.append([])
        self.supply(len(self.arcs) - 1, supply)
        return len(self.arcs) - 1

    def supply(self, node: int, units: int) -> None:
        """Let `units` more start at `node`."""
        if units < 0 or not 0 <= node < len(self.arcs):
            raise ValueError(f"node {node} of {len(self.arcs)} cannot be given {units} units")
        self.supplies[node] += units

    def arc(self, tail: int, head: int, room: int, gain: tuple[int, int] = (1, 1)) -> None:
        """Up to `room` units can leave `tail`; x of them reach `head` as x * gain[0] / gain[1]. No room, no arc."""
        if not 0 <= tail < head < len(self.arcs) or room < 0 or min(gain) <= 0:
            raise ValueError(f"no such arc: from {tail} to {head} of {len(self.arcs)}, room {room}, gain {gain}")
        self._join(tail, head, room, ONE if gain[0] == gain[1] else Fraction(*gain))

    def _join(self, tail: int, head: int, room: Units, gain: Fraction) -> None:
        arc = len(self.head)
        if room and gain:
            self.arcs[tail].append(arc)
            self.arcs[head].append(arc + 1)
            self.head += (head, tail)
            self.room += (room, 0)
            if gain is not ONE:
                self.gain[arc], self.gain[arc + 1] = gain, Fraction(ONE, gain)


def most(network: Network, targets: Collection[int], *, supplies: Mapping[int, int] | None = None) -> Fraction:
    """The most units that can be at the targets together, in their units. Supply of a target itself counts.

    `supplies` (node: units) replaces the network's: so the same arcs can be asked about the clean money.

    >>> net = Network(); usdt = net.node(1000); weth = net.node(); end = net.node()
    >>> net.arc(usdt, weth, 900, (45, 90)); net.arc(weth, end, 300)
    >>> most(net, [end]), most_worth(net, [end])
    (Fraction(300, 1), Fraction(600, 1))
    """
    sources = _sources(network, targets, supplies)
    unlimited = (_more_than_there_is(_received(network), sources), ONE)
    ends = dict.fromkeys(targets, unlimited)
    return _Question(network, network.room, sources, ends, forward=True).answer()


def most_worth(
    network: Network,
    targets: Collection[int],
    worth: Mapping[int, Fraction] | None = None,
    *,
    supplies: Mapping[int, int] | None = None,
) -> Fraction:
    """The most that can be sent to the targets, measured where it starts: the sum of worth[source] * units used.

    A source that `worth` does not name is worth 1 a unit. `supplies` as in `most`.
    """
    sources = _sources(network, targets, supplies)
    prices = {source: Fraction((worth or {}).get(source, ONE)) for source in sources}
    if any(price < 0 for price in prices.values()):
        raise ValueError("a unit cannot be worth less than nothing")
    top = max(prices.values(), default=ONE) or ONE  # equal prices become 1: no gains, one round
    received = _received(network)
    starts = dict.fromkeys(targets, _more_than_there_is(received, sources))
    ends = {source: (units, Fraction(prices[source], top)) for source, units in sources.items()}
    backward = [received[arc ^ 1] for arc in range(len(received))]
    return top * _Question(network, backward, starts, ends, forward=False).answer()


def whole(bound: Fraction) -> int:
    """The bound for amounts in whole base units: who can have at most 19/2 can have at most 9.

    For "at least" subtract: total - whole(most of all else). It holds for rules that hand on whole units and round
    no swap up; for rules that may, first give the head of each swap one more unit of supply.
    """
    return floor(bound)


def _sources(network: Network, targets: Collection[int], supplies: Mapping[int, int] | None) -> dict[int, int]:
    given = dict(enumerate(network.supplies)) if supplies is None else supplies
    if not all(0 <= node < len(network.arcs) for node in (*given, *targets)) or min(given.values(), default=0) < 0:
        raise ValueError("targets and supplies name nodes of the network, and no supply is below 0")
    return {node: units for node, units in given.items() if units}


def _received(network: Network) -> list[Units]:
    """The room of each arc in units of its head."""
    return [room * network.gain[arc] if arc in network.gain else room for arc, room in enumerate(network.room)]


def _more_than_there_is(received: list[Units], sources: Mapping[int, int]) -> int:
    """As good as no limit on what one node gets or gives."""
    return sum(map(ceil, received)) + sum(sources.values()) + 1


class _Question:
    """One question: the arcs with the room they have left, with one source before all and one sink behind all."""

    def __init__(
        self,
        network: Network,
        room: list[Units],
        starts: Mapping[int, Units],
        ends: Mapping[int, tuple[Units, Fraction]],
        *,
        forward: bool,
    ) -> None:
        count = len(network.arcs)
        self.source, self.sink = count, count + 1
        mine = Network([], [*map(list.copy, network.arcs), [], []], [*network.head], [*room], {**network.gain})
        for node, units in starts.items():
            mine._join(self.source, node, units, ONE)
        for node, (units, gain) in ends.items():
            mine._join(node, self.sink, units, ONE if gain == 1 else gain)
        self.arcs, self.head, self.room, self.gain = mine.arcs, mine.head, mine.room, mine.gain
        # Time orders the arcs: each leads nearer to the sink by this measure.
        self.ahead = [*(range(count, 0, -1) if forward else range(1, count + 1)), count + 1, 0]

    def answer(self) -> Fraction:
        """The most that can reach the sink."""
        worth = self._first_worth() if self.gain else []
        inside = (arc for arc in self.gain if self.sink not in (self.head[arc], self.head[arc ^ 1]))
        if not any(self.room[arc] and worth[self.head[arc]] and worth[self.head[arc ^ 1]] for arc in inside):
            return self._without_gains()
        while any(self.room[arc] and worth[self.head[arc]] for arc in self.arcs[self.source]):
            self._round(worth)
            worth = self._next_worth(worth)
        return Fraction(sum(self.room[arc] for arc in self.arcs[self.sink]))

    def _without_gains(self) -> Fraction:
        """Where no gain lies on a way, only ends can differ in worth: the dearest first, in integers."""
        left = list(map(int, self.room))  # a room behind a gain can be a fraction, but lies on no way
        ends: dict[Fraction, list[int]] = {}
        for reverse in self.arcs[self.sink]:
            ends.setdefault(self.gain.get(reverse ^ 1, ONE), []).append(reverse)
            left[reverse ^ 1] = 0
        for worth in sorted(ends, reverse=True):
            for reverse in ends[worth]:
                left[reverse ^ 1] = int(self.room[reverse ^ 1])
            _fill(self.arcs, self.head, left, self.ahead)
        return sum((worth * sum(left[arc] for arc in arcs) for worth, arcs in ends.items()), NONE)

    def _first_worth(self) -> list[Fraction]:
        """What a unit at each node can become at the sink at best; 0 if nothing, or if no unit can come there."""
        reached, edge = {self.source}, [self.source]
        while edge:
            for arc in self.arcs[edge.pop()]:
                if self.room[arc] and self.head[arc] not in reached:
                    reached.add(self.head[arc])
                    edge.append(self.head[arc])
        worth = [NONE] * len(self.arcs)
        worth[self.sink] = ONE
        for node in sorted(reached - {self.source, self.sink}, key=self.ahead.__getitem__):
            for arc in self.arcs[node]:
                after = worth[self.head[arc]]
                if after and self.room[arc]:
                    offered = after * self.gain[arc] if arc in self.gain else after
                    if offered is not worth[node] and offered > worth[node]:
                        worth[node] = offered
        return worth

    def _next_worth(self, worth: list[Fraction]) -> list[Fraction]:
        """The same in what is left. No arc gains in the old worths, so the least fallen node is final (Dijkstra)."""
        now = [NONE] * len(worth)
        offer = list(now)
        offer[self.sink] = ONE
        queue = [(-ONE, self.sink)]
        while queue:
            _, node = heappop(queue)
            if now[node]:
                continue
            mine = now[node] = offer[node]
            for reverse in self.arcs[node]:
                arc, tail = reverse ^ 1, self.head[reverse]
                if self.room[arc] and worth[tail] and not now[tail]:
                    offered = mine * self.gain[arc] if arc in self.gain else mine
                    if offered is not offer[tail] and offered > offer[tail]:
                        offer[tail] = offered
                        heappush(queue, (-Fraction(offered, worth[tail]), tail))
        return now

    def _round(self, worth: list[Fraction]) -> None:
        """Send all that the tight arcs can take. In worth, times a common denominator, their rooms are integers."""
        tight: list[tuple[int, Fraction]] = []  # arc, and the worth of a unit of its room
        for arc in range(0, len(self.head), 2):
            head, tail = self.head[arc], self.head[arc + 1]
            if tail == self.source:
                tight.append((arc, worth[head]))
            elif worth[head] and worth[tail] == worth[head] * self.gain.get(arc, 1):
                tight += ((arc, worth[tail]), (arc + 1, worth[head]))
        rooms = {arc: self.room[arc] * unit for arc, unit in tight if self.room[arc]}
        scale = lcm(*(room.denominator for room in rooms.values()))
        left = [0] * len(self.head)
        for arc, room in rooms.items():
            left[arc] = room.numerator * (scale // room.denominator)
        before = list(left)
        _fill(self.arcs, self.head, left, self.ahead)
        for arc, unit in tight:
            if left[arc] != before[arc]:
                self.room[arc] = Fraction(left[arc], scale * unit)


def _fill(arcs: list[list[int]], head: list[int], room: list[int], ahead: list[int]) -> None:
    """A maximum flow from the last node but one to the last, taken out of `room` (Dinic)."""
    source, far = len(arcs) - 2, len(arcs)
    _exhaust(arcs, head, room, list(ahead))  # first all ways onward in time: they are nearly all there are
    while True:
        steps, edge, step = [far] * far, [source + 1], 0
        steps[source + 1] = 0
        while edge and steps[source] == far:
            step += 1
            further = []
            for node in edge:
                for arc in arcs[node]:
                    if room[arc ^ 1] and steps[head[arc]] == far:
                        steps[head[arc]] = step
                        further.append(head[arc])
            edge = further
        if steps[source] == far:
            return
        _exhaust(arcs, head, room, steps)


def _exhaust(arcs: list[list[int]], head: list[int], room: list[int], steps: list[int]) -> None:
    """Use up every way from source to sink whose `steps` fall from node to node. Depth first, without recursion."""
    source, far = len(arcs) - 2, len(arcs)
    sink, node = source + 1, source
    tried = [0] * far
    path: list[int] = []
    while True:
        if node == sink:
            units = min([room[arc] for arc in path])
            full = 0
            for at in range(len(path) - 1, -1, -1):
                room[path[at]] -= units
                room[path[at] ^ 1] += units
                if not room[path[at]]:
                    full = at
            node = head[path[full] ^ 1]  # go on from where the first full arc began
            del path[full:]
        mine, height = arcs[node], steps[node]
        for at in range(tried[node], len(mine)):
            if room[mine[at]] and steps[head[mine[at]]] < height:
                tried[node] = at
                path.append(mine[at])
                node = head[mine[at]]
                break
        else:
            if node == source:
                return
            steps[node] = far  # a dead end
            node = head[path.pop() ^ 1]
