"""No code that meets an amount works in floats: neither by its source nor by what the compiler makes of it."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulk_batches import write
from commands import coins
from connectors.bulk.ingest import ingest
from connectors.bulk.readers import open_reader
from pinned_amounts import etl_rows, story, tabled

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for room in ("tracer", "graphs", "connectors/bulk") for path in (ROOT / room).rglob("*.py"))
#: What a `/` may join: names of paths. Everything else it would divide.
PATHS = {"folder", "_folder", "path", "out", "where"}
#: Names under which the libraries have floats, or work in them whatever they are given.
FLOATING = {
    "float16", "float32", "float64", "float128", "float_", "floating", "double", "single", "half", "longdouble", "f4",
    "f8", "complex64", "complex128", "true_divide", "truediv", "divide", "mean", "nanmean", "average", "std", "var",
    "median", "percentile", "quantile", "sqrt", "log", "log2", "log10", "exp", "linspace", "logspace", "interp", "fsum",
}  # fmt: skip
_KIND = re.compile(r"[<>=!@|]?\d*(f2|f4|f8|f|d|e|g|float(16|32|64)?|double|halffloat)")
#: What makes float64 if no kind is said: name -> the arguments before the kind.
_EMPTY = {"zeros": 1, "ones": 1, "empty": 1, "full": 2, "array": 1, "fromfile": 1, "frombuffer": 1}
#: Names of values that measure how long or how full, never how much.
CLOCKS = {"seconds", "timeout", "interval", "progress", "elapsed", "_FULLEST"}


def floats(code: str | bytes) -> Iterator[tuple[int, str]]:
    """(line, what) for each way in `code` by which an amount could come through a float."""
    tree = ast.parse(code)
    refused = {  # a check that something is no float is welcome
        id(node)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "isinstance"
        for node in ast.walk(call)
    }
    timed = {
        id(node)
        for one in ast.walk(tree)
        if (isinstance(one, ast.keyword) and one.arg in CLOCKS)
        or (isinstance(one, ast.Assign | ast.AnnAssign) and _named(one) & CLOCKS)
        for node in ast.walk(one)
    }
    for node in ast.walk(tree):
        if id(node) in refused or id(node) in timed:
            continue
        match node:
            case ast.Name(id=name) if name == "float" or name in FLOATING - {"log", "half", "single", "var"}:
                yield node.lineno, name
            case ast.Attribute(attr=name, value=ast.Name(id="np" | "pa" | "pc" | "numpy" | "math" | "types")) if (
                name in FLOATING
            ):
                yield node.lineno, f".{name}"
            case ast.Attribute(attr="mean" | "std" | "to_pandas" as name):
                yield node.lineno, f".{name}"
            case ast.Constant(value=float(number)):
                yield node.lineno, f"the float {number}"
            case ast.Constant(value=str(text)) if _KIND.fullmatch(text) and len(text) > 1:
                yield node.lineno, f"the kind {text}"
            case ast.BinOp(left=left, op=ast.Div()) if _first(left) not in PATHS:
                yield node.lineno, "/"
            case ast.AugAssign(op=ast.Div()):
                yield node.lineno, "/="
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id="np")), args=args, keywords=told) if (
                name in _EMPTY and len(args) <= _EMPTY[name] and not any(one.arg == "dtype" for one in told)
            ):
                yield node.lineno, f"np.{name} of a kind that is not said"


def _named(one: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = one.targets if isinstance(one, ast.Assign) else [one.target]
    return {getattr(target, "id", getattr(target, "attr", "")) for target in targets}


def _first(node: ast.expr) -> str:
    """The name at the left end of a chain of `/`."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        node = node.left
    if isinstance(node, ast.Call):  # Path(folder) / name
        return "path" if isinstance(node.func, ast.Name) and node.func.id == "Path" else ""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("file", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_that_meets_an_amount_knows_floats(file: Path) -> None:
    assert not list(floats(file.read_bytes()))


@pytest.mark.parametrize(
    "planted",
    [
        "float(units)", "units / 2", "units /= 2", "folder / name / 2 + units / 3", "units * 0.5",
        "amounts.astype(float)",
        "np.zeros(3)", "np.full(3, 0)", "np.array(units)", "np.array(units, 'f8')", "np.array(units, dtype='<f8')",
        "np.dtype([('units', 'f8')])", "column.cast(pa.float64())", "pa.array(units, 'double')", "np.mean(units)",
        "units.mean()", "table.to_pandas()", "np.true_divide(a, b)", "math.sqrt(units)", "def f(units: float): ...",
        "units = seconds * 1e9",
    ],
)  # fmt: skip
def test_the_check_sees_a_planted_float(planted: str) -> None:
    assert list(floats(planted))


@pytest.mark.parametrize(
    "harmless",
    ["units // 2", "folder / name", "self.folder / stored.file", "Path(out) / 'x'", "isinstance(units, float)",
     "wait(timeout=0.5)", "interval = 0.1", "np.zeros(3, np.uint64)", "np.full(3, 0, dtype=np.uint8)",
     "'floating point'"],
)  # fmt: skip
def test_the_check_lets_exact_code_pass(harmless: str) -> None:
    assert not list(floats(harmless))


def inferred(dispatcher: Any, signature: Any) -> list[str]:
    """The variables of a compiled function that are floats, or hold some, by the compiler's own reckoning."""
    from numba.core import types
    from numba.core.registry import cpu_target

    # by name: the compiler's own parts say nothing of their types
    compiler: Any = importlib.import_module("numba.core.compiler")
    typed_passes: Any = importlib.import_module("numba.core.typed_passes")
    compiled = compiler.run_frontend(dispatcher.py_func)
    context, target = cpu_target.typing_context, cpu_target.target_context
    context.refresh()
    target.refresh()
    stage = typed_passes.type_inference_stage(context, target, compiled, signature, None)
    wrong = (types.Float, types.Complex)
    return [
        f"{name}: {kind}"
        for name, kind in stage.typemap.items()
        if isinstance(kind, wrong) or isinstance(getattr(kind, "dtype", None), wrong)
    ]


@pytest.mark.slow
def test_no_compiled_function_works_in_floats(tmp_path: Path) -> None:
    """A compiler may make a float of two integers without a word in the source, as of a signed and an unsigned one."""
    import numba

    if getattr(numba.config, "DISABLE_JIT", 0):  # numba sets it at run time
        pytest.skip("nothing is compiled here")
    rows = etl_rows("token_transfers")
    tabled(tmp_path / "table.csv", rows)
    facts = coins(tmp_path / "facts", {1: ({(900, 0): ("a", 9)}, [("b", 8)]), 2: ({(1, 0): ("b", 8)}, [("c", 7)])})
    write(tmp_path / "own.jsonl", story())
    for at, path in enumerate((tmp_path / "table.csv", facts / "transfers.jsonl", tmp_path / "own.jsonl")):
        ingest([path], tmp_path / f"ledger{at}", reader=open_reader(path))
    rooms = [path.stem for path in SOURCES if path.parent.name == "bulk"]
    known: set[Any] = set()
    while new := [
        (f"{room}.{name}", thing, signature)
        for room in rooms
        for name, thing in vars(importlib.import_module(f"connectors.bulk.{room}")).items()
        if isinstance(thing, numba.core.dispatcher.Dispatcher)
        for signature in thing.signatures
        if (thing, signature) not in known
    ]:  # those that others call are known once their callers were looked at
        for name, thing, signature in new:
            known.add((thing, signature))
            assert not inferred(thing, signature), name
    assert len({thing for thing, _ in known}) > 15


@pytest.mark.parametrize("planted", ["a / b", "a * 0.5", "a ** -1 / b"])
def test_the_look_into_a_compiled_function_sees_a_float(planted: str) -> None:
    import numba

    assert inferred(numba.njit(eval(f"lambda a, b: {planted}")), (numba.uint64, numba.uint64))  # noqa: S307 - ours
    assert not inferred(numba.njit(lambda a, b: a * b // 3), (numba.uint64, numba.uint64))
