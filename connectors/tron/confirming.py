"""Rows of TronGrid's lists as transfers: each confirmed by what the node says it executed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.fields import address, number_in, plain, problem_of, text_in, transaction_in, units_in
from connectors.protocol import Evidence, Problem
from connectors.tron.asking import Asking, Listed, Record
from connectors.tron.assets import TRON, Claims, claimed
from connectors.tron.blocks import milliseconds_in
from connectors.tron.events import Events, events_of
from connectors.tron.reading import Row
from connectors.tron.transactions import NEEDS_EXECUTION, contract_in, executed_well, names, signed
from tracer.errors import BadRow, FundtrailError, SourceError
from tracer.values import Address, Block, Transfer

_APPROVALS = ("Approval", "ApprovalForAll")


@dataclass(slots=True)
class Confirmed:
    """What rows of a page came to. `bad`: the block of each row that cannot be read, -1 where it is not told."""

    transfers: dict[object, Transfer] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    also: dict[str, Evidence] = field(default_factory=dict)
    bad: list[int] = field(default_factory=list)
    blocks: dict[int, int] = field(default_factory=dict)  # moment -> block number


def row_of(path: str, row: Record) -> Row:
    """When a row of the list at `path` was, and what it is called. Raises `BadRow`."""
    ms = milliseconds_in(row, "block_timestamp")
    if path == "/transactions/trc20":
        info = row.get("token_info")
        contract = text_in(info, "address", "") if isinstance(info, dict) else ""
        told = [contract, *(text_in(row, name, "") for name in ("transaction_id", "from", "to", "value", "type"))]
    else:
        told = [text_in(row, name) for name in (("tx_id", "internal_tx_id") if "internal_tx_id" in row else ("txID",))]
    return Row(ms, hashlib.sha256(" ".join(told).encode()).hexdigest()[:32])


class Confirming:
    """Makes transfers of rows. What tokens claim to be called is remembered from one page to the next."""

    def __init__(self, asking: Asking, name: str) -> None:
        self._asking, self._name = asking, name
        self.claims: Claims = {}
        self._looked_up: dict[str, Evidence | None] = {}

    def confirm(
        self, page: Listed, path: str, rows: Sequence[int], about: Address, found: Confirmed | None = None
    ) -> Confirmed:
        """The transfers of the page's rows at these places that touch `about`. Raises `SourceError`."""
        found = found or Confirmed()
        for at in rows:
            where = f"{self._name}, {path.rpartition('/')[2]}, row {at + 1} ({about})"
            block = -1
            try:
                tx, told = self._transaction(page.rows[at], path), page.rows[at]
                block = number_in(told, "blockNumber", -1, least=-1)
                for transfer in self._transfers(
                    told, path, tx, f"{page.evidence.id}#row:{at + 1}", about, found, where
                ):
                    block = transfer.block.number
                    found.blocks[milliseconds_in(told, "block_timestamp")] = block
                    if about in {leg.address for leg in transfer.inputs + transfer.outputs}:
                        found.transfers[transfer.id] = transfer
            except SourceError:
                raise
            except FundtrailError as error:
                found.problems.append(problem_of(error, where))
                found.bad.append(block)
        return found

    def transaction(self, tx: str, row: Record, info: Record, cited: tuple[str, str]) -> tuple[Transfer, ...]:
        """All transfers of one transaction; `cited` are the evidence of the row and of the execution."""
        block = _block(info, row)
        self._name_token(row, Confirmed())
        found = signed(row, tx, block, info, self.claims, cited[0])
        if executed_well(info):
            found += events_of(info, tx, block, self.claims, cited[1]).transfers
        return tuple(found)

    def _transaction(self, row: Record, path: str) -> str:
        name = "transaction_id" if path == "/transactions/trc20" else "tx_id" if "internal_tx_id" in row else "txID"
        return transaction_in(row, name, TRON)

    def _transfers(
        self, row: Record, path: str, tx: str, cited: str, about: Address, found: Confirmed, where: str
    ) -> list[Transfer]:  # fmt: skip
        if not names(row, about):
            raise BadRow(f"the row does not concern {about}", "the answer belongs to another request")
        if path == "/transactions/trc20":
            return self._token(row, tx, found, where)
        if "internal_tx_id" in row:
            info, evidence, block = self._execution(tx, row, found)
            return self._events(info, tx, block, evidence, found, where).transfers
        kind, _ = contract_in(row)
        if kind not in NEEDS_EXECUTION and "blockNumber" in row:
            self._name_token(row, found)
            return signed(row, tx, _block(row, row), None, self.claims, cited)
        info, evidence, block = self._execution(tx, row, found)
        self._name_token(row, found)
        own = signed(row, tx, block, info, self.claims, cited)
        return own + self._events(info, tx, block, evidence, found, where).transfers

    def _token(self, row: Record, tx: str, found: Confirmed, where: str) -> list[Transfer]:
        kind = text_in(row, "type")
        if kind in _APPROVALS:
            return []  # leave to take is no movement
        info = row.get("token_info")
        if not isinstance(info, dict):
            raise BadRow("token_info is missing")
        contract = address(text_in(info, "address"), TRON)
        if (claim := claimed(info, "symbol", "decimals")) is not None:
            self.claims[contract.text] = claim
        executed, evidence, block = self._execution(tx, row, found)
        events = self._events(executed, tx, block, evidence, found, where)
        if kind != "Transfer":
            found.problems.append(Problem(f"a row of type {plain(kind, 40)}: its transaction's log was read", where))
            return events.transfers
        if contract.text in events.odd:
            return events.transfers  # said already; no fungible token writes such an event
        payer, payee = address(text_in(row, "from"), TRON), address(text_in(row, "to"), TRON)
        units = units_in(row, "value")
        for one in events.transfers:
            ends = (one.inputs[0].address, one.outputs[0].address)
            fits = all(end in (None, told) for end, told in zip(ends, (payer, payee), strict=True))
            if one.asset.contract == contract.text and one.units == units and fits:
                return events.transfers
        if executed_well(executed):
            raise BadRow(f"{units} of {contract} from {payer} to {payee} is listed, but not in the log of {tx}")
        raise BadRow(f"{tx} is listed as a token transfer, but its execution failed")

    def _execution(self, tx: str, row: Record, found: Confirmed) -> tuple[Record, Evidence, Block]:
        info, evidence = self._asking.execution(tx)
        if not info:
            raise BadRow(f"{tx} is listed, but the node knows no such execution")
        found.also[evidence.id] = evidence
        if text_in(info, "id") != tx:
            raise BadRow(f"asked for the execution of {tx}, the node answered with {text_in(info, 'id')!r:.80}")
        return info, evidence, _block(info, row)

    def _events(
        self, info: Record, tx: str, block: Block, evidence: Evidence, found: Confirmed, where: str
    ) -> Events:  # fmt: skip
        events = events_of(info, tx, block, self.claims, evidence.id) if executed_well(info) else Events()
        for why in events.odd.values():
            found.problems.append(Problem(f"{why}: not read as a movement", where))
        return events

    def _name_token(self, row: Record, found: Confirmed) -> None:
        """Look up what a TRC-10 token is called and how many decimals it claims; once, and never fatal."""
        kind, value = contract_in(row)
        number = text_in(value, "asset_name", "") if kind == "TransferAssetContract" else ""
        if not number.isdecimal() or len(number) != 7:
            return
        if number not in self._looked_up:
            try:
                page = self._asking.v1(f"/v1/assets/{number}", {})
            except SourceError:
                self._looked_up[number] = None
                return
            claim = claimed(page.rows[0] if page.rows else None, "abbr", "precision")
            self._looked_up[number] = page.evidence
            if claim is not None:
                self.claims[number] = claim
        if (evidence := self._looked_up[number]) is not None:
            found.also[evidence.id] = evidence


def _block(info: Mapping[str, object], row: Mapping[str, object]) -> Block:
    """The block, in which the listed row and the execution must agree. Lists tell no hash; what they list is final."""
    number = number_in(info, "blockNumber")
    ms = milliseconds_in(info, "blockTimeStamp" if "blockTimeStamp" in info else "block_timestamp")
    if number_in(row, "blockNumber", number) != number:
        raise BadRow(f"it is listed in block {text_in(row, 'blockNumber')}, and was executed in {number}")
    if milliseconds_in(row, "block_timestamp") not in (ms, 0):
        raise BadRow(f"it is listed at {text_in(row, 'block_timestamp')}, and was executed at {ms}")
    return Block(number, ms // 1000)


__all__ = ["Confirmed", "Confirming", "row_of"]
