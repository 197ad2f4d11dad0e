"""A sample of random histories from misbehaving providers: each reading equals what happened, or names its gap."""

from __future__ import annotations

import pytest

from random_histories import WORLDS, histories


@pytest.mark.parametrize("count", [45, pytest.param(150, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", WORLDS)
def test_a_sample_of_random_histories_loses_nothing_silently(kind: str, count: int) -> None:
    told, played = histories(kind, range(count))
    assert told["whole"] > count * 40 // 150, "a reading that always gives up loses nothing either"
    assert told["gap"] > count * 5 // 150
    assert told["problem"] < 5
    assert told["balance"] < 2, "only the balance shows what a reading should have seen itself"
    assert len(played) > 8
