"""What is installed: the five names, all of our files, and nothing that the declared libraries do not cover."""

from __future__ import annotations

import ast
import email
import importlib.metadata as metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGES = ("tracer", "connectors", "graphs", "cases", "cli")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*command: str | Path, cwd: Path) -> str:
    """The command's standard output; its whole output in the failure if it fails."""
    # Neither this checkout nor the test run's settings may reach the command.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(command, cwd=cwd, env=clean, text=True, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def source_files() -> list[str]:
    """Our importable files, as paths inside the wheel."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built off line from a copy, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "stray").mkdir()
    (copy / "stray" / "__init__.py").touch()  # must not get in by being there
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "out", cwd=copy)
    (built,) = (copy / "out").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def installed_with(requirements: Iterable[str]) -> set[str]:
    """The names of the distributions that `requirements` bring with them here, directly or not."""
    wanted, seen = [Requirement(text) for text in requirements], set[str]()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        wanted += map(Requirement, metadata.requires(name) or [])
    return seen


def declared_in(wheel: Path) -> list[str]:
    """What the wheel's own metadata asks for, the optional extras left out."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        fields = email.message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    return [field for field in fields if "extra ==" not in field]


def test_the_wheels_top_level_names_are_exactly_the_five(contents: set[str]) -> None:
    names = {entry.partition("/")[0].removesuffix(".py") for entry in contents}
    assert names == {*PACKAGES, f"fundtrail-{PROJECT['version']}.dist-info"}


def test_every_source_file_is_in_the_wheel(contents: set[str]) -> None:
    forgotten = [file for file in source_files() if file not in contents]
    assert not forgotten, "list their package in pyproject.toml"


def test_the_wheel_says_that_it_is_typed(contents: set[str]) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= contents


def test_the_demo_data_is_in_the_wheel(contents: set[str]) -> None:
    shipped = {f"cases/ronin2022/{file.name}" for file in (ROOT / "cases" / "ronin2022").iterdir() if file.is_file()}
    assert shipped
    assert shipped <= contents


def test_the_queries_for_investigators_are_in_the_wheel(contents: set[str]) -> None:
    graph = ROOT / "cases" / "graph"
    shipped = {str(file.relative_to(ROOT)) for file in (*graph.glob("queries/*.cypher"), *graph.glob("*.grass"))}
    assert shipped
    assert shipped <= contents


def test_the_licence_is_in_the_wheel(contents: set[str]) -> None:
    assert any(entry.endswith("dist-info/licenses/LICENSE") for entry in contents)


def test_no_dependency_ships_one_of_our_names() -> None:
    others = installed_with(PROJECT["dependencies"])
    taken = {
        name: [owner for owner in owners if canonicalize_name(owner) in others]
        for name, owners in metadata.packages_distributions().items()
        if name in PACKAGES
    }
    assert not any(taken.values()), taken


def test_every_library_we_import_is_declared() -> None:
    extras = PROJECT.get("optional-dependencies", {})
    texts = PROJECT["dependencies"] + [text for extra in extras if extra != "dev" for text in extras[extra]]
    declared = {canonicalize_name(Requirement(text).name) for text in texts}
    owners = metadata.packages_distributions()
    undeclared = {
        (file, name)
        for file in source_files()
        for name in imported_by(ROOT / file) - set(PACKAGES) - sys.stdlib_module_names
        if not declared & {canonicalize_name(owner) for owner in owners.get(name, [])}
    }
    assert not undeclared


def imported_by(file: Path) -> set[str]:
    """The top-level names that a file imports, inside functions too."""
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.slow
def test_it_runs_with_the_declared_libraries_alone(wheel: Path, tmp_path: Path) -> None:
    # Why copies and not an index: docs/decisions/0004-the-bare-install-is-built-offline.md
    run(sys.executable, "-m", "venv", "--without-pip", "bare", cwd=tmp_path)
    python = tmp_path / "bare" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel, cwd=tmp_path)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "bare")}))
    for name in installed_with(declared_in(wheel)):
        copy_distribution(name, site)

    # connectors.bulk needs the extra of that name; who has it not is told so (tests/cli/test_ingest.py).
    files = [file for file in source_files() if not file.startswith("connectors/bulk/")]
    modules = [file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files]
    run(
        python,
        "-c",
        "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]",
        *modules,
        cwd=tmp_path,
    )
    assert "Usage: fundtrail" in run(tmp_path / "bare" / "bin" / "fundtrail", "--help", cwd=tmp_path)


def copy_distribution(name: str, site: Path) -> None:
    """Copy an installed distribution into another environment, by its own record of its files."""
    for file in metadata.files(name) or []:
        if ".." not in file.parts:  # its commands: not needed
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), site / file)
