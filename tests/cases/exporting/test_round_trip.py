"""What can be imported comes back as it was: every field, every width, every word, in each of the formats."""

from __future__ import annotations

import io
import random
import re
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from cases.exporting import csv_folder, graphml, json_lines, parquet
from cases.exporting.contents import Contents, contents_told
from cases.exports import FORMATS, export
from connectors.labels import read_labels
from drawn_answer import drawn
from hostile_strings import CORPUS
from notation import ETHEREUM, address
from told_contents import BYTES, EDGES, coins, contents, hostile_contents, paid, texts_in, token
from tracer.values import MAX_UNITS, TransferId

READERS = {"csv": csv_folder.read, "jsonl": json_lines.read, "parquet": parquet.read, "graphml": graphml.read}
NO_HASHES = (f"GENESIS_{address('a').text[2:]}", f"0x{17:064x}")
formats = pytest.mark.parametrize("form", READERS)


def there_and_back(told: Contents, form: str) -> Contents:
    """Exported and read again."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, f"out{FORMATS[form].ending}")
        export(told, target, form)
        return READERS[form](target)


def spelt(told: Contents) -> str:
    """All of it as text: equality of transfers leaves out hashes of blocks and names of tokens."""
    return json_lines.write(told)


@pytest.mark.slow
@formats
def test_whatever_the_contents_they_come_back_equal(form: str) -> None:
    @given(contents())
    def holds(told: Contents) -> None:
        told = there_and_back(told, "jsonl")  # as a case holds them: JSON makes one character of two halves
        assert spelt(there_and_back(told, form)) == spelt(told)

    holds()


@formats
def test_an_answer_and_its_hops_come_back_equal(form: str) -> None:
    case = drawn()
    told = replace(contents_told(case.answer, case.following, case.labels), evidence=(BYTES,))
    again = there_and_back(told, form)
    assert (again.answer, again.hops) == (told.answer, told.hops)
    assert spelt(again) == spelt(told)


@formats
def test_what_a_chain_began_with_and_what_a_block_paid_come_back_though_no_transaction_made_them(form: str) -> None:
    began, block = (
        replace(paid(n, token("T"), n), id=TransferId(ETHEREUM, name)) for n, name in enumerate(NO_HASHES, 1)
    )
    told = Contents((began, block), (BYTES,))
    assert there_and_back(told, form).transfers == told.transfers


@pytest.mark.slow
@formats
def test_the_hostile_corpus_comes_back_equal_from_every_field(form: str) -> None:
    told = hostile_contents(texts_in(CORPUS))
    assert len(told.labels) >= 500
    assert spelt(there_and_back(told, form)) == spelt(told)


@pytest.mark.slow
@formats
def test_ten_thousand_integers_of_256_bits_and_the_pinned_ones_survive(form: str) -> None:
    chance = random.Random(256)
    wanted = [*EDGES, *(chance.randrange(MAX_UNITS + 1) for _ in range(10_000))]
    asset = token("T")
    told = Contents(tuple(paid(number, asset, units) for number, units in enumerate(wanted)), (BYTES,))
    assert [one.units for one in there_and_back(told, form).transfers] == wanted
    halves = Contents(tuple(coins(number, units // 2, units // 2) for number, units in enumerate(EDGES)), (BYTES,))
    assert there_and_back(halves, form).transfers == halves.transfers


@pytest.mark.slow
def test_labels_come_back_from_a_tagpack_but_for_the_note_which_may_name_a_person(tmp_path: Path) -> None:
    @given(contents())
    def holds(told: Contents) -> None:
        told = there_and_back(told, "jsonl")
        if not told.labels:
            return
        path = tmp_path / "labels.yaml"
        export(told, path, "tagpack", force=True)
        file = read_labels(path)
        assert file.format == "tagpack"
        assert not file.rejected
        assert [replace(one, evidence="x") for one in file.labels] == [
            replace(one, evidence="x", note="") for one in told.labels
        ]
        assert [one.evidence for one in file.labels] == [
            f"{file.evidence.id}#{n}" for n in range(1, len(file.labels) + 1)
        ]

    holds()


def test_a_tagpack_holds_no_note_no_victim_and_no_loss(tmp_path: Path) -> None:
    told = hostile_contents(("John Doe of Springfield", "-"))
    label = replace(told.labels[0], entity="Shop", name="Shop 1", source="a list")
    export(replace(told, labels=(label,)), tmp_path / "a.yaml", "tagpack")
    assert "Doe" not in (tmp_path / "a.yaml").read_text()


def test_every_chain_has_a_name_in_a_tagpack() -> None:
    from connectors.labels.tagpack_writing import _NETWORK
    from tracer.values import CHAINS

    assert set(_NETWORK) == set(CHAINS)


def test_a_spreadsheet_that_saves_the_csv_with_other_quotes_changes_nothing(tmp_path: Path) -> None:
    import csv

    case = drawn()
    told = replace(contents_told(case.answer, case.following, case.labels), evidence=(BYTES,))
    for file in export(told, tmp_path / "out", "csv"):
        if file.suffix == ".csv":
            rows = list(csv.reader(file.read_text().splitlines()))
            with file.open("w", newline="") as out:
                csv.writer(out, lineterminator="\n").writerows(rows)
    assert spelt(csv_folder.read(tmp_path / "out")) == spelt(told)


def digits_of(body: bytes) -> set[str]:
    """Every run of digits in a file, in a workbook those of its texts."""
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = book.read("xl/sharedStrings.xml")
    return set(re.findall(r"[0-9]+", body.decode()))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "xlsx", "gexf", "cytoscape", "dot", "ftm", "stix"])
def test_the_formats_that_do_not_come_back_hold_every_integer_to_its_last_digit(form: str, tmp_path: Path) -> None:
    chance = random.Random(257)
    wanted = [*EDGES, *(chance.randrange(MAX_UNITS + 1) for _ in range(10_000))]
    asset = token("T", decimals=0)
    transfers = tuple(paid(number, asset, units) for number, units in enumerate(wanted))
    hops = tuple(
        {
            "transfer": str(one.id), "block": one.block.number, "time": one.block.time,
            "source": address("a").text, "target": address("b").text, "asset": asset.name, "symbol": "T",
            "decimals": 0, "through": [], "amounts": {"fifo": str(one.units)},
            "basis_amounts": {"fifo": str(one.units)},
        }
        for one in transfers
    )  # fmt: skip
    told = Contents(transfers, (BYTES,), hops=hops)
    [file] = export(told, tmp_path / "out", form)
    assert set(map(str, wanted)) <= digits_of(file.read_bytes())
