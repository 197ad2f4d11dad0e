"""The source `rpc:URL`: wallet histories from any EVM node that speaks JSON-RPC, one's own or a provider's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from connectors.etherscan.answers import CHAIN_IDS
from connectors.evm.blocks import Reorganised, block_in, header, require_same, times, tip_of
from connectors.evm.events import Said, event_in
from connectors.evm.node import Node
from connectors.evm.powers import MOST_BLOCKS, Powers, powers_of
from connectors.evm.quantities import quantity_in
from connectors.evm.reading import Reading
from connectors.evm.token_transfers import Cited, token_transfers
from connectors.evm.tokens import balances
from connectors.evm.transactions import moved, read
from connectors.http.live import KEY
from connectors.http.network import Network
from connectors.protocol import Evidence, Page, Problem
from connectors.window import Window
from tracer.addresses import looks_like_tx, parse_tx
from tracer.coverage import Kind, State
from tracer.errors import BadRow, InputError, SourceUnusable
from tracer.values import Address, Asset, Chain, Family, Transfer

ENOUGH = 300  # transfers of a page: then it ends with the step it is in
MOST_ASKED = 60  # requests of a page
_KEY_LIKE = re.compile(r"(?=.*\d)[0-9A-Za-z_-]{20,}")


class Rpc:
    """A node at `where`, a URL; `{key}` in it stands for the key that is configured for `rpc`.

    `finds` (`trace_filter`, `ots`, `blocks`) and `traces` (`trace_transaction`, `debug_traceTransaction`, "" for none)
    choose among what the node has; by default the first it has. Nothing is asked before the first question.
    """

    def __init__(
        self, where: str, network: Network, chain: Chain | None = None, *, finds: str | None = None,
        traces: str | None = None,
    ) -> None:  # fmt: skip
        _require_keyless(where)
        if KEY in where and network.settings.key("rpc") is None:
            raise InputError(f"no key is configured for {where}", "set FUNDTRAIL_RPC_KEY, or see fundtrail sources")
        if chain is not None and chain.family is not Family.EVM:
            raise InputError(f"{chain} is no chain that an rpc: node answers for", "name an EVM chain")
        self._where, self._wanted, self._finds, self._traces = where, chain, finds, traces
        self._node = Node(where, network, self.name)

    @property
    def name(self) -> str:
        """See `Connector`."""
        return f"rpc:{self._where}"

    @property
    def chains(self) -> frozenset[Chain]:
        """The one chain that the node is on, which it is asked."""
        return frozenset({self._chain})

    @property
    def hosts(self) -> tuple[str, ...]:
        """See `AsksHosts`."""
        return (urlsplit(self._where).netloc,)

    @property
    def node(self) -> Node:
        """The node itself."""
        return self._node

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """See `Connector`. A page is as many blocks as it takes to find some hundred transfers."""
        self._require_chain(address.chain)
        powers = self._powers
        self._node.take()
        if after:
            window, rest = Window.of(after)
        else:
            window, rest = self._window(0), {}
        yield from _Pages(self.name, self._node, powers, address, window).after(rest)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """See `FindsTransactions`."""
        self._require_chain(chain)
        if not looks_like_tx(tx):
            return ()
        tx = parse_tx(tx, chain)
        powers = self._powers
        told = self._node.ask("eth_getTransactionReceipt", tx)
        if told.fault is not None:
            raise self._node.skipped(f"transaction {tx} cannot be had: {told.fault}", told.call)
        if told.result is None:
            return ()
        try:
            found = self._transfers_of(tx, told.result, told.cited, chain, powers)
        except Reorganised as error:
            raise self._node.skipped(str(error), told.call) from None
        return tuple(sorted(found, key=lambda transfer: transfer.order))

    def cursor_from(self, chain: Chain, first: int) -> str:
        """See `ReadsOn`."""
        self._require_chain(chain)
        return self._window(first).cursor()

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        self._require_chain(chain)
        told = self._node.ask(header(number).method, *header(number).params)
        block = block_in(told)
        self._node.take()
        return block.hash if block is not None else ""

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """See `KnowsBalances`. A node without the state of `block` tells none."""
        self._require_chain(address.chain)
        self._node.take()
        return balances(self._node, address, assets, block)

    @cached_property
    def _chain(self) -> Chain:
        told = self._node.ask("eth_chainId")
        self._node.take()
        number = quantity_in({"chainId": told.result}, "chainId") if told.fault is None else None
        found = CHAIN_IDS.get(str(number))
        if number is None or found is None:
            what = (
                f"does not tell its chain: {told.fault}" if number is None else f"is on chain {number}, not known here"
            )
            known = ", ".join(f"{name} ({id})" for id, name in CHAIN_IDS.items())
            raise self._unusable(
                f"the node {what}", f"known: {known}; for a test chain, give it the id of one of these"
            )
        if self._wanted is not None and self._wanted.name != found:
            raise self._unusable(f"the node is on {found}, not on {self._wanted}", "check the address of the node")
        return Chain.named(found)

    @cached_property
    def _powers(self) -> Powers:
        found = powers_of(self._node, tip_of(self._node, self._chain), self._finds, self._traces)
        self._node.take()
        return found

    def _window(self, first: int) -> Window:
        tip = tip_of(self._node, self._chain)
        return Window(min(first, tip.block.number), tip.block.number, tip.block.hash, tip.final, tip.at)

    def _transfers_of(self, tx: str, receipt: Any, cited: str, chain: Chain, powers: Powers) -> list[Transfer]:
        whole = read(self._node, chain, {tx: quantity_in(receipt, "blockNumber")}, powers.traces, False)
        blocks = times(self._node, {one.block: one.block_hash for one in whole}, {})
        logs = receipt.get("logs")
        if not isinstance(logs, list):
            raise BadRow("logs is no list")
        events = [Cited(event, f"{cited}.{at}") for at, row in enumerate(logs, 1) if (event := event_in(row, chain))]
        known = [one for one in events if one.event.said is not Said.UNCLEAR]
        tokens, _ = token_transfers(self._node, chain, known, tip_of(self._node, chain).block.number)
        return [each for one in whole for each in moved(one, blocks[one.block], chain)] + tokens

    def _require_chain(self, chain: Chain) -> None:
        if chain != self._chain:
            raise InputError(f"{self.name} answers for {self._chain}, not for {chain}", "name a node of that chain")

    def _unusable(self, why: str, hint: str) -> SourceUnusable:
        return SourceUnusable(f"{self.name}: {why}", hint, source=self.name, request="eth_chainId")


class _Pages:
    """The pages of one reading, resumable after each."""

    def __init__(self, name: str, node: Node, powers: Powers, address: Address, window: Window) -> None:
        self._name, self._node, self._address, self._window = name, node, address, window
        self._reading = Reading(node, powers, address, window)
        self._powers = powers

    def after(self, rest: dict[str, Any]) -> Iterator[Page]:
        """The pages after the one whose cursor held `rest`."""
        at = {"next": self._window.first, "span": self._reading.most, "rows": 0, "bad": None, "blind": False, **rest}
        while at["next"] <= self._window.last:
            page, at = self._page(at)
            yield page
            if page.coverage is not None:
                return

    def _page(self, at: dict[str, Any]) -> tuple[Page, dict[str, Any]]:
        transfers: list[Transfer] = []
        problems: list[Problem] = []
        idle: set[str] = set()
        evidence, sent, at = "", self._node.sent, dict(at)
        try:
            while True:
                step, last, span = self._reading.step(at["next"], at["span"])
                transfers += step.transfers
                problems += step.problems
                idle |= step.idle
                evidence = step.evidence
                bad = [block for block in (at["bad"], step.bad) if block is not None]
                at |= {"next": last + 1, "span": span, "bad": min(bad) if bad else None}
                at |= {"blind": at["blind"] or step.blind, "rows": at["rows"] + len(step.transfers)}
                if last == self._window.last:
                    require_same(self._node, self._window)
                    return self._last_page(transfers, problems, evidence, idle, at), at
                if len(transfers) >= ENOUGH or self._node.sent - sent >= MOST_ASKED:
                    return self._made(transfers, problems, evidence, idle, self._window.cursor(**at)), at
        except Reorganised as error:
            return self._reorganised(str(error), at), at

    def _last_page(
        self, transfers: list[Transfer], problems: list[Problem], evidence: str, idle: set[str], at: dict[str, Any]
    ) -> Page:  # fmt: skip
        kinds = self._reading.kinds - ({Kind.INTERNAL} if at["blind"] else set())
        page = self._made(transfers, problems, evidence, idle, "")
        told: dict[str, Any] = {"rows": at["rows"], "evidence": evidence}
        if at["bad"] is not None:
            told |= {"state": State.FAILED, "reason": "rows of the node's answers cannot be read: see the problems"}
            told["last"] = at["bad"] - 1 if at["bad"] > self._window.first else None
        coverage = self._window.coverage(self._address, kinds, self._name, **told)
        return replace(page, coverage=coverage, problems=page.problems + self._cannot_show(kinds))

    def _cannot_show(self, kinds: frozenset[Kind]) -> tuple[Problem, ...]:
        if Kind.NATIVE not in kinds:
            text = (
                f"the node has no trace_filter and no ots_*, and to read all of {self._window.last:,} blocks takes too "
                f"long (at most {MOST_BLOCKS:,} are read): payments in {self._address.chain.symbol}, fees and internal "
                "transfers are not read; add a source that lists them"
            )
            return (Problem(text, str(self._address)),)
        if not self._powers.traces:
            text = "the node does not tell the calls inside transactions: value moved by contracts is not read"
            return (Problem(text, str(self._address)),)
        return ()

    def _reorganised(self, why: str, at: dict[str, Any]) -> Page:
        reason = f"the chain was reorganised while it was read: {why}; read this address again"
        kept = self._node.take()
        first = kept[0] if kept else None
        coverage = self._window.coverage(
            self._address, self._reading.kinds, self._name, rows=at["rows"], evidence=first.id if first else "",
            state=State.FAILED, reason=reason,
        )  # fmt: skip
        return Page((), "", first, coverage, (Problem(reason, str(self._address)),), kept[1:])

    def _made(
        self, transfers: list[Transfer], problems: list[Problem], evidence: str, idle: set[str], cursor: str
    ) -> Page:  # fmt: skip
        cited = {text.partition("#")[0] for transfer in transfers for text in transfer.evidence}
        kept = [one for one in self._node.take() if one.id not in idle or one.id in cited]
        main = next(one for one in kept if one.id == evidence)
        also = tuple(one for one in kept if one is not main)
        return Page(tuple(transfers), cursor, main, None, tuple(problems), also)


def _require_keyless(where: str) -> None:
    """Refuse a URL with a key written into it: it would be printed, kept as evidence and handed on."""
    if not where:
        raise InputError("rpc: does not say where", "rpc:URL, for example rpc:http://127.0.0.1:8545")
    parts = urlsplit(where)
    if parts.query or any(_KEY_LIKE.fullmatch(part) for part in parts.path.split("/")):
        hint = "write {key} in its place and set FUNDTRAIL_RPC_KEY, for example rpc:https://mainnet.infura.io/v3/{key}"
        raise InputError("the address of the node seems to hold a key, which would be kept and shown", hint)


__all__ = ["ENOUGH", "MOST_ASKED", "Rpc"]
