"""Reads the history of one address from a node, some blocks at a time, as many as it lets us ask about at once.

Each step asks the events, the transactions, and the last block of the step in one request: a node that has not that
block would call what it lacks "nothing", so its answer does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.evm.blocks import Reorganised, block_in, header, times
from connectors.evm.events import Event, Said, event_in, names, queries
from connectors.evm.finding import ByBlocks, Found, TooMuch, listed, way
from connectors.evm.node import Call, Node, Told
from connectors.evm.powers import BLOCKS, Powers
from connectors.evm.quantities import Row, hexadecimal, quantity_in
from connectors.evm.token_transfers import Cited, token_transfers
from connectors.evm.transactions import Whole, caveats, moved, read
from connectors.fields import problem_of
from connectors.protocol import Problem
from connectors.window import Window
from tracer.coverage import Kind
from tracer.errors import BadAddress, BadRow, FundtrailError
from tracer.values import UNKNOWN_INDEX, Address, Leg, SinkKind, Transfer, TransferId

ROUND = frozenset({1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000})  # as many rows look like a node's limit
MOST_FOUND = 1_000  # transactions and events of one step; with more, the step is made smaller
_FEW = 200
_SCANNED = 100  # blocks of one step where every block is read
_LAGS = 5  # times that a node without the last block is asked again
_LAG_SECONDS = 2.0


@dataclass(slots=True)
class Step:
    """What was read of some blocks. `evidence` is the id of the answer about them, `idle` what nothing is cited of.

    `bad`: the first block of which something could not be read, None where all could. `blind`: whether calls of some
    transaction are not known.
    """

    transfers: list[Transfer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    evidence: str = ""
    bad: int | None = None
    blind: bool = False
    idle: set[str] = field(default_factory=set)
    found: int = 0

    def fail(self, error: FundtrailError, where: str, block: int) -> None:
        """Note what could not be read."""
        self.problems.append(problem_of(error, where))
        self.bad = block if self.bad is None else min(self.bad, block)


class Reading:
    """One reading of `address` over the blocks of `window`."""

    def __init__(self, node: Node, powers: Powers, address: Address, window: Window) -> None:
        self._node, self._powers, self._address, self._window = node, powers, address, window
        self._way = way(powers, window.last - window.first + 1)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The movements that this node can show in so many blocks, if all goes well."""
        kinds = {Kind.TOKEN}
        if self._way is not None:
            kinds |= {Kind.NATIVE} | ({Kind.INTERNAL} if self._powers.traces else set())
        return frozenset(kinds)

    @property
    def most(self) -> int:
        """The most blocks of one step."""
        return min(self._powers.span, _SCANNED) if self._powers.finds == BLOCKS and self._way else self._powers.span

    def step(self, first: int, span: int) -> tuple[Step, int, int]:
        """What was read of the blocks from `first` on; the last of them, and how many to ask for next.

        Raises `Reorganised`, `SourceSkipped`, `SourceUnusable`.
        """
        while True:
            last = min(first + span - 1, self._window.last)
            try:
                step = self._step(first, last)
            except TooMuch as error:
                if first == last:
                    raise self._node.skipped(f"block {first} cannot be asked for: {error}") from None
                span = max(1, (last - first + 1) // 2)
                continue
            return step, last, min(self.most, span * 2) if step.found < _FEW else span

    def _step(self, first: int, last: int) -> Step:
        step = Step()
        events = [
            Call("eth_getLogs", ({"fromBlock": hexadecimal(first), "toBlock": hexadecimal(last), "topics": topics},))
            for topics in queries(self._address)
        ]
        more = self._way.questions(self._address, first, last) if self._way else []
        told = self._with_its_last_block([*events, *more], last)
        step.evidence = told[0].cited.partition("#")[0]
        logs: list[tuple[Told, Sequence[Row]]] = [(answer, listed(answer)) for answer in told[: len(events)]]
        looks_cut = [one for one in told if isinstance(one.result, list) and len(one.result) in ROUND]
        if looks_cut and first < last:
            raise TooMuch(f"exactly {len(looks_cut[0].result):,} rows")
        if looks_cut:
            logs = [self._logs_of_block(first)]
        moved_tokens = self._events(logs, first, last, step)
        found = self._found(first, last, told[len(events) :], step, whole_block=bool(looks_cut))
        step.found = len(moved_tokens) + len(found.txs)
        if step.found > MOST_FOUND and first < last:
            raise TooMuch(f"{step.found} transactions")
        whole = self._whole(found, step)
        self._transfers(moved_tokens, whole, step)
        step.transfers += found.issued
        if first == 0:
            step.transfers += self._allotted()
        step.transfers.sort(key=lambda transfer: transfer.order)
        return step

    def _with_its_last_block(self, calls: Sequence[Call], last: int) -> list[Told]:
        """The answers, of a node that has the block `last`. Raises `SourceSkipped` where it stays behind."""
        for again in range(_LAGS):
            if again:
                self._node.wait(_LAG_SECONDS)
            before, *told, after = self._node.ask_all([header(last), *calls, header(last)])  # not all take one request
            block = block_in(before)
            if block is not None and block == block_in(after):
                if last == self._window.last and block.hash != self._window.tip:
                    raise Reorganised(f"block {last} was {self._window.tip} and is {block.hash} now")
                return told
        raise self._node.skipped(f"the node lags behind: it has no block {last}, which it told of before", header(last))

    def _logs_of_block(self, number: int) -> tuple[Told, Sequence[Row]]:
        """The events of one block that name the address, from its receipts: where `eth_getLogs` may have cut them."""
        if not self._powers.receipts:
            why = f"block {number} gave a round number of rows, which looks like a limit, and the node has no "
            raise self._node.skipped(f"{why}eth_getBlockReceipts to see whether there are more")
        told = self._node.ask("eth_getBlockReceipts", hexadecimal(number))
        rows = []
        for receipt in listed(told):
            logs = receipt.get("logs")
            if not isinstance(logs, list):
                raise BadRow(f"a receipt of block {number} has no list of logs")
            rows += [row for row in logs if isinstance(row, dict) and names(row, self._address)]
        return told, rows

    def _events(self, logs: Sequence[tuple[Told, Sequence[Row]]], first: int, last: int, step: Step) -> list[Cited]:
        """The events that concern the address, each once, in the order of the chain."""
        found: dict[tuple[int, int], Cited] = {}
        for answer, rows in logs:
            for at, row in enumerate(rows, 1):
                where = f"{answer.call.method} of blocks {first} to {last}, row {at}"
                try:
                    event = self._event(row, first, last)
                    if event is None:
                        continue
                    known = found.setdefault((event.block, event.log), Cited(event, f"{answer.cited}.{at}"))
                    if known.event != event:
                        raise BadRow(f"log {event.log} of block {event.block} is told in two ways")
                except (BadRow, BadAddress) as error:
                    step.fail(error, where, first)
        return [found[place] for place in sorted(found)]

    def _event(self, row: Row, first: int, last: int) -> Event | None:
        if row.get("removed") not in (None, False):
            raise Reorganised(f"the node took back a log of block {row.get('blockNumber')!s:.20}")
        event = event_in(row, self._address.chain)
        if event is not None and not first <= event.block <= last:
            raise BadRow(f"the log is of block {event.block}, asked about {first} to {last}")
        if event is not None and event.said is Said.SEIZED and event.payer != self._address:
            return None  # seizures are asked for of everybody
        if event is not None and event.said is not Said.UNCLEAR and self._address not in (event.payer, event.payee):
            raise BadRow(f"the log does not concern {self._address}", "the answer belongs to another request")
        return event

    def _found(self, first: int, last: int, told: Sequence[Told], step: Step, *, whole_block: bool) -> Found:
        if self._way is None:
            return Found()
        try:
            by = ByBlocks(self._powers.traces) if whole_block else self._way
            found = by.found(self._node, self._address, first, last, told)
        except (BadRow, BadAddress) as error:
            step.fail(error, f"transactions of blocks {first} to {last}", first)
            return Found()
        step.problems += found.problems
        step.idle |= found.idle
        if found.blind:
            step.blind = True
            text = f"the node does not tell what was called in {len(found.blind)} blocks from {found.blind[0]} on"
            step.problems.append(Problem(f"{text}: value moved there by contracts is not known"))
        return found

    def _whole(self, found: Found, step: Step) -> list[tuple[Whole, list[Transfer]]]:
        """The transactions found that do concern the address, with what they moved."""
        try:
            whole = read(self._node, self._address.chain, found.txs, self._powers.traces, self._powers.receipts)
        except (BadRow, BadAddress) as error:
            step.fail(error, "transactions", min(found.txs.values(), default=0))
            return []
        blocks = times(self._node, {one.block: one.block_hash for one in whole}, {})
        read_of = []
        for one in whole:
            try:
                mine = [each for each in moved(one, blocks[one.block], self._address.chain) if self._concerns(each)]
            except (BadRow, BadAddress) as error:
                step.fail(error, f"transaction {one.tx}", one.block)
                continue
            step.problems += caveats(one)
            if one.calls is None and self._powers.traces:
                step.blind = True
                text = "the node does not tell its calls: what it moved besides its own value is not known"
                step.problems.append(Problem(text, f"transaction {one.tx}"))
            read_of.append((one, mine))
        return read_of

    def _transfers(
        self, events: Sequence[Cited], whole: Sequence[tuple[Whole, list[Transfer]]], step: Step
    ) -> None:  # fmt: skip
        hashes = {one.block: one.block_hash for one, _ in whole}
        for cited in events:
            if hashes.setdefault(cited.event.block, cited.event.block_hash) != cited.event.block_hash:
                raise Reorganised(f"block {cited.event.block} is told with two hashes")
        step.transfers += [each for _, mine in whole for each in mine]
        made, problems = token_transfers(self._node, self._address.chain, events, self._window.last)
        step.transfers += made
        step.problems += problems

    def _allotted(self) -> list[Transfer]:
        """What the chain began with at this address; explorers call it `GENESIS_` and the address."""
        address = self._address
        told = self._node.ask_all([Call("eth_getBalance", (address.text, "0x0")), header(0)])
        block = block_in(told[1])
        if told[0].fault is not None or block is None:
            return []  # no archive: the balance assertion shows it, if it is anything
        units = quantity_in({"balance": told[0].result}, "balance")
        if not units:
            return []
        coin = address.chain.coin
        id = TransferId(address.chain, f"GENESIS_{address.text[2:]}")
        legs = (Leg.sink(coin, SinkKind.ISSUE, units),), (Leg.slot(address, coin, units),)
        return [Transfer(id, block, UNKNOWN_INDEX, coin, *legs, (told[0].cited,))]

    def _concerns(self, transfer: Transfer) -> bool:
        return any(leg.address == self._address for leg in transfer.inputs + transfer.outputs)


__all__ = ["MOST_FOUND", "ROUND", "Reading", "Step"]
