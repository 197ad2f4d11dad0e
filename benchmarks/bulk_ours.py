"""What is timed of ours: ingest, a trace from one loss, an address's history. Imports nothing that a trace does not.

The first answer is timed from the first import in a process of its own, so this file must stay as light as the command.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from connectors.labels import read_labels
from graphs.behaviour import Behaviour
from graphs.follow import follow
from graphs.following import Following
from graphs.seeds import seeds_of
from graphs.stops import StopRules
from tracer import steps
from tracer.addresses import parse
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.engine import move
from tracer.labels import LabelBook
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.values import Address, Chain

if TYPE_CHECKING:
    from connectors.bulk.ledger import BulkLedger
    from tracer.ledger import Ledger

NEVER = 10**9
#: Settings by name. "stops off": labels still stop the trace, nothing else does.
SETTINGS = {
    "default": StopRules(),
    "no floor": StopRules(dust_one_in=0, diluted_one_in=0),
    "stops off": StopRules(
        dust_one_in=0, diluted_one_in=0, window_days=0, hops=NEVER, service_counterparties=NEVER,
        service_daily=NEVER, deposit_score=101,
    ),
}  # fmt: skip


_BEHAVIOUR: dict[tuple[int, str], Behaviour] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One loss; `ends` under any rule. `shares`: stop -> the largest part of the loss that any rule has there."""

    wall: float
    process: float
    followed: int
    ends: int
    shares: dict[str, float]
    fifo: dict[str, int]  # address -> units, first in, first out


def ingest(paths: Sequence[str], folder: str) -> dict[str, int]:
    """Take ethereum-etl files into the folder; what was added, repeated and refused."""
    from connectors.bulk.ingest import ingest as take
    from connectors.bulk.readers import open_reader

    files = [Path(path) for path in paths]
    done = take(files, Path(folder), reader=open_reader(files[0], "ethereum-etl"), whole=True)
    return {name: getattr(done, name) for name in ("rows", "added", "repeated", "rejected")}


def opened(folder: str) -> BulkLedger:
    """The ledger of a folder; the extract is stated to be whole, so every address in it was read."""
    from connectors.bulk.ledger import BulkLedger

    return BulkLedger(Path(folder))


def in_memory(parquet: str) -> Ledger:
    """The reference: the same ledger as Python objects. For small ones, to check this benchmark itself."""
    from benchmarks.bulk_peers import sqlite_rows
    from tracer.ledger import Ledger
    from tracer.values import Block, Leg, Transfer, TransferId

    eth = Chain.named("ethereum")

    def transfers() -> Iterable[Transfer]:
        for rows in sqlite_rows(Path(parquet)):
            for tx, _, block, place, at, payer, payee, amount in rows:
                one, other = (parse("0x" + side.hex(), eth) for side in (payer, payee))
                yield Transfer(
                    TransferId(eth, "0x" + tx.hex()), Block(block, at), place, eth.coin,
                    (Leg.slot(one, eth.coin, int(amount)),), (Leg.slot(other, eth.coin, int(amount)),), ("made up",),
                )  # fmt: skip

    return Ledger.of(transfers(), Everybody())


class Everybody(CoverageBook):
    """Everybody was read to the end of the extract."""

    def of(self, address: Address) -> Coverage:
        """Read."""
        return Coverage(address, State.READ, frozenset(Kind), "a whole extract")


def labels_of(path: str) -> LabelBook:
    """The services that stop a trace."""
    return LabelBook(read_labels(Path(path)).labels)


def loss_of(ledger: Ledger, tx: str) -> Loss:
    """All that the only transfer of `tx` moved."""
    (moved,) = ledger.of_tx(Chain.named("ethereum"), tx)
    return Loss("loss-1", moved.asset, "a benchmark", paid=moved.id)


