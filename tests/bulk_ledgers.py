"""Ledgers drawn at random, each in memory and in a folder, and all that the two must tell alike."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from bulk_batches import JsonReader, write
from connectors.bulk.folder import verify
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
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


def paid(number: int, amount: int, payer: int, payee: int, asset: Asset = ETH.coin, position: str = "tx") -> Transfer:
    sides = (Leg.slot(place(ETH, who), asset, amount) for who in (payer, payee))
    id = TransferId(ETH, tx(ETH, number), position)
    return Transfer(id, Block(number, 1_600_000_000 + number), 0, asset, (next(sides),), (next(sides),), ("sha256:0",))
