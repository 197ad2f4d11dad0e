"""An answer as files for other programs: csv for spreadsheets, json for programs, graphml for graph viewers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from cases.visible import visible
from cases.write import write_new
from graphs.follow import Following
from graphs.origins import Origins
from tracer.errors import UnknownName
from tracer.lots import Rule
from tracer.trace import Hop
from tracer.values import Leg

#: What a spreadsheet takes for the start of a formula, plain and full-width.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width twins are the point
_LONGEST_CELL = 32_000  # Excel drops what is beyond 32,767 characters, without a word

Answer = Mapping[str, Any]
Traced = Following | Origins


def export(answer: Answer, following: Traced, target: Path, format: str, *, force: bool = False) -> tuple[Path, ...]:
    """Write `answer` and return the files: `csv` into the folder `target`, `json` and `graphml` into the file `target`.

    The same answer gives the same bytes on every machine. Files are private to the user (0600), appear whole or not at
    all, and replace nothing without `force`. Raises `UnknownName`, and `CaseConflict` where a file stands already.
    """
    if format not in _FORMATS:
        raise UnknownName.among("export format", format, _FORMATS)
    files = {
        target / name if name else target: text.encode() for name, text in _FORMATS[format](answer, following).items()
    }
    write_new(files, force=force)
    return tuple(files)


def hops_of(answer: Answer, following: Traced) -> list[dict[str, Any]]:
    """The payments that moved stolen value, in the order of the chain: the units under each rule, and of each loss.

    `source` and `target` are None where several paid, or where there is no address. `gave`: asset -> rule -> units
    that were exchanged for it there; `basis_amounts` is what the units stand for in the stolen asset.
    """
    names = [loss["name"] for loss in answer["losses"]]
    found: dict[tuple[int, str | None, str | None], dict[str, Any]] = {}
    for rule, hop, ordinal in _moved(answer, following):
        transfer = following.ledger.transfer(ordinal)
        source, target = hop.source.text if hop.source else None, hop.target.text if hop.target else None
        asset = following.ledger.shown(transfer.asset)
        told = found.setdefault(
            (ordinal, source, target),
            {
                "transfer": str(transfer.id),
                "block": transfer.block.number,
                "time": transfer.block.time,
                "source": source,
                "target": target,
                "asset": asset.name,
                "symbol": asset.symbol,
                "decimals": asset.decimals,
                "through": [address.text for address in hop.through],
                "amounts": dict.fromkeys(answer["rules"], "0"),
                "basis_amounts": dict.fromkeys(answer["rules"], "0"),
                "gave": {},
                "by_loss": {one: {} for one in answer["rules"]},
            },
        )
        for key, lots in (("amounts", hop.lots), ("basis_amounts", hop.basis)):
            told[key][rule] = str(int(told[key][rule]) + sum(units for _, units in lots))
        for asset, _, units in hop.gave:
            mine = told["gave"].setdefault(asset.name, {})
            mine[rule] = str(int(mine.get(rule, "0")) + units)
        for label, units in hop.lots:
            of = told["by_loss"][rule]
            of[names[label - 1]] = str(int(of.get(names[label - 1], "0")) + units)
    return [
        told for _, told in sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or "~", item[0][2] or "~"))
    ]


def _csv(answer: Answer, following: Traced) -> dict[str, str]:
    moved = _moved(answer, following)
    return {
        "commingling.csv": _table(*_commingling(answer)),
        "ends.csv": _table(*_ends(answer)),
        "hops.csv": _table(*_hops(answer, following, moved)),
        "books.csv": _table(*_books(answer)),
        "transfers.csv": _table(*_transfers(following, moved)),
    }


def _json(answer: Answer, following: Traced) -> dict[str, str]:
    whole = {"answer": answer, "hops": hops_of(answer, following)}
    return {"": json.dumps(whole, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"}


def _graphml(answer: Answer, following: Traced) -> dict[str, str]:
    from graphs.views import as_graph, as_graphml

    return {"": as_graphml(as_graph(following, answer, clean=visible))}


_FORMATS: dict[str, Callable[[Answer, Traced], dict[str, str]]] = {"csv": _csv, "json": _json, "graphml": _graphml}
FORMATS = tuple(_FORMATS)

_Table = tuple[list[str], frozenset[str], list[list[str]]]  # columns, those that hold numbers only, rows


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


def _moved(answer: Answer, following: Traced) -> list[tuple[str, Hop, int]]:
    """(rule, hop, the ordinal of the recorded transfer behind it), by rule and in ledger order."""
    traces = following.traces()
    found = []
    for rule in (rule for rule in Rule if str(rule) in answer["rules"]):
        for hop in traces[rule].hops:
            ordinal = following.ledger.ordinal(hop.transfer)
            if ordinal is None:
                raise ValueError(f"{hop.transfer} is a hop and not in the ledger")
            found.append((str(rule), hop, ordinal))
    return found


def _hops(answer: Answer, following: Traced, moved: Sequence[tuple[str, Hop, int]]) -> _Table:
    """One row per rule, payment, receiver and loss: the stolen units that moved."""
    columns = ["rule", "transfer", "block", "time", "source", "target", "loss", "asset", "units", "basis"]
    names = [loss["name"] for loss in answer["losses"]]
    rows = []
    for rule, hop, ordinal in moved:
        transfer = following.ledger.transfer(ordinal)
        sides = [hop.source.text if hop.source else "", hop.target.text if hop.target else ""]
        when = [str(transfer.block.number), str(transfer.block.time)]
        for (label, units), (_, basis) in zip(hop.lots, hop.basis, strict=True):
            moved_units = [names[label - 1], transfer.asset.name, str(units), str(basis)]
            rows.append([rule, str(hop.transfer), *when, *sides, *moved_units])
    return columns, frozenset({"block", "time", "units", "basis"}), rows


def _books(answer: Answer) -> _Table:
    parts = ["lost", "ends", "held", "fees", "not_followed"]
    rows = [
        [rule, answer["asset"]["name"], *(answer["books"][rule][part] for part in parts)] for rule in answer["rules"]
    ]
    return ["rule", "asset", *parts], frozenset(parts), rows


def _transfers(following: Traced, moved: Sequence[tuple[str, Hop, int]]) -> _Table:
    """The recorded payments behind the hops, as the sources told them, in ledger order."""
    columns = [
        "transfer",
        "chain",
        "tx",
        "position",
        "block",
        "time",
        "asset",
        "units",
        "inputs",
        "outputs",
        "method",
        "evidence",
    ]
    rows = []
    for ordinal in sorted({ordinal for _, _, ordinal in moved}):
        one = following.ledger.transfer(ordinal)
        what = [str(one.id), one.id.chain.name, one.id.tx, one.id.position]
        when = [str(one.block.number), str(one.block.time)]
        moves = [one.asset.name, str(one.units), _legs(one.inputs), _legs(one.outputs)]
        rows.append([*what, *when, *moves, one.method, _listed(one.evidence)])
    return columns, frozenset({"block", "time", "units"}), rows


def _legs(legs: Sequence[Leg]) -> str:
    return _listed(
        [f"{leg.address.text if leg.address else getattr(leg.holding, 'kind', 'script')}:{leg.units}" for leg in legs]
    )


def _listed(items: Sequence[str]) -> str:
    """Several in one cell, as many as a spreadsheet keeps, and how many more there are."""
    kept, room = 0, _LONGEST_CELL
    while kept < len(items) and room > len(items[kept]):
        room -= len(items[kept]) + 1
        kept += 1
    more = [f"and {len(items) - kept} more, see the json export"] if kept < len(items) else []
    return " ".join([*items[:kept], *more])


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _table(columns: Sequence[str], numbers: frozenset[str], rows: Sequence[Sequence[str]]) -> str:
    """RFC 4180, all fields quoted: where a semicolon separates, an unquoted one would start a cell of its own."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            value if column in numbers else inert(value) for column, value in zip(columns, row, strict=True)
        )
    return out.getvalue()


def inert(text: str) -> str:
    r"""`text` as a cell that no spreadsheet runs: made visible, with an apostrophe before what may start a formula.

    >>> inert("=cmd|' /C calc'!A0"), inert(" +1"), inert("Huobi 35"), inert("\t=1")
    ("'=cmd|' /C calc'!A0", "' +1", 'Huobi 35', "'\\x09=1")
    """
    return ("'" if text.lstrip(" ").startswith(_FORMULA) else "") + visible(text)
