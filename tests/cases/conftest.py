"""The demo's case, made once for all tests that look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.demo import run_demo

Demo = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """What `fundtrail demo` makes: the case file, to be read and not changed, and the answer in it."""
    folder = tmp_path_factory.mktemp("demo")
    answer, _ = run_demo(folder, now=lambda: 1_700_000_000)
    return folder / "ronin2022.fundtrail", answer


@pytest.fixture(scope="session")
def ronin(demo: Demo) -> Path:
    """The demo's case file."""
    return demo[0]
