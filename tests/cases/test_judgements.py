"""Judgements in a case: kept once, in order, withdrawn and still on record, and no amount ever rests on one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases import log
from cases.answering_again import doubt_about
from cases.case_file import Case
from cases.hops import hops_of
from cases.tracing import Question, latest, retraced, trace
from commands import run, told
from connectors.protocol import Page
from hostile_strings import CORPUS
from made_up import Clock, MadeUp
from notation import ETHEREUM, address, payment
from told_contents import texts_in
from tracer.errors import CaseConflict, CaseDamaged, InputError
from tracer.judgements import Judgement
from tracer.values import Address, Chain, TransferId

ROOT = Path(__file__).parents[2]
KILLS = 8
MULE, AUNT, TILL, CAVE = (address(name) for name in ("mule", "aunt", "till", "cave"))
RULE = Judgement(MULE, AUNT, "deposit reuse", (payment(4), payment(4, 1)), 50, "deposit-reuse/1", 4)
SAID = Judgement(TILL, AUNT, "she told me", (), 80, "A. Person", 0)
GUESS = Judgement(MULE, CAVE, "a guess", (payment(2),), 10, "A. Person", 2)
ALL = (SAID, RULE, GUESS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A case with a trace."""
    path = tmp_path / "mine.fundtrail"
    with Case.create(path, at=1, tool="0") as case:
        trace(case, Question(payment(1).tx, ETHEREUM), [MadeUp()], now=Clock())
    return path


@pytest.fixture
def case(path: Path) -> Iterator[Case]:
    with Case.open(path) as case:
        yield case


def test_they_are_kept_once_and_come_back_in_the_order_they_were_added(case: Case, path: Path) -> None:
    case.add_judgements([SAID, SAID], at=100)
    case.add_judgements([RULE, SAID, GUESS], at=101)
    head = case.head
    case.add_judgements(ALL, at=102)
    case.add_judgements([], at=103)
    assert case.head == head, "the same again, and nothing, are no entries"
    assert [(e.kind, e.body["judgements"]) for e in case.log()[-2:]] == [("judgements", 1), ("judgements", 2)]
    with Case.open(path) as again:
        assert again.judgements() == ALL
        assert again.standing() == ALL
        assert again.verify(head) == []


def test_clusters_are_made_at_a_confidence_and_can_be_taken_apart(case: Case) -> None:
    case.add_judgements(ALL, at=100)
    assert [one.members for one in case.clusters()] == [tuple(sorted((MULE, AUNT, TILL, CAVE)))]
    assert [one.members for one in case.clusters(50)] == [tuple(sorted((MULE, AUNT, TILL)))]
    assert [one.judgements for one in case.clusters(80)] == [(SAID,)]
    assert not case.clusters(81)


def test_what_is_withdrawn_counts_no_longer_and_stays_on_record(case: Case, path: Path) -> None:
    case.add_judgements(ALL, at=100)
    case.withdraw(SAID, "B. Person", "she was wrong", at=101)
    head = case.head
    case.withdraw(SAID, "B. Person", "she was wrong", at=102)
    assert case.head == head, "the same again changes nothing"
    case.add_judgements([SAID], at=103)
    assert case.head == head, "a rule that judges again does not undo what a person decided"
    assert (case.judgements(), case.standing()) == (ALL, (RULE, GUESS))
    assert case.doubts() == {SAID: "withdrawn", RULE: "", GUESS: ""}
    assert all(TILL not in one.members for one in case.clusters())
    case.withdraw(SAID, "C. Person", "me too", at=104)
    with Case.open(path) as again:
        assert [(one.judgement, one.by, one.why) for one in again.withdrawals()] == [
            (SAID, "B. Person", "she was wrong"), (SAID, "C. Person", "me too"),
        ]  # fmt: skip
        assert [(e.kind, e.body["by"]) for e in again.log()[-2:]] == [
            ("withdrawal", "B. Person"), ("withdrawal", "C. Person"),
        ]  # fmt: skip
        assert again.verify() == []


