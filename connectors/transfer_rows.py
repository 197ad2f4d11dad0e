"""One row of our transfer files as a Transfer or a Coverage, and back. The format: docs/transfer-files.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from connectors.fields import address, address_in, moment_in, number_in, only, text_in, transaction_in, units_in
from tracer.addresses import parse_tx
from tracer.coverage import Coverage, Kind, State
from tracer.errors import BadRow, InputError
from tracer.values import (
    UNKNOWN_INDEX,
    Address,
    Asset,
    Block,
    Chain,
    Family,
    Holding,
    Leg,
    Outpoint,
    Sink,
    SinkKind,
    Slot,
    Transfer,
    TransferId,
)

_ID = ("chain", "tx", "position", "block", "time", "index", "asset", "symbol", "decimals")
COLUMNS = (*_ID, "from", "to", "units", "method", "source")
REQUIRED = ("chain", "tx", "block", "time", "from", "to", "units")
COVERAGE_COLUMNS = ("chain", "address", "state", "kinds", "first", "last", "as_of", "reason", "source")
COVERAGE_REQUIRED = ("chain", "address", "state")
BURN = "burn"  # in the column `to`: destroyed, nobody got it

_LEGS = (*_ID, "inputs", "outputs", "method", "source")
_LEG = ("outpoint", "n", "address", "units", *SinkKind)
_STATES = {state.word: state for state in State}


def transfer_of(row: Mapping[str, object], evidence: str) -> Transfer:
    """The transfer that a CSV row or a JSON record states. Raises `InputError` or `Unbalanced`."""
    legs = "inputs" in row or "outputs" in row
    only(row, _LEGS if legs else COLUMNS)
    chain = Chain.named(text_in(row, "chain"))
    name = TransferId(chain, transaction_in(row, "tx", chain), text_in(row, "position", "") or "tx")
    _ = name.place  # refuses a position that does not exist
    asset = asset_of(row, chain)
    inputs, outputs = _both_sides(row, name, asset) if legs else _pair(row, name, asset)
    return Transfer(
        id=name,
        block=Block(number_in(row, "block"), moment_in(row, "time")),
        index=number_in(row, "index", UNKNOWN_INDEX, least=UNKNOWN_INDEX),
        asset=asset,
        inputs=inputs,
        outputs=outputs,
        evidence=(evidence,),
        method=text_in(row, "method", ""),
    )


def places_in(row: Mapping[str, object]) -> Iterator[str]:
    """The addresses a row touches, as written there: what the index is made of. Raises `BadRow`."""
    if "inputs" in row or "outputs" in row:
        for side in ("inputs", "outputs"):
            for leg in _records(row, side):
                if place := text_in(leg, "address", ""):
                    yield place
    else:
        for side in ("from", "to"):
            place = text_in(row, side)
            if place and place != BURN:
                yield place


def coverage_of(row: Mapping[str, object], source: str, evidence: str) -> Coverage:
    """The coverage that a record states; `source` stands in where the record names none. Raises `InputError`."""
    only(row, COVERAGE_COLUMNS)
    chain = Chain.named(text_in(row, "chain"))
    state = _STATES.get(text_in(row, "state"))
    if state is None:
        raise BadRow(f"state is {text_in(row, 'state')!r:.60}", f"one of: {', '.join(_STATES)}")
    kinds = text_in(row, "kinds", "").split()
    if unknown := set(kinds) - set(Kind):
        raise BadRow(f"kinds holds {min(unknown)!r:.60}", f"one or more of: {' '.join(Kind)}, with a space between")
    last = number_in(row, "last", -1, least=-1)
    first = number_in(row, "first", 0)
    if -1 < last < first:
        raise BadRow(f"last is {last}, before first, {first}")
    return Coverage(
        address_in(row, "address", chain),
        state,
        frozenset(Kind(kind) for kind in kinds),
        text_in(row, "source", "") or source,
        evidence,
        first,
        last if last >= 0 else None,
        moment_in(row, "as_of", 0) if text_in(row, "as_of", "") not in ("", "0") else 0,
        reason=text_in(row, "reason", ""),
    )


def row_of(transfer: Transfer) -> dict[str, str] | None:
    """The transfer as a CSV row, None where only a JSON record can hold it: several legs a side, or a line break."""
    if len(transfer.inputs) != 1 or len(transfer.outputs) != 1:
        return None
    paid, got = _end(transfer, transfer.inputs[0]), _end(transfer, transfer.outputs[0])
    fee = got is SinkKind.FEE
    issued = paid is SinkKind.ISSUE and isinstance(got, Address)
    paid_out = isinstance(paid, Address) and (isinstance(got, Address) or got in (SinkKind.FEE, SinkKind.BURN))
    if not (issued or paid_out) or fee != (transfer.id.position == "fee"):
        return None
    row = _head(transfer) | {
        "from": "" if issued else str(paid),
        "to": BURN if got is SinkKind.BURN else "" if fee else str(got),
        "units": str(transfer.units),
        "method": transfer.method,
        "source": " ".join(transfer.evidence),
    }
    return row if all(text.isprintable() for text in row.values()) else None


def record_of(transfer: Transfer) -> dict[str, object]:
    """The transfer as a JSON record with all its legs."""
    head: dict[str, object] = dict(_head(transfer))
    return head | {
        "inputs": [_leg_record(transfer, leg, "inputs") for leg in transfer.inputs],
        "outputs": [_leg_record(transfer, leg, "outputs") for leg in transfer.outputs],
        "method": transfer.method,
        "source": " ".join(transfer.evidence),
    }


def coverage_row_of(answer: Coverage) -> dict[str, str]:
    """The coverage as a CSV row, its reason on one line."""
    return {
        "chain": str(answer.address.chain),
        "address": answer.address.text,
        "state": answer.state.word,
        "kinds": " ".join(kind for kind in Kind if kind in answer.kinds),
        "first": str(answer.first),
        "last": "" if answer.last is None else str(answer.last),
        "as_of": _iso(answer.as_of) if answer.as_of else "",
        "reason": " ".join(answer.reason.split()),
        "source": " ".join(answer.source.split()),
    }


def asset_of(row: Mapping[str, object], chain: Chain) -> Asset:
    """What a row's `asset`, `symbol` and `decimals` say that it is about. Raises `InputError`."""
    contract, symbol = text_in(row, "asset", ""), text_in(row, "symbol", "")
    if contract:
        trc10 = chain.family is Family.TRON and contract.isascii() and contract.isdecimal() and len(contract) == 7
        named = contract if trc10 else address(contract, chain).text  # TRC-10 tokens have a number, and no contract
        return Asset(chain, named, symbol, number_in(row, "decimals", 0))
    # A token's row whose contract was left out must not turn into the chain's coin.
    if symbol not in ("", chain.symbol) or number_in(row, "decimals", chain.decimals) != chain.decimals:
        raise BadRow(
            f"asset is empty, which means {chain.symbol} with {chain.decimals} decimals, but the row says "
            f"{symbol or 'no symbol'!r:.60} with {text_in(row, 'decimals', '') or 'no'} decimals",
            "give the token's contract in `asset`, or leave `symbol` and `decimals` empty",
        )
    return chain.coin


