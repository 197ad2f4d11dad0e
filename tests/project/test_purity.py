"""The two pure rooms: no clock, chance, file, printing or float, not even where no import gives it away."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = sorted(path for room in ("tracer", "graphs") for path in (ROOT / room).rglob("*.py"))

IMPURE_CALLS = {"open", "print", "input", "float", "eval", "exec", "breakpoint", "__import__"}
CLOCKS = {"now", "today", "utcnow"}
IMPURE_MODULES = {"time", "random", "secrets", "uuid", "os", "io", "pathlib", "logging", "socket"}


def impurities(code: str | bytes) -> Iterator[tuple[int, str]]:
    """(line, what) for each thing in `code` that a pure room may not do."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield node.lineno, f"{name}()"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield node.lineno, f".{name}()"
            case ast.Import(names=names) if found := {alias.name.partition(".")[0] for alias in names} & IMPURE_MODULES:
                yield node.lineno, f"import {', '.join(sorted(found))}"
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in IMPURE_MODULES:
                yield node.lineno, f"from {module} import"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "/ makes a float; use // and the remainder"
            case ast.Constant(value=float(number)):
                yield node.lineno, f"the float {number}"


@pytest.mark.parametrize("file", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_room_has_no_clock_chance_file_printing_or_float(file: Path) -> None:
    assert not list(impurities(file.read_bytes()))


@pytest.mark.parametrize(
    "planted",
    [
        "date.today()",
        "datetime.datetime.now(UTC)",
        "import time",
        "from random import choice",
        "import os.path",
        "def f():\n    import secrets",
        "open('x')",
        "print(1)",
        "float(units)",
        "units / 2",
        "units /= 2",
        "units * 0.5",
    ],
)
def test_the_check_sees_a_planted_impurity(planted: str) -> None:
    assert list(impurities(planted))


@pytest.mark.parametrize("harmless", ["units // 2", "block.time", "from datetime import date", "time = 3", "reopen(x)"])
def test_the_check_lets_harmless_code_pass(harmless: str) -> None:
    assert not list(impurities(harmless))
