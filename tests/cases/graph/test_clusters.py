"""Clusters from judgements: the parts of a graph, whatever the order, and nothing stays of what is taken back."""

from __future__ import annotations

import random

import networkx
from hypothesis import given
from hypothesis import strategies as st

from cases.graph.clusters import clusters_of
from notation import address
from tracer.judgements import Judgement

NAMES = st.sampled_from("abcdefgh")
JUDGED = st.builds(
    lambda two, sure, by: Judgement(address(two[0]), address(two[1]), "one key", (), sure, by, 1),
    st.tuples(NAMES, NAMES).filter(lambda two: two[0] != two[1]),
    st.sampled_from((10, 50, 90)),
    st.sampled_from(("one", "two")),
)


@given(st.lists(JUDGED, max_size=12), st.randoms(use_true_random=False), st.sampled_from((0, 50, 91)))
def test_the_parts_do_not_hang_on_the_order_of_the_judgements(
    judged: list[Judgement], chance: random.Random, confidence: int
) -> None:
    found = clusters_of(judged, confidence=confidence)
    shuffled = [*judged, *judged[:3]]
    chance.shuffle(shuffled)
    assert clusters_of(shuffled, confidence=confidence) == found
    graph = networkx.Graph([(one.left, one.right) for one in judged if one.confidence >= confidence])
    assert {frozenset(one.members) for one in found} == {
        frozenset(part) for part in networkx.connected_components(graph)
    }
    assert all(one.left in part.members and one.right in part.members for part in found for one in part.judgements)


@given(st.lists(JUDGED, min_size=1, max_size=12), st.data())
def test_what_is_taken_back_and_said_again_changes_nothing(judged: list[Judgement], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(judged) - 1))
    rest = [one for one in judged if one != judged[at]]
    assert clusters_of([*rest, judged[at]]) == clusters_of(judged)
    graph = networkx.Graph([(one.left, one.right) for one in rest])
    assert {frozenset(one.members) for one in clusters_of(rest)} == {
        frozenset(part) for part in networkx.connected_components(graph)
    }
