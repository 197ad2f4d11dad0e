"""Our own label file comes back as it was written, whatever the names hold."""

import csv
import gzip
import io
import lzma
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.labels import read_labels, write_labels
from connectors.labels.own import guarded, unguarded
from tracer.addresses import parse
from tracer.errors import InputError
from tracer.labels import Label, Role
from tracer.values import Chain

ADDRESSES = [
    parse("0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae", Chain.named("ethereum")),
    parse("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Chain.named("tron")),
    parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Chain.named("bitcoin")),
]
HOSTILE = [
    "", "a\nb", "a\r\nb", "\r", '"', '""', ",", "=cmd|' /C calc'!A0", "+1", "-1", "@x", "'=x", "''=x", "'", "'Tis",
    "\0", "\u202egnp.exe", "\u2066", "\ud800", "\udcff", "\\", "\\u{a}", "\\\\u{a}", "\\\n", " padded ", "\u2028",
    "\ufeff", "\uff1d1", "\x1b[2J", "HTX\u200b", "火币", "\U0001f4b0", "\t=x",
]  # fmt: skip
words = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=20), st.text("\\u{a}'=\n\"", max_size=8))
labels = st.builds(
    Label,
    address=st.sampled_from(ADDRESSES),
    entity=words,
    name=words,
    role=st.sampled_from(Role),
    source=words.filter(bool),
    seen=st.none() | st.dates(),
    confidence=st.integers(0, 100),
    evidence=st.just("sha256:0#1"),
    note=words,
)


@given(words)
def test_any_words_come_back_from_a_cell_as_they_were(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(words)
def test_no_cell_is_a_formula_or_holds_anything_invisible(text: str) -> None:
    cell = guarded(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))
    assert cell.isprintable() or all(letter.isprintable() or letter.isspace() or letter > "\x7f" for letter in cell)
    assert not set(cell) & set("\n\r\t\0\u2028\u202e\ud800\u200b")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.lists(labels, min_size=1, max_size=6))
def test_labels_written_and_read_are_the_same_labels_and_written_again_the_same_bytes(
    tmp_path: Path, kept: list[Label]
) -> None:
    path = tmp_path / "l.csv"
    assert write_labels(kept, path) == len(kept)
    written = path.read_bytes()
    read = read_labels(path)
    assert (read.format, read.rejected, read.skipped, read.rows) == ("fundtrail-labels", (), (), len(kept))
    assert [replace(label, evidence="sha256:0#1") for label in read.labels] == kept
    write_labels(read.labels, path)
    assert path.read_bytes() == written
    assert written.decode().count("\n") == len(kept) + 1  # one line a label, so that two files can be compared


def test_compressed_files_are_the_same_bytes_every_time_and_hold_the_plain_ones(tmp_path: Path) -> None:
    label = Label(ADDRESSES[0], "HTX", "HTX 35", Role.EXCHANGE, "me", date(2024, 1, 31), 50, "sha256:0#1")
    write_labels([label], tmp_path / "l.csv")
    plain = (tmp_path / "l.csv").read_bytes()
    for name, unpack in (("l.csv.gz", gzip.decompress), ("l.csv.xz", lzma.decompress)):
        write_labels([label], tmp_path / name)
        packed = (tmp_path / name).read_bytes()
        assert unpack(packed) == plain
        write_labels([label], tmp_path / name)
        assert (tmp_path / name).read_bytes() == packed


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        write_labels([], tmp_path / "no such folder" / "l.csv")
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError):
        write_labels([], tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def test_a_file_typed_by_hand_with_line_ends_inside_quotes_and_in_any_column_order_is_read(tmp_path: Path) -> None:
    page = io.StringIO()
    csv.writer(page).writerows(
        [["role", "note", "address", "chain", "source"], ["mixer", "two\nlines", ADDRESSES[1].text, "tron", "me"]]
    )
    (tmp_path / "l.csv").write_text("\ufeff" + page.getvalue(), newline="")
    (label,) = read_labels(tmp_path / "l.csv").labels
    assert (label.role, label.note, label.address) == (Role.MIXER, "two\nlines", ADDRESSES[1])


def test_an_escape_of_no_character_is_refused_and_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(f"chain,address,role,source,name\ntron,{ADDRESSES[1]},scam,me,\\u{{ffffff}}\n")
    read = read_labels(tmp_path / "l.csv")
    assert (read.labels, len(read.rejected)) == ((), 1)
