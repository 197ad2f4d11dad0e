"""What the data know of an address's history: until when it can be followed, and why not."""

from __future__ import annotations

from collections.abc import Iterable

from tracer.coverage import State
from tracer.ledger import Ledger
from tracer.values import Address


def unread(ledger: Ledger, address: Address, block: int) -> str:
    """Why value that came to `address` in `block` cannot be followed from what was read, "" where it can."""
    coverage = ledger.coverage.of(address)
    if coverage.state in (State.FAILED, State.NOT_RECORDED):
        return f"{coverage.state.word}: {coverage.reason}"
    if coverage.state is State.EMPTY:
        return "the source says there is nothing, yet value came here by another wallet's history"
    if coverage.state is State.CUT and (coverage.last is None or coverage.last < block):
        return f"its history is cut before the value came: {coverage.reason}"
    if not coverage.first <= block <= (block if coverage.last is None else coverage.last):
        until = "the last" if coverage.last is None else f"{coverage.last:,}"
        return f"its history was read for blocks {coverage.first:,} to {until} only; the value came in block {block:,}"
    if coverage.state is State.UNSTATED and not any(any(ledger.account(at).outs) for at in ledger.holdings_of(address)):
        return "no payment from it is in the data, and the data do not say that its history was read"
    return ""


def known_until(ledger: Ledger, followed: Iterable[Address], coins: Iterable[int] = ()) -> dict[int, int]:
    """Per holding of the followed addresses the last ordinal that its own history covers.

    `coins`: outputs without an address that are seen to be spent: there is no history to ask for.
    """
    known = dict.fromkeys(coins, len(ledger))
    for address in sorted(followed):
        coverage = ledger.coverage.of(address)
        for hid in ledger.holdings_of(address):
            known[hid] = len(ledger)
            block = -1 if coverage.state is State.CUT and coverage.last is None else coverage.last
            if block is not None and beyond(ledger, hid, block):
                known[hid] = max((at for at in ledger.events(hid) if _block(ledger, at) <= block), default=-1)
    return known


def beyond(ledger: Ledger, hid: int, block: int) -> bool:
    """Whether a transfer after `block` touches the holding."""
    events = ledger.events(hid)
    return bool(events) and _block(ledger, events[-1]) > block


def _block(ledger: Ledger, ordinal: int) -> int:
    return ledger.block(ordinal).number
