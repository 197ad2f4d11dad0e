"""The files: each says what it is, none is named for odds and ends, none knows the machine it was written on."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("tracer", "connectors", "graphs", "cases", "cli", "tests", "benchmarks")
PYTHON = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
VAGUE = re.compile(r"util|helper|manager|common|misc", re.IGNORECASE)

# Written in pieces, so that this file passes its own check.
MACHINE_PATH = re.compile(rb"(?<![\w.:/~-])/(" + b"|".join((b"work", b"root", b"home", b"tmp", b"Users")) + rb")/")
HOSTS = (
    "pypi org",
    "pythonhosted org",
    "npmjs org",
    "crates io",
    "proxy golang org",
    "repo1 maven org",
    "deb debian org",
)
REGISTRY_HOST = re.compile("|".join(re.escape(words.replace(" ", ".")) for words in HOSTS).encode())


@pytest.mark.parametrize("file", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_in_a_sentence_what_it_is(file: Path) -> None:
    said = (ast.get_docstring(ast.parse(file.read_bytes())) or "").partition("\n\n")[0]
    assert said.rstrip().endswith((".", "?", "!")), f"{file.name} starts with {said[:60]!r}"


def test_no_file_is_named_for_odds_and_ends() -> None:
    assert not [path for path in PYTHON if VAGUE.search(path.stem)]


@pytest.mark.needs("git")
def test_no_file_knows_a_machine_or_a_registry() -> None:
    # With the files not yet committed, so that it is seen before the commit and not after.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    files = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    assert ROOT / "pyproject.toml" in files
    told = {
        f"{file.relative_to(ROOT)}: {found.group().decode()}"
        for file in files
        if file.is_file()
        for pattern in (MACHINE_PATH, REGISTRY_HOST)
        for found in pattern.finditer(file.read_bytes())
    }
    assert not told


@pytest.mark.parametrize("root", [b"work", b"root", b"home", b"tmp"])
def test_a_machine_path_is_seen_and_a_web_address_is_not_one(root: bytes) -> None:
    assert MACHINE_PATH.search(b'open("/' + root + b'/me/x")')
    assert not MACHINE_PATH.search(b"https://example.com/" + root + b"/x")
    assert not MACHINE_PATH.search(b"frame" + root + b"/x")


def test_a_registry_host_is_seen() -> None:
    assert REGISTRY_HOST.search(b"https://files." + b"pythonhosted." + b"org/x")
