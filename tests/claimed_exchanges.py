"""Drawings of exchanges at no fair rate, with losses that are payments or whole wallets."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from drawn_exchanges import asset, drawn, labels
from notation import address
from tracer.labels import Role
from tracer.losses import Loss

BOOK = labels(router=Role.PROTOCOL, pool=Role.PROTOCOL, bybit=Role.EXCHANGE)
PEOPLE = ("w", "x", "y", "z", "victim")


@dataclass(frozen=True)
class Claim:
    """A loss: what the drawing's line `line` paid, or all of `asset` in `wallet`."""

    line: int = -1
    wallet: str = ""
    asset: str = ""
    units: int | None = None
    since: int = 0


def losses(text: str, claims: tuple[Claim, ...]) -> list[Loss]:
    """The claims on a drawing, as losses."""
    found = []
    for number, one in enumerate(claims):
        if one.wallet:
            wallet = address(one.wallet)
            found.append(Loss(f"l{number}", asset(one.asset), wallet=wallet, units=one.units, since=one.since))
        else:
            paid = drawn(text)[one.line]
            found.append(Loss(f"l{number}", paid.asset, paid=paid.id, units=one.units))
    return found


@st.composite
def drawings(draw: st.DrawFn) -> tuple[str, tuple[Claim, ...]]:
    """Up to six transactions, half of them exchanges at no fair rate, and up to three losses of one asset."""
    units = st.integers(1, 6) | st.integers(1, 900)
    lines: list[str] = []
    for number in range(1, draw(st.integers(2, 6)) + 1):
        if draw(st.booleans()):
            giver, taker = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(PEOPLE))
            market = draw(st.sampled_from(("pool", "router")))
            gave, got = draw(st.sampled_from((("A", "B"), ("B", "A"))))
            moved = [(giver, market, gave), (market, draw(st.sampled_from((giver, taker))), got)]
            if draw(st.booleans()):
                beside = st.sampled_from((*PEOPLE, market)), st.sampled_from(PEOPLE), st.sampled_from((gave, got))
                moved.append(draw(st.tuples(*beside)))
        else:
            sides = st.tuples(st.sampled_from(PEOPLE), st.sampled_from((*PEOPLE, "bybit")), st.sampled_from("AAB"))
            moved = draw(st.lists(sides, min_size=1, max_size=2))
        for payer, payee, of in draw(st.permutations(moved)):
            lines.append(f"{number} {payer} -> {payee} {draw(units)} {of}")
    stolen = draw(st.sampled_from("AB"))
    paid = [at for at, line in enumerate(lines) if line.endswith(stolen)]
    part = st.sampled_from((None, None, 1, 2))
    claim = st.builds(Claim, wallet=st.sampled_from(PEOPLE), asset=st.just(stolen), units=part, since=st.integers(0, 2))
    if paid:
        claim |= st.builds(Claim, line=st.sampled_from(paid), units=part)
    return "\n".join(lines), tuple(draw(st.lists(claim, min_size=1, max_size=3)))
