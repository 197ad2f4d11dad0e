"""TronGrid: every movement is read, confirmed by what the node executed, or the gap is named."""

from __future__ import annotations

import json
import random
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import ConnectorContract
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.protocol import AsksHosts, FindsTransactions, KnowsBalances, ReadsOn
from connectors.sources import open_source
from connectors.tron.trongrid import TronGrid
from connectors.window import Window
from tracer.balances import counted
from tracer.coverage import Kind, State
from tracer.errors import InputError, SourceError, SourceSkipped, SourceUnusable
from tracer.values import Address, Asset, Sink, SinkKind
from tron_provider import (
    AT,
    SUNDOG,
    TRON,
    USDT,
    Chain,
    Faults,
    TronProvider,
    fact_of,
    hexed,
    who,
)
from tron_reading import opened, read
from virtual_clock import VirtualClock

A, B, C = who(1), who(2), who(3)
POOL = who(50)


def everyday() -> Chain:
    """A bit of everything, with A in all of it."""
    chain = Chain()
    chain.pay(B, A, 5_000_000_000, fee=1_100_000)
    chain.next_block().usdt(B, A, 41_677_389, fee=13_844_850)
    chain.usdt(A, C, 41_000_000, fee=27_000_000)
    chain.next_block(4).pay_trc10(B, A, "1002000", 2_980_411, fee=2820)
    chain.call(A, POOL, fee=9, sun=700, logs=[(SUNDOG, POOL, A, 2**63 + 1)], inner=[(POOL, A, 0), (POOL, A, 33)])
    chain.next_block().call(C, POOL, inner=[(POOL, who(60), 5), (POOL, A, 44)], fee=1)
    chain.call(A, USDT, failed="OUT_OF_ENERGY", logs=[(USDT, A, B, 9)], inner=[(A, B, 9)], fee=345)
    chain.call(A, USDT, approves=True)
    chain.next_block().other("FreezeBalanceV2Contract", A, frozen_balance=3_000_000)
    chain.other("DelegateResourceContract", A, receiver_address=hexed(B), balance=3_000_000)
    chain.withdraw(A, 12)
    return chain


class TestTronGrid(ConnectorContract):
    """It keeps the contract."""

    KIND = "trongrid"
    SUPPORTS: ClassVar[dict[str, str]] = {
        "native": "yes",
        "internal": "yes: by its list of inner transactions, confirmed; where a server has no such list it says so",
        "token": "yes: TRC-20 by the log of each execution, TRC-10 by its number; NFTs are not read",
        "order": "no: its lists do not tell the place in the block; inside a transaction the order is told",
        "balances": "yes: of now, if it lists nothing after the block asked for",
        "completeness proof": "yes: each list is asked again newest first, and must reach the final block; only "
        "balances show a row that is left out in the middle",
    }

    @pytest.fixture
    def connector(self) -> TronGrid:
        return opened(TronProvider(everyday(), Faults(cap=2)))

    @pytest.fixture
    def address(self) -> Address:
        return A

    @pytest.fixture
    def unknown_address(self) -> Address:
        return who(4711)


def test_it_has_all_the_powers_of_a_live_source() -> None:
    connector = open_source("trongrid:", Network(transport=TronProvider(everyday())))
    for power in (ReadsOn, KnowsBalances, AsksHosts, FindsTransactions):
        assert isinstance(connector, power)
    assert connector.name == "trongrid:https://api.trongrid.io"
    own = open_source("trongrid:http://127.0.0.1:8090/", Network(transport=TronProvider(everyday())))
    assert own.name == "trongrid:http://127.0.0.1:8090"
    assert isinstance(own, AsksHosts)
    assert own.hosts == ("127.0.0.1:8090",)


@pytest.mark.parametrize("cap", [1, 2, 3, 200])
def test_all_that_moved_is_read_and_nothing_else(cap: int) -> None:
    chain = everyday()
    for address in (A, B, C, POOL, who(60)):
        facts, coverage, _ = read(opened(TronProvider(chain, Faults(cap=cap))), address)
        assert facts == chain.truth(address)
        assert coverage.state is State.READ
        assert coverage.kinds == frozenset(Kind)
        assert (coverage.last, coverage.final) == (chain.number + 3, chain.number + 3)


