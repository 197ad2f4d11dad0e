"""Coins followed from a loss to their ends: change, CoinJoins, bare scripts, wallets, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import utxo
from graphs.follow import follow
from graphs.following import Expand, Following
from graphs.origins import originate
from graphs.stops import StopRules
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.errors import InputError
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Fees, Rule
from tracer.trace import End, Part, StopCode
from tracer.values import Address, Family, Outpoint, Sink, TransferId

BTC = utxo.BITCOIN.coin
RULES = Rule.of(Family.BITCOIN)
NO_DUST = StopRules(dust_one_in=0, diluted_one_in=0, window_days=0)


def at(name: str) -> Address:
    return Address(utxo.BITCOIN, name)


def id_of(name: str) -> TransferId:
    return TransferId(utxo.BITCOIN, utxo.txid(name))


def labels(**roles: Role) -> LabelBook:
    day = date(2024, 1, 1)
    return LabelBook(
        Label(at(name), name, name, role, "test", day, 50, f"labels#{name}") for name, role in roles.items()
    )


def read(text: str | Iterable[utxo.Tx], *, but: str = "") -> Ledger:
    """The ledger of a drawing; all histories were read, but for the one named."""
    drawn = utxo.transfers(utxo.drawing(text) if isinstance(text, str) else text)
    last = max(one.block for one in drawn)
    book = CoverageBook()
    for who in sorted({leg.address for one in drawn for leg in one.inputs + one.outputs if leg.address}):
        if who.text != but:
            book.add(Coverage(who, State.READ, frozenset(Kind), "test", "test", 0, last.number, last.time, 1, ""))
    return Ledger.of(drawn, book)


def followed(text: str, *, output: int | None = 1, but: str = "", fees: Fees = Fees.LAST, **roles: Role) -> Following:
    """What `theft` paid in that output, followed; the rest is the victim's change."""
    loss = Loss("loss", BTC, paid=id_of("theft"), output=output)
    return follow(read(text, but=but), labels(**roles), [loss], NO_DUST, fees=fees)


def named(end: End) -> str:
    """Where an end is: its address, `?`, or the name of its code."""
    if end.place.address is not None:
        return end.place.address.text
    return "?" if isinstance(end.place.holding, Outpoint) else end.stop.value


def ends(found: Following, rule: Rule = Rule.FIFO) -> dict[str, tuple[StopCode, int]]:
    return {named(end): (end.stop, end.units) for end in found.traces()[rule].ends}


def closes(found: Following) -> None:
    for trace in found.traces().values():
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed
        assert all(end.units == end.stolen > 0 for end in trace.ends)


# The loss

THEFT = "1 theft: old:1000 -> victim:390 thief:600    # fee 10\n"


@pytest.mark.parametrize("rule", RULES)
def test_the_victims_change_is_not_lost(rule: Rule) -> None:
    found = followed(THEFT + "2 pay: theft.1 -> bank:590\n3 back: theft.0 -> home:380", bank=Role.EXCHANGE)
    assert ends(found, rule) == {"bank": (StopCode.EXCHANGE, 590), "fee": (StopCode.FEE, 10)}
    assert found.traces()[rule].books.lost == 600
    closes(found)


def test_of_an_output_the_first_units_may_be_the_loss() -> None:
    loss = Loss("loss", BTC, paid=id_of("theft"), output=1, units=100)
    found = follow(read(THEFT), LabelBook(), [loss], NO_DUST)
    assert ends(found) == {"thief": (StopCode.UNSPENT, 100)}


def test_two_outputs_may_be_two_losses() -> None:
    losses = [Loss(f"loss {n}", BTC, paid=id_of("theft"), output=n) for n in (0, 1)]
    found = follow(read(THEFT + "2 pay: theft.0 theft.1 -> mule:990"), LabelBook(), losses, NO_DUST)
    (end,) = found.traces()[Rule.FIFO].ends
    assert (end.place.address, end.amounts) == (at("mule"), ((1, 390), (2, 600)))


@pytest.mark.parametrize("output", [-1, 3])
def test_an_output_that_is_not_there_is_an_error_that_says_which_are(output: int) -> None:
    with pytest.raises(InputError, match=f"has no output {output}"):
        followed(THEFT, output=output)


