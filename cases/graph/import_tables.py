"""A case as tables for `neo4j-admin database import full`: for the first load of millions of transfers, server stopped.

Each field is quoted and its text `escaped`, so none has a line end or the delimiter of lists in it. What is loaded is
the graph that a push makes, without the case file itself: a push afterwards adds that and finds the rest there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from cases.case_file import Case
from cases.graph import neo4j_rows as rows
from cases.graph.access import checked_name
from cases.graph.batching import batches
from cases.graph.clusters import clusters_of
from cases.graph.nouns import Place
from cases.graph.records import records_of
from tracer.errors import CaseConflict, CaseError
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.values import Sink, Transfer

DELIMITER = "\x1f"  # `escaped` leaves none in a text
PIECE = 2_000
_BY_RULE = {name: [f"{name}_{rule}:string" for rule in Rule] for name in ("units", "basis", "stolen")}
_LEG = ["id:string", "case:string", "n:long", "asset:string", "units:string", "value:double", "block:long", "time:long",
        "tx:string", "index:long", "sink:string"]  # fmt: skip

#: File -> (label or type, the columns that say which node or which two it is, the other columns).
NODES = {
    "places": (":LABEL", ["key:ID(Place)"], ["chain:string", "name:string", "kind:string"]),
    "transactions": ("Transaction", ["id:ID(Transaction)"], [
        "case:string", "order:string", "transfer:string", "tx:string", "asset:string", "units:string", "value:double",
        "block:long", "time:long", "index:long", "pooled:boolean", "body:string"]),
    "cases": ("Case", ["name:ID(Case)"], []),
    "claims": ("Claim", ["id:ID(Claim)"], [
        "case:string", "entity:string", "name:string", "role:string", "source:string", "confidence:long", "seen:string",
        "evidence:string", "note:string", "body:string"]),
    "losses": ("Loss", ["id:ID(Loss)"], [
        "case:string", "name:string", "victim:string", "asset:string", "units:string", "since:long", "body:string"]),
    "traces": ("Trace", ["id:ID(Trace)"], [
        "case:string", "trace:string", "at:long", "direction:string", "asset:string", "partial:boolean",
        "rules:string[]", "losses:string[]", "whole:boolean", "body:string"]),
    "clusters": ("Cluster", ["id:ID(Cluster)"], ["case:string", "size:long"]),
    "ends": ("End", ["id:ID(End)"], [
        "case:string", "trace:string", "n:long", "stop:string", "part:string", "label:string", "basis:string",
        "why:string", "asset:string", *_BY_RULE["units"], *_BY_RULE["stolen"], "least:string", "most:string",
        "value:double", "body:string"]),
}  # fmt: skip
RELATIONSHIPS = {
    "includes": ("INCLUDES", [":START_ID(Case)", ":END_ID(Place)"], ["id:string"]),
    "sent": ("SENT", [":START_ID(Place)", ":END_ID(Place)"], [
        "id:string", "case:string", "order:string", "transfer:string", "tx:string", "position:string", "asset:string",
        "symbol:string", "decimals:long", "units:string", "value:double", "block:long", "time:long", "blockHash:string",
        "index:long", "method:string", "evidence:string[]"]),
    "inputs": ("INPUT_OF", [":START_ID(Place)", ":END_ID(Transaction)"], _LEG),
    "outputs": ("OUTPUT_TO", [":START_ID(Transaction)", ":END_ID(Place)"], _LEG),
    "says": ("SAYS_OF", [":START_ID(Claim)", ":END_ID(Place)"], ["id:string"]),
    "lost": ("LOST_TO", [":START_ID(Loss)", ":END_ID(Place)"], ["id:string"]),
    "same_owner": ("SAME_OWNER", [":START_ID(Place)", ":END_ID(Place)"], [
        "id:string", "case:string", "rule:string", "confidence:long", "author:string", "at:long", "evidence:string[]",
        "body:string"]),
    "in_cluster": ("IN_CLUSTER", [":START_ID(Place)", ":END_ID(Cluster)"], ["id:string"]),
    "flows": ("TRACED_TO", [":START_ID(Place)", ":END_ID(Place)"], [
        "id:string", "case:string", "trace:string", "n:long", "order:string", "transfer:string", "asset:string",
        "block:long", "time:long", *_BY_RULE["units"], *_BY_RULE["basis"], "value:double", "body:string"]),
    "ends_at": ("ENDS_AT", [":START_ID(Trace)", ":END_ID(End)"], ["id:string"]),
    "rests": ("RESTS_WITH", [":START_ID(End)", ":END_ID(Place)"], ["id:string"]),
}  # fmt: skip
_LABELS = {"address": "Place\x1fAddress", "sink": "Place\x1fSink", "output": "Place\x1fUnaddressed",
           "payers": "Place\x1fUnaddressed"}  # fmt: skip


def write(case: Case, folder: Path, name: str) -> dict[str, list[str]]:
    """Write the tables of `case` into the new folder; the files, and the words of the command that loads them."""
    checked_name(name)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise CaseConflict(f"{folder} exists already", "name a new folder with --out") from None
    try:
        with ExitStack() as stack:
            tables = _Tables(folder, stack)
            tables.row("cases", [name], {})
            after = ""
            while True:
                after, transfers = case.transactions(after, PIECE)
                if not after:
                    break
                tables.transfers(name, transfers)
            for batch in batches(case.labels(), PIECE):
                for label in batch:
                    row = rows.claim_row(name, label)
                    tables.place(name, Place.of(label.address))
                    tables.row("claims", [row["id"]], row["props"])
                    tables.row("says", [row["id"], row["place"]], {"id": row["id"]})
            _losses(case, name, tables)
            _owners(case, name, tables)
            _traces(case, name, tables)
    except OSError as error:
        raise CaseError(f"cannot write into {folder}: {error.strerror}", "check the space on the disk") from error
    return {"files": sorted(str(path) for path in folder.iterdir()), "command": command(folder)}


def command(folder: Path, database: str = "neo4j") -> list[str]:
    """The words of the command that loads the tables into an empty, stopped database."""
    nodes = [f"--nodes={'' if table == 'places' else f'{NODES[table][0]}='}{folder / table}.csv" for table in NODES]
    between = [f"--relationships={RELATIONSHIPS[table][0]}={folder / table}.csv" for table in RELATIONSHIPS]
    return ["database", "import", "full", *nodes, *between, "--array-delimiter=U+001F", database]


class _Tables:
    """The open files. Places come up over and over: which were written is kept on the disk, not in memory."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._files: dict[str, IO[str]] = {}
        self._columns: dict[str, list[str]] = {}
        for table, (label, first, rest) in {**NODES, **RELATIONSHIPS}.items():
            path = folder / f"{table}.csv"
            path.touch(mode=0o600)
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._files[table] = file
            self._columns[table] = [column.partition(":")[0] for column in rest]
            file.write(",".join([*first, *rest, *([label] if label == ":LABEL" else [])]) + "\n")
        self._seen = sqlite3.connect("")  # a file of SQLite's own, gone when it is closed
        stack.callback(self._seen.close)
        self._seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def row(self, table: str, first: Iterable[str], props: rows.Row, last: Iterable[str] = ()) -> None:
        values = (props.get(column) for column in self._columns[table])
        self._files[table].write(",".join(map(_cell, (*first, *values, *last))) + "\n")

    def place(self, case: str, place: Place) -> None:
        row = rows.place_row(place)
        if self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (row["key"],)).rowcount:
            self.row("places", [row["key"]], {**row, "kind": place.kind}, [_LABELS[place.kind]])
            self.row("includes", [case, row["key"]], {"id": f"{case}|{row['key']}"})

    def transfers(self, case: str, transfers: Iterable[Transfer]) -> None:
        for one in transfers:
            for leg in one.inputs + one.outputs:
                self.place(case, Place.of_leg(leg))
            if rows.is_simple(one):
                row = rows.sent_row(case, one, Place.of_leg(one.inputs[0]), Place.of_leg(one.outputs[0]))
                self.row("sent", [row["source"], row["target"]], row["props"])
                continue
            node, inputs, outputs = rows.transaction_rows(case, one)
            self.row("transactions", [node["id"]], node["props"])
            for row in inputs:
                self.row("inputs", [row["place"], row["transaction"]], row["props"])
            for row in outputs:
                self.row("outputs", [row["transaction"], row["place"]], row["props"])


