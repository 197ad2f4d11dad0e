"""The made-up ledger of the bulk benchmark: exact, always the same, as described; and its peers agree with us."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks import bulk_ledger, bulk_ours, bulk_peers
from benchmarks.bulk_ledger import BLOCK_OF, GWEI, Facts, Rows, facts_of, make, part_of
from connectors.labels import read_labels

SIZE = 30_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Facts]:
    path = tmp_path_factory.mktemp("ledger") / "made.parquet"
    return path, make(path, SIZE)


def test_the_same_arguments_make_the_same_rows_and_another_seed_others(
    made: tuple[Path, Facts], tmp_path: Path
) -> None:
    path, facts = made
    assert make(tmp_path / "made.parquet", SIZE) == facts == facts_of(path)
    assert pq.read_table(tmp_path / "made.parquet").equals(pq.read_table(path))
    make(tmp_path / "other.parquet", SIZE, seed=5)
    assert not pq.read_table(tmp_path / "other.parquet")["to_address"].equals(pq.read_table(path)["to_address"])


def test_text_and_lines_say_the_same_as_decimals(made: tuple[Path, Facts], tmp_path: Path) -> None:
    path, facts = made
    make(tmp_path / "text.parquet", SIZE, amounts="text")
    make(tmp_path / "lines.csv", SIZE)
    table = pq.read_table(path)
    said = [str(value) for value in table["value"].to_pylist()]
    assert pq.read_table(tmp_path / "text.parquet")["value"].to_pylist() == said
    head, *lines = (tmp_path / "lines.csv").read_text().splitlines()
    assert head.replace('"', "").split(",") == table.column_names
    rows = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    assert lines == [",".join(str(cell) for cell in row) for row in rows]
    assert facts.above_64_bits == sum(int(text) >= 2**64 for text in said) > 0


@given(st.lists(st.integers(0, 2**120), min_size=1, max_size=5).map(lambda all_: [one % 10**24 for one in all_]))
@example([0, 1, 2**53 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 2**64, 2**64 + 1, 10**24 - 1, 10**24])
def test_an_amount_is_written_to_the_last_wei(wei: list[int]) -> None:
    whole, below = (np.array(part, np.int64) for part in zip(*(divmod(one, GWEI) for one in wei), strict=True))
    nobody = np.zeros(len(wei), np.int64)
    rows = Rows(0, nobody, nobody, whole, below, 0)
    for amounts in bulk_ledger.AMOUNTS:
        column = bulk_ledger.columns(rows, "transactions", amounts, 1)["value"]
        assert [int(value) for value in column.to_pylist()] == wei
        assert bulk_peers.amounts(column) == wei
        assert bulk_peers.amounts(column.slice(1)) == wei[1:]


def test_the_ledger_is_like_what_its_description_says(made: tuple[Path, Facts]) -> None:
    path, facts = made
    table = pq.read_table(path).to_pydict()
    degree = Counter(table["from_address"]) + Counter(table["to_address"])
    assert (len(degree), max(degree.values())) == (facts.addresses, facts.busiest)
    assert sum(times == 1 for times in degree.values()) == facts.seen_once
    assert 0.27 < len(degree) / SIZE < 0.36  # nearer to 0.29 the longer it is: who starts is new
    assert 0.40 < facts.seen_once / len(degree) < 0.48
    assert facts.busiest > 10 * 2 * SIZE / len(degree)  # of the mean
    assert len(set(table["hash"])) == SIZE
    places = list(zip(table["block_number"], table["transaction_index"], strict=True))
    assert places == sorted(set(places))
    assert set(Counter(table["block_number"]).values()) == {BLOCK_OF}
    assert table["block_timestamp"] == sorted(table["block_timestamp"])


def test_who_pays_has_mostly_been_paid_before(made: tuple[Path, Facts]) -> None:
    path, facts = made
    table = pq.read_table(path).to_pydict()
    has: Counter[str] = Counter()
    short = 0
    for payer, payee, value in zip(table["from_address"], table["to_address"], table["value"], strict=True):
        units = int(value)
        short += units > has[payer]
        has[payer] = max(has[payer] - units, 0)
        has[payee] += units
    # Not to the row: those of a step do not know that one of them was just paid.
    assert 0.9 * facts.from_nowhere < short < 1.1 * facts.from_nowhere < 0.15 * SIZE


def test_labels_are_hubs_and_losses_are_payments_half_way_to_the_unlabelled(made: tuple[Path, Facts]) -> None:
    path, facts = made
    table = pq.read_table(path).to_pydict()
    degree = Counter(table["from_address"]) + Counter(table["to_address"])
    labelled = {label.address.text.lower() for label in read_labels(path.with_suffix(".labels.csv")).labels}
    assert len(labelled) == facts.labels == 20
    assert labelled <= {address for address, _ in degree.most_common(41)}
    row = {tx: number for number, tx in enumerate(table["hash"])}
    assert len(set(facts.losses)) == len(facts.losses) > 100
    assert all(SIZE // 2 <= row[tx] < SIZE * 0.52 for tx in facts.losses)
    assert not labelled & {table["to_address"][row[tx]] for tx in facts.losses}
    assert set(facts.asked) <= set(degree)


def test_token_transfers_have_transactions_of_two(tmp_path: Path) -> None:
    facts = make(tmp_path / "tokens.parquet", 8_000, table="token_transfers")
    table = pq.read_table(tmp_path / "tokens.parquet").to_pydict()
    times = Counter(table["transaction_hash"])
    assert Counter(times.values()) == {1: 6_000, 2: 1_000}
    assert {times[tx] for tx in facts.losses} == {1}
    assert len(set(zip(table["transaction_hash"], table["log_index"], strict=True))) == 8_000


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, SIZE), (7, 9), (SIZE - 1, SIZE), (10_000, 25_000)])
def test_a_part_has_those_rows(made: tuple[Path, Facts], tmp_path: Path, first: int, last: int) -> None:
    path, _ = made
    part_of(path, first, last, tmp_path / "part.parquet")
    assert pq.read_table(tmp_path / "part.parquet").equals(pq.read_table(path).slice(first, last - first))


def test_the_script_and_our_engine_agree_first_in_first_out(tmp_path: Path) -> None:
    path = tmp_path / "small.parquet"
    facts = make(path, 4_000)
    ledger, labels = bulk_ours.in_memory(str(path)), bulk_ours.labels_of(str(path.with_suffix(".labels.csv")))
    labelled = {label.address.text.lower() for label in read_labels(path.with_suffix(".labels.csv")).labels}
    numbered = bulk_peers.Numbered.of(path)
    numbers = {number for number, text in enumerate(numbered.addresses) if text in labelled}
    row = {tx: number for number, tx in enumerate(pq.read_table(path)["hash"].to_pylist())}
    several = 0
    for tx in facts.losses[:12]:
        ends, _ = bulk_peers.fifo(numbered, numbers, row[tx])
        ours = bulk_ours.answer(ledger, labels, tx, "stops off").fifo
        assert {numbered.addresses[at]: units for at, units in ends.items()} == ours
        several += len(ours) > 1
    assert several


def test_sqlite_takes_a_repeated_row_once(made: tuple[Path, Facts], tmp_path: Path) -> None:
    path, facts = made
    part_of(path, 0, 20_000, tmp_path / "base.parquet")
    part_of(path, 10_000, SIZE, tmp_path / "more.parquet")
    sqlite = bulk_peers.Sqlite(tmp_path / "transfers.db")
    sqlite.load(tmp_path / "base.parquet")
    assert sqlite.load_again(tmp_path / "more.parquet")[1] == SIZE - 20_000
    table = pq.read_table(path).to_pydict()
    asked = sorted(set(facts.asked))[:20]
    sides = zip(table["from_address"], table["to_address"], strict=True)
    expected = sum(len({payer, payee} & {one}) for payer, payee in sides for one in asked)
    assert bulk_peers.histories(str(sqlite.path), asked)[1] == expected
