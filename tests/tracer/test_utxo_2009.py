"""The Bitcoin of 2009 followed whole: stolen coinbases, every rule, every fee convention, books closed each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest

import btc2009
from graphs.seeds import seeds_of
from tracer.engine import move
from tracer.envelope import envelope
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.moves import Course, Seeds
from tracer.reach import reach
from tracer.trace import Part, Place, Spot, StopCode, Trace, issue
from tracer.values import Outpoint

pytestmark = btc2009.needs_2009
FIRST_PAID = 9  # this block's coinbase was the first that anybody was paid with


@dataclass(frozen=True)
class Year:
    """The ledger of the year, and what all questions to it share."""

    ledger: Ledger
    followed: dict[int, int]

    def seeds(self, losses: tuple[Loss, ...]) -> Seeds:
        return seeds_of(self.ledger, losses)

    def trace(self, losses: tuple[Loss, ...], rule: Rule, fees: Fees) -> Trace:
        moves = move(self.ledger, self.seeds(losses), self.followed, rule, course=Course(fees))
        addresses = (self.ledger.address(hid) for hid in self.followed)
        held: dict[Spot, StopCode] = {address: StopCode.UNSPENT for address in addresses if address}
        return issue(self.ledger, losses, moves, Between.PARI_PASSU, held)


@cache
def year() -> Year:
    ledger = Ledger.of(btc2009.transfers())
    coins = {hid for at in range(len(ledger)) for hid, _ in ledger.outputs(at) if ledger.is_coin(hid)}
    return Year(ledger, dict.fromkeys(coins, len(ledger)))


@cache
def stolen() -> tuple[Loss, ...]:
    """The coinbase of block 9, three that reach most coins, and two of which the rules disagree where they went."""
    of, ledger = year(), year().ledger
    first = next(at for at, transfer in enumerate(ledger.transfers) if transfer.block.number == FIRST_PAID)
    mined = [at for at in range(len(ledger)) if all(ledger.is_sink(hid) for hid, _ in ledger.inputs(at))]
    spent = {at: ledger.events(ledger.outputs(at)[0][0])[1:] for at in mined}
    flocks: dict[frozenset[int], int] = {}  # what each reaches -> one of those that were spent together
    for at in mined:
        if spent[at]:
            reached = reach(ledger, Seeds({at: ((1, 1),)}), of.followed)
            flocks.setdefault(frozenset(reached) - {ledger.outputs(at)[0][0]}, at)
    furthest = [flocks[coins] for coins in sorted(flocks, key=len, reverse=True) if flocks[coins] != first]
    mixed = [at for at in furthest[3:] if len(ledger.inputs(spent[at][0])) > 1 < len(ledger.outputs(spent[at][0]))]
    ids = [ledger.transfer(at).id for at in (first, *furthest[:3], *mixed[:2])]
    return tuple(Loss(f"{id}", btc2009.BTC, paid=id, output=0) for id in ids)


def by_place(trace: Trace) -> dict[Place, int]:
    return {end.place: end.stolen for end in trace.ends}


def test_the_six_coinbases_are_of_the_year_and_are_spent_on() -> None:
    assert len({loss.paid for loss in stolen()}) == 6
    reached = reach(year().ledger, year().seeds(stolen()), year().followed)
    assert len(reached) > 50


@pytest.mark.parametrize("fees", Fees)
@pytest.mark.parametrize("rule", Rule)
def test_the_books_close_for_each_coinbase_alone_and_for_all_together(rule: Rule, fees: Fees) -> None:
    for losses in (stolen()[:1], stolen()[-1:], stolen()):
        trace = year().trace(losses, rule, fees)
        books = trace.books
        assert trace.lost == tuple((label, btc2009.SUBSIDY) for label in range(1, len(losses) + 1))
        assert books.lost == books.ends + books.held + books.fees + books.not_followed
        assert books.not_followed == sum(end.stolen for end in trace.ends if end.place.address is None
                                         and end.stop.part is Part.NOT_FOLLOWED)  # fmt: skip
        assert all(end.place.address or isinstance(end.place.holding, Outpoint) or end.stop is StopCode.FEE
                   for end in trace.ends)  # fmt: skip


@pytest.mark.parametrize("fees", Fees)
def test_every_rule_is_within_the_envelope_and_its_ends_within_poison(fees: Fees) -> None:
    of = year()
    losses = stolen()
    bounds = envelope(of.ledger, of.seeds(losses), of.followed, Course(fees))
    assert {found.rule_independent for found in bounds.values()} == {True, False}
    for rule in Rule:
        rests = by_place(of.trace(losses, rule, fees))
        assert rests.keys() <= bounds.keys()
        assert all(found.least <= rests.get(place, 0) <= found.most for place, found in bounds.items())


def test_fifo_and_lifo_of_all_are_the_sum_of_each() -> None:
    for rule in (Rule.FIFO, Rule.LIFO):
        together = {end.place: dict(end.amounts) for end in year().trace(stolen(), rule, Fees.LAST).ends}
        for label, loss in enumerate(stolen(), start=1):
            mine = {place: units[label] for place, units in together.items() if label in units}
            assert by_place(year().trace((loss,), rule, Fees.LAST)) == mine
