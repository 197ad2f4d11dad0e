"""What can be imported comes back as it was: every field, every width, every word, in each of the formats."""

from __future__ import annotations

import random
import tempfile
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
from told_contents import BYTES, EDGES, coins, contents, hostile_contents, paid, texts_in, token
from tracer.errors import InputError
from tracer.values import MAX_UNITS

READERS = {"csv": csv_folder.read, "jsonl": json_lines.read, "parquet": parquet.read, "graphml": graphml.read}
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


@pytest.mark.parametrize(
    ("file", "was", "becomes", "named"),
    [
        ("transfers.csv", '"50"', '"51"', "transfers, row"),
        ("legs.csv", '"50"', '"51"', "inputs 50, outputs 51|inputs 51, outputs 50"),
        ("ends.csv", '"mixer"', '"burned"', "ends, row"),
        ("hops.csv", '"10"', '"11"', "hops, row"),
        ("books.csv", '"60"', '"61"', "books, row 1, lost"),
        ("answer.json", '"mixer"', '"burned"', "ends, row"),
        ("contents.csv", "losses.csv", "notes.csv", "no file"),
        ("contents.csv", "losses.csv", "../../x.csv", "names a file"),
        ("contents.csv", "export/1", "export/9", "format"),
    ],
)
def test_a_changed_csv_export_is_refused_and_the_place_named(
    file: str, was: str, becomes: str, named: str, tmp_path: Path
) -> None:
    case = drawn()
    export(contents_told(case.answer, case.following, case.labels), tmp_path / "out", "csv")
    path = tmp_path / "out" / file
    text = path.read_bytes().decode()
    assert was in text
    path.write_bytes(text.replace(was, becomes, 1).encode())
    with pytest.raises(InputError, match=named) as caught:
        csv_folder.read(tmp_path / "out")
    assert caught.value.hint


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


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('<data key="edge.units">50<', '<data key="edge.units">51<'),
        ('<data key="node.inferred_stop">mixer<', '<data key="node.inferred_stop">burned<'),
        ('<data key="edge.units_fifo">', '<data key="edge.units_fifo">9'),
        ("</graph>", '<edge id="f999" source="a" target="b"/></graph>'),
        ('<data key="edge.statement">inference<', '<data key="edge.statement">fact<'),
        ('<?xml version="1.0" encoding="UTF-8"?>', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'),
        ("</graphml>", ""),
    ],
)
def test_a_changed_graphml_export_is_refused(was: str, becomes: str, tmp_path: Path) -> None:
    case = drawn()
    path = tmp_path / "a.graphml"
    export(contents_told(case.answer, case.following, case.labels), path, "graphml")
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))
    with pytest.raises(InputError) as caught:
        graphml.read(path)
    assert caught.value.hint


@pytest.mark.parametrize("damage", ["cut", "kind", "twice", "float", "hash", "head"])
def test_a_damaged_jsonl_export_is_refused(damage: str, tmp_path: Path) -> None:
    case = drawn()
    told = replace(contents_told(case.answer, case.following, case.labels), evidence=(BYTES,))
    path = tmp_path / "a.jsonl"
    export(told, path, "jsonl")
    lines = path.read_text().splitlines()
    match damage:
        case "cut":
            lines = lines[:-1]
        case "kind":
            lines[-1] = lines[-1].replace('"statement":"inference"', '"statement":"fact"')
        case "twice":
            lines[-1] = lines[-1].replace('{"hop"', '{"kind":"hop","hop"')
        case "float":
            lines[-1] = lines[-1].replace('"block":', '"block":1e0,"was":')
        case "hash":
            lines[1] = lines[1].replace(BYTES.id, BYTES.id[:-1] + "0")
        case "head":
            lines[0] = lines[0].replace("export/1", "export/2")
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError) as caught:
        json_lines.read(path)
    assert "a.jsonl" in str(caught.value)
    assert caught.value.hint


def test_a_parquet_export_with_a_changed_amount_is_refused(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    case = drawn()
    export(contents_told(case.answer, case.following, case.labels), tmp_path / "out", "parquet")
    path = tmp_path / "out" / "books.parquet"
    table = pyarrow.parquet.read_table(path)
    at = table.column_names.index("lost")
    table = table.set_column(at, "lost", pyarrow.array(["61"] * table.num_rows, pyarrow.string()))
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(InputError, match="books, row 1, lost is '61', not '60'"):
        parquet.read(tmp_path / "out")
    (tmp_path / "out" / "books.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a Parquet file"):
        parquet.read(tmp_path / "out")