@pytest.mark.parametrize(("by", "why"), [(1, {"x": 2}), ("B. Person", {"x": 2}), (1, "no"), (None, "no")])
def test_a_withdrawal_whose_words_are_no_text_is_a_fault_though_every_hash_fits(
    by: Any, why: Any, case: Case, path: Path
) -> None:
    case.add_judgements([SAID], at=100)
    case.withdraw(SAID, by, why, at=101)  # as whoever makes the hashes anew can write it
    (fault,) = case.verify()
    assert "cannot be read" in fault.text
    assert fault.where == f"the withdrawal of entry {len(case.log())}"
    for read in (case.withdrawals, case.doubts):
        with pytest.raises(CaseDamaged, match="a withdrawal cannot be read"):
            read()
    told(run("case", "owners", path), 1, "a withdrawal cannot be read", "case verify")


@pytest.mark.parametrize("what", ["rule", "author"])
def test_a_judgement_whose_words_are_no_text_is_a_fault_though_every_hash_fits(
    what: str, case: Case, path: Path
) -> None:
    wrong: Any = {what: {"x": 2}}
    case.add_judgements([replace(SAID, **wrong)], at=100)
    (fault,) = case.verify()
    assert f"{what} is no text" in fault.text
    told(run("case", "owners", path), 1, "a judgement cannot be read", "case verify")


def test_only_what_is_in_the_case_can_be_withdrawn(case: Case) -> None:
    head = case.head
    with pytest.raises(CaseConflict, match="no judgement"):
        case.withdraw(SAID, "B. Person", "no", at=101)
    assert case.head == head


def test_two_chains_may_have_one_owner_and_the_case_need_not_know_the_address(case: Case) -> None:
    elsewhere = Address(Chain.named("bsc"), MULE.text)
    one = Judgement(MULE, elsewhere, "one key", (), 90, "A. Person", 0)
    case.add_judgements([one], at=100)
    assert [one.members for one in case.clusters()] == [tuple(sorted((MULE, elsewhere)))]


def test_what_rests_on_a_transfer_that_is_not_held_does_not_count_until_it_is(tmp_path: Path) -> None:
    with Case.create(tmp_path / "a.fundtrail", at=1) as case:
        case.add_judgements([RULE, SAID], at=2)
        assert case.doubts() == {RULE: "evidence not held", SAID: ""}
        assert [one.judgements for one in case.clusters()] == [(SAID,)]
        store(case, "mule")
        assert case.doubts() == {RULE: "", SAID: ""}


def store(case: Case, who: str) -> None:
    after, source = "", MadeUp(rows=99)
    for page in source.history(address(who)):
        case.store_page(source.name, address(who), page, at=10, after=after)
        after = page.cursor


def test_what_a_reorganisation_took_away_is_no_evidence(tmp_path: Path) -> None:
    with Case.create(tmp_path / "a.fundtrail", at=1) as case:
        store(case, "mule")
        case.add_judgements([RULE, GUESS], at=11)
        case.replace_after("made-up:world", MULE, 3, at=12)
        assert case.doubts() == {RULE: "evidence not held", GUESS: ""}
        assert case.judgements() == (RULE, GUESS)
        assert not case.verify()


def test_no_judgement_and_no_withdrawal_changes_a_byte_of_any_trace(case: Case) -> None:
    before, inputs = [one.text for one in case.issued()], case.facts_hash({})
    given = latest(case)
    case.add_judgements(ALL, at=100)
    case.withdraw(RULE, "B. Person", "no", at=101)
    assert [one.text for one in case.issued()] == before
    assert case.facts_hash({}) == inputs, "an answer does not rest on judgements"
    assert doubt_about(case, given, hops_of(given, retraced(case, given))) == "", "tracing anew says the same"
    again = trace(case, Question(payment(1).tx, ETHEREUM), [MadeUp()], now=Clock(2_000_000_000))
    assert again == given
    assert [one.text for one in case.issued()] == before, "asked again, it is the same answer to the byte"


