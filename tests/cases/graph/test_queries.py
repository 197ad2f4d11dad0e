"""The queries for investigators: each runs, says what the Python questions say, and is never built from data."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from cases.graph import questions, statements
from cases.graph.asking import Parameter, ask, queries
from cases.graph.contract import BITCOIN, JUDGEMENTS, TRACES, fill, who
from cases.graph.neo4j_session import Database
from cases.graph.neo4j_store import Neo4jGraph
from cases.graph.nouns import Place
from tracer.errors import InputError, UnknownName
from tracer.values import Address

FOLDER = Path(questions.__file__).parent
FACTS, INFERENCES, DECISIONS = {"SENT", "INPUT_OF", "OUTPUT_TO"}, {"TRACED_TO", "SAME_OWNER"}, {"LOST_TO"}


def text(address: Address) -> str:
    return f"{address.chain.name}:{address.text}"


@pytest.mark.parametrize("name", queries())
def test_a_query_says_what_it_is_and_what_it_takes(name: str) -> None:
    query = queries()[name]
    assert query.title
    assert query.text.startswith("// ")
    used = set(re.findall(r"\$(\w+)", re.sub(r"(?m)^//.*$", "", query.text)))
    assert used == {one.name for one in query.parameters}
    assert not re.search(r"\b(CREATE|MERGE|DELETE|SET|REMOVE|LOAD|apoc|gds)\b", re.sub(r"(?m)^//.*$", "", query.text))


def test_there_is_a_query_for_every_question() -> None:
    assert {"neighbours", "forward", "backward", "coin-ways", "ends", "loss-to-end", "who-else", "shared", "cluster",
            "changes", "fan-out", "pass-through", "dust", "claims", "picture"} <= set(queries())  # fmt: skip


def test_no_cypher_is_built_from_data_and_nothing_loads_or_calls_a_plugin() -> None:
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text())
        if file.name.startswith(("neo4j", "statements", "schema", "server", "asking")):
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    told = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
                    assert not re.search(r"\b(MATCH|MERGE|UNWIND|RETURN|DETACH)\b", told), f"{file.name}: {told}"
                assert not (isinstance(node, ast.Attribute) and node.attr == "format"), file.name
    texts = [*vars(statements).values(), *statements.PLACES.values(), *(one.text for one in queries().values())]
    for one in texts:
        if isinstance(one, str) and not one.startswith('"""'):
            assert not re.search(r"LOAD\s+CSV|apoc\.|gds\.", one, re.IGNORECASE)


def test_a_place_is_taken_in_any_spelling_of_its_address_and_not_without_its_chain() -> None:
    place = Parameter("place", "place", None, "the address")
    mixed = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert place.value(f"ethereum:{mixed}") == f"ethereum:{mixed.lower()}"
    assert place.value("ethereum:fee") == "ethereum:fee"
    with pytest.raises(InputError) as caught:
        place.value(mixed)
    assert "ethereum:0x" in caught.value.hint


def test_a_value_is_taken_as_the_query_says() -> None:
    hops = Parameter("hops", "number", "3", "payments")
    assert hops.value("7") == 7
    for wrong in ("", "-1", "1.5", "x", "9" * 30, "٣"):
        with pytest.raises(InputError):
            hops.value(wrong)
    assert Parameter("place", "place", None, "whom").value("ethereum:a\x00") == "ethereum:a\\u0000"


