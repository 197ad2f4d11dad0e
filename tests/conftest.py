"""What holds for every test: how hypothesis explores, who shares a server, and what a missing program means."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
#: Fixtures that take seconds: one worker runs all tests that use one, so that it is made once and not once a worker.
MADE_ONCE = ("access", "demo", "world", "stolen", "plan", "crowd", "wheel")
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


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell `--dist loadgroup` which tests belong together."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if shared := next((name for name in MADE_ONCE if name in names), None):
            item.add_marker(pytest.mark.xdist_group(shared))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Honour `needs("git")`: skip where the program is absent, except in CI, where that is a failure."""
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program) is None:
                reason = f"needs the program {program!r}, which is not installed"
                if IN_CI:
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)
