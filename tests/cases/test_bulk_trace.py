"""A trace through a ledger folder gives what a trace through a transfer file, or through memory, gives."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bulk_batches import write
from cases.case_file import Case
from cases.exports import hops_of
from cases.tracing import Question, retraced, trace
from commands import bitcoin, coins
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers import open_reader
from connectors.bulk.source import LedgerFolder
from connectors.labels import read_labels
from connectors.protocol import Connector
from connectors.transfer_file import TransferFile
from connectors.transfer_writing import write_transfers
from drawn_exchanges import asset, drawn, tx
from graphs.follow import follow
from graphs.following import Following
from graphs.stops import StopRules
from made_up import Clock
from notation import ETHEREUM, START, address
from notation import transfers as notated
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger, Order
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.trace import StopCode, Trace
from tracer.values import MAX_UNITS, UNKNOWN_METHOD, Address, Block, Chain, Family, Leg, SinkKind, Transfer, TransferId
from utxo import BITCOIN, Drawn, chains
from utxo import transfers as coin_transfers

LABELS = "chain,address,entity,name,role,source,seen,confidence,note\n"
#: Below what a folder can hold of coins even where all of a chain come together: see test_pinned_amounts.
EDGES = (2**53 + 1, 2**63, 2**64 - 1, 2**64, 21 * 10**14, 2**120)
NO_DUST = StopRules(dust_one_in=0, diluted_one_in=0)
FEW = settings(
    max_examples=25, phases=(Phase.explicit, Phase.generate), deadline=None, suppress_health_check=list(HealthCheck)
)


def everybody(transfers: Sequence[Transfer]) -> list[Address]:
    return sorted({leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address})


def read_whole(transfers: Sequence[Transfer]) -> CoverageBook:
    """Everybody's history was read up to the last block, as a folder says that is stated to be whole."""
    last = max(one.block.number for one in transfers)
    return CoverageBook(
        Coverage(who, State.READ, frozenset(Kind), "drawn", "drawn", 0, last) for who in everybody(transfers)
    )


# The same question to `file:` and to `ledger:`


def told(connector: Connector, labels: Path | None, question: Question, case: Path) -> dict[str, Any]:
    """What the answer says that does not depend on how it was read: bytes read and their names are left out."""
    with Case.create(case, at=1) as made:
        if labels:
            made.pin_labels(read_labels(labels), at=1)
        answer = trace(made, question, [connector], now=Clock())
        traced = retraced(made, answer)
        assert not made.verify()
        hops = hops_of(answer, traced)
    ends = [{key: end[key] for key in end if key not in ("evidence", "coverage")} for end in answer["ends"]]
    for end in ends:
        end["transfers"] = sorted(end["transfers"])
    kept = ("losses", "rules", "books", "commingling", "exchanges", "unseen", "asset", "chain", "fees", "complete")
    return {"ends": ends, "hops": hops, **{key: answer[key] for key in kept if key in answer}}


def unsaid(transfers: Sequence[Transfer]) -> list[Transfer]:
    """Without what a folder does not keep: which function an account's transaction called."""
    return [one if one.id.chain.family is Family.BITCOIN else replace(one, method=UNKNOWN_METHOD) for one in transfers]


