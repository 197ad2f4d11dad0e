"""`esplora:` reads what an Esplora tells, and says READ only of what is proven to be whole."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bitcoin.esplora import Esplora
from connectors.bitcoin.esplora_answers import judge
from connectors.contract import ConnectorContract
from connectors.http.judging import Again, Skip, Stop, Use
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.http.retrying import Patience
from connectors.protocol import Connector, Page
from connectors.settings import Settings
from connectors.sources import open_source
from esplora_provider import URL, EsploraProvider
from litecoin_node import FixedClock
from tracer.addresses.scripts import address_of
from tracer.coverage import State
from tracer.errors import InputError, SourceSkipped, SourceUnusable
from tracer.values import Address, Block, Chain, Leg, SinkKind, Transfer, TransferId

BTC = Chain.named("bitcoin")


def address(name: str) -> Address:
    found = address_of(b"\x00\x14" + name.encode().ljust(20, b"."), BTC)
    assert found is not None
    return found


A, B, UNKNOWN = address("a"), address("b"), address("nobody")


def tx(number: int) -> str:
    return f"{number:064x}"


def payments(count: int, *, a_block: int = 1, first: int = 1) -> list[Transfer]:
    """`count` payments to A, of 7 base units each and 1 of fee, so many a block; every third pays from A to B."""
    found = []
    for n in range(first, first + count):
        payer, payee = (A, B) if n % 3 == 0 else (B, A)
        inputs = (Leg.coin(tx(10_000 + n), 0, BTC, 8, payer),)
        outputs = (Leg.coin(tx(n), 0, BTC, 7, payee), Leg.sink(BTC.coin, SinkKind.FEE, 1))
        block = Block(10 + n // a_block, 1_600_000_000 + n)
        found.append(Transfer(TransferId(BTC, tx(n)), block, n % a_block, BTC.coin, inputs, outputs, ("made up#0",)))
    return found


def source(provider: Any, chain: Chain | None = None) -> Connector:
    network = Network(transport=provider, clock=FixedClock(), patience=Patience(attempts=2))
    return open_source(f"esplora:{URL}", network, chain)


def read(provider: Any, who: Address = A, after: str = "") -> tuple[dict[str, Transfer], Page]:
    pages = list(source(provider).history(who, after))
    problems = tuple(problem for page in pages for problem in page.problems)
    return {one.id.tx: one for page in pages for one in page.transfers}, replace(pages[-1], problems=problems)


def same(found: dict[str, Transfer], wanted: list[Transfer]) -> None:
    assert found.keys() == {one.id.tx for one in wanted}
    for one in wanted:
        here = found[one.id.tx]
        assert (here.inputs, here.outputs, here.block) == (one.inputs, one.outputs, one.block)


def damaged(count: int, which: int, change: Callable[[Any], None]) -> EsploraProvider:
    """A provider whose listing tells the transaction `which` changed; its figures are right."""

    class Damaged(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            status, rows = super()._listing(address, last)
            rows = copy.deepcopy(rows)
            for row in rows:
                if row["txid"] == tx(which):
                    change(row)
            return status, rows

    return Damaged.of_transfers(payments(count))


class TestEsplora(ConnectorContract):
    """Pages of three, of a chain that goes on after the last payment."""

    KIND = "esplora"
    SUPPORTS: ClassVar[dict[str, str]] = {
        "native": "yes",
        "internal": "no: there are none on such a chain",
        "token": "no: only the chain's own coin",
        "order": "no: its rows do not tell the place in the block; coins spent in their own block tell some of it",
        "balances": "yes: at the newest block",
        "completeness proof": "yes: it says itself how many transactions there are, before and after",
    }

    @pytest.fixture
    def connector(self) -> Connector:
        return source(EsploraProvider.of_transfers(payments(10, a_block=2), tip=40, page=3))

    @pytest.fixture
    def address(self) -> Address:
        return B

    @pytest.fixture
    def unknown_address(self) -> Address:
        return UNKNOWN


@given(st.integers(0, 60), st.integers(1, 4), st.sampled_from([1, 2, 7, 25]))
def test_every_transaction_is_read_once_whatever_a_page_holds(count: int, a_block: int, page: int) -> None:
    wanted = payments(count, a_block=a_block)
    found, last = read(EsploraProvider.of_transfers(wanted, tip=99, page=page))
    same(found, wanted)
    assert last.coverage is not None
    assert last.coverage.state is (State.READ if count else State.EMPTY)
    assert (last.coverage.last, last.coverage.final, last.coverage.rows) == (99, 94, count)


def test_what_is_told_of_an_empty_address_is_proven_too() -> None:
    """A listing that lags behind the figures is not empty; figures that lag behind the listing are no proof."""
    wanted = payments(1)
    behind = EsploraProvider.of_transfers(wanted, lag=5)
    assert read(behind)[1].coverage == replace(
        read(EsploraProvider.of_transfers(wanted))[1].coverage,  # type: ignore[type-var]
        state=State.CUT, reason="it told of 1 transactions and gave 0", rows=0, last=None, final=None, tip="",
        evidence=read(behind)[1].evidence.id,  # type: ignore[union-attr]
    )  # fmt: skip
    behind = EsploraProvider.of_transfers(wanted, stats_lag=5)
    found, last = read(behind)
    same(found, wanted)
    assert last.coverage is not None
    assert (last.coverage.state, last.coverage.last) == (State.FAILED, None)
    assert "one of the two is stale" in last.coverage.reason


def test_a_row_that_is_left_out_is_missed() -> None:
    class Forgetful(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            status, rows = super()._listing(address, last)
            return status, [row for row in rows if row["txid"] != tx(4)]

    found, last = read(Forgetful.of_transfers(payments(9), page=3))
    assert len(found) == 8
    assert last.coverage is not None
    assert (last.coverage.state, last.coverage.reason) == (State.CUT, "it told of 9 transactions and gave 8")


def test_repeats_are_read_once_and_rows_out_of_order_are_not_trusted() -> None:
    class Repeating(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            status, rows = super()._listing(address, last)
            before = [row for row in self.rows if row["txid"] == last]
            return status, before + rows if rows else rows

    wanted = payments(9)
    found, last = read(Repeating.of_transfers(wanted, page=2))
    same(found, wanted)
    assert last.coverage is not None
    assert last.coverage.state is State.READ

    class Shuffled(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            status, rows = super()._listing(address, last)
            return status, rows[::-1]

    _, last = read(Shuffled.of_transfers(wanted, page=3))
    assert last.coverage is not None
    assert last.coverage.state is State.FAILED
    assert "not in order" in last.coverage.reason


def test_the_same_page_without_end_is_given_up() -> None:
    class Stuck(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            return super()._listing(address, "")

    provider = Stuck.of_transfers(payments(9), page=3)
    _, last = read(provider)
    assert last.coverage is not None
    assert last.coverage.state is State.FAILED
    assert len(provider.asked) < 20


def test_a_new_block_while_it_is_read_changes_nothing_and_a_reorganisation_does() -> None:
    wanted = payments(9)

    class Growing(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            if last == tx(4):
                more = EsploraProvider.of_transfers([*wanted, *payments(1, first=30)], tip=60)
                self.rows, self.blocks = more.rows, more.blocks
            return super()._listing(address, last)

    found, last = read(Growing.of_transfers(wanted, tip=25, page=3))
    same(found, wanted)
    assert last.coverage is not None
    assert (last.coverage.state, last.coverage.last) == (State.READ, 25)

    class Reorganised(EsploraProvider):
        def _listing(self, address: str, last: str) -> tuple[int, Any]:
            if last == tx(4):
                self.blocks = [*self.blocks[:-1], "ab" * 32]
            return super()._listing(address, last)

    _, last = read(Reorganised.of_transfers(wanted, tip=25, page=3))
    assert last.coverage is not None
    assert (last.coverage.state, last.coverage.last) == (State.FAILED, None)
    assert "reorganised" in last.coverage.reason


def test_pages_after_a_cursor_stay_the_same_while_the_chain_grows() -> None:
    wanted = payments(9)
    provider = EsploraProvider.of_transfers(wanted, tip=25, page=3)
    first, *rest = source(provider).history(A)
    more = EsploraProvider.of_transfers([*wanted, *payments(4, first=30)], tip=60, page=3)
    again = list(source(more).history(A, first.cursor))
    assert [page.transfers for page in again] == [page.transfers for page in rest]
    assert again[-1].coverage is not None
    assert (again[-1].coverage.state, again[-1].coverage.last) == (State.READ, 25)


def test_transactions_in_no_block_are_left_out_and_counted() -> None:
    provider = EsploraProvider.of_transfers(payments(2), waiting={A.text: 3})
    found, last = read(provider)
    assert len(found) == 2
    (problem,) = last.problems
    assert problem.text.startswith("3 transactions that are in no block are left out")


def test_an_address_that_is_too_large_is_skipped_with_the_reason() -> None:
    with pytest.raises(SourceSkipped, match="Too many history entries"):
        read(EsploraProvider.of_transfers(payments(30), most=20))


def test_a_row_that_cannot_be_read_is_named_and_the_answer_has_failed() -> None:
    found, last = read(damaged(4, 2, lambda row: row["vin"][0]["prevout"].update(value=6)))  # less than it pays
    assert len(found) == 3
    (problem,) = last.problems
    assert tx(2) in problem.where
    assert "more than the inputs" in problem.text
    assert last.coverage is not None
    assert last.coverage.state is State.FAILED


@pytest.mark.parametrize(
    ("place", "value"),
    [("value", 1.5), ("value", -1), ("value", 2**64), ("value", "7 BTC"), ("scriptpubkey", "zz"),
     ("scriptpubkey_address", B.text[:-1] + "q"), ("value", None)],
)  # fmt: skip
def test_an_output_that_is_none_is_never_taken(place: str, value: Any) -> None:
    found, last = read(damaged(1, 1, lambda row: row["vout"][0].update({place: value})))
    assert found == {}
    assert last.coverage is not None
    assert last.coverage.state is State.FAILED
    assert tx(1) in last.problems[0].where


def test_amounts_at_the_edges_are_exact() -> None:
    for units in (0, 1, 2**53 + 1, 2**63, 2**64 - 1):
        inputs = (Leg.coin(tx(9), 0, BTC, units, B),)
        outputs = (Leg.coin(tx(1), 0, BTC, units, A),)
        one = Transfer(TransferId(BTC, tx(1)), Block(5, 1_600_000_000), 0, BTC.coin, inputs, outputs, ("x#0",))
        same(read(EsploraProvider.of_transfers([one]))[0], [one])


def test_it_tells_its_chain_and_refuses_another() -> None:
    provider = EsploraProvider.of_transfers(payments(1))
    assert source(provider).chains == {BTC}
    with pytest.raises(SourceUnusable, match="is of bitcoin or bitcoin-cash, not of litecoin"):
        _ = source(provider, Chain.named("litecoin")).chains
    with pytest.raises(InputError, match="not of tron"):
        source(provider, Chain.named("tron"))
    provider.blocks[0] = "cd" * 32
    with pytest.raises(SourceUnusable, match="not known here"):
        _ = source(provider).chains


def test_without_an_address_it_is_the_public_one_of_the_chain() -> None:
    assert open_source("esplora:", Network()).name == "esplora:https://blockstream.info/api"
    litecoin = open_source("esplora:", Network(), Chain.named("litecoin"))
    assert litecoin.name == "esplora:https://litecoinspace.org/api"
    assert litecoin.hosts == ("litecoinspace.org",)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="no public Esplora of dogecoin"):
        open_source("esplora:", Network(), Chain.named("dogecoin"))


def test_a_key_goes_into_a_header_and_nowhere_else() -> None:
    seen: list[Request] = []

    class Watching(EsploraProvider):
        def send(self, request: Request) -> Response:
            seen.append(request)
            return super().send(request)

    own = Settings({"ESPLORA_API_KEY": "canary-key"}, {"sources": {"esplora": {"url": URL}}})
    pages = list(Esplora("", Network(own, transport=Watching.of_transfers(payments(1)))).history(A))
    assert seen
    assert all(request.secret_headers == {"authorization": "Bearer canary-key"} for request in seen)
    assert "canary-key" not in repr(seen) + repr(pages)
    seen.clear()
    other = Settings({"ESPLORA_API_KEY": "canary-key"})  # an address behind the colon that is nobody's we know
    list(Esplora(URL, Network(other, transport=Watching.of_transfers(payments(1)))).history(A))
    assert seen
    assert all(request.secret_headers == {} for request in seen)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"[]", Use),
        (200, b"00" * 32, Use),
        (200, b"840000", Use),
        (200, b'[{"txid":', Again),
        (200, b"<html>busy</html>", Again),
        (200, b"", Again),
        (404, b"Transaction not found", Use),
        (404, b"<html>404</html>", Skip),
        (400, b"Too many history entries", Skip),
        (413, b"too long", Skip),
        (429, b"slow down", Again),
        (502, b"bad gateway", Again),
        (403, b"blocked", Stop),
        (401, b"who are you", Stop),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, kind: type) -> None:
    assert isinstance(judge(Response(status, body)), kind)


def test_a_transaction_is_looked_up_and_one_in_no_block_is_none() -> None:
    provider = EsploraProvider.of_transfers(payments(3))
    looking = source(provider)
    assert isinstance(looking, Esplora)
    (found,) = looking.transaction(BTC, tx(2))
    assert found.id == TransferId(BTC, tx(2))
    provider.rows[1]["status"] = {"confirmed": False}
    assert looking.transaction(BTC, tx(2)) == ()
    assert looking.transaction(BTC, tx(77)) == ()


def test_the_provider_of_these_tests_speaks_plain_json() -> None:
    provider = EsploraProvider.of_transfers(payments(1))
    told = json.loads(provider.send(Request(f"{URL}/address/{A.text}")).body)
    assert told["chain_stats"]["funded_txo_sum"] == 7
