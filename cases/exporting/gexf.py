"""An export as GEXF 1.3 for Gephi: the trace and the recorded payments behind it, every value a declared text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import quoteattr

from cases.exporting.cells import escaped
from cases.exporting.contents import Contents
from cases.exporting.picture import picture

NAMESPACE = "http://gexf.net/1.3"


def write(contents: Contents) -> str:
    """The document. Edges of another statement have another `kind`, so that Gephi does not merge them."""
    return "\n".join([*_lines(contents), ""])


def _lines(contents: Contents) -> Iterator[str]:
    drawn = picture(contents, all_facts=False)
    columns = {
        "node": sorted({name for on in drawn.nodes.values() for name in on}),
        "edge": sorted({name for edge in drawn.edges for name in edge.told}),
    }
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<gexf xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{NAMESPACE} {NAMESPACE}/gexf.xsd" version="1.3">'
    )
    yield "<meta><creator>fundtrail</creator></meta>"  # and no date: the same case gives the same bytes
    yield '<graph mode="static" defaultedgetype="directed" idtype="string">'
    for kind, names in columns.items():
        yield f'<attributes class="{kind}" mode="static">'
        yield from (f'<attribute id="{kind[0]}{at}" title="{name}" type="string"/>' for at, name in enumerate(names))
        yield "</attributes>"
    yield "<nodes>"
    for name, on in drawn.nodes.items():
        label = on.get("claimed_name") or on.get("inferred_label") or on.get("address") or name
        yield f"<node id={_quoted(name)} label={_quoted(label)}>{_values(on, columns['node'], 'n')}</node>"
    yield "</nodes>"
    yield "<edges>"
    for edge in drawn.edges:
        ends = f"id={_quoted(edge.id)} source={_quoted(edge.source)} target={_quoted(edge.target)}"
        kind = f'kind="{edge.told["statement"]}" label="{edge.told["kind"]}"'
        yield f"<edge {ends} {kind}>{_values(edge.told, columns['edge'], 'e')}</edge>"
    yield "</edges>"
    yield "</graph>"
    yield "</gexf>"


def _values(told: Mapping[str, str], columns: list[str], letter: str) -> str:
    values = (
        f'<attvalue for="{letter}{at}" value={_quoted(told[name])}/>' for at, name in enumerate(columns) if name in told
    )
    return f"<attvalues>{''.join(values)}</attvalues>"


def _quoted(text: str) -> str:
    return quoteattr(escaped(text))
