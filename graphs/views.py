"""Graphs for networkx, which has its home here: plain nodes and edges become a graph object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import networkx


class Line(Protocol):
    """An edge: from where to where, under an id of its own, with what is told of it."""

    @property
    def id(self) -> str:
        """Its own among all edges."""
        ...

    @property
    def source(self) -> str:
        """The node it leaves."""
        ...

    @property
    def target(self) -> str:
        """The node it comes to."""
        ...

    @property
    def told(self) -> Mapping[str, str]:
        """Its attributes."""
        ...


def multigraph(nodes: Mapping[str, Mapping[str, str]], lines: Iterable[Line]) -> networkx.MultiDiGraph:
    """The graph of these nodes (id -> attributes) and edges; an edge's key is its id. All that is on them is text."""
    import networkx

    graph = networkx.MultiDiGraph()
    for name, told in nodes.items():
        graph.add_node(name, **told)
    for line in lines:
        graph.add_edge(line.source, line.target, key=line.id, **line.told)
    return graph