def both_tell(
    transfers: Sequence[Transfer], question: Question, at: Path, labels: Path | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """From the transfer file, and from the folder that was made of the very same file."""
    transfers = unsaid(transfers)
    files = write_transfers(transfers, list(read_whole(transfers)), at / "facts")
    rows = [path for path in files if path.name.startswith("transfers.")]
    done = ingest(rows, at / "ledger", reader=open_reader(rows[0]), whole=True)
    assert (done.transfers, done.rejected, done.contradictions) == (len(transfers), 0, 0)
    file = TransferFile(at / "facts")
    folder = LedgerFolder(at / "ledger")
    return (
        told(file, labels, question, at / "file.fundtrail"),
        told(folder, labels, question, at / "ledger.fundtrail"),
    )


def labelled(file: Path, **roles: str) -> Path:
    rows = (
        f"ethereum,{address(name).text},{name},{name},{role},drawn,2024-05-01,50,\n" for name, role in roles.items()
    )
    file.write_text(LABELS + "".join(rows))
    return file


ACCOUNTS = f"""
    1 victim -> mule {2**128} A
    1 mule -> aunt 5 A
    1 aunt -> mule 5 A
    1 victim -> fee 21 ETH
    2 friend -> mule {2**127} A
    3 mule -> router {2**128 + 2**126} A
    3 router -> mule {2**255 + 1} B
    3 mule -> fee 30 ETH
    4 mule -> cave {2**254} B
    4 mule -> till {2**253 + 1} B
    4 mule -> fee 9 ETH
    5 till -> hub {2**253} B
    5 till -> fee 1 ETH
    6 mule -> cave {2**125 + 1} A
    7 cave -> mule {2**64} B
    7 cave -> aunt {2**63 + 1} B
    8 aunt -> mule 1 B
"""


def test_an_account_ledger_with_fees_and_a_swap_is_told_alike(tmp_path: Path) -> None:
    transfers = drawn(ACCOUNTS)
    roles = labelled(tmp_path / "labels.csv", router="protocol", hub="exchange")
    for rules, order in (((), Order.ATOMIC), ((Rule.LIFO,), Order.EXACT)):
        question = Question(str(transfers[0].id).partition(":")[2], ETHEREUM, rules=rules, order=order, stops=NO_DUST)
        at = tmp_path / order.value
        at.mkdir()
        from_file, from_folder = both_tell(transfers, question, at, roles)
        assert from_file == from_folder
        assert {end["symbol"] for end in from_file["ends"]} == {"A", "B"}
        assert any(hop["gave"] for hop in from_file["hops"])


def test_a_wallet_of_the_coin_with_its_fees_is_told_alike(tmp_path: Path) -> None:
    story = """
        1 victim -> thief 1000 gas 1
        1 friend -> thief 70
        2 thief  -> mule 600 gas 1
        2 thief  -> aunt 300 gas 1
        3 mule   -> till 250 gas 1
        3 mule   -> aunt 200 gas 1
        4 aunt   -> till 400 gas 1
        5 aunt   -> cave 60 gas 1
        9 bank   -> thief 2 gas 1
    """
    question = Question(address("thief").text, ETHEREUM, stops=NO_DUST)
    from_file, from_folder = both_tell(list(notated(story)), question, tmp_path)
    assert from_file == from_folder
    assert {end["stop"] for end in from_file["ends"]} >= {str(StopCode.FEE)}


def test_coins_spent_in_their_own_block_and_a_coinjoin_are_told_alike(tmp_path: Path) -> None:
    """The thief splits and passes on within one block; half goes into a mix of five, half to a shop."""
    equal, others = 100_000, ("ann", "ben", "cat", "dan")
    mixed = {(2, 0): ("purse", 400_000)} | {(900 + n, 0): (who, 130_000 + n) for n, who in enumerate(others)}
    changes = [("purse change", 290_000)] + [(f"{who} change", 29_000 + n) for n, who in enumerate(others)]
    made = coins(
        tmp_path / "drawn",
        {
            1: ({(800, 0): ("victim", 900_000)}, [("thief", 850_000), ("victim", 40_000)]),
            2: ({(1, 0): ("thief", 850_000)}, [("purse", 400_000), ("other", 440_000)]),
            3: ({(2, 1): ("other", 440_000), (801, 0): ("other", 7)}, [("shop", 300_000), ("other", 130_007)]),
            4: (mixed, [(f"out {n}", equal) for n in range(5)] + changes),
        },
    )
    found: dict[TransferId, Transfer] = {}
    source = TransferFile(made)
    for name in ("victim", "thief", "purse", "other", *others):
        for page in source.history(Address(BITCOIN, bitcoin(name))):
            found |= {one.id: one for one in page.transfers}
    at_once = [replace(one, block=Block(700_000, START), index=int(one.id.tx, 16)) for one in found.values()]
    question = Question(f"{1:064x}:0", Chain.named("bitcoin"), stops=NO_DUST)
    from_file, from_folder = both_tell(at_once, question, tmp_path)
    assert from_file == from_folder
    assert {end["stop"] for end in from_file["ends"]} >= {str(StopCode.COINJOIN), str(StopCode.FEE)}


def test_a_folder_says_that_it_does_not_know_the_called_functions(tmp_path: Path) -> None:
    """graphs.deposits asks for them: "it calls no contract" is one of its marks, and unknown is not met."""
    transfers = list(notated("1 victim -> mule 60 call\n2 mule -> shop 50"))
    path = write(tmp_path / "drawn.jsonl", transfers)
    ingest([path], tmp_path / "ledger", reader=open_reader(path))
    assert {one.method for one in BulkLedger(tmp_path / "ledger").transfers} == {UNKNOWN_METHOD}


def test_a_wallet_that_calls_a_contract_is_no_deposit_address_in_a_folder_either(tmp_path: Path) -> None:
    """It pays three, and the exchange by a call: 70 of 90 points for a deposit address, 75 were it a plain payment."""
    transfers = list(
        notated("""
            1 victim -> wallet 1000
            2 wallet -> aunt   10
            2 wallet -> uncle  10
            3 wallet -> hub    980 call
            4 friend -> wallet 1000
            5 wallet -> hub    1000 call
        """)
    )
    roles = labelled(tmp_path / "labels.csv", hub="exchange")
    question = Question(transfers[0].id.tx, ETHEREUM, stops=NO_DUST)
    from_file, from_folder = both_tell(transfers, question, tmp_path, roles)
    assert {end["stop"] for end in from_file["ends"]} == {"exchange", "unspent"}
    assert from_file == from_folder


# Following a folder directly


@contextmanager
def both(
    transfers: Sequence[Transfer], labels: LabelBook, order: Order = Order.ATOMIC
) -> Iterator[tuple[Ledger, BulkLedger]]:
    """(in memory, in a folder)."""
    at = Path(tempfile.mkdtemp())
    try:
        path = write(at / "drawn.jsonl", transfers)
        done = ingest([path], at / "ledger", reader=open_reader(path), whole=True)
        assert (done.transfers, done.rejected, done.contradictions) == (len(transfers), 0, 0)
        keep = labels.custodians()
        bulk = BulkLedger(at / "ledger", keep, order)
        # The folder tells its first block and its kinds, so both ledgers are given the one statement.
        bulk.coverage = read_whole(transfers)
        yield Ledger.of(unsaid(transfers), read_whole(transfers), keep=keep, order=order), bulk
    finally:
        shutil.rmtree(at)


def same(one: Following, two: Following) -> None:
    """All that is said of addresses, assets and transfers. The order of hops is that of the numbers of holdings."""
    assert one.traces().keys() == two.traces().keys()
    for rule, mine in one.traces().items():
        assert plain(mine) == plain(two.traces()[rule]), rule
    assert one.bounds() == two.bounds()
    assert one.stops == two.stops
    assert one.expand == two.expand
    assert one.hops == two.hops
    assert one.followed == two.followed


def plain(trace: Trace) -> dict[str, Any]:
    return {
        "lost": trace.lost,
        "ends": [replace(end, transfers=tuple(sorted(end.transfers))) for end in trace.ends],
        "books": trace.books,
        "hops": sorted(map(repr, trace.hops)),
        "unseen": sorted(map(repr, trace.unseen)),
    }


VICTIM = address("victim")
NAMES = ("w", "x", "y", "shop", "hub", "router")
amounts = st.one_of(st.integers(0, 30), st.sampled_from((2**53 + 1, 2**63, 2**64, 2**128, 2**255, MAX_UNITS)))


Row = tuple[int, str, str, str, str, int]  # transaction, position, payer, payee, asset, units


@st.composite
def accounts(draw: st.DrawFn) -> list[Row]:
    """One or two thefts of A, then transactions of one to four movements of A, B and the coin, with fees."""
    small, kind = draw(st.booleans()), draw(st.sampled_from(("log", "step")))
    thefts = draw(st.integers(1, 2))
    stolen = st.sampled_from((7, 20, 2**64, 2**128))
    found: list[Row] = [(number, f"{kind}:0", "victim", "w", "A", draw(stolen)) for number in range(1, thefts + 1)]
    for number in range(thefts + 1, thefts + 1 + draw(st.integers(1, 7))):
        for at in range(draw(st.integers(1, 4))):
            payer, payee = draw(st.sampled_from((*NAMES[:3], "friend"))), draw(st.sampled_from(NAMES))
            units = draw(st.integers(0, 30) if small else amounts)
            found.append((number, f"{kind}:{at}", payer, payee, draw(st.sampled_from(("A", "A", "B", "ETH"))), units))
        if draw(st.booleans()):  # an exchange, perhaps
            found.append((number, f"{kind}:7", "w", "router", "A", draw(st.integers(1, 9))))
            found.append((number, f"{kind}:8", "router", "w", "B", draw(st.integers(1, 9))))
        if draw(st.booleans()):
            found.append((number, "fee", "w", "fee", "ETH", draw(st.integers(0, 3))))
    return found


def paid(row: Row) -> Transfer:
    number, position, payer, payee, name, units = row
    of = asset(name)
    got = Leg.sink(of, SinkKind.FEE, units) if payee == "fee" else Leg.slot(address(payee), of, units)
    block, legs = Block(number, START + 12 * number), (Leg.slot(address(payer), of, units),)
    return Transfer(tx(number, position), block, 0, of, legs, (got,), ("drawn",))


@FEW
@given(
    accounts(),
    st.booleans(),
    st.sampled_from(Between),
    st.sampled_from(Order),
    st.sampled_from((NO_DUST, StopRules(), StopRules(hops=1))),
)
def test_following_a_folder_of_accounts_is_following_memory(
    rows: list[Row], wallet: bool, between: Between, order: Order, rules: StopRules
) -> None:
    transfers = list(map(paid, rows))
    losses = [Loss(f"loss {one.id.tx}", one.asset, paid=one.id) for one in transfers if one.inputs[0].address == VICTIM]
    if wallet:
        losses.append(Loss("wallet", asset("B"), wallet=address("x")))
    roles = {"hub": Role.EXCHANGE, "router": Role.PROTOCOL}
    labels = LabelBook(Label(address(n), n, n, role, "drawn", None, 50, "drawn") for n, role in roles.items())
    with both(transfers, labels, order) as (memory, bulk):
        one, two = (follow(of, labels, losses, rules, between=between, spent=True) for of in (memory, bulk))
        assert set(one.traces()) == set(Rule.of(Family.EVM))
        same(one, two)


def real(transfer: Transfer) -> Transfer:
    """The same with the drawing's names as addresses that are spelt right."""

    def leg(one: Leg) -> Leg:
        return replace(one, address=Address(BITCOIN, bitcoin(one.address.text))) if one.address else one

    return replace(transfer, inputs=tuple(map(leg, transfer.inputs)), outputs=tuple(map(leg, transfer.outputs)))


@FEW
@given(
    st.one_of(chains(8), chains(8, mined=True), chains(5, units=st.sampled_from(EDGES))),
    st.integers(0, 99),
    st.sampled_from(Fees),
    st.sampled_from(Between),
)
def test_following_a_folder_of_coins_is_following_memory(txs: Any, pick: int, fees: Fees, between: Between) -> None:
    transfers = [real(one) for one in coin_transfers(Drawn(txs).txs)]
    paid = [
        (one.id, n)
        for one in transfers
        for n, leg in enumerate(one.outputs)
        if leg.units and not isinstance(leg.holding, type(Leg.sink(BITCOIN.coin, SinkKind.FEE, 0).holding))
    ]
    if not paid:
        return
    first, second = paid[pick % len(paid)], paid[-1 - pick % len(paid)]
    losses = [Loss("one", BITCOIN.coin, paid=first[0], output=first[1])]
    if second != first:
        losses.append(Loss("two", BITCOIN.coin, paid=second[0], output=second[1]))
    with both(transfers, LabelBook()) as (memory, bulk):
        one, two = (follow(of, LabelBook(), losses, NO_DUST, fees=fees, between=between) for of in (memory, bulk))
        assert set(one.traces()) == set(Rule)
        same(one, two)
