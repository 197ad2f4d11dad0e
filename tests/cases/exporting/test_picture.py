"""A case as a graph: what is recorded and what is traced are edges of two kinds, every end is a node, all is text."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cases.exporting.contents import Contents, contents_told
from cases.exporting.picture import Picture, picture
from drawn_answer import Drawn, drawn, end_of
from graphs.views import multigraph
from notation import address, payment
from told_contents import BITCOIN, coins
from tracer.judgements import Judgement, Withdrawal
from tracer.lots import Rule

ROOT = Path(__file__).parents[3]


def seen(case: Drawn, *, all_facts: bool = True) -> Picture:
    return picture(contents_told(case.answer, case.following, case.labels), all_facts=all_facts)


def node(name: str) -> str:
    return f"ethereum:{address(name).text}"


def kinds(of: Picture) -> dict[str, int]:
    found: dict[str, int] = {}
    for edge in of.edges:
        kind = f"{edge.told['statement']} {edge.told['kind']}"
        found[kind] = found.get(kind, 0) + 1
    return found


def test_nodes_are_the_addresses_and_edges_are_recorded_or_traced() -> None:
    of = seen(drawn())
    names = {node(name) for name in ("mule", "deposit", "hidden", "mixer", "victim", "salary", "exchange")}
    assert set(of.nodes) == {*names, "(fee of ethereum)"}
    assert kinds(of) == {"fact sent": 8, "inference traced": 5}
    traced = {(edge.source, edge.target, edge.told["transfer"]) for edge in of.edges if edge.told["kind"] == "traced"}
    assert (node("mule"), node("mixer"), str(payment(6))) in traced
    assert (node("mule"), "(fee of ethereum)", str(payment(3, position="fee"))) in traced


def test_what_comes_to_a_node_less_what_leaves_it_is_what_rests_there() -> None:
    case = drawn()
    of = seen(case)
    for rule in case.answer["rules"]:
        for name, told in of.nodes.items():
            traced = [edge for edge in of.edges if edge.told["kind"] == "traced"]
            came = sum(int(edge.told[f"basis_{rule}"]) for edge in traced if edge.target == name)
            left = sum(int(edge.told[f"basis_{rule}"]) for edge in traced if edge.source == name)
            if name != node("victim"):
                assert came - left == int(told.get(f"inferred_amount_{rule}", "0"))


def test_a_judgement_that_counts_is_an_edge_of_its_own_kind_and_its_cluster_stands_at_its_addresses() -> None:
    case = drawn()
    judged = (
        Judgement(address("mule"), address("mixer"), "why", (payment(6),), 40, "who", 6),
        Judgement(address("mule"), address("aunt"), "why", (payment(77),), 40, "who", 6),
        Judgement(address("mule"), address("uncle"), "why", (), 40, "who", 6),
    )
    told = replace(
        contents_told(case.answer, case.following, case.labels), judgements=judged,
        withdrawals=(Withdrawal(judged[2], "who", "no"),),
    )  # fmt: skip
    for all_facts in (True, False):
        of = picture(told, all_facts=all_facts)
        [edge] = [edge for edge in of.edges if edge.told["kind"] == "same_owner"]
        assert (edge.source, edge.target, edge.told["statement"]) == (node("mule"), node("mixer"), "inference")
        assert (edge.told["rule"], edge.told["confidence"], edge.told["author"]) == ("why", "40", "who")
        assert {name for name, on in of.nodes.items() if "inferred_cluster" in on} == {node("mule"), node("mixer")}
        assert of.nodes[node("mule")]["inferred_cluster_size"] == "2"


def test_the_name_of_an_attribute_says_whose_statement_it_is() -> None:
    case = drawn()
    told, end = seen(case).nodes[node("mixer")], end_of(case.answer, "mixer")
    assert {name.partition("_")[0] for name in told} == {"kind", "chain", "address", "claimed", "inferred"}
    assert (told["inferred_stop"], told["claimed_name"], told["claimed_by"]) == ("mixer", "Mixer", "a list")
    assert (told["inferred_least"], told["inferred_most"]) == (end["least"], end["most"])
    assert "inferred_stop" not in seen(case).nodes[node("victim")]
    assert seen(case).nodes[node("mule")]["decided_loss"] == "theft"


def test_everything_on_nodes_and_edges_is_text_because_viewers_round_numbers() -> None:
    of = seen(drawn(f"1 victim -> mule {2**256 - 1}\n2 mule -> shop {2**256 - 1}", []))
    values = [value for told in [*of.nodes.values(), *(edge.told for edge in of.edges)] for value in told.values()]
    assert {type(value) for value in values} == {str}
    assert str(2**256 - 1) in values


def test_only_the_rules_asked_for_are_in_it() -> None:
    of = seen(drawn(requested=[Rule.LIFO]))
    assert {key for edge in of.edges for key in edge.told if key.startswith("units_")} == {"units_lifo"}


def test_two_payments_between_the_same_two_are_two_edges_and_every_edge_has_an_id_of_its_own() -> None:
    of = seen(drawn("1 victim -> mule 60\n2 mule -> shop 20\n3 mule -> shop 30", []))
    between = [edge for edge in of.edges if (edge.source, edge.target) == (node("mule"), node("shop"))]
    assert len(between) == 4, "two recorded, two traced"
    assert len({edge.id for edge in of.edges}) == len(of.edges)


def test_without_all_facts_only_the_payments_behind_a_traced_one_are_drawn() -> None:
    of = seen(drawn(), all_facts=False)
    assert kinds(of) == {"fact sent": 5, "inference traced": 5}
    assert not any("record" in edge.told for edge in of.edges)


def test_where_several_inputs_pay_the_transaction_stands_between_and_nobody_is_paired() -> None:
    transfer = coins(1, 50, 7)
    of = picture(Contents((transfer,)))
    middle = f"({transfer.id})"
    assert of.nodes[middle]["kind"] == "transaction"
    assert kinds(of) == {"fact input_of": 2, "fact output_to": 3}
    assert {edge.target for edge in of.edges if edge.told["kind"] == "input_of"} == {middle}
    places = {edge.target for edge in of.edges if edge.source == middle}
    script = f"(bitcoin:{transfer.id.tx}:1)"
    assert places == {"bitcoin:1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3", script, f"(fee of {BITCOIN.coin.name})"}


def hop(source: str | None, target: str | None) -> dict[str, object]:
    transfer = coins(1, 50, 7)
    return {
        "transfer": str(transfer.id), "block": 1, "time": 1, "source": source, "target": target, "asset": "bitcoin",
        "symbol": "BTC", "decimals": 8, "through": [], "amounts": {"fifo": "7"}, "basis_amounts": {"fifo": "7"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "drawn_as"),
    [
        ("one", "two", ("bitcoin:one", "bitcoin:two")),
        (None, "two", ("bitcoin:12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S", "bitcoin:two")),
        ("one", None, ("bitcoin:one", "(bitcoin:{tx}:tx)")),
    ],
)
def test_a_hop_without_an_address_leads_to_what_stands_for_it(
    source: str | None, target: str | None, drawn_as: tuple[str, str]
) -> None:
    transfer = coins(1, 50, 7)
    of = picture(Contents((transfer,), hops=(hop(source, target),)))
    traced = of.edges[-1]
    expected = tuple(name.replace("{tx}", transfer.id.tx) for name in drawn_as)
    assert (traced.source, traced.target) == expected  # both inputs of it are of one address: that one paid


def test_a_hop_that_rests_on_no_transfer_is_refused() -> None:
    with pytest.raises(ValueError, match="is not there"):
        picture(Contents((), hops=(hop("one", "two"),)))


def test_networkx_gets_the_same_graph() -> None:
    of = seen(drawn())
    graph = multigraph(of.nodes, of.edges)
    assert dict(graph.nodes(data=True)) == of.nodes
    assert {(a, b, key): told for a, b, key, told in graph.edges(keys=True, data=True)} == {
        (edge.source, edge.target, edge.id): edge.told for edge in of.edges
    }


def test_networkx_and_the_table_libraries_are_not_imported_until_they_are_wanted() -> None:
    code = (
        "import sys, graphs.views, cases.exports, cases.importing, cases.show\n"
        "sys.exit(bool({'networkx', 'rich', 'numpy', 'pandas', 'pyarrow', 'xlsxwriter', 'yaml'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