def test_hostile_words_come_back_as_they_were(case: Case) -> None:
    texts = texts_in(CORPUS)
    judged = [Judgement(MULE, AUNT, text, (TransferId(ETHEREUM, text),), 1, text, n) for n, text in enumerate(texts)]
    case.add_judgements(judged, at=100)
    for one in judged:
        case.withdraw(one, one.rule, one.author, at=101)
    assert case.judgements() == tuple(judged)
    assert [(one.judgement, one.by, one.why) for one in case.withdrawals()] == [
        (one, one.rule, one.author) for one in judged
    ]
    assert case.verify() == []


@pytest.mark.parametrize("confidence", [-1, 101])
def test_nobody_is_surer_than_sure_and_one_address_is_not_two(confidence: int) -> None:
    with pytest.raises(InputError, match="confidence"):
        Judgement(MULE, AUNT, "r", (), confidence, "me", 0)
    with pytest.raises(InputError, match="one address"):
        Judgement(MULE, MULE, "r", (), 50, "me", 0)


def test_what_goes_wrong_halfway_leaves_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.add_judgements([SAID], at=100)

    def broken(*_: object) -> None:
        raise OSError("no power")

    with monkeypatch.context() as patch:
        patch.setattr(log, "append", broken)
        with pytest.raises(OSError, match="no power"):
            case.add_judgements([RULE], at=101)
        with pytest.raises(OSError, match="no power"):
            case.withdraw(SAID, "me", "no", at=101)
    assert case.doubts() == {SAID: ""}
    assert case.verify() == []


CHILD = """
import sys
sys.path[:0] = sys.argv[2:]
from cases.case_file import Case
from tracer.judgements import Judgement
from tracer.values import Address, Chain
eth = Chain.named("ethereum")
with Case.open(sys.argv[1]) as case:
    for n in range(10**6):
        one = Judgement(Address(eth, f"0x{n:040x}"), Address(eth, f"0x{n + 1:040x}"), "r", (), 50, "us", n)
        case.add_judgements([one], at=200)
        if n % 2:
            case.withdraw(one, "us", "no", at=201)
        print(n, flush=True)
"""


@pytest.mark.slow
def test_kill_9_at_any_moment_keeps_all_that_was_acknowledged_and_nothing_by_half(path: Path) -> None:
    chance, most = random.Random(9), 0
    for _ in range(KILLS):
        child = subprocess.Popen([sys.executable, "-c", CHILD, path, ROOT], stdout=subprocess.PIPE, text=True)
        assert child.stdout
        child.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        told, _ = child.communicate(timeout=60)
        acknowledged = max([0, *(int(line) for line in told.splitlines() if line.isdecimal())])
        most = max(most, acknowledged)
        with Case.open(path) as case:
            assert case.verify() == []
            assert [one.at for one in case.judgements()] == list(range(len(case.judgements())))
            assert len(case.judgements()) > acknowledged
            assert len(case.withdrawals()) >= (acknowledged + 1) // 2
    assert most > 3


def test_a_page_that_comes_later_does_not_disturb_them(case: Case) -> None:
    case.add_judgements(ALL, at=100)
    case.store_page("other", TILL, Page((), "", None, None), at=101)
    assert case.judgements() == ALL


def test_a_notebook_has_them_apart_from_facts(case: Case) -> None:
    case.add_judgements(ALL, at=100)
    case.withdraw(GUESS, "B. Person", "no", at=101)
    frames, graph = case.to_pandas(), case.to_networkx()
    assert [frames[name].attrs["statement"] for name in ("judgements", "clusters", "withdrawals")] == [
        "inference", "inference", "decision",
    ]  # fmt: skip
    assert list(frames["judgements"]["doubt"]) == ["", "", "withdrawn"]
    assert list(frames["judgements"]["confidence"]) == [80, 50, 10]
    assert sorted(frames["clusters"]["address"]) == sorted(one.text for one in (MULE, AUNT, TILL))
    assert list(frames["withdrawals"]["by"]) == ["B. Person"]
    judged = [told for _, _, told in graph.edges(data=True) if told["kind"] == "same_owner"]
    assert [(told["statement"], told["author"]) for told in judged] == [
        ("inference", SAID.author), ("inference", RULE.author),
    ]  # fmt: skip
