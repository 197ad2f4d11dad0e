"""The hostile corpus is as large and as hostile as it says."""

from __future__ import annotations

import pytest

from hostile import HOSTILE
from hostile_strings import CORPUS, by_attack


def test_there_are_at_least_500_different_texts() -> None:
    assert len(CORPUS) == len(set(CORPUS)) >= 500
    assert set(HOSTILE) <= set(CORPUS)


@pytest.mark.parametrize("attack", ["cypher", "sql", "formula", "markup", "shell", "terminal", "character", "shape"])
def test_every_attack_is_tried(attack: str) -> None:
    assert sum(attack == told for told, _ in by_attack()) >= 4


@pytest.mark.parametrize(
    "needed", ["\x00", "\ud800", "`", "'", '"', "\\", "\n", "\u202e", "=", "<script>", "\x1b", "\x1f", "|", ":"]
)
def test_every_character_that_ends_a_field_somewhere_is_in_it(needed: str) -> None:
    assert any(needed in text for text in CORPUS)
