"""Leads beyond a CoinJoin: where to look, with odds; never an amount, never an end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import utxo
from graphs.follow import follow
from graphs.leads import MOST_OUTPUTS, Lead, leads
from graphs.stops import StopRules
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.values import Address, Outpoint, TransferId

MIX = """
    1 theft: old:1200 -> thief:1000 victim:200
    1 pa: old:1000 -> anna:1000
    1 pb: old:1000 -> berta:1000
    2 mix: theft.0 pa.0 pb.0 -> x:900 y:900 z:900 c1:91 c2:93 c3:95    # fee 21
"""
PAID = "3 pay: mix.0 -> shop:500 rest:390"
AGAIN = """
    3 qa: old:1000 -> clara:1000
    3 qb: old:1000 -> dora:1000
    4 again: mix.0 qa.0 qb.0 -> u:800 v:800 w:800 d1:31 d2:32 d3:33
"""


UNSPENT = "not spent in the history read"


def id_of(name: str) -> TransferId:
    return TransferId(utxo.BITCOIN, utxo.txid(name))


def coin(name: str) -> Outpoint:
    tx, _, at = name.partition(".")
    return Outpoint(utxo.BITCOIN, utxo.txid(tx), int(at))


def labels(**roles: Role) -> LabelBook:
    day = date(2024, 1, 1)
    return LabelBook(
        Label(Address(utxo.BITCOIN, name), name, name, role, "test", day, 50, f"labels#{name}")
        for name, role in roles.items()
    )


def read(txs: Iterable[utxo.Tx], *, but: str = "") -> Ledger:
    """The ledger of a drawing; the histories of all addresses were read, but for the one named."""
    drawn = utxo.transfers(txs)
    last = max(one.block for one in drawn)
    book = CoverageBook()
    for who in sorted({leg.address for one in drawn for leg in one.inputs + one.outputs if leg.address}):
        if who.text != but:
            book.add(Coverage(who, State.READ, frozenset(Kind), "test", "test", 0, last.number, last.time, 1, ""))
    return Ledger.of(drawn, book)


def found(text: str, *starts: str, hops: int = 3, but: str = "", **roles: Role) -> dict[str, Lead]:
    """The leads by the name of their output, in order; for leads from one CoinJoin only."""
    txs = utxo.drawing(text)
    of = read(txs, but=but)
    names = {coin(f"{tx.name}.{at}"): f"{tx.name}.{at}" for tx in txs for at in range(len(tx.outputs))}
    mixes = [id_of(name) for name in starts or ("mix",)]
    return {names[lead.output]: lead for lead in leads(of, labels(**roles), mixes, StopRules(), hops=hops)}


def test_any_of_the_equal_outputs_may_be_it_and_no_other() -> None:
    mine = found(MIX)
    assert sorted(mine) == ["mix.0", "mix.1", "mix.2"], "what is not equal to another is somebody's change"
    for lead in mine.values():
        assert (lead.one_in, lead.units, lead.path, lead.coinjoin) == (3, 900, (id_of("mix"),), id_of("mix"))
        assert lead.why == UNSPENT
        assert not lead.labelled
    assert mine["mix.0"].address == Address(utxo.BITCOIN, "x")


def test_through_a_payment_each_output_may_be_it_at_the_same_odds() -> None:
    mine = found(MIX + PAID)
    assert sorted(mine) == ["mix.1", "mix.2", "pay.0", "pay.1"], "what was spent is no place to look"
    assert mine["pay.0"].one_in == mine["pay.1"].one_in == 3
    assert mine["pay.0"].path == (id_of("mix"), id_of("pay"))
    assert mine["pay.0"].units == 500


def test_through_a_second_coinjoin_the_odds_multiply() -> None:
    mine = found(MIX + AGAIN)
    assert {name: lead.one_in for name, lead in mine.items()} == {
        "mix.1": 3, "mix.2": 3, "again.0": 9, "again.1": 9, "again.2": 9
    }  # fmt: skip
    assert mine["again.0"].path == (id_of("mix"), id_of("again"))
    assert list(mine)[:2] == ["mix.1", "mix.2"] or list(mine)[:2] == ["mix.2", "mix.1"], "best odds first"


def test_through_a_third_one_they_multiply_again() -> None:
    third = """
        5 ra: old:1000 -> emma:1000
        5 rb: old:1000 -> frida:1000
        6 third: again.1 ra.0 rb.0 -> i:700 j:700 k:700 e1:31 e2:32 e3:33
    """
    mine = found(MIX + AGAIN + third)
    assert {lead.one_in for name, lead in mine.items() if name.startswith("third")} == {27}


def test_a_label_is_where_a_lead_stops_and_it_comes_first_among_equals() -> None:
    mine = found(MIX + "3 on: mix.2 -> further:890", z=Role.EXCHANGE)
    assert "on.0" not in mine, "not followed into an exchange"
    assert next(iter(mine)) == "mix.2"
    assert mine["mix.2"].labelled
    assert "z" in mine["mix.2"].why


def test_no_label_outruns_better_odds() -> None:
    mine = found(MIX + AGAIN, u=Role.EXCHANGE)
    assert [lead.one_in for lead in mine.values()] == [3, 3, 9, 9, 9]
    assert list(mine)[2] == "again.0"


@pytest.mark.parametrize("outputs", [MOST_OUTPUTS, MOST_OUTPUTS + 30])
def test_a_payment_to_very_many_is_no_trail(outputs: int) -> None:
    """The fee is an output too."""
    many = " ".join(f"n{at}:{at + 1}" for at in range(min(outputs, 36))) + " n:1" * (outputs - 36)
    why = found(MIX + f"3 many: mix.0 -> {many}")["mix.0"].why
    assert "no trail" in why
    assert f"to {outputs + 1} outputs" in why


def test_a_payment_to_as_many_as_may_be_is_followed() -> None:
    many = " ".join(f"n{at}:{at + 1}" for at in range(MOST_OUTPUTS - 1))
    assert "many.0" in found(MIX + f"3 many: mix.0 -> {many}")


@pytest.mark.parametrize(("hops", "expected"), [(0, "mix.0"), (1, "pay.0"), (2, "on.0")])
def test_only_so_many_payments_are_followed(hops: int, expected: str) -> None:
    mine = found(MIX + PAID + "\n4 on: pay.0 -> bank:490", hops=hops)
    assert expected in mine
    assert ("not followed further" in mine[expected].why) == (expected != "on.0")


def test_an_output_to_which_two_ways_lead_is_named_once_with_the_better_odds() -> None:
    mine = found(MIX + AGAIN + "5 both: mix.1 again.0 -> end:1600")
    assert mine["both.0"].one_in == 3
    assert mine["both.0"].path == (id_of("mix"), id_of("both"))


def test_a_bare_script_may_be_it_too_but_not_a_fee_or_what_nobody_can_spend() -> None:
    mine = found(MIX + "3 pay: mix.0 -> ?:500 burn:100 nil:0 rest:200")
    assert sorted(mine) == ["mix.1", "mix.2", "pay.0", "pay.3"]
    assert mine["pay.0"].address is None
    assert "no source can be asked" in mine["pay.0"].why


def test_of_a_history_that_was_not_read_nobody_says_that_a_lead_is_unspent() -> None:
    mine = found(MIX, but="x")
    assert "not known whether it was spent" in mine["mix.0"].why
    assert mine["mix.1"].why == UNSPENT


def test_two_coinjoins_have_leads_of_their_own() -> None:
    txs = utxo.drawing(MIX + AGAIN)
    of = read(txs)
    both = leads(of, LabelBook(), [id_of("mix"), id_of("again")], StopRules())
    odds = {(lead.coinjoin, lead.output): lead.one_in for lead in both}
    assert odds[id_of("again"), coin("again.0")] == 3
    assert odds[id_of("mix"), coin("again.0")] == 9


def test_a_coinjoin_that_is_not_in_the_data_has_no_leads() -> None:
    assert found(MIX, "elsewhere") == {}


@pytest.mark.parametrize("text", [MIX, MIX + PAID, MIX + AGAIN])
def test_a_trace_has_the_same_amounts_with_leads_and_without(text: str) -> None:
    txs = utxo.drawing(text)
    of = read(txs)
    loss = [Loss("loss", utxo.BITCOIN.coin, paid=id_of("theft"), output=0)]
    before = follow(of, LabelBook(), loss, spent=True).traces()
    mine = leads(of, LabelBook(), [id_of("mix")], StopRules())
    assert mine
    assert follow(of, LabelBook(), loss, spent=True).traces() == before
    for trace in before.values():
        assert not {lead.output for lead in mine} & {end.place.holding for end in trace.ends}
        assert not {lead.address for lead in mine} & {end.place.address for end in trace.ends}


@given(utxo.chains(), st.integers(0, 3))
def test_whatever_a_chain_is_leads_are_unspent_or_say_why_they_end(txs: tuple[utxo.Tx, ...], hops: int) -> None:
    """Any transaction may be asked about; what looks like no CoinJoin has outputs at odds of one."""
    of = read(txs)
    for lead in leads(of, LabelBook(), [id_of(txs[0].name)], StopRules(), hops=hops):
        hid = of.hid(lead.output)
        assert hid is not None
        spent = any(of.transfer(step).inputs and any(leg.holding == lead.output for leg in of.transfer(step).inputs)
                    for step in of.events(hid))  # fmt: skip
        assert (lead.why == UNSPENT) is (not spent and lead.address is not None)
        assert lead.units > 0
        assert lead.path[0] == lead.coinjoin == id_of(txs[0].name)
        assert len(lead.path) <= hops + 1
