"""What token contracts say of themselves, and what an address has of them. Claims: a contract may say anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.evm.node import Call, Node, Told
from connectors.evm.quantities import data_in, hexadecimal, quantity_in
from connectors.fields import plain
from connectors.protocol import Evidence
from tracer.errors import BadRow, SourceSkipped
from tracer.values import Address, Asset

_SYMBOL, _DECIMALS, _SUPPLY, _BALANCE = "0x95d89b41", "0x313ce567", "0x18160ddd", "0x70a08231"
_IS_ERC721 = "0x01ffc9a7" + "80ac58cd".ljust(64, "0")  # supportsInterface, ERC-165
_GAS = hexadecimal(2_000_000)  # bounds what a hostile contract can make a node do, and how much it can answer
_LONGEST_SYMBOL = 64
_MOST_DECIMALS = 255


@dataclass(frozen=True, slots=True)
class Token:
    """What a contract claims: a symbol, decimals, that its tokens are `unique` (ERC-721).

    `wraps`: as many units of it exist as the contract has of the chain's coin, which a wrapped coin can show and
    others cannot well pretend.
    """

    symbol: str = ""
    decimals: int = 0
    unique: bool = False
    wraps: bool = False


def tokens(node: Node, contracts: Iterable[Address], wrappers: Iterable[Address], block: int) -> dict[Address, Token]:
    """What each of `contracts` claims as of `block`; of `wrappers` also whether they wrap the chain's coin."""
    asked, wraps = sorted(set(contracts)), set(wrappers)
    found: dict[Address, Token] = {}
    for start in range(0, len(asked), 10):
        some = asked[start : start + 10]
        try:
            told = iter(node.ask_all([call for one in some for call in _questions(one, one in wraps, block)]))
            found |= {one: _token(told, one in wraps) for one in some}
        except SourceSkipped:  # one contract's answer must not cost the others theirs
            for one in some:
                try:
                    told = iter(node.ask_all(list(_questions(one, one in wraps, block))))
                    found[one] = _token(told, one in wraps)
                except SourceSkipped:
                    found[one] = Token()
    return found


def balances(
    node: Node, address: Address, assets: Sequence[Asset], block: int
) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
    """What the address has of each asset after `block`; what the node or the contract does not tell is left out."""
    at = hexadecimal(block)
    calls = [
        _call(Address(asset.chain, asset.contract), _BALANCE + address.text[2:].rjust(64, "0"), at)
        if asset.contract
        else Call("eth_getBalance", (address.text, at))
        for asset in assets
    ]
    found: dict[Asset, int] = {}
    for asset, told in zip(assets, node.ask_all(calls), strict=True):
        units = _word(told) if asset.contract else _quantity(told)
        if units is not None:
            found[asset] = units
    return found, node.take()


def _questions(contract: Address, wraps: bool, block: int) -> Iterable[Call]:
    at = hexadecimal(block)
    yield from (_call(contract, data, at) for data in (_SYMBOL, _DECIMALS, _IS_ERC721))
    if wraps:
        yield _call(contract, _SUPPLY, at)
        yield Call("eth_getBalance", (contract.text, at))


def _token(told: Iterable[Told], wraps: bool) -> Token:
    answers = iter(told)
    symbol, decimals, unique = _text(next(answers)), _word(next(answers)), _word(next(answers))
    backed = False
    if wraps:
        supply, coin = _word(next(answers)), _quantity(next(answers))
        backed = supply is not None and supply == coin
    # A token of amounts that also calls itself unique would be hidden by it, so decimals count for more.
    return Token(symbol, min(decimals or 0, _MOST_DECIMALS), unique == 1 and not decimals, backed)


def _call(contract: Address, data: str, at: str) -> Call:
    return Call("eth_call", ({"to": contract.text, "data": data, "gas": _GAS}, at))


def _bytes(told: Told) -> bytes:
    if told.fault is not None:
        return b""
    try:
        return data_in({"result": told.result}, "result")
    except BadRow:
        return b""


def _word(told: Told) -> int | None:
    """The one number that a contract answered, None where it answered anything else."""
    answer = _bytes(told)
    return int.from_bytes(answer) if len(answer) == 32 else None


def _quantity(told: Told) -> int | None:
    if told.fault is not None:
        return None
    try:
        return quantity_in({"result": told.result}, "result")
    except BadRow:
        return None


def _text(told: Told) -> str:
    """A string as contracts encode it, or one of 32 bytes as the oldest do; "" for anything else."""
    answer = _bytes(told)
    if len(answer) == 32:
        raw = answer.rstrip(b"\0")
    elif len(answer) >= 64 and int.from_bytes(answer[:32]) == 32:
        raw = answer[64 : 64 + min(int.from_bytes(answer[32:64]), len(answer))]
    else:
        return ""
    return plain(raw[: 4 * _LONGEST_SYMBOL].decode(errors="replace"), _LONGEST_SYMBOL)


__all__ = ["Token", "balances", "tokens"]
