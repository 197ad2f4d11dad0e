"""Importing an export: facts with their bytes, labels as claims, losses as stated, and no inference taken on trust."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.codec import canonical
from cases.exporting import json_lines
from cases.exporting.contents import Contents, contents_of, contents_with_answer
from cases.exports import FORMATS, export
from cases.importing import FORMATS as READABLE
from cases.importing import import_into, take_in
from cases.tracing import Question, latest, trace
from commands import coins as coins_of
from commands import facts, row, run
from connectors.labels import read_labels
from connectors.protocol import Page
from hostile_strings import CORPUS
from made_up import LATER, Clock, MadeUp
from notation import ETHEREUM, address, payment
from told_contents import BYTES, coins, hostile_contents, texts_in
from tracer.coverage import Coverage, Kind, State
from tracer.errors import CaseConflict, Contradiction, InputError
from tracer.judgements import Judgement
from tracer.values import Address, Chain

JUDGED = (
    Judgement(address("mule"), address("aunt"), "deposit reuse", (payment(4), payment(4, 1)), 50, "deposit-reuse/1", 4),
    Judgement(address("till"), address("aunt"), "she told me", (), 80, "A. Person", 0),
    Judgement(address("cave"), address("till"), "seen", (payment(77),), 90, "A. Person", 77),
    Judgement(address("aunt"), Address(Chain.named("bsc"), address("aunt").text), "one key", (), 80, "A. Person", 0),
)
WHOLE = tuple(form for form in READABLE if form != "tagpack")
formats = pytest.mark.parametrize("form", WHOLE)


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with a trace, labels of a file, a problem, histories that were cut, and judgements."""
    folder = tmp_path_factory.mktemp("traced")
    labels = folder / "labels.csv"
    head = "chain,address,entity,name,role,source,seen,confidence,note\n"
    labels.write_text(
        f"{head}ethereum,{address('bank').text},Bank,Bank 1,exchange,us,2024-05-01,70,seen by me\n"
        f"ethereum,{address('aunt').text},,Aunt,other,them,,5,\n"
        "ethereum,0xnone,,,other,them,,5,\n"
    )
    path = folder / "a.fundtrail"
    source = MadeUp(states={"aunt": State.CUT, "cave": State.FAILED})
    with Case.create(path, at=1) as case:
        case.pin_labels(read_labels(labels), at=2)
        trace(case, Question(payment(1).tx, ETHEREUM, victim="ref 7"), [source], now=Clock())
        case.add_judgements(JUDGED, at=LATER)
        case.withdraw(JUDGED[1], "B. Person", "not so", at=LATER)
        case.withdraw(JUDGED[1], "C. Person", "nor do I believe it", at=LATER)
    return path


def opened(path: Path) -> Contents:
    with Case.open(path) as case:
        return contents_with_answer(case)


def last(path: Path) -> dict[str, Any]:
    with Case.open(path) as case:
        return latest(case)


def exported(path: Path, form: str, folder: Path) -> Path:
    target = folder / f"out{FORMATS[form].ending}"
    export(opened(path), target, form)
    return target


def without_asked(told: Contents) -> str:
    """All but whom an answer was asked of: an import asks its file."""
    return json_lines.write(replace(told, coverage=tuple(("", answer) for _, answer in told.coverage)))


@formats
def test_a_case_that_was_exported_and_imported_is_the_same_case(form: str, traced: Path, tmp_path: Path) -> None:
    source = exported(traced, form, tmp_path)
    with ExitStack() as stack:
        case = stack.enter_context(Case.create(tmp_path / "b.fundtrail", at=5))
        told = import_into(case, source, at=6)
        assert (told.doubt, told.answer) == ("", True)
        assert not case.verify()
        assert latest(case) == last(traced)
        before = stack.enter_context(Case.open(traced))
        assert list(case.ledger().transfers) == list(before.ledger().transfers)
        assert [one.evidence for one in case.reports()] == [one.evidence for one in before.reports()]
        assert list(case.labels()) == list(before.labels())
        assert case.losses() == before.losses()
        assert told.judgements == len(JUDGED)
        assert case.doubts() == before.doubts()
        assert list(case.doubts().values()) == ["", "withdrawn", "evidence not held", ""]
        assert list(case.judgements()) == list(before.judgements()) == list(JUDGED)
        assert case.withdrawals() == before.withdrawals()
        assert case.clusters() == before.clusters() != ()
        assert list(case.coverage()) == list(before.coverage())
        assert case.problems() == before.problems()
        for evidence in before.all_evidence():
            assert case.evidence(evidence.id) == evidence
    assert without_asked(opened(tmp_path / "b.fundtrail")) == without_asked(opened(traced))


