"""The source `blockscout:URL`, an instance of one chain, or `blockscout:CHAIN` through Blockscout's own host: live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from connectors.blockscout.asking import Asking, Items, judge
from connectors.blockscout.rows import LISTS, block_in, time_in, transfers_of
from connectors.etherscan.answers import CHAIN_IDS
from connectors.etherscan.asking import quantity
from connectors.etherscan.chains import NUMBERS
from connectors.etherscan.rows import NOBODY
from connectors.fields import number_in, plain, problem_of, transaction_in, units_in
from connectors.http.live import require_safe
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.place import Place
from connectors.protocol import Evidence, Page, Problem
from connectors.window import Window
from tracer.coverage import Kind, State
from tracer.errors import BadRow, FundtrailError, InputError, SourceSkipped, SourceUnusable, UnknownName
from tracer.values import Address, Asset, Chain, Family, Transfer

HOST = "https://api.blockscout.com"  # all chains in one place, with a key: https://docs.blockscout.com
_PACES = (Pace(5),)  # the free plan
_BEHIND = (0, 32, 256)  # blocks before the newest up to which internal transfers are looked for whole
_DEPTH = {"ethereum": 64}  # blocks until one counts as final, as Blockscout has no word for it: two epochs


@dataclass(frozen=True, slots=True)
class _Place(Place):
    """`after` is what to send for the page that comes next, `lowest` the oldest block that was given of the list.

    `inner` tells whether internal transfers are whole in these blocks.
    """

    after: Mapping[str, str] | None = None
    lowest: int = -1
    inner: bool = True


class Blockscout:
    """Wallet histories from the REST interface (version 2) of a Blockscout: plain, internal and ERC-20 transfers.

    `where` is the address of an instance, whose chain is `chain`, or the name of a chain. The key goes to Blockscout's
    own host, or the one configured in its place, and to no other. Raises `InputError` for a bad place.
    """

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        root = network.settings.url("blockscout") or HOST
        if "://" in where:
            base, self._chain = _instance(where, chain)
            rest, lists, node = f"{base}/api/v2", f"{base}/api", f"{base}/api/eth-rpc"
        else:
            self._chain = _named(where, chain)
            base = f"{root.rstrip('/')}/{NUMBERS[self._chain.name]}"
            rest, lists, node = f"{base}/api/v2", f"{base}/api", f"{base}/json-rpc"
        self._name = f"blockscout:{where or self._chain}"
        self._host = urlsplit(base).netloc
        key = network.settings.key("blockscout") if self._host == urlsplit(root).netloc else None
        secret = {"apikey": key.value} if key else {}
        door = network.door(self._name, "blockscout", base, judge, _PACES)
        self._asking = Asking(door, self._name, rest, lists, node, secret)
        self._checked = False

    @property
    def name(self) -> str:
        """`blockscout:URL` or `blockscout:CHAIN`, as given."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The one chain that it is asked about."""
        return frozenset({self._chain})

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one host that it speaks to."""
        return (self._host,)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """See `Connector`. One page per answer, newest rows first; the first also holds how the head was found."""
        if address.chain != self._chain:
            raise InputError(f"{self._name} does not answer for {address.chain}", f"it does for {self._chain}")
        if after:
            window, told = Window.of(after)
            place, held = _Place.of(told), tuple[Evidence, ...]()
        else:
            window, place, held = self._begun(0, address.text)
        while True:
            page, next_place = self._page(address, window, place, held)
            yield page
            if next_place is None:
                return
            place, held = next_place, ()

    def cursor_from(self, chain: Chain, first: int) -> str:
        """See `ReadsOn`. Where there is no newer block yet, the newest one is read again."""
        window, place, _ = self._begun(first, NOBODY)
        return window.cursor(**place.told())

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        block = self._block(number, [])
        return str(block.get("hash") or "") if block else ""

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """See `KnowsBalances`. Of the coin only: the explorer keeps a history of that balance and of no other.

        It is what a node said after the last block up to `block` in which the explorer saw the address move some.
        """
        path, answers = f"/addresses/{address.text}/coin-balance-history", list[Evidence]()
        params: Mapping[str, str] | None = {}
        while params is not None:
            page = self._asking.items(path, params)
            answers.append(page.evidence)
            for row in page.rows:
                if not isinstance(row, dict):
                    raise self._asking.skipped("a row of the balances is not an object", page.evidence)
                with self._asking.understanding(page.evidence):
                    if number_in(row, "block_number") <= block:
                        known = row.get("value") is not None and self._chain.coin in assets
                        return ({self._chain.coin: units_in(row, "value")} if known else {}), tuple(answers)
            if page.following == params:
                raise self._asking.skipped("the same page of balances comes again and again", page.evidence)
            params = page.following
        return ({self._chain.coin: 0} if self._chain.coin in assets else {}), tuple(answers)

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """See `FindsTransactions`."""
        try:
            tx = transaction_in({"tx": tx}, "tx", self._chain)
        except InputError:
            return ()
        row, evidence = self._asking.ask(f"/transactions/{tx}")
        if chain != self._chain or "hash" not in row or row.get("block_number") is None:
            return ()
        with self._asking.understanding(evidence):
            found = list(transfers_of(Kind.NATIVE, row, self._chain, f"{evidence.id}#1"))
        for name, kind, fixed in LISTS[1:]:
            params: Mapping[str, str] | None = {}
            while params is not None:
                page = self._asking.items(f"/transactions/{tx}/{name}", {**params, **fixed})
                for number, one in enumerate(page.rows, 1):
                    if not isinstance(one, dict):
                        raise self._asking.skipped(f"a row of {name} is not an object", page.evidence)
                    with self._asking.understanding(page.evidence):
                        found += transfers_of(kind, one, self._chain, f"{page.evidence.id}#{number}")
                if page.following == params:
                    raise self._asking.skipped(f"the same page of {name} comes again and again", page.evidence)
                params = page.following
        unique = {transfer.id: transfer for transfer in found}
        return tuple(sorted(unique.values(), key=lambda transfer: transfer.order))

    def _begun(self, first: int, asked: str) -> tuple[Window, _Place, tuple[Evidence, ...]]:
        """The newest block up to which the explorer has everything, internal transfers included, and where to begin."""
        answers: list[Evidence] = []
        self._check(answers)
        newest = self._asking.items("/blocks", {"type": "block"})
        answers.append(newest.evidence)
        head, at = newest.rows[0] if newest.rows else None, self._asking.at
        if not isinstance(head, dict):
            raise self._asking.skipped("it shows no block", newest.evidence)
        with self._asking.understanding(newest.evidence):
            height, time = number_in(head, "height"), time_in(head)
        behind = (height - back for back in _BEHIND if back <= height)
        whole = next((number for number in behind if self._inner(asked, number, answers)), None)
        number = height if whole is None else whole
        block = head if number == height else self._block(number, answers)
        if block is None or not block.get("hash"):
            raise self._asking.skipped(f"it does not show block {number}", answers[-1])
        depth = _DEPTH.get(self._chain.name)
        final = None if depth is None else min(number, max(height - depth, 0))
        window = Window(min(first, number), number, str(block["hash"]), final, at or time)
        return window, _Place(0, number, inner=whole is not None), tuple(dict.fromkeys(answers))

    def _check(self, answers: list[Evidence]) -> None:
        """That the instance is about the chain we think. Some do not say: then the user's word stands."""
        if self._checked:
            return
        try:
            told, evidence = self._asking.chain_id()
        except SourceSkipped:
            return
        number = quantity(told)
        if number is not None and CHAIN_IDS.get(str(number)) != self._chain.name:
            words = f"{self._name} answers about chain {number}, not about {self._chain}"
            raise SourceUnusable(words, "check its address", source=self._name, request=evidence.request)
        self._checked = True

    def _inner(self, address: str, last: int, answers: list[Evidence]) -> bool:
        """Whether the explorer has processed the internal transfers of all blocks up to `last`; it does so later."""
        blocks = {"startblock": "0", "endblock": str(last), "page": "1", "offset": "1", "sort": "asc"}
        try:
            body, evidence = self._asking.like_etherscan(
                module="account", action="txlistinternal", address=address, **blocks
            )
        except SourceSkipped:
            return False
        answers.append(evidence)
        return str(body.get("status")) in ("0", "1") and isinstance(body.get("result"), list)

    def _block(self, number: int, answers: list[Evidence]) -> Mapping[str, object] | None:
        block, evidence = self._asking.ask(f"/blocks/{number}")
        answers.append(evidence)
        if "height" not in block:
            return None
        if block["height"] != number:
            raise self._asking.skipped(f"asked for block {number}, it gave another", evidence)
        return block

    def _page(
        self, address: Address, window: Window, place: _Place, held: tuple[Evidence, ...]
    ) -> tuple[Page, _Place | None]:
        """The page at `place`, and the place after it, None at the end. `held` is evidence that belongs to it too."""
        name, kind, fixed = LISTS[place.at]
        answer = self._asking.items(f"/addresses/{address.text}/{name}", {**(place.after or {}), **fixed})
        found: dict[object, Transfer] = {}
        problems: list[Problem] = []
        blocks: list[int] = []
        cited = answer.evidence.id
        for number, row in enumerate(answer.rows, 1):
            try:
                if not isinstance(row, dict):
                    raise BadRow("not an object")
                block = block_in(row)
                if block is None or block > window.last:
                    continue
                blocks.append(block)
                if block >= window.first:
                    stated = transfers_of(kind, row, self._chain, f"{cited}#{number}")
                    found.update({one.id: one for one in stated if address in _parties(one)})
            except FundtrailError as error:
                problems.append(problem_of(error, f"{cited}#{number}"))
        place = replace(place, rows=place.rows + sum(block >= window.first for block in blocks))
        if problems:
            place = place.with_gap(State.FAILED, f"{kind}: rows cannot be read", window.first - 1)
        gap = _gap(answer, place, blocks)
        if gap:
            place = place.with_gap(State.CUT, f"{kind}: {gap}", window.first - 1)
        lowest = min(blocks, default=place.lowest)
        below = blocks and lowest < window.first
        also = list(held)
        following: _Place | None
        if answer.following is not None and not gap and not below:
            following = replace(place, after=answer.following, lowest=lowest)
        else:
            following = replace(place, at=place.at + 1, after=None, lowest=-1) if place.at + 1 < len(LISTS) else None
        if following is not None:
            cursor = window.cursor(**following.told())
            return Page(tuple(found.values()), cursor, answer.evidence, None, tuple(problems), tuple(also)), following
        block_now = self._block(window.last, also)
        if block_now is None or block_now.get("hash") != window.tip:
            told = f"block {window.last} was replaced while it was read (a reorganisation): read it again"
            place = place.with_gap(State.CUT, told, -1 if window.final is None else window.final)
        kinds = frozenset(Kind)
        if not place.inner:
            kinds -= {Kind.INTERNAL}
            problems.append(Problem("this explorer has not processed all internal transfers: some may be missing"))
        coverage = place.coverage(window, address, kinds, self._name, cited)
        return Page(tuple(found.values()), "", answer.evidence, coverage, tuple(problems), tuple(also)), None


