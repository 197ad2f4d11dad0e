"""Blockscout read live: what is read equals what happened, or says where it does not."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockscout_provider import KEY, BlockscoutProvider
from connectors.blockscout.live import Blockscout
from connectors.blockscout.rows import transfers_of
from connectors.contract import ConnectorContract
from connectors.http.protocol import Request
from connectors.protocol import Connector, Page
from connectors.sources import open_source
from explorer_chain import Chain as MadeUp
from explorer_chain import Event, Inner, Transaction, Wrap, addresses, facts_of, random_chain
from tracer.addresses import parse
from tracer.coverage import Coverage, Kind, State
from tracer.errors import SourceSkipped, SourceUnusable
from tracer.values import Address, Chain

ETH = Chain.named("ethereum")
A, B, C, TOKEN = addresses(4)
WEI = 10**18


def source_of(provider: BlockscoutProvider) -> Blockscout:
    source = open_source("blockscout:ethereum", provider.network())
    assert isinstance(source, Blockscout)
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
            Transaction(11, 0, A, TOKEN, events=(Event(0, TOKEN, A, B, 60),), wraps=(Wrap(1, A, 9),)),
            Transaction(90, 0, B, A, 5),
        ],
        head=100,
    )


class TestBlockscout(ConnectorContract):
    """The live source keeps the contract."""

    KIND = "blockscout"
    SUPPORTS: ClassVar = {
        "native": "yes",
        "internal": "yes: where the explorer has processed them all, which it says",
        "token": "yes: ERC-20, wraps of the chain's coin among them where the explorer shows them",
        "order": "no: token and internal rows have no place in the block, internal ones no trace",
        "balances": "yes: of the coin, as the explorer knows it",
        "completeness proof": "yes: the list ends where it says so, and each page where the next begins",
    }

    @pytest.fixture
    def connector(self) -> Connector:
        return source_of(BlockscoutProvider(plain_chain(), page=2, key=KEY))

    @pytest.fixture
    def address(self) -> Address:
        return parse(A, ETH)

    @pytest.fixture
    def unknown_address(self) -> Address:
        return parse("0x" + "d" * 40, ETH)


@pytest.mark.slow
@given(
    seed=st.integers(0, 10**9),
    page=st.sampled_from([1, 2, 3, 10, 50]),
    crowded=st.sampled_from([0, 0, 10, 60]),
    lag=st.sampled_from([0, 1, 20]),
    pending=st.sampled_from([0, 1, 30]),
)
def test_what_is_read_is_what_happened_up_to_the_block_that_is_named(
    seed: int, page: int, crowded: int, lag: int, pending: int
) -> None:
    chain = random_chain(seed, crowded=crowded, transactions=25, head=80)
    provider = BlockscoutProvider(chain, page=page, lag=lag, pending=pending)
    pages, coverage = read(source_of(provider))
    found = [transfer for page in pages for transfer in page.transfers]
    assert coverage.state is State.READ
    assert coverage.last == 80 - lag - (32 if pending else 0)
    assert facts_of(found) == chain.facts_about(A, 0, coverage.last)
    assert coverage.missing == ()


def test_1000_rows_in_one_block_are_all_read() -> None:
    chain = MadeUp([Transaction(7, n, A, B, n) for n in range(1000)], head=9)
    pages, coverage = read(source_of(BlockscoutProvider(chain)))
    assert coverage.state is State.READ
    assert facts_of(t for page in pages for t in page.transfers) == chain.facts_about(A)


def test_what_sits_in_a_page_goes_with_every_page() -> None:
    """The type of token, else other kinds would come from the second page on; and no scam is hidden."""
    provider = BlockscoutProvider(random_chain(3), page=3)
    _, coverage = read(source_of(provider))
    assert coverage.state is State.READ
    lists = [request for request in provider.requests if request.url.endswith("/token-transfers")]
    assert len(lists) > 3
    assert {request.params["type"] for request in lists} == {"ERC-20"}
    assert {request.headers["show-scam-tokens"] for request in lists} == {"true"}


def test_internal_transfers_that_are_not_processed_yet_are_a_kind_that_is_not_shown() -> None:
    pages, coverage = read(source_of(BlockscoutProvider(MadeUp(plain_chain().transactions, head=300), pending=290)))
    assert coverage.state is State.READ
    assert coverage.missing == (Kind.INTERNAL,)
    assert any("has not processed all internal transfers" in problem.text for problem in pages[-1].problems)


def test_a_page_with_a_row_less_than_its_place_says_is_a_gap() -> None:
    provider = BlockscoutProvider(plain_chain(), page=2)

    def spoil(request: Request, body: Any) -> Any:
        if request.url.endswith("/transactions") and body.get("next_page_params"):
            return body | {"items": body["items"][:-1]}
        return body

    provider.spoil = spoil
    _, coverage = read(source_of(provider))
    assert (coverage.state, coverage.last) == (State.CUT, None)
    assert "the next page goes on after" in coverage.reason


def test_a_block_left_out_at_the_end_of_a_page_is_a_gap() -> None:
    """Every transaction is the first of its block, so only the block's number tells."""
    provider = BlockscoutProvider(MadeUp([Transaction(n, 0, A, B, n) for n in range(1, 20)], head=100), page=4)

    def spoil(request: Request, body: Any) -> Any:
        if request.url.endswith("/transactions") and body.get("next_page_params"):
            return body | {"items": body["items"][:-1]}
        return body

    provider.spoil = spoil
    _, coverage = read(source_of(provider))
    assert (coverage.state, coverage.last) == (State.CUT, None)
    assert "the next page goes on after block" in coverage.reason


