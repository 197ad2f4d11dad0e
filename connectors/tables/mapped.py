"""The source `csv:PATH`: any table of transfers, with a file beside it that says what its columns mean.

# payments.csv.map.toml, for payments.csv
chain = "ethereum"
time_zone = "+03:00"
[columns]
tx = "Hash"
block = "Block"
time = "When"
from = "Sender"
to = "Recipient"
amount = "Amount"       # in whole units; or: units, in base units
asset = "Token"         # the token's contract; a row without one is about the chain's coin
[decimals]
0xdac17f958d2ee523a2206206994597c13d831ec7 = 6
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.fields import address, address_in, number_in, text_in, transaction_in, units_in
from connectors.likeness import Twins, position_of
from connectors.tables.table_file import Form, Row, TableFile
from connectors.tables.telling import ENDING, Telling
from connectors.whole_units import whole_units
from tracer.coverage import Kind
from tracer.errors import BadRow, InputError
from tracer.values import UNKNOWN_INDEX, Asset, Block, Chain, Family, Leg, SinkKind, Transfer, TransferId

_NEEDED = ("tx", "block", "time", "from", "to")


class MappedForm(Form):
    """Rows as the map says."""

    def __init__(self, path: Path, columns: Sequence[str], telling: Telling) -> None:
        map_name = telling.path.name
        if not telling.columns:
            raise InputError(
                f"{path} has no map that says what its columns mean",
                f"make a file {path.name + ENDING} beside it, as docs/sources.md shows",
            )
        if telling.chain is None or telling.chain.family is Family.BITCOIN:
            raise InputError(f"{map_name} names no chain with accounts", 'for example chain = "ethereum"')
        missing = [name for name in _NEEDED if name not in telling.columns]
        if missing or ("amount" in telling.columns) == ("units" in telling.columns):
            what = missing[0] if missing else "amount (whole units) or units (base units), one of the two"
            raise InputError(
                f"{map_name} does not say which column is {what}",
                "without block numbers nothing can be put in order; the explorers' pages tell them",
            )
        if absent := [column for column in telling.columns.values() if column not in columns]:
            raise InputError(f"{path} has no column {absent[0]!r:.60}", f"it has: {', '.join(columns)!r:.200}")
        self.chain: Chain = telling.chain
        self.kind = Kind.TOKEN if telling.asset or "asset" in telling.columns else Kind.NATIVE
        self._telling, self._twins = telling, Twins()

    def read(self, row: Row) -> tuple[Transfer, ...]:
        """See `Form`."""
        plain = {name: row[column] for name, column in self._telling.columns.items()}
        tx = transaction_in(plain, "tx", self.chain)
        block = Block(number_in(plain, "block"), self._telling.moment(plain["time"], self._telling.columns["time"]))
        payer = address_in(plain, "from", self.chain)
        found = list(self._fee(plain, tx, block))
        if self._moved(plain):
            asset = self._asset(plain)
            units = units_in(plain, "units") if "units" in plain else self._whole(plain["amount"], "amount", asset)
            legs = (Leg.slot(payer, asset, units),), (Leg.slot(address_in(plain, "to", self.chain), asset, units),)
            name = TransferId(self.chain, tx, self._position(plain, tx, asset, units))
            _ = name.place  # refuses a position that does not exist
            found.insert(0, Transfer(name, block, UNKNOWN_INDEX, asset, *legs, ("row",)))
        return tuple(found)

    def _fee(self, plain: Row, tx: str, block: Block) -> Sequence[Transfer]:
        """What the payer of the row paid for the transaction, where the map has a column for it: in whole units."""
        text = text_in(plain, "fee", "")
        if not text:
            return ()
        coin = self.chain.coin
        units = self._whole(text, "fee", coin)
        legs = (Leg.slot(address_in(plain, "from", self.chain), coin, units),), (Leg.sink(coin, SinkKind.FEE, units),)
        return (Transfer(TransferId(self.chain, tx, "fee"), block, UNKNOWN_INDEX, coin, *legs, ("row",)),)

    def _moved(self, plain: Row) -> bool:
        """Whether the row's payment took place: always, unless the map names a column that tells it."""
        if "status" not in plain:
            return True
        if not self._telling.succeeded:
            hint = 'for example succeeded = ["SUCCESS"]; rows with anything else move nothing but their fee'
            raise BadRow(f"{self._telling.path.name} does not say what stands in `status` of a payment made", hint)
        return plain["status"] in self._telling.succeeded

    def _asset(self, plain: Row) -> Asset:
        contract = text_in(plain, "asset", "") or self._telling.asset
        symbol = text_in(plain, "symbol", "") or self._telling.symbol
        if not contract:
            if symbol and symbol.upper() != self.chain.symbol.upper():
                raise BadRow(f"the row is about {symbol!r:.40}, and names no contract", "names can be taken by anybody")
            return self.chain.coin
        if not (contract.isdecimal() and self.chain.family is Family.TRON):
            contract = address(contract, self.chain).text
        decimals = self._telling.decimals_of(contract) if "amount" in plain else self._telling.decimals.get(contract, 0)
        return Asset(self.chain, contract, symbol, decimals)

    def _whole(self, text: str, field: str, asset: Asset) -> int:
        if self._telling.decimal_comma:
            text = text.replace(".", "").replace(",", ".")
        return whole_units(text, self._telling.columns[field], asset)

    def _position(self, plain: Row, tx: str, asset: Asset, units: int) -> str:
        """As told; else the transaction's own value for the coin, and for a token one that is made of what is shown."""
        if told := text_in(plain, "position", ""):
            return f"log:{told}" if told.isdecimal() else told
        if not asset.contract:
            return "tx"
        payer, payee = plain["from"].lower(), plain["to"].lower()
        if self.chain.family is Family.TRON:  # letters of two sizes are two letters there
            payer, payee = (address_in(plain, side, self.chain).text for side in ("from", "to"))
        return position_of("log", tx, f"{asset.contract} {payer} {payee} {units}", self._twins)


class MappedCsv(TableFile):
    """Any CSV of transfers, with a map."""

    kind_name = "csv"

    def form_of(self, path: Path, columns: Sequence[str], telling: Telling) -> Form:
        """See `TableFile`."""
        return MappedForm(path, [column.strip() for column in columns], telling)


__all__ = ["MappedCsv"]