def test_payer_and_payee_see_the_same_transfer() -> None:
    chain = everyday()
    provider = TronProvider(chain)
    both = [
        {transfer.id: transfer for page in opened(provider).history(address) for transfer in page.transfers}
        for address in (A, B)
    ]
    shared = set(both[0]) & set(both[1])
    assert len(shared) == 3
    for id in shared:
        one, two = both[0][id], both[1][id]
        assert (one.block, one.asset, one.inputs, one.outputs) == (two.block, two.asset, two.inputs, two.outputs)


def test_an_approval_a_failure_a_freeze_and_a_delegation_move_nothing_but_their_fee() -> None:
    chain = Chain()
    chain.call(A, USDT, approves=True)
    chain.next_block().call(A, USDT, failed="REVERT", logs=[(USDT, A, B, 9)], sun=4, inner=[(A, B, 9)], fee=345)
    chain.next_block().other("FreezeBalanceV2Contract", A, frozen_balance=10**12)
    chain.other("UnDelegateResourceContract", A, receiver_address=hexed(B), balance=10**12, fee=7)
    facts, coverage, pages = read(opened(TronProvider(chain)), A)
    assert {fact[0] for _, fact in facts} == {"fee"}
    assert sum(t.units for p in pages for t in p.transfers) == 352
    assert coverage.state is State.READ


def test_a_reward_that_is_drawn_comes_into_being() -> None:
    chain = Chain()
    chain.withdraw(A, 2**53 + 1)
    _, _, pages = read(opened(TronProvider(chain)), A)
    (transfer,) = pages[0].transfers
    assert transfer.inputs[0].holding == Sink(TRON.coin, SinkKind.ISSUE)
    assert transfer.units == 2**53 + 1


@pytest.mark.parametrize("units", [1, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1])
def test_amounts_are_exact_to_the_last_unit(units: int) -> None:
    chain = Chain()
    chain.call(B, SUNDOG, logs=[(SUNDOG, B, A, units)])
    facts, _, _ = read(opened(TronProvider(chain)), A)
    assert {fact[4] for _, fact in facts} == {units}


def test_two_like_transfers_in_one_transaction_are_two() -> None:
    chain = Chain()
    chain.call(B, POOL, logs=[(USDT, B, A, 7), (USDT, B, A, 7), (USDT, B, A, 7)])
    facts, _, _ = read(opened(TronProvider(chain, Faults(cap=2))), A)
    assert facts == chain.truth(A)
    assert len(facts) == 3


def test_a_lost_fingerprint_is_made_good_by_time() -> None:
    chain = Chain()
    for number in range(30):
        chain.next_block().pay(B, A, number + 1)
        chain.usdt(A, B, number + 1)
    provider = TronProvider(chain, Faults(cap=7, lose=1.0))
    facts, coverage, _ = read(opened(provider), A)
    assert facts == chain.truth(A)
    assert coverage.state is State.READ
    assert not any("fingerprint" in request for request in provider.requests)


def test_a_block_with_more_rows_than_a_page_and_no_fingerprint_is_a_gap_with_its_block() -> None:
    chain = Chain()
    chain.pay(B, A, 1)
    chain.next_block()
    for number in range(9):
        chain.pay(B, A, number + 2)
    chain.next_block().pay(B, A, 100)
    facts, coverage, _ = read(opened(TronProvider(chain, Faults(cap=3, lose=1.0))), A)
    assert facts < chain.truth(A)
    assert coverage.state is State.CUT
    assert "inside one block" in coverage.reason
    assert coverage.last == 1
    assert chain.truth(A, last=1) <= facts
    assert chain.truth(A, first=3) <= facts


def test_a_page_that_comes_again_and_again_does_not_stop_the_reading() -> None:
    chain = Chain()
    for number in range(20):
        chain.next_block().pay(B, A, number + 1)
    facts, coverage, _ = read(opened(TronProvider(chain, Faults(cap=4, repeat=1.0))), A)
    assert facts == chain.truth(A)
    assert coverage.state is State.READ


def test_lists_behind_the_node_are_a_gap_not_an_empty_answer() -> None:
    chain = everyday()
    for address in (A, who(4711)):
        clock = VirtualClock()
        _, coverage, _ = read(opened(TronProvider(chain, Faults(lag=4)), clock=clock), address)
        assert coverage.state is State.CUT
        assert "does not reach block" in coverage.reason
        assert coverage.last is None
        assert sum(clock.slept) >= 9  # it was asked again before that was said


