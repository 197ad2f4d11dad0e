"""How the nouns are written in a case: canonical JSON, every amount a text of digits, and back without a loss."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any

from connectors.prices.protocol import Price
from connectors.protocol import Problem
from tracer.balances import Balance
from tracer.coverage import Coverage, Kind, State
from tracer.errors import CaseDamaged, FundtrailError
from tracer.judgements import Judgement, Withdrawal
from tracer.labels import Label, Role
from tracer.losses import Loss
from tracer.values import (
    Address,
    Asset,
    Block,
    Chain,
    Leg,
    Outpoint,
    Sink,
    SinkKind,
    Slot,
    Transfer,
    TransferId,
    units_of,
)  # fmt: skip

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode
#: What decoding something that was changed can raise.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, FundtrailError, DecimalException)
MOST_BYTES = 2**28  # one answer of a source; our readers take at most 2**26 of one
_STATES = {state.word: state for state in State}


def canonical(value: object) -> str:
    r"""The one text of a JSON value: sorted keys, no spaces, ASCII only, so NULs and lone surrogates are escaped.

    >>> canonical({"b": ["1", None], "a": "\ud800"})
    '{"a":"\\ud800","b":["1",null]}'
    """
    return _encode(value)


def unpacked(body: bytes) -> bytes:
    """Bytes as they were before zlib packed them. Raises `ValueError` if they were not, or are more than we keep."""
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(f"its bytes do not unpack: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"its bytes are more than {MOST_BYTES:,}, or cut, or have others after them")
    return raw


def sha256(text: str) -> str:
    """The hash of an ASCII text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def readable(what: str) -> Iterator[None]:
    """What cannot be decoded was changed after it was written: `CaseDamaged`, naming `what`."""
    try:
        yield
    except UNREADABLE as error:
        raise CaseDamaged(f"{what} cannot be read: {error!r:.200}", "run `fundtrail case verify` on the case") from None


def transfer_key(id: TransferId) -> str:
    """A transfer's id as text."""
    return canonical([id.chain.name, id.tx, id.position])


def tx_key(chain: Chain, tx: str) -> str:
    """A transaction as text."""
    return canonical([chain.name, tx])


def transfer_text(transfer: Transfer) -> str:
    """All of a transfer but its id and evidence."""
    return canonical(
        {
            "asset": [transfer.asset.contract, transfer.asset.symbol, transfer.asset.decimals],
            "block": [transfer.block.number, transfer.block.time, transfer.block.hash],
            "index": transfer.index,
            "inputs": [_leg(leg, transfer) for leg in transfer.inputs],
            "method": transfer.method,
            "outputs": [_leg(leg, transfer) for leg in transfer.outputs],
        }
    )


def _leg(leg: Leg, transfer: Transfer) -> list[object]:
    match leg.holding:
        case Slot(address, asset) if asset == transfer.asset and leg.address == address:
            return ["slot", address.text, str(leg.units)]
        case Outpoint(_, tx, index):
            return ["coin", tx, index, str(leg.units), leg.address.text if leg.address else None]
        case Sink(asset, kind) if asset == transfer.asset:
            return ["sink", kind.value, str(leg.units)]
    raise ValueError(f"{transfer.id} has a leg of another asset: {leg}")


def parsed(texts: Iterable[str]) -> list[Any]:
    """The values of many JSON texts, in one go."""
    found: list[Any] = json.loads(f"[{','.join(texts)}]")
    return found


