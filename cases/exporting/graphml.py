"""An export as GraphML for Gephi, Cytoscape, yEd and networkx: all facts, the trace beside them; read back whole."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from cases.codec import (
    TransferReader,
    coverage_json,
    coverage_of,
    judgement_id,
    judgement_json,
    judgement_of,
    label_json,
    label_of,
    loss_json,
    loss_of,
    withdrawal_json,
    withdrawal_of,
)
from cases.exporting.cells import escaped, plain
from cases.exporting.contents import Contents
from cases.exporting.picture import Picture, picture
from cases.exporting.reading_back import CAPS, FORMAT, answer_text, checked, opened, packed, undamaged, with_answer
from connectors.protocol import Evidence, Problem
from connectors.reading import whole
from tracer.errors import InputError
from tracer.values import Transfer

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_SCHEMA = f"{NAMESPACE} {NAMESPACE}/1.0/graphml.xsd"
_Read = tuple[dict[str, str], dict[str, dict[str, str]], list[tuple[str, str, str, dict[str, str]]]]


def write(contents: Contents) -> str:
    """The document. Every attribute is text: a viewer's numbers would lose digits."""
    return "\n".join([*_lines(_of_graph(contents), picture(contents)), ""])


def read(path: Path) -> Contents:
    """The contents of a document that `write` made. Raises `InputError`.

    What was read is drawn again, and must be the same: a payment cannot look otherwise than its record says.
    """
    told, nodes, edges = _parsed(path)
    with undamaged(path.name):
        if told.get("format") != FORMAT:
            raise InputError(f"{path.name} is not an export of a case", f"this program reads {FORMAT}")
        contents = checked(_contents(told, nodes, edges, path.name), path.name)
        drawn = picture(contents)
        same = nodes == drawn.nodes and edges == [(one.id, one.source, one.target, one.told) for one in drawn.edges]
        if not same or told != _of_graph(contents):
            raise InputError(
                f"{path.name} is not as it was exported: {_difference(nodes, edges, drawn)}", "export the case again"
            )
    return contents


def _of_graph(contents: Contents) -> dict[str, str]:
    """What is said of no single place: attributes of the graph as a whole, JSON texts, bytes packed."""
    judged = {}
    if contents.judgements:
        judged["inference_judgements"] = _json([judgement_json(one) for one in contents.judgements])
        judged["decision_withdrawals"] = _json([withdrawal_json(one) for one in contents.withdrawals])
    evidence = [[one.id, one.source, one.request, packed(one.body)] for one in contents.evidence]
    return {
        "format": FORMAT,
        "fact_evidence": _json(evidence),
        "fact_coverage": _json([[asked, coverage_json(answer)] for asked, answer in contents.coverage]),
        "fact_problems": _json([[one.text, one.where] for one in contents.problems]),
        "claim_labels": _json([label_json(one) for one in contents.labels]),
        "decision_losses": _json([loss_json(one) for one in contents.losses]),
        **judged,
        "inference_answer": packed(answer_text(contents).encode()),
    }


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _contents(
    told: Mapping[str, str],
    nodes: Mapping[str, Mapping[str, str]],
    edges: list[tuple[str, str, str, dict[str, str]]],
    where: str,
) -> Contents:
    """From the records of edges and transactions, in the order of their numbers."""
    kept = [on for on in (*nodes.values(), *(edge[-1] for edge in edges)) if "record" in on]
    records = {int(on["report"]): on["record"] for on in kept}
    reader = TransferReader()
    evidence = []
    for id, source, request, body in json.loads(told["fact_evidence"]):
        one = Evidence(opened(body), source, request)
        if one.id != id:
            raise ValueError(f"the bytes of {id!r:.80} have another hash")
        evidence.append(one)
    judgements = tuple(map(judgement_of, json.loads(told.get("inference_judgements", "[]"))))
    known = {judgement_id(one): one for one in judgements}
    withdrawn = json.loads(told.get("decision_withdrawals", "[]"))
    facts = Contents(
        tuple(_transfer(records[number], reader) for number in sorted(records)),
        tuple(evidence),
        tuple((asked, coverage_of(record)) for asked, record in json.loads(told["fact_coverage"])),
        tuple(Problem(*record) for record in json.loads(told["fact_problems"])),
        tuple(map(label_of, json.loads(told["claim_labels"]))),
        tuple(map(loss_of, json.loads(told["decision_losses"]))),
        judgements=judgements,
        withdrawals=tuple(withdrawal_of(record, known) for record in withdrawn),
    )
    return with_answer(facts, opened(told["inference_answer"]).decode("ascii"), where)


