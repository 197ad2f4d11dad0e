"""A trace as a graph: every end is a node, every payment of stolen value an edge, everything on them text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drawn_answer import drawn, end_of
from graphs.views import as_graph
from notation import address, payment
from tracer.lots import Rule
from tracer.trace import Hop
from tracer.values import Address, Block, Chain, Leg, SinkKind, Transfer, TransferId

ROOT = Path(__file__).parents[2]


def test_nodes_are_the_addresses_that_stolen_value_came_to_and_edges_the_payments() -> None:
    case = drawn()
    graph = as_graph(case.following, case.answer)
    names = {address(name).text for name in ("mule", "deposit", "hidden", "mixer", "victim")}
    assert set(graph.nodes) == {*names, "(fee)"}
    found = {(source, target, data["transfer"]) for source, target, data in graph.edges(data=True)}
    assert (address("mule").text, address("mixer").text, str(payment(6))) in found
    assert (address("mule").text, "(fee)", str(payment(3, position="fee"))) in found


def test_what_comes_to_a_node_less_what_leaves_it_is_what_rests_there() -> None:
    case = drawn()
    graph = as_graph(case.following, case.answer)
    for rule in case.answer["rules"]:
        for name, node in graph.nodes(data=True):
            came = sum(int(data[f"units_{rule}"]) for _, _, data in graph.in_edges(name, data=True))
            left = sum(int(data[f"units_{rule}"]) for _, _, data in graph.out_edges(name, data=True))
            if name != address("victim").text:
                assert came - left == int(node[f"amount_{rule}"])


def test_a_node_says_what_the_answer_says_of_it() -> None:
    case = drawn()
    graph = as_graph(case.following, case.answer)
    node, end = graph.nodes[address("mixer").text], end_of(case.answer, "mixer")
    assert (node["stop"], node["label"], node["least"], node["most"]) == ("mixer", "Mixer", end["least"], end["most"])
    assert graph.nodes[address("victim").text]["stop"] == ""


def test_everything_on_nodes_and_edges_is_text_because_viewers_round_numbers() -> None:
    case = drawn(f"1 victim -> mule {2**256 - 1}\n2 mule -> shop {2**256 - 1}", [])
    graph = as_graph(case.following, case.answer)
    values = [value for _, data in graph.nodes(data=True) for value in data.values()]
    values += [value for _, _, data in graph.edges(data=True) for value in data.values()]
    assert {type(value) for value in values} == {str}
    assert str(2**256 - 1) in values


def test_only_the_rules_asked_for_are_in_it() -> None:
    case = drawn(requested=[Rule.LIFO])
    graph = as_graph(case.following, case.answer)
    assert {key for _, _, data in graph.edges(data=True) for key in data} == {"transfer", "block", "time", "units_lifo"}


def test_every_name_and_text_passes_through_clean() -> None:
    case = drawn()
    graph = as_graph(case.following, case.answer, clean=str.upper)
    assert address("mixer").text.upper() in graph
    assert graph.nodes[address("mixer").text.upper()]["label"] == "MIXER"


def test_two_payments_between_the_same_two_are_two_edges() -> None:
    case = drawn("1 victim -> mule 60\n2 mule -> shop 20\n3 mule -> shop 30", [])
    graph = as_graph(case.following, case.answer)
    assert graph.number_of_edges(address("mule").text, address("shop").text) == 2


@pytest.mark.parametrize("sinks", [1, 2])
def test_where_several_inputs_pay_the_transaction_stands_for_them(sinks: int) -> None:
    from graphs.views import _sides

    bitcoin = Chain.named("bitcoin")
    one, two, paid = (Address(bitcoin, name) for name in ("one", "two", "paid"))
    inputs = Leg.coin("a", 0, bitcoin, 5, one), Leg.coin("b", 0, bitcoin, 5, two)
    fees = (Leg.sink(bitcoin.coin, SinkKind.FEE, 1),) * sinks
    outputs = (Leg.coin("t", 0, bitcoin, 10 - sinks, paid), *fees)
    transfer = Transfer(TransferId(bitcoin, "t"), Block(1, 1), 0, bitcoin.coin, inputs, outputs, ("x",))
    assert _sides(Hop(transfer.id, None, paid, (), ()), transfer) == ("(bitcoin:t:tx)", "paid")
    nowhere = "(fee)" if sinks == 1 else "(outputs without an address of bitcoin:t:tx)"
    assert _sides(Hop(transfer.id, one, None, (), ()), transfer) == ("one", nowhere)


def test_networkx_is_not_imported_until_a_graph_is_wanted() -> None:
    code = (
        "import sys, graphs.views, cases.exports, cases.show\n"
        "sys.exit(bool({'networkx', 'rich', 'numpy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