def test_rows_in_another_order_than_asked_for_are_a_gap() -> None:
    chain = Chain()
    for number in range(6):
        chain.next_block().pay(B, A, number + 1)
    inner = TronProvider(chain)

    def shuffled(request: Request) -> Response | None:
        if not request.url.endswith("/transactions") or "asc" not in request.params.get("order_by", ""):
            return None
        answer = json.loads(inner.send(request).body)
        random.Random(3).shuffle(answer["data"])
        return Response(200, json.dumps(answer).encode(), at=AT)

    facts, coverage, _ = read(opened(TronProvider(chain, answer=shuffled)), A)
    assert facts == chain.truth(A)
    assert coverage.state is State.CUT
    assert "another order" in coverage.reason


def test_the_suspension_is_waited_out_and_not_hammered() -> None:
    clock = VirtualClock()
    chain = everyday()
    provider = TronProvider(chain, Faults(suspend=0.3, seed=5))
    facts, coverage, _ = read(opened(provider, clock=clock, attempts=12), A)
    assert facts == chain.truth(A)
    assert coverage.state is State.READ
    assert clock.slept
    assert all(seconds >= 31 for seconds in clock.slept)


def test_a_refused_key_ends_the_run_with_what_to_do() -> None:
    body = b'{"success":false,"error":"Invalid API key","statusCode":401}'
    with pytest.raises(SourceUnusable) as caught:
        list(opened(TronProvider(Chain(), answer=lambda _: Response(401, body))).history(A))
    assert "key" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"success":false,"error":"Invalid address provided","statusCode":400}'),
        (200, b'{"Error":"class java.lang.Exception : something"}'),
        (200, b'{"success":true,"meta":{}}'),
        (200, b'{"success":true,"data":{},"meta":{}}'),
        (200, b'{"success":true,"data":[7],"meta":{}}'),
        (200, b'{"success":true,"data":[{"block_timestamp":1e12}],"meta":{}}'),
        (200, b'{"success":true,"data":[{"a":NaN}],"meta":{}}'),
        (200, b"<html>Bad gateway</html>"),
        (500, b"oops"),
        (400, b'{"success":false}'),
        (200, b""),
        (200, b'{"success":true,"data":[{"block_tim'),
        (200, b'{"success":true,"data":[],"meta":{"at":1,"at":2}}'),
    ],
)
def test_an_answer_that_is_none_is_an_error_and_never_an_empty_list(status: int, body: bytes) -> None:
    def broken(request: Request) -> Response | None:
        return Response(status, body, at=AT) if "/v1/accounts" in request.url else None

    with pytest.raises(SourceError):
        list(opened(TronProvider(everyday(), answer=broken)).history(A))


def with_row(change: dict[str, object], path: str = "/transactions") -> TronProvider:
    """A provider whose rows of one list are changed."""
    chain = everyday()
    inner = TronProvider(chain)

    def changed(request: Request) -> Response | None:
        if not request.url.endswith(path):
            return None
        answer = json.loads(inner.send(request).body)
        answer["data"] = [row | change for row in answer["data"]]
        return Response(200, json.dumps(answer).encode(), at=AT)

    return TronProvider(chain, answer=changed)


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"blockNumber": 77}, "/transactions", "listed in block 77"),
        ({"raw_data": {"contract": []}}, "/transactions", "does not concern"),
        ({"ret": [{"contractRet": "SUCCESS", "fee": 5}]}, "/transactions", "two fees"),
        ({"value": "5"}, "/transactions/trc20", "not in the log"),
        ({"transaction_id": "ab" * 32}, "/transactions/trc20", "knows no such execution"),
        ({"from": str(B), "to": str(B)}, "/transactions/trc20", "does not concern"),
        ({"tx_id": "zz"}, "/internal-transactions", "transaction hash"),
    ],
)
def test_a_row_that_does_not_fit_what_was_executed_fails_the_history(
    change: dict[str, object], path: str, said: str
) -> None:
    _, coverage, pages = read(opened(with_row(change, path)), A)
    assert coverage.state is State.FAILED
    assert "cannot be read" in coverage.reason
    assert any(said in problem.text for page in pages for problem in page.problems)


