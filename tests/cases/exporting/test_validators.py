"""Each sink before its own judge: FollowTheMoney's and STIX's libraries, strict XML, the workbook's parts, DOT."""

from __future__ import annotations

import io
import json
import re
import subprocess
import unicodedata
import warnings
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from cases.exporting import cytoscape, dot, follow_the_money, gexf, graphml, stix, workbook
from cases.exporting.cells import alive, escaped
from cases.exporting.contents import Contents, contents_told
from cases.exporting.csv_folder import write as csv_write
from cases.exporting.picture import picture
from cases.exporting.reading_back import answer_text, sheets_of
from cases.visible import visible
from connectors.labels.strict_yaml import parse_yaml
from connectors.labels.tagpack_writing import tagpack_of
from drawn_answer import drawn
from hostile_strings import CORPUS
from notation import address, payment
from told_contents import EDGES, coins, hostile_contents, paid, texts_in, token
from tracer.judgements import Judgement, Withdrawal

FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  the full-width twins are the point
GEXF = "{http://gexf.net/1.3}"


def hostile() -> Contents:
    return hostile_contents(texts_in(CORPUS))


@cache
def story() -> Contents:
    case = drawn()
    told = contents_told(case.answer, case.following, case.labels)
    more = (*told.transfers, coins(1, 50, 7), *(paid(90 + n, token("T"), units) for n, units in enumerate(EDGES)))
    judged = (
        Judgement(address("mule"), address("mixer"), "he said so", (payment(3),), 40, "A. Person", 3),
        Judgement(address("mule"), address("elsewhere"), "same key", (), 90, "A. Person", 0),
        Judgement(address("mule"), address("aunt"), "a guess", (), 10, "A. Person", 0),
    )
    return Contents(
        more, (), told.coverage, told.problems, told.labels, told.losses, told.answer, told.hops, judged,
        (Withdrawal(judged[2], "B. Person", "no"),),
    )  # fmt: skip


both = pytest.mark.parametrize("told", [hostile, story], ids=["hostile", "story"])


# csv


def test_no_cell_of_any_csv_file_is_a_formula_and_none_begins_another() -> None:
    import csv

    told = hostile()
    files = csv_write(told)
    for sheet in sheets_of(told):
        rows = list(csv.reader(io.StringIO(files[f"{sheet.name}.csv"].decode(), newline=""), strict=True))
        assert rows[0] == list(sheet.columns)
        assert len(rows) - 1 == len(sheet.rows)
        for found, row in zip(rows[1:], sheet.rows, strict=True):
            assert tuple(map(alive, found)) == row
            for column, cell in zip(sheet.columns, found, strict=True):
                assert not cell.lstrip(" ").startswith(FORMULA)
                assert column not in sheet.numbers or cell.isdigit() or cell == ""
                assert cell.isprintable()


def test_files_of_evidence_are_named_by_hash_whatever_the_source_is_called() -> None:
    names = [name for name in csv_write(hostile()) if "/" in name]
    assert len(names) >= 500
    assert all(re.fullmatch("evidence/[0-9a-f]{64}", name) for name in names)


# xlsx


def parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return {one.filename: archive.read(one) for one in archive.infolist()}


@pytest.mark.slow
@both
def test_a_workbook_has_no_formula_no_link_and_no_cell_too_long(told: Any) -> None:
    contents = told()
    found = parts(workbook.write(contents))
    assert not [name for name in found if "external" in name.lower() or name.endswith((".bin", ".vml"))]
    sheets = [name for name in found if name.startswith("xl/worksheets/")]
    assert len([name for name in sheets if name.endswith(".xml")]) == len(sheets_of(contents)) + 1
    for name in sheets:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(found[name]).iter()}
        assert not {"f", "hyperlink", "hyperlinks", "externalReference", "ddeLink", "oleObject"} & tags
    shared = ElementTree.fromstring(found["xl/sharedStrings.xml"])
    texts = ["".join(one.itertext()) for one in shared]
    assert max(map(len, texts)) <= workbook.MOST_CHARACTERS
    kinds = {
        cell.get("t")
        for name in sheets
        for cell in ElementTree.fromstring(found[name]).iter()
        if cell.tag.endswith("}c")
    }
    assert kinds <= {"s", None}, "every cell is a text, or empty"


