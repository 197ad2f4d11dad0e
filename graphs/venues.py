"""Whose wallet an address is: an exchange's by label, or a collector that itself sweeps to one."""

from __future__ import annotations

from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import Address, Asset, Slot

COLLECTOR_SENDERS = 10  # a wallet that gathers sweeps has many senders; a launderer's next wallet has one


class Venues:
    """Answers for one ledger and one book of labels, each question worked out once."""

    def __init__(self, ledger: Ledger, labels: LabelBook, label_confidence: int) -> None:
        self._ledger = ledger
        self._labels = labels
        self._confidence = label_confidence
        self._collects: dict[int, Label | None] = {}
        self._senders: dict[int, int] = {}
        self._hot: dict[Asset, dict[int, Label]] = {}
        self._exchanges = {
            address: label for address in labels.addresses() if (label := self._exchange(address)) is not None
        }

    def of(self, hid: int, asset: Asset, deeper: bool = True) -> Label | None:
        """Whose wallet the holding is in: by label, or (`deeper`, once) because nearly all that it pays goes to one."""
        mine = self.labelled(asset).get(hid)
        if mine is not None or not deeper:
            return mine
        if hid not in self._collects:
            self._collects[hid] = self._collector(hid, asset)
        return self._collects[hid]

    def labelled(self, asset: Asset) -> dict[int, Label]:
        """The holdings of that asset that a label calls an exchange's."""
        if asset not in self._hot:
            found = {self._ledger.hid(Slot(address, asset)): label for address, label in self._exchanges.items()}
            self._hot[asset] = {hid: label for hid, label in found.items() if hid is not None}
        return self._hot[asset]

    def senders(self, hid: int) -> int:
        """How many others paid it."""
        if hid not in self._senders:
            ledger = self._ledger
            senders = {entry.other for entry in ledger.entries(hid) if not entry.out and entry.units}
            self._senders[hid] = sum(1 for at in senders if not ledger.is_sink(at))
        return self._senders[hid]

    def _collector(self, hid: int, asset: Asset) -> Label | None:
        if self._ledger.lines(hid) <= COLLECTOR_SENDERS:
            return None
        hot = self.labelled(asset)
        entries = self._ledger.entries(hid)
        if not any(entry.out and entry.other in hot for entry in entries) or self.senders(hid) < COLLECTOR_SENDERS:
            return None
        out: dict[str, int] = {}
        named: dict[str, Label] = {}
        for entry in entries:
            if entry.out and not self._ledger.is_sink(entry.other):
                whose = hot.get(entry.other)
                entity = whose.entity if whose else ""
                out[entity] = out.get(entity, 0) + entry.units
                if whose:
                    named[entity] = whose
        best = max(named, key=lambda entity: out[entity], default=None)
        return named[best] if best is not None and out[best] * 100 >= 95 * sum(out.values()) > 0 else None

    def _exchange(self, address: Address) -> Label | None:
        told = self._labels.of(address)
        return next((one for one in told if one.role is Role.EXCHANGE and one.confidence >= self._confidence), None)