def followed(ledger: Ledger, labels: LabelBook, tx: str, settings: str) -> Following:
    """One loss followed under all rules; a hook for the ways that `--scan` compares.

    How addresses behave is asked once for a ledger and its labels, and holds for every loss in it.
    """
    key = id(ledger), settings
    if key not in _BEHAVIOUR:
        _BEHAVIOUR[key] = Behaviour(ledger, labels, SETTINGS[settings])
    found = follow(
        ledger, labels, [loss_of(ledger, tx)], SETTINGS[settings], spent=True, behaviour=_BEHAVIOUR[key]
    )  # fmt: skip
    found.traces()
    return found


def answer(ledger: Ledger, labels: LabelBook, tx: str, settings: str = "default", way: str = "either") -> Answer:
    """One loss, timed; `way` as for `going`."""
    wall, process = time.perf_counter(), time.process_time()
    with going(way):
        found = followed(ledger, labels, tx, settings)
    wall, process = time.perf_counter() - wall, time.process_time() - process
    shares: dict[str, float] = {}
    for trace in found.traces().values():
        by_stop: dict[str, int] = {}
        for end in trace.ends:
            by_stop[end.stop.value] = by_stop.get(end.stop.value, 0) + end.units
        for stop, units in by_stop.items():
            shares[stop] = max(shares.get(stop, 0.0), units / trace.books.lost)
    traces = found.traces()
    ends = {end.place for trace in traces.values() for end in trace.ends}
    fifo = {end.place.address.text.lower(): end.units for end in traces[Rule.FIFO].ends if end.place.address}
    return Answer(wall, process, len(found.followed), len(ends), shares, fifo)


class _Everybody(dict[int, int]):
    """All holdings are followed to the end, but those of the labels."""

    def __init__(self, ledger: Ledger, labels: LabelBook) -> None:
        super().__init__()
        self._last = len(ledger)
        self._labelled = {hid for address in labels.addresses() for hid in ledger.holdings_of(address)}

    def __contains__(self, hid: object) -> bool:
        return hid not in self._labelled

    def get(self, hid: int, default: Any = None) -> Any:
        return default if hid in self._labelled else self._last


@contextmanager
def going(way: str) -> Iterator[None]:
    """Lots move on by "look up" of every step alone, by a "pass" of all rows alone, or by "either", as it is chosen."""
    choice = steps.pass_on, steps.look_on
    if way != "either":
        steps.pass_on, steps.look_on = (lambda *_: way == "pass"), (lambda *_: False)
    try:
        yield
    finally:
        steps.pass_on, steps.look_on = choice


def moved(ledger: Ledger, labels: LabelBook, tx: str, way: str) -> tuple[float, int, str]:
    """One loss moved pro rata with everybody followed: seconds of the process, how many payments, and their digest.

    `way` as for `going`.
    """
    following, seeds = _Everybody(ledger, labels), seeds_of(ledger, [loss_of(ledger, tx)])
    with going(way):
        began = time.process_time()
        moves = move(ledger, seeds, following, Rule.PRO_RATA)
        seconds = time.process_time() - began
    told = repr((moves.flows, sorted(moves.rest.items()))).encode()
    return seconds, len(moves.flows), hashlib.sha256(told).hexdigest()


def first_answer(folder: str, labels: str, tx: str) -> int:
    """From nothing to the ends of all rules; how many ends."""
    return answer(opened(folder), labels_of(labels), tx).ends


def histories(folder: str, asked: Sequence[str], complete: bool = False) -> tuple[list[float], int]:
    """As `bulk_peers.histories`: seconds for each address, the first with the opening of the folder in it.

    `complete`: each line as a Transfer, with its hash, both addresses and evidence, as the ledger's other users get it;
    else who is on the other side is a number, and the hash is not read.
    """
    seconds, found = [], 0
    chain = Chain.named("ethereum")
    began = time.perf_counter()
    ledger = opened(folder)
    for text in asked:
        lines = ledger.history(parse(text, chain))
        told = [ledger.transfer(line.ordinal) for line in lines] if complete else lines
        seconds.append(time.perf_counter() - began)
        found += len({line.ordinal for line in lines}) if told else 0  # who paid itself has two lines
        began = time.perf_counter()
    return seconds, found
