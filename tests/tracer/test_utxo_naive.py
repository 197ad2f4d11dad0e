"""A second tracer for Bitcoin ledgers, one satoshi at a time. Slow, and it must agree with the engine to each satoshi.

Each coin is a list of satoshis, each satoshi the label of its loss, 0 if clean. Written from docs/method.md alone.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import groupby
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.lots import Between, Fees, Rule
from utxo import EVERYTHING, Drawn, Tx, chains, drawing, few, grown, recipes, thefts

Units = list[int]
ORDERED = (Rule.FIFO, Rule.LIFO)


class Naive:
    """The chain's state, and one step of it for each transaction."""

    def __init__(self, of: Drawn, rule: Rule, fees: Fees, between: Between) -> None:
        self.of, self.rule, self.fees, self.between = of, rule, fees, between
        self.coins: dict[str, Units] = {}  # what is followed
        self.ends: dict[str, Units] = {}
        self.collected: dict[int, Units] = {}  # block -> its fees, in the order of its transactions

    def run(self) -> dict[str, Counter[int]]:
        for tx in self.of.in_order:
            self.transaction(tx)
        rests = [*self.coins.items(), *self.ends.items(), *(("fee", units) for units in self.collected.values())]
        found: dict[str, Counter[int]] = {}
        for name, units in rests:
            found.setdefault(name, Counter()).update(label for label in units if label)
        return {name: labels for name, labels in found.items() if labels}

    def transaction(self, tx: Tx) -> None:
        came = [label for at in range(len(tx.inputs)) for label in self.paid_by(tx, at)]
        if tx.name in self.of.paid:
            self.mark(came, *self.of.paid[tx.name])
        fee: Units = []
        if tx.fee and self.fees is not Fees.LAST:
            fee, came = self.shrunk(came, tx.fee)
        wanted = [units for _, units in tx.outputs] + ([tx.fee] if tx.fee and self.fees is Fees.LAST else [])
        got = self.shared(came, wanted, last_is_fee=len(wanted) > len(tx.outputs))
        for at, (who, _) in enumerate(tx.outputs):
            name = tx.coin(at)
            if name in self.of.coins:
                self.mark(got[at], *self.of.coins[name])
            if who == "burn" or who in self.of.outside:
                self.ends.setdefault(name, []).extend(got[at])
            else:
                self.coins[name] = got[at]
        if len(wanted) > len(tx.outputs):
            fee = got[-1]
        if self.fees is Fees.IN_RATIO:
            self.collected.setdefault(tx.block, []).extend(fee)
        else:
            self.ends.setdefault("fee", []).extend(fee)

    def paid_by(self, tx: Tx, at: int) -> Units:
        what, number = tx.inputs[at]
        if what == "fees" and self.fees is Fees.IN_RATIO:
            return self.of_the_fees(tx.block, number)
        if what == "old" and tx.source(at) in self.of.unseen:
            return [self.of.unseen[tx.source(at)]] * number
        return self.kept(self.coins.pop(what, [0] * number))

    def of_the_fees(self, block: int, number: int) -> Units:
        """A coinbase may leave fees unclaimed; what the rule then leaves behind stays a fee."""
        fees = self.kept(self.collected.pop(block, []))
        fees += [0] * (number - len(fees))
        taken, rest = self.shared(fees, [number, len(fees) - number], by_size=False)
        self.collected[block] = rest
        return taken[::-1] if self.rule is Rule.LIFO else taken  # as they lay, not as they were taken

    def kept(self, units: Units) -> Units:
        """As a holding keeps them: rules without an order keep two heaps, and one heap for each victim."""
        if self.rule in ORDERED:
            return units
        stolen = [label for label in units if label]
        if self.between is not Between.FIRST_IN_FIRST_OUT:
            stolen.sort()
        return [0] * (len(units) - len(stolen)) + stolen

    def mark(self, units: Units, label: int, most: int) -> None:
        clean = [at for at, known in enumerate(units) if not known]
        for at in clean[:most]:
            units[at] = label

    def shrunk(self, units: Units, fee: int) -> tuple[Units, Units]:
        """The fee's share of every lot. A lot is what lies together: adjacent satoshis of one label."""
        lots = [list(lot) for _, lot in groupby(self.kept(units))]
        shares = largest_remainders(fee, [len(lot) for lot in lots])
        taken = [lot[:share] for lot, share in zip(lots, shares, strict=True)]
        rest = [lot[share:] for lot, share in zip(lots, shares, strict=True)]
        return [label for lot in taken for label in lot], [label for lot in rest for label in lot]

    def shared(
        self, units: Units, wanted: list[int], *, last_is_fee: bool = False, by_size: bool = True
    ) -> list[Units]:  # fmt: skip
        assert len(units) == sum(wanted)
        places = list(range(len(wanted)))
        if self.rule is Rule.HIGHEST_OUT and by_size:
            outputs = places[:-1] if last_is_fee else places
            places = sorted(outputs, key=lambda at: wanted[at], reverse=True) + places[len(outputs) :]
        units = self.kept(units)
        if self.rule is Rule.LIFO:
            units = units[::-1]
        stolen = [label for label in units if label]
        averages = largest_remainders(len(stolen), wanted)
        found: list[Units] = [[]] * len(wanted)
        for at in places:
            number = wanted[at]
            if self.rule in ORDERED:
                found[at], units = units[:number], units[number:]
                continue
            clean = len(units) - len(stolen)
            theirs = {
                Rule.PRO_RATA: averages[at],
                Rule.CLEAN_FIRST: max(0, number - clean),
            }.get(self.rule, min(number, len(stolen)))
            mine = self.of_the_victims(stolen, theirs)
            for label in mine:
                stolen.remove(label)
            units = [0] * (clean - number + theirs) + stolen
            found[at] = mine + [0] * (number - theirs)
        return found

    def of_the_victims(self, stolen: Units, number: int) -> Units:
        if self.between is not Between.PARI_PASSU:
            return stolen[:number]  # `kept` has put them in the order of arrival or of priority
        counts = sorted(Counter(stolen).items())
        shares = largest_remainders(number, [count for _, count in counts])
        return [label for (label, _), share in zip(counts, shares, strict=True) for _ in range(share)]


