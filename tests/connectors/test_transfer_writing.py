"""What is written as a transfer folder is read back the same, to the last unit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.transfer_file import TransferFile
from connectors.transfer_writing import write_transfers
from tracer.coverage import Coverage, Kind, State
from tracer.errors import InputError
from tracer.values import MAX_UNITS, Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

ETH, BTC = Chain.named("ethereum"), Chain.named("bitcoin")
EDGES = [0, 1, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1]
OWNERS = [Address(ETH, "0x" + letter * 40) for letter in "abc"]
MINER = Address(BTC, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")

amounts = st.sampled_from(EDGES) | st.integers(0, MAX_UNITS)
texts = st.text(st.characters(codec="utf-8"), max_size=12)  # commas, quotes, line breaks and all
hashes = st.integers(0, 2**256 - 1).map("{:064x}".format)
blocks = st.builds(Block, st.integers(0, 2**62), st.integers(1230940800, 4102444799))
tokens = st.builds(
    Asset, st.just(ETH), st.sampled_from(OWNERS).map(str), texts, st.sampled_from([0, 6, 18, 255, 2**62])
)


@st.composite
def account_transfers(draw: st.DrawFn) -> Transfer:
    position = draw(st.sampled_from(["tx", "fee", "log:7", "trace:0_1", "step:4"]))
    asset, units = draw(st.just(ETH.coin) | tokens), draw(amounts)
    payer = Leg.slot(draw(st.sampled_from(OWNERS)), asset, units)
    payee = Leg.slot(draw(st.sampled_from(OWNERS)), asset, units)
    issue, burn, fee = (Leg.sink(asset, kind, units) for kind in (SinkKind.ISSUE, SinkKind.BURN, SinkKind.FEE))
    sides = draw(st.sampled_from([(payer, payee), (payer, burn), (issue, payee), (payer, fee)]))
    name = TransferId(ETH, "0x" + draw(hashes), position)
    index = draw(st.integers(-1, 5000))
    return Transfer(name, draw(blocks), index, asset, sides[:1], sides[1:], ("sha256:0#1",), draw(texts))


@st.composite
def coin_transfers(draw: st.DrawFn) -> Transfer:
    tx, owner = draw(hashes), st.sampled_from([MINER, None])
    units = draw(st.lists(st.integers(0, MAX_UNITS // 4), min_size=1, max_size=3))
    outputs = [Leg.coin(tx, n, BTC, part, draw(owner)) for n, part in enumerate(units)]
    outputs.append(
        Leg.sink(BTC.coin, draw(st.sampled_from([SinkKind.FEE, SinkKind.UNSPENDABLE])), draw(st.integers(0, 9)))
    )
    total = sum(leg.units for leg in outputs)
    spent = Leg.coin(draw(hashes), draw(st.integers(0, 9)), BTC, total, MINER)
    given_out = draw(st.sampled_from([spent, Leg.sink(BTC.coin, SinkKind.ISSUE, total)]))
    outputs.append(Leg.coin(tx, len(units), BTC, 0, MINER))  # so that somebody can ask for it
    return Transfer(TransferId(BTC, tx), draw(blocks), 0, BTC.coin, (given_out,), tuple(outputs), ("sha256:0#1",))


def read_back(transfers: list[Transfer], folder: Path) -> dict[str, Transfer]:
    """Every transfer of the folder by its id and content, its evidence as it was written."""
    source = TransferFile(folder)
    assert source.problems == []
    found = {}
    for address in {leg.address for t in transfers for leg in t.inputs + t.outputs if leg.address}:
        for page in source.history(address):
            assert page.problems == ()
            found.update({repr(replace(t, evidence=("sha256:0#1",))): t for t in page.transfers})
    return found


def test_every_transfer_comes_back_as_it_was() -> None:
    @given(st.lists(account_transfers() | coin_transfers(), min_size=1, max_size=6))
    def round_trip(transfers: list[Transfer]) -> None:
        with TemporaryDirectory() as folder:
            write_transfers(transfers, (), folder)
            assert set(read_back(transfers, Path(folder))) == {repr(transfer) for transfer in transfers}

    round_trip()


@pytest.mark.parametrize("units", EDGES)
def test_an_amount_comes_back_to_the_unit(tmp_path: Path, units: int) -> None:
    sides = (Leg.slot(OWNERS[0], ETH.coin, units),), (Leg.slot(OWNERS[1], ETH.coin, units),)
    name, block = TransferId(ETH, "0x" + "1" * 64), Block(1, 1600000000)
    account = Transfer(name, block, 0, ETH.coin, *sides, ("sha256:0#1",))
    coins = (Leg.coin("2" * 64, 0, BTC, units, MINER),), (Leg.coin("1" * 64, 0, BTC, units, MINER),)
    paid = Transfer(TransferId(BTC, "1" * 64), block, 0, BTC.coin, *coins, ("sha256:0#1",))
    write_transfers([account, paid], (), tmp_path)
    assert {t.units for t in read_back([account, paid], tmp_path).values()} == {units}
    assert len(read_back([account, paid], tmp_path)) == 2


def test_order_of_arrival_does_not_change_a_byte(tmp_path: Path) -> None:
    def move(number: int) -> Transfer:
        sides = (Leg.slot(OWNERS[0], ETH.coin, number),), (Leg.slot(OWNERS[1], ETH.coin, number),)
        name = TransferId(ETH, f"0x{number:064x}")
        return Transfer(name, Block(100 - number, 1600000000), 0, ETH.coin, *sides, ("sha256:0#1",))

    moves = [move(number) for number in range(5)]
    answers = [Coverage(owner, State.READ, frozenset(Kind), "s", "", 0, 9) for owner in OWNERS]
    first = write_transfers(moves, answers, tmp_path / "a")
    second = write_transfers(moves[::-1], answers[::-1], tmp_path / "b")
    assert [path.name for path in first] == ["transfers.csv.gz", "coverage.csv"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    (page,) = TransferFile(tmp_path / "a").history(OWNERS[0])
    assert [t.units for t in page.transfers] == [4, 3, 2, 1, 0]  # by block, not by arrival


def test_coverage_comes_back_as_it_was(tmp_path: Path) -> None:
    answers = [
        Coverage(OWNERS[0], State.READ, frozenset({Kind.NATIVE}), "etherscan", "", 5, 18183908, 1695295253),
        Coverage(OWNERS[1], State.NOT_RECORDED, frozenset(), "etherscan", "", reason="no answer, so far"),
        Coverage(OWNERS[2], State.CUT, frozenset(Kind), "etherscan", "", 0, 7, reason="ends at its cap"),
    ]
    write_transfers([], answers, tmp_path)
    for answer in answers:
        (page,) = TransferFile(tmp_path).history(answer.address)
        assert page.coverage is not None
        assert replace(page.coverage, evidence="") == answer


def test_a_folder_that_holds_transfers_is_not_written_into(tmp_path: Path) -> None:
    write_transfers([], (), tmp_path)
    with pytest.raises(InputError, match="already holds transfers"):
        write_transfers([], (), tmp_path)