@pytest.mark.slow
def test_a_workbook_read_by_another_library_says_what_was_written() -> None:
    import openpyxl

    contents = hostile()
    book = openpyxl.load_workbook(io.BytesIO(workbook.write(contents)))
    for sheet in sheets_of(contents):
        rows = list(book[sheet.name].iter_rows(min_row=2))
        assert len(rows) == len(sheet.rows)
        for cells, row in zip(rows, sheet.rows, strict=True):
            assert all(cell.data_type in ("s", "n") and cell.hyperlink is None for cell in cells)
            assert [cell.value or "" for cell in cells] == [workbook.shortened(escaped(text)) for text in row]
    assert book.properties.created == book.properties.modified
    assert book.properties.created.year == 2009


def test_what_is_too_long_for_a_cell_ends_with_a_mark() -> None:
    for text in ("x" * 40_000, "💀" * 20_000):
        kept = workbook.shortened(text)
        assert kept.endswith(workbook.MARK)
        assert len(kept.encode("utf-16-le")) // 2 <= workbook.MOST_CHARACTERS
    assert workbook.shortened("x" * 32_767) == "x" * 32_767


# graphml and gexf


@both
def test_graphml_parses_and_each_attribute_is_declared_and_says_what_was_meant(told: Any) -> None:
    contents = told()
    root = ElementTree.fromstring(graphml.write(contents).encode())
    space = root.tag.removesuffix("graphml")
    keys = {key.get("id"): key for key in root.iter(f"{space}key")}
    assert {key.get("attr.type") for key in keys.values()} == {"string"}
    drawn_here = picture(contents)
    nodes = list(root.iter(f"{space}node"))
    assert len({node.get("id") for node in nodes}) == len(nodes) == len(drawn_here.nodes)
    for node, (name, on) in zip(nodes, drawn_here.nodes.items(), strict=True):
        assert node.get("id") == escaped(name)
        assert {data.get("key"): data.text or "" for data in node} == {
            f"node.{key}": escaped(text) for key, text in on.items()
        }
    assert {data.get("key") for data in root.iter(f"{space}data")} <= set(keys)
    edges = list(root.iter(f"{space}edge"))
    assert len({edge.get("id") for edge in edges}) == len(edges) == len(drawn_here.edges)


@both
def test_gexf_has_the_structure_that_gephi_reads(told: Any) -> None:
    contents = told()
    root = ElementTree.fromstring(gexf.write(contents).encode())
    assert (root.tag, root.get("version")) == (f"{GEXF}gexf", "1.3")
    assert [child.tag.removeprefix(GEXF) for child in root] == ["meta", "graph"]
    assert "lastmodifieddate" not in root[0].attrib
    graph = root[1]
    assert dict(graph.attrib) == {"mode": "static", "defaultedgetype": "directed", "idtype": "string"}
    assert [child.tag.removeprefix(GEXF) for child in graph] == ["attributes", "attributes", "nodes", "edges"]
    declared = {}
    for one in graph[:2]:
        assert set(one.attrib) == {"class", "mode"}
        assert all(set(attribute.attrib) == {"id", "title", "type"} for attribute in one)
        assert {attribute.get("type") for attribute in one} <= {"string"}
        declared[one.get("class")] = {attribute.get("id"): attribute.get("title") for attribute in one}
    nodes, edges = graph[2], graph[3]
    ids = [node.get("id") for node in nodes]
    assert len(set(ids)) == len(ids)
    assert len({edge.get("id") for edge in edges}) == len(list(edges))
    assert {edge.get(side) for edge in edges for side in ("source", "target")} <= set(ids)
    assert {edge.get("kind") for edge in edges} == {"fact", "inference"}
    drawn_here = picture(contents, all_facts=False)
    for kind, elements, wanted in (
        ("node", nodes, list(drawn_here.nodes.values())),
        ("edge", edges, [edge.told for edge in drawn_here.edges]),
    ):
        for element, on in zip(elements, wanted, strict=True):
            [values] = list(element)
            assert values.tag == f"{GEXF}attvalues"
            found = {declared[kind][value.get("for")]: value.get("value") for value in values}
            assert found == {name: escaped(text) for name, text in on.items()}


