"""Mutants: known ways to get the arithmetic wrong, each planted in a copy of the code, and each must turn a test red.

A row: the fault, the file, the text, what it becomes, the tests that are to see it. To plant another, add a row.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
ORACLES, NAIVE, ENVELOPE = "tests/tracer/test_oracles.py", "tests/tracer/test_naive.py", "tests/tracer/test_envelope.py"
LOTS, LEDGER, ENGINE, TRACE = (f"tests/tracer/test_{name}.py" for name in ("lots", "ledger", "engine", "trace"))
FOLLOW, STOPS, DEPOSITS = (f"tests/graphs/test_{name}.py" for name in ("follow", "stops", "deposits"))


class Mutant(NamedTuple):
    """One fault: `text` of `file` becomes another text, and one of `tests` must see it."""

    fault: str
    file: str
    text: str
    becomes: str
    tests: str


MUTANTS = (
    Mutant(
        "pro rata by float division",
        "tracer/lots.py",
        "return apportion(units, (clean, stolen))[1]",
        "return int(units * stolen / ((stolen + clean) or 1))",
        LOTS,
    ),
    Mutant(
        "apportion by float division",
        "tracer/lots.py",
        "part, remainder = divmod(units * weight, total)",
        "part, remainder = int(units * weight / total), units * weight % total",
        LOTS,
    ),
    Mutant(
        "largest remainder: the tie goes to the later",
        "tracer/lots.py",
        "remainders.append((-remainder, at))",
        "remainders.append((-remainder, -at))",
        LOTS,
    ),
    Mutant(
        "largest remainder: the tie goes to the stolen side",
        "tracer/lots.py",
        "return apportion(units, (clean, stolen))[1]",
        "return apportion(units, (stolen, clean))[0]",
        LOTS,
    ),
    Mutant(
        "fifo and lifo swapped",
        "tracer/lots.py",
        "return Queue(last=rule is Rule.LIFO)",
        "return Queue(last=rule is Rule.FIFO)",
        ORACLES,
    ),
    Mutant(
        "fifo and lifo swapped at equal times",
        "tracer/ledger.py",
        "key=lambda entry: entry.order)",
        "key=lambda entry: (*entry.order[:2], -entry.order[2], *entry.order[3:]))",
        ENGINE,
    ),
    Mutant(
        "lots are passed on in the wrong order",
        "tracer/lots.py",
        "            taken.append((label, here))",
        "            taken.insert(0, (label, here))",
        NAIVE,
    ),
    Mutant(
        "clean first pays by the balance, not by the clean part",
        "tracer/lots.py",
        "return max(0, units - clean)",
        "return max(0, units - clean - stolen)",
        ORACLES,
    ),
    Mutant(
        "a payment to oneself turns the queue",
        "tracer/engine.py",
        "pass  # a payment to oneself moves nothing, under any rule",
        "self._move(ordinal, inputs, outputs)",
        ORACLES,
    ),
    Mutant(
        "a payment to oneself moves the balance",
        "tracer/ledger.py",
        "if not (paid and got):",
        "if True:",
        LEDGER,
    ),
    Mutant("gas before the value", "tracer/values.py", '"fee": 2}', '"fee": -1}', ORACLES),
    Mutant(
        "positions in a transaction are ordered as text",
        "tracer/values.py",
        'tuple(int(part) for part in rest.split("_"))',
        'tuple(rest.split("_"))',
        LEDGER,
    ),
    Mutant(
        "transfers in the order in which they arrived",
        "tracer/ledger.py",
        "entries = sorted(self._entries.values(), key=lambda entry: entry.order)",
        "entries = sorted(self._entries.values(), key=lambda entry: entry.order[:2])",
        LEDGER,
    ),
    Mutant(
        "what repeats is added",
        "tracer/ledger.py",
        "evidence=tuple(sorted({*known.evidence, *again.evidence})),",
        "evidence=known.evidence,",
        LEDGER,
    ),
    Mutant(
        "a contradiction goes to whoever came first",
        "tracer/ledger.py",
        "    if differences:\n",
        "    if differences and False:\n",
        LEDGER,
    ),
    Mutant(
        "the cap is not a cap",
        "tracer/engine.py",
        "            self.left[label] -= done",
        "            self.left[label] -= 0",
        ENGINE,
    ),
    Mutant(
        "an unseen inflow of a wallet that is the loss is clean",
        "tracer/engine.py",
        "came = self._marked(came, label, short)",
        "pass",
        ENGINE,
    ),
    Mutant(
        "a history that is cut is followed to the end",
        "tracer/engine.py",
        "if ordinal > self.followed.get(hid, -1):",
        "if hid not in self.followed:",
        ENGINE,
    ),
    Mutant(
        "the balance before the theft is forgotten",
        "tracer/engine.py",
        "content.put([(CLEAN, self.ledger.balance_before(hid, ordinal))])",
        "content.put([(CLEAN, 0)])",
        ORACLES,
    ),
    Mutant(
        "what is stolen already becomes the next victim's",
        "tracer/engine.py",
        "if lot[0] == CLEAN else 0",
        "if lot[0] != label else 0",
        ENGINE,
    ),
    Mutant(
        "the envelope: payments cannot be taken back",
        "tracer/envelope.py",
        "self.room[arc + 1] += units",
        "self.room[arc + 1] += 0",
        ENVELOPE,
    ),
    Mutant(
        "the envelope: what stays may be anything",
        "tracer/envelope.py",
        "self.network.arc(state.node, fresh, state.total)",
        "self.network.arc(state.node, fresh, 2 * state.total)",
        ORACLES,
    ),
    Mutant(
        "the envelope: no slack where a loss is part of a payment",
        "tracer/envelope.py",
        "self.slack += 2 *",
        "self.slack += 0 *",
        ENVELOPE,
    ),
    Mutant(
        "the envelope: what comes home is counted twice",
        "tracer/envelope.py",
        "            if unsure:\n                self._end(None",
        "            if False:\n                self._end(None",
        ENVELOPE,
    ),
    Mutant(
        "the envelope: an unseen inflow is clean",
        "tracer/envelope.py",
        "part.stolen += self._within_cap(label, short)",
        "part.stolen += 0",
        ENVELOPE,
    ),
    Mutant(
        "the envelope: a history that is cut is followed to the end",
        "tracer/envelope.py",
        "if ordinal > self.followed.get(hid, -1) or",
        "if hid not in self.followed or",
        ENVELOPE,
    ),
    Mutant(
        "books that do not close are issued", "tracer/trace.py", "        if rests != lost:", "        if False:", TRACE
    ),
    Mutant(
        "dust per payment", "graphs/follow.py", "if came.units < rules.floor(", "if came.at[0][2] < rules.floor(", STOPS
    ),
    Mutant(
        "a cut history is taken for whole",
        "graphs/known.py",
        "if block is not None and beyond(ledger, hid, block):",
        "if False:",
        FOLLOW,
    ),
    Mutant(
        "only the rule that searches is followed",
        "graphs/follow.py",
        "*(rule for rule in Rule if rule is not SEARCH_RULE)",
        "",
        FOLLOW,
    ),
    Mutant(
        "any next wallet is a collector",
        "graphs/deposits.py",
        "COLLECTOR_SENDERS = 10",
        "COLLECTOR_SENDERS = 1",
        DEPOSITS,
    ),
    Mutant(
        "an export iterates over a set",
        "cases/exports.py",
        "for hop in traces[rule].hops:",
        "for hop in set(traces[rule].hops):",
        "tests/cases/test_exports.py",
    ),
)


# A red test is all that is wanted: the smallest example that shows it would take most of the time.
PROFILE = """
from hypothesis import Phase
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, max_examples=50, phases=(Phase.explicit, Phase.generate)
)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code and these tests, in a folder where they may be spoiled."""
    here = tmp_path_factory.mktemp("mutants") / "fundtrail"
    ignored = shutil.ignore_patterns("__pycache__", "mutants", "project")
    for name in ("tracer", "graphs", "connectors", "cases", "tests", "docs"):
        shutil.copytree(ROOT / name, here / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", here)
    with (here / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(PROFILE)
    return here


def run(here: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run the tests there, on the code there, until the first that fails."""
    plain = [
        "-x",
        "-q",
        "--no-header",
        "--tb=line",
        "--hypothesis-profile=mutants",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
    ]
    environment = {**os.environ, "PYTHONPATH": str(here), "PYTHONDONTWRITEBYTECODE": "1", "CI": ""}
    command = [sys.executable, "-m", "pytest", *plain, *tests]
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_without_a_mutant_the_tests_are_green(copy: Path) -> None:
    done = run(copy, *sorted({mutant.tests for mutant in MUTANTS}))
    assert done.returncode == 0, done.stdout[-3_000:]


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault.replace(" ", "-"))
def test_a_mutant_turns_a_test_red(copy: Path, mutant: Mutant) -> None:
    file = copy / mutant.file
    whole = file.read_text("utf-8")
    assert whole.count(mutant.text) == 1, f"{mutant.file} has changed: plant {mutant.fault!r} anew"
    file.write_text(whole.replace(mutant.text, mutant.becomes), "utf-8")
    try:
        done = run(copy, mutant.tests)
    finally:
        file.write_text(whole, "utf-8")
    assert done.returncode == 1, f"nobody saw it: {mutant.fault}\n{done.stdout[-2_000:]}"
    assert "failed" in done.stdout, done.stdout[-2_000:]
