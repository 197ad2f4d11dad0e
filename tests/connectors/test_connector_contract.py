"""Every source keeps the contract of sources, and the contract catches those that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.contract import ConnectorContract, signature_differences
from connectors.etherscan.recorded import EtherscanRecorded
from connectors.protocol import Connector, FindsTransactions, Page
from connectors.transfer_file import TransferFile
from tracer.addresses import parse
from tracer.coverage import State
from tracer.values import Address, Chain

ETH = Chain.named("ethereum")
A, B = "0x" + "a" * 40, "0x" + "b" * 40
TX = "0x" + "1" * 64
TIME = "2022-03-23T13:29:09Z"


def transfer_folder(folder: Path) -> TransferFile:
    """A folder in both formats, so that there are two pages."""
    head = "chain,tx,position,block,time,index,from,to,units\n"
    rows = f"ethereum,{TX},tx,7,{TIME},0,{A},{B},5\nethereum,{TX},fee,7,{TIME},0,{A},,1\n"
    (folder / "transfers.csv").write_text(head + rows)
    record = {
        "chain": "ethereum",
        "tx": "0x" + "2" * 64,
        "block": 8,
        "time": TIME,
        "index": 0,
        "from": B,
        "to": A,
        "units": "4",
    }
    (folder / "transfers.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "coverage.csv").write_text(f"chain,address,state,kinds,last\nethereum,{A},read,native internal token,9\n")
    return TransferFile(folder)


def recorded_pages(folder: Path) -> EtherscanRecorded:
    """One listing of three pages."""
    path = folder / "answers.jsonl"
    with path.open("w") as out:
        for page in (1, 2, 3):
            row = {
                "blockNumber": str(page),
                "timeStamp": "1648041417",
                "hash": f"0x{page:064x}",
                "transactionIndex": "0",
            }
            row |= {"from": A, "to": B, "value": "5", "gasPrice": "3", "gasUsed": "2", "isError": "0"}
            body = {"status": "1", "message": "OK", "result": [row][: 3 - page]}
            request = {"action": "txlist", "address": A, "page": str(page), "offset": "1"}
            out.write(json.dumps({"request": request, "body": body}) + "\n")
    return EtherscanRecorded(path)


class _KnowsA(ConnectorContract):
    @pytest.fixture
    def address(self) -> Address:
        return parse(A, ETH)

    @pytest.fixture
    def unknown_address(self) -> Address:
        return parse("0x" + "d" * 40, ETH)


class TestTransferFile(_KnowsA):
    """Our own files."""

    KIND = "file"
    SUPPORTS: ClassVar = {
        "native": "yes: where its author states it",
        "internal": "yes: where its author states it",
        "token": "yes: where its author states it",
        "order": "yes: where the file has it",
        "balances": "no: a file holds transfers",
        "completeness proof": "no: its author's statement",
    }

    """Our own files keep it."""

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        return transfer_folder(tmp_path)


class TestEtherscanRecorded(_KnowsA):
    """Recorded answers of Etherscan."""

    KIND = "etherscan-recorded"
    SUPPORTS: ClassVar = {
        "native": "yes: where a txlist answer is there",
        "internal": "yes: where a txlistinternal answer is there",
        "token": "yes: where a tokentx answer is there",
        "order": "yes: for txlist and tokentx",
        "balances": "no: recorded lists have none",
        "completeness proof": "no: a cap that was hit is noticed",
    }

    """Recorded answers keep it."""

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        return recorded_pages(tmp_path)


class _Liar(TransferFile):
    """Breaks one promise, the one it was made for."""

    lie = ""

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        pages = list(super().history(address, after))
        coverage = pages[-1].coverage
        assert coverage is not None
        match self.lie:
            case "strangers":
                pages[0] = replace(pages[0], transfers=next(super().history(parse("0x" + "e" * 40, ETH))).transfers)
            case "cursor":
                pages = list(super().history(address))
            case "coverage early":
                pages[0] = replace(pages[0], coverage=coverage)
            case "no coverage":
                pages[-1] = replace(pages[-1], coverage=None)
            case "empty for unknown":
                if coverage.state is State.NOT_RECORDED:
                    pages[-1] = replace(pages[-1], coverage=replace(coverage, state=State.EMPTY, reason=""))
            case "no reason":
                pages[-1] = replace(pages[-1], coverage=replace(coverage, reason=""))
            case "evidence":
                pages[0] = replace(pages[0], transfers=pages[1].transfers)
        yield from pages


@pytest.mark.parametrize(
    ("lie", "broken"),
    [
        ("strangers", "test_every_transfer_touches_the_address"),
        ("cursor", "test_resuming_after_a_page_skips_only_that_page"),
        ("coverage early", "test_the_last_page_and_only_it_carries_the_coverage"),
        ("no coverage", "test_the_last_page_and_only_it_carries_the_coverage"),
        ("empty for unknown", "test_an_unknown_address_is_empty_only_where_the_source_reads_the_chain"),
        ("no reason", "test_a_gap_in_the_coverage_has_a_reason_and_no_gap_has_none"),
        ("evidence", "test_every_transfer_cites_the_page_evidence"),
    ],
)
def test_the_contract_catches_a_source_that_lies(tmp_path: Path, lie: str, broken: str) -> None:
    transfer_folder(tmp_path)
    with (tmp_path / "transfers.csv").open("a") as out:
        out.write(f"ethereum,{'0x' + '9' * 64},tx,7,{TIME},0,{'0x' + 'e' * 40},{B},5\n")
    liar = _Liar(tmp_path)
    fixtures = {"connector": liar, "address": parse(A, ETH), "unknown_address": parse("0x" + "d" * 40, ETH)}
    check = getattr(ConnectorContract(), broken)
    wanted = check.__func__.__code__.co_varnames[1 : check.__func__.__code__.co_argcount]
    check(**{name: fixtures[name] for name in wanted})  # honest, it passes
    liar.lie = lie
    with pytest.raises(AssertionError):
        check(**{name: fixtures[name] for name in wanted})


def test_a_signature_that_drifted_is_named() -> None:
    class Drifted:
        name = "a plain attribute"

        @property
        def chains(self) -> frozenset[Chain]:
            return frozenset()

        def history(self, address: Address, page: str = "") -> Iterator[Page]:
            return iter(())

    assert [text.split("(")[0].split(" ")[0] for text in signature_differences(Connector, Drifted)] == [
        "name",
        "history",
    ]


@pytest.mark.parametrize("source", [TransferFile, EtherscanRecorded])
@pytest.mark.parametrize("protocol", [Connector, FindsTransactions])
def test_every_source_has_the_signatures_that_are_promised(source: type, protocol: type) -> None:
    assert signature_differences(protocol, source) == []
