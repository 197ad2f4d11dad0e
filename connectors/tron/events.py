"""What a transaction's execution moved: token events in the order of its log, and value moved by inner calls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.fields import address, number_in, plain, text_in
from connectors.tron.assets import NOBODY, TRX, WTRX, Claims, trc10, trc20
from tracer.errors import BadRow, FundtrailError
from tracer.values import UNKNOWN_INDEX, UNKNOWN_METHOD, Address, Asset, Block, Leg, SinkKind, Transfer, TransferId

TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
DESTROYED = "61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6"  # DestroyedBlackFunds(address,uint256)
DEPOSIT = "e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL = "7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
_WORDS = re.compile(r"(?:[0-9a-f]{64})*")
#: What inner calls say of themselves. These move value; the others change what a balance may do, not whose it is.
_MOVING = {"call", "create", "create2", "suicide"}
_REWARD = "withdrawReward"
_STANDING = (
    "freeze", "unfreeze", "delegate", "unDelegate", "vote", "withdrawExpireUnfreeze", "cancelAllUnfreeze",
)  # fmt: skip


@dataclass(slots=True)
class Events:
    """The movements found; `odd`: contracts with a `Transfer` event in no form that a fungible token has, and why."""

    transfers: list[Transfer] = field(default_factory=list)
    odd: dict[str, str] = field(default_factory=dict)


def events_of(info: Mapping[str, object], tx: str, block: Block, claims: Claims, cited: str) -> Events:
    """All that the execution `info` (`gettransactioninfobyid`) moved inside `tx`. Raises `BadRow`.

    Positions are `log:N`, the place in the transaction's own log, and `trace:N`, the place among its inner calls
    (`trace:N_M` for the M-th token such a call carries): the same for whoever asks.
    """
    found = Events()
    for number, log in enumerate(_records(info, "log")):
        for asset, payer, payee, units in _logged(log, number, claims, found):
            name = TransferId(asset.chain, tx, f"log:{number}")
            found.transfers.append(_moved(name, block, asset, payer, payee, units, f"{cited}#log:{number}"))
    for number, call in enumerate(_records(info, "internal_transactions")):
        for place, asset, payer, payee, units in _called(call, number, claims):
            name = TransferId(asset.chain, tx, f"trace:{place}")
            found.transfers.append(_moved(name, block, asset, payer, payee, units, f"{cited}#internal:{number}"))
    return found


Ends = tuple[Asset, Address | SinkKind, Address | SinkKind, int]


def _logged(log: Mapping[str, object], number: int, claims: Claims, found: Events) -> Iterator[Ends]:
    """The movement that an event tells, none for other events. Four topics are an NFT's, whose value is no sum."""
    topics = log.get("topics", [])
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise BadRow(f"log {number}: topics is not a list of words")
    words = [topic.lower().removeprefix("0x") for topic in topics]
    if not words or words[0] not in (TRANSFER, DESTROYED, DEPOSIT, WITHDRAWAL) or len(words) > 3:
        return
    contract = contract_of(text_in(log, "address"), number)
    data = text_in(log, "data", "").lower().removeprefix("0x")
    if not all(_WORDS.fullmatch(word) for word in (*words, data)):
        found.odd[contract.text] = f"log {number} of {contract} is not in whole words"
        return
    said = words[1:] + [data[at : at + 64] for at in range(0, len(data), 64)]
    asset = trc20(contract.text, claims)
    if words[0] == TRANSFER and len(said) == 3 and len(words) in (1, 3):
        payer, payee = (address("0x" + word[-40:], asset.chain) for word in said[:2])
        if payer == payee == NOBODY:
            return
        yield (
            asset,
            SinkKind.ISSUE if payer == NOBODY else payer,
            SinkKind.BURN if payee == NOBODY else payee,
            int(said[2], 16),
        )
    elif words[0] == TRANSFER:
        found.odd[contract.text] = (
            f"log {number} of {contract} is a Transfer with {len(words)} topics and {len(said)} values"
        )
    elif len(said) == 2:
        owner, units = address("0x" + said[0][-40:], asset.chain), int(said[1], 16)
        if words[0] == DESTROYED:  # the issuer takes what it has frozen out of circulation
            yield asset, owner, SinkKind.SEIZED, units
        elif contract.text == WTRX:  # any other contract's Deposit may mean anything
            yield (asset, SinkKind.ISSUE, owner, units) if words[0] == DEPOSIT else (asset, owner, SinkKind.BURN, units)


def _called(call: Mapping[str, object], number: int, claims: Claims) -> Iterator[tuple[str, *Ends]]:
    """The value that an inner call carried: coin, and TRC-10 tokens. A rejected one carried none."""
    where = f"internal transaction {number}"
    note, rejected = _note(call, where), call.get("rejected", False)
    if type(rejected) is not bool:
        raise BadRow(f"{where}: rejected is {rejected!r:.40}")
    carried = _records(call, "callValueInfo")
    for entry, one in enumerate(carried):
        units = number_in(one, "callValue", 0)
        token = text_in(one, "tokenId", "")
        if rejected or not units or note.startswith(_STANDING):
            continue
        if note not in _MOVING and note != _REWARD:
            raise BadRow(f"{where} is of an unknown kind and carries value: {plain(note, 40)!r}")
        asset = TRX if token in ("", "_", "0") else trc10(token, claims)
        payer, payee = (_party(call, name, where) for name in ("caller_address", "transferTo_address"))
        place = str(number) if asset is TRX else f"{number}_{entry}"
        yield place, asset, SinkKind.ISSUE if note == _REWARD else payer, payee, units


def _note(call: Mapping[str, object], where: str) -> str:
    written = text_in(call, "note", "")
    try:
        return bytes.fromhex(written).decode("ascii")
    except ValueError:
        if re.fullmatch(r"[A-Za-z0-9]+", written):  # some servers decode it
            return written
        raise BadRow(f"{where}: note is {written!r:.60}") from None


def contract_of(text: str, number: int) -> Address:
    """The contract of a log, which nodes write as 20 bytes in hex, or 21 with 41 in front. Raises `BadRow`."""
    try:
        return address("0x" + text if len(text) == 40 else text, TRX.chain)
    except FundtrailError as error:
        raise BadRow(f"log {number}: {error}") from None


def _party(call: Mapping[str, object], name: str, where: str) -> Address:
    try:
        return address(text_in(call, name), TRX.chain)
    except FundtrailError as error:
        raise BadRow(f"{where}: {name}: {error}") from None


def _records(record: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = record.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadRow(f"{name} is not a list of objects")
    return found


def _moved(
    name: TransferId, block: Block, asset: Asset, payer: Address | SinkKind, payee: Address | SinkKind, units: int,
    cited: str,
) -> Transfer:  # fmt: skip
    legs = [
        Leg.slot(end, asset, units) if isinstance(end, Address) else Leg.sink(asset, end, units)
        for end in (payer, payee)
    ]
    return Transfer(name, block, UNKNOWN_INDEX, asset, (legs[0],), (legs[1],), (cited,), UNKNOWN_METHOD)


__all__ = ["TRANSFER", "Events", "contract_of", "events_of"]