@formats
def test_importing_the_same_again_changes_nothing(form: str, traced: Path, tmp_path: Path) -> None:
    source = exported(traced, form, tmp_path)
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        import_into(case, source, at=6)
        head = case.head
        moved = tmp_path / "elsewhere" / source.name
        moved.parent.mkdir()
        shutil.move(source, moved)
        import_into(case, moved, at=7)
        assert case.head == head


def test_judgements_alone_make_a_case_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json_lines.write(Contents((), judgements=JUDGED)))
    done = run("import", path, "--case", tmp_path / "b.fundtrail", "--json")
    assert (done.exit_code, json.loads(done.stdout)["judgements"]) == (0, len(JUDGED)), done.stderr
    with Case.open(tmp_path / "b.fundtrail") as case:
        assert case.judgements() == JUDGED


def test_an_export_of_a_case_without_judgements_says_nothing_of_them(traced: Path, tmp_path: Path) -> None:
    """So that what earlier programs wrote is read, and what this one writes is read by them."""
    told = replace(opened(traced), judgements=(), withdrawals=())
    for form in WHOLE:
        files = export(told, tmp_path / f"plain{FORMATS[form].ending}", form)
        assert not [file for file in files if b"judgement" in file.read_bytes() or "judgement" in file.name]


def test_a_case_with_an_import_can_be_traced_on_and_no_source_is_asked_for_what_was_read(
    traced: Path, tmp_path: Path
) -> None:
    source = exported(traced, "jsonl", tmp_path)
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        import_into(case, source, at=6)
        world = MadeUp()
        given = trace(case, Question(payment(1).tx, ETHEREUM, victim="ref 7"), [world], now=Clock())
        assert {who for who, _ in world.asked} == {"aunt", "cave"}, "only what was cut or failed is asked for again"
        assert given["losses"] == last(traced)["losses"]


def changed(told: Contents) -> Contents:
    """An answer that says the bank has more than it got: as somebody might wish it to."""
    answer: dict[str, Any] = json.loads(json.dumps(told.answer))
    [bank] = [end for end in answer["ends"] if end["address"] == address("bank").text]
    bank["amounts"]["fifo"] = str(int(bank["amounts"]["fifo"]) + 1)
    return replace(told, answer=answer)


@formats
def test_an_answer_that_the_facts_do_not_bear_out_is_noted_and_not_taken_over(
    form: str, traced: Path, tmp_path: Path
) -> None:
    told = changed(opened(traced))
    target = tmp_path / f"out{FORMATS[form].ending}"
    export(told, target, form)
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        found = import_into(case, target, at=6)
        assert found.doubt == "tracing anew says otherwise of ends"
        assert not case.issued()
        note = case.log()[-1]
        assert note.kind == "note"
        assert note.body["answer"] == told.answer
        assert canonical(note.body["hops"]) == canonical(list(told.hops))
        assert not case.verify()


def test_hops_that_the_facts_do_not_bear_out_are_doubted_too(traced: Path, tmp_path: Path) -> None:
    told = opened(traced)
    fewer = replace(told, hops=told.hops[1:])
    export(fewer, tmp_path / "a.jsonl", "jsonl")
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        assert import_into(case, tmp_path / "a.jsonl", at=6).doubt == "tracing anew gives other hops"


@pytest.mark.parametrize(
    "answer", [{}, {"format": "x"}, {"format": "fundtrail-answer/2"}, {"format": "fundtrail-answer/2", "direction": 7}]
)
def test_something_else_in_the_place_of_the_answer_is_doubted_and_no_crash(
    answer: dict[str, Any], traced: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json_lines.write(replace(opened(traced), answer=answer, hops=())))
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        assert import_into(case, path, at=6).doubt
        assert not case.issued()
        assert case.losses()


