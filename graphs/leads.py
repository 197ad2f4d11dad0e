"""Leads beyond a CoinJoin: outputs that may be the stolen value's, each with its odds. Never amounts, never ends.

Inside the group of equal outputs of a CoinJoin nobody can tell whose is whose: any of its n outputs may be, one in n.
A lead goes on through ordinary payments as one of their outputs, through the next CoinJoin with the odds multiplied,
and stops at a label. It tells an investigator where to look; it proves nothing (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphs.coinjoins import coinjoin
from graphs.stops import StopRules, labelled
from tracer.coverage import State
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.values import Address, Outpoint, Transfer, TransferId

MOST_OUTPUTS = 20  # a payment to more is no trail


@dataclass(frozen=True, slots=True)
class Lead:
    """An output that may hold what went into `coinjoin`: one in `one_in`, if nothing else is known.

    `path`: the transactions from the CoinJoin to it. `why`: what is there: a label, unspent as far as read, or the
    reason why the lead was not followed on.
    """

    coinjoin: TransferId
    output: Outpoint
    address: Address | None
    units: int
    one_in: int
    path: tuple[TransferId, ...]
    why: str
    labelled: bool = False


def leads(
    ledger: Ledger, labels: LabelBook, coinjoins: Iterable[TransferId], rules: StopRules, *, hops: int = 3
) -> tuple[Lead, ...]:
    """The leads behind these CoinJoins, best odds first; labelled ones before others of the same odds."""
    found: list[Lead] = []
    for id in coinjoins:
        ordinal = ledger.ordinal(id)
        if ordinal is not None:
            _walk(ledger, labels, rules, id, ledger.transfer(ordinal), 1, (id,), hops, found)
    best: dict[tuple[TransferId, Outpoint], Lead] = {}
    for lead in sorted(found, key=lambda lead: (lead.one_in, len(lead.path))):
        best.setdefault((lead.coinjoin, lead.output), lead)
    return tuple(sorted(best.values(), key=lambda lead: (lead.one_in, not lead.labelled, lead.output)))


def _walk(
    ledger: Ledger, labels: LabelBook, rules: StopRules, start: TransferId, transfer: Transfer, one_in: int,
    path: tuple[TransferId, ...], hops: int, found: list[Lead],
) -> None:  # fmt: skip
    mix = coinjoin(transfer)
    groups = dict(mix.anonymity) if mix and mix.mixes else {}
    for leg in transfer.outputs:
        if not isinstance(leg.holding, Outpoint) or not leg.units or (groups and leg.units not in groups):
            continue
        odds = one_in * groups.get(leg.units, 1)
        stop = labelled(labels, leg.address, rules) if leg.address is not None else None
        spent = _spent(ledger, leg.holding, transfer.id)
        if stop:
            why = stop.why
        elif spent is None:
            why = _unspent(ledger, leg.address)
        elif hops <= 0:
            why = "spent; not followed further"
        elif len(spent.outputs) > MOST_OUTPUTS and not coinjoin(spent):
            why = f"spent together with others, to {len(spent.outputs)} outputs: no trail"
        else:
            _walk(ledger, labels, rules, start, spent, odds, (*path, spent.id), hops - 1, found)
            continue
        found.append(Lead(start, leg.holding, leg.address, leg.units, odds, path, why, stop is not None))


def _unspent(ledger: Ledger, address: Address | None) -> str:
    if address is None:
        return "names no address: no source can be asked whether it was spent"
    coverage = ledger.coverage.of(address)
    if coverage.state <= State.EMPTY:
        return "not spent in the history read"
    return f"not known whether it was spent: its history is {coverage.state.word}"


def _spent(ledger: Ledger, output: Outpoint, by: TransferId) -> Transfer | None:
    hid = ledger.hid(output)
    for step in ledger.events(hid) if hid is not None else ():
        transfer = ledger.transfer(step)
        if transfer.id != by and any(leg.holding == output for leg in transfer.inputs):
            return transfer
    return None