class TransferReader:
    """Decodes transfers, each address and asset made once: a ledger names the same few over and over."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Asset, dict[str, Slot]]] = {}

    def read(self, key: list[Any], body: dict[str, Any], evidence: tuple[str, ...]) -> Transfer:
        """The transfer that `transfer_key` and `transfer_text` told, parsed."""
        chain, tx, position = key
        claimed = (chain, *body["asset"])
        if claimed not in self._known:
            self._known[claimed] = Asset(Chain.named(chain), *body["asset"]), {}
        asset, slots = self._known[claimed]
        return Transfer(
            TransferId(asset.chain, tx, position),
            Block(*body["block"]),
            body["index"],
            asset,
            tuple([_leg_of(leg, asset, slots) for leg in body["inputs"]]),
            tuple([_leg_of(leg, asset, slots) for leg in body["outputs"]]),
            evidence,
            body["method"],
        )


def _leg_of(leg: list[Any], asset: Asset, slots: dict[str, Slot]) -> Leg:
    if leg[0] == "slot":
        _, text, units = leg
        slot = slots.get(text)
        if slot is None:
            slot = slots[text] = Slot(Address(asset.chain, text), asset)
        return Leg(slot, units_of(units), slot.address)
    if leg[0] == "coin":
        _, tx, index, units, text = leg
        return Leg.coin(tx, index, asset.chain, units_of(units), None if text is None else Address(asset.chain, text))
    _, kind, units = leg
    return Leg.sink(asset, SinkKind(kind), units_of(units))


def coverage_json(answer: Coverage) -> dict[str, object]:
    """A coverage answer."""
    return {
        **address_json(answer.address),
        "state": answer.state.word, "kinds": sorted(answer.kinds), "source": answer.source,
        "evidence": answer.evidence, "first": answer.first, "last": answer.last, "as_of": answer.as_of,
        "rows": answer.rows, "reason": answer.reason, "final": answer.final, "tip": answer.tip,
        "balances": [
            [_asset_json(one.asset), one.block, str(one.stated), str(one.counted)] for one in answer.balances
        ],
    }  # fmt: skip


def coverage_of(record: dict[str, Any]) -> Coverage:
    """Back from `coverage_json`."""
    return Coverage(
        address_of(record), _STATES[record["state"]], frozenset(map(Kind, record["kinds"])), record["source"],
        record["evidence"], record["first"], record["last"], record["as_of"], record["rows"], record["reason"],
        record["final"], record["tip"],
        tuple(
            Balance(_asset_of(asset), block, units_of(stated), int(counted))
            for asset, block, stated, counted in record["balances"]
        ),
    )  # fmt: skip


def label_json(label: Label) -> dict[str, object]:
    """A label."""
    return {
        **address_json(label.address),
        "entity": label.entity, "name": label.name, "role": label.role.value, "source": label.source,
        "seen": label.seen.isoformat() if label.seen else None, "confidence": label.confidence,
        "evidence": label.evidence, "note": label.note,
    }  # fmt: skip


def label_of(record: dict[str, Any]) -> Label:
    """Back from `label_json`."""
    return Label(
        address_of(record), record["entity"], record["name"], Role(record["role"]), record["source"],
        date.fromisoformat(record["seen"]) if record["seen"] else None,
        record["confidence"], record["evidence"], record["note"],
    )  # fmt: skip


def price_json(price: Price) -> dict[str, object]:
    """A price: its figure is the text of an exact decimal number."""
    return {
        "asset": _asset_json(price.asset), "currency": price.currency, "amount": str(price.amount),
        "asked": price.asked, "time": price.time, "source": price.source,
        "confidence": None if price.confidence is None else str(price.confidence), "evidence": price.evidence,
    }  # fmt: skip


def price_of(record: dict[str, Any]) -> Price:
    """Back from `price_json`."""
    confidence = record["confidence"]
    return Price(
        _asset_of(record["asset"]), record["currency"], Decimal(record["amount"]), record["asked"], record["time"],
        record["source"], None if confidence is None else Decimal(confidence), record["evidence"],
    )  # fmt: skip


def loss_json(loss: Loss) -> dict[str, object]:
    """A loss. The symbol and decimals of its asset are for people; they are no part of what it is."""
    return {
        "name": loss.name, "victim": loss.victim, "since": loss.since,
        "asset": _asset_json(loss.asset),
        "paid": [loss.paid.chain.name, loss.paid.tx, loss.paid.position] if loss.paid else None,
        "wallet": address_json(loss.wallet) if loss.wallet else None,
        "units": None if loss.units is None else str(loss.units), "output": loss.output,
    }  # fmt: skip


def loss_of(record: dict[str, Any]) -> Loss:
    """Back from `loss_json`."""
    paid, wallet, units = record["paid"], record["wallet"], record["units"]
    return Loss(
        record["name"], _asset_of(record["asset"]), record["victim"],
        TransferId(Chain.named(paid[0]), *paid[1:]) if paid else None,
        address_of(wallet) if wallet else None,
        None if units is None else units_of(units), record["since"], record["output"],
    )  # fmt: skip


def judgement_json(one: Judgement) -> dict[str, Any]:
    """A judgement."""
    return {
        "left": address_json(one.left), "right": address_json(one.right), "rule": one.rule,
        "evidence": [[id.chain.name, id.tx, id.position] for id in one.evidence],
        "confidence": one.confidence, "author": one.author, "at": one.at,
    }  # fmt: skip


def judgement_of(record: Mapping[str, Any]) -> Judgement:
    """Back from `judgement_json`."""
    evidence = tuple(TransferId(Chain.named(chain), tx, position) for chain, tx, position in record["evidence"])
    left, right = address_of(record["left"]), address_of(record["right"])
    rule, author = _words(record, "rule", "author")
    return Judgement(left, right, rule, evidence, record["confidence"], author, record["at"])


def judgement_id(one: Judgement) -> str:
    """What a judgement is known by, in every case: the hash of all of it, so no two that differ share one."""
    return sha256(canonical(judgement_json(one)))


def withdrawal_json(one: Withdrawal) -> dict[str, str]:
    """A withdrawal; its judgement by its id."""
    return {"judgement": judgement_id(one.judgement), "by": one.by, "why": one.why}


def withdrawal_of(record: Mapping[str, Any], known: Mapping[str, Judgement]) -> Withdrawal:
    """Back from `withdrawal_json`; `known`: the judgements by their ids."""
    return Withdrawal(known[record["judgement"]], *withdrawn_by(record))


def withdrawn_by(record: Mapping[str, Any]) -> tuple[str, str]:
    """Who withdrew it, and why: all that stands of a withdrawal beside its judgement's id."""
    by, why = _words(record, "by", "why")
    return by, why


def _words(record: Mapping[str, Any], *names: str) -> list[str]:
    for name in names:
        if not isinstance(record[name], str):
            raise TypeError(f"{name} is no text")
    return [record[name] for name in names]


def _asset_json(asset: Asset) -> list[object]:
    return [asset.chain.name, asset.contract, asset.symbol, asset.decimals]


def _asset_of(record: list[Any]) -> Asset:
    chain, *rest = record
    return Asset(Chain.named(chain), *rest)


def problem_json(problem: Problem) -> list[object]:
    """A problem."""
    return [problem.text, problem.where]


def problem_of(record: list[Any]) -> Problem:
    """Back from `problem_json`."""
    return Problem(*record)


def address_json(address: Address) -> dict[str, object]:
    """An address with its chain."""
    return {"chain": address.chain.name, "address": address.text}


def address_of(record: dict[str, Any]) -> Address:
    """Back from `address_json`, or from any record that has its two fields."""
    return Address(Chain.named(record["chain"]), record["address"])