def test_without_an_output_all_that_was_paid_is_the_loss() -> None:
    found = followed(THEFT, output=None)
    assert ends(found) == {
        "victim": (StopCode.UNSPENT, 390),
        "thief": (StopCode.UNSPENT, 600),
        "fee": (StopCode.FEE, 10),
    }


# Where it stops

MIX = (
    THEFT
    + """
    1 pa: old:1000 -> anna:1000
    1 pb: old:1000 -> berta:1000
    2 mix: theft.1 pa.0 pb.0 -> x:800 y:800 z:800 c1:61 c2:63 c3:65    # fee 11
    3 out: mix.0 -> bank:790
"""
)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("fees", Fees)
def test_a_coinjoin_is_one_end_that_says_why(rule: Rule, fees: Fees) -> None:
    found = followed(MIX, fees=fees, bank=Role.EXCHANGE)
    (end,) = found.traces()[rule].ends
    assert (end.stop, end.units, end.place.holding) == (StopCode.COINJOIN, 600, id_of("mix"))
    assert end.transfers == (id_of("mix"),)
    stop = found.stops[id_of("mix")]
    assert (stop.code, stop.address) == (StopCode.COINJOIN, None)
    assert "CoinJoin" in stop.why
    assert found.traces()[rule].books.ends == 600
    closes(found)


def test_poison_does_not_go_through_a_coinjoin_either() -> None:
    found = followed(MIX, bank=Role.EXCHANGE)
    reached = {found.ledger.holding(hid) for hid in found.reached()}
    assert reached == {Outpoint(utxo.BITCOIN, utxo.txid("theft"), 1)}


def test_the_average_is_rounded_over_all_outputs_together() -> None:
    """One of three is stolen: one after the other, each half or less would be rounded down until the last has it."""
    found = followed("1 theft: old:1 -> victim:0 thief:1\n2 pay: theft.1 old:2 -> one:1 two:1 three:1")
    assert ends(found, Rule.PRO_RATA) == {"one": (StopCode.UNSPENT, 1)}


def test_a_bare_script_that_was_spent_is_followed() -> None:
    found = followed(THEFT + "2 pay: theft.1 -> ?:595\n3 on: pay.0 -> bank:590", bank=Role.EXCHANGE)
    assert ends(found) == {"bank": (StopCode.EXCHANGE, 590), "fee": (StopCode.FEE, 10)}
    assert len(found.coins) == 1
    closes(found)


def test_of_a_bare_script_that_was_not_seen_to_be_spent_nobody_can_be_asked() -> None:
    found = followed(THEFT + "2 pay: theft.1 -> ?:600")
    assert ends(found) == {"?": (StopCode.NOT_READ, 600)}
    (stop,) = found.stops.values()
    assert stop.address is None
    assert "no source can be asked" in stop.why
    assert found.traces()[Rule.FIFO].books.not_followed == 600


def test_bare_scripts_are_each_a_place_of_their_own() -> None:
    found = followed(THEFT + "2 pay: theft.1 -> ?:100 ?:200 ?:300")
    assert sorted(end.units for end in found.traces()[Rule.FIFO].ends) == [100, 200, 300]


def test_a_loss_paid_into_a_bare_script_is_followed_from_there() -> None:
    found = followed("1 theft: old:1000 -> victim:400 ?:600\n2 pay: theft.1 -> mule:600")
    assert ends(found) == {"mule": (StopCode.UNSPENT, 600)}


@pytest.mark.parametrize("rule", RULES)
def test_what_nobody_can_spend_is_burned(rule: Rule) -> None:
    found = followed(THEFT + "2 pay: theft.1 -> burn:200 mule:400")
    assert ends(found, rule) == {"burned": (StopCode.BURNED, 200), "mule": (StopCode.UNSPENT, 400)}
    closes(found)


def test_a_label_ends_a_coins_way() -> None:
    found = followed(THEFT + "2 pay: theft.1 -> bank:600\n3 hot: pay.0 -> cold:600", bank=Role.EXCHANGE)
    assert ends(found) == {"bank": (StopCode.EXCHANGE, 600)}


