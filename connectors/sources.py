"""Opens a source of wallet histories by the name a user gives it: KIND:WHERE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from connectors.http.network import Network
from connectors.protocol import Connector
from connectors.settings import Settings
from tracer.errors import InputError, UnknownName
from tracer.values import Chain


@dataclass(frozen=True, slots=True)
class Local:
    """A kind of source on this machine: what opens it, and what a user wants to know before he does."""

    opens: str
    reads: str


#: Each kind of source on this machine. Its class is imported when used, as its libraries are heavy.
KINDS: dict[str, Local] = {
    "blockscout-csv": Local("connectors.tables.blockscout:BlockscoutCsv", "lists downloaded from a Blockscout website"),
    "csv": Local("connectors.tables.mapped:MappedCsv", "any table of transfers, with a map of its columns"),
    "etherscan-csv": Local("connectors.tables.etherscan:EtherscanCsv", "lists downloaded from Etherscan's website"),
    "etherscan-recorded": Local(
        "connectors.etherscan.recorded:EtherscanRecorded", "answers of Etherscan's API that somebody kept"
    ),
    "file": Local("connectors.transfer_file:TransferFile", "our own transfer files"),
    "ledger": Local("connectors.bulk.source:LedgerFolder", "a folder that `fundtrail ingest` made"),
    "tronscan-csv": Local("connectors.tables.tronscan:TronscanCsv", "lists downloaded from Tronscan's website"),
}


@dataclass(frozen=True, slots=True)
class Live:
    """A kind of source on the network: what opens it, and what a user wants to know before he does.

    `where` is what to write behind the colon, `base` the public address where there is one, `limit` what its provider
    publishes.
    """

    opens: str
    where: str
    reads: str
    base: str = ""
    limit: str = "none published"


#: Each kind of source on the network.
LIVE: dict[str, Live] = {
    "blockscout": Live(
        "connectors.blockscout.live:Blockscout", "URL of an instance, or CHAIN with a key", "EVM chains"
    ),
    "core": Live("connectors.bitcoin.core:Core", "the address of a node's JSON-RPC", "the Bitcoin family, from a node"),
    "esplora": Live(
        "connectors.bitcoin.esplora:Esplora", "the address of an Esplora API, or nothing", "Bitcoin and Litecoin",
        "https://blockstream.info/api", "none published; a public one is asked once a second",
    ),
    "etherscan": Live(
        "connectors.etherscan.live:Etherscan", "CHAIN, or the URL of a service that speaks like it",
        "the chains of Etherscan", "https://api.etherscan.io/v2/api", "3 a second, 100,000 a day",
    ),
    "rpc": Live("connectors.evm.source:Rpc", "the URL of a JSON-RPC node, {key} where its key goes", "EVM chains"),
    "trongrid": Live(
        "connectors.tron.trongrid:TronGrid", "URL, or nothing for the public one",
        "Tron: TRX, TRC-10, TRC-20, inner transactions, fees", "https://api.trongrid.io",
        "15 requests a second with a key, 100,000 a day; fewer without",
    ),
}  # fmt: skip


def open_source(text: str, network: Network | None = None, chain: Chain | None = None) -> Connector:
    """The source that `text` names. `network` is how live ones are reached; `chain` which one a live source is asked
    about, where its place does not say. Raises `UnknownName` for a kind that is none, `InputError` for a bad place.

    >>> open_source("etherscan-recorder:answers")
    Traceback (most recent call last):
    ...
    tracer.errors.UnknownName: no kind of source named 'etherscan-recorder'
    """  # fmt: skip
    kind, colon, where = text.partition(":")
    if kind not in KINDS and kind not in LIVE:
        if Path(text).exists():
            raise InputError(f"{text!r:.200} names no kind of source", f"for our own transfer files: file:{text}")
        raise UnknownName.among("kind of source", kind, (*KINDS, *LIVE))
    if kind in LIVE:
        opened = cast("Callable[[str, Network, Chain | None], Connector]", _named(LIVE[kind].opens))
        return opened(where, network or Network(Settings.load()), chain)
    if not colon or not where:
        raise InputError(f"{text!r} does not say where", f"{kind}:PATH")
    return cast("Callable[[str], Connector]", _named(KINDS[kind].opens))(where)


def _named(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
