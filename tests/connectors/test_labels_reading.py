"""Reading a label file of any format: every row accounted for, and what cannot be read as a whole."""

import gzip
import lzma
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from connectors.labels import FORMATS, read_labels
from connectors.labels.strict_yaml import parse_yaml
from tracer.entities import same_entity
from tracer.errors import InputError, UnknownName
from tracer.labels import Role
from tracer.values import Chain

HEADER = "chain,address,entity,name,role,source,seen,confidence,note\n"
ROW = "ethereum,0x00000000000000000000000000000000000000a1,HTX,HTX 35,exchange,me,2024-01-31,50,\n"


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path, **options: object) -> InputError:
    with pytest.raises(InputError) as caught:
        read_labels(path, **options)  # type: ignore[arg-type]
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_plain_gzip_and_xz_hold_the_same_labels_and_the_same_evidence(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    plain = read_labels(put(tmp_path, "plain.csv", HEADER + ROW))
    packed = read_labels(put(tmp_path, "packed", pack((HEADER + ROW).encode())))
    assert packed.labels == plain.labels
    assert packed.evidence.body == (HEADER + ROW).encode()


def test_a_label_cites_the_hash_of_the_file_and_its_row(tmp_path: Path) -> None:
    read = read_labels(put(tmp_path, "l.csv", HEADER + ROW))
    assert [label.evidence for label in read.labels] == [f"{read.evidence.id}#2"]


def test_every_row_is_a_label_or_refused_or_skipped(tmp_path: Path) -> None:
    rows = [
        ROW,
        ROW.replace("0x00", "0x0z"),
        ROW.replace("exchange", "exchnge"),
        ROW.replace("ethereum", "etherum"),
        ROW.replace(",50,", ",101,"),
        ROW.replace(",50,", ",5e1,"),
        ROW.replace("2024-01-31", "2024-02-31"),
        ROW.replace(",me,", ",,"),
        ROW.replace("me,", "me,too many cells,"),
        "too few\n",
        "\n",  # says nothing, so it is no row
        ROW,
    ]
    read = read_labels(put(tmp_path, "l.csv", HEADER + "".join(rows)))
    assert (read.rows, len(read.labels), len(read.rejected), len(read.skipped)) == (11, 2, 9, 0)
    assert [problem.where for problem in read.rejected] == [f"l.csv, row {row}" for row in range(3, 12)]
    assert all(problem.text for problem in read.rejected)


def test_what_the_caller_says_fills_only_what_the_file_leaves_open(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "l.csv",
        "address,role,source,seen\n" + "0x" + "a" * 40 + ",scam,,\n0x" + "b" * 40 + ",scam,x,2020-02-29\n",
    )
    first, second = read_labels(path, source="y", chain=Chain.named("bsc"), seen=date(2024, 1, 1)).labels
    assert (first.source, first.seen, first.address.chain.name) == ("y", date(2024, 1, 1), "bsc")
    assert (second.source, second.seen) == ("x", date(2020, 2, 29))
    assert first.confidence == 50


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("blank.csv", b" \n\n"),
        ("header_only.csv", HEADER.encode()),
        ("prose.txt", b"dear sir, please find attached"),
        ("addresses.txt", b"0x00000000000000000000000000000000000000a1\n"),
        ("list.json", b'["0x00000000000000000000000000000000000000a1"]'),
        ("cut.json", b'{"0xa1": {"name": "x", "labels": ["y"]}, "0xa2": {"na'),
        ("twice.json", b'{"0xa1": {"name": "x", "labels": []}, "0xa1": {"name": "z", "labels": []}}'),
        ("deep.json", b'{"a": {"name": ' + b"[" * 100_000),
        ("nan.json", b'{"a": {"name": NaN}}'),
        ("cut.yaml", b"title: t\ntags:\n- address: 'x"),
        ("twice.yaml", b"title: t\ntitle: u\ntags: []\n"),
        ("alias.yaml", b"title: &a t\ntags: [*a]\n"),
        ("deep.yaml", b"title: t\ntags:\n- " + b"[" * 100_000),
        ("two.yaml", b"title: t\ntags: []\n---\ntitle: u\ntags: []\n"),
        ("nothing.yaml", b"title: t\ntags: []\n"),
        ("no_list.yaml", b"title: t\ntags: x\n"),
        ("control.yaml", b"title: \x01\ntags: []\n"),
        ("cut.csv", (HEADER + ROW[:-1] + '"a remark that does not e').encode()),
        ("misspelt.csv", HEADER.replace("seen", "sean").encode() + ROW.encode()),
        ("column_twice.csv", HEADER.replace("seen", "note").encode() + ROW.encode()),
        ("latin1.csv", (HEADER + ROW).replace("HTX,", "H\xfcobi,").encode("latin-1")),
        ("utf16.csv", (HEADER + ROW).encode("utf-16")),
        ("cut.gz", gzip.compress((HEADER + ROW * 1000).encode())[:-20]),
        ("cut.xz", lzma.compress((HEADER + ROW * 1000).encode())[:-20]),
        ("broken.gz", b"\x1f\x8b" + b"x" * 100),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_an_error_with_a_hint(
    tmp_path: Path, name: str, content: bytes
) -> None:
    assert name in str(refusal(put(tmp_path, name, content)))


def test_a_missing_file_and_a_folder_are_errors_with_a_hint(tmp_path: Path) -> None:
    refusal(tmp_path / "none")
    refusal(tmp_path)


def test_the_cap_holds_for_the_file_and_for_what_is_packed_in_it(tmp_path: Path) -> None:
    body = (HEADER + ROW * 100).encode()
    assert read_labels(put(tmp_path, "l.csv", body), max_bytes=len(body)).rows == 100
    refusal(put(tmp_path, "l.csv", body), max_bytes=len(body) - 1)
    bomb = put(tmp_path, "bomb.gz", gzip.compress(body + b"\n" * 10_000_000))
    assert bomb.stat().st_size < 100_000
    refusal(bomb, max_bytes=1_000_000)


def test_an_unknown_format_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    path = put(tmp_path, "l.csv", HEADER + ROW)
    with pytest.raises(UnknownName) as caught:
        read_labels(path, format="tagpak")
    assert "'tagpack'" in caught.value.hint


def test_a_format_named_for_another_files_content_is_an_error(tmp_path: Path) -> None:
    path = put(tmp_path, "l.csv", HEADER + ROW)
    for name in set(FORMATS) - {"fundtrail-labels"}:
        refusal(path, format=name)


def test_no_two_names_of_one_exchange_differ_and_no_two_exchanges_are_one() -> None:
    alike = {
        "Huobi": "HTX",
        "huobi.com": "HTX (Huobi)",
        "OKEx": "okx",
        "gate-io": "Gate",
        "Crypto_com": "crypto.com",
        "FTX Exchange": "ftx",
        "BitMax": "AscendEX",
        "Derebit": "Deribit",
        "Tornado.Cash": "tornado cash",
    }
    for a, b in alike.items():
        assert same_entity(a, b), (a, b)
        assert same_entity(b, a)
    unlike = {"Binance": "Binance US", "FTX": "FTX US", "Crypto.com": "crypto", "OKX": "\u041eKX", "": "OKX", "!": "?"}
    for a, b in unlike.items():
        assert not same_entity(a, b), (a, b)


def test_yaml_scalars_stay_as_they_are_written() -> None:
    text = "a: 0x00e0\nb: 1e5\nc: no\nd: 2021-11-04\ne: ~\nf: 017\ng:\nh: !!python/object:os.system x\n"
    assert parse_yaml(text, "f") == {
        "a": "0x00e0", "b": "1e5", "c": "no", "d": "2021-11-04", "e": "~", "f": "017", "g": "", "h": "x",
    }  # fmt: skip


def test_the_page_about_label_files_shows_a_file_that_is_read_and_names_every_format_and_role(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "label-files.md").read_text()
    example = page.partition("```csv\n")[2].partition("```")[0]
    read = read_labels(put(tmp_path, "example.csv", example))
    assert (len(read.labels), read.rejected) == (2, ())
    assert all(f"`{name}`" in page for name in [*FORMATS, *Role])
