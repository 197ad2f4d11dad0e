"""The source `etherscan:CHAIN`, and `etherscan:URL` for a service that speaks the same language: read live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from connectors.etherscan.asking import Asking, Rows, quantity
from connectors.etherscan.chains import BASE, NUMBERS, PAYS_TWICE, WRAPPED, place_of
from connectors.etherscan.head import Head, block_hash, head_of
from connectors.etherscan.judging import judge
from connectors.etherscan.listing import Listing, Row, Step
from connectors.etherscan.logs import UNWRAP, WRAP, block_in_log, topic_of, wrap_of
from connectors.etherscan.lookup import transfers_in
from connectors.etherscan.rows import KINDS, likeness, require_about, transfers_of
from connectors.etherscan.twins import told_once
from connectors.explorer import Explorer
from connectors.fields import number_in, problem_of, units_in
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.place import Place
from connectors.protocol import Evidence, Page, Problem
from connectors.window import Window
from tracer.coverage import Kind, State
from tracer.errors import BadRow, FundtrailError, InputError
from tracer.values import Address, Asset, Chain, Transfer

#: The lists that make a history. The last two are asked for only where the wrapped coin's contract was met.
LISTS = (*KINDS, "wraps", "unwraps")
_EVENTS = {"wraps": WRAP, "unwraps": UNWRAP}
_PACES = (Pace(3), Pace(100_000, 86_400))  # of the free plan: https://docs.etherscan.io/rate-limits
_NOT_ITS_OWN = (Pace(2),)


@dataclass(frozen=True, slots=True)
class _Place(Place):
    """`start` is the block where the list goes on, `cap` as in `Step`; `wraps`: the wrapped coin's contract was met."""

    start: int = 0
    cap: int = 0
    wraps: bool = False


