"""What goes into a case comes out of it: every amount to the unit, every hostile text to the character."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.case_file import Case
from cases.codec import canonical, coverage_json, coverage_of, label_json, label_of, loss_json, loss_of, parsed
from connectors.protocol import Evidence, Page, Problem
from tracer.coverage import Coverage, Kind, State
from tracer.labels import Label, Role
from tracer.losses import Loss
from tracer.values import (
    MAX_UNITS,
    Address,
    Asset,
    Block,
    Chain,
    Leg,
    SinkKind,
    Transfer,
    TransferId,
)

ETH, BTC = Chain.named("ethereum"), Chain.named("bitcoin")
EDGES = (0, 1, 2**53 + 1, 2**63, 2**64, 2**128, MAX_UNITS)
HOSTILE = ("", "\x00", "\ud800", "'; DROP TABLE log; --", '"\\', "Ü€😀\u202e", "\x1b[2J\r\n", "=1+1", "x" * 1_000)

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=())))
units = st.one_of(st.sampled_from(EDGES), st.integers(0, MAX_UNITS))
counts = st.one_of(st.sampled_from(EDGES), st.integers(-1, 2**70))
assets = st.builds(Asset, st.just(ETH), texts, texts, st.one_of(st.sampled_from((0, 18, *EDGES)), st.integers(0, 40)))
eth_addresses = st.builds(Address, st.just(ETH), texts)
btc_addresses = st.builds(Address, st.just(BTC), texts)
blocks = st.builds(Block, counts, counts, texts)


@dataclass(frozen=True)
class File:
    """A label file as read."""

    labels: tuple[Label, ...]
    rejected: tuple[Problem, ...]
    evidence: Evidence


@st.composite
def payments(draw: st.DrawFn) -> Transfer:
    asset, amount = draw(assets), draw(units)
    slots = eth_addresses.map(lambda address: Leg.slot(address, asset, amount))
    source = draw(slots | st.just(Leg.sink(asset, SinkKind.ISSUE, amount)))
    target = draw(slots | st.sampled_from(SinkKind).map(lambda kind: Leg.sink(asset, kind, amount)))
    id = TransferId(ETH, draw(texts), draw(st.sampled_from(("tx", "fee", "log:7", "trace:0_1"))))
    return Transfer(id, draw(blocks), draw(counts), asset, (source,), (target,), ("-",), draw(texts))


@st.composite
def coin_transfers(draw: st.DrawFn) -> Transfer:
    tx, amount = draw(texts), draw(units)
    address = draw(st.one_of(st.none(), btc_addresses))
    fee = draw(st.integers(0, amount))
    spent = f"before {tx}"  # of its own: coins that are spent twice, or before they are made, are refused
    inputs = Leg.coin(spent, draw(st.integers(0, 2**32)), BTC, amount, draw(st.one_of(st.none(), btc_addresses)))
    outputs = Leg.coin(tx, 0, BTC, amount - fee, address), Leg.sink(BTC.coin, SinkKind.FEE, fee)
    return Transfer(TransferId(BTC, tx), draw(blocks), draw(counts), BTC.coin, (inputs,), outputs, ("-",))


def kept(transfers: Sequence[Transfer]) -> tuple[list[Transfer], str]:
    """The transfers as a case gives them back, and the evidence they were given."""
    evidence = Evidence(b"{}", "made up", "one page")
    given = tuple(replace(one, evidence=(evidence.id,)) for one in transfers)
    with tempfile.TemporaryDirectory() as folder, Case.create(Path(folder, "c"), at=1, tool="0") as case:
        case.store_page("made up", Address(ETH, "0xa"), Page(given, "", evidence, None), at=2)
        assert case.verify() == []
        for one in given:
            assert case.holds(one.id)
            assert one.id in {found.id for found in case.transaction(one.id.chain, one.id.tx)}
        return list(case.ledger().transfers), evidence.id


@given(st.lists(st.one_of(payments(), coin_transfers()), max_size=5, unique_by=lambda one: one.id.tx))
def test_transfers_come_out_as_they_went_in(given: list[Transfer]) -> None:
    found, evidence = kept(given)
    assert len(found) == len(given)
    for one in given:
        (again,) = [candidate for candidate in found if candidate.id == one.id]
        assert replace(again, evidence=one.evidence) == one
        assert (again.block.hash, again.asset.symbol) == (one.block.hash, one.asset.symbol)
        assert again.asset.decimals == one.asset.decimals
        assert again.evidence == (evidence,)


@pytest.mark.parametrize("edge", EDGES)
def test_an_amount_is_kept_as_its_digits(edge: int, tmp_path: Path) -> None:
    evidence = Evidence(b"{}", "made up", "one page")
    one, two = Address(ETH, "0xa"), Address(ETH, "0xb")
    legs = (Leg.slot(one, ETH.coin, edge),), (Leg.slot(two, ETH.coin, edge),)
    transfer = Transfer(TransferId(ETH, "0x1"), Block(1, 2), 0, ETH.coin, *legs, (evidence.id,))
    with Case.create(tmp_path / "c", at=1) as case:
        case.store_page("made up", one, Page((transfer,), "", evidence, None), at=2)
        case.add_loss(Loss("all", ETH.coin, paid=transfer.id, units=edge or None), at=3)
    with Case.open(tmp_path / "c") as case:
        assert case.ledger().transfer(0).units == edge
        assert case.losses()[0].units == (edge or None)
        ((body,),) = case._file.rows("SELECT body FROM transfers")
        assert body.count(f'"{edge}"') == 2
        assert case.verify() == []


def test_what_the_ledger_says_does_not_depend_on_who_was_read_first(tmp_path: Path) -> None:
    """Two sources tell one token transfer in different words, and neither is wrong."""
    one, two = Address(ETH, "0xa"), Address(ETH, "0xb")
    told, heard = set(), set()
    for first in (0, 1):
        with Case.create(tmp_path / str(first), at=1) as case:
            for way in (first, 1 - first):
                token = Asset(ETH, "0xt", ("USDT", "Tether")[way], (6, 18)[way])
                evidence = Evidence(b"%d" % way, "made up", "one page")
                legs = (Leg.slot(one, token, 5),), (Leg.slot(two, token, 5),)
                block, index = Block(1, 2, ("", "0xb10c")[way]), (-1, 3)[way]
                transfer = Transfer(TransferId(ETH, "0x1", "log:1"), block, index, token, *legs, (evidence.id,))
                case.store_page(f"made up {way}", one, Page((transfer,), "", evidence, None), at=2)
            (merged,) = case.ledger().transfers
            assert (merged.index, merged.block.hash, len(merged.evidence)) == (3, "0xb10c", 2)
            assert case.transaction(ETH, "0x1") == (merged,)
            told.add((repr(merged), case.facts_hash({})))
            heard.add(case.head)
            assert case.verify() == []
    assert len(told) == 1
    assert len(heard) == 2


def test_a_leg_of_another_asset_is_not_kept_as_if_it_were_of_this_one(tmp_path: Path) -> None:
    a, token = Address(ETH, "0xa"), Asset(ETH, "0xt")
    mixed = Transfer(
        TransferId(ETH, "0x1"), Block(1, 1), 0, ETH.coin,
        (Leg.slot(a, token, 1),), (Leg.slot(a, ETH.coin, 1),), ("sha256:0",),
    )  # fmt: skip
    with Case.create(tmp_path / "c", at=1) as case:
        with pytest.raises(ValueError, match="another asset"):
            case.store_page("made up", a, Page((mixed,), "", None, None), at=2)
        assert len(case.log()) == 1


@given(
    st.builds(
        Coverage, st.one_of(eth_addresses, btc_addresses), st.sampled_from(State), st.frozensets(st.sampled_from(Kind)),
        texts, texts, counts, st.one_of(st.none(), counts), counts, counts, texts,
    )
)  # fmt: skip
def test_coverage_comes_out_as_it_went_in(answer: Coverage) -> None:
    assert coverage_of(parsed([canonical(coverage_json(answer))])[0]) == answer


labels = st.builds(
    Label, eth_addresses, texts, texts, st.sampled_from(Role), texts.filter(bool), st.one_of(st.none(), st.dates()),
    st.integers(0, 100), texts.filter(bool), texts,
)  # fmt: skip


@given(labels)
def test_labels_come_out_as_they_went_in(label: Label) -> None:
    assert label_of(parsed([canonical(label_json(label))])[0]) == label


ids = st.builds(TransferId, st.just(ETH), texts, texts)


@given(
    st.builds(Loss, texts, assets, texts, ids, st.none(), st.none() | units.filter(bool), counts)
    | st.builds(Loss, texts, assets, texts, st.none(), eth_addresses, st.none() | units.filter(bool), counts)
)
def test_losses_come_out_as_they_went_in(loss: Loss) -> None:
    again = loss_of(parsed([canonical(loss_json(loss))])[0])
    assert again == loss
    assert (again.asset.symbol, again.asset.decimals) == (loss.asset.symbol, loss.asset.decimals)


def file_of(*labels: Label, body: bytes = b"a label file", rejected: tuple[Problem, ...] = ()) -> File:
    return File(labels, rejected, Evidence(body, "a list", "list.csv"))


def test_pinned_labels_stay_as_they_were_with_their_file(tmp_path: Path) -> None:
    evidence = file_of().evidence.id
    claims = [
        Label(Address(ETH, "0xa"), "HTX", hostile, Role.EXCHANGE, "a list", date(2024, 2, 29), 50, f"{evidence}#{row}")
        for row, hostile in enumerate(HOSTILE)
    ]
    with Case.create(tmp_path / "c", at=1) as case:
        case.pin_labels(file_of(*claims, rejected=(Problem("no address \ud800", "row 9"),)), at=2)
        case.pin_labels(file_of(*claims), at=3)
        assert len(case.log()) == 2, "the same labels again change nothing"
        assert case.verify() == []
    with Case.open(tmp_path / "c") as case:
        assert sorted(label.name for label in case.labels()) == sorted(HOSTILE)
        assert case.evidence(claims[3].evidence).body == b"a label file"
        assert case.problems() == [Problem("no address \ud800", "row 9")]
        entry = case.log()[1]
        assert (entry.kind, entry.body["labels"], entry.body["problems"]) == ("labels", len(HOSTILE), 1)


def test_a_later_import_of_one_list_stands_beside_the_earlier(tmp_path: Path) -> None:
    with Case.create(tmp_path / "c", at=1) as case:
        for at, (body, name) in enumerate(((b"old", "HTX 35"), (b"new", "Huobi 35")), start=2):
            evidence = Evidence(body, "a list", "list.csv").id
            label = Label(Address(ETH, "0xa"), "HTX", name, Role.EXCHANGE, "a list", None, 50, evidence)
            case.pin_labels(file_of(label, body=body), at=at)
        assert [label.name for label in case.labels()] == ["HTX 35", "Huobi 35"]
        assert case._file.rows("SELECT n FROM labels ORDER BY n") == [(2,), (3,)]
        assert case.verify() == []


def test_bytes_are_kept_as_they_are(tmp_path: Path) -> None:
    bodies = [b"", b"\x00", bytes(range(256)), b'{"result": []}' * 1000]
    with Case.create(tmp_path / "c", at=1) as case:
        for row, body in enumerate(bodies):
            evidence = Evidence(body, "s\ud800", "r\x00")
            case.store_page("made up", Address(ETH, f"0x{row}"), Page((), "", evidence, None), at=2)
            assert case.evidence(evidence.id) == evidence
            assert case.evidence(f"{evidence.id}#7") == evidence
        assert case.verify() == []
