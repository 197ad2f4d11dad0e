"""On a real node the history is what was sent, through every way in which the node tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from anvil_node import START, anvil, on, somebody
from connectors.evm.source import Rpc
from connectors.protocol import Page
from evm_plan import FRIEND, THIRD, WALLET, Plan, live, told
from tracer.balances import Balance, counted
from tracer.coverage import Kind, State
from tracer.values import Address, Transfer

WAYS = [
    ("trace_filter", "trace_transaction"),
    ("trace_filter", "debug_traceTransaction"),
    ("ots", "trace_transaction"),
    ("ots", "debug_traceTransaction"),
    ("blocks", "trace_transaction"),
    ("blocks", "debug_traceTransaction"),
    ("blocks", ""),
]


@pytest.fixture(scope="module")
def plan() -> Iterator[Plan]:
    with anvil() as node:
        yield live(node)


def source(plan: Plan, finds: str | None = None, traces: str | None = None) -> Rpc:
    return Rpc(plan.node.url, plan.node.network(), finds=finds, traces=traces)


def read(rpc: Rpc, address: Address) -> tuple[list[Transfer], Page]:
    pages = list(rpc.history(address))
    return [transfer for page in pages for transfer in page.transfers], pages[-1]


@pytest.mark.parametrize(("finds", "traces"), WAYS)
def test_the_history_is_what_was_sent(plan: Plan, finds: str, traces: str) -> None:
    expected = [row for row in plan.rows if traces or not row[1].startswith("trace:")]
    if finds == "ots":  # anvil's index leaves out heirs of contracts: the balance below tells
        expected = [row for row in expected if row[0] != plan.heir]
    found, last = read(source(plan, finds, traces), on(WALLET))
    assert Counter(told(one) for one in found) == Counter(expected)
    assert last.coverage is not None
    assert last.coverage.state is State.READ
    assert last.coverage.rows == len(found)
    assert last.coverage.kinds == frozenset(Kind) - (frozenset() if traces else {Kind.INTERNAL})


@pytest.mark.parametrize(("finds", "traces"), WAYS[:-1])
@pytest.mark.parametrize("who", ["wallet", "friend", "third", "splitter", "weth", "mortal"])
def test_what_was_read_explains_each_balance_of_ether(plan: Plan, finds: str, traces: str, who: str) -> None:
    rpc = source(plan, finds, traces)
    people = {"wallet": WALLET, "friend": FRIEND, "third": THIRD}
    address = on(people[who] if who in people else plan.contracts[who].address)
    found, last = read(rpc, address)
    assert last.coverage is not None
    assert last.coverage.last is not None
    coin = address.chain.coin
    stated, evidence = rpc.balances(address, [coin], last.coverage.last)
    assert evidence
    assert stated[coin] == plan.node.balance(address.text)
    counts = counted(address, found).get(coin, 0)
    missing = 11 if (finds, who) == ("ots", "wallet") else 0
    assert Balance(coin, last.coverage.last, stated[coin], counts).residue == missing


def test_the_same_transfer_has_one_name_and_one_place_whichever_way_it_was_found(plan: Plan) -> None:
    read_by = [read(source(plan, *way), on(WALLET))[0] for way in WAYS]
    first, *others = (
        {one.id: (one.block, one.block.hash, one.index, one.method, one.asset) for one in found} for found in read_by
    )
    for other in others:
        assert other.items() <= first.items()


def test_a_token_that_keeps_a_part_leaves_a_residue_in_the_balance(plan: Plan) -> None:
    rpc, greedy = source(plan), plan.contracts["greedy"].address
    found, last = read(rpc, on(FRIEND))
    assert last.coverage is not None
    assert last.coverage.last is not None
    sums = counted(on(FRIEND), found)
    asset = next(one for one in sums if one.contract == greedy)
    stated, _ = rpc.balances(on(FRIEND), sorted(sums), last.coverage.last)
    assert (sums[asset], stated[asset]) == (100, 95)
    assert all(stated[one] == units for one, units in sums.items() if one != asset)


def test_what_is_no_amount_is_set_aside_and_named(plan: Plan) -> None:
    _, last = read(source(plan), on(WALLET))
    texts = [problem.text for problem in last.problems]
    assert texts == [
        "set aside: 3 transfers of things that are no amounts (ERC-721, ERC-1155), which are not followed",
        "set aside: 1 Deposit and Withdrawal events of contracts that do not wrap the chain's coin",
    ]
    assert all("contracts 0x" in problem.where for problem in last.problems)


def test_what_a_token_says_of_itself_is_shown_and_harms_nobody(plan: Plan) -> None:
    found, _ = read(source(plan), on(WALLET))
    claims = {one.asset.contract: (one.asset.symbol, one.asset.decimals) for one in found}
    assert claims[plan.contracts["usd"].address] == ("USDX", 6)
    assert claims[plan.contracts["weth"].address] == ("WETH", 18)
    assert claims[plan.contracts["hostile"].address] == ("", 255)  # reverts with "rate limit"; claims 2**255 decimals


def test_a_transaction_looked_up_shows_all_parties(plan: Plan) -> None:
    tx = next(row[0] for row in plan.rows if row[1] == "trace:1" and row[5] == 500)
    splitter, rich = plan.contracts["splitter"].address, plan.node.accounts[0]
    assert [told(one) for one in source(plan).transaction(on(WALLET).chain, tx)] == [
        (tx, "tx", "", rich, splitter, 1_001),
        (tx, "trace:0", "", splitter, FRIEND, 500),
        (tx, "trace:1", "", splitter, WALLET, 500),
        (tx, "fee", "", rich, "fee", plan.node.fee(tx)),
    ]


def test_times_and_places_are_those_of_the_chain(plan: Plan) -> None:
    found, last = read(source(plan), on(WALLET))
    assert all(one.block.time > START and one.index == 0 for one in found)
    for one in found[:3]:
        assert one.block.hash == plan.node.ask("eth_getBlockByNumber", hex(one.block.number), False)["hash"]
    assert last.coverage is not None
    assert last.coverage.final == int(plan.node.ask("eth_getBlockByNumber", "finalized", False)["number"], 16)


def test_what_an_account_began_with_is_told_as_explorers_do(plan: Plan) -> None:
    rich = plan.node.accounts[9]
    (transfer,), _ = read(source(plan), on(rich))
    assert told(transfer) == (f"GENESIS_{rich[2:]}", "tx", "", "issue", rich, plan.node.balance(rich))
    assert transfer.block.number == 0


def test_a_node_without_calls_says_that_it_does_not_see_them(plan: Plan) -> None:
    _, last = read(source(plan, "blocks", ""), on(somebody(99)))
    assert last.coverage is not None
    assert (last.coverage.state, last.coverage.missing) == (State.EMPTY, (Kind.INTERNAL,))
    assert "does not tell the calls" in last.problems[-1].text


def test_web3_speaks_through_the_same_door(plan: Plan) -> None:
    node = source(plan).node
    assert node.web3.eth.chain_id == 1
    assert node.web3.is_connected()
    assert [evidence.source for evidence in node.take()] == [f"rpc:{plan.node.url}"]
