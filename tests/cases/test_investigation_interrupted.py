"""Interrupted anywhere, an investigation loses nothing, repeats nothing and ends with the same answer."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.investigation import investigate
from graphs.stops import StopRules
from made_up import LATER, REQUESTS, Clock, MadeUp, answer
from notation import ETH, address
from tracer.errors import CaseDamaged
from tracer.losses import Loss

KILLS = 20
HERE = Path(__file__).parents[1]


def opened(path: Path) -> Case:
    """The case at `path`, made if there is none, with the loss."""
    case = Case.open(path) if path.exists() else Case.create(path, at=LATER, tool="0")
    case.add_loss(Loss("all", ETH, wallet=address("thief")), at=LATER)
    return case


def finished(path: Path, source: MadeUp) -> str:
    """The answer once nothing interrupts."""
    with opened(path) as case:
        found = investigate(case, [source], rules=StopRules(), max_requests=999, now=Clock())
        assert case.verify() == []
        assert case.requests() == REQUESTS
        return answer(case, found)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    return finished(tmp_path_factory.mktemp("whole") / "case", MadeUp())


class Interrupts:
    """Ctrl-C at one request."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, request: int) -> None:
        if request == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", range(REQUESTS))
def test_ctrl_c_at_any_request_loses_nothing_and_repeats_nothing(at: int, uninterrupted: str, tmp_path: Path) -> None:
    first, second = MadeUp(before=Interrupts(at)), MadeUp()
    with opened(tmp_path / "case") as case, pytest.raises(KeyboardInterrupt):
        investigate(case, [first], rules=StopRules(), max_requests=999, now=Clock())
    assert len(first.asked) == at
    assert finished(tmp_path / "case", second) == uninterrupted
    assert sorted(first.asked + second.asked) == sorted(set(first.asked + second.asked))
    assert len(first.asked + second.asked) == REQUESTS


def test_ctrl_c_at_every_request_in_turn_gets_there_all_the_same(uninterrupted: str, tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []
    for _ in range(REQUESTS):
        source = MadeUp(before=Interrupts(1))
        with opened(tmp_path / "case") as case:
            try:
                investigate(case, [source], rules=StopRules(), max_requests=999, now=Clock())
            except KeyboardInterrupt:
                assert len(source.asked) == 1
        asked += source.asked
    assert len(set(asked)) == len(asked) == REQUESTS
    assert finished(tmp_path / "case", MadeUp()) == uninterrupted


def test_an_interruption_while_a_page_is_being_kept_keeps_nothing_of_it(
    uninterrupted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with opened(tmp_path / "case") as case:
        with monkeypatch.context() as patch:
            patch.setattr("cases.pages.keep_problems", interrupted)
            with pytest.raises(KeyboardInterrupt):
                investigate(case, [MadeUp()], rules=StopRules(), max_requests=999, now=Clock())
        assert len(case.ledger()) == case.requests() == 0
        assert case.verify() == []
    assert finished(tmp_path / "case", MadeUp()) == uninterrupted


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from made_up import Clock, MadeUp
from notation import name_of
from cases.investigation import investigate
from graphs.stops import StopRules
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("interrupted", sys.argv[3] + "/cases/test_investigation_interrupted.py")
interrupted = module_from_spec(spec)
spec.loader.exec_module(interrupted)
print("ready", flush=True)
with interrupted.opened(Path(sys.argv[1])) as case:
    source = MadeUp()
    tell = lambda now: print("kept", *source.asked[-1], flush=True)
    investigate(case, [source], rules=StopRules(), max_requests=999, now=Clock(), progress=tell)
"""


def unmade(path: Path) -> bool:
    """Whether it was killed while the case was being made: then the case says so, and that it holds nothing."""
    try:
        Case.open(path).close()
    except CaseDamaged as error:
        return "making it was interrupted" in str(error)
    return False


@pytest.mark.slow
def test_kill_9_at_twenty_random_moments_loses_nothing_acknowledged(uninterrupted: str, tmp_path: Path) -> None:
    chance = random.Random(9)
    command = [sys.executable, "-c", CHILD]
    partly, longest = 0, 0.0
    for number in range(KILLS + 1):
        path = tmp_path / f"case{number}"
        child = subprocess.Popen([*command, str(path), str(HERE.parent), str(HERE)], stdout=subprocess.PIPE, text=True)
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        began = time.monotonic()
        if number:  # the first one may finish: it tells how long that takes
            time.sleep(chance.uniform(0, longest))
            child.send_signal(signal.SIGKILL)
        told, _ = child.communicate(timeout=60)
        longest = longest or time.monotonic() - began
        partly += 0 < told.count("kept") < REQUESTS
        kept = {
            tuple(line.split(" ")[1:]) for line in told.splitlines() if line.startswith("kept") and line.count(" ") == 2
        }
        if path.exists() and unmade(path):
            path.unlink()
            assert not kept
        again = MadeUp()
        assert finished(path, again) == uninterrupted
        assert not kept & set(again.asked), "a page that was acknowledged is asked for again"
    assert partly, "the kills came too late, or too early, to test anything"
