"""One row of the CSV files that Etherscan and its sister sites offer for download, as the transfers it states.

Three lists, each in several generations of column names: transactions, internal transactions, ERC-20 transfers.
Amounts are in whole units with decimals, and with commas between thousands: they are turned into base units digit by
digit. A token list does not say how many decimals its tokens have, so they must be given; a row of a token whose
decimals are not known is refused, as nothing may be guessed.

`Value_IN` and `Value_OUT` say on which side the address of the page stands; the payer and the payee stand in `From`
and `To`. The lists name no place in the block and no log or trace: events get the position that
`connectors.etherscan_rows` gives them, made of what they show, so that both parties' lists agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.fields import address, address_in, moment_in, number_in, text_in, transaction_in
from connectors.likeness import Twins, position_of
from connectors.whole_units import whole_units_in
from tracer.errors import BadRow, InputError
from tracer.values import UNKNOWN_INDEX, Asset, Block, Chain, Family, Leg, SinkKind, Transfer, TransferId

Row = Mapping[str, object]
EVIDENCE = ("row",)  # whoever reads the file puts the bytes' name in its place

_VALUE = re.compile(r"value_(in|out)\((.+)\)")
_FEE = re.compile(r"txnfee\((?!usd)(.+)\)")
_SYMBOLS = {"MATIC": "POL", "XDAI": "xDAI"}  # what a chain's coin was called, or is called there
_MOVES_VALUE = {"call", "create", "create2", "suicide", "selfdestruct"}
_MOVES_NONE = {"delegatecall", "staticcall", "callcode"}
_SAME = {"transaction hash": "txhash", "datetime (utc)": "datetime", "value": "tokenvalue"}
_ALL = {"txhash", "blockno", "unixtimestamp", "from"}


def is_export(columns: tuple[str, ...]) -> bool:
    """Whether the columns are those of a list that Etherscan offers, of any generation, also one we cannot read."""
    names = {_SAME.get(name, name) for name in (column.strip().lower() for column in columns)}
    return {"txhash", "unixtimestamp", "from"} <= names or {"txhash", "blockno"} <= names


class EtherscanLists:
    """Reads the rows of lists downloaded from Etherscan. `decimals`: token contract -> decimals, for ERC-20 lists."""

    def __init__(self, chain: Chain, decimals: Mapping[str, int] | None = None) -> None:
        if chain.family is not Family.EVM:
            raise InputError(f"Etherscan's lists are about EVM chains, not {chain}", "name the chain they are of")
        self.chain = chain
        self._decimals = {address(one, chain).text: number for one, number in (decimals or {}).items()}
        for contract, number in self._decimals.items():
            if not 0 <= number <= 255:
                raise InputError(f"{contract} cannot have {number} decimals", "0 to 255")

    def read(self, row: Row, columns: Mapping[str, str], twins: Twins) -> tuple[Transfer, ...]:
        """The transfers of a row, whose names are those of the file; `columns` as `columns` gave them.

        `twins` is one for the whole file. Raises `InputError`.
        """
        plain = {columns[name]: value.strip() if isinstance(value, str) else value for name, value in row.items()}
        names = set(columns.values())
        if "tokenvalue" in names:
            return self._token(plain, twins)
        return self._internal(plain, twins) if "type" in names else self._payment(plain)

    def columns(self, path: Path, columns: Sequence[str]) -> dict[str, str]:
        """Each column's name in the file and the one name we know it by. Raises `InputError`."""
        found: dict[str, str] = {}
        for column in columns:
            name = column.strip().lower()
            name = _SAME.get(name, name)
            if value := _VALUE.fullmatch(name):
                name = value[1]
            elif fee := _FEE.fullmatch(name):
                name = "fee"
            if value or fee:
                self._require_coin(path, column.strip().rpartition("(")[2].rstrip(")"))
            found[column] = "to" if name == "txto" else name
        names = set(found.values())
        if len(names) < len(found):
            raise InputError(f"{path} has two columns of one meaning", "download the list again")
        missing = sorted((_ALL | {"to"}) - names)
        if "tokenid" in names:
            raise InputError(f"{path} is a list of unique tokens (ERC-721 or ERC-1155)", "their value is no sum")
        if missing:
            raise InputError(f"{path} has no column {missing[0]}", "download the list again, in its present form")
        payments = {"in", "out", "status"} <= names and ("type" in names or "fee" in names)
        if not payments and not {"tokenvalue", "contractaddress"} <= names:
            raise InputError(
                f"{path} is none of the lists that can be read",
                "transactions, internal transactions or ERC-20 transfers, from the page of an address",
            )
        return found

    def _require_coin(self, path: Path, symbol: str) -> None:
        known = _SYMBOLS.get(symbol.upper(), symbol)
        if known.upper() != self.chain.symbol.upper():
            raise InputError(
                f"{path} is about a chain whose coin is {symbol}, not {self.chain.symbol}", "name the chain it is of"
            )

    def _payment(self, row: Row) -> tuple[Transfer, ...]:
        tx, block, coin = transaction_in(row, "txhash", self.chain), _block(row), self.chain.coin
        failed = _failed(row, {"", "1", "success", "ok"})
        payer, value = address_in(row, "from", self.chain), _moved(row, coin)
        fee = whole_units_in(row, "fee", coin)
        legs = (Leg.slot(payer, coin, fee),), (Leg.sink(coin, SinkKind.FEE, fee),)
        charge = Transfer(TransferId(self.chain, tx, "fee"), block, UNKNOWN_INDEX, coin, *legs, EVIDENCE)
        if failed:
            return (charge,)
        payee = address_in(row, "to" if text_in(row, "to", "") else "contractaddress", self.chain)
        legs = (Leg.slot(payer, coin, value),), (Leg.slot(payee, coin, value),)
        return (Transfer(TransferId(self.chain, tx), block, UNKNOWN_INDEX, coin, *legs, EVIDENCE), charge)

    def _internal(self, row: Row, twins: Twins) -> tuple[Transfer, ...]:
        tx, block, coin = transaction_in(row, "txhash", self.chain), _block(row), self.chain.coin
        kind = text_in(row, "type").lower()
        if kind not in _MOVES_VALUE | _MOVES_NONE:
            raise BadRow(f"Type is {kind!r:.60}", f"known: {', '.join(sorted(_MOVES_VALUE | _MOVES_NONE))}")
        if _failed(row, {"", "0"}) or kind in _MOVES_NONE:
            return ()
        payer, value = address_in(row, "from", self.chain), _moved(row, coin)
        payee = address_in(row, "to" if text_in(row, "to", "") else "contractaddress", self.chain)
        name = TransferId(self.chain, tx, position_of("trace", tx, f"{kind} {payer} {payee} {value}", twins))
        legs = (Leg.slot(payer, coin, value),), (Leg.slot(payee, coin, value),)
        return (Transfer(name, block, UNKNOWN_INDEX, coin, *legs, EVIDENCE),)

    def _token(self, row: Row, twins: Twins) -> tuple[Transfer, ...]:
        tx, block = transaction_in(row, "txhash", self.chain), _block(row)
        contract = address_in(row, "contractaddress", self.chain).text
        decimals = self._decimals.get(contract)
        if decimals is None:
            raise BadRow(
                f"TokenValue is in whole tokens, and the list does not say how many decimals {contract} has",
                "give them: they stand on the token's page",
            )
        asset = Asset(self.chain, contract, text_in(row, "tokensymbol", ""), decimals)
        payer, payee = address_in(row, "from", self.chain), address_in(row, "to", self.chain)
        value = whole_units_in(row, "tokenvalue", asset)
        name = TransferId(self.chain, tx, position_of("log", tx, f"{contract} {payer} {payee} {value}", twins))
        nobody = "0x" + "0" * 40
        if payer.text == payee.text == nobody:
            raise BadRow("From and To are both the zero address: nobody got or paid anything")
        issued, burnt = payer.text == nobody, payee.text == nobody
        paid = Leg.sink(asset, SinkKind.ISSUE, value) if issued else Leg.slot(payer, asset, value)
        got = Leg.sink(asset, SinkKind.BURN, value) if burnt else Leg.slot(payee, asset, value)
        return (Transfer(name, block, UNKNOWN_INDEX, asset, (paid,), (got,), EVIDENCE),)


def _block(row: Row) -> Block:
    return Block(number_in(row, "blockno"), moment_in(row, "unixtimestamp"))


def _failed(row: Row, well: set[str]) -> bool:
    """Whether the row is one that failed. `well`: what stands in Status where it did not.

    The list of transactions leaves it empty, or says Error(0); that of internal ones says 0, which means no error.
    """
    status = text_in(row, "status", "").lower()
    if status in well:
        return bool(text_in(row, "errcode", ""))
    if status.startswith(("error", "fail", "revert")) or status in {"0", "1"}:
        return True
    raise BadRow(f"Status is {status!r:.60}", "empty, a number, or Error(...)")


def _moved(row: Row, coin: Asset) -> int:
    """The amount, from whichever of the two columns it stands in."""
    came, went = whole_units_in(row, "in", coin), whole_units_in(row, "out", coin)
    if came and went and came != went:
        raise BadRow("Value_IN and Value_OUT differ and neither is 0", "a row has one direction")
    if came and went and text_in(row, "from", "").lower() != text_in(row, "to", "").lower():
        raise BadRow("Value_IN and Value_OUT are both given, but From and To are not one address")
    return came or went


__all__ = ["EVIDENCE", "EtherscanLists", "is_export"]