def _gap(answer: Items, place: _Place, blocks: Sequence[int]) -> str:
    """Why the list cannot be trusted to be whole, "" where it can.

    The place where the next page starts is that of this page's last row: where it is not, rows were left out.
    """
    if blocks != sorted(blocks, reverse=True) or (blocks and place.lowest >= 0 and blocks[0] > place.lowest):
        return "its rows are not in the order of the chain"
    following = answer.following
    if following is None:
        return ""
    if place.after is not None and _place_of(following) >= _place_of(place.after):
        return "its pages do not come to an end"
    last = answer.rows[-1] if answer.rows else None
    if isinstance(last, dict) and (told := following.get("block_number")) is not None:
        number = last.get("block_number")
        if number is not None and told != str(number):
            return f"the next page goes on after block {plain(told, 20)}, this one ends in block {plain(number, 20)}"
        index = next((last[name] for name in ("position", "log_index") if name in last), None)
        told = following.get("index")
        if index is not None and told is not None and told != str(index):
            return (
                f"the next page goes on after row {plain(told, 20)} of its block, this one ends at {plain(index, 20)}"
            )
    return ""


def _place_of(params: Mapping[str, str]) -> tuple[int, ...]:
    """Where a page starts, in the order of the chain."""
    told = (params.get(name, "") for name in ("block_number", "transaction_index", "index"))
    return tuple(int(text) if text.isascii() and text.isdecimal() else -1 for text in told)


def _instance(where: str, chain: Chain | None) -> tuple[str, Chain]:
    require_safe(where)
    parts = urlsplit(where)
    if parts.query or parts.fragment:
        raise InputError("the address of a source has no ? and no #", "give keys by environment or file")
    if chain is None or chain.family is not Family.EVM:
        raise InputError(f"{where} does not say which chain it is about", "name it: --chain ethereum")
    return where.rstrip("/").removesuffix("/api/v2").removesuffix("/api"), chain


def _named(where: str, chain: Chain | None) -> Chain:
    if where:
        try:
            chain = Chain.named(CHAIN_IDS.get(where, where))
        except UnknownName:
            raise UnknownName.among("chain", where, sorted(NUMBERS)) from None
    if chain is None or chain.name not in NUMBERS:
        raise InputError("blockscout: does not say which chain", "for example blockscout:ethereum")
    return chain


def _parties(transfer: Transfer) -> set[Address | None]:
    return {leg.address for leg in (*transfer.inputs, *transfer.outputs)}


__all__ = ["HOST", "Blockscout"]
