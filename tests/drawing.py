"""Ledgers drawn by hypothesis, and what the engine makes of them said by wallet names instead of small integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from hypothesis import strategies as st

from notation import address, name_of, transfers
from tracer.engine import move
from tracer.envelope import Bounds, envelope
from tracer.ledger import Ledger
from tracer.lots import Between, Rule
from tracer.moves import Moves, Seeds
from tracer.trace import place_of
from tracer.values import Slot

Row = tuple[str, str, int]  # source, target, units
WALLETS = ("a", "b", "c")  # followed
OUTSIDE = ("victim", "friend")  # pay in, never followed
ENDS = ("shop", "bank")  # are paid, never pay


def written(rows: Iterable[Row]) -> str:
    """The rows in the notation of the tests, one block each."""
    return "\n".join(f"{n} {source} -> {target} {units}" for n, (source, target, units) in enumerate(rows, start=1))


def rows(most_rows: int = 14, most_units: int = 30, *, least_units: int = 0) -> st.SearchStrategy[list[Row]]:
    """Payments among the wallets, from outside in and out to the ends. Wallets may pay what they never got."""
    row = st.tuples(
        st.sampled_from(WALLETS + OUTSIDE), st.sampled_from(WALLETS + ENDS), st.integers(least_units, most_units)
    )
    return st.lists(row, min_size=1, max_size=most_rows)


def covered_rows(most_rows: int = 14, most_units: int = 30) -> st.SearchStrategy[list[Row]]:
    """As `rows`, but nobody inside pays more than came: payments are cut to what is there."""
    return rows(most_rows, most_units).map(covered)


def covered(drawn: Iterable[Row]) -> list[Row]:
    """The same rows, each payment of a wallet cut to what the wallet has."""
    has = dict.fromkeys(WALLETS, 0)
    kept = []
    for source, target, wanted in drawn:
        units = min(wanted, has.get(source, wanted))
        if source in has and source != target:
            has[source] -= units
        if target in has and source != target:
            has[target] += units
        kept.append((source, target, units))
    return kept


@dataclass(frozen=True)
class Drawn:
    """A ledger with its losses: `paid` row number (from 0) -> (label, units); `unseen` wallet -> label."""

    rows: list[Row]
    paid: Mapping[int, tuple[tuple[int, int], ...]]
    unseen: Mapping[str, int] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)
    until: Mapping[str, int] = field(default_factory=dict)  # wallet -> last row that is known of it
    wallets: tuple[str, ...] = WALLETS  # followed

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of the rows; row n is ordinal n."""
        return Ledger.of(transfers(written(self.rows)))

    def seeds(self, of: Ledger) -> Seeds:
        unseen = {hid: label for name, label in self.unseen.items() if (hid := hid_of(of, name)) is not None}
        return Seeds(dict(self.paid), unseen, dict(self.caps))

    def followed(self, of: Ledger) -> dict[int, int]:
        return {hid: self.until.get(name, len(of)) for name in self.wallets if (hid := hid_of(of, name)) is not None}

    def moves(self, rule: Rule, between: Between = Between.PARI_PASSU) -> Moves:
        of = self.ledger
        return move(of, self.seeds(of), self.followed(of), rule, between)

    def rests(self, rule: Rule, between: Between = Between.PARI_PASSU) -> dict[str, dict[int, int]]:
        """Name -> label -> units, for every place where stolen units rest."""
        return resting(self.ledger, self.moves(rule, between))

    def stolen(self, rule: Rule, between: Between = Between.PARI_PASSU) -> dict[str, int]:
        """Name -> stolen units of all losses."""
        return {name: sum(by_label.values()) for name, by_label in self.rests(rule, between).items()}

    def bounds(self) -> dict[str, Bounds]:
        """The envelope by name."""
        of = self.ledger
        return {
            name_of(place.address): bounds for place, bounds in envelope(of, self.seeds(of), self.followed(of)).items()
        }


def hid_of(of: Ledger, name: str) -> int | None:
    """The small integer of a wallet's coin, None where the ledger does not have it."""
    at = address(name)
    return of.hid(Slot(at, at.chain.coin))


def resting(of: Ledger, moves: Moves) -> dict[str, dict[int, int]]:
    """Where units rest, from the flows themselves (`tracer.trace.issue` adds up the same on its own)."""
    found: dict[str, dict[int, int]] = {}
    lots = [(flow.target, lot) for flow in moves.flows if flow.target not in moves.followed for lot in flow.lots]
    lots += [(hid, lot) for hid, rest in moves.rest.items() for lot in rest]
    for hid, (label, units) in lots:
        by_label = found.setdefault(name_of(place_of(of, hid).address), {})
        by_label[label] = by_label.get(label, 0) + units
    return found


@st.composite
def thefts(
    draw: st.DrawFn,
    drawn: st.SearchStrategy[list[Row]],
    *,
    losses: int = 1,
    partial: bool = False,
    payers: tuple[str, ...] = OUTSIDE,
) -> Drawn:
    """Rows of which some payments by `payers` are losses, wholly or (with `partial`) in their first so many units."""
    found = draw(drawn)
    entries = [at for at, (source, _, units) in enumerate(found) if source in payers and units]
    paid: dict[int, tuple[tuple[int, int], ...]] = {}
    for at in draw(st.lists(st.sampled_from(entries), unique=True, max_size=4)) if entries else []:
        label = draw(st.integers(1, losses))
        paid[at] = ((label, draw(st.integers(1, found[at][2])) if partial else 2**256 - 1),)
    return Drawn(found, paid)


@st.composite
def wallet_losses(draw: st.DrawFn, drawn: st.SearchStrategy[list[Row]], *, capped: bool = False) -> Drawn:
    """Rows in which all that wallet `a` ever had is the loss, returns to it and inflow that is not shown included."""
    found = draw(drawn)
    paid = {at: ((1, units),) for at, (source, target, units) in enumerate(found) if target == "a" != source and units}
    caps = {1: draw(st.integers(0, 60))} if capped else {}
    return Drawn(found, paid, {"a": 1}, caps)


@st.composite
def cut_off(draw: st.DrawFn, base: st.SearchStrategy[Drawn]) -> Drawn:
    """The same, with the history of some wallets known only up to a certain row."""
    of = draw(base)
    until = draw(st.dictionaries(st.sampled_from(WALLETS), st.integers(-1, len(of.rows)), max_size=3))
    return replace(of, until=until)
