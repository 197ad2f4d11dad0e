"""kill -9 while a live source is read into a case, at two hundred points: nothing is lost, and nothing kept twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from cases.case_file import Case
from loopback import Asked, listening
from notation import address
from small_source import Row, answering
from tracer.losses import Loss
from tracer.values import Chain

ROOT = Path(__file__).parents[2]
KILLS = 200
HOPS = 6


def world() -> list[Row]:
    """A thief pays a chain of wallets, each in several payments: some pages to read of each."""
    names = ["victim", "thief", *(f"hop{number}" for number in range(HOPS))]
    rows, number = [], 0
    for payer, payee in pairwise(names):
        for _ in range(4):
            number += 1
            rows.append(Row(f"0x{number:064x}", number, address(payer).text, address(payee).text, 1000 * (HOPS + 2)))
    return rows


WORLD = world()

#: One process that has everything imported, and forks another for each line: "CASE URL CALL", CALL the number of the
#: call into the database before which that one dies, 0 for none. It tells the pid, and "ended" after it.
FORKS = """
import itertools, os, signal, sys
from itertools import pairwise
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
import cases.sqlite_file, httpx2, tenacity
from cases.case_file import Case
from cases.investigation import read
from connectors.http.network import Network
from graphs.follow import follow
from graphs.stops import StopRules
from small_source import SmallSource

def work(path, url, at):
    if at:
        calls = itertools.count(1)
        for name in ("write", "rows"):
            def dying(self, *told, real=getattr(cases.sqlite_file.SqliteFile, name)):
                if next(calls) == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(self, *told)
            setattr(cases.sqlite_file.SqliteFile, name, dying)
    clock = itertools.count(1_700_000_000)
    with Case.open(Path(path)) as case:
        tell = lambda told: print("kept", flush=True)
        read(case, [SmallSource(url, Network())], follow, rules=StopRules(), max_requests=999,
             now=lambda: next(clock), progress=tell)
    print("done", flush=True)

print("ready", flush=True)
for line in sys.stdin:
    path, url, at = line.split()
    pid = os.fork()
    if not pid:
        try:
            work(path, url, int(at))
        finally:
            os._exit(0)
    print("pid", pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


class Served:
    """The server, which counts what it was asked and lets whoever asks die at one request, his answer half sent."""

    def __init__(self) -> None:
        self.answer = answering(WORLD)
        self.asked = 0
        self.die_at = 0
        self.victim = 0

    def __call__(self, asked: Asked) -> Iterator[bytes]:
        self.asked += 1
        dies = self.victim and self.asked == self.die_at
        for piece in self.answer(asked):
            yield piece[: len(piece) // 2]
            if dies:
                os.kill(self.victim, signal.SIGKILL)
                return
            yield piece[len(piece) // 2 :]


@pytest.fixture(scope="module")
def forks() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", FORKS, str(ROOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as helper:
        assert helper.stdout
        assert helper.stdout.readline() == "ready\n"
        yield helper
        assert helper.stdin
        helper.stdin.close()
        helper.wait(10)


def run(
    forks: subprocess.Popen[str], path: Path, url: str, served: Served, *, after: float | None = None, at: int = 0,
    call: int = 0,
) -> list[str]:  # fmt: skip
    """One process, killed as told; what it printed."""
    assert forks.stdin
    assert forks.stdout
    served.victim, served.die_at = 0, served.asked + at if at else 0
    forks.stdin.write(f"{path} {url} {call}\n")
    forks.stdin.flush()
    told: list[str] = []
    while (line := forks.stdout.readline()) != "ended\n":
        assert line, "the process that forks is gone"
        told.append(line.strip())
        if line.startswith("pid "):
            served.victim = int(line.split()[1])
            if after is not None:
                time.sleep(after)
                with suppress(ProcessLookupError):  # it was done before
                    os.kill(served.victim, signal.SIGKILL)
    return told


def begun(path: Path) -> None:
    with Case.create(path, at=1, tool="0") as case:
        case.add_loss(Loss("all", Chain.named("ethereum").coin, wallet=address("thief")), at=1)


def facts(path: Path) -> tuple[Counter[tuple[str, int]], list[str]]:
    """What the case holds, each as often as it does, and what is wrong with it."""
    with Case.open(path) as case:
        held = Counter((one.id.tx, one.units) for one in case.ledger().transfers)
        return held, [str(problem) for problem in case.verify()]


PAGES = 2 + 4 * HOPS  # of the thief and each hop but the last, who only got money: 4 pages each
TRUTH = Counter({(row.tx, row.units): 1 for row in WORLD})


def test_a_process_that_is_not_killed_reads_all_of_it(forks: subprocess.Popen[str], tmp_path: Path) -> None:
    served = Served()
    with listening(served) as server:
        begun(tmp_path / "case")
        assert run(forks, tmp_path / "case", server.url, served)[-1] == "done"
    assert facts(tmp_path / "case") == (TRUTH, [])


@pytest.mark.slow
def test_kill_9_at_two_hundred_points_loses_nothing_and_repeats_nothing(
    forks: subprocess.Popen[str], tmp_path: Path
) -> None:
    chance, served = random.Random(200), Served()
    killed, number = Counter[str](), 0
    with listening(served) as server:
        while killed.total() < KILLS:
            number += 1
            path, kept = tmp_path / f"case{number}", 0
            begun(path)
            while True:  # the same command again and again, until one of them gets to the end
                how = chance.choice(["request", "call", "moment"]) if killed.total() < KILLS else "never"
                told = run(
                    forks, path, server.url, served,
                    at=chance.randint(1, 9) if how == "request" else 0,
                    call=chance.randint(1, 250) if how == "call" else 0,
                    after=chance.uniform(0, 0.4) if how == "moment" else None,
                )  # fmt: skip
                held, wrong = facts(path)
                assert wrong == []
                assert held <= TRUTH
                kept += told.count("kept")
                with Case.open(path) as case:
                    assert kept <= case.requests() <= PAGES, "a page that was acknowledged is gone, or is there twice"
                if told[-1] == "done":
                    break
                killed[how] += 1
            assert facts(path) == (TRUTH, [])
            with Case.open(path) as case:
                assert case.requests() == PAGES
    assert min(killed.values()) > KILLS // 10
    assert number < KILLS // 2, "they were killed too late to test anything"
