"""The ledger unrolled in time: as the engine moves lots, with what hangs on the rule left open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm

from tracer.conversions import Conversion, Exchanged
from tracer.ledger import Ledger, Movement
from tracer.lots import Fees, apportion, pro_rata_share
from tracer.moves import Course, Seeds, barrier, comes_for, set_aside
from tracer.reach import reach
from tracer.trace import Place, place_of
from tracer.values import MAX_UNITS
from tracer.ways import ONE, Held, Part, Ways, Worth, summed


@dataclass(slots=True)
class _Drawn:
    """A movement on its way: the parts of each input, and (once they are shared out) of each output."""

    one: Movement
    parts: dict[int, list[Part]]
    shares: list[list[Part]] | None = None


class Unrolled:
    """What the ledger comes to, step by step: certain ends, the network of the others, and what could not be told."""

    def __init__(self, ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], course: Course) -> None:
        self.ledger, self.seeds, self.followed, self.course = ledger, seeds, followed, course
        self.states: dict[int, Held] = {}
        self.ways = Ways()
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
        self.fees: dict[tuple[int, int], Held] = {}  # (fee sink, block), where coinbases carry fees on

    def unroll(self) -> None:
        """Go through all steps that stolen value can have come to."""
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
                self._end(place_of(ledger, hid), [self.ways.take(state, state.total)])

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
        came: dict[int, list[Part]] = {}
        for exchange in exchanges:
            self._exchange(exchange, drawn, came)
        waiting, clean = set_aside([each.one for each in late], came, claims, self.seeds)
        for each in late:
            if each.one.ordinal not in waiting:
                self._enter(each, claims)
        given: dict[int, list[tuple[tuple[int, ...], list[Part]]]] = {}
        for each in drawn:
            parts = [part for of_one in each.parts.values() for part in of_one]
            if step in self.course.barriers:
                self._end(place_of(self.ledger, barrier(step)), parts)
                parts = [Part(sum(part.units for part in parts))]
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

    def _shared(self, one: Movement, parts: list[Part]) -> list[list[Part]]:
        """What each output gets: any part of what the inputs brought together."""
        if len(one.outputs) == 1:
            return [parts]
        pool = Held()
        self.ways.put(pool, parts)
        return [[self.ways.take(pool, units)] for _, units in one.outputs]

    def _others(self, parts: list[Part], rest: int) -> list[Part]:
        """Of what a counterparty paid, what may be stolen and is no part of the exchange; at most `rest` is clean."""
        kept = [part for part in parts if part.dirty]
        spare = rest - sum(part.units for part in kept)
        return [*kept, Part(spare)] if spare > 0 else kept

    def _exchange(self, exchange: Conversion, drawn: Sequence[_Drawn], came: dict[int, list[Part]]) -> None:
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

    def _captured(self, leg: Exchanged, drawn: Sequence[_Drawn]) -> Part:
        """What of a holding's payments was given in the exchange; clean value goes on in its place."""
        whole = Held()
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
        return self.ways.take(whole, whole.total) if whole.total else Part(0)

    def _cut(self, into: Held, parts: list[Part], most_of: int) -> tuple[int, list[Part]]:
        """Put up to `most_of` units of `parts` into a pool; (how many are still wanted, what goes on)."""
        units = sum(part.units for part in parts)
        if units <= most_of:
            self.ways.put(into, parts)
            return most_of - units, [Part(units)]
        pool = Held()
        self.ways.put(pool, parts)
        self.ways.put(into, [self.ways.take(pool, most_of)])
        return 0, [self.ways.take(pool, pool.total), Part(most_of)]

    def _sure(self, got: Exchanged, gave: list[Part], rates: list[Fraction], share: Fraction) -> Part:
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
            return Part(got.units)
        found: dict[Worth, int] = {}
        for (worth, units, _), part in zip(lots, apportion(stolen, weights), strict=True):
            if part:
                new = Fraction(worth * units * share, part)
                found[new] = found.get(new, 0) + part
                if len(lots) > 1 or self.apart:
                    self.rounding += ceil(new) * self.seeds.labels()
            else:
                self.rounding += ceil(worth * units * share)
        return Part(got.units, found)

    def _unsure(self, units: int, gave: list[Part], rates: list[Fraction], share: Fraction) -> Part:
        """What depends on what was given: an arc with the rate as gain. One unit more each way, for what is rounded."""
        ways = self.ways
        if not units:  # rebased to nothing: what it stood for stays here, however much that is
            worths = [worth * given for part in gave for worth, given in part.stolen.items()]
            self.rounding += ceil(sum(worths) + sum(ways.top[part.node] * part.room for part in gave if part.room))
            return Part(0)
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
        return Part(units, {}, node, units)

    def _drawn(self, hid: int, units: int, step: int) -> Part:
        if self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
            state = self.fees.get((hid, self.ledger.block(step).number))
            if state is None:
                return Part(units)
            others = sum(paid for _, paid in self.ledger.fees(hid, step)) - state.total
            self.ways.put(state, [Part(max(0, others))])
            self.ways.put(state, [Part(max(0, units - state.total))])
            return self.ways.take(state, units)
        state = self.states.get(hid)
        if step > self.followed.get(hid, -1) or (state is None and hid not in self.seeds.unseen):
            return Part(units)
        if state is None:
            state = self.states[hid] = Held(self.ledger.balance_before(hid, step))
        short = max(0, units - state.total)
        part = self.ways.take(state, units - short)
        part.units += short
        label = self.seeds.unseen.get(hid, 0)
        if short and label and step >= self.seeds.since.get(hid, 0):
            fresh = self._within_cap(label, short)
            if fresh:
                part.stolen = {**part.stolen, ONE: part.stolen.get(ONE, 0) + fresh}
        return part

    def _claimed(self, hid: int, parts: list[Part], claims: Sequence[list[int]]) -> list[Part]:
        return self._claim(parts, [claim for claim in claims if claim[0] == hid])

    def _claim(self, parts: list[Part], claims: Iterable[list[int]], most_of: int = MAX_UNITS) -> list[Part]:
        for claim in claims:
            _, label, units = claim
            before = self.entered
            parts = self._marked(parts, label, min(units, most_of))
            claim[2] -= self.entered - before
            most_of -= self.entered - before
        return parts

    def _marked(self, parts: list[Part], label: int, asked: int) -> list[Part]:
        """The loss that these units are. What was stolen before stays so, however much the rule says that is."""
        units = sum(part.units for part in parts)
        most_of = min(asked, units, self.left.get(label, units))
        certain = summed(part.stolen for part in parts)
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
            self._end(None, [Part(part.room, {}, part.node, part.room) for part in parts if part.node >= 0])
        self.entered += fresh
        if fresh:
            certain[ONE] = certain.get(ONE, 0) + fresh
        return [Part(units, certain)]

    def _within_cap(self, label: int, units: int) -> int:
        units = min(units, self.left.get(label, units))
        self.entered += units
        if label in self.left:
            self.left[label] -= units
        return units

    def _given(self, hid: int, parts: list[Part], step: int) -> None:
        self.came[hid] = self.came.get(hid, 0) + sum(part.units for part in parts)
        dirty = any(part.dirty for part in parts)
        if self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
            if dirty:
                self.ways.put(self.fees.setdefault((hid, self.ledger.block(step).number), Held()), parts)
            return
        if hid not in self.followed:
            if dirty:
                self._end(place_of(self.ledger, hid), parts)
            return
        state = self.states.get(hid)
        if state is None:
            if not dirty:
                return
            state = self.states[hid] = Held(self.ledger.balance_before(hid, step))
        self.ways.put(state, parts)

    def _end(self, place: Place | None, parts: list[Part]) -> None:
        for part in parts:
            if place is not None:
                self.certain[place] = summed([self.certain.get(place, {}), part.stolen])
            if part.node >= 0 and part.room:
                if place not in self.ends:
                    self.ends[place] = len(self.ends)
                self.pending.append((part.node, self.ends[place], part.room))

    @property
    def apart(self) -> bool:
        """Whether the books round several amounts in one exchange: each loss, and what each exchange made of it."""
        return self.exchanges > 1 or (self.exchanges > 0 and self.seeds.labels() > 1)
