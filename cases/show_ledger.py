"""A ledger folder, and what an ingest made of its files, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.ingesting import REFUSED
from cases.show_parts import counted, when
from cases.table import table
from cases.visible import visible


def show_ingested(told: Mapping[str, Any]) -> str:
    """What became of the rows of `cases.ingesting.ingest_files`."""
    lines = [
        f"{counted(told['rows'], 'row', 'rows')} read as {', '.join(told['formats'])}: "
        f"{counted(told['added'], 'transfer', 'transfers')} added, {told['repeated']:,} known before",
        *(f"{visible(path)} is in the ledger already, to the byte" for path in told["unchanged"]),
    ]
    if told["rejected"]:
        lines.append(f"{counted(told['rejected'], 'row', 'rows')} refused, with reasons in {REFUSED} of the folder")
    if told["contradictions"]:
        rows = counted(told["contradictions"], "row", "rows")
        lines.append(f"{rows} CONTRADICT what the ledger has of the same transfer and were left out; see {REFUSED}")
    lines += [f"what these files cannot tell: {visible(text)}" for text in told["caveats"]]
    lines.append(f"{visible(told['folder'])} holds {counted(told['transfers'], 'transfer', 'transfers')}")
    return "\n".join(lines)


def show_ledger(told: Mapping[str, Any], *, width: int | None = None) -> str:
    """What a ledger folder holds and where it came from, of `cases.ingesting.ledger_told`."""
    whole = (
        "stated to be all there are, of the kinds they show, in these blocks"
        if told["whole"]
        else "nobody states that they are all there are"
    )
    lines = [
        f"{visible(told['folder'])}: {told['chain']}, {counted(told['transfers'], 'transfer', 'transfers')} in "
        f"{counted(told['transactions'], 'transaction', 'transactions')}, {told['holdings']:,} holdings, "
        f"{counted(told['assets'], 'asset', 'assets')}, {told['bytes']:,} bytes",
    ]
    if told["transfers"]:
        last = when(told["last_time"])
        lines.append(f"blocks {told['first_block']:,} to {told['last_block']:,}, the last of {last} UTC; {whole}")
    keys = ("read", "added", "repeated", "rejected", "contradictions")
    rows = [
        [source["file"], source["format"], source["sha256"][:16], "yes" if source["finished"] else "NO"]
        + [f"{source[key]:,}" for key in keys]
        for source in told["sources"]
    ]
    if rows:
        headings = ["source", "format", "sha256", "finished", "rows", "added", "known", "refused", "contradict"]
        lines.append(table(headings, rows, len(keys), width, colour=False))
    return "\n".join(lines)
