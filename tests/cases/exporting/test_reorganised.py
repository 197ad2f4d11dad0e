"""Exports, data frames and graphs of a case that a reorganisation touched: what was replaced is in none of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.asking import ask, read_on
from cases.case_file import Case
from cases.exporting.contents import contents_with_answer
from cases.exports import FORMATS
from cases.tracing import Question, latest, trace
from commands import run
from made_up import LATER, Clock
from made_up_chain import MadeUpChain, MadeUpLive
from notation import ETHEREUM, address

FRIEND, THIEF, SHOP, GHOST = map(address, ("friend", "thief", "shop", "ghost"))


def stolen(path: Path, start: str) -> str:
    """A case traced from `start` ("": from the ghost's payment, whose hash it is); then a shop gets those 5 instead."""
    chain = MadeUpChain()
    for block in ([(FRIEND, THIEF, 9)], [], [], [(THIEF, GHOST, 5)], [], []):
        chain.mine(*block)
    gone = chain.transfers()[-1].id.tx
    with Case.create(path, at=LATER) as case:
        source = MadeUpLive(chain)
        list(ask(case, source, THIEF, Clock()))
        question = Question(start or gone, ETHEREUM, max_requests=case.requests())
        trace(case, question, [], now=Clock())
        assert case.to_pandas()["transfers"]["tx"].isin([gone]).any()
        chain.reorganise(3, [], [(THIEF, SHOP, 5)], [], [])
        list(read_on(case, source, THIEF, Clock()))
    return gone


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    gone = stolen(tmp_path / "a.fundtrail", THIEF.text)
    with Case.open(tmp_path / "a.fundtrail") as made:
        assert gone not in {one.id.tx for one in made.ledger().transfers}
        yield made


def test_what_was_replaced_is_no_fact_in_any_of_them(case: Case) -> None:
    frames, graph = case.to_pandas(), case.to_networkx()
    told = sorted(str(one.id) for one in case.ledger().transfers)
    assert sorted(frames["transfers"]["transfer"]) == told
    facts = [told for _, _, told in graph.edges(data=True) if told["statement"] == "fact"]
    assert len(facts) == len(told) == 2
    contents = contents_with_answer(case)
    assert sorted(str(one.id) for one in contents.transfers) == told
    assert len(contents.evidence) == len(list(case.all_evidence())), "the bytes that told it stay"


def test_an_answer_given_before_has_its_ends_and_no_hops_of_another(case: Case) -> None:
    frames, graph = case.to_pandas(), case.to_networkx()
    assert GHOST.text in set(frames["ends"]["address"]), "as it was said then"
    assert "hops" not in frames or not len(frames["hops"])
    inferred = [(one, two) for one, two, told in graph.edges(data=True) if told["statement"] == "inference"]
    assert not [two for _, two in inferred if SHOP.text in two]
    trace(case, Question(THIEF.text, ETHEREUM, max_requests=case.requests()), [], now=Clock())
    frames = case.to_pandas()
    assert SHOP.text in set(frames["hops"]["target"])
    assert GHOST.text not in {*frames["ends"]["address"], *frames["hops"]["target"]}
    assert latest(case)["ends"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_case_whose_loss_was_replaced_can_be_exported(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.fundtrail"
    stolen(path, "")
    result = run("export", path, "--format", form)
    assert result.exit_code == 0, (result.stderr, result.exception)


def test_the_payments_behind_an_answer_are_not_those_of_another(tmp_path: Path) -> None:
    path = tmp_path / "a.fundtrail"
    stolen(path, THIEF.text)
    result = run("case", "hops", path)
    assert result.exit_code != 0
    assert "trace again" in result.stderr
    assert SHOP.text not in result.stdout + result.stderr
    with Case.open(path) as case:
        trace(case, Question(THIEF.text, ETHEREUM, max_requests=case.requests()), [], now=Clock())
    assert SHOP.text in run("case", "hops", path, "--json").stdout
