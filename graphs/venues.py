"""Whose wallet an address is: an exchange's by label, or a collector that itself sweeps to one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from heapq import nlargest

from tracer.accounts import Account
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import Address, Asset, Slot

COLLECTOR_SENDERS = 10  # a wallet that gathers sweeps has many senders; a launderer's next wallet has one

LARGEST = (
    1_000  # of whom an address paid: to find these takes little even among 100,000, and 5 % is nearly always there
)


def sums(account: Account, sinks: Collection[int]) -> dict[int, int]:
    """What went to each other holding in all, those of nobody left out."""
    sent: dict[int, int] = {}
    for other, units in zip(account.paid(account.others), account.paid(account.units), strict=True):
        if units:
            sent[other] = sent.get(other, 0) + units
    for sink in sinks:
        sent.pop(sink, None)
    return sent


class Venues:
    """Answers for one ledger and one book of labels, each question worked out once."""

    def __init__(self, ledger: Ledger, labels: LabelBook, label_confidence: int) -> None:
        self._ledger = ledger
        self._labels = labels
        self._confidence = label_confidence
        self._mine: dict[int, Label | None] = {}
        self._collects: dict[int, Label | None] = {}
        self._senders: dict[int, int] = {}
        self._sinks: dict[Asset, frozenset[int]] = {}
        self._hot: dict[Asset, dict[int, Label]] = {}

    def of(self, hid: int, asset: Asset, deeper: bool = True) -> Label | None:
        """Whose wallet the holding is in: by label, or (`deeper`, once) because nearly all that it pays goes to one."""
        if hid not in self._mine:
            address = self._ledger.address(hid)
            self._mine[hid] = None if address is None else self._exchange(address)
        if self._mine[hid] is not None or not deeper:
            return self._mine[hid]
        if hid not in self._collects:
            self._collects[hid] = self._collector(hid, asset)
        return self._collects[hid]

    def labelled(self, asset: Asset) -> dict[int, Label]:
        """The holdings of that asset that a label calls an exchange's."""
        if asset not in self._hot:
            exchanges = ((one, label) for one in self._labels.addresses() if (label := self._exchange(one)) is not None)
            found = ((self._ledger.hid(Slot(address, asset)), label) for address, label in exchanges)
            self._hot[asset] = {hid: label for hid, label in found if hid is not None}
        return self._hot[asset]

    def exchanges(self, hids: Collection[int], asset: Asset) -> dict[int, Label]:
        """Those of these holdings, all of that asset, that a label calls an exchange's."""
        # Where a label's address holds something takes twice as long to find as who has a holding.
        if asset in self._hot or len(hids) > 2 * len(self._labels.addresses()):
            hot = self.labelled(asset)
            return {hid: hot[hid] for hid in hids if hid in hot}
        return {hid: label for hid in hids if (label := self.of(hid, asset, deeper=False)) is not None}

    def scattered(self, sent: Mapping[int, int], total: int, asset: Asset) -> bool:
        """Whether over 5 % of `total` went to others than labelled exchanges, as far as the largest of `sent` tell.

        Whose those are is quickly told; whose all are that a busy address paid is not.
        """
        elsewhere = 0
        for units, at in nlargest(LARGEST, ((units, at) for at, units in sent.items())):
            if self.of(at, asset, deeper=False) is None:
                elsewhere += units
                if 20 * elsewhere > total:
                    return True
        return False

    def sinks(self, asset: Asset) -> frozenset[int]:
        """As `Ledger.sinks`."""
        if asset not in self._sinks:
            self._sinks[asset] = self._ledger.sinks(asset)
        return self._sinks[asset]

    def senders(self, hid: int, asset: Asset) -> int:
        """How many others paid it."""
        if hid not in self._senders:
            account = self._ledger.account(hid)
            lines = zip(account.came(account.others), account.came(account.units), strict=True)
            self._senders[hid] = len({other for other, units in lines if units} - self.sinks(asset))
        return self._senders[hid]

    def _collector(self, hid: int, asset: Asset) -> Label | None:
        if self._ledger.lines(hid) <= COLLECTOR_SENDERS:
            return None
        account = self._ledger.account(hid)
        sent = sums(account, self.sinks(asset))
        total = sum(sent.values())
        if self.scattered(sent, total, asset) or self.senders(hid, asset) < COLLECTOR_SENDERS:
            return None
        hot = self.exchanges(set(account.paid(account.others)), asset)
        out: dict[str, int] = {}
        named: dict[str, Label] = {}
        for other in account.paid(account.others):
            if other in hot:
                named[hot[other].entity] = hot[other]
        for other in sent.keys() & hot.keys():
            out[hot[other].entity] = out.get(hot[other].entity, 0) + sent[other]
        best = max(named, key=lambda entity: out.get(entity, 0), default=None)
        return named[best] if best is not None and out.get(best, 0) * 100 >= 95 * total > 0 else None

    def _exchange(self, address: Address) -> Label | None:
        told = self._labels.of(address)
        return next((one for one in told if one.role is Role.EXCHANGE and one.confidence >= self._confidence), None)