def _losses(case: Case, name: str, tables: _Tables) -> None:
    for loss in case.losses():
        row = rows.loss_row(name, loss)
        tables.row("losses", [row["id"]], row["props"])
        for place in dict.fromkeys(_lost_to(case, loss)):
            tables.place(name, place)
            key = rows.place_row(place)["key"]
            tables.row("lost", [row["id"], key], {"id": f"{row['id']}|{key}"})


def _lost_to(case: Case, loss: Loss) -> Iterator[Place]:
    if loss.wallet is not None:
        yield Place.of(loss.wallet)
    elif loss.paid is not None:
        for transfer in case.transaction(loss.paid.chain, loss.paid.tx):
            if transfer.id == loss.paid:
                for leg in transfer.outputs:
                    if not isinstance(leg.holding, Sink) and loss.output in (None, getattr(leg.holding, "index", None)):
                        yield Place.of_leg(leg)


def _owners(case: Case, name: str, tables: _Tables) -> None:
    standing = case.standing()
    for one in standing:
        for side in (one.left, one.right):
            tables.place(name, Place.of(side))
        row = rows.judgement_row(name, one)
        tables.row("same_owner", [row["left"], row["right"]], row["props"])
    for cluster in clusters_of(standing):
        node, members = rows.cluster_rows(name, cluster)
        tables.row("clusters", [node["id"]], node["props"])
        for _, row in members:
            tables.row("in_cluster", [row["place"], row["cluster"]], row)


def _traces(case: Case, name: str, tables: _Tables) -> None:
    for trace in records_of(case):
        row = rows.trace_row(name, trace, is_whole=True)
        tables.row("traces", [row["id"]], row["props"])
        for n, flow in enumerate(trace.flows):
            tables.place(name, flow.source)
            tables.place(name, flow.target)
            flowed = rows.flow_row(name, trace, n, flow)
            tables.row("flows", [flowed["source"], flowed["target"]], flowed["props"])
        for n, rest in enumerate(trace.ends):
            tables.place(name, rest.place)
            end = rows.end_row(name, trace, n, rest)
            tables.row("ends", [end["id"]], end["props"])
            tables.row("ends_at", [end["trace"], end["id"]], {"id": end["id"]})
            tables.row("rests", [end["id"], end["place"]], {"id": end["id"]})


def _cell(value: Any) -> str:
    """A field: nothing at all for None, numbers as they are, and every text quoted, an empty one too."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = DELIMITER.join(value) if isinstance(value, list) else str(value)
    return '"' + text.replace('"', '""') + '"'
