"""Exports: the whole answer in every format, the same bytes anywhere, inert in a spreadsheet, whole or not at all."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cases.exporting.cells import alive, escaped, inert
from cases.exporting.contents import Contents, contents_told
from cases.exports import FORMATS, export
from cases.hops import hops_of
from cases.visible import visible
from cases.write import write_new
from drawn_answer import STORY, Drawn, claim, drawn, end_of, story_labels
from hostile import HOSTILE
from notation import ETH, address, payment
from tracer.errors import CaseConflict, CaseError, UnknownName
from tracer.labels import Role
from tracer.losses import Loss
from tracer.lots import Rule

ROOT = Path(__file__).parents[2]
EDGES = [1, 2, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1]
FOLDERS = ("csv", "parquet")
TARGETS = {form: "out" if form in FOLDERS else f"out{kind.ending}" for form, kind in FORMATS.items()}
CSV = [
    "contents.csv", "transfers.csv", "legs.csv", "evidence.csv", "coverage.csv", "problems.csv", "labels.csv",
    "losses.csv", "ends.csv", "hops.csv", "books.csv", "commingling.csv", "answer.json",
]  # fmt: skip
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  the full-width twins are the point
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def told(case: Drawn) -> Contents:
    """What is exported of a drawn case."""
    return contents_told(case.answer, case.following, case.labels)


def exported(case: Drawn, folder: Path, format: str) -> dict[str, bytes]:
    """The files of one export, by name."""
    files = export(told(case), folder / TARGETS[format], format)
    return {file.name: file.read_bytes() for file in files}


def parsed(graphml: bytes) -> ET.Element:
    """Read by expat, which refuses whatever is not well-formed."""
    return ET.fromstring(graphml)  # noqa: S314 - our own bytes


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(body.decode(), newline=""), strict=True))


def test_csv_has_a_file_for_each_kind_of_row_and_every_end(tmp_path: Path) -> None:
    case = drawn()
    files = exported(case, tmp_path, "csv")
    assert list(files) == CSV
    ends = rows(files["ends.csv"])
    assert [end["address"] for end in ends] == [end["address"] or "" for end in case.answer["ends"]]
    assert [end["pro_rata"] for end in ends] == [end["amounts"]["pro_rata"] for end in case.answer["ends"]]
    assert [(end["least"], end["most"]) for end in ends] == [(end["least"], end["most"]) for end in case.answer["ends"]]


def test_csv_books_close_and_hops_and_ends_add_up_to_the_same(tmp_path: Path) -> None:
    files = exported(drawn(), tmp_path, "csv")
    for books in rows(files["books.csv"]):
        assert int(books["lost"]) == sum(int(books[part]) for part in ("ends", "held", "fees", "not_followed"))
    mixer = address("mixer").text
    moved = sum(int(hop["units"]) for hop in rows(files["hops.csv"]) if (hop["rule"], hop["target"]) == ("fifo", mixer))
    [end] = [end for end in rows(files["ends.csv"]) if end["address"] == mixer]
    assert moved == int(end["fifo"])


def test_csv_transfers_are_the_recorded_payments_with_their_evidence(tmp_path: Path) -> None:
    listed = rows(exported(drawn(), tmp_path, "csv")["transfers.csv"])
    [paid] = [row for row in listed if row["transfer"] == str(payment(3))]
    assert (paid["units"], paid["inputs"]) == ("50", f"{address('mule').text}:50")
    assert paid["evidence"].startswith("drawing#")
    assert len(listed) == len({row["transfer"] for row in listed})


def test_csv_is_rfc_4180(tmp_path: Path) -> None:
    for name, body in exported(drawn(), tmp_path, "csv").items():
        if name == "answer.json":
            continue
        assert body.endswith(b'"\r\n')
        assert b"\n" not in body.replace(b"\r\n", b"")
        assert all(line.startswith(b'"') and line.endswith(b'"') for line in body.split(b"\r\n")[:-1])


def test_json_is_the_answer_and_the_hops(tmp_path: Path) -> None:
    case = drawn()
    [body] = exported(case, tmp_path, "json").values()
    found = json.loads(body)
    assert found["answer"] == case.answer
    assert found["hops"] == hops_of(case.answer, case.following)


def test_hops_are_the_payments_in_the_order_of_the_chain_with_every_rule_and_loss() -> None:
    two = [Loss("first", ETH, paid=payment(1)), Loss("second", ETH, paid=payment(2))]
    case = drawn("1 a -> w 50\n2 b -> w 50\n3 w -> e 50 gas 2", [], losses=two)
    hops = hops_of(case.answer, case.following)
    assert [hop["transfer"] for hop in hops] == [
        str(payment(1)),
        str(payment(2)),
        str(payment(3)),
        str(payment(3, 0, "fee")),
    ]
    assert (hops[2]["source"], hops[2]["target"]) == (address("w").text, address("e").text)
    assert hops[2]["amounts"] == dict.fromkeys(case.answer["rules"], "50")
    assert hops[2]["by_loss"]["pro_rata"] == {"first": "25", "second": "25"}
    assert (hops[3]["target"], hops[3]["amounts"]["fifo"]) == (None, "2")


def test_graphml_is_read_by_a_strict_parser_and_has_every_end(tmp_path: Path) -> None:
    case = drawn()
    [body] = exported(case, tmp_path, "graphml").values()
    nodes = {node.get("id"): node for node in parsed(body).iter(f"{GRAPHML}node")}
    named = {end["address"]: f"ethereum:{end['address']}" for end in case.answer["ends"] if end["address"]}
    assert {*named.values(), "(fee of ethereum)"} <= set(nodes)
    data = {one.get("key"): one.text for one in nodes[named[address("mixer").text]]}
    amount = end_of(case.answer, "mixer")["amounts"]["fifo"]
    assert (data["node.inferred_stop"], data["node.inferred_amount_fifo"]) == ("mixer", amount)


@pytest.mark.parametrize("units", EDGES)
@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "graphml", "gexf", "cytoscape", "stix", "ftm"])
def test_amounts_of_every_width_are_exported_to_the_last_digit(units: int, format: str, tmp_path: Path) -> None:
    case = drawn(f"1 victim -> mule {units}\n2 mule -> shop {units}", [])
    files = exported(case, tmp_path, format)
    for name in ("ends.csv", "hops.csv", "books.csv", "transfers.csv") if format == "csv" else files:
        assert str(units).encode() in files[name]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_no_text_is_a_formula_and_what_was_written_can_be_told(text: str) -> None:
    cell = inert(text)
    assert not cell.lstrip(" ").startswith(FORMULA)
    assert cell.removeprefix("'") == escaped(text) or cell == escaped(text)
    assert alive(cell) == text
    if "\\" not in text:
        assert escaped(text) == visible(text)


@pytest.mark.parametrize("start", FORMULA)
@pytest.mark.parametrize("before", ["", " ", "   "])
def test_every_start_of_a_formula_gets_an_apostrophe(start: str, before: str) -> None:
    assert inert(f"{before}{start}1+1").startswith("'")


def test_hostile_names_stay_in_their_cell_and_in_their_node(tmp_path: Path) -> None:
    tame = drawn(requested=[Rule.FIFO])
    for number, name in enumerate(HOSTILE):
        case = drawn(labels=story_labels(name or "-", name or "-"), requested=[Rule.FIFO])
        files = exported(case, tmp_path / str(number), "csv")
        ends = rows(files["ends.csv"])
        [mixer] = [end for end in ends if end["stop"] == "mixer"]
        assert mixer["label"] == inert(name or "-")
        assert len(ends) == len(tame.answer["ends"])
        assert None not in mixer, "a name began a column of its own"
        for end in ends:
            assert not [value for value in end.values() if value.lstrip(" ").startswith(FORMULA)]
            assert end["fifo"].isdigit()
        [graph] = exported(case, tmp_path / str(number), "graphml").values()
        labels = {data.text for data in parsed(graph).iter(f"{GRAPHML}data") if data.get("key") == "node.claimed_name"}
        assert escaped(name or "-") in labels
        [body] = exported(case, tmp_path / str(number), "json").values()
        assert json.loads(body)["answer"] == case.answer


def test_a_cell_ends_before_a_spreadsheet_cuts_it_and_says_how_many_more_there_are(tmp_path: Path) -> None:
    many = "\n".join(f"{block} mule -> shop 1" for block in range(2, 802))
    case = drawn(f"1 victim -> mule 900\n{many}", [claim("shop", Role.SERVICE)], requested=[Rule.FIFO])
    [shop, _] = rows(exported(case, tmp_path, "csv")["ends.csv"])
    assert max(map(len, shop.values())) < 32_767
    kept, _, more = shop["transfers"].partition(" and ")
    listed = kept.split(" ")
    assert more == f"{800 - len(listed)} more, see the json export"
    assert listed == end_of(case.answer, "shop")["transfers"][: len(listed)]


def test_an_unknown_format_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    case = drawn()
    with pytest.raises(UnknownName, match="no export format named 'cvs'") as caught:
        export(told(case), tmp_path / "x", "cvs")
    assert "did you mean 'csv'?" in caught.value.hint


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_replaced_unless_told_to(format: str, tmp_path: Path) -> None:
    case = drawn()
    first = exported(case, tmp_path, format)
    last = (tmp_path / "out" / f"transfers.{format}") if format in FOLDERS else tmp_path / TARGETS[format]
    last.write_bytes(b"mine")
    with pytest.raises(CaseConflict, match="exists already") as caught:
        exported(case, tmp_path, format)
    assert "--force" in caught.value.hint
    assert last.read_bytes() == b"mine"
    export(told(case), tmp_path / TARGETS[format], format, force=True)
    assert last.read_bytes() == first[last.name]


def test_one_standing_file_keeps_the_others_from_being_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "transfers.csv").write_bytes(b"mine")
    with pytest.raises(CaseConflict):
        exported(drawn(), tmp_path, "csv")
    assert os.listdir(tmp_path / "out") == ["transfers.csv"]


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
@pytest.mark.parametrize("format", FORMATS)
def test_files_are_private(format: str, tmp_path: Path) -> None:
    case = drawn()
    for file in export(told(case), tmp_path / TARGETS[format], format):
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(OSError(errno.ENOSPC, "No space left on device"), CaseError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_full_disk_or_an_interruption_leaves_nothing_behind(
    raised: BaseException, expected: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 3:
            raise raised

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(expected):
        exported(drawn(), tmp_path, "csv")
    assert os.listdir(tmp_path / "out") == []


def test_a_file_made_meanwhile_by_somebody_else_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.json"

    def fsync(descriptor: int) -> None:
        target.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CaseConflict, match="exists already"):
        write_new({target: b"ours"})
    assert target.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_folder_that_cannot_be_made_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CaseError, match="cannot write"):
        write_new({tmp_path / "file" / "inside.csv": b"x"})


PROGRAM = """
import hashlib, sys, tempfile
from pathlib import Path
from cases.answer import canonical
from cases.exporting.contents import contents_told
from cases.exports import FORMATS, export
from cases.show import show
from drawn_answer import STORY, claim, drawn, story_labels
from tracer.labels import Role

