"""Coins drawn at random of which some were stolen, and the part of one victim."""

from __future__ import annotations

from dataclasses import replace

from utxo import Drawn, chains, thefts

ANY = thefts(chains(), losses=3, partial=True, unseen=True)
MINED = thefts(chains(mined=True), losses=3, partial=True, unseen=True)


def alone(of: Drawn, label: int) -> Drawn:
    """The same chain, of which only that loss was stolen."""
    return replace(of, paid={name: lot for name, lot in of.paid.items() if lot[0] == label})
