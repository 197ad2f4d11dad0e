"""One figure of the bulk benchmark beside a peer's and its bar, and what figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: ours, a peer's, and the most that ours, or ours / theirs, may be. `None`: not measured, or no bar."""

    what: str
    unit: str
    ours: float | None = None
    peer: str = ""
    theirs: float | None = None
    most: float | None = None
    most_of_theirs: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours / theirs."""
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the bar is met, None where there is none or nothing was measured."""
        if self.most is not None and self.ours is not None:
            return self.ours <= self.most
        return self.ratio <= self.most_of_theirs if self.most_of_theirs is not None and self.ratio is not None else None

    @property
    def cells(self) -> list[str]:
        """As the table shows it."""
        bar = f"{self.most:g} {self.unit}" if self.most is not None else ""
        if self.most_of_theirs is not None:
            bar = f"{self.most_of_theirs:.3g} x {self.peer}"
        met = {True: "met", False: "MISSED", None: ""}[self.met]
        figures = ["" if figure is None else f"{figure:,.4g}" for figure in (self.ours, self.theirs, self.ratio)]
        return [self.what, self.unit, figures[0], self.peer, *figures[1:], f"{bar} {met}".strip()]


def same(what: str, one: int, other: int) -> None:
    """A figure about something else than the peer did would be worth nothing."""
    if one != other:
        raise SystemExit(f"{what}: {one:,}, and should be {other:,}")


def middle(figures: Iterable[float]) -> float | None:
    """The median, None of nothing."""
    known = list(figures)
    return median(known) if known else None


def centiles(figures: Sequence[float]) -> tuple[float, float]:
    """p50 and p95."""
    ordered = sorted(figures)
    return median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