more = "".join(f"7 mule -> till{n} 1\\n8 till{n} -> exchange 1\\n9 mule -> shop{n} 1\\n" for n in range(8))
case = drawn(STORY + more, [*story_labels("Börse 火", "[red]"), claim("mixer", Role.SERVICE, "Shop", "another list")])
bodies = [canonical(case.answer).encode(), show(case.answer).encode()]
with tempfile.TemporaryDirectory() as folder:
    for form in FORMATS:
        told = contents_told(case.answer, case.following, case.labels)
        bodies += [file.read_bytes() for file in export(told, Path(folder) / form, form)]
counted = len(case.answer["ends"]), len(case.answer["venues"][0]["through"])
print(*counted, *(hashlib.sha256(body).hexdigest() for body in bodies))
"""


def printed(environment: Mapping[str, str]) -> list[str]:
    """What the program above prints in a fresh interpreter with these variables."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
    }
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": path, **environment},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().split()


def test_bytes_are_the_same_across_hash_seeds_time_zones_and_locales() -> None:
    ends, through, *first = printed({"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "COLUMNS": "40"})
    assert (int(ends), int(through)) == (21, 9), "enough of everything for an unsorted set to show"
    assert len(first) == 2 + len(CSV) + 12 + len(FORMATS) - 2
    for environment in (
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "FORCE_COLOR": "1"},
    ):
        assert printed(environment)[2:] == first


def test_the_order_of_the_data_changes_no_byte_of_an_export(tmp_path: Path) -> None:
    def digest(case: Drawn, folder: Path) -> Any:
        return [
            hashlib.sha256(body).hexdigest()
            for format in ("json", "gexf", "cytoscape", "dot")  # the others cite the lines of the drawing
            for body in exported(case, folder, format).values()
        ]

    lines = STORY.strip().splitlines()
    turned = drawn("\n".join(reversed(lines)), story_labels()[::-1])
    assert digest(turned, tmp_path / "a") == digest(drawn(), tmp_path / "b")