def test_pages_that_go_round_in_one_block_end() -> None:
    provider = BlockscoutProvider(MadeUp([Transaction(7, n, A, B, n) for n in range(9)], head=100), page=1)

    def spoil(request: Request, body: Any) -> Any:
        if request.params.get("index") == "3":  # instead of row 2, the list begins again
            return provider.answer(Request(request.url))
        return body

    provider.spoil = spoil
    _, coverage = read(source_of(provider))
    assert coverage.state is State.CUT
    assert "do not come to an end" in coverage.reason
    assert len(provider.requests) < 30


def test_an_internal_row_that_is_the_transaction_itself_states_nothing() -> None:
    one = plain_chain().transactions[1]
    row = BlockscoutProvider(plain_chain())._inner(one, 0, one.inner[0])
    assert transfers_of(Kind.INTERNAL, row, ETH, "sha256:0#1") == ()
    assert len(transfers_of(Kind.INTERNAL, row | {"index": 1}, ETH, "sha256:0#1")) == 1


def test_a_list_that_goes_round_in_circles_ends() -> None:
    provider = BlockscoutProvider(plain_chain(), page=2)
    first: dict[str, Any] = {}

    def spoil(request: Request, body: Any) -> Any:
        return first.setdefault(request.url, body)

    provider.spoil = spoil
    _, coverage = read(source_of(provider))
    assert coverage.state is State.CUT


def test_rows_that_come_while_it_is_read_are_not_mixed_in() -> None:
    chain = plain_chain()
    provider = BlockscoutProvider(chain, page=2)
    pages = source_of(provider).history(parse(A, ETH))
    found = [*next(pages).transfers]
    later = [Transaction(n, 0, B, A, 1) for n in range(101, 110)]
    provider.chain = MadeUp([*chain.transactions, *later], head=120)
    rest = [*pages]
    found += [transfer for page in rest for transfer in page.transfers]
    assert facts_of(found) == chain.facts_about(A)
    assert rest[-1].coverage is not None
    assert rest[-1].coverage.last == 100


def test_a_reorganisation_while_reading_is_seen() -> None:
    chain = plain_chain()
    pages = source_of(BlockscoutProvider(chain)).history(parse(A, ETH))
    next(pages)
    chain.forked_at = 95
    coverage = [*pages][-1].coverage
    assert coverage is not None
    assert (coverage.state, coverage.last) == (State.CUT, 36)
    assert "block 100 was replaced" in coverage.reason


