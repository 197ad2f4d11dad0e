"""The table of who gives what is made from the marks on the contract tests, which hold every source to its own."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from connectors.sources import KINDS, LIVE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "support-matrix.md"
COLUMNS = ("native", "internal", "token", "order", "balances", "completeness proof")
HEAD = """# Who gives what

Written by `make docs` from the marks on the contract tests of each source, which check them. *Order*: the place of a
transaction in its block. *Balances*: the source can tell what an address holds after a block, so that what was read can
be compared with it. What a kind of chain has not (Bitcoin has no internal movements) is marked with a dash.

| source | native | internal | token | order | balances | proof that nothing is missing |
|---|---|---|---|---|---|---|
"""


def marks() -> dict[str, dict[str, str]]:
    """KIND -> SUPPORTS of every contract test class, read from the source of the tests."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((ROOT / "tests" / "connectors").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if not isinstance(node, ast.ClassDef):
                continue
            stated: dict[str, object] = {}
            for line in node.body:
                target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
                value = getattr(line, "value", None)
                if isinstance(target, ast.Name) and target.id in ("KIND", "SUPPORTS") and value is not None:
                    stated[target.id] = ast.literal_eval(value)
            if {"KIND", "SUPPORTS"} <= stated.keys():
                kind, supports = stated["KIND"], stated["SUPPORTS"]
                assert isinstance(kind, str)
                assert isinstance(supports, dict)
                assert kind not in found or found[kind] == supports, f"{kind} is marked in two ways"
                found[kind] = supports
    return found


def test_every_kind_of_source_is_marked() -> None:
    assert set(marks()) == {*KINDS, *LIVE}


def test_the_page_says_what_the_marks_say() -> None:
    rows = []
    for kind, supports in sorted(marks().items()):
        cells = ["—" if words.startswith("no: there is") else words for words in map(supports.__getitem__, COLUMNS)]
        rows.append(f"| `{kind}` | {' | '.join(cells)} |\n")
    page = HEAD + "".join(rows)
    if os.environ.get("FUNDTRAIL_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "run: make docs"
