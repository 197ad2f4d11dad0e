"""`fundtrail case owners`, `same-owner`, `withdraw`: what a person says of owners, and that no amount moves by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.owners import owners
from cases.show_owners import show_owners
from cases.tracing import Question, trace
from cases.visible import visible
from commands import bitcoin, run, told
from hostile_strings import CORPUS
from made_up import Clock, MadeUp
from notation import ETHEREUM, address, payment
from told_contents import texts_in
from tracer.judgements import Judgement
from tracer.values import Address, Chain

MULE, AUNT = address("mule"), address("aunt")
SAID = "--by", "A. Person", "--why", "she told me", "--confidence", 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.fundtrail"
    with Case.create(path, at=1, tool="0") as case:
        trace(case, Question(payment(1).tx, ETHEREUM), [MadeUp()], now=Clock())
    return path


def said(*words: object) -> dict[str, Any]:
    done = run("case", *words, "--json")
    assert done.exit_code == 0, (done.stdout, done.stderr)
    assert done.stdout.isascii()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_person_says_who_is_one_owner_and_withdraws_it(path: Path) -> None:
    before = run("case", "show", path, "--json").stdout
    first = said("same-owner", path, MULE, AUNT, *SAID, "--evidence", payment(4, 1).tx)
    assert first["added"]
    assert first["author"] == "A. Person"
    assert [tx for _, tx, _ in first["evidence"]] == [payment(4, 1).tx] * 2, "the payment and its fee"
    assert first["at"] == 4
    again = said("same-owner", path, f"ethereum:{AUNT.text}", MULE.text.upper().replace("X", "x"), *SAID,
                 "--evidence", payment(4, 1))  # fmt: skip
    assert again["id"] != first["id"], "of the payment alone it is another one"
    assert not said("same-owner", path, AUNT, MULE, *SAID, "--evidence", payment(4, 1).tx)["added"]
    found = said("owners", path)
    assert [one["id"] for one in found["judgements"]] == [first["id"], again["id"]]
    assert [sorted(one["address"] for one in cluster["members"]) for cluster in found["clusters"]] == [
        sorted((MULE.text, AUNT.text))
    ]
    assert said("owners", path, "--confidence", 61)["clusters"] == []
    withdrawn = said("withdraw", path, first["id"][:8], "--by", "B. Person", "--why", "she lied")
    assert withdrawn == {"judgement": first["id"], "by": "B. Person", "why": "she lied"}
    text = run("case", "owners", path).stdout
    assert "no: withdrawn by B. Person: she lied" in text
    assert "1 cluster; inferred, and no amount rests on it" in text
    told(run("case", "same-owner", path, MULE, AUNT, *SAID, "--evidence", payment(4, 1).tx), 1, "was withdrawn by B.")
    assert run("case", "show", path, "--json").stdout == before, "no byte of the answer changed"
    assert "0 problems" in run("case", "verify", path).stdout


@pytest.mark.parametrize(("by", "why"), [("A.  Person", "she told me"), (" A. Person ", "she\n told\tme  ")])
def test_what_was_withdrawn_cannot_be_said_again_with_other_spaces(by: str, why: str, path: Path) -> None:
    once = said("same-owner", path, MULE, AUNT, "--by", by, "--why", why, "--confidence", 60)
    assert (once["author"], once["rule"]) == ("A. Person", "she told me")
    assert not said("same-owner", path, MULE, AUNT, *SAID)["added"]
    withdrawn = said("withdraw", path, once["id"].upper(), "--by", " B.  Person", "--why", "she  lied ")
    assert withdrawn == {"judgement": once["id"], "by": "B. Person", "why": "she lied"}
    for words in (SAID, ("--by", by, "--why", why, "--confidence", 60)):
        told(run("case", "same-owner", path, MULE, AUNT, *words), 1, "was withdrawn by B. Person: she lied")


def test_what_was_recorded_and_withdrawn_with_other_spaces_cannot_be_said_again_either(path: Path) -> None:
    with Case.open(path) as case:
        left, right = sorted((MULE, AUNT))
        one = Judgement(left, right, "she  told me", (), 60, "A. Person ", 0)
        case.add_judgements([one], at=5)
        case.withdraw(one, "B. Person", "she lied", at=6)
    told(run("case", "same-owner", path, MULE, AUNT, *SAID), 1, "was withdrawn by B. Person: she lied")


def test_where_nobody_judged_it_says_so(path: Path) -> None:
    assert run("case", "owners", path).stdout == "nobody judged that two addresses have one owner\n"
    assert said("owners", path)["judgements"] == []


def test_an_address_of_another_chain_is_named_with_it(path: Path) -> None:
    assert said("same-owner", path, MULE, f"bsc:{MULE}", *SAID)["left"]["chain"] == "bsc"
    name = bitcoin("ann")
    told(run("case", "same-owner", path, MULE, name, *SAID), 2, "may be on several chains", f"bitcoin:{name}")
    assert said("same-owner", path, MULE, f"bitcoin:{name}", *SAID)["left"] == {"chain": "bitcoin", "address": name}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((MULE, MULE, *SAID), "a judgement is about two"),
        ((MULE, "nobody", *SAID), "not an address"),
        ((MULE, AUNT, "--by", " ", "--why", "x", "--confidence", 5), "--by is empty"),
        ((MULE, AUNT, "--by", "me", "--why", "", "--confidence", 5), "--why is empty"),
        ((MULE, AUNT, *SAID, "--evidence", payment(77).tx), "holds no transfer"),
        ((MULE, AUNT, *SAID, "--evidence", f"{payment(4).tx}:log:9"), "nothing at 'log:9' of it"),
        ((MULE, AUNT, *SAID, "--evidence", f"{payment(4).tx}:0"), "the positions there are: tx, fee;"),
        ((MULE, AUNT, *SAID, "--evidence", f"etherum:{payment(4).tx}"), "no chain named 'etherum'"),
        ((MULE, AUNT, *SAID, "--evidence", f"etherum:{payment(4).tx}:tx"), "did you mean 'ethereum'?"),
        ((MULE, AUNT, *SAID, "--evidence", f"bsc:{payment(4).tx}"), "holds no transfer"),
        ((MULE, f"etherum:{AUNT.text}", *SAID), "no chain named 'etherum'"),
        ((f"etherum:{MULE.text}", AUNT, *SAID), "did you mean 'ethereum'?"),
        ((MULE, "etherum:nobody", *SAID), "not an address"),
        ((MULE, AUNT, *SAID, "--evidence", "yesterday"), "not a transaction hash"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(words: tuple[object, ...], complaint: str, path: Path) -> None:
    with Case.open(path) as case:
        head = case.head
    told(run("case", "same-owner", path, *words), 2, complaint)
    with Case.open(path) as case:
        assert case.head == head


@pytest.mark.parametrize("missing", ["--by", "--why", "--confidence"])
def test_who_why_and_how_sure_must_be_said(missing: str, path: Path) -> None:
    at = SAID.index(missing)
    done = run("case", "same-owner", path, MULE, AUNT, *SAID[:at], *SAID[at + 2 :])
    assert done.exit_code == 2
    assert missing in done.stderr


def test_an_id_that_names_no_judgement_or_several_withdraws_nothing(path: Path) -> None:
    id = said("same-owner", path, MULE, AUNT, *SAID)["id"]
    for wrong in ("0" * 64, id[:5], "", "%"):
        told(run("case", "withdraw", path, wrong, "--by", "me", "--why", "no"), 2, "begins with")
    assert said("owners", path)["judgements"][0]["doubt"] == ""


def test_an_address_that_no_chain_knows_is_seen_too(path: Path) -> None:
    with Case.open(path) as case:
        for text in texts_in(CORPUS)[:200]:
            case.add_judgements([Judgement(MULE, Address(ETHEREUM, text), "r", (), 1, "me", 0)], at=5)
        lines = show_owners(owners(case)).split("\n")
    assert all(visible(line) == line for line in lines)
    assert len(lines) == 200 + 2 + 3 + 201


def test_hostile_words_are_seen_and_do_nothing(path: Path) -> None:
    texts = [text for text in texts_in(CORPUS) if "\x00" not in text and text.strip()]
    with Case.open(path) as case:
        judged = [
            Judgement(MULE, Address(Chain.named("bsc"), AUNT.text), text, (), n % 101, text, n)
            for n, text in enumerate(texts)
        ]
        case.add_judgements(judged, at=5)
        for one in judged[::2]:
            case.withdraw(one, one.author, one.rule, at=5)
        found = owners(case, 50)
    lines = show_owners(found).split("\n")
    assert all(visible(line) == line for line in lines)
    assert len(lines) == len(texts) + 2 + 4 + 1, "a heading, a rule, a row each, and one cluster of two"
    assert said("owners", path, "--confidence", 50) == json.loads(json.dumps(found))
    for text in texts[:40]:
        given = "--by=" + text, "--why=" + text, "--confidence", 7
        if not any("\ud800" <= letter <= "\udfff" for letter in text):  # what no command line can hold
            assert said("same-owner", path, MULE, AUNT, *given)["author"] == " ".join(text.split())