def _pair(row: Mapping[str, object], name: TransferId, asset: Asset) -> tuple[tuple[Leg], tuple[Leg]]:
    if name.chain.family is Family.BITCOIN:
        raise BadRow(f"{name.chain} has no `from` and `to`", "write the transaction as JSON with inputs and outputs")
    units, payee = units_in(row, "units"), text_in(row, "to")
    issued = not text_in(row, "from")
    if issued and payee in ("", BURN):
        raise BadRow("neither `from` nor `to` names an address")
    if not issued and (payee == "") != (name.position == "fee"):
        raise BadRow(
            f"`to` is {payee!r:.60} at position {name.position}",
            "empty `to` and position fee go together; destroyed units go to `burn`",
        )
    paid = Leg.sink(asset, SinkKind.ISSUE, units) if issued else _slot(row, "from", asset, units)
    if payee == BURN:
        return (paid,), (Leg.sink(asset, SinkKind.BURN, units),)
    return (paid,), (_slot(row, "to", asset, units) if payee else Leg.sink(asset, SinkKind.FEE, units),)


def _both_sides(row: Mapping[str, object], name: TransferId, asset: Asset) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    if name.chain.family is Family.BITCOIN and asset.contract:
        raise BadRow(f"{name.chain} has no tokens here", "leave `asset` empty")
    inputs = tuple(_leg_of(leg, "inputs", name, asset) for leg in _records(row, "inputs"))
    outputs = tuple(_leg_of(leg, "outputs", name, asset) for leg in _records(row, "outputs"))
    if not inputs or not outputs:
        raise BadRow("a side has no legs", 'coins that are issued come from {"issue": true}; a fee is an output')
    return inputs, outputs


