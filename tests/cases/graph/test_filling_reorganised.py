"""What a reorganisation replaced leaves a graph with the next filling: it is then as one filled at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from cases.asking import ask, read_on
from cases.case_file import Case
from cases.graph import filling, neo4j_store, questions, sqlite_store
from cases.graph import server as neo4j
from cases.graph.access import Access
from cases.graph.contract import dump
from cases.graph.filling import Fillable, fill, filled
from cases.graph.neo4j_session import Database, Step
from cases.graph.neo4j_store import Neo4jGraph
from cases.graph.nouns import Place
from cases.graph.sqlite_store import SqliteGraph
from cases.tracing import Question, trace
from commands import labelled
from connectors.labels import read_labels
from made_up import LATER, Clock
from made_up_chain import MadeUpChain, MadeUpLive
from notation import ETHEREUM, address
from tracer.judgements import Judgement
from tracer.values import Address

THIEF, MULE, SHOP, FRIEND, GHOST = PARTIES = tuple(map(address, ("thief", "mule", "shop", "friend", "ghost")))
QUESTION = Question(THIEF.text, ETHEREUM, victim="A. Victim")


def holds(graph: SqliteGraph | Neo4jGraph) -> dict[str, Any]:
    """All that it holds and answers, and the places in it that nothing need name."""
    if isinstance(graph, SqliteGraph):
        places = [str(key) for (key,) in graph.rows("SELECT key FROM places")]
    else:
        found = graph.database.read("MATCH (:Case {name: $case})-[:INCLUDES]->(p) RETURN p.key AS k", case=graph.case)
        places = [str(row["k"]) for row in found]
    traces = [id for _, id in graph.traces()]
    told: dict[str, Any] = {"changes": [questions.changes(graph, one, traces[-1]) for one in traces]}
    for who in PARTIES:
        place = Place.of(who)
        told[who.text] = (
            questions.neighbours(graph, place, out=True), questions.neighbours(graph, place, out=False),
            questions.paths(graph, place), questions.paths(graph, place, out=False), questions.touched(graph, place),
            questions.shared(graph, place, Place.of(FRIEND), hops=2), questions.cluster_of(graph, who),
        )  # fmt: skip
    return {**dump(graph), "places": sorted(places), **told}


def from_nothing(case: Case) -> dict[str, Any]:
    """What a graph holds that was filled at once from the case as it is now."""
    graph = SqliteGraph()
    fill(case, graph)
    told = holds(graph)
    graph.close()
    return told


def again(case: Case, graph: Fillable) -> None:
    """Fill it all, and say so."""
    head = fill(case, graph)
    assert head
    filled(graph, head)
    assert not fill(case, graph), "there is nothing new"


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "mine.fundtrail", at=LATER) as made:
        yield made


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.slow)])
def graph(request: pytest.FixtureRequest) -> Iterator[SqliteGraph | Neo4jGraph]:
    """One of either kind, the second in a real server."""
    if request.param == "embedded":
        made = SqliteGraph()
        yield made
        made.close()
    else:
        yield Neo4jGraph(request.getfixturevalue("database"), request.getfixturevalue("case_name"))


def stolen(case: Case) -> tuple[MadeUpChain, MadeUpLive]:
    """A case with a trace: of what the thief got, 4 went to the mule, and 5 to a ghost in a block that is not final."""
    chain = MadeUpChain()
    for block in ([(FRIEND, THIEF, 9)], [(THIEF, MULE, 4)], [], [(THIEF, GHOST, 5)], [], []):
        chain.mine(*block)
    source = MadeUpLive(chain)
    for who in (THIEF, MULE):
        list(ask(case, source, who, Clock()))
    trace(case, replace(QUESTION, max_requests=case.requests()), [], now=Clock())
    return chain, source


def test_what_was_replaced_is_gone_with_whom_only_it_named(case: Case, graph: SqliteGraph | Neo4jGraph) -> None:
    chain, source = stolen(case)
    seen = Judgement(GHOST, address("aunt"), "seen", (chain.transfers()[-1].id,), 90, "A. Person", 5)
    case.add_judgements([seen], at=LATER)
    again(case, graph)
    assert {GHOST, address("aunt")} <= set(graph.addresses())
    assert questions.touched(graph, Place.of(GHOST)).stolen
    chain.reorganise(3, [], [(THIEF, SHOP, 5)], [])
    list(read_on(case, source, THIEF, Clock()))
    again(case, graph)
    assert holds(graph) == from_nothing(case)
    assert len(list(graph.transfers())) == len(case.ledger()) == 3
    assert not {GHOST, address("aunt")} & {one for one in graph.addresses() if not _ends(graph, one)}
    assert not list(graph.judgements()), "it rests on what is gone"
    assert not list(graph.clusters())


def _ends(graph: Fillable, who: Address) -> bool:
    return any(end.place == Place.of(who) for _, id in graph.traces() for end in graph.trace(id).ends)


def test_an_answer_given_before_keeps_its_ends_and_has_no_flows(case: Case, graph: SqliteGraph | Neo4jGraph) -> None:
    """Also where the books come out the same: the way there is another."""
    chain, source = stolen(case)
    again(case, graph)
    ((_, id),) = graph.traces()
    before = graph.trace(id)
    assert before.flows
    chain.reorganise(3, [], [(THIEF, SHOP, 5)], [])
    list(read_on(case, source, THIEF, Clock()))
    again(case, graph)
    assert graph.trace(id) == replace(before, flows=())
    assert GHOST in set(graph.addresses()), "the answer names it"
    trace(case, replace(QUESTION, max_requests=case.requests()), [], now=Clock())
    again(case, graph)
    later = graph.trace(graph.traces()[-1][1])
    assert Place.of(SHOP) in {flow.target for flow in later.flows}
    assert {flow.transfer for flow in later.flows} <= {str(one.id) for one in graph.transfers()}
    assert holds(graph) == from_nothing(case)


def test_a_payment_that_was_mined_again_stands_in_its_new_block(case: Case, graph: SqliteGraph | Neo4jGraph) -> None:
    chain, source = stolen(case)
    again(case, graph)
    chain.reorganise(3, [], [], [(THIEF, GHOST, 5)])
    list(read_on(case, source, THIEF, Clock()))
    again(case, graph)
    (paid,) = questions.paths(graph, Place.of(THIEF), hops=1, to=Place.of(GHOST))
    assert paid[0].block == 5
    assert holds(graph) == from_nothing(case)
    assert all(graph.trace(id).flows for _, id in graph.traces()), "the answer is the same one"


def test_a_graph_that_the_program_before_filled_is_mended(case: Case, graph: SqliteGraph | Neo4jGraph) -> None:
    """It sent all again after a reorganisation, took nothing out, and left no mark of it."""
    chain, source = stolen(case)
    again(case, graph)
    gone = list(graph.transfers())
    chain.reorganise(3, [], [(THIEF, SHOP, 5)], [])
    list(read_on(case, source, THIEF, Clock()))
    again(case, graph)
    graph.write_transfers(gone)
    graph.mark("reorganised", "")
    assert holds(graph) != from_nothing(case)
    case.record("note", {"text": "anything"}, at=LATER)
    again(case, graph)
    assert holds(graph) == from_nothing(case)


def test_a_withdrawn_judgement_takes_along_whom_only_it_named(case: Case, graph: SqliteGraph | Neo4jGraph) -> None:
    stolen(case)
    one = Judgement(MULE, address("aunt"), "seen", (), 90, "A. Person", 5)
    case.add_judgements([one], at=LATER)
    again(case, graph)
    assert address("aunt") in set(graph.addresses())
    case.withdraw(one, "B. Person", "not so", at=LATER)
    again(case, graph)
    assert holds(graph) == from_nothing(case)


@contextmanager
def cut_at_random(chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Any transaction may be the last one, kept or not."""
    begin, send = SqliteGraph.writing, Database.write

    def cut() -> None:
        if chance.random() < 0.03:
            raise KeyboardInterrupt

    @contextmanager
    def writing(self: SqliteGraph) -> Iterator[None]:
        outermost = not self._db.in_transaction
        if outermost:
            cut()
        with begin(self):
            yield
        if outermost:
            cut()

    def write(self: Database, steps: Sequence[Step], **values: Any) -> None:
        cut()
        send(self, steps, **values)
        cut()

    with monkeypatch.context() as patch:
        patch.setattr(SqliteGraph, "writing", writing)
        patch.setattr(Database, "write", write)
        yield


