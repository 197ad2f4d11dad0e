"""Commands as a user types them, and small folders of facts for them to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from click.testing import CliRunner, Result

import cli
from notation import address
from tracer.addresses import base58

HEAD = "chain,tx,position,block,time,index,asset,symbol,decimals,from,to,units,method,source\n"
COVERAGE = "chain,address,state,kinds,first,last,as_of,reason,source\n"
LABELS = "chain,address,entity,name,role,source,seen,confidence,note\n"
START = 1_600_000_000


def run(*words: object) -> Result:
    """The command, with these words."""
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def told(result: Result, code: int, *words: str) -> None:
    """It ended with `code`, said what is wrong and what to do next, and printed nothing on standard output."""
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    assert result.stderr.startswith("fundtrail: "), result.stderr
    assert "\n  try: " in result.stderr, "an error says what to do next"
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    assert result.stdout == ""


def tx(n: int) -> str:
    """The hash of a drawn transaction on Ethereum."""
    return f"0x{n:064x}"


def row(
    n: int, source: str, target: str, units: object, *, position: str = "tx", token: str = "", symbol: str = ""
) -> str:
    """A row of our own format: addresses as they are, `token` a contract."""
    asset = f"{token},{symbol},6" if token else ",ETH,18"
    return f"ethereum,{tx(n)},{position},{n},{START + n * 12},0,{asset},{source},{target},{units},,drawn\n"


def facts(folder: Path, *rows: str, read: Iterable[str]) -> Path:
    """A folder of our own transfer format in which the histories of `read` are complete."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transfers.csv").write_text(HEAD + "".join(rows))
    said = "".join(f"ethereum,{one},read,native internal token,0,1000,,,drawn\n" for one in read)
    (folder / "coverage.csv").write_text(COVERAGE + said)
    return folder


def labelled(file: Path, **roles: str) -> Path:
    """A label file: drawn name -> role, under the name in capitals."""
    rows = (f"ethereum,{address(name).text},{name},{name.upper()},{role},us,,50,\n" for name, role in roles.items())
    file.write_text(LABELS + "".join(rows))
    return file


def bitcoin(name: str) -> str:
    """The Bitcoin address that `name` stands for."""
    return base58.write(0, hashlib.sha256(name.encode()).digest()[:20])


Coins = Sequence[tuple[str, int]]  # (name, units)


def coins(folder: Path, transactions: Mapping[int, tuple[Mapping[tuple[int, int], tuple[str, int]], Coins]]) -> Path:
    """A folder of Bitcoin transactions: number -> ((number, output) spent -> whose and how much, outputs).

    What is left is the fee. Every address in it was read completely.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines, names = [], set()
    for number, (spent, made) in transactions.items():
        inputs = [
            {"outpoint": f"{at:064x}:{output}", "address": bitcoin(name), "units": str(units)}
            for (at, output), (name, units) in spent.items()
        ]
        outputs = [{"n": n, "address": bitcoin(name), "units": str(units)} for n, (name, units) in enumerate(made)]
        fee = sum(units for _, units in spent.values()) - sum(units for _, units in made)
        record = {
            "chain": "bitcoin", "tx": f"{number:064x}", "block": number, "time": START + 600 * number, "index": 1,
            "inputs": inputs, "outputs": [*outputs, {"fee": True, "units": str(fee)}], "source": "drawn",
        }  # fmt: skip
        lines.append(json.dumps(record))
        names |= {name for name, _ in (*spent.values(), *made)}
    (folder / "transfers.jsonl").write_text("\n".join(lines) + "\n")
    said = "".join(f"bitcoin,{bitcoin(name)},read,native,0,1000,,,drawn\n" for name in sorted(names))
    (folder / "coverage.csv").write_text(COVERAGE + said)
    return folder
