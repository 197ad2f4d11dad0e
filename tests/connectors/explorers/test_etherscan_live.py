"""Etherscan read live: what is read equals what happened, or says where it does not."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import ConnectorContract
from connectors.etherscan.live import Etherscan
from connectors.http.network import Network
from connectors.http.protocol import Request
from connectors.protocol import Connector, Page
from connectors.sources import open_source
from etherscan_provider import KEY, EtherscanProvider
from explorer_chain import Chain as MadeUp
from explorer_chain import Event, Inner, Transaction, Wrap, addresses, facts_of, random_chain
from tracer.addresses import parse
from tracer.coverage import Coverage, State
from tracer.errors import InputError, SourceSkipped, SourceUnusable
from tracer.values import Address, Chain

ETH = Chain.named("ethereum")
A, B, C, TOKEN = addresses(4)
WEI = 10**18


def source_of(provider: EtherscanProvider) -> Etherscan:
    source = open_source("etherscan:ethereum", provider.network())
    assert isinstance(source, Etherscan)
    return source


def read(source: Connector, address: str = A) -> tuple[list[Page], Coverage]:
    pages = list(source.history(parse(address, ETH)))
    coverage = pages[-1].coverage
    assert coverage is not None
    return pages, coverage


def plain_chain() -> MadeUp:
    """A gets plenty, pays, wraps, and gets two like tokens in one transaction."""
    return MadeUp(
        [
            Transaction(3, 0, C, A, 100 * WEI),
            Transaction(5, 0, A, B, 2 * WEI, inner=(Inner((0, 1), B, A, 1), Inner((0, 2), B, A, 1))),
            Transaction(5, 1, A, B, WEI, failed=True),
            Transaction(9, 2, C, TOKEN, events=(Event(4, TOKEN, C, A, 50), Event(5, TOKEN, C, A, 50))),
            Transaction(9, 3, A, "", 7, made=TOKEN),
            Transaction(11, 0, A, TOKEN, events=(Event(0, TOKEN, A, B, 60),), wraps=(Wrap(1, A, 9),),
                        inner=(Inner((1,), A, "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", 9),)),
            Transaction(90, 0, B, A, 5),
        ],
        head=100,
    )  # fmt: skip


class TestEtherscan(ConnectorContract):
    """The live source keeps the contract."""

    KIND = "etherscan"
    SUPPORTS: ClassVar = {
        "native": "yes",
        "internal": "yes: txlistinternal",
        "token": "yes: ERC-20, and wraps of the chain's coin where its contract is known",
        "order": "no: token rows have no log index, internal ones no place in the block",
        "balances": "yes: of the newest block only",
        "completeness proof": "yes: the row after the last one is asked for",
    }

    @pytest.fixture
    def connector(self) -> Connector:
        return source_of(EtherscanProvider(plain_chain(), page=3, key=KEY))

    @pytest.fixture
    def address(self) -> Address:
        return parse(A, ETH)

    @pytest.fixture
    def unknown_address(self) -> Address:
        return parse("0x" + "d" * 40, ETH)


@pytest.mark.slow
@given(
    seed=st.integers(0, 10**9),
    page=st.sampled_from([2, 3, 5, 10, 50, 1000]),
    window=st.sampled_from([40, 100, 1000, 10_000]),
    short=st.booleans(),
    crowded=st.sampled_from([0, 0, 10, 60]),
    traces=st.booleans(),
)
def test_what_is_read_is_what_happened_or_the_gap_is_named(
    seed: int, page: int, window: int, short: bool, crowded: int, traces: bool
) -> None:
    chain = random_chain(seed, crowded=crowded, head=80)
    provider = EtherscanProvider(
        chain, page=page, window=window, short=random.Random(seed) if short else None, traces=traces
    )
    pages, coverage = read(source_of(provider))
    found = [transfer for page in pages for transfer in page.transfers]
    assert coverage.state in (State.READ, State.CUT)
    assert bool(coverage.reason) == (coverage.state is State.CUT)
    truth = chain.facts_about(A)
    assert not facts_of(found) - truth  # nothing was invented, and nothing told twice
    if coverage.state is State.READ:
        assert coverage.last == 80
        assert facts_of(found) == truth
    elif coverage.last is not None:
        assert facts_of(found, coverage.last) == chain.facts_about(A, 0, coverage.last)


def test_3000_rows_in_one_block_are_all_read() -> None:
    chain = random_chain(4, crowded=3000)
    provider = EtherscanProvider(chain)
    pages, coverage = read(source_of(provider))
    assert coverage.state is State.READ
    assert facts_of(t for page in pages for t in page.transfers) == chain.facts_about(A)
    assert sum(request.params["module"] == "account" for request in provider.requests) < 25


@pytest.mark.slow
def test_a_block_with_more_rows_than_the_window_is_a_gap_and_the_blocks_before_it_are_whole() -> None:
    chain = random_chain(5, crowded=10_500)
    crowded = max(chain._by_block, key=lambda block: len(chain._by_block[block]))
    pages, coverage = read(source_of(EtherscanProvider(chain)))
    assert (coverage.state, coverage.last) == (State.CUT, crowded - 1)
    assert f"of the rows of block {crowded} 10,000 were read" in coverage.reason
    found = [t for page in pages for t in page.transfers]
    assert facts_of(found, crowded - 1) == chain.facts_about(A, 0, crowded - 1)


def test_what_a_wallet_costs() -> None:
    """The newest block is found once a minute; then each list, the row after its last one, and the block again."""
    provider = EtherscanProvider(MadeUp([Transaction(3, 0, C, A, 5)], head=100))
    source = source_of(provider)
    read(source)
    before = len(provider.requests)
    first = read(source)[1]
    assert len(provider.requests) - before == 5
    assert read(source, B)[1].state is State.EMPTY
    assert len(provider.requests) - before == 5 + 4
    provider.chain = MadeUp([Transaction(3, 0, C, A, 5), Transaction(101, 0, C, A, 5)], head=101)
    assert read(source)[1] == first
    assert read(source_of(provider))[1].last == 101


def test_a_page_of_exactly_1000_rows_is_not_taken_for_the_end() -> None:
    chain = MadeUp([Transaction(1 + n // 2, n % 2, A, B, n) for n in range(1001)], head=600)
    _, coverage = read(source_of(EtherscanProvider(chain)))
    assert (coverage.state, coverage.rows) == (State.READ, 1001)


@pytest.mark.parametrize("lag", [1, 5, 20, 200])
def test_lists_that_trail_the_chain_are_read_up_to_where_they_are_and_no_further(lag: int) -> None:
    chain = MadeUp([Transaction(n, 0, B, A, n) for n in range(400, 501)], head=500)
    pages, coverage = read(source_of(EtherscanProvider(chain, lag=lag)))
    assert coverage.last is not None
    assert coverage.last <= 500 - lag
    assert coverage.last >= 500 - lag - 256
    assert coverage.tip == chain.hash_of(coverage.last)
    assert facts_of(t for page in pages for t in page.transfers) == chain.facts_about(A, 0, coverage.last)


def test_a_list_that_trails_is_no_empty_answer() -> None:
    """The one payment is in the newest block, which the lists do not have yet."""
    chain = MadeUp([Transaction(500, 0, B, A, 7)], head=500)
    _, coverage = read(source_of(EtherscanProvider(chain, lag=20)))
    assert coverage.state is State.EMPTY
    assert coverage.last is not None
    assert coverage.last <= 480


def test_lists_that_are_far_behind_are_an_error() -> None:
    chain = MadeUp([], head=5000)
    with pytest.raises(SourceSkipped, match="its lists do not show block 5000"):
        read(source_of(EtherscanProvider(chain, lag=6000)))


def test_a_reorganisation_while_reading_is_seen() -> None:
    chain = plain_chain()
    provider = EtherscanProvider(chain)
    pages = source_of(provider).history(parse(A, ETH))
    next(pages)
    chain.forked_at = 95
    coverage = [*pages][-1].coverage
    assert coverage is not None
    assert (coverage.state, coverage.last) == (State.CUT, 36)  # what was final stays
    assert "block 100 was replaced" in coverage.reason


def test_the_page_on_which_a_reorganisation_is_seen_tells_of_final_blocks_only() -> None:
    late = Transaction(90, 1, C, TOKEN, events=(Event(4, TOKEN, C, A, 9),))
    chain = MadeUp([*plain_chain().transactions[:4], late], head=100)
    provider = EtherscanProvider(chain)
    pages = source_of(provider).history(parse(A, ETH))
    next(pages)
    chain.forked_at = 95
    *_, last = pages
    assert {one.block.number for one in last.transfers} == {9}


def test_a_like_row_that_the_list_leaves_out_is_a_gap() -> None:
    provider = EtherscanProvider(
        MadeUp([Transaction(9, 2, C, TOKEN, events=tuple(Event(at, TOKEN, C, A, 50) for at in (4, 5, 6)))], head=100)
    )

    def spoil(request: Request, body: Any) -> Any:
        if request.params.get("action") == "tokentx" and body["result"]:
            del body["result"][0]
        return body

    provider.spoil = spoil
    _, coverage = read(source_of(provider))
    assert (coverage.state, coverage.last) == (State.FAILED, None)
    assert "are missing" in coverage.reason


def test_a_chain_that_grows_while_it_is_read_changes_nothing() -> None:
    chain = plain_chain()
    whole = list(source_of(EtherscanProvider(chain)).history(parse(A, ETH)))
    provider = EtherscanProvider(plain_chain(), page=1000)
    pages = source_of(provider).history(parse(A, ETH))
    first = next(pages)
    provider.chain = MadeUp([*chain.transactions, Transaction(101, 0, B, A, 1)], head=150)
    later = [first, *pages]
    assert [page.transfers and [t.id for t in page.transfers] for page in later] == [
        page.transfers and [t.id for t in page.transfers] for page in whole
    ]
    assert later[-1].coverage is not None
    assert later[-1].coverage.last == 100


@pytest.mark.parametrize(
    ("result", "error", "text"),
    [
        ("Invalid API Key", SourceUnusable, "Invalid API Key"),
        ("Missing/Invalid API Key", SourceUnusable, "Missing/Invalid API Key"),
        ("Max daily rate limit reached. 110000 (100%) of 100000 day/limit", SourceUnusable, "daily"),
        ("Free API access is not supported for this chain. Please upgrade your api plan", SourceUnusable, "Free API"),
        ("Sorry, it looks like you are trying to access an API Pro endpoint.", SourceSkipped, "not on the plan"),
        ("Error! Invalid address format", SourceSkipped, "Invalid address format"),
        ("Something nobody has seen before", SourceSkipped, "Something nobody"),
    ],
)
def test_an_excuse_is_never_an_empty_answer(result: str, error: type[Exception], text: str) -> None:
    provider = EtherscanProvider(plain_chain())
    provider.spoil = lambda request, body: (
        {"status": "0", "message": "NOTOK", "result": result} if request.params["action"] == "tokentx" else body
    )
    with pytest.raises(error, match=text):
        read(source_of(provider))


@pytest.mark.parametrize("result", [{"rows": []}, {}])
def test_empty_words_without_an_empty_list_are_no_empty_answer(result: object) -> None:
    provider = EtherscanProvider(plain_chain())
    provider.spoil = lambda request, body: (
        {"status": "0", "message": "No transactions found", "result": result}
        if request.params["action"] == "tokentx"
        else body
    )
    with pytest.raises(SourceSkipped):
        read(source_of(provider))


def test_a_rate_limit_at_status_200_is_asked_again() -> None:
    provider = EtherscanProvider(plain_chain())
    refused: list[int] = []

    def spoil(request: Request, body: Any) -> Any:
        if len(refused) < 2:
            refused.append(1)
            return {"status": "0", "message": "NOTOK", "result": "Max calls per sec rate limit reached (3/sec)"}
        return body

    provider.spoil = spoil
    clock = Still()
    source = open_source("etherscan:ethereum", provider.network(clock=clock))
    _, coverage = read(source)
    assert coverage.state is State.READ
    assert clock.waits == 2


class Still:
    """A clock that does not wait."""

    waits = 0

    def now(self) -> float:
        return 1.7e9

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.waits += 1


def test_a_repeated_row_is_told_once_and_two_like_events_twice() -> None:
    chain = plain_chain()
    provider = EtherscanProvider(chain)

    def spoil(request: Request, body: Any) -> Any:
        if isinstance(body, dict) and isinstance(body.get("result"), list) and len(body["result"]) > 1:
            return body | {"result": [body["result"][0], *body["result"]]}
        return body

    provider.spoil = spoil
    pages, _ = read(source_of(provider))
    assert facts_of(t for page in pages for t in page.transfers) == chain.facts_about(A)
    assert any("the rest repeat" in problem.text for page in pages for problem in page.problems)


def test_a_row_that_cannot_be_read_is_named_and_the_answer_is_not_whole() -> None:
    provider = EtherscanProvider(plain_chain())

    def spoil(request: Request, body: Any) -> Any:
        if request.params["action"] == "txlist" and request.params.get("sort") == "asc" and body["status"] == "1":
            body["result"][0]["value"] = "1.5"
        return body

    provider.spoil = spoil
    pages, coverage = read(source_of(provider))
    assert (coverage.state, coverage.last) == (State.FAILED, None)
    assert "native: rows cannot be read" in coverage.reason
    (problem,) = [problem for page in pages for problem in page.problems if "value" in problem.text]
    assert problem.where == f"{pages[0].evidence.id}#1" if pages[0].evidence else False


@pytest.mark.parametrize("wrong", ["newest first", "other blocks", "other wallet", "same page"])
def test_a_service_that_answers_another_question_is_found_out(wrong: str) -> None:
    chain = MadeUp([Transaction(1 + n, 0, A, B, n) for n in range(40)], head=100)
    provider = EtherscanProvider(chain, page=10)

    def spoil(request: Request, body: Any) -> Any:
        if request.params["action"] != "txlist" or request.params.get("sort") != "asc":
            return body
        asked = dict(request.params)
        if wrong == "newest first":
            asked["sort"] = "desc"
        elif wrong == "other blocks":
            asked["startblock"] = "0"
        elif wrong == "other wallet":
            asked["address"] = B if request.params["address"] == A else A
            for row in provider.answer(asked)["result"]:
                row["from"] = C
        elif wrong == "same page":
            asked["page"] = "1"
        body = provider.answer(asked)
        if wrong == "other wallet":
            for row in body["result"]:
                row["from"] = C
                row["to"] = C
        return body

    provider.spoil = spoil
    pages, coverage = read(source_of(provider))
    assert coverage.state in (State.CUT, State.FAILED) or facts_of(
        t for page in pages for t in page.transfers
    ) == chain.facts_about(A)
    if wrong != "same page":
        assert coverage.state in (State.CUT, State.FAILED)


def test_the_key_is_found_nowhere() -> None:
    provider = EtherscanProvider(plain_chain(), key=KEY)
    source = source_of(provider)
    pages, _ = read(source)
    cursor = source.cursor_from(ETH, 5)
    told = [repr(pages), cursor, source.name, repr(source.__dict__), *map(str, provider.requests)]
    assert provider.requests[0].secret_params["apikey"] == KEY
    assert not any(KEY in text for text in told)


def test_the_key_goes_to_no_other_host() -> None:
    provider = EtherscanProvider(plain_chain(), key=KEY)
    with pytest.raises(SourceUnusable, match="Invalid API Key"):  # the fake misses it
        read(open_source("etherscan:https://other.example/etherscan/api", provider.network(), ETH))
    assert not any(request.secret_params for request in provider.requests)
    assert not any("chainid" in request.params for request in provider.requests)


def test_a_service_of_another_chain_is_refused() -> None:
    chain = plain_chain()
    chain.number = 137
    provider = EtherscanProvider(chain)
    with pytest.raises(SourceUnusable, match="answers about chain 137"):
        read(open_source("etherscan:https://other.example/etherscan/api", provider.network(), ETH))


def test_a_transaction_is_found_with_all_that_it_moved() -> None:
    chain = plain_chain()
    source = source_of(EtherscanProvider(chain))
    for one in chain.transactions:
        found = source.transaction(ETH, one.hash)
        assert facts_of(found) == Counter(one.facts())


def test_balances_are_told_of_the_newest_block_only() -> None:
    chain = plain_chain()
    source = source_of(EtherscanProvider(chain))
    coin = ETH.coin
    told, _ = source.balances(parse(A, ETH), [coin], 100)
    assert told == {coin: chain.balance(A, "", 100)}
    assert source.balances(parse(A, ETH), [coin], 99)[0] == {}


def test_a_balance_that_is_no_number_is_the_services_fault_and_its_answer_is_kept() -> None:
    provider = EtherscanProvider(plain_chain())
    provider.spoil = lambda request, body: (
        {**body, "result": "1e9"} if request.params.get("action") == "balance" else body
    )
    with pytest.raises(SourceSkipped, match="1e9") as error:
        source_of(provider).balances(parse(A, ETH), [ETH.coin], 100)
    assert b"1e9" in error.value.body


def test_reading_on_begins_at_a_head_that_is_asked_for_anew() -> None:
    provider = EtherscanProvider(plain_chain())
    source = source_of(provider)
    pages, before = list(source.history(parse(A, ETH))), source.cursor_from(ETH, 50)
    provider.chain.head = 140
    assert pages[-1].coverage
    assert pages[-1].coverage.last == 100
    told = [
        list(source.history(parse(A, ETH), cursor))[-1].coverage for cursor in (before, source.cursor_from(ETH, 50))
    ]
    assert [one and one.last for one in told] == [100, 140]


def test_etherscan_is_not_asked_at_all_without_a_key() -> None:
    with pytest.raises(InputError, match="without a key"):
        Etherscan("ethereum", Network())
