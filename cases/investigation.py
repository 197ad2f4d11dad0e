"""The only loop: follow, read who is asked for, follow again, until nobody is asked for or the budget is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from cases.asking import ask_each, settled
from cases.case_file import Case
from cases.starting import start
from connectors.protocol import Connector
from graphs.follow import follow
from graphs.following import Expand, Following
from graphs.origins import Origins
from graphs.stops import StopRules
from tracer.errors import SourceUnusable
from tracer.labels import LabelBook
from tracer.ledger import Ledger, Order
from tracer.losses import Loss
from tracer.lots import Between
from tracer.values import Address, Transfer

PLENTY = 10  # requests left per address asked for: with less than that the largest amounts go first


@dataclass(frozen=True, slots=True)
class Progress:
    """One page was read and kept: this many of the run's `most` requests are used, for `wanted` addresses by now."""

    requests: int
    most: int
    wanted: int
    address: Address
    source: str
    transfers: int  # on this page


Found_co = TypeVar("Found_co", bound=Following | Origins, covariant=True)


class Follows(Protocol[Found_co]):
    """`graphs.follow.follow`, or `graphs.origins.originate` for the way back."""

    def __call__(
        self,
        ledger: Ledger,
        labels: LabelBook,
        losses: Sequence[Loss],
        rules: StopRules | None = None,
        *,
        between: Between = ...,
        known: Iterable[Address] = ...,
        spent: bool = ...,
    ) -> Found_co:
        """What was found so far, and who must be read next."""
        ...


def investigate(
    case: Case,
    connectors: Sequence[Connector],
    *,
    rules: StopRules,
    between: Between = Between.PARI_PASSU,
    max_requests: int,
    now: Callable[[], int],
    progress: Callable[[Progress], None] = lambda _: None,
) -> Following:
    """Follow the case's losses as far as `connectors` and `max_requests` go; the answer is that of `concluded`.

    `max_requests` limits this run; `case.requests()` counts those of all runs. Nothing that the case holds is asked
    for again, and each page is kept before the next is asked for: interrupted anywhere, it goes on where it was. With
    a budget that is too small, which amounts were read first may depend on where it was interrupted.

    Raises `SourceUnusable` (after a note in the log), `Contradiction` or `CaseError`; what was read before is kept.
    """
    read(case, connectors, follow, rules=rules, between=between, max_requests=max_requests, now=now, progress=progress)
    return concluded(case, follow, rules=rules, between=between)


def concluded(
    case: Case, follows: Follows[Found_co], *, rules: StopRules, between: Between = Between.PARI_PASSU,
    order: Order = Order.ATOMIC,
) -> Found_co:  # fmt: skip
    """The answer that the case as it is gives, asking nobody: the same case gives the same bytes.

    Who would have to be read ends as `BUDGET`. It starts anew, not from whom an earlier round followed: what looked
    like a wallet then may look like a service or a deposit address now.
    """
    ledger = case.ledger(order=order, label_confidence=rules.label_confidence)
    return follows(ledger, case.labels(), case.losses(), rules, between=between, spent=True)


def read(
    case: Case,
    connectors: Sequence[Connector],
    follows: Follows[Found_co],
    *,
    rules: StopRules,
    between: Between = Between.PARI_PASSU,
    order: Order = Order.ATOMIC,
    max_requests: int,
    max_pages: int = 0,
    now: Callable[[], int],
    progress: Callable[[Progress], None] = lambda _: None,
) -> Found_co | None:
    """Read into the case whom `follows` asks for (see `investigate`), at most `max_pages` of each unless it is 0.

    Where nobody is left to ask from the first, what `follows` said is what `concluded` would say, and is returned.
    """
    labels, losses = case.labels(), case.losses()
    ledger, spent = case.ledger(settled(case.answers(), connectors), order, rules.label_confidence), 0
    known: frozenset[Address] = frozenset()
    try:
        while spent < max_requests:
            found = follows(ledger, labels, losses, rules, between=between, known=known)
            scarce = max_requests - spent < PLENTY * len(found.expand)
            if scarce and found.followed != known:  # who was read last may have paid more than anybody asked for here
                known = found.followed
                continue
            wanted, got = found.expand, list[Transfer]()
            if not wanted:
                same = not known and list(ledger.coverage) == list(case.coverage())
                return found if same else None
            known = found.followed
            for step in _largest(wanted) if scarce else wanted:
                for connector, page in islice(
                    ask_each(case, connectors, step.address, now, max_pages), max_requests - spent
                ):
                    spent += 1
                    got += page.transfers
                    progress(
                        Progress(spent, max_requests, len(wanted), step.address, connector.name, len(page.transfers))
                    )
            ledger = ledger.with_more(got, settled(case.answers(), connectors))
    except SourceUnusable as error:
        case.record("note", {"text": f"the run was stopped by {error.source}: {error}"}, at=now())
        raise
    return None


def _largest(wanted: Sequence[Expand]) -> Sequence[Expand]:
    """Those of the largest amounts: who else is asked for may change once they are read."""
    return [step for step in wanted if 2 * step.units >= wanted[0].units]


__all__ = ["Follows", "Progress", "concluded", "investigate", "read", "start"]
