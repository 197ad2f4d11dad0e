"""The source `core:URL`: a node of Bitcoin, Litecoin, Dogecoin or Bitcoin Cash, asked by JSON-RPC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlsplit

from connectors.bitcoin.chains import FORK, HALVINGS, chain_of, final_block
from connectors.bitcoin.finding import ByFilters, ByIndex, Finder, Place
from connectors.bitcoin.index import BlockIndex
from connectors.bitcoin.pages import page_of, told_by, touches
from connectors.bitcoin.reading import transfers_at
from connectors.bitcoin.rows import coins
from connectors.bitcoin.rpc import NOT_FOUND, Node, Refused, judge, login_of
from connectors.fields import number_in, text_in
from connectors.http.network import Network
from connectors.protocol import Evidence, Page, Problem
from connectors.window import Window
from tracer.addresses import looks_like_tx
from tracer.coverage import Coverage, Kind, State
from tracer.errors import BadRow, InputError, SourceSkipped, SourceUnusable
from tracer.values import Address, Asset, Chain, Family, Transfer

PORTS = {"bitcoin": 8332, "litecoin": 9332, "dogecoin": 22555, "bitcoin-cash": 8332}
KINDS = (Kind.NATIVE,)
A_PAGE = 25  # transactions


@dataclass(frozen=True, slots=True)
class _Met:
    """What the node said of itself: its chain, its lowest block (0 unless pruned), how many blocks it lacks."""

    chain: Chain
    genesis: str
    lowest: int
    behind: int


class Core:
    """A node. The transactions of an address are found by its block filters, else by reading its blocks once.

    `problems` is what a reader of its answers must know; it asks the node nothing.
    """

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        if chain is not None and chain.family is not Family.BITCOIN:
            raise InputError(f"core: is a node of Bitcoin or its kin, not of {chain}", "for EVM chains: rpc:URL")
        where = where or network.settings.url("core") or _usual(chain)
        self._name, self._url, self._asked = f"core:{where}", where, chain
        self._network = network
        door = network.door(self._name, "core", where, judge)
        # Another machine's node gets the login only if its address is configured: a mistyped one must not collect it.
        here = (where,) if urlsplit(where).hostname in ("127.0.0.1", "::1", "localhost") else ()
        self._node = Node(door, self._name, where, login_of(network.settings.key_at("core", where, *here)))
        self._finder: tuple[int, Finder] | None = None
        self._scan_failed = False

    @property
    def name(self) -> str:
        """`core:URL`."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The one chain of the node, by its genesis block. Asks the node the first time."""
        return frozenset({self._met.chain})

    @property
    def hosts(self) -> tuple[str, ...]:
        """The node alone."""
        return (urlsplit(self._url).netloc,)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That it has not all blocks yet; that fees count as new coins, where the chain's schedule is not known."""
        found = []
        if self._met.behind > 0:
            found.append(f"the node is {self._met.behind:,} blocks behind what it knows of: it answers for the others")
        if self._met.chain.name not in HALVINGS:
            found.append(f"coinbases of {self._met.chain} count as new coins, the fees that they collect included")
        return tuple(Problem(text, self._name) for text in found)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """Pages of 25 transactions in the order of the chain. Raises `SourceError`."""
        window, rest = Window.of(after) if after else (self._window(0), {})
        self._node.take()  # how far the node is, and whether it is busy: not about the address
        done, rows, bad = tuple(rest.get("done", ())), rest.get("rows", 0), rest.get("bad")
        first = max(window.first, self._met.lowest)
        self._must_be_in_chain(window)
        before = self._node.take()
        with told_by(self._name):
            found = self._places(address, first, window.last)
        places = [place for place in found if (place.height, place.index) > done]
        before += self._node.take()
        if done:  # it was kept with the first page
            before = ()
        groups = [places[at : at + A_PAGE] for at in range(0, len(places), A_PAGE)] or [[]]
        for number, group in enumerate(groups, 1):
            with told_by(self._name):
                read = transfers_at(self._node, address.chain, group)
            touching = tuple(one for one in read.transfers if touches(one, address))
            rows += len(touching)
            if read.bad is not None:
                bad = read.bad if bad is None else min(bad, read.bad)
            kept, before = before + read.evidence, ()
            if number < len(groups):
                at = [group[-1].height, group[-1].index]
                cursor = window.cursor(done=at, rows=rows, bad=bad)
                yield page_of(touching, kept, read.problems, cursor=cursor)
                continue
            self._must_be_in_chain(window)
            page = page_of(touching, kept + self._node.take(), read.problems)
            yield replace(page, coverage=self._coverage(address, window, page.evidence, rows, bad))

    def _coverage(
        self, address: Address, window: Window, evidence: Evidence | None, rows: int, bad: int | None
    ) -> Coverage:
        state, reason, last = None, "", None
        lowest = self._met.lowest
        if window.first < lowest:
            state, last = State.CUT, window.last
            reason = f"the node is pruned: it has no block before {lowest}, and what was paid there is not known"
            window = Window(lowest, window.last, window.tip, window.final, window.at)
        if bad is not None:
            state, reason = State.FAILED, f"a transaction of block {bad} cannot be read"
            last = bad - 1 if bad > window.first else None
        cited = evidence.id if evidence else ""
        return window.coverage(
            address, KINDS, self._name, rows=rows, evidence=cited, reason=reason, state=state, last=last
        )

    # What it can do besides.

    def cursor_from(self, chain: Chain, first: int) -> str:
        """See `ReadsOn`."""
        return self._window(first).cursor()

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        told = self._node.ask("getblockhash", number)
        return "" if isinstance(told, Refused) else str(told)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transaction, if it is in a block. Raises `SourceSkipped` where the node has no -txindex to find it by."""
        if not looks_like_tx(tx):
            return ()
        told = self._node.ask("getrawtransaction", tx, True)
        if isinstance(told, Refused):
            if told.code == NOT_FOUND and "txindex" not in told.text and "indexed" not in told.text:
                return ()
            hint = "start the node with -txindex=1, or give the address it paid"
            raise SourceSkipped(f"{self._name} cannot look up {tx}: {told.text}", hint, source=self._name)
        with told_by(self._name):
            if not isinstance(told, dict) or told.get("txid") != tx:
                raise BadRow(f"asked for {tx}, it gave another one")
            if not told.get("blockhash"):
                return ()  # not in a block yet
            block = self._node.get_object("getblock", told["blockhash"], 1)
            txs = block.get("tx")
            if not isinstance(txs, list) or tx not in txs:
                raise BadRow(f"{tx} is not in the block that is said to hold it")
            read = transfers_at(
                self._node, chain, [Place(number_in(block, "height"), text_in(block, "hash"), txs.index(tx))]
            )
        if read.problems:
            raise SourceSkipped(f"{self._name}: {read.problems[0].where}: {read.problems[0].text}", source=self._name)
        return tuple(read.transfers)

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """What lies unspent at `address`, if `block` is the newest one: a node knows no other block's coins."""
        self._node.take()
        if self._scan_failed:
            raise SourceSkipped(f"{self._name}: the node did not count its coins in time before", source=self._name)
        try:
            told = self._node.get_object("scantxoutset", "start", [f"addr({address.text})"])
        except SourceSkipped:
            self._scan_failed = True  # minutes on a large chain: once is enough
            raise
        found = {}
        with told_by(self._name):
            if told.get("success") is True and number_in(told, "height") == block and address.chain.coin in assets:
                found[address.chain.coin] = coins(told.get("total_amount"), address.chain)
        return found, self._node.take()

    # Inside.

    @cached_property
    def _met(self) -> _Met:
        node, name = self._node, self._name
        info, genesis = node.get_object("getblockchaininfo"), str(node.get("getblockhash", 0))
        with told_by(name):
            blocks = number_in(info, "blocks")
            behind = number_in(info, "headers", blocks) - blocks
            lowest = number_in(info, "pruneheight", 0) if info.get("pruned") is True else 0
        try:
            fork = str(node.get("getblockhash", FORK)) if blocks >= FORK else ""
            chain = chain_of(genesis, fork, self._asked)
        except InputError as error:
            raise SourceUnusable(f"{name}: {error}", error.hint, source=name) from None
        node.take()
        return _Met(chain, genesis, lowest, behind)

    def _window(self, first: int) -> Window:
        chain = self._met.chain
        info = self._node.get_object("getblockchaininfo")
        with told_by(self._name):
            last = number_in(info, "blocks")
            return Window(first, last, text_in(info, "bestblockhash"), final_block(chain, last), self._node.at)

    def _must_be_in_chain(self, window: Window) -> None:
        found = self._node.ask("getblockhash", window.last)
        if found != window.tip:
            why = f"block {window.last} was {window.tip} when the reading began and is not now: it was reorganised"
            raise SourceSkipped(f"{self._name}: {why}", "read it again from its beginning", source=self._name)

    def _places(self, address: Address, first: int, last: int) -> list[Place]:
        if self._finder is None or self._finder[0] < last:
            by_filters = ByFilters.usable(self._node, last)
            self._node.take()
            if self._finder is not None and not by_filters and isinstance(self._finder[1], ByIndex):
                self._finder = last, self._finder[1]
            else:
                self._finder = last, ByFilters(self._node, self._name) if by_filters else self._by_index()
        return self._finder[1].places(address, first, last) if first <= last else []

    def _by_index(self) -> Finder:
        met, cache = self._met, self._network.settings.cache
        path = cache / "blocks" / f"{met.chain}-{met.genesis[:16]}.sqlite" if cache else None
        return ByIndex(self._node, self._name, met.chain, BlockIndex(path), met.lowest)


def _usual(chain: Chain | None) -> str:
    name = chain.name if chain else "bitcoin"
    if name not in PORTS:
        raise InputError(f"where is the node of {name}?", "for example core:http://127.0.0.1:18443")
    return f"http://127.0.0.1:{PORTS[name]}"


__all__ = ["Core"]
