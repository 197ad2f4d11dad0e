"""A case that grew is filled further: only what is new is sent, and the graph is that of a filling from nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph import filling
from cases.graph.contract import dump
from cases.graph.filling import Filling, fill, filled
from cases.graph.nouns import TraceRecord
from cases.graph.sqlite_store import SqliteGraph
from cases.tracing import Question, latest, trace
from commands import labelled
from connectors.labels import read_labels
from made_up import Clock, MadeUp
from notation import ETHEREUM, address
from tracer.values import Transfer

QUESTION = Question(address("thief").text, ETHEREUM, victim="A. Victim")


class Watched(SqliteGraph):
    """Remembers what was sent to it since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.traced = list[str](), list[str]()

    def write_transfers(self, transfers: Iterable[Transfer]) -> None:
        def seen() -> Iterator[Transfer]:
            for one in transfers:
                self.sent.append(str(one.id))
                yield one

        super().write_transfers(seen())

    def write_trace(self, trace: TraceRecord) -> None:
        self.traced.append(trace.id)
        super().write_trace(trace)

    def asked(self) -> tuple[list[str], list[str]]:
        """(transfers, traces) since the last time."""
        told = sorted(self.sent), list(self.traced)
        self.sent.clear()
        self.traced.clear()
        return told


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "grows.fundtrail", at=1) as made:
        trace(made, replace(QUESTION, max_requests=4), [MadeUp()], now=Clock())
        yield made


def again(case: Case, graph: SqliteGraph) -> None:
    """Fill it all, and say so."""
    head = fill(case, graph)
    assert head
    filled(graph, head)
    assert not fill(case, graph)


def from_nothing(case: Case) -> dict[str, list[str]]:
    """What a graph holds that was filled at once."""
    graph = SqliteGraph()
    fill(case, graph)
    told = dump(graph)
    graph.close()
    return told


def read(case: Case, who: str, source: MadeUp | None = None, at: int = 5) -> list[str]:
    """Read another wallet into the case; the ids of what its pages tell."""
    source, after, told = source or MadeUp(), "", list[str]()
    for page in source.history(address(who)):
        case.store_page(source.name, address(who), page, at=at, after=after)
        after = page.cursor
        told += [str(one.id) for one in page.transfers]
    return sorted(told)


def test_after_a_note_nothing_but_the_note_is_new(case: Case) -> None:
    graph = Watched()
    again(case, graph)
    sent, traced = graph.asked()
    assert len(sent) == len(case.ledger()) > 5
    assert traced == [case.issued()[0].hash]
    case.record("note", {"text": "the victim called"}, at=9)
    again(case, graph)
    assert graph.asked() == ([], [])
    assert dump(graph) == from_nothing(case)


def test_after_a_page_only_its_transactions_are_sent_with_all_that_cites_them(case: Case) -> None:
    graph = Watched()
    again(case, graph)
    graph.asked()
    new = read(case, "bank", at=9)
    again(case, graph)
    sent, traced = graph.asked()
    assert sent == new
    assert 0 < len(new) < len(case.ledger())
    assert traced == [case.issued()[0].hash], "what a page tells may be another trace: it is computed again"
    assert dump(graph) == from_nothing(case)


def test_another_source_of_the_same_payments_is_told(case: Case) -> None:
    graph = Watched()
    again(case, graph)
    graph.asked()
    told = read(case, "thief", MadeUp(name="made-up:other", rows=9), at=9)
    again(case, graph)
    assert graph.asked()[0] == told
    assert any(len(one.evidence) > 1 for one in graph.transfers())
    assert dump(graph) == from_nothing(case)


def test_what_a_trace_rests_on_makes_it_be_computed_again(case: Case, tmp_path: Path) -> None:
    graph = Watched()
    again(case, graph)
    graph.asked()
    case.pin_labels(read_labels(labelled(tmp_path / "labels.csv", till="exchange")), at=9)
    again(case, graph)
    assert graph.asked() == ([], [case.issued()[0].hash])
    assert dump(graph) == from_nothing(case)


def test_another_answer_alone_is_sent_alone(case: Case) -> None:
    graph = Watched()
    again(case, graph)
    graph.asked()
    given = latest(case)
    case.issue({**given, "problems": [{"text": "changed", "where": ""}]}, {}, at=9)
    again(case, graph)
    assert graph.asked() == ([], [case.issued()[1].hash])
    case.issue(given, {}, at=11)  # the first again: one trace, of when it was given last
    again(case, graph)
    assert [at for at, _ in graph.traces()] == [9, 11]
    assert dump(graph) == from_nothing(case)