class Etherscan(Explorer[Head, _Place]):
    """Wallet histories from Etherscan's API V2: plain, internal and token transfers, and wraps of the chain's coin.

    `where` is the name of a chain, or the address of a compatible service. The key goes to Etherscan's own host and
    to the one that is configured, and to no other. Raises `InputError` for a bad place.
    """

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        configured = network.settings.url("etherscan")
        base, chain, numbered = place_of(where, chain, configured)
        super().__init__(f"etherscan:{where or chain}", chain, base, _Place, network.clock)
        own = self._host in {urlsplit(url).netloc for url in (BASE, configured) if url}
        key = network.settings.key("etherscan") if own else None
        if base == BASE and key is None and network.transport is None and network.replay is None:
            # Said before anything is sent: the provider would learn the address, and then refuse.
            raise InputError("Etherscan answers nobody without a key", "set ETHERSCAN_API_KEY: docs/live-sources.md")
        door = network.door(self._name, "etherscan", base, judge, _PACES if own else _NOT_ITS_OWN)
        fixed = {"chainid": NUMBERS[self._chain.name]} if numbered else {}
        self._asking = Asking(door, base, self._name, fixed, {"apikey": key.value} if key else {})
        contract, symbol = WRAPPED.get(self._chain.name, ("", ""))
        self._wrapped = Asset(self._chain, contract, symbol, 18)

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        return block_hash(self._asking, number, [])

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """See `KnowsBalances`. Only the newest block's balances can be asked for: of another block it tells none."""
        told, evidence = self._asking.node("eth_blockNumber")
        answers, found = [evidence], dict[Asset, int]()
        if quantity(told) != block:
            return {}, tuple(answers)
        for asset in assets:
            params = {"contractaddress": asset.contract} if asset.contract else {}
            action = "tokenbalance" if asset.contract else "balance"
            body, evidence = self._asking.ask("account", action, address=address.text, tag="latest", **params)
            answers.append(evidence)
            with self._asking.understanding(evidence):
                found[asset] = units_in(body, "result")
        told, evidence = self._asking.node("eth_blockNumber")
        still = quantity(told) == block
        return (found if still else {}), tuple(dict.fromkeys((*answers, evidence)))

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """See `FindsTransactions`."""
        if chain != self._chain:
            return ()
        return transfers_in(self._asking, self._in_block, chain, self._wrapped.contract, tx)

    def _newest(self) -> Head:
        return head_of(self._asking, self._chain)

    def _begun(self, first: int, head: Head) -> tuple[Window, _Place, tuple[Evidence, ...]]:
        first = min(first, head.number)
        place = _Place(0, head.number, start=first)
        if not head.shown:
            reason = f"nothing in block {head.number} could show whether the lists have reached it"
            place = place.with_gap(State.CUT, reason, head.number if head.final is None else head.final)
        return Window(first, head.number, head.hash, head.final, head.at), place, head.evidence

    def _page(
        self, address: Address, window: Window, place: _Place, held: tuple[Evidence, ...]
    ) -> tuple[Page, _Place | None]:
        name = LISTS[place.at]
        step = self._listing(name, address, window.last).step(place.start, place.cap)
        read, problems = self._read(name, step, address), list[Problem]()
        kind = KINDS.get(name, Kind.TOKEN)
        met = any(self._wrapped.contract in _parties(transfer) for transfer in read.transfers)
        place = replace(place, rows=place.rows + len(step.rows), wraps=place.wraps or met, cap=step.cap)
        if read.unread:
            place = place.with_gap(State.FAILED, f"{kind}: rows cannot be read, or are missing", place.start - 1)
        if step.gap:
            place = place.with_gap(State.CUT, f"{kind}: {step.gap}", step.complete)
        if name == "tokentx" and place.start == window.first and step.rows:
            problems.append(Problem(_NO_LOG_INDEX))
        problems += read.problems
        main, *others = (*step.answers, *read.answers)
        following = replace(place, start=step.next) if step.next is not None else self._list_after(place, window)
        also = [*held, *others]
        if following is not None:
            cursor = window.cursor(**following.told())
            return Page(read.transfers, cursor, main, None, tuple(problems), _each(main, also)), following
        transfers = read.transfers
        if block_hash(self._asking, window.last, also) != window.tip:
            place, transfers = self._replaced(window, place, transfers)
        problems += _caveats(self._chain)
        coverage = place.coverage(window, address, frozenset(Kind), self._name, main.id)
        return Page(transfers, "", main, coverage, tuple(problems), _each(main, also)), None

    def _list_after(self, place: _Place, window: Window) -> _Place | None:
        last = len(LISTS) if place.wraps and self._wrapped.contract else len(KINDS)
        return replace(place, at=place.at + 1, start=window.first, cap=0) if place.at + 1 < last else None

    def _listing(self, name: str, address: Address, last: int) -> Listing:
        if name in KINDS:
            return Listing(partial(self._rows, name, address), _block_of, last)
        return Listing(partial(self._logs, _EVENTS[name], address), block_in_log, last)

    def _rows(self, action: str, address: Address, first: int, last: int, page: int, size: int) -> Rows:
        return self._asking.rows(
            "account", action, address=address.text, startblock=str(first), endblock=str(last),
            page=str(page), offset=str(size), sort="asc",
        )  # fmt: skip

    def _logs(self, event: str, address: Address, first: int, last: int, page: int, size: int) -> Rows:
        return self._asking.rows(
            "logs", "getLogs", address=self._wrapped.contract, fromBlock=str(first), toBlock=str(last),
            topic0=event, topic0_1_opr="and", topic1=topic_of(address), page=str(page), offset=str(size),
        )  # fmt: skip

    def _read(self, name: str, step: Step, address: Address) -> _Read:
        rows, answers, problems, unread = step.rows, list[Evidence](), list[Problem](), 0
        if name == "tokentx":
            rows, answers, problems, unread = told_once(self._asking, rows)
        twins: dict[tuple[object, ...], int] = {}
        found: dict[object, Transfer] = {}
        for row in rows:
            try:
                stated = self._stated(name, row, address, twins)
            except FundtrailError as error:
                problems.append(problem_of(error, row.cited))
                unread += 1
            else:
                for transfer in stated:
                    if address.text in _parties(transfer):
                        found.setdefault(transfer.id, transfer)
        return _Read(tuple(found.values()), problems, answers, unread)

    def _stated(
        self, name: str, row: Row, address: Address, twins: dict[tuple[object, ...], int]
    ) -> tuple[Transfer, ...]:
        if not isinstance(row.told, dict):
            raise BadRow("not an object")
        if name in _EVENTS:
            return (wrap_of(row.told, self._wrapped, address, row.cited),)
        alike = likeness(row.told)
        twins[alike] = twin = twins.get(alike, -1) + 1
        stated = transfers_of(name, row.told, self._chain, twin, row.cited)
        require_about(row.told, name, address)
        return stated

    def _in_block(self, name: str, address: Address, block: int) -> Iterator[Transfer]:
        """What a list says of an address in one block. Raises `SourceSkipped` where it does not show all of it."""
        for each in ("wraps", "unwraps") if name == "wraps" else (name,):
            step = self._listing(each, address, block).step(block)
            read = self._read(each, step, address)
            if step.gap or read.unread:
                why = step.gap or read.problems[-1].text
                raise self._asking.skipped(f"{each} of {address} in block {block}: {why}", step.answers[0])
            yield from read.transfers


@dataclass(frozen=True, slots=True)
class _Read:
    """What the rows of a step say, how many cannot be read or are missing, and what was asked to understand them."""

    transfers: tuple[Transfer, ...]
    problems: list[Problem]
    answers: list[Evidence]
    unread: int


_NO_LOG_INDEX = (
    "tokentx leaves out log indexes: the order of token transfers inside one transaction is not known, and another "
    "source would name the same transfers differently"
)


def _block_of(row: object) -> int | None:
    try:
        return number_in(row, "blockNumber") if isinstance(row, dict) else None
    except FundtrailError:
        return None


def _caveats(chain: Chain) -> Iterator[Problem]:
    """What the lists cannot say on this chain, however complete they are."""
    if chain.name in PAYS_TWICE:
        yield Problem(f"fees on {chain} are too low by what was paid for data on the chain below: txlist leaves it out")
    if chain.name not in WRAPPED:
        yield Problem(f"wrapping and unwrapping {chain.symbol} is not read on {chain}: token lists leave it out")


def _parties(transfer: Transfer) -> set[str]:
    return {leg.address.text for leg in (*transfer.inputs, *transfer.outputs) if leg.address is not None}


def _each(main: Evidence, also: Sequence[Evidence]) -> tuple[Evidence, ...]:
    return tuple(evidence for evidence in dict.fromkeys(also) if evidence != main)


__all__ = ["LISTS", "Etherscan"]
