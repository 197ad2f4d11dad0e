"""The bulk ledger beside its peers, in one run: ingest, ingest again, one loss under all rules, an address's history.

`python benchmarks/bench_bulk.py --size 10M`. What is measured, and where, and the results: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks import bulk_ours as ours
from benchmarks.bulk_figures import Line, centiles, middle, same
from benchmarks.bulk_ledger import SIZES, Facts, facts_of, make, part_of
from benchmarks.bulk_peers import Numbered, Report, Sqlite, drop_caches, fifo, fresh
from benchmarks.bulk_peers import histories as sqlite_histories
from benchmarks.measuring import machine
from cases.table import table
from connectors.labels import read_labels
from tracer.labels import LabelBook

PARTS = ("ingest", "again", "query", "history")
OURS, PEERS = "benchmarks.bulk_ours", "benchmarks.bulk_peers"
ARROW = ("pyarrow", "pyarrow.parquet")
NUMBERS = ("numpy", *ARROW, "numba")
WAYS = ("look up", "pass", "either")
COLD = 5  # addresses and losses asked about with nothing in the caches


@dataclass(frozen=True, slots=True)
class Run:
    """One run over one ledger. `times` is how often ours, and what is quick, is done; `slow_times` the slow peers."""

    parquet: Path
    facts: Facts
    folder: Path
    times: int
    slow_times: int
    seeds: int
    settings: tuple[str, ...]
    what: frozenset[str]

    @property
    def labels(self) -> str:
        """The label file."""
        return str(self.parquet.with_suffix(".labels.csv"))

    @property
    def taken(self) -> str:
        """Our folder of the whole ledger."""
        return str(self.folder / "whole")


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--size", default="1M", help="1M, 10M, 50M or a number of transfers")
    asked.add_argument("--folder", type=Path, help="where to keep the made ledger for another time")
    asked.add_argument("--times", type=int, default=5)
    asked.add_argument("--slow-times", type=int, help="of the script and SQLite's load; default 5, above 1M once")
    asked.add_argument("--seeds", type=int, default=50, help="losses to trace")
    asked.add_argument("--settings", default="default,no floor", help=f"of {', '.join(ours.SETTINGS)}")
    asked.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    asked.add_argument("--only", choices=("ours", "peers"), help="one side alone; no ratios then")
    asked.add_argument("--scan", action="store_true", help="also one loss with the stops off")
    asked.add_argument("--json", type=Path, help="write the figures there")
    asked.add_argument("--against", type=Path, help="figures of a smaller ledger, for the bar between sizes")
    given = asked.parse_args()
    size = SIZES.get(given.size) or int(given.size)
    what = frozenset(given.parts.split(",")) | ({"scan"} if given.scan else set())
    what |= {given.only} if given.only else {"ours", "peers"}
    print(machine())
    with _ledger(given.folder, given.size, size) as (parquet, folder):
        facts = facts_of(parquet)
        slow = given.slow_times or (5 if size <= SIZES["1M"] else 1)
        run = Run(parquet, facts, folder, given.times, slow, given.seeds, tuple(given.settings.split(",")), what)
        print(_about(run))
        lines = [*_ingest(run), *_again(run), *_queries(run, given.against), *_histories(run)]
        headings = ["what", "unit", "ours", "peer", "theirs", "ours / theirs", "bar"]
        print(table(headings, [line.cells for line in lines], 5, None, colour=False))
    if given.json:
        told = [asdict(line) | {"ratio": line.ratio, "met": line.met} for line in lines]
        made = {name: value for name, value in asdict(facts).items() if name not in ("losses", "asked")}
        given.json.write_text(json.dumps({"machine": machine(), "ledger": made, "lines": told}, indent=1))


@contextmanager
def _ledger(keep: Path | None, name: str, size: int) -> Iterator[tuple[Path, Path]]:
    """The made ledger, and a folder for all else that goes away afterwards."""
    with tempfile.TemporaryDirectory(dir=keep) as folder:
        parquet = (keep or Path(folder)) / f"{name}.parquet"
        if not parquet.with_suffix(".facts.json").is_file():
            make(parquet, size)
        yield parquet, Path(folder)


def _about(run: Run) -> str:
    facts, size = run.facts, run.parquet.stat().st_size
    told = (
        f"{facts.rows:,} transfers, {facts.addresses:,} addresses, {facts.seen_once / facts.addresses:.0%} seen once, "
        f"the busiest {facts.busiest:,} times, {facts.labels} labels, Parquet {size / 1e6:,.0f} MB"
    )
    return f"{told}\nmedians of {run.times} of ours and of pyarrow, of {run.slow_times} of the script and of SQLite\n"


def _ingest(run: Run) -> Iterator[Line]:
    """A whole file into a new folder, each time in a new process, taking turns with pyarrow."""
    encoding: dict[str, list[Report]] = {"addresses": [], "all columns": []}
    taking: list[Report] = []
    if "ingest" in run.what or ("ours" in run.what and run.what & {"query", "history", "scan"}):
        for number in range(run.times + 1 if "ingest" in run.what else 1):
            if "ours" in run.what:
                shutil.rmtree(run.taken, ignore_errors=True)
                taking.append(fresh(f"{OURS}:ingest", [str(run.parquet)], run.taken, imports=NUMBERS))
            for name, columns in (("addresses", ["from_address", "to_address"]), ("all columns", None)):
                if {"peers", "ingest"} <= run.what:
                    encoding[name].append(fresh(f"{PEERS}:encode", str(run.parquet), columns, imports=ARROW))
            if not number and "ingest" in run.what:  # the first finds nothing compiled and nothing cached
                taking, encoding = [], {name: [] for name in encoding}
    if "ingest" not in run.what:
        return
    for what, unit, of, bar in (("ingest", "s", "wall", 1.1), ("ingest, memory", "MB", "megabytes", 0.6)):
        figure = middle(getattr(one, of) for one in taking)
        for name, reports in encoding.items():
            theirs = middle(getattr(one, of) for one in reports)
            yield Line(what, unit, figure, f"pyarrow, {name}", theirs, most_of_theirs=bar)
    if taking:
        size = sum(file.stat().st_size for file in Path(run.taken).rglob("*") if file.is_file())
        yield Line("folder", "MB a million transfers", size / run.facts.rows)


def _again(run: Run) -> Iterator[Line]:
    """A tenth of the ledger, half of which is there already."""
    if "again" not in run.what:
        return
    rows = run.facts.rows
    base, more = run.folder / "base.parquet", run.folder / "more.parquet"
    part_of(run.parquet, 0, rows * 95 // 100, base)
    part_of(run.parquet, rows * 9 // 10, rows, more)
    takes: list[float] = []
    loads: list[tuple[float, float, float]] = []
    if "ours" in run.what:
        once = run.folder / "once"
        fresh(f"{OURS}:ingest", [str(base)], str(once), imports=NUMBERS)
        for _ in range(run.times):
            again = run.folder / "again"
            shutil.copytree(once, again)
            took = fresh(f"{OURS}:ingest", [str(more)], str(again), imports=NUMBERS)
            same("rows added", took.value["added"], rows - rows * 95 // 100)
            takes.append(took.wall)
            shutil.rmtree(again)
        shutil.rmtree(once)
    if "peers" in run.what:
        sqlite = Sqlite(run.folder / "transfers.db")
        for _ in range(run.slow_times):
            inserted, indexed = sqlite.load(base)
            again_took, added = sqlite.load_again(more)
            same("rows added by SQLite", added, rows - rows * 95 // 100)
            loads.append((again_took, inserted, indexed))
    yield Line(f"ingest of {rows // 10:,} again", "s", middle(takes), "SQLite", middle(one[0] for one in loads),
               most_of_theirs=0.2)  # fmt: skip
    yield Line("load of 95 %", "s", None, "SQLite", middle(one[1] + one[2] for one in loads))


def _queries(run: Run, against: Path | None) -> Iterator[Line]:
    """One loss at half of the ledger, all rules and the ends."""
    if not run.what & {"query", "scan"}:
        return
    peer, seconds, script = f"script, {run.facts.rows:,} rows", None, None
    if "peers" in run.what:
        script, seconds = _script(run, run.facts.losses[0])
        if "ours" not in run.what:
            yield Line("one loss, one rule", "s", None, peer, seconds)
    if "ours" not in run.what:
        return
    labels = ours.labels_of(run.labels)
    losses = run.facts.losses[:: max(len(run.facts.losses) // run.seeds, 1)][: run.seeds]
    for settings in run.settings if "query" in run.what else ():
        ours.answer(ours.opened(run.taken), labels, losses[-1], settings)
        found = [ours.answer(ours.opened(run.taken), labels, tx, settings) for tx in losses]
        p50, p95 = centiles([one.process for one in found])
        default = settings == "default"
        what = f"one loss, five rules, {settings}"
        yield Line(f"{what}, p50", "s", p50, peer, seconds, most=0.05 if default else None)
        yield Line(f"{what}, p50", "s", p50, peer, seconds, most_of_theirs=1 / 300)
        yield Line(f"{what}, p95", "s", p95, most=1.0 if default else None)
        print(_told(settings, found))
        if default and against:
            before = {line["what"]: line["ours"] for line in json.loads(against.read_text())["lines"]}
            yield Line(f"{what}, p50", "s", p50, "the smaller ledger", before[f"{what}, p50"], most_of_theirs=2)
    if "query" in run.what:
        cold = []
        for tx in losses[:COLD]:
            drop_caches([Path(run.taken)])
            cold.append(fresh(f"{OURS}:first_answer", run.taken, run.labels, tx).wall)
        yield Line("first answer, cold", "s", middle(cold), most=2.0)
    if "scan" in run.what:
        for tx in losses[:2]:
            answers = {way: ours.answer(ours.opened(run.taken), labels, tx, "stops off", way) for way in WAYS}
            answer = answers["either"]
            same("ends by either way", len({repr((one.ends, one.fifo)) for one in answers.values()}), 1)
            what = f"one loss, five rules, stops off, {answer.followed:,} followed"
            yield _chosen(what, {way: one.process for way, one in answers.items()})
            yield Line(what, "s", answer.process, peer, seconds)
            print(_told("stops off", [answer]))
            if script is not None and tx == run.facts.losses[0]:
                print(
                    f"first in, first out: {'the same ends' if answer.fifo == script else 'OTHER ENDS'} as the script"
                )
        yield from _scans(run, labels, losses)


def _chosen(what: str, times: Mapping[str, float]) -> Line:
    """What is chosen beside the better of the two ways."""
    better = min(WAYS[:2], key=lambda way: times[way])
    return Line(what, "s", times["either"], f"better of both: {better}", times[better], most_of_theirs=1.5)


def _scans(run: Run, labels: LabelBook, losses: Sequence[str]) -> Iterator[Line]:
    """Lots moved with everybody followed but the labels: the better of looking up and passing, and what is chosen."""
    for tx in losses[:COLD]:
        times: dict[str, float] = {}
        told: set[str] = set()
        for way in WAYS:
            times[way], steps, found = ours.moved(ours.opened(run.taken), labels, tx, way)
            told.add(found)
        same("ways to the same lots", len(told), 1)
        yield _chosen(f"lots moved, everybody followed, {steps:,} payments", times)


def _script(run: Run, tx: str) -> tuple[dict[str, int], float | None]:
    """The script's ends, by address, and its median seconds."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    column = pq.read_table(run.parquet, columns=["hash"])["hash"]
    row = pc.index(column, tx).as_py()
    ledger = Numbered.of(run.parquet)
    labelled = {label.address.text.lower() for label in read_labels(Path(run.labels)).labels}
    numbers = {number for number, text in enumerate(ledger.addresses) if text in labelled}
    done = [fifo(ledger, numbers, row) for _ in range(run.slow_times)]
    return {ledger.addresses[at]: units for at, units in done[0][0].items()}, middle(one[1] for one in done)