def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "PIECE", 3)
    monkeypatch.setattr(filling, "BETWEEN_MARKS", 1)
    monkeypatch.setattr(neo4j_store, "BATCH", 2)
    monkeypatch.setattr(sqlite_store, "BATCH", 2)


def _grow(case: Case, chance: random.Random, folder: Path) -> Callable[[int], None]:
    """What may happen to a case, drawn at each call: blocks, forks, readings, some of them killed, answers, claims."""
    chain, salt, gone = MadeUpChain(depth=3), count(), list[tuple[Address, Address, int]]()
    chain.mine(*((FRIEND, who, 10**30) for who in (THIEF, MULE, SHOP)))
    source, judged = MadeUpLive(chain), list[Judgement]()
    list(ask(case, source, THIEF, Clock()))

    def block() -> list[tuple[Address, Address, int]]:
        pairs = [chance.sample(PARTIES[:4], 2) for _ in range(chance.randrange(3))]
        drawn = [(one, two, 10**6 + next(salt)) for one, two in pairs]
        drawn += [(THIEF, address(f"once{n}"), n) for n in islice(salt, chance.randrange(2))]
        if gone and chance.random() < 0.7:
            drawn.append(gone.pop())  # mined again, in another block
        return drawn

    def step(at: int) -> None:
        match chance.randrange(9):
            case 0 | 1:
                chain.mine(*block())
            case 2 | 3:
                depth = min(chance.randint(1, 3), len(chain.blocks) - 1)
                if depth:
                    gone.extend(paid for one in chain.blocks[-depth:] for paid in one)
                    chain.reorganise(len(chain.blocks) - depth, *(block() for _ in range(depth + 1)))
                    if chance.random() < 0.7:
                        list(read_on(case, source, THIEF, Clock(at * 100)))
            case 4 | 5:
                most = chance.choice([1, 2, 99, 99])
                list(islice(read_on(case, source, chance.choice(PARTIES[:3]), Clock(at * 100)), most))
            case 6:
                trace(case, replace(QUESTION, max_requests=case.requests()), [], now=Clock(at * 100))
            case 7:
                names = {chance.choice(["mule", "shop"]): "exchange"}
                case.pin_labels(read_labels(labelled(folder / f"{at}.csv", **names)), at=at)
            case _:
                cited = chance.choice(case.ledger().transfers)
                payee = cited.outputs[0].address or SHOP
                judged.append(Judgement(payee, address(f"owner{at}"), "seen", (cited.id,), 50, "A. Person", at))
                case.add_judgements(judged[-1:], at=at)
                if chance.random() < 0.3:
                    case.withdraw(chance.choice(judged), "B. Person", f"not so {at}", at=at)

    return step