def test_a_type_that_moves_value_in_an_unread_way_is_named_and_ends_what_is_complete() -> None:
    chain = Chain()
    chain.pay(B, A, 1)
    chain.next_block(4).other("ExchangeTransactionContract", A, exchange_id=1, quant=5)
    chain.next_block().pay(B, A, 2)
    facts, coverage, pages = read(opened(TronProvider(chain)), A)
    assert facts == chain.truth(A)
    assert (coverage.state, coverage.last) == (State.FAILED, 4)
    (problem,) = pages[0].problems
    assert "ExchangeTransactionContract" in problem.text


def test_a_worthless_token_cannot_spoil_the_history_with_an_event_of_its_own_making() -> None:
    chain = Chain()
    chain.pay(B, A, 1)
    tx = chain.next_block().call(B, SUNDOG, logs=[(SUNDOG, B, A, 5)])
    tx.info["log"][0]["data"] += "00" * 32
    tx.facts = []
    facts, coverage, pages = read(opened(TronProvider(chain)), A)
    assert facts == chain.truth(A)
    assert coverage.state is State.READ
    assert any("not read as a movement" in problem.text for page in pages for problem in page.problems)


def test_an_nft_is_no_amount() -> None:
    chain = Chain()
    tx = chain.call(B, POOL, logs=[(POOL, B, A, 5)])
    tx.info["log"][0]["topics"].append("00" * 32)
    tx.tokens, tx.facts = [], []
    assert read(opened(TronProvider(chain)), A)[0] == set()


def test_a_server_without_a_list_of_inner_transactions_does_not_claim_to_show_them() -> None:
    chain = everyday()
    facts, coverage, pages = read(opened(TronProvider(chain, Faults(no_inner_list=True))), A)
    assert coverage.kinds == frozenset({Kind.NATIVE, Kind.TOKEN})
    assert coverage.missing == (Kind.INTERNAL,)
    missing = chain.truth(A) - facts
    assert {fact[0] for _, fact in missing} == {"trace:1"}  # what C's call moved: A's own call was read
    assert any("no list of inner transactions" in problem.text for problem in pages[-1].problems)


def test_a_link_that_the_answer_offers_is_never_followed() -> None:
    provider = TronProvider(everyday(), Faults(cap=1))
    read(opened(provider), A)
    assert not any("evil" in request for request in provider.requests)


def test_every_page_sends_all_filters_again() -> None:
    provider = TronProvider(everyday(), Faults(cap=1))
    read(opened(provider), A)
    paged = [request for request in provider.requests if "fingerprint" in request]
    assert paged
    for request in paged:
        for name in ("only_confirmed=true", "order_by=", "min_timestamp=", "max_timestamp=", "limit=200"):
            assert name in request


def test_the_key_travels_in_its_header_and_stands_nowhere_else() -> None:
    provider = TronProvider(everyday())
    connector = opened(provider, key="canary-4711")
    pages = list(connector.history(A))
    assert set(provider.keys) == {"canary-4711"}
    assert "canary" not in repr(pages) + repr(provider.requests) + connector.name
    for page in pages:
        for evidence in (page.evidence, *page.also):
            assert evidence is not None
            assert b"canary" not in evidence.body


def test_a_chain_that_grows_does_not_change_what_comes_after_a_cursor() -> None:
    chain = everyday()
    before = list(opened(TronProvider(chain, Faults(cap=2))).history(A))
    for _ in range(5):
        chain.next_block(4).pay(B, A, 99)
    again = list(opened(TronProvider(chain, Faults(cap=2))).history(A, before[0].cursor))
    assert [page.transfers for page in again] == [page.transfers for page in before[1:]]
    assert again[-1].coverage is not None
    assert again[-1].coverage.last == before[-1].coverage.last  # type: ignore[union-attr]


def test_reading_on_from_a_block_gives_what_happened_from_it() -> None:
    chain = everyday()
    connector = opened(TronProvider(chain))
    facts, coverage, _ = read(connector, A, connector.cursor_from(TRON, 6))
    assert facts == chain.truth(A, first=6)
    assert coverage.first == 6


def test_a_cursor_of_another_source_is_refused() -> None:
    with pytest.raises(InputError, match="cursor"):
        list(opened(TronProvider(Chain())).history(A, Window(0, 1, "aa", 1, AT).cursor(page=2)))


