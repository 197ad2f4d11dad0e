"""The source `blockscout:URL`, an instance of one chain, or `blockscout:CHAIN` through Blockscout's own host: live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from connectors.blockscout.asking import Asking, judge
from connectors.blockscout.chains import chain_of
from connectors.blockscout.head import Head, block_at, head_of
from connectors.blockscout.listing import gap_of
from connectors.blockscout.rows import LISTS, block_in, transfers_of
from connectors.etherscan.chains import NUMBERS
from connectors.explorer import Explorer
from connectors.fields import number_in, problem_of, transaction_in, units_in
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.place import Place
from connectors.protocol import Evidence, Page, Problem
from connectors.window import Window
from tracer.coverage import Kind, State
from tracer.errors import BadRow, FundtrailError, InputError
from tracer.values import Address, Asset, Chain, Transfer

HOST = "https://api.blockscout.com"  # all chains in one place, with a key: https://docs.blockscout.com
_PACES = (Pace(5),)  # the free plan


@dataclass(frozen=True, slots=True)
class _Place(Place):
    """`after` is what to send for the page that comes next, `lowest` the oldest block that was given of the list.

    `inner` tells whether internal transfers are whole in these blocks.
    """

    after: Mapping[str, str] | None = None
    lowest: int = -1
    inner: bool = True


class Blockscout(Explorer[Head, _Place]):
    """Wallet histories from the REST interface (version 2) of a Blockscout: plain, internal and ERC-20 transfers.

    `where` is the address of an instance, whose chain is `chain`, or the name of a chain. The key goes to Blockscout's
    own host, or the one configured in its place, and to no other. Raises `InputError` for a bad place.
    """

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        root = network.settings.url("blockscout") or HOST
        chain = chain_of(where, chain)
        if "://" in where:
            base = where.rstrip("/").removesuffix("/api/v2").removesuffix("/api")
            rest, lists, node = f"{base}/api/v2", f"{base}/api", f"{base}/api/eth-rpc"
        else:
            base = f"{root.rstrip('/')}/{NUMBERS[chain.name]}"
            rest, lists, node = f"{base}/api/v2", f"{base}/api", f"{base}/json-rpc"
        super().__init__(f"blockscout:{where or chain}", chain, base, _Place, network.clock)
        key = network.settings.key("blockscout") if self._host == urlsplit(root).netloc else None
        secret = {"apikey": key.value} if key else {}
        door = network.door(self._name, "blockscout", base, judge, _PACES)
        self._asking = Asking(door, self._name, rest, lists, node, secret)

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        block = block_at(self._asking, number, [])
        return str(block.get("hash") or "") if block else ""

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """See `KnowsBalances`. Of the coin only: the explorer keeps a history of that balance and of no other.

        It is what a node said after the last block up to `block` in which the explorer saw the address move some.
        """
        path, answers = f"/addresses/{address.text}/coin-balance-history", list[Evidence]()
        params: Mapping[str, str] | None = {}
        seen = False
        while params is not None:
            page = self._asking.items(path, params)
            answers.append(page.evidence)
            seen = seen or bool(page.rows)
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
        # All entries are later: nothing was there yet. None at all is no such statement: nobody may have looked.
        looked = seen and self._chain.coin in assets
        return ({self._chain.coin: 0} if looked else {}), tuple(answers)

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

    def _begun(self, first: int, head: Head) -> tuple[Window, _Place, tuple[Evidence, ...]]:
        window = Window(min(first, head.number), head.number, head.hash, head.final, head.at)
        return window, _Place(0, head.number, inner=head.inner), head.evidence

    def _newest(self) -> Head:
        return head_of(self._asking, self._chain)

    def _page(
        self, address: Address, window: Window, place: _Place, held: tuple[Evidence, ...]
    ) -> tuple[Page, _Place | None]:
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
        gap = gap_of(answer, place.after, place.lowest, blocks)
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
        transfers = tuple(found.values())
        block_now = block_at(self._asking, window.last, also)
        if block_now is None or block_now.get("hash") != window.tip:
            place, transfers = self._replaced(window, place, transfers)
        kinds = frozenset(Kind)
        if not place.inner:
            kinds -= {Kind.INTERNAL}
            problems.append(Problem("this explorer has not processed all internal transfers: some may be missing"))
        coverage = place.coverage(window, address, kinds, self._name, cited)
        return Page(transfers, "", answer.evidence, coverage, tuple(problems), tuple(also)), None


def _parties(transfer: Transfer) -> set[Address | None]:
    return {leg.address for leg in (*transfer.inputs, *transfer.outputs)}


__all__ = ["HOST", "Blockscout"]
