"""Ledgers as drawings: a test writes `1 victim -> mule 60 gas 1` and gets a Ledger that was read completely.

One payment a line: BLOCK PAYER -> PAID UNITS, then in any order `gas N` (a fee that the payer pays in the chain's
coin), `call` (the payer called a contract) and `@TIME` (UTC seconds; else twelve seconds a block). `#` starts a
comment. Names stand for addresses that never change; payments of one block happen in the order they are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.ledger import Ledger
from tracer.memory import MemoryLedger
from tracer.values import Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

ETHEREUM = Chain.named("ethereum")
ETH = ETHEREUM.coin
START = 1_600_000_000

_names: dict[Address, str] = {}


def address(name: str, chain: Chain = ETHEREUM) -> Address:
    """The address that `name` stands for in every drawing.

    >>> name_of(address("mule"))
    'mule'
    """
    found = Address(chain, "0x" + hashlib.sha256(name.encode()).hexdigest()[:40])
    _names[found] = name
    return found


def name_of(place: object) -> str:
    """The name an address was drawn with, `-` for none."""
    return _names[place] if isinstance(place, Address) else "-"


def payment(block: int, place: int = 0, position: str = "tx", chain: Chain = ETHEREUM) -> TransferId:
    """The id of the payment drawn as number `place` (from 0) of `block`; its gas has the position `fee`."""
    return TransferId(chain, f"0x{block:032x}{place:032x}", position)


def transfers(text: str, asset: Asset = ETH) -> Iterator[Transfer]:
    """The payments of a drawing, each followed by its fee."""
    drawn: dict[int, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if words:
            block = int(words[0])
            yield from _payment(words, asset, drawn.setdefault(block, 0), number)
            drawn[block] += 1


def _payment(words: list[str], asset: Asset, place: int, number: int) -> Iterator[Transfer]:
    chain = asset.chain
    head, payer, arrow, paid, units, *rest = words
    gas, method, time = 0, "", START + int(head) * 12
    while rest:
        word = rest.pop(0)
        if word == "gas":
            gas = int(rest.pop(0))
        elif word == "call":
            method = "0xca11ca11"
        elif word.startswith("@"):
            time = int(word[1:])
        else:
            raise ValueError(f"line {number}: {word!r} is not part of the notation")
    if arrow != "->":
        raise ValueError(f"line {number}: no arrow between payer and paid")
    block, source, target = Block(int(head), time), address(payer, chain), address(paid, chain)
    evidence = (f"drawing#{number}",)
    moved = (Leg.slot(source, asset, int(units)),), (Leg.slot(target, asset, int(units)),)
    yield Transfer(payment(int(head), place, chain=chain), block, place, asset, *moved, evidence, method)
    if gas:
        burnt = (Leg.slot(source, chain.coin, gas),), (Leg.sink(chain.coin, SinkKind.FEE, gas),)
        yield Transfer(payment(int(head), place, "fee", chain), block, place, chain.coin, *burnt, evidence)


def ledger(text: str, asset: Asset = ETH, coverage: Mapping[str, State] | None = None) -> MemoryLedger:
    """The ledger of a drawing. Every name is read completely, all kinds, unless `coverage` says otherwise of it.

    >>> drawn = ledger('''
    ...     1 victim -> mule 60
    ...     2 mule   -> shop 50 gas 1   # the rest stays
    ... ''')
    >>> [(str(t.id.position), t.units) for t in drawn.transfers]
    [('tx', 60), ('tx', 50), ('fee', 1)]
    """
    drawn = list(transfers(text, asset))
    last = max((transfer.block.number for transfer in drawn), default=0)
    as_of = max((transfer.block.time for transfer in drawn), default=START)
    everyone = {leg.address for transfer in drawn for leg in transfer.inputs + transfer.outputs if leg.address}
    stated = {address(name, asset.chain): state for name, state in (coverage or {}).items()}
    book = CoverageBook()
    for place in sorted(everyone | stated.keys()):
        state = stated.get(place, State.READ)
        if state is State.NOT_ASKED:
            continue
        rows = sum(1 for transfer in drawn for leg in transfer.inputs + transfer.outputs if leg.address == place)
        read = state <= State.UNSTATED
        reason = "" if state <= State.EMPTY else f"drawn as {state.word}"
        kinds = frozenset(Kind) if state <= State.CUT else frozenset[Kind]()
        end = last if read else None
        book.add(Coverage(place, state, kinds, "drawing", "drawing", 0, end, as_of, rows, reason))
    return Ledger.of(drawn, book)