@pytest.mark.slow
class TestAsked:
    """On the data of the contract, in a real server."""

    @pytest.fixture
    def graph(self, database: Database, case_name: str) -> Neo4jGraph:
        graph = Neo4jGraph(database, case_name)
        fill(graph)
        return graph

    def ask(self, graph: Neo4jGraph, name: str, **given: str) -> list[dict[str, Any]]:
        return ask(graph.database, name, graph.case, given)

    def test_every_query_runs_and_says_what_the_questions_say(self, graph: Neo4jGraph) -> None:
        till, thief, mule = (text(who(name)) for name in ("till", "thief", "mule"))
        told = self.ask(graph, "neighbours", place=till)
        asked = {
            (one.place.key, one.asset): one for one in questions.neighbours(graph, Place.of(who("till")), out=False)
        }
        by = {(row["place"], row["asset"]): row for row in told if row["direction"] == "paid by"}
        assert by.keys() == asked.keys()
        assert all(sum(map(int, by[key]["units"])) == asked[key].units for key in asked)
        for name, out in (("forward", True), ("backward", False)):
            found = self.ask(graph, name, place=thief if out else till)
            ways = questions.paths(graph, Place.of(who("thief" if out else "till")), out=out, hops=3)
            expected = [
                [one.transfer for one in (way if out else way[::-1])]
                for way in ways
                if all(place.kind == "address" for one in way for place in (one.source, one.target))
            ]
            assert len(found) == len(expected)
            assert sorted(row["units"] for row in found) == sorted(
                [str(one.units) for one in (way if out else way[::-1])]
                for way in ways
                if all(place.kind == "address" for one in way for place in (one.source, one.target))
            )
        coins = self.ask(graph, "coin-ways", place=text(who("miner", BITCOIN)))
        assert any(row["places"][-1].endswith("bc1shop") and row["pooled"] == [False, True] for row in coins)
        assert [row["place"] for row in self.ask(graph, "shared", one=text(who("friend")), two=mule)] == [till]
        assert {row["rule"] for row in self.ask(graph, "cluster", place=text(who("aunt")))} == {
            one.rule for one in JUDGEMENTS if who("mule") in (one.left, one.right)
        }
        ends = self.ask(graph, "ends", trace=TRACES[0].id)
        assert {row["place"] for row in ends} == {till, mule}
        way = questions.way_of(graph, TRACES[0].id, "first", Place.of(who("till")), "fifo")
        told = self.ask(graph, "loss-to-end", place=till, trace=TRACES[0].id)
        assert [row["transfer"] for row in told] == [one.transfer for one, _ in way]
        changed = self.ask(graph, "changes", earlier=TRACES[0].id, later=TRACES[1].id)
        assert len(changed) == len(questions.changes(graph, TRACES[0].id, TRACES[1].id).ends)
        assert {row["entity"] for row in self.ask(graph, "claims", place=till)} == {"HTX", "Huobi"}
        for name, given in (("who-else", {"place": till}), ("fan-out", {"least": "1"}), ("picture", {}),
                            ("pass-through", {"percent": "1"}), ("dust", {"place": till})):  # fmt: skip
            rows = self.ask(graph, name, **given)
            assert rows or name == "dust", name
            assert name != "picture" or any(row["l"] for row in rows), "its title promises the losses"

    def test_facts_inferences_and_decisions_have_relationship_types_of_their_own(self, graph: Neo4jGraph) -> None:
        types = graph.database.read(
            "MATCH (n)-[r]->() WHERE r.case = $case OR r.id STARTS WITH $case RETURN DISTINCT type(r) AS t",
            case=graph.case,
        )
        assert {row["t"] for row in types} == FACTS | INFERENCES | DECISIONS | {
            "INCLUDES", "SAYS_OF", "IN_CLUSTER", "ENDS_AT", "RESTS_WITH",
        }  # fmt: skip
        kinds = graph.database.read(
            "MATCH ()-[r:SENT|INPUT_OF|OUTPUT_TO]->() WHERE r.case = $case"
            " RETURN DISTINCT r.units IS :: STRING AS text, r.value IS :: FLOAT AS number",
            case=graph.case,
        )
        assert kinds == [{"text": True, "number": True}]

    def test_a_wrong_question_is_refused_before_it_is_sent(self, graph: Neo4jGraph) -> None:
        with pytest.raises(UnknownName):
            self.ask(graph, "nothing")
        with pytest.raises(UnknownName):
            self.ask(graph, "ends", plaec="x")
        with pytest.raises(InputError):
            self.ask(graph, "neighbours")

    def test_hostile_values_find_nothing_and_change_nothing(self, graph: Neo4jGraph) -> None:
        before = graph.database.read("MATCH (n) RETURN count(n) AS n")
        for value in ("'}) DETACH DELETE n //", "`", "\\u0060", "a\x00b", "\ud800", "$case"):
            assert self.ask(graph, "neighbours", place=f"ethereum:{value}") == []
        assert graph.database.read("MATCH (n) RETURN count(n) AS n") == before
