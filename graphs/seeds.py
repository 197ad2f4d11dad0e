"""From losses as a victim reports them to where stolen value enters a given ledger."""

from __future__ import annotations

from collections.abc import Sequence

from tracer.errors import InputError
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Lot
from tracer.moves import Seeds
from tracer.values import Address, Asset, Outpoint


def seeds_of(ledger: Ledger, losses: Sequence[Loss]) -> Seeds:
    """Where `losses` enter `ledger`; labels are places in `losses`, from 1. A wallet not read yet enters nothing."""
    found = _Entering(ledger)
    for label, loss in enumerate(losses, start=1):
        if loss.units is not None:
            found.caps[label] = loss.units
        if loss.paid is not None:
            found.payment(label, loss, losses)
        elif loss.wallet is not None:
            found.wallet(label, loss, loss.wallet)
    legs = {step: tuple(claims) for step, claims in found.legs.items()}
    return Seeds({at: tuple(lots) for at, lots in found.paid.items()}, found.unseen, found.caps, found.since, legs)


class _Entering:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.paid: dict[int, list[Lot]] = {}
        self.legs: dict[int, list[tuple[int, int, int]]] = {}
        self.unseen: dict[int, int] = {}
        self.caps: dict[int, int] = {}
        self.since: dict[int, int] = {}
        self.claimed: dict[tuple[int, int | None], list[tuple[str, int]]] = {}

    def payment(self, label: int, loss: Loss, losses: Sequence[Loss]) -> None:
        ledger, id = self.ledger, loss.paid
        ordinal = ledger.ordinal(id) if id else None
        if id is None or ordinal is None:
            raise InputError(f"{id} is not in the data", "check the hash, the chain and the source")
        transfer = ledger.transfer(ordinal)
        if loss.output is not None and not 0 <= loss.output < len(transfer.outputs):
            raise InputError(f"{id} has no output {loss.output}", f"it has 0 to {len(transfer.outputs) - 1}")
        moved = transfer.units if loss.output is None else transfer.outputs[loss.output].units
        units = moved if loss.units is None else loss.units
        claims = self.claimed.setdefault((ordinal, loss.output), [])
        claims.append((loss.name, units))
        if sum(claim for _, claim in claims) > moved:
            also = f", with {claims[0][0]} before it" if len(claims) > 1 else ""
            raise InputError(f"{loss.name} claims more than {id} moved{also}", "give each loss its amount")
        step = ledger.step_of(ordinal)
        if loss.output is not None:
            hid = ledger.hid(transfer.outputs[loss.output].holding)
        elif any(one.ordinal == ordinal and len(one.inputs) == 1 for one in ledger.movements(step)):
            self.paid.setdefault(ordinal, []).append((label, units))
            return
        else:  # netted with others of its transaction: what its payer paid there in all, up to this much
            hid = ledger.hid(transfer.inputs[0].holding)
            if all(at != hid for at, _ in ledger.inputs(step)):  # it only passed there: then what came of it
                hid = ledger.hid(transfer.outputs[0].holding)
                if all(at != hid for at, _ in ledger.outputs(step)):
                    why = "both its sides only passed the money on in that transaction"
                    raise InputError(f"{id}: {why}", "name the transfer that paid in, or the one that paid out")
        if hid is not None:
            self.legs.setdefault(step, []).append((hid, label, units))

    def wallet(self, label: int, loss: Loss, wallet: Address) -> None:
        ledger = self.ledger
        for hid in ledger.holdings_of(wallet):
            if asset_of(ledger, hid) != loss.asset:
                continue
            if hid in self.unseen:
                raise InputError(f"two losses claim all of {wallet}", "give one of them as a transaction")
            counted = [at for at in ledger.events(hid) if ledger.transfer(at).block.number >= loss.since]
            self.unseen[hid], self.since[hid] = label, counted[0] if counted else len(ledger)
            for step in counted:
                for one in ledger.movements(step):
                    got = sum(units for at, units in one.outputs if at == hid)
                    if got and all(ledger.address(at) != wallet for at, _ in one.inputs):
                        self.legs.setdefault(step, []).append((hid, label, got))


def asset_of(ledger: Ledger, hid: int) -> Asset:
    """What is in a holding."""
    holding = ledger.holding(hid)
    return holding.chain.coin if isinstance(holding, Outpoint) else holding.asset
