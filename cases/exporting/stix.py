"""An export as a STIX 2.1 bundle: payments as observed data, claims and inferences as notes, losses as incidents.

STIX has no object for a wallet. `cryptocurrency-wallet` is the one that DOGESEC's published extension defines
(extension-definition be78509e-6958-51b1-8b26-d17ee0eba2d7); what else we say of an object stands in an extension of our
own, whose definition is in every bundle. All ids are made of what the object is, and no clock is read.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cases.codec import judgement_id
from cases.exporting.contents import Contents, Statement
from cases.graph.nouns import Cluster
from cases.visible import visible
from tracer.judgements import Judgement
from tracer.labels import Label
from tracer.losses import Loss
from tracer.values import Address, Transfer

Object = dict[str, Any]

WALLET_EXTENSION = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7"
_SCO_IDS = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1, section 2.9
_OUR_IDS = uuid.UUID("7b0b7a3c-3d3b-5a53-9c2f-4c8f0d1a6e21")
_FIRST = 1_230_940_800  # 2009-01-03, before any block


def write(contents: Contents) -> str:
    """The bundle, in ASCII."""
    objects = {one["id"]: one for one in _objects(contents)}
    bundle = {
        "type": "bundle",
        "id": f"bundle--{uuid.uuid5(_OUR_IDS, ' '.join(objects))}",
        "objects": list(objects.values()),
    }
    return json.dumps(bundle, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"


def _objects(contents: Contents) -> Iterator[Object]:
    at = _moment(max((one.block.time for one in contents.transfers), default=_FIRST))
    yield {
        "type": "identity", "spec_version": "2.1", "id": _us(), "created": _moment(_FIRST), "modified": _moment(_FIRST),
        "name": "fundtrail", "identity_class": "system",
    }  # fmt: skip
    yield {
        "type": "extension-definition", "spec_version": "2.1", "id": _extension(), "created_by_ref": _us(),
        "created": _moment(_FIRST), "modified": _moment(_FIRST), "name": "fundtrail statement",
        "description": "What kind of statement an object is (fact, claim, decision, inference), and its exact figures.",
        "schema": "docs/exports.md of fundtrail: an object whose values are texts, or lists and objects of texts",
        "version": "1.0.0", "extension_types": ["property-extension"],
    }  # fmt: skip
    seen: set[str] = set()
    for transfer in contents.transfers:
        if str(transfer.id) not in seen:
            seen.add(str(transfer.id))
            yield from _observed(transfer)
    for label in contents.labels:
        yield from _claimed(label, at)
    for loss in contents.losses:
        yield _incident(loss, at)
    for judgement in contents.standing():
        yield from _judged(judgement, at)
    for cluster in contents.clusters():
        yield _grouped(cluster, at)
    if contents.answer is not None:
        for end in contents.answer["ends"]:
            yield from _ended(end, at)
    for hop in contents.hops:
        yield from _traced(hop)


def _observed(transfer: Transfer) -> Iterator[Object]:
    """A fact: the wallets it touches, and that they were seen in this transfer at the time of its block."""
    legs = (*transfer.inputs, *transfer.outputs)
    wallets = [_wallet(address) for address in dict.fromkeys(leg.address for leg in legs) if address is not None]
    yield from wallets
    if not wallets:
        return
    at = _moment(transfer.block.time)
    sides = {
        side: [
            {"of": leg.address.text if leg.address else _nameless(leg.holding), "units": str(leg.units)} for leg in of
        ]
        for side, of in (("inputs", transfer.inputs), ("outputs", transfer.outputs))
    }
    told = {
        "transfer": str(transfer.id), "block": str(transfer.block.number), "asset": transfer.asset.name,
        "symbol": visible(transfer.asset.symbol), "decimals": str(transfer.asset.decimals),
        "method": visible(transfer.method), "evidence": [visible(one) for one in transfer.evidence], **sides,
    }  # fmt: skip
    yield {
        **_common("observed-data", str(transfer.id), at), "first_observed": at, "last_observed": at,
        "number_observed": 1, "object_refs": [wallet["id"] for wallet in wallets],
        **_stated(Statement.FACT, told),
    }  # fmt: skip


def _nameless(holding: object) -> str:
    return str(getattr(holding, "kind", "script"))


def _claimed(label: Label, at: str) -> Iterator[Object]:
    """A claim: a note about the wallet by who makes it."""
    wallet = _wallet(label.address)
    yield wallet
    who = visible(label.name or label.entity)
    told = {
        "entity": visible(label.entity), "name": visible(label.name), "role": label.role.value,
        "source": visible(label.source), "seen": label.seen.isoformat() if label.seen else "",
        "note": visible(label.note), "evidence": visible(label.evidence),
    }  # fmt: skip
    key = json.dumps(["label", wallet["id"], *told.values(), label.confidence])
    yield {
        **_common("note", key, at), "abstract": "A claim about who an address belongs to",
        "content": f"{visible(label.source)} says: {who or 'unnamed'} ({label.role.value})",
        "authors": [visible(label.source)], "confidence": label.confidence, "object_refs": [wallet["id"]],
        **_stated(Statement.CLAIM, told),
    }  # fmt: skip


def _incident(loss: Loss, at: str) -> Object:
    """A decision: what was stated as lost."""
    told = {
        "victim": visible(loss.victim), "asset": loss.asset.name, "paid": str(loss.paid or ""),
        "wallet": str(loss.wallet or ""), "units": "" if loss.units is None else str(loss.units),
        "since": str(loss.since), "output": "" if loss.output is None else str(loss.output),
    }  # fmt: skip
    return {
        **_common("incident", json.dumps(["loss", loss.name]), at), "name": visible(loss.name) or "loss",
        **_stated(Statement.DECISION, told),
    }  # fmt: skip


def _judged(one: Judgement, at: str) -> Iterator[Object]:
    """An inference: two wallets, and whoever takes them for one owner's."""
    left, right = _wallet(one.left), _wallet(one.right)
    yield from (left, right)
    told = {
        "rule": visible(one.rule), "author": visible(one.author), "at": str(one.at),
        "evidence": [visible(str(id)) for id in one.evidence],
    }  # fmt: skip
    yield {
        **_common("relationship", json.dumps(["judgement", judgement_id(one)]), at),
        "relationship_type": "same-owner-as", "source_ref": left["id"], "target_ref": right["id"],
        "confidence": one.confidence, "description": f"{visible(one.author)}: {visible(one.rule)}",
        **_stated(Statement.INFERENCE, told),
    }  # fmt: skip


