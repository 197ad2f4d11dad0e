"""An export as DOT for Graphviz: solid lines for what is recorded, others for what is inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cases.exporting.contents import Contents, Statement
from cases.exporting.picture import Edge, Picture, picture
from cases.visible import visible
from tracer.values import shown

_SHAPES = {"address": "box", "transaction": "point", "output": "box", "sink": "ellipse"}


def write(contents: Contents) -> str:
    """The graph. Nodes are numbered, so that no name stands outside of quotes."""
    return "\n".join([*_lines(picture(contents, all_facts=False)), ""])


def quoted(text: str) -> str:
    r"""`text` as a DOT string that shows as itself: no escape of Graphviz's, no entity, no markup in it.

    >>> print(quoted('a"b\\N &amp; <b>'))
    "a\"b\\N &amp;amp; &lt;b&gt;"
    """
    whole = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return '"' + whole.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _lines(drawn: Picture) -> Iterator[str]:
    number = {name: f"n{at}" for at, name in enumerate(drawn.nodes)}
    yield "digraph case {"
    yield 'graph [rankdir=LR, charset="UTF-8"];'
    yield 'node [fontname="Helvetica", fontsize=10];'
    yield 'edge [fontname="Helvetica", fontsize=9];'
    for name, on in drawn.nodes.items():
        yield f"{number[name]} [shape={_SHAPES[on['kind']]}, label={_label(*_node(name, on))}];"
    for edge in drawn.edges:
        style = "solid" if edge.told["statement"] == Statement.FACT.value else "dashed"
        if edge.told["kind"] == "same_owner":
            style = "dotted, dir=none"
        label = _label(*_edge(edge, drawn.rules))
        yield f"{number[edge.source]} -> {number[edge.target]} [style={style}, label={label}];"
    yield "}"


def _label(*lines: str) -> str:
    """Lines one below the other: each quoted on its own, so that none can end its line or its string."""
    return '"' + "\\n".join(quoted(line)[1:-1] for line in lines) + '"'


def _node(name: str, on: Mapping[str, str]) -> list[str]:
    lines = [on.get("address") or name]
    if claimed := on.get("claimed_name") or on.get("claimed_entity"):
        lines.append(f"claimed: {claimed} ({on['claimed_role']}), by {on['claimed_by']}")
    if stop := on.get("inferred_stop"):
        lines.append(f"inferred: {stop}")
    if size := on.get("inferred_cluster_size"):
        lines.append(f"inferred: one owner of {size} addresses")
    if loss := on.get("decided_loss"):
        lines.append(f"stated: {loss}")
    return lines


def _edge(edge: Edge, rules: tuple[str, ...]) -> list[str]:
    told = edge.told
    if told["kind"] == "same_owner":
        return [f"inferred: one owner, {told['confidence']} of 100", f"{told['rule']}, by {told['author']}"]
    unit = told["symbol"] or told["asset"]
    if "units" in told:
        return [f"recorded: {shown(int(told['units']), int(told['decimals']))} {unit}"]
    amounts = {rule: shown(int(told[f"units_{rule}"]), int(told["decimals"])) for rule in rules}
    if len(set(amounts.values())) == 1:
        return [f"traced, every rule asked for: {next(iter(amounts.values()))} {unit}"]
    return [f"traced, {rule}: {units} {unit}" for rule, units in amounts.items()]
