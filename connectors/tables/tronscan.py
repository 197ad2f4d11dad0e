"""The source `tronscan-csv:PATH`: the list of transfers that Tronscan's website offers on an address's page.

`Time(UTC)` names its zone; `Token` holds the contract's address or the TRC-10 number behind the name, and nothing but
a name for TRX; amounts are in whole tokens, and how many decimals a token has is not told. An older list
(`transaction_id,block,block_ts,...,quant`) names neither asset nor unit nor time zone: it is read as `csv:` with a map.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from connectors.fields import address, address_in, number_in, text_in, transaction_in
from connectors.likeness import Twins, position_of
from connectors.tables.table_file import Form, Row, TableFile
from connectors.tables.telling import Telling
from connectors.whole_units import whole_units_in
from tracer.coverage import Kind
from tracer.errors import BadRow, InputError
from tracer.values import UNKNOWN_INDEX, Asset, Block, Chain, Leg, Transfer, TransferId

TRON = Chain.named("tron")
ENDS_AT = (5000, 10_000)  # the site's own lists end at 10,000 rows, and downloads were of 5,000
#: What each column was called over the years, without spaces and in small letters.
_CALLED = {
    "tx": ("txnhash", "transactionhash", "txhash", "hash"),
    "block": ("block", "blockno", "blocknumber", "blockheight"),
    "time": ("time(utc)", "utctime", "datetime(utc)", "timestamp(utc)"),
    "from": ("from", "fromaddress", "sender"),
    "to": ("to", "toaddress", "receiver", "recipient"),
    "token": ("token", "tokenaddress", "tokencontract", "asset"),
    "amount": ("amount/tokenid", "amount", "quantity", "value"),
    "status": ("result", "status", "state", "contractret"),
    "symbol": ("tokensymbol", "symbol"),
}
_NEEDED = ("tx", "block", "time", "from", "to", "token", "amount")
_ADDRESS = re.compile(r"(?<![1-9A-HJ-NP-Za-km-z])T[1-9A-HJ-NP-Za-km-z]{33}(?![1-9A-HJ-NP-Za-km-z])")
_NUMBER = re.compile(r"(?<!\d)1\d{6}(?!\d)", re.ASCII)
_WELL = {"", "success", "confirmed", "true", "ok", "successful"}
#: Decimals of tokens that nearly every case holds, as their contracts tell them (TronGrid's `token_info`).
KNOWN_DECIMALS = {"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": 6}  # USDT


class TronscanForm(Form):
    """The list of transfers: TRX, TRC-10 and TRC-20 in one."""

    ends_at = ENDS_AT
    kind = Kind.TOKEN
    chain = TRON

    def __init__(self, path: Path, columns: Sequence[str], telling: Telling) -> None:
        told = {column.replace(" ", "").lower(): column for column in columns}
        if {"transaction_id", "block_ts", "quant"} <= set(told):
            raise InputError(
                f"{path} is Tronscan's older list, which does not say of which token, in which unit, in which zone",
                f"read it as csv:{path}, with a map that says so: docs/sources.md",
            )
        self._columns = {
            name: told[called] for name, calls in _CALLED.items() for called in reversed(calls) if called in told
        }
        if missing := [name for name in _NEEDED if name not in self._columns]:
            raise InputError(
                f"{path} has no column for {missing[0]}: {', '.join(columns)!r:.200}",
                f"download the list of transfers again, or read it as csv:{path} with a map: docs/sources.md",
            )
        self._telling, self._twins = telling, Twins()

    def read(self, row: Row) -> tuple[Transfer, ...]:
        """See `Form`."""
        plain = {name: row[column] for name, column in self._columns.items()}
        status = text_in(plain, "status", "").lower()
        if status not in _WELL:
            if status.startswith(("fail", "revert", "out_of", "out of", "false", "unconfirmed")):
                return ()
            raise BadRow(f"{self._columns['status']} is {status!r:.60}", f"known: {', '.join(sorted(_WELL - {''}))}")
        tx = transaction_in(plain, "tx", TRON)
        # The column's name says that it is UTC; a cell need not say it again.
        time = plain["time"] if plain["time"].isdecimal() else plain["time"].removesuffix("Z") + "Z"
        block = Block(number_in(plain, "block"), self._telling.moment(time, self._columns["time"]))
        asset = self._asset(plain)
        payer, payee = address_in(plain, "from", TRON), address_in(plain, "to", TRON)
        units = whole_units_in(plain, "amount", asset)
        position = "tx"  # TRX and TRC-10 go by the transaction itself; a second such row in one is refused
        if asset.contract and not asset.contract.isdecimal():
            position = position_of("log", tx, f"{asset.contract} {payer} {payee} {units}", self._twins)
        name = TransferId(TRON, tx, position)
        legs = (Leg.slot(payer, asset, units),), (Leg.slot(payee, asset, units),)
        return (Transfer(name, block, UNKNOWN_INDEX, asset, *legs, ("row",)),)

    def _asset(self, plain: Row) -> Asset:
        """What the token's cell names: by its contract or number, never by what it calls itself."""
        cell, symbol = plain["token"], text_in(plain, "symbol", "")
        if found := _ADDRESS.search(cell):
            contract = address(found[0], TRON).text
            decimals = self._telling.decimals.get(contract, KNOWN_DECIMALS.get(contract))
            shown = symbol or cell.replace(found[0], "").replace("()", "").strip(" -")
            return Asset(TRON, contract, shown, self._telling.decimals_of(contract) if decimals is None else decimals)
        if found := _NUMBER.search(cell):
            return Asset(TRON, found[0], symbol, self._telling.decimals_of(found[0]))
        if cell.upper() == "TRX" or cell == "_":
            return TRON.coin
        raise BadRow(
            f"{self._columns['token']} is {cell!r:.60}, which names no contract", "names can be taken by anybody"
        )


class TronscanCsv(TableFile):
    """Downloads from Tronscan."""

    kind_name = "tronscan-csv"

    def form_of(self, path: Path, columns: Sequence[str], telling: Telling) -> Form:
        """See `TableFile`."""
        return TronscanForm(path, [column.strip() for column in columns], telling)


__all__ = ["TronscanCsv"]
