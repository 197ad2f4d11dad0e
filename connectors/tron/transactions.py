"""One transaction as its sender signed it: what its contract type moves, and the fee that was burned for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.fields import address_in, number_in, plain, text_in
from connectors.tron.assets import TRX, Claims, trc10
from tracer.errors import BadRow, FundtrailError
from tracer.values import UNKNOWN_INDEX, Address, Asset, Block, Leg, SinkKind, Transfer, TransferId

Record = Mapping[str, object]
_Move = tuple[str, Asset, Address | None, int]

EXECUTED = {"TriggerSmartContract", "CreateSmartContract"}
#: Types whose effect stands only in what the node executed, not in the transaction.
NEEDS_EXECUTION = EXECUTED | {"WithdrawBalanceContract"}
#: Types that change what may be done with a balance, or settings, but not whose the balance is. Frozen, delegated and
#: unfreezing TRX belong to who froze them, and come back to him and to no other.
MOVES_NOTHING = {
    "AccountCreateContract", "AccountUpdateContract", "SetAccountIdContract", "AccountPermissionUpdateContract",
    "VoteAssetContract", "VoteWitnessContract", "WitnessCreateContract", "WitnessUpdateContract",
    "UpdateBrokerageContract", "UpdateAssetContract", "UpdateSettingContract", "UpdateEnergyLimitContract",
    "ClearABIContract", "ProposalCreateContract", "ProposalApproveContract", "ProposalDeleteContract",
    "FreezeBalanceContract", "UnfreezeBalanceContract", "FreezeBalanceV2Contract", "UnfreezeBalanceV2Contract",
    "WithdrawExpireUnfreezeContract", "CancelAllUnfreezeV2Contract",
    "DelegateResourceContract", "UnDelegateResourceContract",
}  # fmt: skip
_WELL = {"", "DEFAULT", "SUCCESS"}


def contract_in(row: Record) -> tuple[str, Record]:
    """The type and the values of the one contract in a transaction. Raises `BadRow`."""
    raw = row.get("raw_data")
    contracts = raw.get("contract") if isinstance(raw, dict) else None
    if not isinstance(contracts, list) or len(contracts) != 1 or not isinstance(contracts[0], dict):
        raise BadRow("raw_data.contract is not one contract")
    parameter = contracts[0].get("parameter")
    value = parameter.get("value") if isinstance(parameter, dict) else None
    if not isinstance(value, dict):
        raise BadRow("the contract's parameter.value is missing")
    return text_in(contracts[0], "type"), value


def signed(row: Record, tx: str, block: Block, info: Record | None, claims: Claims, cited: str) -> list[Transfer]:
    """What the transaction moved of itself, and its fee. Raises `BadRow`, also for types that we cannot read.

    `info` is what the node executed, needed for `NEEDS_EXECUTION`. One that failed moves nothing but the fee.
    """
    kind, value = contract_in(row)
    payer = address_in(value, "owner_address", TRX.chain)
    called = text_in(value, "data", "")
    method = "0x" + called[:8].lower() if kind == "TriggerSmartContract" and len(called) >= 8 else ""
    found = [*_fee(row, tx, block, payer, info, method, cited)]
    if not _well(row, kind, info):
        return found
    for position, asset, payee, units in _moves(kind, value, info, claims):
        if not units:
            continue
        paid = Leg.sink(asset, SinkKind.ISSUE, units) if payee is None else Leg.slot(payer, asset, units)
        got = Leg.slot(payee or payer, asset, units)
        name = TransferId(asset.chain, tx, position)
        found.append(Transfer(name, block, UNKNOWN_INDEX, asset, (paid,), (got,), (cited,), method))
    return found


def _moves(kind: str, value: Record, info: Record | None, claims: Claims) -> Iterator[_Move]:
    """(position, asset, to whom or None for an issue to the sender, units)."""
    chain = TRX.chain
    if kind == "TransferContract":
        yield "tx", TRX, address_in(value, "to_address", chain), number_in(value, "amount")
    elif kind == "TransferAssetContract":
        asset = trc10(text_in(value, "asset_name"), claims)
        yield "tx", asset, address_in(value, "to_address", chain), number_in(value, "amount")
    elif kind in EXECUTED:
        made = kind == "CreateSmartContract"
        new = value.get("new_contract") if made else None
        sent = new if isinstance(new, dict) else value
        told = (info or {}) if made else value  # where the contract stands
        tokens = number_in(value, "call_token_value", 0)
        if number_in(sent, "call_value", 0) or tokens:
            payee = address_in(told, "contract_address", chain)
            yield "tx", TRX, payee, number_in(sent, "call_value", 0)
            if tokens:  # the root call carries it beside the coin
                yield "trace", trc10(text_in(value, "token_id"), claims), payee, tokens
    elif kind == "WithdrawBalanceContract":  # votes and blocks earned it; it comes into being here
        yield "tx", TRX, None, number_in(info or {}, "withdraw_amount", 0)
    elif kind not in MOVES_NOTHING:
        raise BadRow(
            f"a {plain(kind, 60)} moves value in a way that is not read here",
            "look the transaction up in an explorer: what it moved is missing",
        )


def _fee(
    row: Record, tx: str, block: Block, payer: Address, info: Record | None, method: str, cited: str
) -> Iterator[Transfer]:
    """What was burned for energy, bandwidth, memo and new accounts, in one sum; nothing where all was staked."""
    result = _result(row)
    told = {number_in(one, "fee", 0) for one in (info, result) if one is not None and (one is info or "fee" in one)}
    if len(told) > 1:
        raise BadRow(f"two fees are told: {' and '.join(map(str, sorted(told)))} sun")
    if units := max(told, default=0):
        legs = (Leg.slot(payer, TRX, units),), (Leg.sink(TRX, SinkKind.FEE, units),)
        yield Transfer(TransferId(TRX.chain, tx, "fee"), block, UNKNOWN_INDEX, TRX, *legs, (cited,), method)


def _well(row: Record, kind: str, info: Record | None) -> bool:
    """Whether the transaction did what it says. One of a plain type is only in a block if it did."""
    said = text_in(_result(row), "contractRet", "")
    if kind not in EXECUTED:
        return said in _WELL
    receipt = (info or {}).get("receipt")
    executed = text_in(receipt, "result", "") if isinstance(receipt, dict) else ""
    told = {one for one in (said, executed) if one not in ("", "DEFAULT")}
    if not told:
        raise BadRow("nothing tells whether its execution succeeded")
    if len(told) > 1 and "SUCCESS" in told:
        raise BadRow(f"two results are told: {plain(' and '.join(sorted(told)))}")
    return told == {"SUCCESS"}


def executed_well(info: Record) -> bool:
    """Whether an execution succeeded, by what it says itself."""
    receipt = info.get("receipt")
    said = receipt.get("result") if isinstance(receipt, dict) else None
    return info.get("result") != "FAILED" and said in (None, "", "DEFAULT", "SUCCESS")


def _result(row: Record) -> Record:
    results = row.get("ret") or [{}]
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise BadRow("ret is not one result")
    return results[0]


def names(row: object, wanted: Address) -> bool:
    """Whether a row names the address in any field, in any of its spellings."""
    if isinstance(row, dict):
        return any(names(one, wanted) for key, one in row.items() if key not in ("raw_data_hex", "signature"))
    if isinstance(row, list):
        return any(names(one, wanted) for one in row)
    if not isinstance(row, str) or len(row) not in (34, 40, 42, 44):
        return False
    try:
        return address_in({"it": row}, "it", wanted.chain) == wanted
    except FundtrailError:
        return False


__all__ = ["EXECUTED", "MOVES_NOTHING", "NEEDS_EXECUTION", "contract_in", "executed_well", "names", "signed"]