def test_the_page_on_which_a_reorganisation_is_seen_tells_of_final_blocks_only() -> None:
    late = Transaction(90, 1, C, TOKEN, events=(Event(4, TOKEN, C, A, 9),))
    chain = MadeUp([*plain_chain().transactions[:4], late], head=100)
    pages = source_of(BlockscoutProvider(chain)).history(parse(A, ETH))
    next(pages)
    chain.forked_at = 95
    *_, last = pages
    assert {one.block.number for one in last.transfers} == {9}


@pytest.mark.parametrize(
    ("field", "value"),
    [("value", "1.5"), ("value", 1e18), ("fee", None), ("status", None), ("from", None), ("timestamp", "yesterday")],
)
def test_a_row_that_cannot_be_read_is_named_and_the_answer_is_not_whole(field: str, value: object) -> None:
    provider = BlockscoutProvider(plain_chain())

    def spoil(request: Request, body: Any) -> Any:
        if request.url.endswith("/transactions"):
            body["items"][0][field] = value
        return body

    provider.spoil = spoil
    pages, coverage = read(source_of(provider))
    assert (coverage.state, coverage.last) == (State.FAILED, None)
    assert pages[0].evidence is not None
    assert [problem.where for page in pages for problem in page.problems] == [f"{pages[0].evidence.id}#1"]


def test_a_wrong_answer_is_never_an_empty_one() -> None:
    provider = BlockscoutProvider(plain_chain())
    provider.spoil = lambda request, body: {"message": "Something went wrong"} if "token" in request.url else body
    with pytest.raises(SourceSkipped, match="no list"):
        read(source_of(provider))


def test_an_instance_of_another_chain_is_refused() -> None:
    chain = plain_chain()
    chain.number = 100
    with pytest.raises(SourceUnusable, match="answers about chain 100"):
        read(open_source("blockscout:https://eth.example.org/", BlockscoutProvider(chain).network(), ETH))


def test_an_instance_is_asked_at_its_own_address_and_never_told_the_key() -> None:
    provider = BlockscoutProvider(plain_chain())
    network = BlockscoutProvider(plain_chain(), key=KEY).network()
    network = type(network)(settings=network.settings, transport=provider)
    source = open_source("blockscout:https://eth.example.org/api/v2", network, ETH)
    _, coverage = read(source)
    assert coverage.state is State.READ
    assert not any(request.secret_params for request in provider.requests)
    assert {request.host for request in provider.requests} == {"eth.example.org"}


def test_the_key_is_found_nowhere() -> None:
    provider = BlockscoutProvider(plain_chain(), key=KEY)
    source = source_of(provider)
    pages, _ = read(source)
    told = [repr(pages), source.cursor_from(ETH, 5), source.name, repr(source.__dict__), *map(str, provider.requests)]
    assert all(request.secret_params["apikey"] == KEY for request in provider.requests)
    assert not any(KEY in text for text in told)


def test_a_transaction_is_found_with_all_that_it_moved() -> None:
    chain = plain_chain()
    source = source_of(BlockscoutProvider(chain, page=1))
    for one in chain.transactions:
        assert facts_of(source.transaction(ETH, one.hash)) == Counter(one.facts())
    assert source.transaction(ETH, "0x" + "9" * 64) == ()


def test_the_balance_is_the_one_at_the_block() -> None:
    chain = plain_chain()
    source = source_of(BlockscoutProvider(chain, page=1))
    for block in (2, 3, 8, 11, 50, 100):
        told, evidence = source.balances(parse(A, ETH), [ETH.coin], block)
        assert told == {ETH.coin: chain.balance(A, "", block)}
        assert evidence


def test_a_balance_that_the_explorer_has_no_entry_of_is_not_told_as_nothing() -> None:
    source = source_of(BlockscoutProvider(plain_chain(), page=1))
    told, evidence = source.balances(parse("0x" + "9" * 40, ETH), [ETH.coin], 50)
    assert told == {}
    assert evidence
