"""What a ledger folder says it holds of an address."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.bulk.opened import Opened, remembered
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.values import Address


class FolderCoverage(CoverageBook):
    """What a folder says of any address: all was read if the user states so, else nobody told whether it is all."""

    def __init__(self, files: Opened) -> None:
        super().__init__()
        self._files = files
        self._told: dict[Address, Coverage] = {}  # a trace asks the same again and again, and a folder does not change

    def of(self, address: Address) -> Coverage:
        """What is known about `address`, which no transfer may touch."""
        if address in self._by_address or address.chain != self._files.chain:
            return super().of(address)
        return remembered(self._told, address, self._of)

    def _of(self, address: Address) -> Coverage:
        files = self._files
        manifest = files.manifest
        rows = sum(span.last - span.first for hid in files.holdings_of(address) for span in files.spans(hid))
        refused = sum(source.rejected + source.contradictions for source in manifest.sources)
        reason = ""
        if refused:
            reason = f"{refused} rows of its sources were refused (rejected.jsonl), and any of them may be about it"
        elif not (manifest.whole and all(source.finished for source in manifest.sources)):
            reason = "nobody stated that it is whole"
        whole = not reason
        if not rows and not whole:
            reason = f"no transfer of the ledger touches it; {reason}"
            return Coverage(address, State.NOT_RECORDED, frozenset(), f"ledger:{files.folder}", reason=reason)
        state = State.UNSTATED if not whole else State.READ if rows else State.EMPTY
        first = manifest.first_block if whole else 0
        if first:
            reason = f"the ledger begins with block {first}"
        last = manifest.last_block if manifest.last_block >= 0 else None
        source = f"ledger:{files.folder}"
        return Coverage(address, state, kinds_of(manifest.positions), source, "", first, last, 0, rows, reason)


def kinds_of(positions: Iterable[str]) -> frozenset[Kind]:
    """The kinds of movement that transfers at these positions are."""
    kinds = {
        "tx": (Kind.NATIVE,),
        "fee": (Kind.NATIVE,),
        "trace": (Kind.INTERNAL,),
        "log": (Kind.TOKEN,),
        "step": (Kind.INTERNAL, Kind.TOKEN),
    }
    return frozenset(kind for text in positions for kind in kinds.get(text.partition(":")[0], ()))
