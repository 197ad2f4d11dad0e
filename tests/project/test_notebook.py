"""The notebook: kept without outputs, and executed on the demo's case."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cases.demo import run_demo

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "explore-a-case.ipynb"
PNG = b"\x89PNG"

PROGRAM = """
import sys
import nbformat
from nbclient import NotebookClient

book = nbformat.read(sys.argv[1], 4)
NotebookClient(book, timeout=300, kernel_name="python3").execute()
sys.stdout.write(nbformat.writes(book))
"""


def cells(book: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {cell["id"]: cell for cell in book["cells"]}


def printed(cell: dict[str, Any]) -> str:
    return "".join("".join(out["text"]) for out in cell["outputs"] if out["output_type"] == "stream")


def test_it_is_kept_without_outputs_and_without_a_count_of_runs() -> None:
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "widgets" not in book["metadata"]


@pytest.mark.slow
def test_it_runs_on_the_demos_case_and_draws_a_picture(tmp_path: Path) -> None:
    run_demo(tmp_path / "demo", now=lambda: 1_700_000_000)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
    case = str(tmp_path / "demo" / "ronin2022.fundtrail")
    more = {"FUNDTRAIL_CASE": case, "PYTHONPATH": str(ROOT), "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(NOTEBOOK)],
        cwd=tmp_path, env={**kept, **more, "HOME": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = cells(json.loads(done.stdout))
    assert "transfers    fact         6034 rows" in printed(found["open"])
    assert "ends         inference" in printed(found["open"])
    assert "'pro_rata': 0" in printed(found["books"])
    pictures = [out["data"]["image/png"] for out in found["plot"]["outputs"] if "image/png" in out.get("data", {})]
    assert len(pictures) == 1
    body = base64.b64decode(pictures[0])
    assert body.startswith(PNG)
    if where := os.environ.get("FUNDTRAIL_PICTURE"):  # to look at it
        Path(where).write_bytes(body)
    assert "6,034 recorded payments" in printed(found["networkx"])
    assert "Tornado.Cash" in printed(found["networkx"])
    assert printed(found["ask"]) == "NEO4J_URI is not set, so Neo4j is not asked.\n"