def _told(settings: str, found: Sequence[ours.Answer]) -> str:
    """What a setting leaves out: the stops and the largest part of a loss, under any rule, that rests at each."""
    stops = sorted({stop for one in found for stop in one.shares})
    shares = (f"{stop} {max(one.shares.get(stop, 0) for one in found):.2g}" for stop in stops)
    followed, ends = ([getattr(one, name) for one in found] for name in ("followed", "ends"))
    mean = ", ".join(f"{stop} {sum(one.shares.get(stop, 0) for one in found) / len(found):.2g}" for stop in stops)
    wall50, wall95 = centiles([one.wall for one in found])
    return "\n".join((
        f"settings {settings!r}: {ours.SETTINGS[settings]}",
        f"  {len(found)} losses; addresses followed {median(followed):g}, at most {max(followed):,}; ends "
        f"{median(ends):g}, at most {max(ends):,}",
        f"  times are of the process; on the clock p50 {wall50:.3f} s, p95 {wall95:.3f} s",
        f"  part of the loss at each stop under the rule that puts most there, mean: {mean}",
        f"  at most: {', '.join(shares)}",
    ))  # fmt: skip


def _histories(run: Run) -> Iterator[Line]:
    """All transfers of an address in order of time; addresses drawn by activity, so hubs count."""
    if "history" not in run.what:
        return
    asked = list(run.facts.asked)
    sqlite = Sqlite(run.folder / "transfers.db")
    if "peers" in run.what and "again" not in run.what:
        sqlite.load(run.parquet)
    ours_imports, their_imports = (*NUMBERS, OURS, "connectors.bulk.ledger"), ("tracer.values",)
    ways: dict[str, tuple[Callable[..., Any], str, tuple[bool, ...], Collection[str]]] = {
        "history": (ours.histories, run.taken, (), ours_imports),
        "history, as Transfers": (ours.histories, run.taken, (True,), ours_imports),
        "SQLite": (sqlite_histories, str(sqlite.path), (), ()),
        "SQLite, as Transfers": (sqlite_histories, str(sqlite.path), (True,), their_imports),
    }
    figures: dict[str, tuple[float | None, float | None, float | None]] = {}
    counted: dict[str, int] = {}
    for way, (call, where, how, imports) in ways.items():
        theirs = call is sqlite_histories
        if ("peers" if theirs else "ours") not in run.what:
            figures[way] = None, None, None
            continue
        call(where, asked, *how)
        runs = [call(where, asked, *how) for _ in range(run.times)]
        warm = centiles([median(times) for times in zip(*(one[0] for one in runs), strict=True)])
        counted[way] = runs[0][1]
        cold = []
        for address in asked[:COLD]:
            drop_caches(sqlite.files if theirs else [Path(where)])
            done = fresh(f"{call.__module__}:{call.__name__}", where, [address], *how, imports=imports)
            cold.append(done.value[0][0])
        figures[way] = 1000 * warm[0], 1000 * warm[1], 1000 * median(cold)
    for count in counted.values():
        same("transfers in all histories", count, next(iter(counted.values())))
    objects = "history, as Transfers"
    for way, peer in (("history", "SQLite"), (objects, "SQLite, as Transfers"), (objects, "SQLite")):
        for what, mine, other, bar in zip(
            ("warm, p50", "warm, p95", "cold"), figures[way], figures[peer], (0.5, None, 2), strict=True
        ):
            yield Line(f"{way}, {what}", "ms", mine, peer, other, most_of_theirs=bar)


if __name__ == "__main__":
    main()
