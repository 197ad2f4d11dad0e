"""From losses as a victim reports them to where stolen value enters a given ledger."""

from __future__ import annotations

from collections.abc import Sequence

from tracer.engine import Seeds
from tracer.errors import InputError
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Lot
from tracer.values import Address, Slot


def seeds_of(ledger: Ledger, losses: Sequence[Loss]) -> Seeds:
    """Where `losses` enter `ledger`; labels are places in `losses`, from 1. A wallet not read yet enters nothing."""
    paid: dict[int, list[Lot]] = {}
    unseen: dict[int, int] = {}
    caps: dict[int, int] = {}
    since: dict[int, int] = {}
    for label, loss in enumerate(losses, start=1):
        if loss.units is not None:
            caps[label] = loss.units
        if loss.paid is not None:
            ordinal = ledger.ordinal(loss.paid)
            if ordinal is None:
                raise InputError(f"{loss.paid} is not in the data", "check the hash, the chain and the source")
            moved = ledger.transfer(ordinal).units
            claims = paid.setdefault(ordinal, [])
            claims.append((label, moved if loss.units is None else loss.units))
            if sum(units for _, units in claims) > moved:
                also = f", with {losses[claims[0][0] - 1].name} before it" if len(claims) > 1 else ""
                raise InputError(f"{loss.name} claims more than {loss.paid} moved{also}", "give each loss its amount")
        elif loss.wallet is not None:
            hid = ledger.hid(Slot(loss.wallet, loss.asset))
            if hid is None:
                continue
            if hid in unseen:
                raise InputError(f"two losses claim all of {loss.wallet}", "give one of them as a transaction")
            counted = [at for at in ledger.events(hid) if ledger.transfer(at).block.number >= loss.since]
            unseen[hid], since[hid] = label, counted[0] if counted else len(ledger)
            for ordinal in counted:
                got = sum(units for at, units in ledger.outputs(ordinal) if at == hid)
                if got and all(at != hid for at, _ in ledger.inputs(ordinal)):
                    paid.setdefault(ordinal, []).append((label, got))
    return Seeds({at: tuple(lots) for at, lots in paid.items()}, unseen, caps, since)


def entries(ledger: Ledger, losses: Sequence[Loss]) -> tuple[Address, ...]:
    """The addresses that must be read first: the wallets lost from, and whoever the lost payments went to."""
    found: dict[Address, None] = {}
    for loss in losses:
        if loss.wallet is not None:
            found[loss.wallet] = None
        elif loss.paid is not None and (ordinal := ledger.ordinal(loss.paid)) is not None:
            for hid, _ in ledger.outputs(ordinal):
                address = ledger.address(hid)
                if address is not None:
                    found[address] = None
    return tuple(found)