def test_no_inference_becomes_a_fact(traced: Path, tmp_path: Path) -> None:
    told = opened(traced)
    path = tmp_path / "a.jsonl"
    path.write_text(json_lines.write(replace(told, transfers=(), coverage=())))
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        import_into(case, path, at=6)
        assert not list(case.ledger().transfers), "hops are in the file, and none of them is a transfer of the case"
        assert not case.issued()


def test_an_import_into_a_case_that_says_otherwise_is_refused(traced: Path, tmp_path: Path) -> None:
    told = opened(traced)
    first = told.transfers[0]
    twisted = replace(first, block=replace(first.block, time=first.block.time + 1))
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        take_in(case, replace(told, answer=None, hops=()), "import:a", at=6)
        with pytest.raises(Contradiction):
            take_in(case, replace(told, transfers=(twisted, *told.transfers[1:])), "import:b", at=7)


def test_a_loss_of_the_same_name_that_is_another_is_refused_before_anything_is_kept(
    traced: Path, tmp_path: Path
) -> None:
    told = opened(traced)
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        case.add_loss(replace(told.losses[0], units=7), at=5)
        head = case.head
        with pytest.raises(CaseConflict, match="another loss"):
            take_in(case, told, "import:a", at=6)
        assert case.head == head


def test_an_export_without_the_bytes_it_cites_is_refused(traced: Path, tmp_path: Path) -> None:
    with (
        Case.create(tmp_path / "b.fundtrail", at=5) as case,
        pytest.raises(InputError, match=r"cites sha256:.* and does not hold it"),
    ):
        take_in(case, replace(opened(traced), evidence=()), "import:a", at=6)


def test_an_import_that_was_interrupted_goes_on_where_it_was(traced: Path, tmp_path: Path) -> None:
    told = replace(opened(traced), answer=None, hops=())
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        real = case.store_page
        left = [1]

        def one_page(*words: Any, **also: Any) -> None:
            if not left:
                raise KeyboardInterrupt
            left.pop()
            real(*words, **also)

        case.store_page = one_page  # type: ignore[method-assign]
        for kept in range(1, 4):
            left[:] = [1]
            with pytest.raises(KeyboardInterrupt):
                take_in(case, told, "import:a", at=6)
            assert len(case.answers()) == kept
        case.store_page = real  # type: ignore[method-assign]
        take_in(case, told, "import:a", at=7)
        assert without_asked(contents_of(case)) == without_asked(told)


def test_two_answers_of_one_source_about_one_address_are_both_kept(tmp_path: Path) -> None:
    who = Address(coins(1, 8, 9).id.chain, "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3")
    answers = [
        Coverage(who, State.READ, frozenset({Kind.NATIVE}), "node:x", BYTES.id, first, first + 9, LATER, 1)
        for first in (0, 10)
    ]
    told = Contents((coins(1, 8, 9),), (BYTES,), tuple(("node:x", answer) for answer in answers))
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        take_in(case, told, "import:a", at=6)
        assert [answer for _, answer in case.answers()] == answers
        assert case.coverage().of(who).last == 19
        assert case.coverage().of(who).first == 0


def test_transfers_that_no_coverage_speaks_of_are_kept_and_said_to_be_unstated(tmp_path: Path) -> None:
    told = Contents((coins(1, 8, 9),), (BYTES,))
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        take_in(case, told, "import:a", at=6)
        assert [one.id for one in case.ledger().transfers] == [told.transfers[0].id]
        assert {answer.state for answer in case.coverage()} == {State.UNSTATED}


def test_bytes_that_nothing_cites_are_kept_too(traced: Path, tmp_path: Path) -> None:
    told = opened(traced)
    for number, contents in enumerate((replace(told, evidence=(*told.evidence, BYTES)), Contents((), (BYTES,)))):
        with Case.create(tmp_path / f"{number}.fundtrail", at=5) as case:
            take_in(case, contents, "import:a", at=6)
            assert case.evidence(BYTES.id) == BYTES
            assert not case.verify()


