"""A made-up chain that grows and reorganises, and a live source over it, for the tests of reading on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.protocol import Evidence, Page
from connectors.window import Window
from notation import ETH, ETHEREUM
from tracer.balances import counted
from tracer.coverage import Kind, State
from tracer.values import Address, Asset, Block, Chain, Leg, Transfer, TransferId

START = 1_600_000_000


@dataclass
class MadeUpChain:
    """Blocks of payments (payer, payee, units), the last `depth` of them not final."""

    depth: int = 3
    blocks: list[list[tuple[Address, Address, int]]] = field(default_factory=list)
    forks: dict[int, int] = field(default_factory=dict)

    def mine(self, *payments: tuple[Address, Address, int]) -> None:
        self.blocks.append(list(payments))

    def reorganise(self, number: int, *blocks: Sequence[tuple[Address, Address, int]]) -> None:
        """Replace block `number` and all after it by `blocks`."""
        for gone in range(number, len(self.blocks) + len(blocks)):
            self.forks[gone] = self.forks.get(gone, 0) + 1
        self.blocks[number:] = [list(block) for block in blocks]

    def hash(self, number: int) -> str:
        told = f"{number}/{self.forks.get(number, 0)}/{self.blocks[number]}"
        return "0x" + hashlib.sha256(told.encode()).hexdigest()

    def transfers(self, last: int | None = None) -> list[Transfer]:
        found = []
        for number, block in enumerate(self.blocks[: None if last is None else last + 1]):
            for index, (payer, payee, units) in enumerate(block):
                tx = "0x" + hashlib.sha256(f"{payer}{payee}{units}".encode()).hexdigest()
                paid, got = Leg.slot(payer, ETH, units), Leg.slot(payee, ETH, units)
                at = Block(number, START + 12 * number, self.hash(number))
                found.append(Transfer(TransferId(ETHEREUM, tx), at, index, ETH, (paid,), (got,), ("-",)))
        return found


class MadeUpLive:
    """A live source over the chain: one block with rows a page. `lose` are numbers of blocks it forgets to tell of."""

    def __init__(self, chain: MadeUpChain, lose: Sequence[int] = (), name: str = "made-up:live") -> None:
        self._chain, self._lose, self._name = chain, frozenset(lose), name
        self.asked = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        return frozenset({ETHEREUM})

    def cursor_from(self, chain: Chain, first: int) -> str:
        tip = len(self._chain.blocks) - 1
        final = max(tip - self._chain.depth, 0)
        return Window(first, tip, self._chain.hash(tip), final, START + 12 * tip).cursor(at=first)

    def block_hash(self, chain: Chain, number: int) -> str:
        return self._chain.hash(number) if number < len(self._chain.blocks) else ""

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        held: Mapping[Asset, int] = counted(address, self._chain.transfers(block))
        told = {asset: held.get(asset, 0) for asset in assets}
        return told, (Evidence(repr(told).encode(), self.name, f"balance of {address} at {block}"),)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        window, rest = Window.of(after or self.cursor_from(ETHEREUM, 0))
        mine = [
            one
            for one in self._chain.transfers(window.last)
            if one.block.number >= rest["at"] and address in {leg.address for leg in one.inputs + one.outputs}
        ]
        numbers = sorted({one.block.number for one in mine} - self._lose) or [window.last]
        read = [one for one in self._chain.transfers(window.last) if window.first <= one.block.number]
        rows = sum(address in {leg.address for leg in one.inputs + one.outputs} for one in read)
        for at, number in enumerate(numbers):
            self.asked += 1
            told = [one for one in mine if one.block.number == number]
            evidence = Evidence(f"{address} {number} {told!r}".encode(), self.name, f"{address} in block {number}")
            cited = tuple(replace(one, evidence=(f"{evidence.id}#{row}",)) for row, one in enumerate(told, 1))
            if at + 1 < len(numbers):
                yield Page(cited, window.cursor(at=number + 1), evidence, None)
            elif self.block_hash(ETHEREUM, window.last) != window.tip:
                state, reason = State.FAILED, "it was reorganised"
                coverage = window.coverage(address, Kind, self.name, rows=rows, state=state, reason=reason)
                cited = tuple(one for one in cited if window.final is not None and one.block.number <= window.final)
                yield Page(cited, "", evidence, coverage)
            else:
                coverage = window.coverage(address, Kind, self.name, rows=rows, evidence=evidence.id)
                yield Page(cited, "", evidence, coverage)
