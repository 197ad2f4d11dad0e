"""Mutants: known ways to get the arithmetic wrong, each planted in a copy of the code, and each must turn a test red.

The faults are rows of the `planted` files: to plant another, add a row there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mutants import planted, planted_in_following, planted_in_sources, planted_on_the_way
from mutants.planted import Mutant

ROOT = Path(__file__).parents[2]
MUTANTS = planted.MUTANTS + planted_in_following.MUTANTS + planted_on_the_way.MUTANTS + planted_in_sources.MUTANTS


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
    for name in ("tracer", "graphs", "connectors", "cases", "cli", "tests", "docs"):
        shutil.copytree(ROOT / name, here / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", here)
    with (here / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(PROFILE)
    return here


def run(here: Path, *tests: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
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
    return subprocess.run(
        command, cwd=here, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.mark.slow
def test_without_a_mutant_the_tests_are_green(copy: Path) -> None:
    done = run(copy, *sorted({mutant.tests for mutant in MUTANTS}), timeout=1_200)
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
