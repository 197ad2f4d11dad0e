"""A node that lags, lies, cuts, repeats or breaks off costs an answer with a reason, never a silent loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.evm.source import Rpc
from connectors.http.protocol import Request, Response
from connectors.protocol import Page
from fake_node import ADDRESS, ETHEREUM, ME, TOKEN, TRANSFER, YOU, FakeNode, Refusal, block_hash, log, word
from tracer.coverage import Coverage, Kind, State
from tracer.errors import InputError, SourceSkipped, SourceUnusable
from tracer.values import Chain

URL = "http://node.test:8545"
BIG = 2**256 - 1


def rpc(node: FakeNode, **more: Any) -> Rpc:
    return Rpc(URL, node.network(), ETHEREUM, **more)


def read(node: FakeNode, **more: Any) -> tuple[list[int], Coverage, list[str]]:
    """The units of what was read, the coverage, and the problems."""
    pages: list[Page] = list(rpc(node, **more).history(ADDRESS))
    coverage = pages[-1].coverage
    assert coverage is not None
    units = [transfer.units for page in pages for transfer in page.transfers]
    return units, coverage, [problem.text for page in pages for problem in page.problems]


def test_events_are_read_both_ways_and_a_payment_to_oneself_once() -> None:
    node = FakeNode(logs=[log(5, 0, 7), log(6, 0, 3, ME, YOU), log(7, 0, 2, ME, ME)])
    units, coverage, _ = read(node)
    assert units == [7, 3, 2]
    assert (coverage.state, coverage.last, coverage.tip, coverage.final) == (State.READ, 100, block_hash(100), 90)


@pytest.mark.parametrize("units", [0, 1, 2**53 + 1, 2**63, 2**64, 2**128, BIG])
def test_amounts_are_exact_to_the_last_unit(units: int) -> None:
    assert read(FakeNode(logs=[log(5, 0, units)]))[0] == [units]


def test_a_node_whose_other_half_lags_behind_is_not_believed_when_it_says_nothing() -> None:
    node = FakeNode(logs=[log(99, 0, 7)])
    behind = FakeNode(tip=79)
    node.methods = {"eth_getLogs": behind.get_logs}
    told = node.block
    node.methods["eth_getBlockByNumber"] = lambda tag, full: (
        told(tag, full) if tag in ("latest", "finalized") else behind.block(tag, full)
    )
    with pytest.raises(SourceSkipped, match="lags behind"):
        read(node)
    assert node.clock.slept  # it was given time


def test_a_node_that_catches_up_is_read() -> None:
    node = FakeNode(logs=[log(99, 0, 7)])
    tries: list[int] = []

    def late(tag: str, full: bool) -> Any:
        tries.append(1)
        return None if tag == "0x64" and len(tries) < 12 else node.block(tag, full)

    node.methods = {"eth_getBlockByNumber": late}
    assert read(node)[0] == [7]


def test_a_tip_that_changes_while_it_is_read_is_a_reorganisation() -> None:
    node = FakeNode(logs=[log(5, 0, 7)])
    asked: list[str] = []

    def forked(tag: str, full: bool) -> Any:
        row = node.block(tag, full)
        asked.append(tag)
        if row and row["number"] == "0x64" and asked.count("0x64") > 2:
            row["hash"] = block_hash(7_000)
        return row

    node.methods = {"eth_getBlockByNumber": forked}
    units, coverage, problems = read(node)
    assert units == []
    assert (coverage.state, coverage.last) == (State.FAILED, None)
    assert "reorganised" in coverage.reason
    assert "reorganised" in problems[0]


@pytest.mark.parametrize("chain_id", ["0x2", "0x7a69", "zero", None, 10**80])
def test_a_chain_that_is_not_known_or_not_the_one_asked_is_refused(chain_id: Any) -> None:
    node = FakeNode(chain_id=chain_id)
    with pytest.raises((SourceUnusable, SourceSkipped)):
        list(rpc(node).history(ADDRESS))
    node = FakeNode(chain_id="0x89")
    with pytest.raises(SourceUnusable, match="on polygon, not on ethereum"):
        list(rpc(node).history(ADDRESS))


def test_what_to_do_with_a_test_chain_is_said() -> None:
    with pytest.raises(SourceUnusable) as raised:
        Rpc(URL, FakeNode(chain_id="0x7a69").network())._chain  # noqa: B018  asking is the point
    assert "chain 31337" in str(raised.value)
    assert "ethereum (1)" in raised.value.hint


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("missing block", {"blockNumber": None}),
    ("missing transaction", {"transactionHash": None}),
    ("missing index", {"logIndex": None}),
    ("missing hash", {"blockHash": None}),
    ("a word that is no word", {"topics": [TRANSFER, word(YOU), "0x12"]}),
    ("10^80 as a number", {"logIndex": hex(10**80)}),
    ("negative", {"logIndex": -1}),
    ("true as a number", {"transactionIndex": True}),
    ("data that is no data", {"data": "0xzz"}),
    ("another address", {"address": "nobody"}),
]


@pytest.mark.parametrize("change", [change for _, change in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_log_that_cannot_be_read_is_a_gap_that_names_it(change: dict[str, Any]) -> None:
    node, row = FakeNode(), log(50, 1, 3, **change)
    node.methods = {"eth_getLogs": lambda query: [log(40, 0, 7), row] if query["topics"][1:2] == [None] else []}
    units, coverage, problems = read(node)
    assert units == [7]
    assert coverage.state is State.FAILED
    assert problems


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (log(5, 0, 7, payer=TOKEN, payee=YOU), "does not concern"),
        (log(5_000, 0, 7), "asked about 0 to 99"),
    ],
)
def test_a_log_of_another_question_is_no_answer_to_this_one(row: dict[str, Any], why: str) -> None:
    node = FakeNode()
    node.methods = {"eth_getLogs": lambda query: [row] if query["topics"][1:2] == [None] else []}
    units, coverage, problems = read(node)
    assert (units, coverage.state) == ([], State.FAILED)
    assert any(why in text for text in problems)


def test_a_log_that_was_taken_back_is_a_reorganisation_and_no_transfer() -> None:
    units, coverage, _ = read(FakeNode(logs=[log(5, 0, 7, removed=True)]))
    assert (units, coverage.state) == ([], State.FAILED)
    assert "took back" in coverage.reason


def test_a_log_told_twice_counts_once_and_one_told_in_two_ways_is_a_gap() -> None:
    assert read(FakeNode(logs=[log(5, 0, 7), log(5, 0, 7)]))[0] == [7]
    units, coverage, problems = read(FakeNode(logs=[log(5, 0, 7), log(5, 0, 8)]))
    assert (units, coverage.state) == ([7], State.FAILED)
    assert any("in two ways" in text for text in problems)


def test_a_log_of_a_block_that_is_another_by_now_is_not_believed() -> None:
    _, coverage, _ = read(FakeNode(logs=[log(5, 0, 7, blockHash=block_hash(6))]))
    assert coverage.state is State.FAILED
    assert "block 5 was" in coverage.reason


REFUSALS = [
    (-32005, "query returned more than 10000 results"),
    (-32602, "eth_getLogs is limited to a 10 block range"),
    (-32000, "exceed maximum block range: 10"),
    (-32000, "something without a meaning"),
    (-32600, "You can make eth_getLogs requests with up to a 10 block range"),
]


@pytest.mark.parametrize(("code", "text"), REFUSALS)
def test_a_question_about_too_many_blocks_is_asked_in_smaller_ones(code: int, text: str) -> None:
    node = FakeNode(logs=[log(number, 0, number) for number in range(1, 100, 7)])

    def narrow(query: dict[str, Any]) -> Any:
        if int(query["toBlock"], 16) - int(query["fromBlock"], 16) >= 10:
            raise Refusal(code, text)
        return node.get_logs(query)

    node.methods = {"eth_getLogs": narrow}
    units, coverage, _ = read(node)
    assert units == list(range(1, 100, 7))
    assert coverage.state is State.READ


def test_blocks_with_too_many_results_are_asked_one_by_one_and_quieter_ones_together_again() -> None:
    node = FakeNode(logs=[log(30, at, 1) for at in range(150)] + [log(90, 0, 5)])

    def capped(query: dict[str, Any]) -> Any:
        found = node.get_logs(query)
        if len(found) > 149 and query["fromBlock"] != query["toBlock"]:
            raise Refusal(-32005, "query returned more than 149 results")
        return found

    node.methods = {"eth_getLogs": capped}
    units, coverage, _ = read(node)
    assert sum(units) == 155
    assert coverage.state is State.READ
    asked = [params[0] for method, params in node.asked if method == "eth_getLogs"]
    spans = [int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1 for query in asked]
    assert min(spans) == 1
    assert max(spans[-9:]) > 8  # grown again


def test_a_node_that_cuts_at_a_round_number_without_a_word_is_noticed() -> None:
    node = FakeNode(logs=[log(30 + at // 600, at, 1) for at in range(1_200)])
    node.methods = {"eth_getLogs": lambda query: node.get_logs(query)[:1_000]}
    units, coverage, _ = read(node)
    assert (len(units), coverage.state) == (1_200, State.READ)


def test_one_block_that_is_cut_is_read_from_its_receipts_or_not_at_all() -> None:
    node = FakeNode(logs=[log(30, at, 1) for at in range(1_200)])
    node.methods = {"eth_getLogs": lambda query: node.get_logs(query)[:1_000]}
    with pytest.raises(SourceSkipped, match="round number"):
        read(node)
    node.methods["eth_getBlockReceipts"] = lambda number: [{"logs": node.logs if number == hex(30) else []}]
    units, coverage, _ = read(node)
    assert (len(units), coverage.state) == (1_200, State.READ)


def test_a_single_block_that_is_refused_is_said_and_not_skipped() -> None:
    node = FakeNode()

    def refused(query: dict[str, Any]) -> Any:
        raise Refusal(-32000, "no")

    node.methods = {"eth_getLogs": refused}
    with pytest.raises(SourceSkipped, match="block 0 cannot be asked for: no"):
        read(node)


@pytest.mark.parametrize("cut", [1, 20, 60, -40, -2])
def test_an_answer_that_is_cut_short_is_asked_for_again_and_then_given_up(cut: int) -> None:
    node = FakeNode(logs=[log(5, 0, 7)])
    seen: list[int] = []

    def once(body: bytes) -> bytes:
        seen.append(1)
        return body[:cut] if len(seen) == 4 else body

    node.whole = once
    assert read(node)[0] == [7]
    node = FakeNode(logs=[log(5, 0, 7)])
    node.whole = lambda body: body[:cut]
    with pytest.raises((SourceSkipped, SourceUnusable)):
        read(node)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>502</html>", b"[]", b"{}", b"null", b'"ok"', b'{"result":1.5}', b'{"id":1,"result":1,"result":2}',
     b'{"result":NaN}', b'{"id":1,"result":"0x1","error":null', b"\xff\xfe", b'[{"id":9,"result":"0x1"}]'],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_and_not_an_empty_history(body: bytes) -> None:
    node = FakeNode()
    started: list[int] = []

    def later(told: bytes) -> bytes:
        started.append(1)
        return body if len(started) > 4 else told

    node.whole = later
    with pytest.raises((SourceSkipped, SourceUnusable)):
        read(node)


LIMITS: list[Callable[[], Response]] = [
    lambda: Response(429, b"slow down", {"retry-after": "3"}),
    lambda: Response(200, json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 429, "message": "x"}}).encode()),
    lambda: Response(200, json.dumps([{"id": 1, "error": {"code": -32005, "message": "rate limit"}}]).encode()),
    lambda: Response(503, b"<html>busy</html>"),
]


@pytest.mark.parametrize("limited", LIMITS)
def test_a_busy_node_is_asked_again_later(limited: Callable[[], Response]) -> None:
    node = FakeNode(logs=[log(5, 0, 7)])
    seen: list[int] = []

    def busy(body: bytes) -> Response | bytes:
        seen.append(1)
        return limited() if len(seen) in (3, 5) else body

    node.whole = busy
    assert read(node)[0] == [7]
    assert len(node.clock.slept) >= 2


@pytest.mark.parametrize("text", ["daily request count exceeded", "invalid api key", "monthly quota reached"])
def test_a_refused_key_or_a_spent_quota_ends_the_source(text: str) -> None:
    node = FakeNode()
    node.whole = lambda _: json.dumps({"id": 1, "error": {"code": -32005, "message": text}}).encode()
    with pytest.raises(SourceUnusable, match="refuses"):
        read(node)


def test_a_contract_cannot_stop_the_reading_by_what_it_says() -> None:
    node = FakeNode(logs=[log(5, 0, 7)])

    def hostile(*_: Any) -> Any:
        raise Refusal(3, "execution reverted: invalid api key, daily quota exceeded, rate limit")

    node.methods = {"eth_call": hostile}
    assert read(node)[0] == [7]


def test_a_node_that_takes_one_call_a_request_is_read_one_by_one() -> None:
    node = FakeNode(logs=[log(5, 0, 7)], takes_batches=False)
    assert read(node)[0] == [7]


def test_a_plain_node_of_a_long_chain_says_what_it_cannot_see() -> None:
    node = FakeNode(tip=20_000_000, logs=[log(5, 0, 7)])
    units, coverage, problems = read(node)
    assert units == [7]
    assert coverage.kinds == {Kind.TOKEN}
    assert set(coverage.missing) == {Kind.NATIVE, Kind.INTERNAL}
    assert "not read; add a source that lists them" in problems[-1]


def test_a_reversed_range_is_never_asked() -> None:
    node = FakeNode(logs=[log(100, 0, 7)])
    source = rpc(node)
    pages = list(source.history(ADDRESS, source.cursor_from(ETHEREUM, 5_000)))
    assert [transfer.units for transfer in pages[-1].transfers] == [7]
    asked = [params[0] for method, params in node.asked if method == "eth_getLogs"]
    assert asked
    assert all(int(query["fromBlock"], 16) <= int(query["toBlock"], 16) for query in asked)


def test_an_address_of_another_chain_is_an_error_of_use() -> None:
    with pytest.raises(InputError, match="answers for ethereum, not for base"):
        list(rpc(FakeNode()).history(type(ADDRESS)(Chain.named("base"), ME)))
    with pytest.raises(InputError, match="no chain that an rpc"):
        Rpc(URL, FakeNode().network(), Chain.named("tron"))


KEY = "canary0123456789canary0123456789"


def test_a_key_travels_in_its_place_alone() -> None:
    secret: list[str] = []

    class Spied(FakeNode):
        def send(self, request: Request) -> Response:
            secret.append(request.secret_key)
            return super().send(request)

    node = Spied(logs=[log(5, 0, 7)])
    source = Rpc("https://node.test/v3/{key}", node.network(FUNDTRAIL_RPC_KEY=KEY), ETHEREUM)
    pages = list(source.history(ADDRESS))
    assert set(secret) == {KEY}
    assert KEY not in f"{source.name} {source.hosts} {pages!r} {source.cursor_from(ETHEREUM, 0)}"
    assert source.hosts == ("node.test",)


@pytest.mark.parametrize(
    "where",
    ["", f"https://node.test/v3/{KEY}", "https://node.test/?apikey=1", "https://a:b@node.test/", "ftp://node.test",
     "https://node.test/{key}"],
)  # fmt: skip
def test_a_place_that_is_none_or_holds_a_key_is_refused_without_repeating_the_key(where: str) -> None:
    with pytest.raises(InputError) as raised:
        Rpc(where, FakeNode().network(), ETHEREUM)
    assert KEY not in str(raised.value) + raised.value.hint
    assert raised.value.hint
