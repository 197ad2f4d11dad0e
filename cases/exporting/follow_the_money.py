"""An export as FollowTheMoney entities, one a line: wallets and payments, and what is claimed or inferred apart.

A FollowTheMoney payment has a payer and a beneficiary, who are somebody. The chain does not say who, so each wallet has
a holder that is nobody by name. Where several paid or were paid in one transaction, nobody can say who paid whom: the
transaction is an event that its wallets are linked to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cases.codec import judgement_id
from cases.exporting.contents import Contents, Statement
from cases.visible import visible
from tracer.judgements import Judgement
from tracer.labels import Label
from tracer.losses import Loss
from tracer.values import Address, Leg, Transfer, shown

Entity = dict[str, Any]

_MOST = {"name": 384, "description": 65_000, "summary": 65_000, "purpose": 65_000}  # FollowTheMoney's own limits
_MOST_OF_OTHERS = 1_024
_MARK = "… (cut here; the jsonl export has it whole)"


def write(contents: Contents) -> str:
    """One entity a line, in ASCII, each once."""
    entities: dict[str, Entity] = {}
    for one in _entities(contents):
        entities.setdefault(one["id"], one)
    return "".join(
        json.dumps(one, sort_keys=True, ensure_ascii=True, separators=(",", ":")) + "\n" for one in entities.values()
    )


def _entities(contents: Contents) -> Iterator[Entity]:
    seen: set[str] = set()
    for transfer in contents.transfers:
        if str(transfer.id) not in seen:
            seen.add(str(transfer.id))
            yield from _recorded(transfer)
    for label in contents.labels:
        yield from _claimed(label)
    for loss in contents.losses:
        yield _lost(loss)
    for judgement in contents.standing():
        yield from _judged(judgement)
    if contents.answer is not None:
        for end in contents.answer["ends"]:
            yield from _ended(end)
    for hop in contents.hops:
        yield from _traced(hop)


def _recorded(transfer: Transfer) -> Iterator[Entity]:
    """A fact. A payment where one paid one, else an event with its wallets."""
    for leg in (*transfer.inputs, *transfer.outputs):
        if leg.address is not None:
            yield from _wallet(leg.address.chain.name, leg.address.text)
    payer, paid = _only(transfer.inputs), _only(transfer.outputs)
    common = {
        "date": _day(transfer.block.time), "recordId": str(transfer.id), "publisher": "recorded on the chain",
        "description": f"{Statement.FACT}: {transfer.units} base units of {transfer.asset.name}, block "
        f"{transfer.block.number}; read from {' '.join(map(visible, transfer.evidence))}",
    }  # fmt: skip
    if payer and paid:
        yield _entity("Payment", _id("payment", str(transfer.id)), {
            **common, "payer": _holder_id(payer), "beneficiary": _holder_id(paid),
            "transactionNumber": transfer.id.tx, "purpose": visible(transfer.method),
            **_amount(transfer.units, transfer.asset.decimals, visible(transfer.asset.symbol)),
        })  # fmt: skip
        return
    event = _id("transaction", str(transfer.id))
    yield _entity("Event", event, {**common, "name": str(transfer.id), "keywords": Statement.FACT.value})
    for side, legs in (("input", transfer.inputs), ("output", transfer.outputs)):
        for at, leg in enumerate(legs):
            if leg.address is not None:
                yield _entity("UnknownLink", _id("leg", str(transfer.id), side, str(at)), {
                    "subject": _wallet_id(leg.address.chain.name, leg.address.text), "object": event,
                    "role": f"{side} {at} of the transaction: {leg.units} base units",
                    "date": _day(transfer.block.time), "publisher": "recorded on the chain",
                    "description": f"{Statement.FACT}: {side} {at}",
                })  # fmt: skip


def _claimed(label: Label) -> Iterator[Entity]:
    """A claim, as a note on the wallet: it makes nobody its holder."""
    chain, text = label.address.chain.name, label.address.text
    yield from _wallet(chain, text)
    who = visible(label.name or label.entity) or "unnamed"
    said = f"{Statement.CLAIM}: {visible(label.source)} says this address is {who} ({label.role}), "
    more = f"; {visible(label.note)}" if label.note else ""
    key = [label.entity, label.name, label.role, label.source, str(label.seen), str(label.confidence), label.note]
    yield _entity("Note", _id("label", chain, text, *key), {
        "name": f"claim: {who}", "entity": _wallet_id(chain, text), "publisher": visible(label.source),
        "description": f"{said}confidence {label.confidence} of 100{more}", "keywords": Statement.CLAIM.value,
        "retrievedAt": label.seen.isoformat() if label.seen else "",
    })  # fmt: skip


def _lost(loss: Loss) -> Entity:
    """A decision: what was stated as lost. The victim is a reference, not an entity."""
    start = str(loss.paid or loss.wallet)
    units = "all of it" if loss.units is None else f"{loss.units} base units"
    return _entity("Event", _id("loss", loss.name), {
        "name": f"loss: {visible(loss.name)}", "keywords": Statement.DECISION.value,
        "description": f"{Statement.DECISION}: {units} of {loss.asset.name} from {start}; "
        f"reference {visible(loss.victim) or 'none'}",
    })  # fmt: skip


def _judged(one: Judgement) -> Iterator[Entity]:
    """An inference, as a link of two wallets: their holders stay two, whom nobody has named."""
    for side in (one.left, one.right):
        yield from _wallet(side.chain.name, side.text)
    cited = " ".join(map(str, one.evidence)) or "no transfer"
    yield _entity("UnknownLink", _id("judgement", judgement_id(one)), {
        "subject": _wallet_id(one.left.chain.name, one.left.text),
        "object": _wallet_id(one.right.chain.name, one.right.text),
        "role": "one owner, inferred", "publisher": visible(one.author), "recordId": judgement_id(one),
        "description": f"{Statement.INFERENCE}: {visible(one.author)} takes the two for one owner's, confidence "
        f"{one.confidence} of 100: {visible(one.rule)}; rests on {visible(cited)}",
    })  # fmt: skip


def _ended(end: Mapping[str, Any]) -> Iterator[Entity]:
    if end["address"] is None:
        return
    yield from _wallet(end["chain"], end["address"])
    wallet = _wallet_id(end["chain"], end["address"])
    figures = ", ".join(f"{rule} {units}" for rule, units in end["amounts"].items())
    yield _entity("Note", _id("end", wallet, end["asset"]), {
        "name": f"inferred: {end['stop']}", "entity": wallet, "keywords": Statement.INFERENCE.value,
        "description": f"{Statement.INFERENCE}: traced value rests here ({end['stop']}: {visible(end['why'])}). "
        f"Base units of {end['asset']} by rule: {figures}",
    })  # fmt: skip


def _traced(hop: Mapping[str, Any]) -> Iterator[Entity]:
    """An inference; a hop without both ends has no two things to link."""
    if hop["source"] is None or hop["target"] is None:
        return
    chain = hop["transfer"].partition(":")[0]
    yield from _wallet(chain, hop["source"])
    yield from _wallet(chain, hop["target"])
    figures = ", ".join(f"{rule} {units}" for rule, units in hop["amounts"].items())
    yield _entity("UnknownLink", _id("hop", hop["transfer"], hop["source"], hop["target"]), {
        "subject": _wallet_id(chain, hop["source"]), "object": _wallet_id(chain, hop["target"]),
        "role": "traced value, inferred", "date": _day(hop["time"]), "recordId": hop["transfer"],
        "description": f"{Statement.INFERENCE}: base units of {hop['asset']} by rule: {figures}",
    })  # fmt: skip


def _wallet(chain: str, text: str) -> Iterator[Entity]:
    holder = _id("holder", chain, text)
    yield _entity("LegalEntity", holder, {"name": f"unknown holder of {text}", "summary": "nobody is named by this"})
    told = {"name": text, "cryptoAddress": text, "blockchain": chain, "holder": holder}
    yield _entity("CryptoWallet", _wallet_id(chain, text), told)


def _wallet_id(chain: str, text: str) -> str:
    return _id("wallet", chain, text)


def _holder_id(address: Address) -> str:
    return _id("holder", address.chain.name, address.text)


def _only(legs: Sequence[Leg]) -> Address | None:
    return legs[0].address if len(legs) == 1 else None


def _amount(units: int, decimals: int, symbol: str) -> dict[str, str]:
    """In whole coins, exactly; where a contract claims absurd decimals, base units without a currency."""
    return {"amount": shown(units, decimals), **({"currency": symbol} if 0 <= decimals <= 36 else {})}


def _entity(schema: str, id: str, told: Mapping[str, str]) -> Entity:
    properties = {key: [_kept(key, text)] for key, text in told.items() if text.strip()}
    return {"id": id, "schema": schema, "properties": properties}


def _kept(key: str, text: str) -> str:
    """As long as the property can be there, with a mark where it was cut."""
    most = _MOST.get(key, _MOST_OF_OTHERS)
    return text if len(text) <= most else text[: most - len(_MARK)] + _MARK


def _id(*parts: str) -> str:
    return "fundtrail-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