def test_networkx_reads_both_graph_files_and_finds_as_many_nodes_and_edges(tmp_path: Path) -> None:
    import networkx

    told = story()
    wanted = picture(told)
    (tmp_path / "a.graphml").write_text(graphml.write(told))
    read = networkx.read_graphml(tmp_path / "a.graphml", force_multigraph=True)
    assert (len(read), read.number_of_edges()) == (len(wanted.nodes), len(wanted.edges))
    assert str(2**256 - 1) in {told.get("units") for _, _, told in read.edges(data=True)}


# cytoscape, json


@both
def test_cytoscape_elements_are_ascii_inert_and_lead_from_node_to_node(told: Any) -> None:
    text = cytoscape.write(told())
    assert text.isascii()
    assert not {"<", ">", "&"} & set(text), "nothing that could end a script element"
    elements = json.loads(text, parse_float=pytest.fail)["elements"]
    ids = {node["data"]["id"] for node in elements["nodes"]}
    assert len(ids) == len(elements["nodes"])
    assert {edge["data"][side] for edge in elements["edges"] for side in ("source", "target")} <= ids
    assert {edge["classes"] for edge in elements["edges"]} == {"fact sent", "inference traced", "inference same_owner"}
    values = [value for one in (*elements["nodes"], *elements["edges"]) for value in one["data"].values()]
    assert all(isinstance(value, str) and visible(value) == value for value in values)


def test_json_holds_every_name_as_it_is_in_ascii() -> None:
    told = hostile()
    text = answer_text(told)
    assert text.isascii()
    assert {label.name for label in told.labels if label.name} <= {
        end["label"] for end in json.loads(text)["answer"]["ends"]
    }


# dot


