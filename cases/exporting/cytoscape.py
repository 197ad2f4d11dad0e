"""An export as the elements of cytoscape.js and Cytoscape: the trace and the recorded payments behind it, as JSON."""

from __future__ import annotations

import json

from cases.exporting.cells import escaped
from cases.exporting.contents import Contents
from cases.exporting.picture import picture
from cases.visible import visible


def write(contents: Contents) -> str:
    """The JSON, in ASCII. Every value is a text, and made visible: a web page may show it."""
    drawn = picture(contents, all_facts=False)
    ids = {name: escaped(name) for name in drawn.nodes}
    nodes = [
        {"data": {"id": ids[name], "label": visible(on.get("claimed_name") or on.get("address") or name), **_told(on)}}
        for name, on in drawn.nodes.items()
    ]
    edges = [
        {
            "data": {"id": edge.id, "source": ids[edge.source], "target": ids[edge.target], **_told(edge.told)},
            "classes": f"{edge.told['statement']} {edge.told['kind']}",
        }
        for edge in drawn.edges
    ]
    whole = {
        "format_version": "1.0",
        "generated_by": "fundtrail",
        "data": {},
        "elements": {"nodes": nodes, "edges": edges},
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"
    # Valid JSON all the same, and inert in the one place where JSON is often put: a script element of a page.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _told(on: dict[str, str]) -> dict[str, str]:
    return {key: visible(text) for key, text in on.items() if key not in ("id", "source", "target", "label")}
