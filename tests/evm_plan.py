"""A planned life of one wallet on a real node, with the transfers that it must have, written down by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from anvil_node import Anvil, Contract, somebody
from tracer.values import Leg, Sink, Transfer

WALLET, FRIEND, THIRD = somebody(1), somebody(2), somebody(3)
ETHER = 10**18
Row = tuple[str, str, str, str, str, int]  # transaction, position, token ("" for ether), payer, payee, units


@dataclass
class Plan:
    """What was sent to `node`, and the `rows` that the history of WALLET has to have because of it."""

    node: Anvil
    rows: list[Row] = field(default_factory=list)
    contracts: dict[str, Contract] = field(default_factory=dict)
    heir: str = ""  # the transaction in which a contract ended itself in favour of WALLET

    def paid(self, tx: str, payer: str, payee: str, units: int, position: str = "tx", token: str = "") -> None:
        """Expect this transfer, and the fee if it is WALLET's own transaction."""
        self.rows.append((tx, position, token, payer, payee, units))
        if position == "tx" and payer == WALLET:
            self.fee(tx)

    def fee(self, tx: str) -> None:
        """Expect the fee of WALLET's transaction."""
        self.rows.append((tx, "fee", "", WALLET, "fee", self.node.fee(tx)))


def live(node: Anvil) -> Plan:
    """Send all of it, a transaction a block."""
    plan, rich = Plan(node), node.accounts[0]
    splitter, other, weth = node.deploy("Splitter"), node.deploy("Splitter"), node.deploy("Wrapped")
    usd = node.deploy("Token", "USDX", 6, 10**15, 0)
    greedy = node.deploy("Token", "GREED", 18, 10**24, 5)
    plan.contracts = {"splitter": splitter, "weth": weth, "usd": usd, "greedy": greedy}
    paid = plan.paid

    paid(node.send(rich, WALLET, ETHER), rich, WALLET, ETHER)
    node.ask("anvil_impersonateAccount", WALLET)
    paid(node.send(WALLET, FRIEND, 5), WALLET, FRIEND, 5)
    paid(node.send(WALLET, WALLET, 6), WALLET, WALLET, 6)
    paid(node.send(WALLET, FRIEND, 0), WALLET, FRIEND, 0)
    plan.fee(splitter.send(WALLET, "payAndFail", FRIEND, value=7, gas=200_000))  # failed: only the fee

    by = splitter.address
    paid(splitter.send(rich, "split", [FRIEND, WALLET], value=1_001), by, WALLET, 500, "trace:1")
    paid(splitter.send(rich, "hashAndPay", WALLET, value=70), by, WALLET, 70, "trace:0")
    splitter.send(rich, "payAndFail", WALLET, value=7, gas=200_000)  # nothing arrives
    paid(splitter.send(rich, "payThroughFailing", WALLET, 5, value=12), by, WALLET, 7, "trace:1")
    paid(splitter.send(rich, "payByDelegate", other.address, WALLET, value=9), by, WALLET, 9, "trace:0_0")
    tx = splitter.send(WALLET, "spray", WALLET, 3, value=6)
    paid(tx, WALLET, by, 6)
    for at in range(3):
        paid(tx, by, WALLET, at + 1, f"trace:{at}")

    plan.heir = tx = splitter.send(rich, "makeAndEnd", WALLET, value=11)
    paid(tx, _made(node, tx), WALLET, 11, "trace:1_0")
    tx = splitter.send(WALLET, "make", b"\1" * 32, value=13)
    paid(tx, WALLET, by, 13)
    mortal = node.deploy("Mortal", payer=WALLET, value=3)
    tx = node.ask("eth_getBlockByNumber", "latest", False)["transactions"][0]
    paid(tx, WALLET, mortal.address, 3)
    plan.contracts["mortal"] = mortal

    tx = weth.send(WALLET, "deposit", value=500)
    paid(tx, WALLET, weth.address, 500)
    paid(tx, "issue", WALLET, 500, "log:0", weth.address)
    tx = weth.send(WALLET, "withdraw", 200)
    paid(tx, WALLET, weth.address, 0)
    paid(tx, weth.address, WALLET, 200, "trace:0")
    paid(tx, WALLET, "burn", 200, "log:0", weth.address)
    tx = weth.send(WALLET, "transfer", FRIEND, 50)
    paid(tx, WALLET, weth.address, 0)
    paid(tx, WALLET, FRIEND, 50, "log:0", weth.address)

    paid(usd.send(rich, "transfer", WALLET, 999), rich, WALLET, 999, "log:0", usd.address)
    for units, payee in ((99, FRIEND), (0, FRIEND), (7, WALLET)):
        tx = usd.send(WALLET, "transfer", payee, units)
        paid(tx, WALLET, usd.address, 0)
        paid(tx, WALLET, payee, units, "log:0", usd.address)
    paid(usd.send(WALLET, "approve", by, 30), WALLET, usd.address, 0)
    tx = splitter.send(WALLET, "multisend", usd.address, [FRIEND, THIRD, FRIEND], 10)
    paid(tx, WALLET, by, 0)
    for at, payee in enumerate((FRIEND, THIRD, FRIEND)):
        paid(tx, WALLET, payee, 10, f"log:{at}", usd.address)
    tx = usd.send(WALLET, "burn", 9)
    paid(tx, WALLET, usd.address, 0)
    paid(tx, WALLET, "burn", 9, "log:0", usd.address)

    paid(greedy.send(rich, "transfer", WALLET, 1_000), rich, WALLET, 1_000, "log:0", greedy.address)
    tx = greedy.send(WALLET, "transfer", FRIEND, 100)
    paid(tx, WALLET, greedy.address, 0)
    paid(tx, WALLET, FRIEND, 100, "log:0", greedy.address)

    hostile = node.deploy("Hostile")
    plan.contracts["hostile"] = hostile
    for units in (2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1):
        paid(hostile.send(rich, "give", WALLET, units), rich, WALLET, units, "log:0", hostile.address)
    node.deploy("Unique").send(rich, "give", WALLET)  # no amounts
    stake = node.deploy("Stake")
    tx = stake.send(WALLET, "stake", 5)  # a Deposit that wraps nothing
    paid(tx, WALLET, stake.address, 0)
    return plan


def told(transfer: Transfer) -> Row:
    """A transfer as a row of the plan."""
    ((paid,), (got,)) = transfer.inputs, transfer.outputs
    return transfer.id.tx, transfer.id.position, transfer.asset.contract, _who(paid), _who(got), transfer.units


def _who(leg: Leg) -> str:
    return leg.holding.kind.value if isinstance(leg.holding, Sink) else str(leg.address)


def _made(node: Anvil, tx: str) -> str:
    traces = node.ask("trace_transaction", tx)
    made: str = next(one["result"]["address"] for one in traces if one["type"] == "create")
    return made