@pytest.mark.slow
def test_the_hostile_corpus_goes_through_a_case_from_every_field(tmp_path: Path) -> None:
    told = hostile_contents(texts_in(CORPUS))
    told = replace(
        told,
        transfers=tuple(replace(one, evidence=(f"{told.evidence[0].id}#1",)) for one in told.transfers),
        answer=None,
        hops=(),
        losses=told.losses[:1],
    )
    export(told, tmp_path / "a.jsonl", "jsonl")
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        import_into(case, tmp_path / "a.jsonl", at=6)
        assert not case.verify()
        again = contents_of(case)
    assert sorted(map(repr, again.labels)) == sorted(map(repr, told.labels))
    assert {one.method for one in again.transfers} >= set(CORPUS[1:]) - {""}
    assert {one.asset.symbol for one in again.transfers} >= set(texts_in(CORPUS))
    assert {(one.text, one.where) for one in again.problems} == {(text, text) for text in texts_in(CORPUS)}
    assert {one.source for one in again.evidence} == {one.source for one in told.evidence}


@pytest.mark.parametrize("name", ["a.ftm.jsonl", "a.txt", "a.json", "a.xlsx"])
def test_what_cannot_be_read_back_is_said_with_what_can(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"{}")
    with Case.create(tmp_path / "b.fundtrail", at=5) as case, pytest.raises(InputError) as caught:
        import_into(case, tmp_path / name, at=6)
    assert "csv, jsonl, parquet, graphml, tagpack" in caught.value.hint


def test_labels_come_from_a_tagpack_with_the_refused_rows_named(traced: Path, tmp_path: Path) -> None:
    pack = exported(traced, "tagpack", tmp_path)
    pack.write_text(pack.read_text() + '- address: "0x1"\n  label: "x"\n  source: "y"\n  currency: "ETH"\n')
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        told = import_into(case, pack, at=6)
        assert (told.labels, len(told.rejected)) == (2, 1)
        kept = [replace(one, evidence="x", note="") for one in opened(traced).labels]
        assert [replace(one, evidence="x") for one in case.labels()] == kept


def test_a_page_of_a_real_source_beside_an_import_is_one_more_report(traced: Path, tmp_path: Path) -> None:
    source = exported(traced, "jsonl", tmp_path)
    with Case.create(tmp_path / "b.fundtrail", at=5) as case:
        import_into(case, source, at=6)
        before = len(case.ledger().transfers)
        page = next(iter(MadeUp(rows=50).history(address("thief"))))
        assert isinstance(page, Page)
        case.store_page("made-up:other", address("thief"), page, at=7)
        assert len(case.ledger().transfers) == before


def answered(case: Path, *words: object) -> None:
    done = run("trace", *words, "--case", case)
    assert done.exit_code in (0, 3), done.stderr


@formats
@pytest.mark.parametrize("kind", ["backward", "bitcoin", "leads", "one rule"])
def test_answers_of_every_kind_are_given_again(kind: str, form: str, tmp_path: Path) -> None:
    case, place = tmp_path / "a.fundtrail", tmp_path / "facts"
    more: tuple[str, ...] = ()
    names = [address(name).text for name in ("victim", "mule", "shop")]
    if kind in ("backward", "one rule"):
        source = facts(place, row(1, names[0], names[1], 60), row(2, names[1], names[2], 50), read=names)
        more = ("--rule", "lifo") if kind == "one rule" else ("--backward", "--since", "1")
        answered(case, names[2], "--chain", "ethereum", "--source", f"file:{source}", *more)
    else:
        mixed = {(1, 0): ("thief", 60), **{(800 + n, 0): (f"other{n}", 60) for n in range(4)}}
        source = coins_of(
            place,
            {
                1: ({(900, 0): ("victim", 100)}, [("thief", 60), ("victim", 39)]),
                2: (mixed, [(f"out{n}", 59) for n in range(5)]),
                3: ({(2, 0): ("out0", 59)}, [("shop", 58)]),
            },
        )
        more = ("--leads",) if kind == "leads" else ()
        answered(case, f"{1:064x}:0", "--source", f"file:{source}", *more)
    assert (last(case)["leads"] is not None) == (kind == "leads")
    out = exported(case, form, tmp_path)
    with Case.create(tmp_path / "b.fundtrail", at=5) as again:
        told = import_into(again, out, at=6)
        assert (told.answer, told.doubt) == (True, "")
        assert latest(again) == last(case)
