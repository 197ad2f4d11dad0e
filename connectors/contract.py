"""The promises of `protocol.Connector` as tests: inherit, give three fixtures, and a new source is held to them all.

    class TestMySource(ConnectorContract):
        @pytest.fixture
        def connector(self): return MySource(...)
        @pytest.fixture
        def address(self): ...            # one it has transfers of
        @pytest.fixture
        def unknown_address(self): ...    # one it knows nothing about

It ships with the package and imports no pytest.
"""

# ruff: noqa: S101  asserts are what this file is for

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import ClassVar

from connectors.protocol import AsksHosts, Connector, FindsTransactions, KnowsBalances, Page, ReadsOn
from tracer.balances import counted
from tracer.coverage import Kind, State
from tracer.values import UNKNOWN_INDEX, Address, Family, Transfer


class ConnectorContract:
    """Inherit this in a test class whose name begins with Test.

    `KIND` is the source's kind, and `SUPPORTS` says what it gives, each with "yes", "yes: how", "yes: where ..." or
    "no: why": the three kinds of movement, `order` (the place in the block), `balances`, and `completeness proof`.
    docs/support-matrix.md is made from them.
    """

    KIND: ClassVar[str] = ""
    SUPPORTS: ClassVar[Mapping[str, str]] = {}

    def test_what_is_marked_as_supported_is(self, connector: Connector, address: Address) -> None:
        if not self.KIND:
            return  # a source made up for tests
        assert set(self.SUPPORTS) == {*map(str, Kind), "order", "balances", "completeness proof"}
        said = {what: words.partition(":")[0] for what, words in self.SUPPORTS.items()}
        assert set(said.values()) <= {"yes", "no"}
        assert all(words == "yes" or words.partition(": ")[2] for words in self.SUPPORTS.values())
        coverage = _last(connector, address).coverage
        assert coverage is not None
        there = Kind if address.chain.family is not Family.BITCOIN else (Kind.NATIVE,)
        maybe = {kind for kind in there if self.SUPPORTS[kind].startswith("yes: where ")}  # it depends on the file
        assert {kind for kind in there if said[kind] == "yes"} - maybe == coverage.kinds - maybe
        assert (said["balances"] == "yes") == isinstance(connector, KnowsBalances)
        ordered = all(transfer.index != UNKNOWN_INDEX for transfer in _transfers(connector, address))
        assert (said["order"] == "yes") == ordered

    def test_every_transfer_touches_the_address(self, connector: Connector, address: Address) -> None:
        transfers = _transfers(connector, address)
        assert transfers, "give an address that the source has transfers of"
        for transfer in transfers:
            assert address in {leg.address for leg in transfer.inputs + transfer.outputs}, transfer.id

    def test_every_transfer_is_on_the_chain_of_the_address(self, connector: Connector, address: Address) -> None:
        for transfer in _transfers(connector, address):
            assert transfer.id.chain == transfer.asset.chain == address.chain

    def test_reading_twice_gives_the_same_pages(self, connector: Connector, address: Address) -> None:
        assert list(connector.history(address)) == list(connector.history(address))

    def test_resuming_after_a_page_skips_only_that_page(self, connector: Connector, address: Address) -> None:
        pages = list(connector.history(address))
        for number, page in enumerate(pages[:-1], 1):
            assert list(connector.history(address, page.cursor)) == pages[number:]

    def test_every_page_but_the_last_has_its_own_cursor(self, connector: Connector, address: Address) -> None:
        *others, last = (page.cursor for page in connector.history(address))
        assert last == ""
        assert all(others)
        assert len(set(others)) == len(others)

    def test_the_last_page_and_only_it_carries_the_coverage(
        self, connector: Connector, address: Address, unknown_address: Address
    ) -> None:
        for asked in (address, unknown_address):
            *others, last = connector.history(asked)
            assert last.coverage is not None
            assert last.coverage.address == asked
            assert all(page.coverage is None for page in others)

    def test_a_gap_in_the_coverage_has_a_reason_and_no_gap_has_none(
        self, connector: Connector, address: Address, unknown_address: Address
    ) -> None:
        for asked in (address, unknown_address):
            coverage = _last(connector, asked).coverage
            assert coverage is not None
            assert bool(coverage.reason) != coverage.complete
            assert coverage.last is None or coverage.last >= coverage.first

    def test_the_coverage_names_source_and_evidence(self, connector: Connector, address: Address) -> None:
        pages = list(connector.history(address))
        coverage = pages[-1].coverage
        assert coverage is not None
        assert coverage.source
        assert coverage.evidence in {page.evidence.id for page in pages if page.evidence}

    def test_an_unknown_address_is_empty_only_where_the_source_reads_the_chain(
        self, connector: Connector, unknown_address: Address
    ) -> None:
        last = _last(connector, unknown_address)
        assert not last.transfers
        assert last.coverage is not None
        if isinstance(connector, ReadsOn):  # it looked: then it says up to which block
            assert last.coverage.state is State.EMPTY
            assert last.coverage.last is not None
        else:
            assert last.coverage.state is State.NOT_RECORDED
            assert last.coverage.last is None

    def test_a_live_source_names_its_last_block_and_reads_on_from_there(
        self, connector: Connector, address: Address
    ) -> None:
        if not isinstance(connector, ReadsOn):
            return  # an optional power
        coverage = _last(connector, address).coverage
        assert coverage is not None
        assert coverage.last is not None
        assert coverage.tip == connector.block_hash(address.chain, coverage.last) != ""
        assert coverage.final is None or coverage.final <= coverage.last
        known = _transfers(connector, address)
        middle = sorted(transfer.block.number for transfer in known)[len(known) // 2]
        later = [*connector.history(address, connector.cursor_from(address.chain, middle))]
        assert later[-1].coverage is not None
        assert later[-1].coverage.first == middle
        read = {transfer.id for page in later for transfer in page.transfers}
        assert read == {transfer.id for transfer in known if transfer.block.number >= middle}

    def test_what_it_read_adds_up_to_the_balance_it_tells(self, connector: Connector, address: Address) -> None:
        if not isinstance(connector, KnowsBalances):
            return  # an optional power
        transfers = _transfers(connector, address)
        coverage = _last(connector, address).coverage
        assert coverage is not None
        assert coverage.last is not None
        sums = counted(address, transfers)
        stated, evidence = connector.balances(address, sorted(sums), coverage.last)
        assert evidence
        assert stated == {asset: units for asset, units in sums.items() if asset in stated}

    def test_every_transfer_cites_the_page_evidence(self, connector: Connector, address: Address) -> None:
        for page in connector.history(address):
            for transfer in page.transfers:
                assert page.evidence is not None
                held = {page.evidence.id, *(evidence.id for evidence in page.also)}
                assert {cited.partition("#")[0] for cited in transfer.evidence} <= held, transfer.id

    def test_the_name_says_kind_and_place(self, connector: Connector) -> None:
        kind, _, where = connector.name.partition(":")
        assert kind
        assert where

    def test_the_chain_of_a_known_address_is_among_the_chains(self, connector: Connector, address: Address) -> None:
        assert address.chain in connector.chains

    def test_the_signatures_are_those_of_the_protocol(self, connector: Connector) -> None:
        assert signature_differences(Connector, type(connector)) == []
        for power in (FindsTransactions, ReadsOn, KnowsBalances, AsksHosts):
            if isinstance(connector, power):
                assert signature_differences(power, type(connector)) == []

    def test_a_transaction_looked_up_is_the_one_in_the_history(self, connector: Connector, address: Address) -> None:
        if not isinstance(connector, FindsTransactions):
            return  # an optional power
        known = _transfers(connector, address)[0]
        found = {transfer.id: transfer for transfer in connector.transaction(known.id.chain, known.id.tx)}
        assert _fact(found[known.id]) == _fact(known)
        assert connector.transaction(known.id.chain, "no such transaction") == ()


def signature_differences(protocol: type, implementation: type) -> list[str]:
    """Where an implementation's public members differ from those of the protocol, in words; [] where they do not."""
    differences = []
    for name, promised in vars(protocol).items():
        given = inspect.getattr_static(implementation, name, None)
        if name.startswith("_") or not (inspect.isfunction(promised) or isinstance(promised, property)):
            continue
        if type(given) is not type(promised):
            differences.append(f"{name} is {type(given).__name__}, promised is {type(promised).__name__}")
        elif callable(given) and callable(promised) and inspect.signature(given) != inspect.signature(promised):
            differences.append(f"{name}{inspect.signature(given)}, promised is {inspect.signature(promised)}")
    return differences


def _transfers(connector: Connector, address: Address) -> list[Transfer]:
    return [transfer for page in connector.history(address) for transfer in page.transfers]


def _last(connector: Connector, address: Address) -> Page:
    return list(connector.history(address))[-1]


def _fact(transfer: Transfer) -> tuple[object, ...]:
    return (
        transfer.id,
        transfer.block,
        transfer.index,
        transfer.asset,
        transfer.inputs,
        transfer.outputs,
        transfer.method,
    )
