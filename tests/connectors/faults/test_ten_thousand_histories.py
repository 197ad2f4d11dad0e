"""Ten thousand random histories from misbehaving providers, and none of them loses a movement silently."""

from __future__ import annotations

import pytest

from random_histories import WORLDS, histories
    "another chain",
    "short page",
    "shuffled",
    "row twice",
    "another page",
}  # they need an answer that has such rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"), [("blockscout", 2_600), ("esplora", 2_600), ("etherscan", 2_600), ("trongrid", 2_600)]
)
def test_of_ten_thousand_random_histories_none_loses_anything_silently(kind: str, count: int) -> None:
    told, played = histories(kind, range(1_000, 1_000 + count))
    assert told["whole"] + told["gap"] + told["problem"] == count
    assert told["whole"] > count // 4
    assert told["problem"] < count // 100
    assert len(played) > 15
