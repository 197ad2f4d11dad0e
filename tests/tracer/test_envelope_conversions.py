"""The envelope through exchanges: sound against every whole assignment there is, and tight where nothing is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from drawn_exchanges import asset, hid, ledger, step
from notation import address, name_of
from tracer.conversions import Conversion, Exchanged
from tracer.engine import move
from tracer.envelope import Bounds, envelope
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Course, Moves, Seeds
from tracer.trace import Spot, StopCode, Trace, issue

RULES = (Rule.FIFO, Rule.LIFO, Rule.PRO_RATA, Rule.TAINT_FIRST, Rule.CLEAN_FIRST)
EDGES = (2**53 + 1, 2**63, 2**64, 2**128)
AAA, BBB, CCC = ASSETS = ("AAA", "BBB", "CCC")
WALLETS = ("w", "v")
Where = tuple[str, str]  # who, what of
NOTHING = Bounds(0, 0)


@dataclass(frozen=True)
class Op:
    """`who` is paid by the bank ("in") or the victim ("loss"), pays `to`, or gives `units` for `got` of `to`."""

    kind: str
    who: str
    of: str
    units: int
    to: str = ""
    got: int = 0

    def lines(self, number: int) -> list[str]:
        if self.kind == "swap":
            return [
                f"{number} {self.who} -> p {self.units} {self.of}",
                f"{number} p -> {self.who} {self.got} {self.to}",
            ]
        if self.kind == "pay":
            return [f"{number} {self.who} -> {self.to} {self.units} {self.of}"]
        return [f"{number} {'victim' if self.kind == 'loss' else 'bank'} -> {self.who} {self.units} {self.of}"]


@dataclass(frozen=True)
class Drawn:
    """A chain of exchanges, what is stolen in it, and what the envelope and the rules say of it by names."""

    ops: tuple[Op, ...]

    @cached_property
    def ledger(self) -> Ledger:
        return ledger("\n".join(line for number, op in enumerate(self.ops, 1) for line in op.lines(number)))

    @cached_property
    def seeds(self) -> Seeds:
        losses = [number for number, op in enumerate(self.ops, 1) if op.kind == "loss"]
        return Seeds({step(self.ledger, number): ((1, 2**256 - 1),) for number in losses})

    @cached_property
    def course(self) -> Course:
        made = {}
        for number, op in enumerate(self.ops, 1):
            if op.kind == "swap":
                at = step(self.ledger, number)
                gave, got = hid(self.ledger, op.who, op.of), hid(self.ledger, op.who, op.to)
                made[at] = (Conversion(at, (Exchanged(gave, op.units),), (Exchanged(got, op.got),)),)
        return Course(conversions=made)

    @cached_property
    def followed(self) -> dict[int, int]:
        return {at: len(self.ledger) for who in WALLETS for at in self.ledger.holdings_of(address(who))}

    def bounds(self) -> dict[Where, Bounds]:
        found = envelope(self.ledger, self.seeds, self.followed, self.course)
        return {(name_of(place.address), place.asset.symbol): bounds for place, bounds in found.items()}

    def moves(self, rule: Rule) -> Moves:
        return move(self.ledger, self.seeds, self.followed, rule, course=self.course)

    def trace(self, rule: Rule) -> Trace:
        everybody = {leg.address for one in self.ledger.transfers for leg in one.inputs + one.outputs if leg.address}
        stops: dict[Spot, StopCode] = dict.fromkeys(sorted(everybody), StopCode.SERVICE)
        loss = Loss("loss", asset(AAA), wallet=address("victim"))
        return issue(self.ledger, [loss], self.moves(rule), Between.PARI_PASSU, stops)


def covered(ops: Sequence[Op]) -> Drawn:
    """Nobody pays more than came; what would be nothing is left out."""
    has: dict[Where, int] = {}
    kept = []
    for op in ops:
        units = min(op.units, has.get((op.who, op.of), 0)) if op.kind in ("pay", "swap") else op.units
        if not units or op.who == op.to or (op.kind == "swap" and not op.got):
            continue
        sign = -1 if op.kind in ("pay", "swap") else 1
        has[op.who, op.of] = has.get((op.who, op.of), 0) + sign * units
        if op.kind == "pay":
            has[op.to, op.of] = has.get((op.to, op.of), 0) + units
        if op.kind == "swap":
            has[op.who, op.to] = has.get((op.who, op.to), 0) + op.got
        kept.append(Op(op.kind, op.who, op.of, units, op.to, op.got))
    return Drawn(tuple(kept))


# The oracle: every whole assignment there is

State = tuple[tuple[int, Fraction], ...]  # per place: stolen units, and what they stand for


@dataclass(frozen=True)
class Every:
    """Per place the least and the most, in units and in what was stolen; `certain`: no exchange left a choice."""

    units: dict[Where, tuple[int, int]]
    basis: dict[Where, tuple[Fraction, Fraction]]
    certain: bool


def nearest(units: int, stolen: int, of: int) -> int:
    """The stolen share of what came out: the nearest whole unit, a half to the clean side."""
    share = Fraction(units * stolen, of)
    return int(share) + (share - int(share) > Fraction(1, 2))


def every(drawn: Drawn) -> Every:
    """For chains in which all stolen units of one asset in one wallet stand for the same."""
    places = sorted({(op.who, op.of) for op in drawn.ops} | {(op.who, op.to) for op in drawn.ops if op.kind == "swap"}
                    | {(op.to, op.of) for op in drawn.ops if op.kind == "pay"})  # fmt: skip
    at = {place: number for number, place in enumerate(places)}
    has = dict.fromkeys(places, 0)
    states: set[State] = {tuple((0, Fraction(0)) for _ in places)}
    certain = True
    for op in drawn.ops:
        mine = op.who, op.of
        after: set[State] = set()
        takes = set()
        for state in states:
            stolen, basis = state[at[mine]]
            if op.kind in ("in", "loss"):
                choices: Sequence[int] = (0,)
            else:
                choices = range(max(0, op.units - (has[mine] - stolen)), min(stolen, op.units) + 1)
            for taken in choices:
                new = list(state)
                gone = Fraction(basis * taken, stolen) if stolen else Fraction(0)
                new[at[mine]] = stolen - taken, basis - gone
                if op.kind == "loss":
                    new[at[mine]] = stolen + op.units, basis + op.units
                elif op.kind != "in":
                    takes.add(taken)
                    to = (op.to, op.of) if op.kind == "pay" else (op.who, op.to)
                    came = taken if op.kind == "pay" else nearest(op.got, taken, op.units)
                    new[at[to]] = new[at[to]][0] + came, new[at[to]][1] + gone
                after.add(tuple(new))
        states = after
        certain = certain and (op.kind != "swap" or len(takes) == 1)
        has[mine] += op.units if op.kind in ("in", "loss") else -op.units
        if op.kind == "pay":
            has[op.to, op.of] += op.units
        if op.kind == "swap":
            has[op.who, op.to] += op.got
    units = {place: [state[at[place]][0] for state in states] for place in places}
    stood = {place: [state[at[place]][1] for state in states] for place in places}
    return Every(
        {place: (min(found), max(found)) for place, found in units.items()},
        {place: (min(found), max(found)) for place, found in stood.items()},
        certain,
    )


small = st.integers(1, 7)


@st.composite
def lines_of_exchange(draw: st.DrawFn, *, swaps: int = 2) -> Drawn:
    """One wallet; AAA is stolen, exchanged once for BBB, and that perhaps for CCC: one worth per asset."""
    ops: list[Op] = []
    for of, other in ((AAA, BBB), (BBB, CCC))[:swaps]:
        if of == AAA:
            ops.append(Op("loss", "w", AAA, draw(small)))
        for _ in range(draw(st.integers(0, 2))):
            kind = draw(st.sampled_from(["in", "pay", "loss"] if of == AAA else ["in", "pay"]))
            ops.append(Op(kind, "w", of, draw(small), "e" if kind == "pay" else ""))
        ops.append(Op("swap", "w", of, draw(st.integers(1, 14)), other, draw(st.integers(1, 9))))
    last = ops[-1].to
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["in", "pay", "pay"]))
        ops.append(Op(kind, "w", draw(st.sampled_from([last, AAA])), draw(small), "e" if kind == "pay" else ""))
    return covered(ops)


HALF = covered(
    [Op("loss", "w", AAA, 3), Op("in", "w", AAA, 3), Op("swap", "w", AAA, 4, BBB, 2), Op("pay", "w", BBB, 1, "e")]
)
INTO_NOTHING = covered([Op("loss", "w", AAA, 1), Op("in", "w", AAA, 6), Op("swap", "w", AAA, 7, BBB, 2)])
BESIDE = covered(
    [Op("loss", "w", AAA, 4), Op("swap", "w", AAA, 4, BBB, 2), Op("in", "w", BBB, 3), Op("pay", "w", BBB, 2, "e")]
)

ROUNDED = covered([Op("loss", "w", AAA, 2), Op("in", "w", AAA, 2), Op("swap", "w", AAA, 3, BBB, 1)])


@given(lines_of_exchange())
@example(HALF)
@example(ROUNDED)
@example(INTO_NOTHING)
@example(BESIDE)
def test_every_assignment_is_inside_in_units_and_in_what_was_stolen(drawn: Drawn) -> None:
    found, bounds = every(drawn), drawn.bounds()
    for place, (least, most) in found.units.items():
        if place not in bounds and not most:
            continue  # nothing, or less than one unit: see below
        mine = bounds.get(place, NOTHING)
        assert mine.least <= least <= most <= mine.most
        low, high = mine.stolen
        assert low <= found.basis[place][0] <= found.basis[place][1] <= high


def test_what_may_have_bought_less_than_a_unit_is_inside_though_all_that_came_went_on() -> None:
    mixed = [Op("loss", "w", AAA, 1), Op("in", "w", AAA, 2)]
    drawn = covered([*mixed, Op("swap", "w", AAA, 2, BBB, 1), Op("swap", "w", BBB, 1, CCC, 1)])
    (end,) = [one for one in drawn.trace(Rule.FIFO).ends if one.place.asset.symbol == BBB]
    assert (end.stop, end.units, end.stolen) == (StopCode.INDIVISIBLE, 0, 1)
    assert drawn.bounds()["w", BBB].stolen[1] >= 1


@given(lines_of_exchange())
@example(INTO_NOTHING)
@example(BESIDE)
def test_where_what_was_given_is_certain_the_bounds_are_what_assignments_reach(drawn: Drawn) -> None:
    found, bounds = every(drawn), drawn.bounds()
    assume(found.certain)
    reached = {place: both for place, both in found.units.items() if both[1]}
    assert {place: (one.least, one.most) for place, one in bounds.items() if one.most} == reached


@given(lines_of_exchange(swaps=1))
@example(HALF)
def test_where_it_is_not_the_bounds_are_a_rounded_unit_wider_at_most(drawn: Drawn) -> None:
    """One unit at the exchange each way, and what does not divide."""
    found, bounds = every(drawn), drawn.bounds()
    for place, one in bounds.items():
        least, most = found.units.get(place, (0, 0))
        assert least - one.least <= 2
        assert one.most - most <= 2


# A4 of the specification


def a4(scale: int) -> Drawn:
    """900 of 1500 USDT (1000 stolen) for 0.45 WETH, of which 0.30 go on; in so many units each."""
    return covered([
        Op("in", "w", AAA, 500 * scale),
        Op("loss", "w", AAA, 1_000 * scale),
        Op("swap", "w", AAA, 900 * scale, BBB, 450 * scale),
        Op("pay", "w", BBB, 300 * scale, "e"),
    ])  # fmt: skip


@pytest.mark.parametrize("scale", [1, 10**6, 2**64, 2**128])
def test_a4_of_the_weth_at_e_5_to_30_hundredths_are_stolen_and_stand_for_100_to_600(scale: int) -> None:
    """400 to 900 of what was given are stolen, so 0.20 to 0.45 of what came, and 0.15 of that stays."""
    bounds = a4(scale).bounds()["e", BBB]
    assert bounds.basis is not None
    near = 2  # one unit each way at the exchange, and none is lost to the scale
    assert 50 * scale - near <= bounds.least <= 50 * scale
    assert 300 * scale == bounds.most, "all that came to e may be"
    low, high = bounds.basis
    assert 100 * scale - 12 <= low <= 100 * scale
    assert 600 * scale <= high <= 600 * scale + 12
    assert not bounds.rule_independent


@pytest.mark.parametrize("scale", [1, 10**6, 2**64])
def test_a4_what_stays_is_bounded_too(scale: int) -> None:
    bounds = a4(scale).bounds()
    usdt, weth = bounds["w", AAA], bounds["w", BBB]
    assert (usdt.least, usdt.most) == (100 * scale, 600 * scale)
    assert usdt.basis is None, "it was not exchanged"
    assert 0 <= weth.least <= weth.most <= 150 * scale
    assert weth.stolen[1] >= 300 * scale, "under fifo what stays stands for 300"
    assert {name for name, _ in bounds} == {"w", "e"}, "who was paid in the exchange has nothing"


# What is certain


def test_what_was_all_stolen_before_an_exchange_is_certain_behind_it() -> None:
    drawn = covered([Op("loss", "w", AAA, 900), Op("swap", "w", AAA, 900, BBB, 45), Op("pay", "w", BBB, 30, "e")])
    bounds = drawn.bounds()
    assert (bounds["e", BBB].least, bounds["e", BBB].most) == (30, 30)
    assert (bounds["w", BBB].least, bounds["w", BBB].most) == (15, 15)
    assert bounds["e", BBB].rule_independent
    low, high = bounds["e", BBB].stolen
    assert low <= 600 <= high
    assert high - low <= 8, "nothing but rounding keeps them apart"


def test_the_provable_minimum_behind_an_exchange() -> None:
    """All of a mixture is exchanged: 60 of 100 stolen become 30 of 50, and of 45 that leave 25 at least are stolen."""
    mixed = [Op("loss", "w", AAA, 60), Op("in", "w", AAA, 40)]
    drawn = covered([*mixed, Op("swap", "w", AAA, 100, BBB, 50), Op("pay", "w", BBB, 45, "e")])
    bounds = drawn.bounds()["e", BBB]
    assert (bounds.least, bounds.most) == (25, 30)
    assert bounds.stolen[0] <= 50 <= 60 <= bounds.stolen[1]
    assert bounds.stolen[0] >= 50 - 5


def test_what_came_home_is_no_more_behind_an_exchange() -> None:
    """Of 60 stolen and 40 clean half is exchanged, half is paid as another loss: 50 of the 60 may be in that."""
    mixed = [Op("loss", "w", AAA, 60), Op("in", "w", AAA, 40)]
    drawn = covered([*mixed, Op("swap", "w", AAA, 50, BBB, 50), Op("pay", "w", AAA, 50, "e")])
    of = drawn.ledger
    seeds = Seeds({**drawn.seeds.paid, step(of, 4): ((1, 50),)})
    found = envelope(of, seeds, drawn.followed, drawn.course)
    bounds = {(name_of(place.address), place.asset.symbol): one for place, one in found.items()}
    assert bounds["w", BBB].stolen[0] <= 10
    assert (bounds["e", AAA].least, bounds["e", AAA].most) == (50, 50)


def test_what_bought_less_than_a_unit_stays_with_who_got_it() -> None:
    bounds = INTO_NOTHING.bounds()["w", BBB]
    assert (bounds.least, bounds.most) == (0, 0)
    assert bounds.stolen[0] <= 1 <= bounds.stolen[1]


@pytest.mark.parametrize("units", EDGES)
def test_wide_amounts_keep_their_last_unit(units: int) -> None:
    drawn = covered([Op("loss", "w", AAA, units), Op("swap", "w", AAA, units, BBB, 3 * units), Op("in", "w", BBB, 1),
                     Op("pay", "w", BBB, 3 * units, "e")])  # fmt: skip
    bounds = drawn.bounds()["e", BBB]
    assert (bounds.least, bounds.most) == (3 * units - 1, 3 * units)


# Whatever is exchanged


@st.composite
def chains(draw: st.DrawFn) -> Drawn:
    """Two wallets, three assets, exchanges to and fro."""
    amount = st.one_of(st.integers(1, 30), st.sampled_from(EDGES))
    ops = [Op("loss", "w", AAA, draw(amount))]
    for _ in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["in", "loss", "pay", "pay", "swap", "swap"]))
        who, of = draw(st.sampled_from(WALLETS)), draw(st.sampled_from(ASSETS))
        to = draw(st.sampled_from([one for one in ASSETS if one != of] if kind == "swap" else [*WALLETS, "e"]))
        ops.append(Op(kind, who, AAA if kind == "loss" else of, draw(amount), to if kind in ("pay", "swap") else "",
                      draw(amount)))  # fmt: skip
    return covered(ops)


BACK = covered([
    Op("loss", "w", AAA, 2), Op("in", "w", AAA, 1), Op("swap", "w", AAA, 2, BBB, 3), Op("swap", "w", BBB, 2, AAA, 5),
    Op("pay", "w", AAA, 3, "e"),
])  # fmt: skip


@given(chains())
@example(BACK)
@example(HALF)
def test_every_rule_is_inside_in_units_and_in_what_was_stolen(drawn: Drawn) -> None:
    bounds = drawn.bounds()
    for rule in RULES:
        for end in drawn.trace(rule).ends:
            place = name_of(end.place.address), end.place.asset.symbol
            if place not in bounds and not end.units:
                continue  # less than one unit: see above
            mine = bounds.get(place, NOTHING)
            assert mine.least <= end.units <= mine.most, rule
            assert mine.stolen[0] <= end.stolen <= mine.stolen[1], rule
            if mine.rule_independent:
                assert end.units == mine.least


@given(chains())
def test_a_place_that_no_bound_names_has_nothing_and_a_least_is_there_under_every_rule(drawn: Drawn) -> None:
    bounds = drawn.bounds()
    for rule in RULES:
        ends = {(name_of(end.place.address), end.place.asset.symbol): end.units for end in drawn.trace(rule).ends}
        assert {place for place, units in ends.items() if units} <= set(bounds)
        assert all(ends.get(place, 0) >= one.least for place, one in bounds.items())


@given(chains())
def test_no_least_is_above_its_most_nor_below_nothing(drawn: Drawn) -> None:
    for one in drawn.bounds().values():
        assert 0 <= one.least <= one.most
        assert 0 <= one.stolen[0] <= one.stolen[1]
