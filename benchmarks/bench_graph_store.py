"""The graph of a case in Neo4j and in SQLite: writing beside the bare driver, memory while pushing, questions.

`python benchmarks/bench_graph_store.py [--size N] [--rounds N]`. It starts a server of its own, as the tests do, and
ends without one where there are no jars. What the figures show and what they do not: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from benchmarks.measuring import machine  # noqa: E402 - needs the path above
from cases.case_file import Case  # noqa: E402 - needs the path above
from cases.demo import run_demo  # noqa: E402 - needs the path above
from cases.graph import questions  # noqa: E402 - needs the path above
from cases.graph.access import Access  # noqa: E402 - needs the path above
from cases.graph.batching import batches  # noqa: E402 - needs the path above
from cases.graph.neo4j_session import Database  # noqa: E402 - needs the path above
from cases.graph.neo4j_store import BATCH, Neo4jGraph  # noqa: E402 - needs the path above
from cases.graph.nouns import Place  # noqa: E402 - needs the path above
from cases.graph.protocol import GraphStore  # noqa: E402 - needs the path above
from cases.graph.sqlite_store import SqliteGraph  # noqa: E402 - needs the path above
from cases.table import table  # noqa: E402 - needs the path above
from neo4j_server import PASSWORD, Server, jars  # noqa: E402 - needs the path above
from tracer.values import Address, Block, Chain, Leg, Transfer, TransferId  # noqa: E402 - needs the path above

ETHEREUM = Chain.named("ethereum")
PUSH_BAR = 5.0  # seconds for the whole command, the server warm
Took = tuple[float, float]


def made_up(count: int, seed: int) -> Iterator[Transfer]:
    """Payments among a third as many addresses, a few of which deal with very many; amounts in wei, all digits."""
    chance, asset, people = random.Random(seed), ETHEREUM.coin, max(2, count // 3)
    for n in range(count):
        one, two = (Address(ETHEREUM, f"0x{int(people * chance.random() ** 2):040x}") for _ in range(2))
        id = TransferId(ETHEREUM, f"0x{seed:08x}{n:056x}")
        moved = chance.randint(1, 10**21)
        legs = (Leg.slot(one, asset, moved),), (Leg.slot(two, asset, moved),)
        yield Transfer(id, Block(n // 100, 1_600_000_000 + n), n % 100, asset, *legs, (f"sha256:{n:064x}#1",))


def bare(database: Database, case: str, prepared: list[list[tuple[str, Any]]]) -> None:
    """The driver alone, sending batches that are ready: one transaction each."""
    with database._driver.session() as session:
        for steps in prepared:

            def work(tx: Any, steps: list[tuple[str, Any]] = steps) -> None:
                for statement, rows in steps:
                    if rows:
                        tx.run(statement, rows=rows, case=case).consume()

            session.execute_write(work)


def writing(database: Database, count: int, rounds: int) -> list[list[str]]:
    """Transfers a second by us and by the bare driver, taking turns, on new addresses each time."""
    ours, theirs = list[float](), list[float]()
    for number in range(-2, rounds * 2):  # the first two warm the server up, and do not count
        facts, graph = list(made_up(count, seed=number + 3)), Neo4jGraph(database, f"bench-{time.time_ns()}")
        if number % 2:
            began = time.perf_counter()
            graph.write_transfers(facts)
            ours.append(count / (time.perf_counter() - began))
        else:
            prepared = [list(graph.transfer_steps(batch)) for batch in batches(facts, BATCH)]
            database.change("MERGE (c:Case {name: $case})", case=graph.case)
            began = time.perf_counter()
            bare(database, graph.case, prepared)
            theirs.append(count / (time.perf_counter() - began))
    ours, theirs = ours[1:], theirs[1:]
    ratio = median(ours) / median(theirs)
    return [["written, transfers a second", f"{median(ours):,.0f}", f"{median(theirs):,.0f}", f"{ratio:.2f}"]]


def pushing(database: Database, count: int) -> list[list[str]]:
    """Memory of this process while `count` transfers are written, by quarters: flat if they are the same."""
    graph, peaks = Neo4jGraph(database, f"bench-{time.time_ns()}"), list[int]()

    def watched() -> Iterator[Transfer]:
        for done, one in enumerate(made_up(count, seed=99), start=1):
            if done % max(1, count // 4) == 0:
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
            yield one

    began = time.perf_counter()
    graph.write_transfers(watched())
    took = time.perf_counter() - began
    told = ", ".join(f"{peak} MB" for peak in peaks)
    return [[f"{count:,} transfers pushed, {took:,.0f} s: most memory after each quarter", told, "", ""]]


def asked(database: Database, count: int, rounds: int) -> list[list[str]]:
    """Milliseconds of the same questions of both stores, the median over places."""
    embedded, remote = SqliteGraph(), Neo4jGraph(database, f"bench-{time.time_ns()}")
    facts = list(made_up(count, seed=7))
    embedded.write_transfers(facts)
    remote.write_transfers(facts)
    chance = random.Random(5)
    places = [Place.of(chance.choice(facts).inputs[0].address or Address(ETHEREUM, "")) for _ in range(rounds * 5)]
    works: list[tuple[str, Callable[[GraphStore, Place], object]]] = [
        ("neighbours", lambda store, place: questions.neighbours(store, place, out=True)),
        ("ways of 3 payments, forward", lambda store, place: questions.paths(store, place, hops=3, most=200)),
        ("ways of 3 payments, back", lambda store, place: questions.paths(store, place, out=False, hops=3, most=200)),
    ]
    rows = []
    stores: tuple[GraphStore, ...] = embedded, remote
    for name, work in works:
        took: list[list[float]] = [[], []]
        for place in places:
            given = []
            for at, store in enumerate(stores):
                began = time.perf_counter()
                given.append(work(store, place))
                took[at].append((time.perf_counter() - began) * 1000)
            assert given[0] == given[1], "the stores do not agree"
        one, two = median(took[0]), median(took[1])
        rows.append([f"{name}, ms: SQLite, Neo4j", f"{one:.1f}", f"{two:.1f}", f"{two / one:.1f}"])
    embedded.close()
    return rows


def demo(access: Access, folder: Path, rounds: int = 5) -> list[list[str]]:
    """The Ronin case pushed, with all its evidence, by the whole command in a process of its own; again after a note.

    The server has answered before; the first round warms it up further and does not count.
    """
    run_demo(folder, now=lambda: 1_700_000_000)
    path, first, second = folder / "ronin2022.fundtrail", list[Took](), list[Took]()
    for _ in range(rounds + 1):
        name = f"ronin-{time.time_ns()}"
        first.append(command(access, "push", str(path), "--name", name))
        with Case.open(path) as case:
            case.record("note", {"text": name}, at=1_700_000_000)
        second.append(command(access, "push", str(path), "--name", name))
    rows = []
    for what, took in (("the Ronin case pushed", first), ("the same again after a note", second)):
        wall, own = (median(one[at] for one in took[1:]) for at in (0, 1))
        met = ("met" if wall < PUSH_BAR else "MISSED") if took is first else ""
        told = f"{what}, the whole command, s: wall, processor time of our own"
        rows.append([told, f"{wall:.2f}", f"{own:.2f}", met])
    return rows


def command(access: Access, *words: str) -> Took:
    """(wall, processor time) of `fundtrail neo4j ...`, in seconds."""
    known = {"NEO4J_URI": access.uri, "NEO4J_USERNAME": access.username, "NEO4J_PASSWORD": access.password}
    run = [sys.executable, "-m", "cli", "neo4j", *words]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(run, check=True, env={**os.environ, **known}, cwd=ROOT, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run all parts and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=20_000, help="transfers to write (1000000 by hand)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--push", type=int, default=0, help="transfers to push while memory is watched; else --size")
    chosen = parser.parse_args()
    lib = jars()
    if lib is None:
        print("no jars of a Neo4j server here: nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        started = Server(Path(folder) / "neo4j", lib)
        try:
            started.start()
            access = Access(started.uri, "neo4j", PASSWORD)
            with Database(access) as database:
                rows = writing(database, chosen.size, chosen.rounds)
                rows += demo(access, Path(folder) / "demo")
                rows += asked(database, min(chosen.size, 50_000), chosen.rounds)
                rows += pushing(database, chosen.push or chosen.size)
        finally:
            started.kill()
    print(table(["what", "ours", "beside", "ratio"], rows, 3, None, colour=False))
    print(machine())


if __name__ == "__main__":
    main()