def test_balances_are_those_that_were_read_and_are_told_only_while_nothing_came_after() -> None:
    chain = everyday()
    provider = TronProvider(chain)
    connector = opened(provider)
    _, coverage, pages = read(connector, A)
    assert coverage.last is not None
    sums = counted(A, [transfer for page in pages for transfer in page.transfers])
    told, evidence = connector.balances(A, sorted(sums), coverage.last)
    assert told == sums
    assert evidence
    assert connector.balances(A, sorted(sums), chain.number - 1) == ({}, connector.balances(A, [], chain.number - 1)[1])


def test_what_is_frozen_is_still_the_owners() -> None:
    chain = Chain()
    chain.pay(B, A, 100)
    account = {"balance": 40, "frozenV2": [{"amount": 30}, {}], "unfrozenV2": [{"unfreeze_amount": 20}]}
    account |= {"account_resource": {"delegated_frozenV2_balance_for_energy": 10}, "trc20": [{str(USDT): str(2**128)}]}
    body = json.dumps({"success": True, "data": [account], "meta": {}}).encode()
    provider = TronProvider(chain, answer=lambda r: Response(200, body, at=AT) if r.url.endswith(str(A)) else None)
    usdt, other = Asset(TRON, str(USDT)), Asset(TRON, str(SUNDOG))
    told, _ = opened(provider).balances(A, [TRON.coin, usdt, other], 4)
    assert told == {TRON.coin: 100, usdt: 2**128}


def test_a_transaction_is_found_with_all_that_it_moved() -> None:
    chain = everyday()
    connector = opened(TronProvider(chain))
    for tx in chain.txs:
        found = connector.transaction(TRON, "0x" + tx.id.upper())
        assert {fact_of(transfer)[1] for transfer in found} == set(tx.facts)
    assert connector.transaction(TRON, "ab" * 32) == ()


def test_symbols_and_decimals_are_told_for_people() -> None:
    _, _, pages = read(opened(TronProvider(everyday())), A)
    shown = {(t.asset.contract, t.asset.symbol, t.asset.decimals) for p in pages for t in p.transfers}
    assert {(str(USDT), "USDT", 6), (str(SUNDOG), "SUNDOG", 18), ("1002000", "BTT", 6)} <= shown


@st.composite
def histories(draw: st.DrawFn) -> tuple[Chain, Faults]:
    chain = Chain()
    people = [A, B, C, POOL]
    for _ in range(draw(st.integers(0, 25))):
        if draw(st.booleans()):
            chain.next_block(draw(st.integers(1, 3)))
        payer, payee = draw(st.sampled_from(people)), draw(st.sampled_from(people))
        units, fee = draw(st.integers(1, 2**63 - 1)), draw(st.integers(0, 3))
        match draw(st.integers(0, 6)):
            case 0 | 1:
                chain.pay(payer, payee, units, fee)
            case 2 | 3:
                chain.usdt(payer, payee, units, fee)
            case 4:
                chain.call(payer, POOL, inner=[(POOL, payee, units)] * draw(st.integers(1, 3)), fee=fee)
            case 5:
                chain.call(payer, POOL, logs=[(SUNDOG, payer, payee, units)] * draw(st.integers(1, 4)), fee=fee)
            case _:
                chain.call(payer, POOL, failed="REVERT", logs=[(USDT, payer, payee, 1)], fee=fee)
    return chain, Faults(
        cap=draw(st.integers(1, 8)),
        lag=draw(st.sampled_from([0, 0, 0, 2, 5])),
        lose=draw(st.sampled_from([0.0, 0.3, 1.0])),
        repeat=draw(st.sampled_from([0.0, 0.3, 1.0])),
        suspend=draw(st.sampled_from([0.0, 0.1])),
        break_off=draw(st.sampled_from([0.0, 0.1])),
        seed=draw(st.integers(0, 999)),
    )


@given(histories())
def test_any_history_is_read_whole_or_says_what_is_missing(drawn: tuple[Chain, Faults]) -> None:
    chain, faults = drawn
    try:
        facts, coverage, _ = read(opened(TronProvider(chain, faults), attempts=20), A)
    except SourceSkipped:
        return  # the run that asks makes a failed coverage of it
    truth = chain.truth(A)
    assert facts <= truth
    if coverage.state in (State.READ, State.EMPTY):
        assert facts == truth
    else:
        assert coverage.reason
        assert coverage.last is None or chain.truth(A, last=coverage.last) <= facts