def _records(row: Mapping[str, object], side: str) -> list[Mapping[str, object]]:
    legs = row.get(side)
    if not isinstance(legs, list) or not all(isinstance(leg, dict) for leg in legs):
        raise BadRow(f"{side} is not a list of objects")
    return legs


def _leg_of(leg: Mapping[str, object], side: str, name: TransferId, asset: Asset) -> Leg:
    only(leg, _LEG)
    chain, units = name.chain, units_in(leg, "units")
    sinks = [kind for kind in SinkKind if kind in leg]
    if sinks:
        if len(leg) != 2 or leg[sinks[0]] is not True:
            raise BadRow(f"a leg of {side} with {sinks[0]!r} holds that, true, and its units, and nothing else")
        collected = sinks[0] is SinkKind.FEE and chain.family is Family.BITCOIN  # by a coinbase
        if (sinks[0] is SinkKind.ISSUE) != (side == "inputs") and not collected:
            raise BadRow(f"{sinks[0]!r} cannot stand among the {side}")
        return Leg.sink(asset, sinks[0], units)
    if chain.family is not Family.BITCOIN:
        if "outpoint" in leg or "n" in leg:
            raise BadRow(f"{chain} keeps value by address, not in outputs of transactions")
        return _slot(leg, "address", asset, units)
    owner = address_in(leg, "address", chain) if leg.get("address") else None
    if side == "outputs":
        if "outpoint" in leg:
            raise BadRow("an output names itself by `n`, not by `outpoint`")
        return Leg.coin(name.tx, number_in(leg, "n"), chain, units, owner)
    if "n" in leg:
        raise BadRow("an input names what it spends by `outpoint`, not by `n`")
    tx, colon, index = text_in(leg, "outpoint").rpartition(":")
    if not colon:
        raise BadRow(f"outpoint is {index!r:.60}", "txid:n")
    return Leg.coin(parse_tx(tx, chain), number_in({"outpoint": index}, "outpoint"), chain, units, owner)


def _slot(row: Mapping[str, object], field: str, asset: Asset, units: int) -> Leg:
    return Leg.slot(address_in(row, field, asset.chain), asset, units)


def _head(transfer: Transfer) -> dict[str, str]:
    asset = transfer.asset if transfer.asset.contract else transfer.asset.chain.coin
    return {
        "chain": str(transfer.id.chain),
        "tx": transfer.id.tx,
        "position": transfer.id.position,
        "block": str(transfer.block.number),
        "time": _iso(transfer.block.time),
        "index": str(transfer.index),
        "asset": asset.contract,
        "symbol": asset.symbol,
        "decimals": str(asset.decimals),
    }


def _end(transfer: Transfer, leg: Leg) -> Address | SinkKind | None:
    """Where a leg ends as a CSV row can say it, None if it cannot."""
    match leg.holding:
        case Sink(asset, kind) if asset == transfer.asset and leg.address is None:
            return kind
        case Slot(owner, asset) if asset == transfer.asset and leg.address == owner:
            return owner
    return None


def _leg_record(transfer: Transfer, leg: Leg, side: str) -> dict[str, object]:
    holding: Holding = leg.holding
    units = str(leg.units)
    match holding:
        case Sink(asset, kind) if asset == transfer.asset and leg.address is None:
            return {str(kind): True, "units": units}
        case Slot(owner, asset) if asset == transfer.asset and leg.address == owner:
            return {"address": owner.text, "units": units}
        case Outpoint(_, tx, index) if side == "inputs":
            return {"outpoint": f"{tx}:{index}", "address": leg.address and leg.address.text, "units": units}
        case Outpoint(_, tx, index) if tx == transfer.id.tx:
            return {"n": index, "address": leg.address and leg.address.text, "units": units}
    raise InputError(
        f"{transfer.id} has a leg that a transfer file cannot hold: {holding}", "this is a defect in its source"
    )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
