"""Ten thousand random histories from misbehaving providers, and none of them loses a movement silently."""

from __future__ import annotations

import pytest

from random_histories import histories


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"), [("blockscout", 2_600), ("esplora", 2_600), ("etherscan", 2_600), ("trongrid", 2_600)]
)
def test_of_ten_thousand_random_histories_none_loses_anything_silently(kind: str, count: int) -> None:
    told, played = histories(kind, range(1_000, 1_000 + count))
    assert told["whole"] + told["gap"] + told["problem"] + told["balance"] == count
    assert told["whole"] > count // 4
    assert told["problem"] < count // 100
    assert told["balance"] < count // 100
    assert len(played) > 15
