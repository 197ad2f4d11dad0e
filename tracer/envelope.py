"""The envelope: for each end the least and the most stolen value under any accounting rule, exactly.

The ledger is unrolled in time: what a holding has between two inflows is a node, a payment an arc that can carry at
most its amount, what stays an arc to the holding's next node, an exchange an arc with its rate as gain. An assignment
of stolen units to payments is possible under some rule exactly if it is a flow in that network, so an end's bounds are
maximum flows (docs/method.md): the most stolen units that can come, and the most clean ones, which leave the least.
Holdings that are wholly stolen, wholly clean or spent in one payment leave no choice: they never enter the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, lcm

from tracer.conversions import Conversion, Exchanged
from tracer.gains import Network, most, most_worth
from tracer.ledger import Ledger, Movement
from tracer.lots import Fees, apportion, pro_rata_share
from tracer.moves import Course, Seeds, barrier, comes_for, set_aside
from tracer.reach import reach
from tracer.trace import Place, place_of
from tracer.values import MAX_UNITS

Worth = Fraction  # of one unit, in units of the stolen asset: 1 until it is exchanged
ONE = Fraction(1)


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


@dataclass(slots=True)
class _Part:
    """Units on the move: `stolen` of them for certain (by worth), and whatever up to `room` the node `node` gives."""

    units: int
    stolen: dict[Worth, int] = field(default_factory=dict)
    node: int = -1
    room: int = 0

    @property
    def certain(self) -> int:
        return sum(self.stolen.values())

    @property
    def dirty(self) -> bool:
        return bool(self.room or self.stolen)


@dataclass(slots=True)
class _State:
    """A holding: `total` units; `stolen` of them, or (node >= 0) what flows into that node."""

    total: int = 0
    stolen: dict[Worth, int] = field(default_factory=dict)
    node: int = -1

    @property
    def mixed(self) -> bool:
        """Whether it matters which of its units leave."""
        return bool(self.stolen) and (sum(self.stolen.values()) < self.total or len(self.stolen) > 1)


@dataclass(slots=True)
class _Drawn:
    """A movement on its way: the parts of each input, and (once they are shared out) of each output."""

    one: Movement
    parts: dict[int, list[_Part]]
    shares: list[list[_Part]] | None = None


@dataclass(slots=True)
class _Ways:
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


class _Unrolled:
    def __init__(self, ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], course: Course) -> None:
        self.ledger, self.seeds, self.followed, self.course = ledger, seeds, followed, course
        self.states: dict[int, _State] = {}
        self.ways = _Ways()
        self.ends: dict[Place | None, int] = {}  # None: back in a wallet whose whole content is the loss
        self.certain: dict[Place, dict[Worth, int]] = {}
        self.left = dict(seeds.caps)
        self.slack = 0
        self.doubted = dict(seeds.caps)
        self.reached: dict[int, int] = {}
        self.pending: list[tuple[int, int, int]] = []  # (node, end, room)
        self.stranded: dict[Place, Fraction] = {}  # exchanged for less than one unit
        self.exchanges = self.rounding = self.blurred = self.entered = 0
        self.loose = False  # an exchange came after `slack`, which says nothing of amounts of another asset
        self.came: dict[int, int] = {}  # hid -> all that was seen to come there, stolen or not
        self.fees: dict[tuple[int, int], _State] = {}  # (fee sink, block), where coinbases carry fees on

    def unroll(self) -> None:
        ledger, seeds = self.ledger, self.seeds
        reached = self.reached = reach(ledger, seeds, self.followed, self.course)
        tracked = [hid for hid in reached if hid in self.followed] + list(seeds.unseen)
        steps = set(seeds.start(ledger))
        for hid in tracked:
            steps.update(at for at in ledger.events(hid) if at >= reached.get(hid, 0) or hid in seeds.unseen)
        if self.course.fees is Fees.IN_RATIO:
            fees = [hid for hid in reached if ledger.is_fee(hid)]
            paid = {at for at in steps for hid, _ in ledger.outputs(at) if hid in fees}
            steps |= {at for fee in fees for step in paid if (at := ledger.collects(fee, step)) is not None}
        for step in sorted(steps):
            self._step(step, ledger.movements(step))
        unclaimed = [(hid, state) for (hid, _), state in self.fees.items()]
        for hid, state in [*self.states.items(), *unclaimed]:
            if state.total and (hid in self.followed or ledger.is_fee(hid)):
                self._end(place_of(ledger, hid), [self._out(state, state.total)])

    def _step(self, step: int, movements: Sequence[Movement]) -> None:
        claims = [list(claim) for claim in self.seeds.legs.get(step, ())]
        exchanges = self.course.conversions.get(step, ())
        drawn = [
            _Drawn(one, {hid: [self._drawn(hid, units, step)] for hid, units in one.inputs})
            for one in movements
            if not one.own
        ]
        late = [each for each in drawn if comes_for(each.one, exchanges)]  # as in the engine
        for each in drawn:
            if not comes_for(each.one, exchanges):
                self._enter(each, claims)
        came: dict[int, list[_Part]] = {}
        for exchange in exchanges:
            self._exchange(exchange, drawn, came)
        waiting, clean = set_aside([each.one for each in late], came, claims, self.seeds)
        for each in late:
            if each.one.ordinal not in waiting:
                self._enter(each, claims)
        given: dict[int, list[tuple[tuple[int, ...], list[_Part]]]] = {}
        for each in drawn:
            parts = [part for of_one in each.parts.values() for part in of_one]
            if step in self.course.barriers:
                self._end(place_of(self.ledger, barrier(step)), parts)
                parts = [_Part(sum(part.units for part in parts))]
            shares = self._shared(each.one, parts) if each.shares is None else each.shares
            for (hid, _), share in zip(each.one.outputs, shares, strict=True):
                given.setdefault(hid, []).append(((each.one.ordinal,), share))
        for hid, exchanged_for in came.items():  # what else was paid to it stays beside what it was exchanged for
            paid = [part for _, share in given[hid] for part in share]
            rest = sum(part.units for part in paid) - sum(part.units for part in exchanged_for)
            at = tuple(one for of_one, _ in given[hid] for one in of_one)
            given[hid] = [(at, [*exchanged_for, *self._others(paid, rest)])]
            bought = sum(part.units for part in exchanged_for)
            clean[hid] = max(0, clean.get(hid, 0) - bought) + bought - sum(part.certain for part in exchanged_for)
        for hid, came_to_it in given.items():
            parts = []
            for at, share in came_to_it:
                late_claims = [claim for one in at for claim in waiting.get(one, ())]
                parts += self._claim(share, late_claims, clean.get(hid, 0))
            self._given(hid, self._claimed(hid, parts, claims), step)

    def _enter(self, each: _Drawn, claims: Sequence[list[int]]) -> None:
        """What is paid here is a loss, as far as it is claimed."""
        mine = {hid: self._claimed(hid, parts, claims) for hid, parts in each.parts.items()}
        if each.one.ordinal in self.seeds.paid:
            parts = [part for of_one in mine.values() for part in of_one]
            for label, units in self.seeds.paid[each.one.ordinal]:
                parts = self._marked(parts, label, units)
            mine = {each.one.inputs[0][0]: parts}
        each.parts = mine

    def _shared(self, one: Movement, parts: list[_Part]) -> list[list[_Part]]:
        """What each output gets: any part of what the inputs brought together."""
        if len(one.outputs) == 1:
            return [parts]
        pool = _State()
        self._into(pool, parts)
        return [[self._out(pool, units)] for _, units in one.outputs]

    def _others(self, parts: list[_Part], rest: int) -> list[_Part]:
        """Of what a counterparty paid, what may be stolen and is no part of the exchange; at most `rest` is clean."""
        kept = [part for part in parts if part.dirty]
        spare = rest - sum(part.units for part in kept)
        return [*kept, _Part(spare)] if spare > 0 else kept

    def _exchange(self, exchange: Conversion, drawn: Sequence[_Drawn], came: dict[int, list[_Part]]) -> None:
        """What was got stems from what was given, share by share; exact where all that was given is certain."""
        legs = [(leg, self._captured(leg, drawn)) for leg in exchange.gave]
        legs = [(leg, part) for leg, part in legs if part.units]
        gave = [part for _, part in legs]
        self.loose = self.loose or self.slack > 0
        if not any(part.dirty for part in gave):
            return
        self.exchanges += 1
        if len(exchange.got) > 1:  # whole units of what was given go to this one or that
            worths = [worth for part in gave for worth in part.stolen]
            worths += [self.ways.top[part.node] for part in gave if part.room]
            self.rounding += len(exchange.got) * ceil(sum(worths))
        sides = sum(leg.weight for leg, _ in legs), sum(leg.weight for leg in exchange.got)
        for got in exchange.got:
            share = Fraction(got.weight, sides[1])  # of what was given
            rates = [Fraction(got.units * leg.weight, sides[0] * part.units) for leg, part in legs]
            if any(part.room for part in gave):
                self.stranded.setdefault(place_of(self.ledger, got.hid), Fraction(0))  # it may buy less than one unit
                part = self._unsure(got.units, gave, rates, share)
            else:
                part = self._sure(got, gave, rates, share)
            came.setdefault(got.hid, []).append(part)

    def _captured(self, leg: Exchanged, drawn: Sequence[_Drawn]) -> _Part:
        """What of a holding's payments was given in the exchange; clean value goes on in its place."""
        whole = _State()
        left = leg.units
        for each in drawn:
            one, to = each.one, {hid for hid, _ in each.one.outputs}
            if not left or leg.hid not in each.parts or (leg.to and not leg.to & to):
                continue
            if leg.to and not to <= leg.to and len(one.inputs) == 1:
                if each.shares is None:
                    each.shares = self._shared(one, each.parts[leg.hid])
                for at, (hid, _) in enumerate(one.outputs):
                    if hid in leg.to:
                        left, each.shares[at] = self._cut(whole, each.shares[at], left)
            else:
                left, each.parts[leg.hid] = self._cut(whole, each.parts[leg.hid], left)
        return self._out(whole, whole.total) if whole.total else _Part(0)

    def _cut(self, into: _State, parts: list[_Part], most_of: int) -> tuple[int, list[_Part]]:
        """Put up to `most_of` units of `parts` into a pool; (how many are still wanted, what goes on)."""
        units = sum(part.units for part in parts)
        if units <= most_of:
            self._into(into, parts)
            return most_of - units, [_Part(units)]
        pool = _State()
        self._into(pool, parts)
        self._into(into, [self._out(pool, most_of)])
        return 0, [self._out(pool, pool.total), _Part(most_of)]

    def _sure(self, got: Exchanged, gave: list[_Part], rates: list[Fraction], share: Fraction) -> _Part:
        """What every rule gives alike: all that was given is certain."""
        lots = [(worth, units, units * rate) for part, rate in zip(gave, rates, strict=True)
                for worth, units in part.stolen.items()]  # fmt: skip
        if self.apart:
            self.stranded.setdefault(place_of(self.ledger, got.hid), Fraction(0))
        scale = lcm(*(came.denominator for _, _, came in lots))
        weights = [int(came * scale) for _, _, came in lots]
        stolen = pro_rata_share(got.units, sum(weights), got.units * scale - sum(weights))
        if not stolen:  # less than one unit: what it stands for stays with who got it
            place = place_of(self.ledger, got.hid)
            self.stranded[place] = self.stranded.get(place, 0) + sum(worth * units for worth, units, _ in lots) * share
            return _Part(got.units)
        found: dict[Worth, int] = {}
        for (worth, units, _), part in zip(lots, apportion(stolen, weights), strict=True):
            if part:
                new = Fraction(worth * units * share, part)
                found[new] = found.get(new, 0) + part
                if len(lots) > 1 or self.apart:
                    self.rounding += ceil(new) * self.seeds.labels()
            else:
                self.rounding += ceil(worth * units * share)
        return _Part(got.units, found)

    def _unsure(self, units: int, gave: list[_Part], rates: list[Fraction], share: Fraction) -> _Part:
        """What depends on what was given: an arc with the rate as gain. One unit more each way, for what is rounded."""
        ways = self.ways
        if not units:  # rebased to nothing: what it stood for stays here, however much that is
            worths = [worth * given for part in gave for worth, given in part.stolen.items()]
            self.rounding += ceil(sum(worths) + sum(ways.top[part.node] * part.room for part in gave if part.room))
            return _Part(0)
        stolen: dict[Worth, int] = {}
        clean, top = Fraction(0), ONE
        for part, rate in zip(gave, rates, strict=True):
            for worth, given in part.stolen.items():
                whole = ceil(given * rate)
                new = Fraction(worth * given * share, whole)
                stolen[new] = stolen.get(new, 0) + whole
            clean += (part.units - part.certain - part.room) * rate
            worths = [*part.stolen, *([ways.top[part.node]] if part.room else [])]
            top = max([top, *(Fraction(worth * share, rate) for worth in worths)])
        self.rounding += ceil(top)
        rounded = ways.network.node(1)
        ways.worth[rounded] = Fraction(0)
        node = ways.node(stolen, ceil(clean) + 1)
        ways.network.arc(rounded, node, 1)
        ways.top[node] = top
        ways.converted.add(node)
        for part, rate in zip(gave, rates, strict=True):
            if part.room:
                gain = Fraction(rate, share)
                ways.network.arc(part.node, node, ceil(part.room * share), (gain.numerator, gain.denominator))
        return _Part(units, {}, node, units)

    def _drawn(self, hid: int, units: int, step: int) -> _Part:
        if self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
            state = self.fees.get((hid, self.ledger.block(step).number))
            if state is None:
                return _Part(units)
            others = sum(paid for _, paid in self.ledger.fees(hid, step)) - state.total
            self._into(state, [_Part(max(0, others))])
            self._into(state, [_Part(max(0, units - state.total))])
            return self._out(state, units)
        state = self.states.get(hid)
        if step > self.followed.get(hid, -1) or (state is None and hid not in self.seeds.unseen):
            return _Part(units)
        if state is None:
            state = self.states[hid] = _State(self.ledger.balance_before(hid, step))
        short = max(0, units - state.total)
        part = self._out(state, units - short)
        part.units += short
        label = self.seeds.unseen.get(hid, 0)
        if short and label and step >= self.seeds.since.get(hid, 0):
            fresh = self._within_cap(label, short)
            if fresh:
                part.stolen = {**part.stolen, ONE: part.stolen.get(ONE, 0) + fresh}
        return part

    def _out(self, state: _State, units: int) -> _Part:
        """Take `units` of what a holding has. Certain if it is all of one kind or all of it leaves."""
        if state.node < 0 and state.mixed and units < state.total:
            state.node = self.ways.node(state.stolen, state.total - sum(state.stolen.values()))
        if state.node >= 0:
            part = _Part(units, {}, state.node, units)
        elif units == state.total:
            part = _Part(units, state.stolen)
        else:
            (worth,) = state.stolen or (None,)
            part = _Part(units, {worth: units} if worth is not None and units else {})
            if worth is not None:
                state.stolen = {worth: state.stolen[worth] - units}
        state.total -= units
        if not state.total:
            state.stolen, state.node = {}, -1
        return part

    def _claimed(self, hid: int, parts: list[_Part], claims: Sequence[list[int]]) -> list[_Part]:
        return self._claim(parts, [claim for claim in claims if claim[0] == hid])

    def _claim(self, parts: list[_Part], claims: Iterable[list[int]], most_of: int = MAX_UNITS) -> list[_Part]:
        for claim in claims:
            _, label, units = claim
            before = self.entered
            parts = self._marked(parts, label, min(units, most_of))
            claim[2] -= self.entered - before
            most_of -= self.entered - before
        return parts

    def _marked(self, parts: list[_Part], label: int, asked: int) -> list[_Part]:
        """The loss that these units are. What was stolen before stays so, however much the rule says that is."""
        units = sum(part.units for part in parts)
        most_of = min(asked, units, self.left.get(label, units))
        certain = _sum(part.stolen for part in parts)
        unsure = sum(part.room for part in parts)
        # What comes back from an exchange stands for more or less than one each, and which of it did, the rule decides.
        ways = self.ways
        mixed = [part for part in parts if part.room and part.node in ways.converted]
        self.blurred += sum(ceil(part.room * max(ONE, ways.top[part.node])) for part in mixed)
        # How much of it is this loss, or is left of its cap, depends on the rule: widen every bound instead.
        if unsure and (most_of < units or label in self.left):
            self.slack += 2 * min(unsure, units) + 2 * self.doubted.pop(label, 0)
        here = sum(certain.values())
        fresh = min(most_of, units - here)
        if label in self.left:
            self.left[label] -= most_of if unsure else fresh
        if unsure:
            self._end(None, [_Part(part.room, {}, part.node, part.room) for part in parts if part.node >= 0])
        self.entered += fresh
        if fresh:
            certain[ONE] = certain.get(ONE, 0) + fresh
        return [_Part(units, certain)]

    def _within_cap(self, label: int, units: int) -> int:
        units = min(units, self.left.get(label, units))
        self.entered += units
        if label in self.left:
            self.left[label] -= units
        return units

    def _given(self, hid: int, parts: list[_Part], step: int) -> None:
        self.came[hid] = self.came.get(hid, 0) + sum(part.units for part in parts)
        dirty = any(part.dirty for part in parts)
        if self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
            if dirty:
                self._into(self.fees.setdefault((hid, self.ledger.block(step).number), _State()), parts)
            return
        if hid not in self.followed:
            if dirty:
                self._end(place_of(self.ledger, hid), parts)
            return
        state = self.states.get(hid)
        if state is None:
            if not dirty:
                return
            state = self.states[hid] = _State(self.ledger.balance_before(hid, step))
        self._into(state, parts)

    def _into(self, state: _State, parts: list[_Part]) -> None:
        ways = self.ways
        unsure = [part for part in parts if part.node >= 0 and part.room]
        stolen = _sum(part.stolen for part in parts)
        units = sum(part.units for part in parts)
        if unsure or state.node >= 0:
            clean = units - sum(stolen.values()) - sum(part.room for part in unsure)
            after = [part.node for part in unsure]
            if state.node >= 0:
                after.append(state.node)
            else:
                clean += state.total - sum(state.stolen.values())
                stolen = _sum([stolen, state.stolen])
            fresh = ways.node(stolen, clean, after)
            if state.node >= 0:
                ways.network.arc(state.node, fresh, state.total)
            for part in unsure:
                ways.network.arc(part.node, fresh, part.room)
            state.node, state.stolen = fresh, {}
        else:
            state.stolen = _sum([state.stolen, stolen])
        state.total += units

    def _end(self, place: Place | None, parts: list[_Part]) -> None:
        for part in parts:
            if place is not None:
                self.certain[place] = _sum([self.certain.get(place, {}), part.stolen])
            if part.node >= 0 and part.room:
                if place not in self.ends:
                    self.ends[place] = len(self.ends)
                self.pending.append((part.node, self.ends[place], part.room))

    def bounds(self) -> dict[Place, Bounds]:
        if self.loose:
            return self._loosely()
        network = self.ways.network
        nodes = {place: network.node() for place in self.ends}
        node_of = list(nodes.values())
        came: dict[int, int] = {}
        for tail, end, room in self.pending:
            network.arc(tail, node_of[end], room)
            came[node_of[end]] = came.get(node_of[end], 0) + room
        found = {}
        for place in {**self.certain, **self.stranded}:
            mine = self.certain.get(place, {})
            low = high = sum(mine.values())
            if place in nodes:
                node = nodes[place]
                high += floor(most(network, [node]))
                low += came[node] - floor(most(network, [node], supplies=self.ways.clean))
            bounds = Bounds(max(0, low - self.slack), high + self.slack)
            converted = place in self.stranded or any(worth != ONE for worth in mine)
            if converted or self.apart or self.blurred or (place in nodes and self._came_converted(self.ends[place])):
                bounds = self._with_basis(place, bounds, nodes)
            found[place] = bounds
        if self.slack:  # then value may have come wherever it could have at all
            for hid in self.reached:
                found.setdefault(place_of(self.ledger, hid), Bounds(0, self.slack))
        return {place: bounds for place, bounds in found.items() if bounds.most or bounds.stolen[1]}

    def _loosely(self) -> dict[Place, Bounds]:
        """What holds whatever the rules make of it: no more than came, and no more than was lost."""
        found: dict[Place, Bounds] = {}
        lost = self.entered + self.slack
        for hid in {**self.reached, **dict.fromkeys(self.seeds.unseen)}:
            came = self.came.get(hid, 0) + (lost if hid in self.seeds.unseen else 0)
            found[place_of(self.ledger, hid)] = Bounds(0, came, (0, lost + self.rounding), False)
        for place in self.certain:
            found.setdefault(place, Bounds(0, lost, (0, lost + self.rounding), False))
        return found

    @property
    def apart(self) -> bool:
        """Whether the books round several amounts in one exchange: each loss, and what each exchange made of it."""
        return self.exchanges > 1 or (self.exchanges > 0 and self.seeds.labels() > 1)

    def _came_converted(self, end: int) -> bool:
        return any(tail in self.ways.converted for tail, at, _ in self.pending if at == end)

    def _with_basis(self, place: Place, bounds: Bounds, nodes: Mapping[Place | None, int]) -> Bounds:
        """The bounds of what it stands for: the most by worth, and the least as what cannot go anywhere else."""
        low = high = Fraction(self.stranded.get(place, 0)) + sum(
            (worth * units for worth, units in self.certain.get(place, {}).items()), Fraction(0)
        )
        if place in nodes:
            ways, node = self.ways, nodes[place]
            others = [other for other in nodes.values() if other != node]
            high += most_worth(ways.network, [node], ways.worth)
            low += max(Fraction(0), ways.total - (most_worth(ways.network, others, ways.worth) if others else 0))
        # The books share whole units out: at each exchange lots may round by one, on their way to each end again.
        slack = (
            self.slack + self.blurred + self.rounding + (self.exchanges + 1) * (self.exchanges + self.seeds.labels())
        )
        high = min(high, Fraction(self.entered + self.slack))  # an end stands for no more than was lost
        decided = bounds.least == bounds.most and low == high
        basis = max(0, floor(low) - slack), min(ceil(high) + slack, self.entered + self.slack)
        return Bounds(bounds.least, bounds.most, basis, decided)


def _sum(lots: Iterable[Mapping[Worth, int]]) -> dict[Worth, int]:
    total: dict[Worth, int] = {}
    for one in lots:
        for worth, units in one.items():
            if units:
                total[worth] = total.get(worth, 0) + units
    return total


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
    unrolled = _Unrolled(ledger, seeds, followed, course or Course())
    unrolled.unroll()
    return unrolled.bounds()