def statements(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The statements of our DOT and their attributes; whatever is not of this small grammar fails."""
    lines = text.splitlines()
    assert lines[0] == "digraph case {"
    assert lines[-1] == "}"
    attribute = r'([a-z]+)=("(?:[^"\\]|\\.)*"|[A-Za-z0-9]+)'
    for line in lines[1:-1]:
        whole = re.fullmatch(rf"(n\d+(?: -> n\d+)?|graph|node|edge) \[({attribute}(?:, {attribute})*)\];", line)
        assert whole, line
        yield whole[1], {found[1]: found[2] for found in re.finditer(attribute, whole[2])}


def shown_by_graphviz(label: str) -> str:
    """A label as Graphviz draws it: string escapes, then entities."""
    import html

    body = re.sub(r'\\"', '"', label[1:-1])
    assert not re.search(r"(?<!\\)(?:\\\\)*\\[^\\n]", body), "an escape of Graphviz's own"
    return html.unescape(re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], body))


@both
def test_dot_is_of_a_small_grammar_and_shows_each_name_as_it_is(told: Any) -> None:
    contents = told()
    drawn_here = picture(contents, all_facts=False)
    found = [one for one in statements(dot.write(contents)) if one[0].startswith("n") and one[0] != "node"]
    assert len(found) == len(drawn_here.nodes) + len(drawn_here.edges)
    for (_, on), told_here in zip(found, drawn_here.nodes.values(), strict=False):
        lines = shown_by_graphviz(on["label"]).split("\n")
        if name := told_here.get("claimed_name"):
            by, role = told_here["claimed_by"], told_here["claimed_role"]
            assert visible(f"claimed: {name} ({role}), by {by}") == lines[1]
    assert {on["style"] for name, on in found if "->" in name} == {"solid", "dashed", "dotted"}


@pytest.mark.needs("dot")
def test_graphviz_draws_it_without_a_complaint() -> None:
    done = subprocess.run(["dot", "-Tsvg"], input=dot.write(story()).encode(), capture_output=True, check=True)
    assert done.stderr == b""
    assert b"<script" not in done.stdout


# FollowTheMoney


@pytest.mark.slow
@both
def test_every_entity_is_valid_to_followthemoney_and_no_value_is_lost_by_cleaning(told: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its own imports warn of
        from followthemoney import model
    lines = follow_the_money.write(told()).splitlines()
    ids = set()
    referred = set()
    for line in lines:
        assert line.isascii()
        entity = json.loads(line)
        proxy = model.get_proxy({**entity, "properties": {}})
        for name, values in entity["properties"].items():
            for value in values:
                proxy.add(name, value)
                prop = proxy.schema.get(name)
                assert prop is not None, (entity["schema"], name)
                if prop.type.name == "entity":
                    referred.add(value)
            kept = proxy.get(name)
            assert len(kept) == len(values), (entity["schema"], name, values, kept)
        proxy.schema.validate({"properties": entity["properties"]})
        assert entity["id"] not in ids
        ids.add(entity["id"])
    assert referred <= ids, "an entity refers to one that is not there"


def test_payments_have_exact_amounts_and_inferences_are_no_payments() -> None:
    entities = [json.loads(line) for line in follow_the_money.write(story()).splitlines()]
    payments = [one["properties"] for one in entities if one["schema"] == "Payment"]
    assert {"115792089237316195423570985008687907853269984665640564039457584007913129.639935"} <= {
        one["amount"][0] for one in payments
    }
    assert all(one["description"][0].startswith("fact: ") for one in payments)
    described = [one["properties"].get("description", [""])[0].partition(":")[0] for one in entities]
    assert {"fact", "claim", "decision", "inference"} <= set(described)
    holders = {one["properties"]["name"][0] for one in entities if one["schema"] == "LegalEntity"}
    assert all(name.startswith("unknown holder of ") for name in holders)


def test_a_judgement_links_two_wallets_and_makes_no_owner_of_them() -> None:
    entities = [json.loads(line) for line in follow_the_money.write(story()).splitlines()]
    links = [one["properties"] for one in entities if one["properties"].get("role") == ["one owner, inferred"]]
    assert len(links) == 2, "the one that was withdrawn is none"
    assert all(one["description"][0].startswith("inference: A. Person takes") for one in links)
    holders = [one["properties"]["holder"][0] for one in entities if one["schema"] == "CryptoWallet"]
    assert len(set(holders)) == len(holders), "two wallets have one holder"


# STIX


def test_judgements_are_relationships_and_a_cluster_a_grouping_in_stix() -> None:
    objects = json.loads(stix.write(story()))["objects"]
    judged = [one for one in objects if one.get("relationship_type") == "same-owner-as"]
    assert sorted(one["confidence"] for one in judged) == [40, 90]
    [cluster] = [one for one in objects if one["type"] == "grouping"]
    assert len(cluster["object_refs"]) == 3
    assert {*cluster["labels"], *(word for one in judged for word in one["labels"])} == {"inference"}


@cache
def wallet() -> None:
    """Tell the library of the published extension that wallets are of, as it asks for; all else is strict."""
    from stix2.properties import StringProperty
    from stix2.v21 import CustomObservable

    told = [("address", StringProperty(required=True))]
    CustomObservable("cryptocurrency-wallet", told, ["address"], stix.WALLET_EXTENSION)(type("Wallet", (), {}))


@both
def test_the_bundle_is_valid_to_stix2(told: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import stix2

    text = stix.write(told())
    assert text.isascii()
    wallet()
    bundle = stix2.parse(text, allow_custom=False)
    objects = json.loads(text)["objects"]
    assert len(bundle.objects) == len(objects) == len({one["id"] for one in objects})
    ids = {one["id"] for one in objects}
    for one in objects:
        refs = [*one.get("object_refs", []), *(one[key] for key in one if key.endswith("_ref"))]
        assert set(refs) <= ids
        if one["type"] not in ("identity", "extension-definition"):
            [ours] = [told for told in one["extensions"].values() if "statement" in told]
            assert ours["statement"] in ("fact", "claim", "decision", "inference")
            assert one["type"] != "observed-data" or ours["statement"] == "fact"
            assert one["type"] != "relationship" or ours["statement"] == "inference"


# TagPack


def unseen(text: str) -> bool:
    """Whether something in it controls, reorders or is half a character."""
    return any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in text)


def test_a_tagpack_is_ascii_yaml_with_the_fields_of_the_schema_and_no_others() -> None:
    text = tagpack_of(hostile().labels)
    assert text.isascii()
    pack = parse_yaml(text, "pack")
    assert isinstance(pack, dict)
    assert set(pack) == {"title", "creator", "description", "is_public", "tags"}
    tags = pack["tags"]
    assert isinstance(tags, list)
    assert len(tags) == len(hostile().labels)
    known = {
        "address",
        "currency",
        "network",
        "label",
        "source",
        "confidence",
        "category",
        "abuse",
        "lastmod",
        "context",
    }
    for tag in tags:
        assert isinstance(tag, dict)
        assert {"address", "currency", "network", "label", "source", "confidence"} <= set(tag) <= known
        assert all(isinstance(value, str) and not unseen(value) for value in tag.values())