@pytest.mark.parametrize("seed", range(8))
def test_however_the_chain_reorganises_and_a_filling_is_cut_it_ends_as_one_filled_at_once(
    seed: int, case: Case, graph: SqliteGraph | Neo4jGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _small(monkeypatch)
    chance = random.Random(seed)
    grow = _grow(case, chance, tmp_path)
    for at in range(3, 63):
        if chance.random() < 0.75:
            grow(at)
            continue
        with suppress(KeyboardInterrupt), cut_at_random(chance, monkeypatch):
            if head := fill(case, graph):
                filled(graph, head)
    filled(graph, fill(case, graph) or case.head)
    assert list(case.replaced()), "nothing was replaced: draw another seed"
    assert not fill(case, graph)
    assert holds(graph) == from_nothing(case)


@pytest.mark.slow
def test_another_case_keeps_what_this_one_loses_and_a_pulled_case_is_the_same(
    case: Case, access: Access, database: Database, case_name: str, tmp_path: Path
) -> None:
    other = Neo4jGraph(database, f"{case_name}-other")
    chain, source = stolen(case)
    neo4j.push(case, access, case_name)
    fill(case, other)
    before = holds(other)
    once = address(f"once{case_name}")  # an address that no other test in this database has
    chain.reorganise(3, [(THIEF, once, 3)], [], [])
    list(read_on(case, source, THIEF, Clock()))
    neo4j.push(case, access, case_name)
    chain.reorganise(3, [], [(THIEF, SHOP, 5)], [], [])
    list(read_on(case, source, THIEF, Clock()))
    neo4j.push(case, access, case_name)
    mine = Neo4jGraph(database, case_name)
    assert holds(mine) == from_nothing(case)
    assert holds(other) == before
    nodes = "MATCH (p:Place {key: $key}) RETURN p.key AS key"
    assert not database.read(nodes, key=Place.of(once).key), "the node of a place that no case names"
    assert database.read(nodes, key=Place.of(GHOST).key)
    assert not neo4j.push(case, access, case_name)
    neo4j.pull(tmp_path / "again.fundtrail", access, case_name)
    with Case.open(tmp_path / "again.fundtrail") as pulled:
        assert pulled.head == case.head
        assert pulled.verify() == []
        assert from_nothing(pulled) == from_nothing(case)
