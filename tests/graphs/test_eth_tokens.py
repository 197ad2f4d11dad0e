"""Real transactions with tokens and inner calls: netted without loss, and what is taken for an exchange in them."""

from __future__ import annotations

from collections import Counter
from functools import cache

from eth_tokens import ETHEREUM, WETH, Call, calls, events, gathered, logs, needs_eth_tokens, rows, transfers
from graphs.conversions import Exchange, ExchangeRules, Kind, exchange
from graphs.dealings import step_at
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import Address, SinkKind, Slot

pytestmark = needs_eth_tokens

ROUTERS = {  # as their makers publish them
    "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45": "Uniswap: SwapRouter02",
    "0xe592427a0aece92de3edee1f18e0157c05861564": "Uniswap: SwapRouter",
    "0x7a250d5630b4cf539739df2c5dacb4c659f2488d": "Uniswap V2: Router 2",
    "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f": "SushiSwap: Router",
    "0x1111111254fb6c44bac0bed2854e76f90643097d": "1inch v4: Router",
}
# A pool's own event: what it got and paid, in the order of its two tokens' addresses.
UNISWAP_2 = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
UNISWAP_3 = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"

Nets = dict[tuple[str, str], int]  # (address, token's contract) -> what was got less what was paid; "" the coin, nobody


@cache
def ledger() -> Ledger:
    return Ledger.of(transfers())


@cache
def book() -> LabelBook:
    return LabelBook(
        Label(Address(ETHEREUM, text), name, name, Role.PROTOCOL, "makers", None, 50, f"makers:{name}")
        for text, name in ROUTERS.items()
    )


@cache
def steps() -> dict[str, int]:
    """Where each transaction moves something."""
    found: dict[str, int] = {}
    for at in range(len(ledger())):
        id = ledger().transfer(at).id
        if id.position != "fee" and any(units for one in ledger().movements(at) for _, units in one.inputs):
            assert id.tx not in found, "a transaction is one step"
            found[id.tx] = at
    return found


@cache
def exchanges(labelled: bool) -> dict[str, Exchange]:
    found = {
        tx: exchange(ledger(), book() if labelled else LabelBook(), at, ExchangeRules(unlabelled=1))
        for tx, at in steps().items()
    }
    return {tx: one for tx, one in found.items() if one is not None}


def by_hand(tx: str) -> Nets:
    """The net of a transaction straight from the rows."""
    nets: Nets = {}
    for one in gathered()[tx]:
        token = "" if isinstance(one, Call) else one.contract
        nets[one.payer, token] = nets.get((one.payer, token), 0) - one.units
        nets[one.paid, token] = nets.get((one.paid, token), 0) + one.units
    return {key: units for key, units in nets.items() if units}


def by_ledger(ordinal: int) -> Nets:
    nets: Nets = {}
    for one in ledger().movements(ordinal):
        for row, sign in ((one.inputs, -1), (one.outputs, 1)):
            for hid, units in row:
                holding = ledger().holding(hid)
                assert not isinstance(holding, Slot) or holding.address == ledger().address(hid)
                who = holding.address.text if isinstance(holding, Slot) else ""
                assert isinstance(holding, Slot) or (
                    holding.kind in (SinkKind.ISSUE, SinkKind.BURN)  # type: ignore[union-attr]
                )
                key = who, holding.asset.contract  # type: ignore[union-attr]
                nets[key] = nets.get(key, 0) + sign * units
    return {key: units for key, units in nets.items() if units}


def test_everything_the_files_tell_is_read_or_counted() -> None:
    found, shapes = events()
    assert shapes["fungible"] + shapes["nft"] + shapes["wrapped"] + shapes["other"] == len(logs())
    assert len(found) == shapes["fungible"] + shapes["wrapped"]
    transfer = sum(1 for log in logs() if log["topics"] and log["topics"][0].startswith("0xddf252ad"))
    assert (shapes["fungible"], shapes["nft"]) == (715, 389)
    assert shapes["fungible"] + shapes["nft"] == transfer
    wrapped = [log for log in logs() if log["address"] == WETH and len(log["topics"]) == 2]
    assert shapes["wrapped"] == len(wrapped)
    positions = Counter(one.id.position.partition(":")[0] for one in transfers())
    assert positions["log"] == len(found)
    assert positions["fee"] == len({row["txHash"] for row in rows("transactions")} & {call.tx for call in calls()})
    assert positions["trace"] == sum(1 for call in calls() if call.path and call.moves and call.units)
    assert {one.tx for one in calls()} == {one.id.tx for one in transfers()} | {
        call.tx for call in calls() if not call.path and not call.moves
    }


def test_what_a_transactions_row_says_its_outermost_call_says_too() -> None:
    told = {row["txHash"]: row for row in rows("transactions")}
    compared = 0
    for transfer in transfers():
        if transfer.id.position == "tx" and transfer.id.tx in told:
            row = told[transfer.id.tx]
            payer, paid = transfer.inputs[0].address, transfer.outputs[0].address
            assert (str(payer), str(paid)) == (row["fromAddress"], row["toAddress"])
            assert (str(transfer.units), str(transfer.block.number)) == (row["value"], row["blockId"])
            compared += 1
    assert compared > 300