def test_after_a_reorganisation_all_is_sent_and_once(case: Case) -> None:
    graph = Watched()
    again(case, graph)
    graph.asked()
    case.replace_after(MadeUp().name, address("thief"), 10**6, at=9)
    again(case, graph)
    assert len(graph.asked()[0]) == len(case.ledger())
    case.record("note", {"text": "the victim called"}, at=10)
    again(case, graph)
    assert graph.asked() == ([], [])
    assert dump(graph) == from_nothing(case)


def test_what_came_while_a_push_was_cut_is_sent_too(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "PIECE", 2)
    monkeypatch.setattr(filling, "BETWEEN_MARKS", 1)

    def cut(step: Filling) -> None:
        if step.what == "transfers":
            raise KeyboardInterrupt

    graph = Watched()
    for who in ("bank", "friend"):
        with pytest.raises(KeyboardInterrupt):
            fill(case, graph, progress=cut)
        read(case, who, at=9)
    case.record("note", {"text": "no transfer"}, at=10)
    again(case, graph)
    assert dump(graph) == from_nothing(case)


def test_a_note_does_not_send_a_push_that_was_cut_back_to_its_beginning(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PIECE", 2)
    monkeypatch.setattr(filling, "BETWEEN_MARKS", 1)
    graph, steps = Watched(), list[Filling]()

    def cut(step: Filling) -> None:
        steps.append(step)
        if len(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(case, graph, progress=cut)
    first, _ = graph.asked()
    case.record("note", {"text": "meanwhile"}, at=9)
    again(case, graph)
    second, _ = graph.asked()
    assert sorted(first + second) == sorted(str(one.id) for one in case.ledger().transfers)


def test_a_case_that_grows_during_a_push_is_not_taken_for_pushed(case: Case) -> None:
    graph, grew = Watched(), list[str]()

    def grow(step: Filling) -> None:
        if step.what == "labels":
            grew.extend(read(case, "bank", at=9))

    filled(graph, fill(case, graph, progress=grow))
    graph.asked()
    again(case, graph)
    assert grew
    assert graph.asked()[0] == grew
    assert dump(graph) == from_nothing(case)


def test_a_filling_says_of_itself_alone_that_it_is_done(case: Case, tmp_path: Path) -> None:
    """A second process begins on what came meanwhile, and is killed, before the first one ends."""
    file = tmp_path / "shared.graph"
    graph, other = SqliteGraph(file), SqliteGraph(file)
    new = list[str]()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def meanwhile(step: Filling) -> None:
        if step.what == "labels":
            new.extend(read(case, "bank", at=9))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(filling, "_transfers", killed)
                with pytest.raises(KeyboardInterrupt):
                    fill(case, other)

    head = fill(case, graph, progress=meanwhile)
    filled(graph, head)
    assert new
    assert graph.marked("head") == head != case.head
    again(case, graph)
    assert dump(graph) == from_nothing(case)
    graph.close()
    other.close()


def test_a_mark_of_an_earlier_version_is_understood(case: Case) -> None:
    graph = Watched()
    again(case, graph)
    graph.asked()
    graph.mark("transfers", json.dumps(json.loads(graph.marked("transfers"))[:3]))
    new = read(case, "bank", at=9)
    again(case, graph)
    assert graph.asked()[0] == new


@pytest.mark.parametrize("seed", range(12))
def test_however_it_grows_and_is_cut_it_ends_as_one_filled_at_once(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PIECE", 3)
    monkeypatch.setattr(filling, "BETWEEN_MARKS", 1)
    chance, graph = random.Random(seed), SqliteGraph()

    def cut(_: Filling) -> None:
        if chance.random() < 0.2:
            raise KeyboardInterrupt

    with Case.create(tmp_path / "case", at=1) as case:
        read(case, "thief", at=2)
        wallets = chance.sample(["mule", "aunt", "till", "friend", "bank", "cave", "crumb"], 7)
        for at in range(3, 30):
            match chance.randrange(6):
                case 0 if wallets:
                    read(case, wallets.pop(), at=at)
                case 1:
                    case.record("note", {"text": "something"}, at=at)
                case 2:
                    trace(case, replace(QUESTION, max_requests=case.requests()), [], now=Clock(at * 100))
                case 3:
                    names = {chance.choice(["till", "bank"]): "exchange"}
                    case.pin_labels(read_labels(labelled(tmp_path / f"{at}.csv", **names)), at=at)
                case 4:
                    lost = address(chance.choice(["thief", "mule", "bank"]))
                    case.replace_after(MadeUp().name, lost, chance.randrange(1, 9), at=at)
                case _:
                    try:
                        if head := fill(case, graph, progress=cut):
                            filled(graph, head)
                    except KeyboardInterrupt:
                        pass
        fill(case, graph)
        assert dump(graph) == from_nothing(case)
    graph.close()
