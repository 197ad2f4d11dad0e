"""The sheets of an answer: ends, hops, books and where the rules part. All of it is inferred, under named rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cases.exporting.contents import Answer, Contents, Statement
from cases.exporting.sheets import Sheet

LONGEST_CELL = 32_000  # Excel drops what is beyond 32,767 characters, without a word
_Table = tuple[list[str], frozenset[str], list[list[str]]]  # columns, those that hold numbers only, rows


def trace_sheets(contents: Contents) -> list[Sheet]:
    """The sheets of the answer, none where none was given. Lists in a cell end before a spreadsheet cuts them."""
    answer = contents.answer
    if answer is None:
        return []
    tables = {
        "ends": _ends(answer),
        "hops": _hops(answer, contents.hops),
        "books": _books(answer),
        "commingling": _commingling(answer),
    }
    return [
        Sheet(name, Statement.INFERENCE, tuple(columns), numbers, tuple(map(tuple, rows)))
        for name, (columns, numbers, rows) in tables.items()
    ]


def _ends(answer: Answer) -> _Table:
    rules = answer["rules"]
    text = [
        "chain",
        "address",
        "holding",
        "asset",
        "symbol",
        "decimals",
        "stop",
        "part",
        "label",
        "labelled_by",
        "basis",
        "why",
    ]
    rest = ["rule_independent", "hops", "coverage", "coverage_missing", "transfers", "evidence"]
    rows = []
    for end in answer["ends"]:
        coverage = end["coverage"] or {"state": "", "missing": []}
        more = [
            str(end["rule_independent"]).lower(),
            _text(end["hops"]),
            coverage["state"],
            " ".join(coverage["missing"]),
        ]
        amounts = [
            *(end["amounts"][rule] for rule in rules),
            *(_text(end[key]) for key in ("least", "most")),
            *(end["basis_amounts"][rule] for rule in rules),
            *(_text(end[key]) for key in ("basis_least", "basis_most")),
        ]
        lists = [_listed(end["transfers"]), _listed(end["evidence"])]
        rows.append([*(_text(end[key]) for key in text), *amounts, *more, *lists])
    figures = [*rules, "least", "most", *(f"basis_{rule}" for rule in rules), "basis_least", "basis_most"]
    return [*text, *figures, *rest], frozenset({"decimals", "hops", *figures}), rows


def _commingling(answer: Answer) -> _Table:
    """One row per payment at which the rules part: of the mixture, what was stolen in it and what of that left."""
    rules = answer["rules"]
    columns = ["address", "holding", "asset", "pooled", "transfer", "units", "mixture"]
    figures = [*(f"stolen_in_it_{rule}" for rule in rules), *(f"stolen_taken_{rule}" for rule in rules)]
    rows = [
        [_text(point["address"]), _text(point["holding"]), point["asset"], str(point["pooled"]).lower()]
        + [choice["transfer"], choice["units"], choice["mixture"]]
        + [choice[key][rule] for key in ("stolen_in_it", "stolen_taken") for rule in rules]
        for point in answer["commingling"]
        for choice in point["choices"]
    ]
    return [*columns, *figures], frozenset({"units", "mixture", *figures}), rows


def _hops(answer: Answer, hops: Sequence[Mapping[str, Any]]) -> _Table:
    """One row per rule, payment, receiver and loss: the stolen units that moved."""
    columns = ["rule", "transfer", "block", "time", "source", "target", "loss", "asset", "units", "basis"]
    rows = [
        [
            rule, hop["transfer"], str(hop["block"]), str(hop["time"]), _text(hop["source"]), _text(hop["target"]),
            loss, hop["asset"], units, hop["basis_by_loss"][rule].get(loss, "0"),
        ]
        for rule in answer["rules"]
        for hop in hops
        for loss, units in sorted(hop["by_loss"][rule].items())
    ]  # fmt: skip
    return columns, frozenset({"block", "time", "units", "basis"}), rows


def _books(answer: Answer) -> _Table:
    parts = ["lost", "ends", "held", "fees", "not_followed"]
    rows = [
        [rule, answer["asset"]["name"], *(answer["books"][rule][part] for part in parts)] for rule in answer["rules"]
    ]
    return ["rule", "asset", *parts], frozenset(parts), rows


def _listed(items: Sequence[str]) -> str:
    """Several in one cell, as many as a spreadsheet keeps, and how many more there are."""
    kept, room = 0, LONGEST_CELL
    while kept < len(items) and room > len(items[kept]):
        room -= len(items[kept]) + 1
        kept += 1
    more = [f"and {len(items) - kept} more, see the json export"] if kept < len(items) else []
    return " ".join([*items[:kept], *more])


def _text(value: Any) -> str:
    return "" if value is None else str(value)
