"""The sheets of an export: what csv, Parquet, XLSX and data frames hold alike, and facts read back from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cases.codec import (
    TransferReader,
    canonical,
    coverage_json,
    coverage_of,
    label_json,
    label_of,
    loss_of,
    transfer_text,
)
from cases.exporting.contents import Contents, Statement
from connectors.protocol import Evidence, Problem
from tracer.coverage import Coverage
from tracer.losses import Loss
from tracer.values import UNKNOWN_INDEX, Leg, Transfer

Row = tuple[str, ...]
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of text. `numbers` are the columns that hold digits and nothing else, or nothing where none is known."""

    name: str
    statement: Statement
    columns: tuple[str, ...]
    numbers: frozenset[str]
    rows: tuple[Row, ...]


#: The sheets from which contents are read back; all others follow from them.
READ_BACK = ("transfers", "legs", "evidence", "coverage", "problems", "labels", "losses")

_TRANSFERS = (
    "report", "transfer", "chain", "tx", "position", "block", "time", "block_hash", "index", "asset", "symbol",
    "decimals", "units", "inputs", "outputs", "method", "evidence",
)  # fmt: skip
_LEGS = ("report", "side", "place", "holding", "address", "coin_tx", "coin_index", "sink", "units")
_EVIDENCE = ("id", "source", "request", "bytes")
_COVERAGE = (
    "asked", "chain", "address", "state", "kinds", "source", "evidence", "first", "last", "as_of", "rows", "reason",
    "final", "tip", "balances",
)  # fmt: skip
_LABELS = ("chain", "address", "entity", "name", "role", "source", "seen", "confidence", "evidence", "note")
_LOSSES = (
    "name", "victim", "chain", "asset", "symbol", "decimals", "paid_chain", "paid_tx", "paid_position", "output",
    "wallet_chain", "wallet", "units", "since",
)  # fmt: skip
_WHOLE = frozenset(
    ("report", "block", "time", "index", "decimals", "units", "place", "coin_index", "bytes", "first", "last", "as_of",
     "rows", "final", "confidence", "since", "output")
)  # fmt: skip


def fact_sheets(contents: Contents) -> list[Sheet]:
    """The sheets of facts, claims and decisions."""
    return [
        _sheet("transfers", Statement.FACT, _TRANSFERS, map(_transfer, enumerate(contents.transfers))),
        _sheet("legs", Statement.FACT, _LEGS, _legs(contents.transfers)),
        _sheet("evidence", Statement.FACT, _EVIDENCE, map(_evidence, contents.evidence)),
        _sheet("coverage", Statement.FACT, _COVERAGE, (_coverage(*one) for one in contents.coverage)),
        _sheet("problems", Statement.FACT, ("text", "where"), ((one.text, one.where) for one in contents.problems)),
        _sheet("labels", Statement.CLAIM, _LABELS, (_of_record(label_json(one), _LABELS) for one in contents.labels)),
        _sheet("losses", Statement.DECISION, _LOSSES, map(_loss, contents.losses)),
    ]


def contents_from(sheets: Mapping[str, Iterable[Cells]], bodies: Mapping[str, bytes]) -> Contents:
    """Contents without inferences, from the rows of the sheets named in `READ_BACK`; `bodies`: evidence id -> bytes.

    Raises what decoding something that was changed can raise (`cases.codec.UNREADABLE`).
    """
    legs: dict[str, dict[str, dict[int, list[object]]]] = {}
    for row in sheets["legs"]:
        side = legs.setdefault(row["report"], {"inputs": {}, "outputs": {}})[row["side"]]
        if side.setdefault(int(row["place"]), leg := _leg_of(row)) is not leg:
            raise ValueError(f"two legs of report {row['report']} have one place")
    reader = TransferReader()
    return Contents(
        tuple(_transfer_of(row, legs, reader) for row in sheets["transfers"]),
        tuple(Evidence(bodies[row["id"]], row["source"], row["request"]) for row in sheets["evidence"]),
        tuple((row["asked"], coverage_of(_coverage_record(row))) for row in sheets["coverage"]),
        tuple(Problem(row["text"], row["where"]) for row in sheets["problems"]),
        tuple(label_of({**row, "confidence": int(row["confidence"])}) for row in sheets["labels"]),
        tuple(loss_of(_loss_record(row)) for row in sheets["losses"]),
    )


def _sheet(name: str, statement: Statement, columns: Sequence[str], rows: Iterable[Row]) -> Sheet:
    return Sheet(name, statement, tuple(columns), _WHOLE & set(columns), tuple(rows))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _of_record(record: Mapping[str, object], columns: Sequence[str]) -> Row:
    return tuple(_text(record[column]) for column in columns)


