"""Where in a reading of several lists one stands, and what came of it so far: a cursor holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from connectors.window import Window
from tracer.coverage import Coverage, Kind, State
from tracer.errors import InputError
from tracer.values import Address


@dataclass(frozen=True, slots=True)
class Place:
    """The list that comes next, by its number; `rows` and `gaps` of all pages before it. Sources add what they need.

    `upto` is the last block that all lists so far were read up to, before the first where none was.
    """

    at: int
    upto: int
    rows: int = 0
    state: int = 0
    gaps: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """As it was told to a cursor. Raises `InputError`."""
        try:
            place = cls(**told)
            return replace(place, gaps=tuple(place.gaps))
        except TypeError:
            raise InputError("no cursor of this source", "read the history from its beginning") from None

    def told(self) -> dict[str, Any]:
        """As plain data, for a cursor."""
        return asdict(self)

    def with_gap(self, state: State, reason: str, upto: int) -> Self:
        """After a gap: only the blocks up to `upto` are whole."""
        gaps = self.gaps if reason in self.gaps else (*self.gaps, reason)
        return replace(self, state=max(self.state, state), gaps=gaps, upto=min(self.upto, upto))

    def coverage(
        self, window: Window, address: Address, kinds: frozenset[Kind], source: str, evidence: str
    ) -> Coverage:
        """What the reading says of the address, now that it is at its end."""
        if not self.gaps:
            return window.coverage(address, kinds, source, rows=self.rows, evidence=evidence)
        last = self.upto if self.upto >= window.first else None
        return window.coverage(
            address, kinds, source, rows=self.rows, evidence=evidence, reason="; ".join(self.gaps),
            state=State(self.state), last=last,
        )  # fmt: skip


__all__ = ["Place"]