def test_a_payment_that_several_coins_made_together_is_one_step_from_the_loss() -> None:
    text = "1 theft: old:9 -> v:0 a:9\n2 x: theft.1 old:5 -> b:14\n3 y: x.0 old:5 -> c:19\n4 z: y.0 -> d:19"
    loss = Loss("loss", BTC, paid=id_of("theft"), output=1)
    for limit, last in ((1, "c"), (2, "d"), (3, "d")):
        found = follow(read(text), labels(), [loss], replace(NO_DUST, hops=limit))
        (end,) = found.traces()[Rule.FIFO].ends
        assert (named(end), end.stop is StopCode.HOP_LIMIT) == (last, limit < 3)
        assert found.hops == dict(list({at("a"): 0, at("b"): 1, at("c"): 2, at("d"): 3}.items())[: len(found.hops)])


def test_who_got_a_coin_is_asked_for_its_history() -> None:
    found = followed(THEFT + "2 pay: theft.1 -> mule:600", but="mule")
    assert found.expand == (Expand(at("mule"), 2, 600),)


def test_coins_of_one_address_are_one_place() -> None:
    found = followed(THEFT + "2 pay: theft.1 -> mule:100 mule:500")
    assert ends(found) == {"mule": (StopCode.UNSPENT, 600)}


def test_fees_in_ratio_are_followed_into_the_coinbase_and_on() -> None:
    text = THEFT + "2 pay: theft.1 -> mule:500\n2 m2: new:50 fees:100 -> miner:150"
    assert ends(followed(text, fees=Fees.IN_RATIO)) == {
        "mule": (StopCode.UNSPENT, 500),
        "miner": (StopCode.UNSPENT, 100),
    }
    assert ends(followed(text)) == {"mule": (StopCode.UNSPENT, 500), "fee": (StopCode.FEE, 100)}


# A wallet that is the loss


@pytest.mark.parametrize("rule", RULES)
def test_all_that_a_wallet_had_is_lost_once(rule: Rule) -> None:
    """victim gets 500 and 300, and its change of 290 comes back to it: 800 were lost, not 1090."""
    text = """
        1 one: old:500 -> victim:500
        1 two: old:300 -> victim:300
        2 spend: one.0 -> thief:200 victim:290     # fee 10
        3 rest: spend.1 two.0 -> thief:590
    """
    found = follow(read(text), LabelBook(), [Loss("loss", BTC, wallet=at("victim"))], NO_DUST)
    assert found.traces()[rule].books.lost == 800
    assert ends(found, rule) == {"thief": (StopCode.UNSPENT, 790), "fee": (StopCode.FEE, 10)}
    closes(found)


@pytest.mark.parametrize("rule", RULES)
def test_a_wallets_coin_that_nobody_saw_made_is_lost_too(rule: Rule) -> None:
    text = "1 spend: old:500 -> thief:500\n2 on: spend.0 -> mule:500"
    found = follow(read(text), LabelBook(), [Loss("loss", BTC, wallet=at("before"))], NO_DUST)
    assert ends(found, rule) == {"mule": (StopCode.UNSPENT, 500)}


@pytest.mark.parametrize("rule", RULES)
def test_a_wallets_loss_is_not_more_than_was_reported(rule: Rule) -> None:
    text = "1 one: old:500 -> victim:500\n2 two: old:300 -> victim:300\n3 gone: one.0 two.0 -> thief:800"
    found = follow(read(text), LabelBook(), [Loss("loss", BTC, wallet=at("victim"), units=600)], NO_DUST)
    assert ends(found, rule) == {"thief": (StopCode.UNSPENT, 600)}


def test_what_came_before_the_block_asked_about_is_not_lost() -> None:
    text = "1 one: old:500 -> victim:500\n5 two: old:300 -> victim:300\n6 gone: one.0 two.0 -> thief:800"
    found = follow(read(text), LabelBook(), [Loss("loss", BTC, wallet=at("victim"), since=5)], NO_DUST)
    assert ends(found) == {"thief": (StopCode.UNSPENT, 300)}


# The way back