def _transfer(numbered: tuple[int, Transfer]) -> Row:
    number, one = numbered
    return (
        str(number), str(one.id), one.id.chain.name, one.id.tx, one.id.position, str(one.block.number),
        str(one.block.time), one.block.hash, _index(one), one.asset.contract, one.asset.symbol,
        str(one.asset.decimals), str(one.units), _shown(one.inputs), _shown(one.outputs), one.method,
        _cited(one.evidence),
    )  # fmt: skip


def _index(one: Transfer) -> str:
    return "" if one.index == UNKNOWN_INDEX else str(one.index)


def _cited(ids: Sequence[str]) -> str:
    """Evidence ids in one cell; a JSON list where spaces would not keep them apart."""
    apart = all(one and " " not in one and not one.startswith("[") for one in ids)
    return " ".join(ids) if apart else canonical(list(ids))


def _citations(cell: str) -> tuple[str, ...]:
    return tuple(json.loads(cell) if cell.startswith("[") else cell.split(" "))


def _shown(legs: Sequence[Leg]) -> str:
    """Both sides for the eye; the sheet `legs` has them to compute with."""
    return " ".join(
        f"{leg.address.text if leg.address else getattr(leg.holding, 'kind', 'script')}:{leg.units}" for leg in legs
    )


def _legs(transfers: Iterable[Transfer]) -> Iterable[Row]:
    for number, transfer in enumerate(transfers):
        body = json.loads(transfer_text(transfer))
        for side in ("inputs", "outputs"):
            for place, leg in enumerate(body[side]):
                holding, address, coin_tx, coin_index, sink, units = leg[0], "", "", "", "", leg[-1]
                if holding == "slot":
                    address = leg[1]
                elif holding == "coin":
                    coin_tx, coin_index, units, address = leg[1], str(leg[2]), leg[3], leg[4] or ""
                else:
                    sink = leg[1]
                yield (str(number), side, str(place), holding, address, coin_tx, coin_index, sink, units)


def _leg_of(row: Cells) -> list[object]:
    match row["holding"]:
        case "slot":
            return ["slot", row["address"], row["units"]]
        case "coin":
            return ["coin", row["coin_tx"], int(row["coin_index"]), row["units"], row["address"] or None]
    return [row["holding"], row["sink"], row["units"]]


def _transfer_of(
    row: Cells, legs: Mapping[str, Mapping[str, Mapping[int, list[object]]]], reader: TransferReader
) -> Transfer:
    mine = legs[row["report"]]
    body = {
        "asset": [row["asset"], row["symbol"], int(row["decimals"])],
        "block": [int(row["block"]), int(row["time"]), row["block_hash"]],
        "index": int(row["index"] or UNKNOWN_INDEX),
        "method": row["method"],
        **{side: [mine[side][place] for place in range(len(mine[side]))] for side in ("inputs", "outputs")},
    }
    key = [row["chain"], row["tx"], row["position"]]
    return reader.read(key, body, _citations(row["evidence"]))


def _evidence(one: Evidence) -> Row:
    return one.id, one.source, one.request, str(len(one.body))


def _coverage(asked: str, one: Coverage) -> Row:
    balances = canonical(coverage_json(one)["balances"])
    told = (
        asked, one.address.chain.name, one.address.text, one.state.word, " ".join(sorted(one.kinds)), one.source,
        one.evidence, one.first, one.last, one.as_of, one.rows, one.reason, one.final, one.tip, balances,
    )  # fmt: skip
    return tuple(map(_text, told))


def _coverage_record(row: Cells) -> dict[str, object]:
    whole = {key: int(row[key]) for key in ("first", "as_of", "rows")}
    open_ended = {key: int(row[key]) if row[key] else None for key in ("last", "final")}
    return {**row, **whole, **open_ended, "kinds": row["kinds"].split(), "balances": json.loads(row["balances"])}


def _loss(one: Loss) -> Row:
    told = (
        one.name, one.victim, one.asset.chain, one.asset.contract, one.asset.symbol, one.asset.decimals,
        one.paid and one.paid.chain, one.paid and one.paid.tx, one.paid and one.paid.position, one.output,
        one.wallet and one.wallet.chain, one.wallet, one.units, one.since,
    )  # fmt: skip
    return tuple(map(_text, told))


def _loss_record(row: Cells) -> dict[str, object]:
    return {
        "name": row["name"], "victim": row["victim"], "since": int(row["since"]),
        "asset": [row["chain"], row["asset"], row["symbol"], int(row["decimals"])],
        "paid": [row["paid_chain"], row["paid_tx"], row["paid_position"]] if row["paid_tx"] else None,
        "wallet": {"chain": row["wallet_chain"], "address": row["wallet"]} if row["wallet"] else None,
        "units": row["units"] or None, "output": int(row["output"]) if row["output"] else None,
    }  # fmt: skip