def largest_remainders(units: int, weights: list[int]) -> list[int]:
    """Everybody's share rounded down, and what is left over one each to those who lost most by it, the first first."""
    exact = [Fraction(units * weight, sum(weights) or 1) for weight in weights]
    found = [floor(share) for share in exact]
    for at in sorted(range(len(exact)), key=lambda at: found[at] - exact[at])[: units - sum(found)]:
        found[at] += 1
    return found if any(weights) else [0] * len(weights)


def disagreements(of: Drawn, rule: Rule, fees: Fees, between: Between = Between.PARI_PASSU) -> str:
    """What the engine has and what it is satoshi by satoshi, "" where that is the same."""
    engine = {name: +Counter(lots) for name, lots in of.rests(rule, fees, between).items()}
    naive = Naive(of, rule, fees, between).run()
    return "" if engine == naive else f"the engine has {engine}, satoshi by satoshi it is {naive}"


ANY = thefts(chains(), losses=3, partial=True, unseen=True)
MINED = thefts(chains(mined=True), losses=3, partial=True, unseen=True)
# Two coins into one, and on into two: LIFO spends the last input's satoshis first both times.
ONE_OUTPUT = Drawn(
    drawing("1 one: old:5 -> a:5\n1 two: old:5 -> a:5\n2 joined: one.0 two.0 -> a:10\n3 out: joined.0 -> shop:4 b:6"),
    paid={"one": (1, EVERYTHING)},
)
# Of the fee's one satoshi 4/7 are stolen, however many coins they came in.
PENNIES = Drawn(
    drawing(
        "".join(f"1 p{n}: old:1 -> a:1\n" for n in range(4))
        + "2 joined: p0.0 p1.0 p2.0 p3.0 old:3 -> b:3 shop:3\n2 mined: new:5 fees:1 -> a:6"
    ),
    paid={f"p{n}": (1, EVERYTHING) for n in range(4)},
)
# The block's fees are 10 stolen and 90 clean satoshis, and its coinbase took 50 of them.
UNCLAIMED = Drawn(
    drawing("1 theft: old:10 -> a:0\n1 other: old:90 -> b:0\n1 mined: new:50 fees:50 -> a:75 b:25"),
    paid={"theft": (1, EVERYTHING)},
)


@pytest.mark.parametrize("of", [ONE_OUTPUT, PENNIES, UNCLAIMED], ids=["one output", "pennies", "unclaimed"])
@pytest.mark.parametrize("fees", Fees)
@pytest.mark.parametrize("rule", Rule)
def test_chains_that_once_differed(of: Drawn, rule: Rule, fees: Fees) -> None:
    for between in Between:
        assert not disagreements(of, rule, fees, between)


@few
@given(thefts(chains()))
def test_one_loss(of: Drawn) -> None:
    for rule in Rule:
        assert not disagreements(of, rule, Fees.LAST)


@few
@given(thefts(chains(10), losses=3), st.sampled_from(Between))
def test_several_losses_under_every_rule_between_victims(of: Drawn, between: Between) -> None:
    for rule in Rule:
        assert not disagreements(of, rule, Fees.LAST, between)


@few
@given(ANY, st.sampled_from(Fees))
def test_losses_in_part_and_coins_that_nobody_saw_made(of: Drawn, fees: Fees) -> None:
    for rule in Rule:
        assert not disagreements(of, rule, fees)


@few
@given(MINED, st.sampled_from(Between))
def test_fees_that_go_on_into_coinbases(of: Drawn, between: Between) -> None:
    for rule in Rule:
        assert not disagreements(of, rule, Fees.IN_RATIO, between)


@few
@given(thefts(recipes().map(lambda drawn: grown(drawn, mined=True, kept=2)), losses=2))
def test_coinbases_that_leave_fees_unclaimed(of: Drawn) -> None:
    for rule in Rule:
        assert not disagreements(of, rule, Fees.IN_RATIO)