@pytest.mark.parametrize("rule", [Rule.PRO_RATA, Rule.FIFO, Rule.LIFO])
def test_a_coin_is_followed_back_to_whoever_paid(rule: Rule) -> None:
    text = """
        1 a: old:600 -> mule:600
        2 b: a.0 -> w:350 mule:250
        3 c: b.1 -> w:250
    """
    found = originate(read(text), labels(before=Role.EXCHANGE), [Loss("wallet", BTC, wallet=at("w"))], NO_DUST)
    trace = found.traces()[rule]
    assert [(end.place.address, end.stop, end.units) for end in trace.ends] == [
        (at("before"), StopCode.EXCHANGE, 600),
    ]
    assert trace.books.lost == 600


@pytest.mark.parametrize("rule", [Rule.PRO_RATA, Rule.FIFO, Rule.LIFO])
def test_issued_coins_have_no_origin_but_the_chain(rule: Rule) -> None:
    found = originate(read("1 m: new:50 -> w:50"), LabelBook(), [Loss("wallet", BTC, wallet=at("w"))], NO_DUST)
    (end,) = found.traces()[rule].ends
    assert (end.place.address, end.stop, end.units) == (at("w"), StopCode.NOT_SHOWN, 50)


def pays_with_others(tx: utxo.Tx, txs: Iterable[utxo.Tx], who: str) -> bool:
    """Whether `who` and somebody else put coins in."""
    owners = {f"{one.name}.{n}": name for one in txs for n, (name, _) in enumerate(one.outputs)}
    payers = {owners.get(what, what) for what, _ in tx.inputs}
    return who in payers and len(payers) > 1


def origins_close(txs: tuple[utxo.Tx, ...]) -> None:
    found = originate(read(txs), LabelBook(), [Loss("wallet", BTC, wallet=at("a"))], NO_DUST)
    bounds = found.bounds()
    for trace in found.traces().values():
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed
        assert books.lost == found.received() == sum(end.units for end in trace.ends)
        for end in trace.ends:
            here = bounds[end.place]
            assert here.least <= end.units <= here.most


@given(utxo.chains())
@example(utxo.drawing("1 x: old:5 -> a:5\n2 y: x.0 -> a:3 shop:2\n3 z: y.0 -> b:3"))
def test_whatever_came_has_an_origin_and_the_books_close(txs: tuple[utxo.Tx, ...]) -> None:
    if not any(pays_with_others(tx, txs, "a") for tx in txs):
        origins_close(txs)


def test_what_came_with_the_wallets_own_coins_has_an_origin_too() -> None:
    origins_close(utxo.drawing("1 x: old:6 -> a:6\n2 y: x.0 old:9 -> a:15"))


# Whatever happens to a coin


@given(utxo.chains(8), st.sampled_from(Fees), st.data())
def test_the_books_close_and_every_end_has_one_reason(
    txs: tuple[utxo.Tx, ...], fees: Fees, data: st.DataObject
) -> None:
    outputs = [(tx.name, n) for tx in txs for n, (who, units) in enumerate(tx.outputs) if units and who != "burn"]
    if not outputs:
        return
    name, output = data.draw(st.sampled_from(outputs))
    loss = Loss("loss", BTC, paid=id_of(name), output=output)
    found = follow(read(txs), labels(bank=Role.EXCHANGE), [loss], NO_DUST, fees=fees)
    assert not found.expand
    closes(found)
    lost = next(tx for tx in txs if tx.name == name).outputs[output][1]
    bounds = found.bounds()
    for trace in found.traces().values():
        assert trace.books.lost == lost
        for end in trace.ends:
            assert bounds[end.place].least <= end.units <= bounds[end.place].most
            if end.place.spot is not None:
                assert found.stops[end.place.spot].code is end.stop
            else:
                assert isinstance(end.place.holding, Sink)
                assert end.stop.part in (Part.FEES, Part.ENDS)


def test_a_loss_in_one_of_two_burnt_outputs_is_that_one() -> None:
    found = followed("1 theft: old:1000 -> burn:300 burn:700", output=0)
    assert found.traces()[Rule.FIFO].books.lost == 300
