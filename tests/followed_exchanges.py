"""Drawn exchanges followed, with every end held against its bounds."""

from __future__ import annotations

from collections.abc import Sequence

from drawn_exchanges import drawn
from graphs.follow import follow
from graphs.following import Following
from graphs.stops import StopRules
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between

ALL = StopRules(dust_one_in=0, diluted_one_in=0)


def followed(
    text: str, book: LabelBook, lines: Sequence[int] = (0,), losses: Sequence[Loss] = (),
    between: Between = Between.PARI_PASSU,
) -> Following:  # fmt: skip
    """What is lost is what the drawing's lines of these numbers (from 0) pay, unless `losses` say otherwise."""
    transfers = drawn(text)
    everyone = {leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address}
    read = CoverageBook(Coverage(one, State.READ, frozenset(Kind), "drawing", "drawing") for one in sorted(everyone))
    of = Ledger.of(transfers, read, keep=book.custodians(ALL.label_confidence))
    stated = losses or [Loss(f"l{at}", transfers[at].asset, paid=transfers[at].id) for at in lines]
    found = follow(of, book, stated, ALL, spent=True, between=between)
    bounds = found.bounds()
    for rule, trace in found.traces().items():
        for end in trace.ends:
            one = bounds[end.place]
            assert one.least <= end.units <= one.most, (rule, end, one)
            assert one.stolen[0] <= end.stolen <= one.stolen[1], (rule, end, one)
    return found
