"""An export that was changed is refused, and the place is named: what follows from something else says the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cases.exporting import csv_folder, graphml, json_lines, parquet
from cases.exporting.contents import Contents, contents_told
from cases.exports import export
from drawn_answer import drawn
from notation import address, payment
from told_contents import BYTES
from tracer.errors import InputError
from tracer.judgements import Judgement, Withdrawal

JUDGED = (
    Judgement(address("mule"), address("mixer"), "he said so", (payment(6),), 40, "A. Person", 6),
    Judgement(address("mule"), address("aunt"), "a guess", (), 10, "A. Person", 0),
    Judgement(address("mule"), address("uncle"), "seen", (payment(77),), 20, "A. Person", 77),
)
WITHDRAWN = (Withdrawal(JUDGED[1], "B. Person", "not so"),)


def judged() -> Contents:
    case = drawn()
    told = contents_told(case.answer, case.following, case.labels)
    return replace(told, evidence=(BYTES,), judgements=JUDGED, withdrawals=WITHDRAWN)


@pytest.mark.parametrize(
    ("file", "was", "becomes", "named"),
    [
        ("judgements.csv", '"40"', '"90"', "judgements, row 1, judgement"),
        ("judgements.csv", '"withdrawn"', '""', "judgements, row 2, doubt"),
        ("judgements.csv", '"he said so"', '"it is proven"', "judgements, row 1, judgement"),
        ("clusters.csv", '"40"', '"90"', "clusters, row 1, weakest"),
        ("withdrawals.csv", '"B. Person",', "", "cells"),
        ("contents.csv", '"withdrawals.csv","decision","fundtrail-export/1"\r\n', "", "judgements, row 2, doubt"),
        ("contents.csv", '"judgements.csv","inference","fundtrail-export/1"\r\n', "", "cannot be read"),
    ],
)
def test_changed_judgements_are_refused_and_a_withdrawal_cannot_be_left_out(
    file: str, was: str, becomes: str, named: str, tmp_path: Path
) -> None:
    export(judged(), tmp_path / "out", "csv")
    assert csv_folder.read(tmp_path / "out").withdrawals == WITHDRAWN
    path = tmp_path / "out" / file
    text = path.read_bytes().decode()
    assert was in text
    path.write_bytes(text.replace(was, becomes, 1).encode())
    with pytest.raises(InputError, match=named) as caught:
        csv_folder.read(tmp_path / "out")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"confidence":40', '"confidence":"40"'), ('"confidence":40', '"confidence":101'), ('"at":6', '"at":true'),
        ('"at":77', '"at":"77"'),
        ('"author":"A. Person"', '"author":["A. Person"]'), ('"kind":"judgement"', '"kind":"cluster"'),
        ('"by":"B. Person"', '"by":null'), ('"members":[', '"members":[7,'), ('"rule":"a guess"', '"rule":"proven"'),
    ],
)  # fmt: skip
def test_anything_else_in_the_place_of_a_judgement_in_a_jsonl_export_is_refused(
    was: str, becomes: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    export(judged(), path, "jsonl")
    assert json_lines.read(path).judgements == JUDGED
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))
    with pytest.raises(InputError) as caught:
        json_lines.read(path)
    assert caught.value.hint


def test_a_graphml_export_with_a_withdrawal_taken_out_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.graphml"
    export(judged(), path, "graphml")
    assert graphml.read(path).withdrawals == WITHDRAWN
    text = path.read_text()
    at = text.index('<data key="graph.decision_withdrawals">')
    end = text.index("</data>", at)
    path.write_text(f'{text[:at]}<data key="graph.decision_withdrawals">[]{text[end:]}')
    with pytest.raises(InputError):
        graphml.read(path)


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


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"entity":"Exchange"', '"entity":7'),
        ('"entity":"Exchange"', '"entity":["x"]'),
        ('"entity":"Exchange"', '"entity":null'),
        ('"confidence":50', '"confidence":true'),
        ('"confidence":50', '"confidence":"50"'),
        ('"block":[1,', '"block":["1",'),
        ('"method":""', '"method":{}'),
        ('"victim":"the victim"', '"victim":{"name":"x"}'),
        ('"since":0', '"since":"0"'),
        ('"rows":', '"rows":true,"was":'),
        ('"id":["ethereum","0x', '"id":["ethereum","0X'),
        (address("mixer").text, address("mixer").text.upper().replace("X", "x")),
        (address("mixer").text, "=1+1"),
        ('"tx"],"index"', '"tx7"],"index"'),
        ('"kind":"answer"', '"kind":"problem","text":"","where":""'),
    ],
)
def test_anything_of_another_kind_or_spelling_in_a_jsonl_export_is_refused(
    was: str, becomes: str, tmp_path: Path
) -> None:
    case = drawn()
    told = replace(contents_told(case.answer, case.following, case.labels), evidence=(BYTES,))
    path = tmp_path / "a.jsonl"
    export(told, path, "jsonl")
    assert json_lines.read(path)
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))
    with pytest.raises(InputError) as caught:
        json_lines.read(path)
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


def test_evidence_with_another_hash_than_its_name_is_refused(tmp_path: Path) -> None:
    case = drawn()
    told = replace(contents_told(case.answer, case.following, case.labels), evidence=(BYTES,))
    export(told, tmp_path / "out", "csv")
    (tmp_path / "out" / "evidence" / BYTES.id.removeprefix("sha256:")).write_bytes(b"other bytes")
    with pytest.raises(InputError, match="evidence, row 1, id"):
        csv_folder.read(tmp_path / "out")


def test_a_sheet_that_nothing_stands_behind_is_refused(tmp_path: Path) -> None:
    case = drawn()
    export(contents_told(case.answer, case.following, case.labels), tmp_path / "out", "csv")
    index, more = tmp_path / "out" / "contents.csv", tmp_path / "out" / "more.csv"
    with index.open("a", newline="") as out:
        out.write('"more.csv","fact","fundtrail-export/1"\r\n')
    more.write_text('"a"\n"b"\n')
    with pytest.raises(InputError, match="a sheet 'more' that nothing stands behind"):
        csv_folder.read(tmp_path / "out")


def test_a_row_more_and_a_row_less_are_refused(tmp_path: Path) -> None:
    case = drawn()
    export(contents_told(case.answer, case.following, case.labels), tmp_path / "out", "csv")
    path = tmp_path / "out" / "hops.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]]):
        path.write_bytes(b"".join(changed))
        with pytest.raises(InputError, match=r"hops has \d+ rows, not \d+"):
            csv_folder.read(tmp_path / "out")
