"""The locked requirements: complete, hashed, of one mind with pyproject.toml, and free of any index or folder."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = {
    name: (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("runtime", "build", "dev")
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)", re.MULTILINE)
BUILD = [need for need in PROJECT["optional-dependencies"]["dev"] if need.startswith("setuptools")]
DIRECT = {
    "runtime": PROJECT["dependencies"],
    "build": BUILD,
    "dev": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}


def pins(lock: str) -> dict[str, str]:
    """Name to version."""
    return {canonicalize_name(found["name"]): found["version"] for found in PIN.finditer(LOCKS[lock])}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_library_has_hashes(lock: str) -> None:
    found = list(PIN.finditer(LOCKS[lock]))
    assert found
    assert not [pin["name"] for pin in found if "--hash=sha256:" not in pin["rest"]]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_folder(lock: str) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|^-f\b|^-i\b| @ ", LOCKS[lock], re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_library_is_locked_to_one_version_on_every_python(lock: str) -> None:
    names = [canonicalize_name(found["name"]) for found in PIN.finditer(LOCKS[lock])]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_lies_within_the_declared_ranges(lock: str) -> None:
    locked = pins(lock)
    for requirement in map(Requirement, DIRECT[lock]):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is declared but not locked: make lock"
        assert Version(locked[name]) in requirement.specifier, f"{name} {locked[name]} is out of range: make lock"


def test_what_we_test_with_is_what_runs() -> None:
    assert BUILD
    assert (pins("runtime") | pins("build")).items() <= pins("dev").items()