def test_every_transaction_nets_to_what_its_rows_net_to() -> None:
    """Whatever the ledger made of the movements inside, nobody got or lost a unit by it."""
    at = steps()
    moved = {tx: nets for tx in gathered() if (nets := by_hand(tx))}
    assert len(moved) > 600
    for tx, nets in moved.items():
        assert by_ledger(at[tx]) == nets, tx
    for tx in set(at) - set(moved):
        assert by_ledger(at[tx]) == {}, tx
    busy = [tx for tx in moved if len(gathered()[tx]) > 1]
    fewer = [tx for tx in busy if len(ledger().movements(at[tx])) < len(gathered()[tx])]
    assert len(busy) > 100
    assert len(fewer) > 80, "netting found something to do"


def test_what_only_passed_a_router_is_not_its_own() -> None:
    """A router has nothing after a transaction that it had not before, but for what it was left with by its caller."""
    passed = kept = 0
    for tx, moving in gathered().items():
        for router in ROUTERS:
            gross = {(one.payer, one.paid) for one in moving if router in (one.payer, one.paid)}
            if any(payer == router for payer, _ in gross) and any(paid == router for _, paid in gross):
                own = [units for (who, _), units in by_ledger(steps()[tx]).items() if who == router]
                passed, kept = passed + (not own), kept + bool(own)
                assert all(units > 0 for units in own), "a router does not pay of its own"
    assert passed > 30
    assert kept * 10 < passed


def test_without_labels_and_prices_nothing_but_structure_is_believed() -> None:
    kinds = Counter(one.kind for one in exchanges(labelled=False).values())
    assert set(kinds) <= {Kind.WRAP, Kind.POSITION, Kind.UNPROVEN, Kind.UNPRICED}
    assert kinds[Kind.WRAP] > 15
    assert kinds[Kind.UNPROVEN] > 50
    assert not any(one.trusted for one in exchanges(labelled=False).values() if one.kind is Kind.UNPROVEN)


def test_whoever_called_wrapped_ether_alone_wrapped_or_unwrapped_it() -> None:
    """By the wrapper's own events: the caller's coin is converted one to one, and nothing else is."""
    seen = 0
    for tx, ordinal in steps().items():
        moving = gathered()[tx]
        step = step_at(ledger(), ordinal)
        wraps = len(moving) == 2 and sum(not isinstance(one, Call) and one.contract == WETH for one in moving) == 1
        if wraps and step.called is not None and step.called.text == WETH and len(step.rebases) == 0:
            one = exchanges(labelled=False)[tx]
            assert one.kind is Kind.WRAP
            ((gave,), (got,)) = one.conversions[0].gave, one.conversions[0].got
            assert gave.units == got.units == moving[0].units
            assert ledger().address(gave.hid) == ledger().address(got.hid) == step.signer
            seen += 1
    assert seen >= 10


def test_a_labelled_router_makes_swaps_of_what_the_pools_own_events_say() -> None:
    """Where one pool tells of one swap, what is taken to be given and got is what that pool says it got and paid."""
    told: dict[str, list[tuple[int, int]]] = {}
    for log in logs():
        words = [int(log["data"][at : at + 64], 16) for at in range(2, len(log["data"]), 64)]
        if log["topics"] and log["topics"][0] == UNISWAP_2:
            told.setdefault(log["txHash"], []).append((words[0] - words[2], words[1] - words[3]))
        elif log["topics"] and log["topics"][0] == UNISWAP_3:
            signed = [word - 2**256 if word >= 2**255 else word for word in words[:2]]
            told.setdefault(log["txHash"], []).append((signed[0], signed[1]))
    kinds: Counter[Kind] = Counter()
    said = 0
    otherwise = []
    for tx, one in exchanges(labelled=True).items():
        called = step_at(ledger(), steps()[tx]).called
        if called is None or called.text not in ROUTERS or tx not in told:
            continue
        kinds[one.kind] += 1
        if one.kind is Kind.SWAP and len(told[tx]) == 1:
            first = one.conversions[0]
            amounts = sorted(told[tx][0])
            gave, got = sum(leg.units for leg in first.gave), sum(leg.units for leg in first.got)
            bought = ledger().holding(first.got[0].hid)
            assert isinstance(bought, Slot)
            taxed = by_hand(tx).get((bought.asset.contract, bought.asset.contract), 0)  # what the token itself kept
            said += (gave, got + taxed) == (amounts[1], -amounts[0])
            if (gave, got + taxed) != (amounts[1], -amounts[0]):
                otherwise.append(tx)
    assert kinds[Kind.SWAP] > 40
    assert said > 25
    # Tokens that tax or spread what is paid, and log only a part of it: the pool and the token's log then differ.
    assert len(otherwise) <= 6, otherwise


def test_no_conversion_names_more_than_its_party_gave_or_got() -> None:
    for labelled in (False, True):
        for tx, one in exchanges(labelled).items():
            nets = by_hand(tx)
            for conversion in one.conversions:
                for legs, sign in ((conversion.gave, -1), (conversion.got, 1)):
                    for leg in legs:
                        holding = ledger().holding(leg.hid)
                        assert isinstance(holding, Slot)
                        assert 0 < leg.units <= sign * nets[holding.address.text, holding.asset.contract]