def _transfer(record: str, reader: TransferReader) -> Transfer:
    key, body, evidence = json.loads(record)
    return reader.read(json.loads(key), json.loads(body), tuple(evidence))


def _lines(told: Mapping[str, str], drawn: Picture) -> Iterator[str]:
    on_nodes = dict.fromkeys(name for on in drawn.nodes.values() for name in on)
    on_edges = dict.fromkeys(name for edge in drawn.edges for name in edge.told)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<graphml xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_SCHEMA}">'
    )
    for kind, names in (("graph", told), ("node", sorted(on_nodes)), ("edge", sorted(on_edges))):
        for name in names:
            yield f'<key id="{kind}.{name}" for="{kind}" attr.name="{name}" attr.type="string"/>'
    yield '<graph id="case" edgedefault="directed">'
    yield from (_data("graph", name, text) for name, text in told.items())
    for node, on in drawn.nodes.items():
        yield f"<node id={_quoted(node)}>{''.join(_data('node', *one) for one in on.items())}</node>"
    for edge in drawn.edges:
        ends = f"id={_quoted(edge.id)} source={_quoted(edge.source)} target={_quoted(edge.target)}"
        yield f"<edge {ends}>{''.join(_data('edge', *one) for one in edge.told.items())}</edge>"
    yield "</graph>"
    yield "</graphml>"


def _data(kind: str, name: str, text: str) -> str:
    return f'<data key="{kind}.{name}">{escape(escaped(text))}</data>'


def _quoted(text: str) -> str:
    return quoteattr(escaped(text))


class _NoDoctype(ET.TreeBuilder):
    """Our documents declare no entities, so one that does is not ours: none is expanded, and none is looked up."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise InputError("a GraphML file with a document type is not read", "export the case again")


def _parsed(path: Path) -> _Read:
    try:
        root = ET.fromstring(whole(path, CAPS), ET.XMLParser(target=_NoDoctype()))  # noqa: S314 - no entity gets through
    except ET.ParseError as error:
        raise InputError(f"{path.name} is not XML: {error}", "the file may be cut short; copy it again") from None
    graph = root.find(f"{{{NAMESPACE}}}graph")
    if root.tag != f"{{{NAMESPACE}}}graphml" or graph is None:
        raise InputError(f"{path.name} is not GraphML", "name a file that `fundtrail export --format graphml` wrote")
    nodes: dict[str, dict[str, str]] = {}
    edges: list[tuple[str, str, str, dict[str, str]]] = []
    told = _told(graph, "graph")
    for child in graph:
        if child.tag == f"{{{NAMESPACE}}}node":
            name = plain(child.get("id", ""))
            if name in nodes:
                raise InputError(f"{path.name} has two nodes {name!r:.60}", "export the case again")
            nodes[name] = _told(child, "node")
        elif child.tag == f"{{{NAMESPACE}}}edge":
            id, source, target = (plain(child.get(key, "")) for key in ("id", "source", "target"))
            edges.append((id, source, target, _told(child, "edge")))
    return told, nodes, edges


def _told(element: ET.Element, kind: str) -> dict[str, str]:
    return {
        data.get("key", "").removeprefix(f"{kind}."): plain(data.text or "")
        for data in element
        if data.tag == f"{{{NAMESPACE}}}data"
    }


def _difference(
    nodes: Mapping[str, Mapping[str, str]], edges: list[tuple[str, str, str, dict[str, str]]], drawn: Picture
) -> str:
    """The first thing that is otherwise than its record says."""
    for name in sorted(nodes.keys() | drawn.nodes.keys()):
        if nodes.get(name) != drawn.nodes.get(name):
            return f"the node {name!r:.100} was changed"
    for (id, *found), edge in zip(edges, drawn.edges, strict=False):
        if [id, *found] != [edge.id, edge.source, edge.target, edge.told]:
            return f"the edge {id!r:.60} was changed"
    return "edges were added or taken away" if len(edges) != len(drawn.edges) else "the attributes of the graph"
