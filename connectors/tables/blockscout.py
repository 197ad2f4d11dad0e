"""The source `blockscout-csv:PATH`: what a Blockscout explorer offers for download on an address's page.

Its amounts are in base units, its `UnixTimestamp` is a time of day in UTC, and one of its lists has a column twice. An
explorer of this kind can be about any chain, and the file does not say which: it is told in `FILE.map.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.fields import address_in, number_in, text_in, transaction_in, units_in
from connectors.likeness import Twins, position_of
from connectors.tables.table_file import Form, Row, TableFile
from connectors.tables.telling import Telling
from tracer.coverage import Kind
from tracer.errors import BadRow, InputError
from tracer.values import UNKNOWN_INDEX, Asset, Block, Family, Leg, SinkKind, Transfer, TransferId

ENDS_AT = (10_000,)
_BASE = {"TxHash", "BlockNumber", "UnixTimestamp", "FromAddress", "ToAddress"}
_LISTS = (
    (Kind.INTERNAL, {"Index", "CallType", "Value"}),
    (Kind.TOKEN, {"TokenContractAddress", "TokensTransferred"}),
    (Kind.NATIVE, {"ContractAddress", "Value", "Fee", "Status"}),
)
_EVIDENCE = ("row",)
_NOBODY = "0x" + "0" * 40
_MOVES_NONE = {"delegatecall", "staticcall", "callcode"}


class BlockscoutForm(Form):
    """Its lists of transactions, internal transactions and token transfers."""

    ends_at = ENDS_AT

    def __init__(self, path: Path, columns: Sequence[str], telling: Telling) -> None:
        names = set(columns)
        kinds = [kind for kind, needed in _LISTS if names >= _BASE | needed]
        if not kinds:
            raise InputError(
                f"{path} is none of the lists that Blockscout offers",
                "transactions, internal transactions or token transfers, from the page of an address",
            )
        if telling.chain is None or telling.chain.family is not Family.EVM:
            raise InputError(
                f"{path} does not say which chain it is of",
                f'make a file {telling.path.name} beside it, with the line: chain = "gnosis", or whichever it is',
            )
        self.kind, self.chain, self._telling, self._twins = kinds[0], telling.chain, telling, Twins()

    def read(self, row: Row) -> tuple[Transfer, ...]:
        """See `Form`."""
        tx = transaction_in(row, "TxHash", self.chain)
        moment = self._telling.moment(text_in(row, "UnixTimestamp"), "UnixTimestamp")
        block = Block(number_in(row, "BlockNumber"), moment)
        if self.kind is Kind.TOKEN:
            return self._token(row, tx, block)
        return self._inner(row, tx, block) if self.kind is Kind.INTERNAL else self._payment(row, tx, block)

    def _payment(self, row: Row, tx: str, block: Block) -> tuple[Transfer, ...]:
        coin, payer = self.chain.coin, address_in(row, "FromAddress", self.chain)
        status = text_in(row, "Status").lower()
        if status not in ("ok", "error"):
            raise BadRow(f"Status is {status!r:.60}", "ok or error; a transaction that waits has moved nothing yet")
        fee = units_in(row, "Fee")  # "Max of ...", of one that is not done, is refused
        legs = (Leg.slot(payer, coin, fee),), (Leg.sink(coin, SinkKind.FEE, fee),)
        charge = Transfer(TransferId(self.chain, tx, "fee"), block, UNKNOWN_INDEX, coin, *legs, _EVIDENCE)
        if status == "error":
            return (charge,)
        return (self._moved(row, TransferId(self.chain, tx), block, units_in(row, "Value")), charge)

    def _inner(self, row: Row, tx: str, block: Block) -> tuple[Transfer, ...]:
        units, kind = units_in(row, "Value"), text_in(row, "Type").lower()
        call = text_in(row, "CallType", "").lower()
        if text_in(row, "ErrCode", "") or call in _MOVES_NONE or not units:
            return ()
        if kind not in ("call", "create", "create2", "selfdestruct"):
            raise BadRow(f"Type is {kind!r:.60}", "call, create, create2 or selfdestruct")
        if kind == "call" and call not in ("call", ""):
            raise BadRow(f"CallType is {call!r:.60}", f"call, {', '.join(sorted(_MOVES_NONE))}")
        likeness = f"{kind} {text_in(row, 'FromAddress').lower()} {self._payee(row).lower()} {units}"
        position = position_of("trace", tx, likeness, self._twins)
        if number_in(row, "Index") == 0 and kind == "call":
            return ()  # the transaction's own call, which the list of transactions has
        return (self._moved(row, TransferId(self.chain, tx, position), block, units),)

    def _token(self, row: Row, tx: str, block: Block) -> tuple[Transfer, ...]:
        contract = address_in(row, "TokenContractAddress", self.chain).text
        if not text_in(row, "TokensTransferred", ""):
            return ()  # a unique token: it is no amount
        decimals = text_in(row, "TokenDecimals", "")
        shown = number_in(row, "TokenDecimals", most=255) if decimals else self._telling.decimals.get(contract, 0)
        asset = Asset(self.chain, contract, text_in(row, "TokenSymbol", ""), shown)
        payer, payee = address_in(row, "FromAddress", self.chain), address_in(row, "ToAddress", self.chain)
        units = units_in(row, "TokensTransferred")
        if text_in(row, "Status", "ok").lower() != "ok":
            raise BadRow(f"Status is {text_in(row, 'Status')!r:.60}, but a token was transferred")
        if payer.text == payee.text == _NOBODY:
            raise BadRow("FromAddress and ToAddress are both the zero address: nobody got or paid anything")
        paid = Leg.sink(asset, SinkKind.ISSUE, units) if payer.text == _NOBODY else Leg.slot(payer, asset, units)
        got = Leg.sink(asset, SinkKind.BURN, units) if payee.text == _NOBODY else Leg.slot(payee, asset, units)
        position = position_of("log", tx, f"{contract} {payer} {payee} {units}", self._twins)
        name = TransferId(self.chain, tx, position)
        return (Transfer(name, block, UNKNOWN_INDEX, asset, (paid,), (got,), _EVIDENCE),)

    def _moved(self, row: Row, name: TransferId, block: Block, units: int) -> Transfer:
        coin = self.chain.coin
        payer, payee = address_in(row, "FromAddress", self.chain), address_in(row, self._field(row), self.chain)
        legs = (Leg.slot(payer, coin, units),), (Leg.slot(payee, coin, units),)
        return Transfer(name, block, UNKNOWN_INDEX, coin, *legs, _EVIDENCE)

    def _field(self, row: Mapping[str, str]) -> str:
        """Where the payee stands: a contract that was made stands elsewhere."""
        return "ToAddress" if text_in(row, "ToAddress", "") else "ContractAddress"

    def _payee(self, row: Row) -> str:
        return text_in(row, self._field(row), "")


class BlockscoutCsv(TableFile):
    """Downloads from a Blockscout explorer."""

    kind_name = "blockscout-csv"

    def form_of(self, path: Path, columns: Sequence[str], telling: Telling) -> Form:
        """See `TableFile`."""
        return BlockscoutForm(path, [column.strip() for column in columns], telling)


__all__ = ["BlockscoutCsv"]
