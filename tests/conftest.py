"""What holds for every test: how hypothesis explores, who shares a server, and what a missing program means."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# CI repeats the same examples on every run, so a red run can be repeated; a developer's machine explores new ones.
# `make check` takes `quick`: fewer of the examples that `make test` and CI try.
# No deadlines: the machines are shared, and a slow example is not a wrong one.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("quick", deadline=None, max_examples=15)
settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# The contracts ship with the package; their assertions should say what they compared, like those of a test file.
pytest.register_assert_rewrite("connectors.contract", "cases.graph.contract")
#: Tests that share what takes seconds to make, a server or a case: one worker runs all whose names begin so. By hand,
#: as xdist 3.8 writes its own groups where pytest 9.2 no longer reads them, and then each worker makes everything.
TOGETHER = {
    "tests/cases/graph/": "the demo's case, and Neo4j",
    "tests/cases/test_demo.py": "the demo's case, and Neo4j",
    **{
        file: file
        for file in (
            "tests/cases/test_live_trace_evm.py",
            "tests/connectors/bitcoin/test_core_node.py", "tests/connectors/bitcoin/test_live_trace.py",
            "tests/connectors/evm/test_anvil_many.py", "tests/connectors/evm/test_anvil_methods.py",
            "tests/connectors/evm/test_rpc_contract.py", "tests/project/test_wheel.py",
        )
    },
}  # fmt: skip
MEMORY_NEEDED = 4 << 30
IN_CI = os.environ.get("CI") == "true"
settings.load_profile("ci" if IN_CI else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """The folders of quick tests lie in memory where it has room: a case waits for the disk at every commit.

    Where all tests run, as in CI, they lie on the disk.
    """
    memory = Path("/dev/shm")  # noqa: S108  looked at, and left to mkdtemp
    quick = config.option.markexpr == "not slow"
    if quick and memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_NEEDED:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


class Together(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """Each test to the worker that is free, but those of `TOGETHER` to one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for start, group in TOGETHER.items() if nodeid.startswith(start)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """What `--dist` comes to here."""
    return Together(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Honour `needs("git")`: skip where the program is absent, except in CI, where that is a failure."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program) is None:
                reason = f"needs the program {program!r}, which is not installed"
                if IN_CI:
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)
