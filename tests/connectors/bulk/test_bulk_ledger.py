"""The ledger of a folder answers as the one in memory does, on whatever transfers are put into both."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bulk_batches import JsonReader, write
from connectors.bulk.arrays import open_arrays
from connectors.bulk.folder import verify
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from tracer import steps
from tracer.coverage import State
from tracer.engine import move
from tracer.envelope import envelope
from tracer.ledger import Ledger, Movement, Order
from tracer.lots import Rule
from tracer.moves import Seeds
from tracer.values import (
    MAX_UNITS,
    Address,
    Asset,
    Block,
    Chain,
    Family,
    Leg,
    Outpoint,
    Sink,
    SinkKind,
    Slot,
    Transfer,
    TransferId,
)

EDGES = (
    0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 2**64, 10**21, 2**127,
    2**128 - 2, 2**128 - 1, 2**128, 2**128 + 1, 2**255, MAX_UNITS,
)  # fmt: skip
ETH, TRON, BTC = (Chain.named(name) for name in ("ethereum", "tron", "bitcoin"))
FEW = settings(
    max_examples=10, phases=(Phase.explicit, Phase.generate), deadline=None, suppress_health_check=list(HealthCheck)
)


def tx(chain: Chain, number: int) -> str:
    digest = hashlib.sha256(b"transaction %d" % number).hexdigest()
    return "0x" + digest if chain.family is Family.EVM else digest


def place(chain: Chain, number: int) -> Address:
    if chain is ETH:
        return Address(chain, "0x" + hashlib.sha256(b"%d" % number).hexdigest()[:40])
    if chain is TRON:
        import base58_bech32.base58 as base58

        return Address(chain, base58.b58encode_check(b"\x41" + hashlib.sha256(b"%d" % number).digest()[:20]).decode())
    return Address(chain, BITCOIN[number])


BITCOIN = (
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "12c6DSiU4Rq3P4ZxziKxzrL5LmMBrzjrJX",
    "1HLoD9E4SDFFPDiYfNYnkBLQ85Y51J3Zb1",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
)


def tokens(chain: Chain) -> tuple[Asset, ...]:
    return (chain.coin, Asset(chain, place(chain, 100).text, "USDT", 6), Asset(chain, place(chain, 101).text, "", 18))


POSITIONS = ("tx", "fee", "log:2", "log:10", "trace:0", "trace:0_1", "step:1", "step:2", "step:10")
units = st.one_of(st.integers(0, 60), st.sampled_from(EDGES))


@st.composite
def account_ledgers(draw: st.DrawFn) -> list[Transfer]:
    """Transfers of few addresses in few transactions, so that they meet, net out, fall short and pay themselves."""
    chain = draw(st.sampled_from((ETH, ETH, TRON)))
    assets = tokens(chain)
    facts = {
        number: (draw(st.integers(1, 3)), draw(st.sampled_from((-1, 0, 0, 1, 2**31 - 2))))
        for number in range(draw(st.integers(1, 6)))
    }
    ids = st.tuples(st.sampled_from(sorted(facts)), st.sampled_from(POSITIONS))
    small = draw(st.booleans())
    found = []
    for number, position in draw(st.lists(ids, unique=True, max_size=14)):
        block, index = facts[number]
        asset = assets[0] if position == "fee" else draw(st.sampled_from(assets))
        amount = draw(st.integers(0, 9) if small else units)
        payer, payee = (Leg.slot(place(chain, draw(st.integers(0, 3))), asset, amount) for _ in range(2))
        kind = draw(st.sampled_from(("", "", "", "issue", "burn", "seized")))
        if position == "fee":
            payee = Leg.sink(asset, SinkKind.FEE, amount)
        elif kind == "issue":
            payer = Leg.sink(asset, SinkKind.ISSUE, amount)
        elif kind:
            payee = Leg.sink(asset, SinkKind(kind), amount)
        told = index if draw(st.booleans()) else -1
        time = 1_600_000_000 + 12 * block
        id = TransferId(chain, tx(chain, number), position)
        found.append(Transfer(id, Block(block, time), told, asset, (payer,), (payee,), ("sha256:0",)))
    return found


@st.composite
def coin_ledgers(draw: st.DrawFn) -> list[Transfer]:
    """Coinbases and payments of several coins, spent in the block that made them too, fees collected, coins unseen."""
    coins: list[tuple[str, int, int, Address | None]] = []
    found: list[Transfer] = []
    for number in range(draw(st.integers(1, 8))):
        id = TransferId(BTC, tx(BTC, number))
        block = Block(1 + number // 3, 1_600_000_000 + 600 * (1 + number // 3))
        picked = sorted(draw(st.sets(st.integers(0, max(0, len(coins) - 1)), max_size=3))) if coins else []
        if picked:
            inputs = [Leg.coin(*coins[at][:2], BTC, *coins[at][2:]) for at in picked]
            coins = [coin for at, coin in enumerate(coins) if at not in picked]
        elif draw(st.booleans()):
            inputs = [Leg.coin(tx(BTC, 1000 + number), 7, BTC, draw(units) % 2**128, None)]
        else:
            inputs = [Leg.sink(BTC.coin, SinkKind.ISSUE, draw(st.integers(1, 50)))]
            if draw(st.booleans()):
                inputs.append(Leg.sink(BTC.coin, SinkKind.FEE, draw(st.integers(1, 9))))
        rest = sum(leg.units for leg in inputs)
        outputs = []
        for index in range(draw(st.integers(1, 3))):
            part = draw(st.integers(0, rest))
            rest -= part
            owner = place(BTC, draw(st.integers(0, 3))) if draw(st.booleans()) else None
            outputs.append(Leg.coin(id.tx, index, BTC, part, owner))
            if all(leg.holding != Sink(BTC.coin, SinkKind.FEE) for leg in inputs):  # those mature in later blocks
                coins.append((id.tx, index, part, owner))
        if rest:
            outputs.append(Leg.sink(BTC.coin, draw(st.sampled_from((SinkKind.FEE, SinkKind.UNSPENDABLE))), rest))
        found.append(Transfer(id, block, number, BTC.coin, tuple(inputs), tuple(outputs), ("sha256:0",)))
    return found


@contextmanager
def both(
    files: Sequence[Sequence[Transfer]],
    keep: Collection[Address] = (),
    order: Order = Order.ATOMIC,
    at_once: bool = True,
) -> Iterator[tuple[Ledger, BulkLedger]]:
    """(in memory, in a folder): the same files, read one after the other."""
    folder = Path(tempfile.mkdtemp())
    try:
        chain = next((one.id.chain for file in files for one in file), ETH)
        paths = [write(folder / f"{number}.jsonl", file) for number, file in enumerate(files)]
        for some in [paths] if at_once else [[path] for path in paths]:
            done = ingest(some, folder / "ledger", reader=JsonReader(chain, size=3))
            assert done.rejected == done.contradictions == 0, (folder / "ledger" / "rejected.jsonl").read_text()
        assert verify(folder / "ledger") == ()
        cited = [
            replace(one, evidence=(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}#{row}",))
            for path, file in zip(paths, files, strict=True)
            for row, one in enumerate(file, 1)
        ]
        yield Ledger.of(cited, keep=keep, order=order), BulkLedger(folder / "ledger", keep, order)
    finally:
        shutil.rmtree(folder)


def told(ledger: Ledger, movements: Iterable[Movement]) -> list[Any]:
    """Movements by holding, since the numbers of holdings differ."""
    return [
        (
            one.ordinal,
            [(ledger.holding(hid), units) for hid, units in one.inputs],
            [(ledger.holding(hid), units) for hid, units in one.outputs],
            {ledger.holding(hid) for hid in one.through},
        )
        for one in movements
    ]


def accounts(ledger: Ledger, hid: int) -> list[Any]:
    """The account of a holding, by the holdings on the other side."""
    return [(one.step, one.time, ledger.holding(one.other), one.out, one.units) for one in ledger.entries(hid)]


def agree(memory: Ledger, bulk: BulkLedger) -> None:
    """Every question of `Ledger`, about everything there is."""
    assert [replace(one, method="") for one in bulk.transfers] == [replace(one, method="") for one in memory.transfers]
    assert len(bulk) == len(memory)
    assert [repr(one.asset) for one in bulk.transfers] == [repr(memory.shown(one.asset)) for one in memory.transfers]
    for at, one in enumerate(memory.transfers):
        assert bulk.ordinal(one.id) == memory.ordinal(one.id)
        assert [t.id for t in bulk.of_tx(one.id.chain, one.id.tx)] == [
            t.id for t in memory.of_tx(one.id.chain, one.id.tx)
        ]
        assert bulk.step_of(at) == memory.step_of(at)
        assert (bulk.block(at), bulk.id(at)) == (one.block, one.id)
        assert told(bulk, bulk.movements(at)) == told(memory, memory.movements(at))
        assert bulk.latest(one.id.chain) == memory.latest(one.id.chain)
        assert repr(bulk.shown(one.asset)) == repr(memory.shown(one.asset))
    holdings = {leg.holding for one in memory.transfers for leg in one.inputs + one.outputs}
    for asset in {one.asset for one in memory.transfers}:
        sinks = {holding for holding in holdings if isinstance(holding, Sink) and holding.asset == asset}
        for of in (bulk, memory):
            assert {of.holding(hid) for hid in of.sinks(asset)} == sinks
    for holding in holdings:
        mine, theirs = bulk.hid(holding), memory.hid(holding)
        assert mine is not None
        assert theirs is not None
        assert repr(bulk.holding(mine)) == repr(memory.holding(theirs))
        assert bulk.address(mine) == memory.address(theirs)
        assert bulk.is_sink(mine) == memory.is_sink(theirs)
        assert bulk.is_coin(mine) == memory.is_coin(theirs)
        assert bulk.is_fee(mine) == memory.is_fee(theirs)
        ordinals = range(-1, len(memory) + 1)
        for at in ordinals:  # before `events`, which answers from another path
            assert bulk.next_event(mine, at) == memory.next_event(theirs, at)
            assert bulk.balance_before(mine, at) == memory.balance_before(theirs, at), (holding, at)
        assert list(bulk.events(mine)) == list(memory.events(theirs))
        assert accounts(bulk, mine) == accounts(memory, theirs)
        for of, hid in ((bulk, mine), (memory, theirs)):
            account = of.account(hid)
            columns = (account.steps, account.times, account.others, map(bool, account.outs), account.units)
            assert list(zip(*columns, strict=True)) == list(map(tuple, of.entries(hid)))
        assert bulk.lines(mine) >= len(bulk.entries(mine))
        assert list(bulk.composite(mine)) == list(memory.composite(theirs))
        assert bulk.ambiguous([mine]) == memory.ambiguous([theirs])
        if memory.is_fee(theirs):
            assert [bulk.collects(mine, at) for at in range(len(memory))] == [
                memory.collects(theirs, at) for at in range(len(memory))
            ]
    for address in {leg.address for one in memory.transfers for leg in one.inputs + one.outputs if leg.address}:
        held = {bulk.holding(hid) for hid in bulk.holdings_of(address)}
        assert held == {memory.holding(hid) for hid in memory.holdings_of(address)}
        entries = bulk.history(address)
        recorded = [
            (at, not side, leg.units)
            for at, one in enumerate(memory.transfers)
            for side in (0, 1)
            for leg in (one.inputs, one.outputs)[side]
            if memory.address(memory.hid(leg.holding) or 0) == address
            or (isinstance(leg.holding, Slot) and leg.address == address)
        ]
        assert sorted((one.ordinal, one.out, one.units) for one in entries) == sorted(recorded)


def traced(ledger: Ledger, loss: int, following: frozenset[Address]) -> list[Any]:
    """What the engine finds, by holding."""
    seeds = Seeds({loss: ((1, max(1, ledger.transfer(loss).units // 2)),)})
    followed = {hid: len(ledger) for one in sorted(following) for hid in ledger.holdings_of(one)}
    found: list[Any] = []
    family = ledger.transfer(loss).id.chain.family
    for rule in Rule.of(family):
        moves = move(ledger, seeds, followed, rule)
        flows = [
            (
                one.ordinal,
                ledger.holding(one.source) if one.source >= 0 else None,
                ledger.holding(one.target) if one.target >= 0 else one.target,
                one.lots,
            )
            for one in moves.flows
        ]
        rest = {ledger.holding(hid): lots for hid, lots in moves.rest.items()}
        unseen = {ledger.holding(hid): dict(amounts) for hid, amounts in moves.unseen.items()}
        found.append((rule, dict(moves.lost), flows, rest, unseen))
    return [*found, envelope(ledger, seeds, followed)]


@FEW
@given(account_ledgers(), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_a_folder_of_account_transfers_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], at_once: bool, kept: bool, exact: bool, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(transfers)))
    again = data.draw(st.lists(st.sampled_from(transfers), max_size=3)) if transfers else []
    chain = transfers[0].id.chain if transfers else ETH
    keep = [place(chain, 1)] if kept else []
    order = Order.EXACT if exact else Order.ATOMIC
    with both([transfers[:cut], transfers[cut:] + again], keep, order, at_once) as (memory, bulk):
        agree(memory, bulk)


@FEW
@given(coin_ledgers(), st.booleans(), st.data())
def test_a_folder_of_coins_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], at_once: bool, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(transfers)))
    again = data.draw(st.lists(st.sampled_from(transfers), max_size=3))
    with both([transfers[cut:], transfers[:cut] + again], at_once=at_once) as (memory, bulk):
        agree(memory, bulk)


@FEW
@given(st.one_of(account_ledgers(), coin_ledgers()), st.booleans(), st.data())
def test_a_folder_that_grows_in_order_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], kept: bool, data: st.DataObject
) -> None:
    """What is added behind all there is gets an index of its own, which goes on from the balances before it."""
    chain = transfers[0].id.chain if transfers else ETH
    transfers = list(Ledger.of(transfers).transfers)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(transfers))] * 2)))
    files = [transfers[:first], transfers[first:last], transfers[last:]]
    with both(files, [place(chain, 1)] if kept else [], at_once=False) as (memory, bulk):
        agree(memory, bulk)


def test_only_what_is_new_is_indexed_until_there_are_too_many_stretches(tmp_path: Path) -> None:
    seen = []
    for number in range(1, 10):
        file = [paid(3 * number + more, number, number % 2, (number + more) % 4) for more in range(3)]
        ingest([write(tmp_path / f"{number}.jsonl", file)], tmp_path / "ledger", reader=JsonReader(ETH))
        seen.append(len(BulkLedger(tmp_path / "ledger").files.stretches))
        assert verify(tmp_path / "ledger") == ()
    assert seen == [1, 2, 3, 4, 5, 6, 1, 2, 3]
    bulk = BulkLedger(tmp_path / "ledger")
    agree(Ledger.of(list(bulk.transfers)), bulk)


def test_tables_grow_in_layers_until_there_are_too_many_or_too_much_is_new(tmp_path: Path) -> None:
    seen = []
    for number in range(1, 12):
        # Addresses of earlier files get holdings of another token: the newest is found first, and leads to the others.
        asset = tokens(ETH)[number % 3]
        file = [
            paid(1000 * number + more, number, number % 2, (number + more) % 4, asset)
            for more in range(200 if number == 10 else 3)
        ]
        ingest([write(tmp_path / f"{number}.jsonl", file)], tmp_path / "ledger", reader=JsonReader(ETH))
        bulk = BulkLedger(tmp_path / "ledger")
        seen.append((len(bulk.files.by_tx), len(bulk.files.by_holding), len(bulk.files.by_address)))
        assert verify(tmp_path / "ledger") == ()
        agree(Ledger.of(list(bulk.transfers)), bulk)
    assert [txs for txs, _, _ in seen] == [1, 2, 3, 4, 5, 6, 7, 1, 2, 1, 2]
    assert all(max(sizes) > 2 for sizes in zip(*seen, strict=True))


@FEW
@given(st.one_of(account_ledgers(), coin_ledgers()), st.integers(2, 9), st.booleans(), st.data())
def test_a_folder_that_is_added_to_again_and_again_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], times: int, in_order: bool, data: st.DataObject
) -> None:
    transfers = list(Ledger.of(transfers).transfers) if in_order else transfers
    cuts = [0, *sorted(data.draw(st.integers(0, len(transfers))) for _ in range(times - 1)), len(transfers)]
    with both([transfers[one:two] for one, two in pairwise(cuts)], at_once=False) as (memory, bulk):
        agree(memory, bulk)


@FEW
@given(st.one_of(account_ledgers(), coin_ledgers()), st.data())
def test_a_trace_and_its_envelope_are_the_same_on_both(transfers: list[Transfer], data: st.DataObject) -> None:
    moved = [one for one in transfers if one.units]
    if not moved:
        return
    with both([transfers]) as (memory, bulk):
        loss = memory.ordinal(data.draw(st.sampled_from(moved)).id)
        assert loss is not None
        everyone = sorted({leg.address for one in transfers for leg in one.outputs if leg.address})
        following = frozenset(data.draw(st.sets(st.sampled_from(everyone))) if everyone else ())
        expected = traced(memory, loss, following)
        assert traced(bulk, loss, following) == expected
        for turns in ((True,), (True, False, False), (False, True)):  # all rows are passed, or now and then
            turn = cycle(turns)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(steps, "SOME", 1)
                patch.setattr(BulkLedger, "rows_per_look_up", data.draw(st.sampled_from((4, 12, 400))))
                patch.setattr(steps, "pass_on", lambda *_, turn=turn: next(turn))
                patch.setattr(steps, "look_on", lambda *_, turn=turn: not next(turn))
                assert traced(bulk, loss, following) == expected


MANY = settings(FEW, max_examples=200)


@pytest.mark.slow
@MANY
@given(st.one_of(account_ledgers(), coin_ledgers()), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_many_more_ledgers_in_files_of_any_order_answer_alike(
    transfers: list[Transfer], in_order: bool, kept: bool, exact: bool, data: st.DataObject
) -> None:
    chain = transfers[0].id.chain if transfers else ETH
    if in_order:
        transfers = list(Ledger.of(transfers).transfers)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(transfers))] * 2)))
    again = data.draw(st.lists(st.sampled_from(transfers), max_size=3)) if transfers else []
    files = [transfers[:first], transfers[first:last], transfers[last:] + again]
    order = Order.EXACT if exact else Order.ATOMIC
    with both(files, [place(chain, 1)] if kept else [], order, data.draw(st.booleans())) as (memory, bulk):
        agree(memory, bulk)
        moved = [one for one in transfers if one.units]
        if moved:
            loss = memory.ordinal(data.draw(st.sampled_from(moved)).id)
            everyone = sorted({leg.address for one in transfers for leg in one.outputs if leg.address})
            following = frozenset(data.draw(st.sets(st.sampled_from(everyone))) if everyone else ())
            assert loss is not None
            assert traced(bulk, loss, following) == traced(memory, loss, following)


def paid(number: int, amount: int, payer: int, payee: int, asset: Asset = ETH.coin, position: str = "tx") -> Transfer:
    sides = (Leg.slot(place(ETH, who), asset, amount) for who in (payer, payee))
    id = TransferId(ETH, tx(ETH, number), position)
    return Transfer(id, Block(number, 1_600_000_000 + number), 0, asset, (next(sides),), (next(sides),), ("sha256:0",))


@pytest.mark.parametrize("units", [*EDGES, *(2**bits + more for bits in range(126, 129) for more in (-1, 0, 1))])
def test_every_amount_survives(units: int) -> None:
    first, again = paid(1, units, 0, 1), paid(2, units, 2, 1)
    with both([[first, again, paid(3, units, 1, 3)]]) as (memory, bulk):
        assert [one.units for one in bulk.transfers] == [units] * 3
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        assert [bulk.balance_before(hid, at) for at in range(4)] == [0, units, 2 * units, units]
        assert [one.units for one in bulk.history(place(ETH, 1))] == [units] * 3
        agree(memory, bulk)


def test_a_balance_above_the_largest_amount_is_exact() -> None:
    inflows = [paid(number, MAX_UNITS, 0, 1) for number in range(1, 6)]
    with both([[*inflows, paid(9, 7, 1, 2)]]) as (memory, bulk):
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        assert bulk.balance_before(hid, 5) == 5 * MAX_UNITS
        assert bulk.balance_before(hid, 6) == 5 * MAX_UNITS - 7
        agree(memory, bulk)


def test_a_balance_that_grows_past_128_bits_payment_by_payment_is_exact() -> None:
    inflows = [paid(number, 2**127, 0, 1) for number in range(1, 6)]
    with both([[*inflows, paid(9, 2**127, 1, 2), paid(10, 1, 1, 3)]]) as (memory, bulk):
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        assert [bulk.balance_before(hid, at) for at in range(8)] == [
            0, 2**127, 2**128, 3 * 2**127, 4 * 2**127, 5 * 2**127, 4 * 2**127, 4 * 2**127 - 1,
        ]  # fmt: skip
        agree(memory, bulk)


def test_a_router_passes_value_on_and_is_no_event_unless_it_is_kept() -> None:
    usdt = tokens(ETH)[1]
    through = [paid(1, 10, 0, 1, usdt, "log:1"), paid(1, 10, 1, 2, usdt, "log:2")]
    with both([through]) as (memory, bulk):
        router = bulk.hid(Slot(place(ETH, 1), usdt))
        assert router is not None
        assert list(bulk.events(router)) == []
        assert bulk.movements(0)[0].through == (router,)
        agree(memory, bulk)
    with both([through], keep=[place(ETH, 1)]) as (memory, bulk):
        router = bulk.hid(Slot(place(ETH, 1), usdt))
        assert router is not None
        assert list(bulk.events(router)) == [0]
        agree(memory, bulk)


def test_a_transfer_of_nothing_amid_a_step_is_an_event_of_its_own() -> None:
    usdt = tokens(ETH)[1]
    amid = [
        paid(1, 10, 0, 1, usdt, "log:1"),
        paid(1, 0, 1, 1, usdt, "log:2"),
        paid(1, 4, 1, 2, usdt, "log:3"),
        paid(1, 0, 2, 1, usdt, "log:4"),
    ]
    with both([amid]) as (memory, bulk):
        hid = bulk.hid(Slot(place(ETH, 1), usdt))
        assert hid is not None
        assert list(bulk.events(hid)) == [0, 1, 3]
        assert [bulk.balance_before(hid, at) for at in range(4)] == [0, 6, 6, 6]
        agree(memory, bulk)


def test_the_arrays_hold_what_the_ledger_tells() -> None:
    file = [paid(number, number, number % 3, (number + 1) % 3) for number in range(1, 9)]
    with both([file[:5], file[5:]], at_once=False) as (_, bulk):
        arrays = open_arrays(bulk)
        assert len(arrays.stretches) == 2
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        seen = []
        for starts, records in arrays.stretches:
            for word, _, low, high, before_low, before_high in records[starts[hid] : starts[hid + 1]].tolist():
                seen.append((word & 0xFFFFFFFF, word >> 32, high << 64 | low))
                assert before_high << 64 | before_low == bulk.balance_before(hid, word & 0xFFFFFFFF)
        assert seen == [(one.ordinal, one.time, one.units) for one in bulk.history(place(ETH, 1))]
        assert not arrays.sink.any()
        assert not arrays.asset.any()


def test_two_coinbases_of_one_hash_leave_the_earlier_one_lost_in_whatever_order_they_come() -> None:
    def coinbase(block: int) -> Transfer:
        issued = (Leg.sink(BTC.coin, SinkKind.ISSUE, 50),)
        mined = (Leg.coin(tx(BTC, 1), 0, BTC, 50, place(BTC, 0)),)
        return Transfer(
            TransferId(BTC, tx(BTC, 1)), Block(block, 1_300_000_000 + block), 0, BTC.coin, issued, mined, ("x",)
        )

    early, late = coinbase(91_722), coinbase(91_880)
    for files in ([[early, late]], [[late], [early]], [[early], [late, early]], [[late, early, late]]):
        for at_once in (True, False):
            with both(files, at_once=at_once) as (memory, bulk):
                assert {one.id.position for one in bulk.transfers} >= {"tx", "tx:91722"}
                agree(memory, bulk)


def test_transactions_whose_id_is_no_hash_keep_their_name_and_order() -> None:
    def genesis(number: int, index: int = -1) -> Transfer:
        one = paid(0, 5, 0, number)
        return replace(one, id=replace(one.id, tx="GENESIS_" + place(ETH, number).text[2:]), index=index)

    with both([[genesis(3), paid(0, 1, 0, 1), genesis(1), genesis(2)]]) as (memory, bulk):
        assert bulk.ordinal(genesis(3).id) == memory.ordinal(genesis(3).id)
        agree(memory, bulk)


def test_a_place_told_later_moves_a_transaction_that_is_there_already() -> None:
    late, early = (replace(paid(1, units, 0, 1), index=-1) for units in (3, 4))
    late = replace(late, id=replace(late.id, tx=min(tx(ETH, 1), tx(ETH, 2)), position="log:1"))
    early = replace(early, id=replace(early.id, tx=max(tx(ETH, 1), tx(ETH, 2)), position="log:1"))
    places = [replace(one, id=replace(one.id, position="tx"), index=place) for one, place in ((late, 9), (early, 2))]
    with both([[late, early], places], at_once=False) as (memory, bulk):
        assert [one.id.tx for one in bulk.transfers] == [early.id.tx] * 2 + [late.id.tx] * 2
        agree(memory, bulk)


def test_what_no_transfer_touches_is_unknown() -> None:
    with both([[paid(1, 5, 0, 1)]]) as (_, bulk):
        assert bulk.hid(Slot(place(ETH, 9), ETH.coin)) is None
        assert bulk.hid(Slot(place(TRON, 0), TRON.coin)) is None
        assert bulk.hid(Slot(Address(ETH, "nonsense"), ETH.coin)) is None
        assert bulk.hid(Slot(place(ETH, 0), Asset(ETH, "0x00"))) is None
        assert bulk.hid(Outpoint(BTC, tx(BTC, 1), 0)) is None
        assert bulk.hid(Outpoint(BTC, "nonsense", 0)) is None
        assert bulk.holdings_of(place(ETH, 9)) == ()
        assert bulk.ordinal(TransferId(ETH, tx(ETH, 9))) is None
        assert bulk.ordinal(TransferId(ETH, tx(ETH, 1), "fee")) is None
        assert bulk.of_tx(ETH, "nonsense") == bulk.of_tx(BTC, tx(BTC, 1)) == ()
        assert bulk.latest(BTC) == 0
        with pytest.raises(IndexError):
            bulk.transfer(1)


def test_coverage_is_not_stated_unless_the_user_states_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [paid(5, 5, 0, 1)])
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETH))
    book = BulkLedger(tmp_path / "ledger").coverage
    assert book.of(place(ETH, 0)).state is State.UNSTATED
    assert book.of(place(ETH, 9)).state is State.NOT_RECORDED
    assert book.of(place(TRON, 0)).state is State.NOT_ASKED
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETH), whole=True)
    book = BulkLedger(tmp_path / "ledger").coverage
    read = book.of(place(ETH, 0))
    assert (read.state, read.first, read.last, read.rows) == (State.READ, 5, 5, 1)
    assert not read.complete
    assert book.of(place(ETH, 9)).state is State.EMPTY
