"""What a transaction moved: truth tables of failures, kinds of calls, fees and what the chain itself issues."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Any

import pytest

from anvil_node import CONTRACTS, keccak
from connectors.evm.calls import calls_in_list, calls_in_tree
from connectors.evm.events import (
    DEPOSIT,
    DESTROYED,
    KNOWN,
    TRANSFER,
    TRANSFER_BATCH,
    TRANSFER_SINGLE,
    WITHDRAWAL,
    Said,
    event_in,
)
from connectors.evm.faults import Fault, Meaning
from connectors.evm.source import Rpc
from connectors.evm.transactions import Whole, fee_of, moved
from fake_node import ADDRESS, ETHEREUM, ME, TOKEN, YOU, FakeNode, Refusal, block_hash, log, transaction_hash, word
from tracer.coverage import Kind, State
from tracer.errors import BadRow
from tracer.values import Block, Leg, SinkKind

OTHER = "0x" + "d4" * 20
Frame = dict[str, Any]


def frame(kind: str = "CALL", value: int = 0, *inner: Frame, payer: str = YOU, to: str = ME, **more: Any) -> Frame:
    return {"type": kind, "from": payer, "to": to, "value": hex(value), "calls": list(inner), **more}


def flat(tree: Frame, place: tuple[int, ...] = ()) -> list[Frame]:
    """The same calls as a flat list."""
    kind = tree["type"].lower()
    row: Frame = {"traceAddress": list(place), "type": "call", "subtraces": len(tree["calls"])}
    if kind.startswith("create"):
        row |= {"type": "create", "action": {"from": tree["from"], "value": tree["value"]}}
        row["result"] = {"address": tree["to"]}
    elif kind == "selfdestruct":
        row |= {
            "type": "suicide",
            "action": {"address": tree["from"], "refundAddress": tree["to"], "balance": tree["value"]},
        }
    else:
        row["action"] = {"callType": kind, "from": tree["from"], "to": tree["to"], "value": tree["value"]}
    if tree.get("error"):
        row |= {"error": "Reverted", "result": None}
    return [row, *(one for at, each in enumerate(tree["calls"]) for one in flat(each, (*place, at)))]


SHA256 = "0x" + "0" * 39 + "2"  # a contract of the chain itself
TREES: list[tuple[str, Frame, list[tuple[str, int]]]] = [
    ("plain", frame("CALL", 5), []),
    ("inner", frame("CALL", 5, frame("CALL", 3), frame("CALL", 2)), [("trace:0", 3), ("trace:1", 2)]),
    ("deep", frame("CALL", 5, frame("CALL", 0, frame("CALL", 2))), [("trace:0_0", 2)]),
    ("whole failed", frame("CALL", 5, frame("CALL", 3), error="reverted"), []),
    ("part failed", frame("CALL", 5, frame("CALL", 0, frame("CALL", 3), error="x"), frame("CALL", 2)),
     [("trace:1", 2)]),
    ("far below a failure", frame("CALL", 5, frame("CALL", 0, frame("CALL", 0, frame("CALL", 3)), error="x")), []),
    ("delegate", frame("CALL", 5, frame("DELEGATECALL", 5, frame("CALL", 4))), [("trace:0_0", 4)]),
    ("static and callcode", frame("CALL", 5, frame("STATICCALL", 0), frame("CALLCODE", 5)), []),
    ("create", frame("CALL", 5, frame("CREATE", 3, to=OTHER), frame("CREATE2", 2, to=OTHER)),
     [("trace:0", 3), ("trace:1", 2)]),
    ("selfdestruct", frame("CALL", 5, frame("SELFDESTRUCT", 2**128)), [("trace:0", 2**128)]),
    ("precompile before", frame("CALL", 5, frame("STATICCALL", to=SHA256), frame("CALL", 3)), [("trace:0", 3)]),
    ("precompile paid", frame("CALL", 5, frame("CALL", 1, to=SHA256), frame("CALL", 3)),
     [("trace:0", 1), ("trace:1", 3)]),
    ("all of it", frame("CALL", 0, frame("CALL", 2**256 - 1)), [("trace:0", 2**256 - 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "expected"), [row[1:] for row in TREES], ids=[row[0] for row in TREES])
def test_calls_move_what_they_move_in_both_forms(tree: Frame, expected: list[tuple[str, int]]) -> None:
    for calls in (calls_in_tree(tree, ETHEREUM), calls_in_list(flat(tree)[::-1], ETHEREUM)):
        assert [(move.position, move.units) for move in calls.inner] == expected
        assert calls.failed is bool(tree.get("error"))


@pytest.mark.parametrize(
    "traces",
    [
        [],
        flat(frame("CALL", 5, frame("CALL", 3)))[1:],
        [one for one in flat(frame("CALL", 5, frame("CALL", 3), frame("CALL", 2))) if one["traceAddress"] != [0]],
        flat(frame("CALL", 5, frame("CALL", 3))) * 2,
        [{**flat(frame())[0], "type": "mystery"}],
        [{**flat(frame())[0], "traceAddress": None}],
        flat(frame("CALL", 2**256)),
    ],
    ids=["none", "no top", "one missing", "twice", "unknown", "no place", "too much"],
)
def test_traces_that_make_no_whole_are_refused(traces: list[Frame]) -> None:
    with pytest.raises(BadRow):
        calls_in_list(traces, ETHEREUM)


def test_a_tree_of_another_make_is_refused() -> None:
    for tree in (frame("MYSTERY"), {**frame(), "calls": 7}, frame("CALL", 1, frame("CALL", 2, to=""))):
        with pytest.raises(BadRow):
            calls_in_tree(tree, ETHEREUM)


def test_the_topics_are_the_hashes_of_the_signatures() -> None:
    signatures = {
        TRANSFER: "Transfer(address,address,uint256)",
        TRANSFER_SINGLE: "TransferSingle(address,address,address,uint256,uint256)",
        TRANSFER_BATCH: "TransferBatch(address,address,address,uint256[],uint256[])",
        DEPOSIT: "Deposit(address,uint256)",
        WITHDRAWAL: "Withdrawal(address,uint256)",
        DESTROYED: "DestroyedBlackFunds(address,uint256)",
    }
    assert signatures.keys() == KNOWN
    assert all(f"0x{keccak(text.encode()).hex()}" == topic for topic, text in signatures.items())


LAYOUTS = [
    ([TRANSFER, word(YOU), word(ME)], 32, Said.MOVED),
    ([TRANSFER, word(YOU), word(ME), word(OTHER)], 0, Said.UNIQUE),
    ([TRANSFER, word(YOU), word(ME)], 0, Said.UNCLEAR),
    ([TRANSFER, word(YOU), word(ME)], 64, Said.UNCLEAR),
    ([TRANSFER, word(YOU), "0x" + "f" * 64], 32, Said.UNCLEAR),
    ([TRANSFER], 96, Said.UNCLEAR),
    ([TRANSFER_SINGLE, word(OTHER), word(YOU), word(ME)], 64, Said.UNIQUE),
    ([DEPOSIT, word(ME)], 32, Said.WRAPPED),
    ([WITHDRAWAL, word(ME)], 32, Said.UNWRAPPED),
    ([DEPOSIT, word(ME), word(YOU)], 32, Said.UNCLEAR),
    ([DESTROYED], 64, Said.SEIZED),
    ([DESTROYED, word(ME)], 32, Said.SEIZED),
]


@pytest.mark.parametrize(("topics", "length", "said"), LAYOUTS)
def test_an_event_is_told_by_its_layout(topics: list[str], length: int, said: Said) -> None:
    event = event_in(log(5, 0, 0, topics=topics, data="0x" + "00" * length), ETHEREUM)
    assert event is not None
    assert event.said is said


def test_an_event_of_another_kind_and_one_without_topics_are_none() -> None:
    assert event_in(log(5, 0, 0, topics=["0x" + "1" * 64]), ETHEREUM) is None
    assert event_in(log(5, 0, 0, topics=[]), ETHEREUM) is None
    assert event_in(log(5, 0, 0, topics=[DESTROYED]), ETHEREUM) is None  # of nobody knows whom


def whole(row: Frame | None = None, receipt: Frame | None = None, tree: Frame | None = None) -> Whole:
    told = {
        "hash": transaction_hash(5),
        "from": YOU,
        "to": ME,
        "value": hex(7),
        "gas": "0x5208",
        "input": "0x",
        **(row or {}),
    }
    done = {
        "transactionHash": transaction_hash(5), "blockNumber": "0x5", "blockHash": block_hash(5), "status": "0x1",
        "transactionIndex": "0x2", "gasUsed": "0x5208", "effectiveGasPrice": "0xa", **(receipt or {}),
    }  # fmt: skip
    calls = calls_in_tree(tree, ETHEREUM) if tree else None
    return Whole(told, {name: value for name, value in done.items() if value is not None}, calls, ("sha256:0#1",))


def positions(one: Whole) -> list[tuple[str, int]]:
    return [(each.id.position, each.units) for each in moved(one, Block(5, 1_700_000_000, block_hash(5)), ETHEREUM)]


def test_a_failed_transaction_pays_its_fee_alone() -> None:
    assert positions(whole()) == [("tx", 7), ("fee", 210_000)]
    assert positions(whole(receipt={"status": "0x0"}, tree=frame("CALL", 7, frame("CALL", 7)))) == [("fee", 210_000)]


def test_before_byzantium_the_gas_left_or_the_calls_tell_whether_it_was_carried_out() -> None:
    old = {"status": None}
    assert positions(whole({"gas": "0x5209"}, old)) == [("tx", 7), ("fee", 210_000)]
    assert positions(whole({}, old, frame("CALL", 7))) == [("tx", 7), ("fee", 210_000)]
    assert positions(whole({}, old, frame("CALL", 7, error="out of gas"))) == [("fee", 210_000)]
    with pytest.raises(BadRow, match="nothing says whether it was carried out"):
        positions(whole({}, old))


def test_fees_hold_data_on_the_chain_below_and_blobs() -> None:
    assert fee_of(whole(receipt={"l1Fee": hex(5)})) == 210_005
    assert fee_of(whole({"type": "0x3"}, {"blobGasUsed": "0x2", "blobGasPrice": "0x3"})) == 210_006
    assert fee_of(whole({"gasPrice": "0x2"}, {"effectiveGasPrice": None})) == 42_000
    with pytest.raises(BadRow, match="effectiveGasPrice"):
        fee_of(whole({"type": "0x2", "gasPrice": "0x2"}, {"effectiveGasPrice": None}))


def test_a_deposit_from_the_chain_below_is_issued_even_if_it_fails() -> None:
    deposit = {"type": "0x7e", "mint": hex(7)}
    free = {"effectiveGasPrice": "0x0"}
    assert positions(whole(deposit, free)) == [("step:0", 7), ("tx", 7), ("fee", 0)]
    assert positions(whole(deposit, {**free, "status": "0x0"})) == [("step:0", 7), ("fee", 0)]


def test_the_contract_that_was_made_is_paid() -> None:
    (value, *_) = moved(whole({"to": None}, {"contractAddress": OTHER}), Block(5, 1_700_000_000), ETHEREUM)
    assert str(value.outputs[0].address) == OTHER


MEANINGS = [
    (-32601, "the method trace_filter does not exist/is not available", Meaning.NO_METHOD),
    (-32600, "trace_filter is not available on the Free tier - upgrade", Meaning.NO_METHOD),
    (-32000, "method debug_traceTransaction is not whitelisted", Meaning.NO_METHOD),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].", Meaning.TOO_MUCH),
    (-32602, "Log response size exceeded. You can make requests with up to a 2K block range", Meaning.TOO_MUCH),
    (-32000, "block range is too wide", Meaning.TOO_MUCH),
    (-32614, "eth_getLogs is limited to a 10,000 range", Meaning.TOO_MUCH),
    (429, "Your app has exceeded its compute units per second capacity", Meaning.BUSY),
    (-32005, "project ID request rate exceeded", Meaning.BUSY),
    (-32005, "limit exceeded", Meaning.BUSY),
    (-32005, "", Meaning.TOO_MUCH),
    (-32005, "daily request count exceeded, request rate limited", Meaning.SPENT),
    (-32000, "missing trie node 5a (path ) state 0x5a is not available", Meaning.NO_STATE),
    (-32000, "required historical state unavailable (reexec=128)", Meaning.NO_STATE),
    (-32000, "header not found", Meaning.NO_STATE),
    (4444, "pruned history unavailable", Meaning.NO_STATE),
    (3, "execution reverted: too many requests", Meaning.OTHER),
    (-32000, "insufficient funds", Meaning.OTHER),
]


@pytest.mark.parametrize(("code", "text", "meaning"), MEANINGS)
def test_a_node_s_error_is_told_by_its_words(code: int, text: str, meaning: Meaning) -> None:
    assert Fault.of({"code": code, "message": text}).meaning is meaning


def busy_block(number: int) -> Frame:
    """Block 5 of a fake node with one transaction of YOU to ME, and a withdrawal."""
    row = FakeNode().block(hex(number)) or {}
    if number == 5:
        row["transactions"] = [transaction()]
        row["withdrawals"] = [{"index": "0x9", "validatorIndex": "0x1", "address": ME, "amount": "0x3"}]
    return row


def transaction() -> Frame:
    return {
        **whole().row, "blockHash": block_hash(5), "blockNumber": "0x5", "transactionIndex": "0x2", "gas": "0xffff",
        "input": "0xa9059cbb00",
    }  # fmt: skip


def with_blocks(node: FakeNode, **more: Any) -> FakeNode:
    used = {"gasUsed": "0x6000"}
    node.methods = {
        "eth_getBlockByNumber": lambda tag, full: (
            busy_block(int(tag, 16)) if tag.startswith("0x") and int(tag, 16) <= node.tip else node.block(tag, full)
        ),
        "eth_getTransactionByHash": lambda tx: transaction(),
        "eth_getTransactionReceipt": lambda tx: {**whole().receipt, **used},
        **more,
    }
    return node


def test_withdrawals_of_validators_are_issued_by_the_chain() -> None:
    node = with_blocks(FakeNode())
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert [(one.id.tx, one.id.position, one.units) for one in page.transfers] == [
        (transaction_hash(5), "tx", 7),
        (f"0x{5:064x}", "trace:9", 3 * 10**9),
    ]
    assert page.transfers[0].method == "0xa9059cbb"


def test_calls_that_a_node_cannot_tell_any_more_leave_internal_out_of_what_was_read() -> None:
    def pruned(*_: Any) -> Any:
        raise Refusal(-32000, "required historical state unavailable")

    node = with_blocks(FakeNode(), debug_traceTransaction=pruned, debug_traceBlockByNumber=pruned)
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert page.coverage is not None
    assert page.coverage.state is State.READ
    assert page.coverage.missing == (Kind.INTERNAL,)
    assert [one.units for one in page.transfers] == [7, 3 * 10**9]
    assert any("what was called" in problem.text for problem in page.problems)
    assert any(problem.where == f"transaction {transaction_hash(5)}" for problem in page.problems)


def test_a_miner_s_reward_in_the_traces_is_issued_by_the_chain() -> None:
    reward = {
        "type": "reward", "action": {"author": ME, "rewardType": "block", "value": hex(5 * 10**18)}, "blockNumber": 5,
        "blockHash": block_hash(5), "traceAddress": [], "transactionHash": None,
    }  # fmt: skip
    node = with_blocks(FakeNode(), trace_filter=lambda query: [reward])
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert [(one.id.tx, one.units, one.index) for one in page.transfers] == [(f"0x{5:064x}", 5 * 10**18, 2**31 - 1)]


def test_a_token_that_calls_itself_unique_and_has_no_decimals_is_not_added_up() -> None:
    node = FakeNode(logs=[log(5, 0, 7)])
    node.methods = {"eth_call": lambda row, tag: "0x" + f"{int(row['data'].startswith('0x01ffc9a7')):064x}"}
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert page.transfers == ()
    assert "set aside: 1 transfers of things that are no amounts" in page.problems[0].text
    assert TOKEN in page.problems[0].where


def test_a_wrapped_coin_that_tells_a_transfer_beside_its_deposit_is_not_counted_twice() -> None:
    nobody = "0x" + "0" * 40
    node = FakeNode(logs=[log(5, 0, 7, nobody), log(5, 1, 7, topics=[DEPOSIT, word(ME)])])
    node.methods = {
        "eth_call": lambda row, tag: f"0x{7:064x}",
        "eth_getBalance": lambda who, tag: "0x7" if who == TOKEN else "0x0",
    }
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert [(one.id.position, one.units) for one in page.transfers] == [("log:0", 7)]
    node.logs = node.logs[1:]
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert [(one.id.position, one.units) for one in page.transfers] == [("log:1", 7)]


@pytest.mark.parametrize("indexed", [False, True])
def test_what_the_issuer_took_out_of_circulation_is_seized_and_no_longer_there(indexed: bool) -> None:
    def seizure(place: int, whose: str, units: int) -> Frame:
        topics, data = ([DESTROYED, word(whose)], "0x") if indexed else ([DESTROYED], word(whose))
        return log(8, place, 0, topics=topics, data=f"{data}{units:064x}")

    node = FakeNode(logs=[log(5, 0, 7), seizure(0, ME, 2**128), seizure(1, OTHER, 9), log(8, 2, 7, topics=[DESTROYED])])
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert [(one.id.position, one.units) for one in page.transfers] == [("log:0", 7), ("log:0", 2**128)]
    taken = page.transfers[1]
    assert (taken.inputs, taken.outputs) == (
        (Leg.slot(ADDRESS, taken.asset, 2**128),), (Leg.sink(taken.asset, SinkKind.SEIZED, 2**128),)
    )  # fmt: skip
    assert page.coverage is not None
    assert page.coverage.state is State.READ
    assert not [one for one in page.problems if "set aside" in one.text]


@pytest.mark.parametrize(("depth", "missing"), [(400, ()), (20_000, (Kind.INTERNAL,))])
def test_a_call_nested_too_deep_to_read_costs_its_own_transaction_only(depth: int, missing: tuple[Kind, ...]) -> None:
    head = json.dumps(frame("CALL", 0)).removesuffix("]}")
    told = head * depth + json.dumps(frame("CALL", 1)) + "]}" * depth
    node = with_blocks(FakeNode(), debug_traceTransaction=lambda *_: "DEEP", debug_traceBlockByNumber=lambda *_: [])
    node.whole = lambda body: body.replace(b'"DEEP"', told.encode())
    (page,) = Rpc("http://node.test", node.network()).history(ADDRESS)
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.missing) == (State.READ, missing)
    units = [one.units for one in page.transfers]
    assert units == ([7, 3 * 10**9] if missing else [7, 1, 3 * 10**9])


def test_web3_is_not_imported_before_a_node_is_asked() -> None:
    said = "import sys, connectors.evm.source; sys.exit('web3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0


def test_the_contracts_of_the_tests_are_compiled_from_their_sources() -> None:
    stated = json.loads((CONTRACTS / "compiled.json").read_text())["sources"]
    assert stated == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in CONTRACTS.glob("*.sol")}