def _grouped(cluster: Cluster, at: str) -> Object:
    """An inference: the wallets that judgements, taken together, say are one owner's."""
    wallets = [_wallet(member)["id"] for member in cluster.members]
    because = [judgement_id(one) for one in cluster.judgements]
    return {
        **_common("grouping", json.dumps(["cluster", *wallets]), at), "context": "unspecified",
        "name": "Addresses taken for one owner's, inferred", "object_refs": wallets,
        **_stated(Statement.INFERENCE, {"judgements": because}),
    }  # fmt: skip


def _ended(end: Mapping[str, Any], at: str) -> Iterator[Object]:
    """An inference: a note that value rests at the wallet, under the rules that are named in it."""
    if end["address"] is None:
        return
    wallet = _wallet_of(end["chain"], end["address"])
    yield wallet
    told = {
        "asset": end["asset"], "stop": end["stop"], "part": end["part"], "why": visible(end["why"]),
        "label": visible(end["label"]), "labelled_by": visible(end["labelled_by"]), "basis": end["basis"],
        "amounts": end["amounts"], "basis_amounts": end["basis_amounts"],
        "least": end["least"] or "", "most": end["most"] or "",
    }  # fmt: skip
    yield {
        **_common("note", json.dumps(["end", wallet["id"], told], sort_keys=True), at),
        "abstract": "Where traced value rests, inferred", "content": f"{end['stop']}: {visible(end['why'])}",
        "object_refs": [wallet["id"]], **_stated(Statement.INFERENCE, told),
    }  # fmt: skip


def _traced(hop: Mapping[str, Any]) -> Iterator[Object]:
    """An inference: stolen value went from one wallet to another. A hop without both ends is in no relationship."""
    if hop["source"] is None or hop["target"] is None:
        return
    chain = hop["transfer"].partition(":")[0]
    source, target = _wallet_of(chain, hop["source"]), _wallet_of(chain, hop["target"])
    yield from (source, target)
    told = {
        "transfer": hop["transfer"], "asset": hop["asset"], "amounts": hop["amounts"],
        "basis_amounts": hop["basis_amounts"],
    }  # fmt: skip
    key = json.dumps(["hop", hop["transfer"], source["id"], target["id"]])
    yield {
        **_common("relationship", key, _moment(hop["time"])), "relationship_type": "traced-to",
        "source_ref": source["id"], "target_ref": target["id"], **_stated(Statement.INFERENCE, told),
    }  # fmt: skip


def _wallet(address: Address) -> Object:
    return _wallet_of(address.chain.name, address.text)


def _wallet_of(chain: str, text: str) -> Object:
    # The id is of the address and its chain: one account key has the same address on many chains, and other money.
    id = uuid.uuid5(_SCO_IDS, json.dumps({"address": text, "chain": chain}, sort_keys=True, separators=(",", ":")))
    return {
        "type": "cryptocurrency-wallet", "spec_version": "2.1", "id": f"cryptocurrency-wallet--{id}", "address": text,
        "extensions": {
            WALLET_EXTENSION: {"extension_type": "new-sco"},
            _extension(): {"extension_type": "property-extension", "statement": Statement.FACT.value, "chain": chain},
        },
    }  # fmt: skip


def _common(type: str, key: str, at: str) -> Object:
    return {
        "type": type, "spec_version": "2.1", "id": f"{type}--{uuid.uuid5(_OUR_IDS, f'{type} {key}')}",
        "created_by_ref": _us(), "created": at, "modified": at,
    }  # fmt: skip


def _stated(statement: Statement, told: Mapping[str, Any]) -> Object:
    """Common to all: the word as a label, and the figures in our extension; what is empty is left out, as STIX asks."""
    kept = {key: value for key, value in told.items() if value not in ("", [], {})}
    extension = {"extension_type": "property-extension", "statement": statement.value, **kept}
    return {"labels": [statement.value], "extensions": {_extension(): extension}}


def _us() -> str:
    return f"identity--{uuid.uuid5(_OUR_IDS, 'fundtrail')}"


def _extension() -> str:
    return f"extension-definition--{uuid.uuid5(_OUR_IDS, 'statement')}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
