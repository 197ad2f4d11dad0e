"""The basis: what lots of a converted asset stand for in what was stolen, shared out so that the books close.

Every lot is of a loss or of a strain. What became of a label, units at rest and units converted again, shares the
label's basis in proportion (largest remainder); so each conversion hands on exactly what was put into it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from tracer.errors import BooksDoNotClose
from tracer.lots import apportion
from tracer.moves import Amounts, Moves

Key = TypeVar("Key", bound=Hashable)  # never None


def basis_of(moves: Moves, rests: Mapping[Key, Amounts], homes: Mapping[int, Key]) -> dict[Key, Amounts]:
    """key -> loss -> basis, of `rests` (key -> label -> units).

    `homes`: the key where the basis of a strain of no units stays. Raises `BooksDoNotClose` if what became of any label
    does not add up to its units.
    """
    became: dict[int, list[tuple[Key | None, int, int]]] = {}  # label -> where it rests, or the strain it went into
    for key, by_label in rests.items():
        for label, units in by_label.items():
            became.setdefault(label, []).append((key, 0, units))
    for strain in moves.strains.values():
        for label, units in strain.parents:
            became.setdefault(label, []).append((None, strain.label, units))
    of = dict(moves.lost)
    found: dict[Key, Amounts] = {}
    for label in sorted({*became, *of, *moves.strains}):
        made = moves.strains[label].units if label in moves.strains else moves.lost.get(label, 0)
        parts = became.get(label, [])
        rested = sum(units for _, _, units in parts)
        if rested != made:
            raise BooksDoNotClose(
                f"under {moves.rule} lots {label} are {made} base units and what became of them adds up to {rested}",
                "this is a defect in fundtrail; keep the case file and report it",
            )
        loss, basis = moves.loss(label), of.get(label, 0)
        if not rested and basis:
            _add(found, homes[label], loss, basis)
            continue
        for (where, into, _), part in zip(parts, apportion(basis, [units for _, _, units in parts]), strict=True):
            if where is None:
                of[into] = of.get(into, 0) + part
            else:
                _add(found, where, loss, part)
    return found


def _add(found: dict[Key, Amounts], key: Key, loss: int, units: int) -> None:
    amounts = found.setdefault(key, {})
    amounts[loss] = amounts.get(loss, 0) + units
