"""An export as JSON lines: one statement a line, in ASCII, every amount a text; read back without a loss."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cases.codec import (
    TransferReader,
    address_json,
    canonical,
    coverage_json,
    coverage_of,
    judgement_id,
    judgement_json,
    judgement_of,
    label_json,
    label_of,
    loss_json,
    loss_of,
    transfer_text,
    withdrawal_json,
    withdrawal_of,
)
from cases.exporting.contents import Contents, Statement
from cases.exporting.reading_back import CAPS, FORMAT, checked, opened, packed, record_of, undamaged
from cases.graph.nouns import Cluster
from connectors.protocol import Evidence, Problem
from connectors.reading import lines, text_of
from tracer.errors import InputError
from tracer.values import Transfer

Record = dict[str, Any]


def write(contents: Contents) -> str:
    """The lines, the first of which says what this is and how many follow."""
    records = [canonical({"statement": said, "kind": kind, **record}) for said, kind, record in _told(contents)]
    head = canonical({"kind": "export", "format": FORMAT, "records": len(records)})
    return "".join(f"{line}\n" for line in [head, *records])


def read(path: Path) -> Contents:
    """The contents of a file that `write` made. Raises `InputError` naming the line at fault."""
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    reader = TransferReader()
    numbered = lines(path, CAPS)
    head = record_of(text_of(next(numbered, (0, b""))[1], f"{path.name}, line 1"), f"{path.name}, line 1")
    if (head.get("kind"), head.get("format")) != ("export", FORMAT):
        raise InputError(f"{path.name} is not an export of a case", f"its first line names the format {FORMAT}")
    count = 0
    for number, raw in numbered:
        where = f"{path.name}, line {number}"
        record = record_of(text_of(raw, where), where)
        count += 1
        with undamaged(where):
            kind = record.pop("kind")
            if kind not in _KINDS or record.pop("statement") != _KINDS[kind][0].value:
                raise InputError(f"{where} is {kind!r:.60}, of another kind of statement", "export the case again")
            found[kind].append(_transfer_of(record, reader) if kind == "transfer" else _KINDS[kind][1](record))
    if count != head.get("records"):
        raise InputError(f"{path.name} has {count} records, not {head.get('records')!r:.20}", "copy the whole file")
    if len(found["answer"]) > 1:
        raise InputError(f"{path.name} holds two answers", "export the case again")
    contents = Contents(
        tuple(found["transfer"]),
        tuple(found["evidence"]),
        tuple(found["coverage"]),
        tuple(found["problem"]),
        tuple(found["label"]),
        tuple(found["loss"]),
        next(iter(found["answer"]), None),
        tuple(found["hop"]),
        tuple(found["judgement"]),
    )
    with undamaged(path.name):
        known = {judgement_id(one): one for one in contents.judgements}
        withdrawals = tuple(withdrawal_of(record, known) for record in found["withdrawal"])
        contents = checked(replace(contents, withdrawals=withdrawals), path.name)
        if found["cluster"] != list(map(_cluster, contents.clusters())):
            raise InputError(f"{path.name} has other clusters than its judgements make", "export the case again")
    return contents


def _told(contents: Contents) -> Iterator[tuple[str, str, Record]]:
    for evidence in contents.evidence:
        yield from _one("evidence", _evidence(evidence))
    for transfer in contents.transfers:
        yield from _one("transfer", _transfer(transfer))
    for asked, coverage in contents.coverage:
        yield from _one("coverage", {"asked": asked, **coverage_json(coverage)})
    for problem in contents.problems:
        yield from _one("problem", {"text": problem.text, "where": problem.where})
    for label in contents.labels:
        yield from _one("label", label_json(label))
    for loss in contents.losses:
        yield from _one("loss", loss_json(loss))
    for judgement in contents.judgements:
        yield from _one("judgement", judgement_json(judgement))
    for withdrawal in contents.withdrawals:
        yield from _one("withdrawal", dict(withdrawal_json(withdrawal)))
    for cluster in contents.clusters():
        yield from _one("cluster", _cluster(cluster))
    if contents.answer is not None:
        yield from _one("answer", {"answer": contents.answer})
    for hop in contents.hops:
        yield from _one("hop", {"hop": hop})


def _one(kind: str, record: Record) -> Iterator[tuple[str, str, Record]]:
    yield _KINDS[kind][0].value, kind, record


def _evidence(one: Evidence) -> Record:
    return {"id": one.id, "source": one.source, "request": one.request, "body": packed(one.body)}


def _evidence_of(record: Record) -> Evidence:
    found = Evidence(opened(record["body"]), record["source"], record["request"])
    if found.id != record["id"]:
        raise ValueError(f"the bytes of {record['id']!r:.80} have another hash")
    return found


def _cluster(one: Cluster) -> Record:
    return {"members": list(map(address_json, one.members)), "judgements": list(map(judgement_id, one.judgements))}


def _transfer(one: Transfer) -> Record:
    id = [one.id.chain.name, one.id.tx, one.id.position]
    return {"id": id, **json.loads(transfer_text(one)), "evidence": list(one.evidence)}


def _transfer_of(record: Record, reader: TransferReader) -> Transfer:
    return reader.read(record["id"], record, tuple(record["evidence"]))


#: kind of record -> (what kind of statement it is, how it is read)
_KINDS: dict[str, tuple[Statement, Callable[[Record], Any]]] = {
    "evidence": (Statement.FACT, _evidence_of),
    "transfer": (Statement.FACT, lambda record: record),
    "coverage": (Statement.FACT, lambda record: (record["asked"], coverage_of(record))),
    "problem": (Statement.FACT, lambda record: Problem(record["text"], record["where"])),
    "label": (Statement.CLAIM, label_of),
    "loss": (Statement.DECISION, loss_of),
    "judgement": (Statement.INFERENCE, judgement_of),
    "withdrawal": (Statement.DECISION, lambda record: record),
    "cluster": (Statement.INFERENCE, lambda record: record),
    "answer": (Statement.INFERENCE, lambda record: record["answer"]),
    "hop": (Statement.INFERENCE, lambda record: record["hop"]),
}
