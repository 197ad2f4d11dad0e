"""How long the demo case takes: reading, following, the envelope, starting the command; and what it asks of a source.

`python benchmarks/bench_demo.py`. What the figures mean and where they were measured: docs/benchmarks.md.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import Times, bar, machine, measured, measured_commands
from benchmarks.whole_network import most_at, whole_network
from cases.case_file import Case
from cases.demo import EXPLOITER, FACTS
from cases.investigation import read
from cases.starting import start
from cases.table import table
from cases.tracing import Question, trace
from connectors.labels import read_labels
from connectors.transfer_file import TransferFile
from graphs.follow import follow
from graphs.following import Following
from graphs.known import known_until
from graphs.stops import StopRules
from tracer.ledger import Ledger
from tracer.values import Chain

HEAVY = ("pandas", "networkx", "web3", "neo4j", "numpy")
QUESTION = Question(EXPLOITER, Chain.named("ethereum"), victim="Ronin bridge")
AT = 1_700_000_000
TRACE_BAR, ENVELOPE_BAR, START_BAR, ASKED_BAR = 1.0, 2.0, 4.0, 1.5  # seconds, seconds, times, answers a wallet


def main() -> None:
    """Measure and print."""
    print(f"{machine()}\nmedians of 5 after a warm-up; seconds of process and of wall time\n")
    with tempfile.TemporaryDirectory() as folder:
        given = _case_figures(Path(folder))
    _start_figures()
    asked = given["requests"]
    told = f"{asked['asked']} answers for {asked['wallets']} wallets that stolen value passes through"
    print(f"asked of the source: {told}, ratio {asked['ratio']}; {bar(float(asked['ratio']), ASKED_BAR, 'a wallet')}")


def _case_figures(folder: Path) -> dict[str, Any]:
    """(a) and (b): the case built once, then each part of the work on it by itself."""
    names = (folder / f"{number}.fundtrail" for number in count())
    path = next(names)
    with _read_into(path, TransferFile(FACTS)):
        pass
    with Case.open(path) as case:
        ledger, labels, losses = case.ledger(), case.labels(), case.losses()
        given = trace(case, QUESTION, [], now=lambda: AT)
        found = follow(ledger, labels, losses, spent=True)
        found.traces()

        def copied() -> Ledger:  # the same transfers, none of what an earlier run left remembered
            return ledger.with_more(())

        def fresh() -> Following:
            return follow(copied(), labels, losses, spent=True)

        rows = [
            ("read the facts through the loop into a new case", _reading(lambda: next(names)), None),
            ("ledger from the case", measured(lambda: None, lambda _: case.ledger()), None),
            (
                "follow and trace, five rules, from the ledger",
                measured(copied, lambda new: follow(new, labels, losses, spent=True).traces()),
                TRACE_BAR,
            ),
            ("envelope of all ends", measured(fresh, Following.bounds), ENVELOPE_BAR),
            (
                "cases.tracing.trace, asked again, envelope included",
                measured(lambda: None, lambda _: trace(case, QUESTION, [], now=lambda: AT)),
                TRACE_BAR,
            ),
        ]
    followed = len(found.followed)
    print(f"the demo case: {len(ledger):,} transfers, {followed} wallets followed, {len(given['ends'])} ends")
    print(_timed(rows))
    _peer(found, rows[3][1])
    return given


@contextmanager
def _read_into(path: Path, source: TransferFile) -> Iterator[Case]:
    """A new case with the facts read into it, as `fundtrail demo` reads them; no answer yet."""
    with Case.create(path, at=AT) as case:
        case.pin_labels(read_labels(FACTS / "labels.csv"), at=AT)
        start(
            case, QUESTION.start, chain=QUESTION.chain, victim=QUESTION.victim, connectors=[source], now=lambda: AT
        )  # fmt: skip
        read(case, [source], follow, rules=StopRules(), max_requests=QUESTION.max_requests, now=lambda: AT)
        yield case


def _reading(path: Callable[[], Path]) -> Times:
    def work(source: TransferFile) -> None:
        with _read_into(path(), source):
            pass

    return measured(lambda: TransferFile(FACTS), work)


def _timed(rows: list[tuple[str, Times, float | None]]) -> str:
    cells = [[what, "" if most is None else bar(times.process, most), *times.cells] for what, times, most in rows]
    return table(["what", "bar (process time)", "process", "wall"], cells, 2, None, colour=False) + "\n"


def _peer(found: Following, ours: Times) -> None:
    """networkx, the most of one end on the whole network, beside ours, the least and the most of all ends."""
    bounds = found.bounds()
    place = max((place for place in bounds if not bounds[place].rule_independent), key=lambda at: bounds[at].most)
    known, rows, agree = known_until(found.ledger, found.followed), [], True
    for what, every_event in (("a node per event", True), ("a node per inflow", False)):
        graph = whole_network(found.ledger, found.seeds, known, every_event=every_event)
        peer = measured(lambda graph=graph: graph, lambda graph: most_at(graph, place))  # type: ignore[misc]  # mypy cannot type a default
        agree = agree and most_at(graph, place) == bounds[place].most
        size = f"{graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} arcs"
        rows.append([what, size, *peer.cells, f"{ours.process / peer.process:.2f}"])
    print(f"peer: networkx preflow_push, only the most at only one end of {len(bounds)}, network built beforehand")
    print(table(["network", "size", "process", "wall", "ours / peer"], rows, 3, None, colour=False))
    print(f"the end: {place.address}; its most is {'the same' if agree else 'ANOTHER'} as in our envelope\n")


def _start_figures() -> None:
    """(c): the command against a bare interpreter, and what it imports."""
    command = shutil.which("fundtrail", path=str(Path(sys.executable).parent))
    if command is None:
        print("fundtrail is not installed beside this Python: the start of the command is not measured\n")
        return
    bare, ours = measured_commands([[sys.executable, "-c", "pass"], [sys.executable, command, "--help"]])
    ratio = ours.process / bare.process
    rows = [("python -c pass", bare, ""), ("fundtrail --help", ours, bar(round(ratio, 2), START_BAR, "times bare"))]
    cells = [[what, met, *times.cells] for what, times, met in rows]
    print("start of the command, medians of 15, taking turns, byte code compiled beforehand")
    print(table(["what", "bar (process time)", "process", "wall"], cells, 2, None, colour=False))
    print(f"ratio: process {ratio:.2f}, wall {ours.wall / bare.wall:.2f}")
    told = subprocess.run(
        [sys.executable, "-X", "importtime", command, "--help"], check=True, capture_output=True, text=True
    ).stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines() if "|" in line}
    heavy = [name for name in HEAVY if name in imported]
    print(f"imported of {', '.join(HEAVY)}: {', '.join(heavy) or 'none'}; {'MISSED' if heavy else 'met'}: none\n")


if __name__ == "__main__":
    main()
