"""Hostile files and hostile JSON: each is an error in words, none is a crash, a hang or a wrong number."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fields import moment_in, number_in, plain, units_in
from connectors.reading import Caps, lines, text_of, whole
from connectors.strict_json import parse_json
from tracer.errors import BadAmount, BadRow, InputError

EDGES = [0, 1, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_plain_gzip_and_xz_give_the_same_lines_whatever_the_file_is_called(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "named.wrongly"
    path.write_bytes(pack(b"one\r\ntwo\nthree"))
    assert list(lines(path)) == [(1, b"one\r\n"), (2, b"two\n"), (3, b"three")]
    assert whole(path) == b"one\r\ntwo\nthree"


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_truncated_archive_is_an_error_that_says_so(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "cut"
    path.write_bytes(pack(bytes(range(256)) * 50)[:-20])
    with pytest.raises(InputError, match=r"cut ends too early|cut cannot be decompressed"):
        list(lines(path))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_damaged_archive_is_an_error_not_other_content(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = bytearray(pack(b"0123456789" * 100))
    packed[len(packed) // 2] ^= 0xFF
    (tmp_path / "bad").write_bytes(packed)
    with pytest.raises(InputError, match=r"bad (cannot be decompressed|ends too early)"):
        whole(tmp_path / "bad")


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_bomb_stops_at_the_cap(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "one-line").write_bytes(pack(b"0" * 5_000_000))
    (tmp_path / "many-lines").write_bytes(pack(b"0123456\n" * 500_000))
    with pytest.raises(InputError, match="one-line, line 1 is longer than 1,000 bytes"):
        list(lines(tmp_path / "one-line", Caps(line=1000)))
    with pytest.raises(InputError, match="many-lines is longer than 100,000 bytes"):
        list(lines(tmp_path / "many-lines", Caps(total=100_000)))
    with pytest.raises(InputError, match="one-line is longer than 1,000 bytes"):
        whole(tmp_path / "one-line", Caps(line=1000))


def test_a_file_as_long_as_the_cap_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345678\n")
    assert [raw for _, raw in lines(tmp_path / "a", Caps(total=9, line=9))] == [b"12345678\n"]
    assert whole(tmp_path / "a", Caps(total=9, line=9)) == b"12345678\n"


def test_a_missing_file_and_a_folder_are_named_as_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        whole(tmp_path / "absent")
    with pytest.raises(InputError, match="is not a file"):
        whole(tmp_path)


def test_text_that_is_not_utf8_names_the_line_and_the_byte() -> None:
    with pytest.raises(InputError, match=r"a\.csv, line 7 is not UTF-8: byte 3 is 0xff"):
        text_of(b"ab\xff", "a.csv, line 7")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"value": 1e18}', "'value' is 1e18, not a whole number"),
        ('{"legs": [{"units": "1"}, {"units": 1.0}]}', "'units' is 1.0, not a whole number"),
        ('{"units": [1, 0.5]}', "'units' is 0.5, not a whole number"),
        ("[1.5]", "1.5 is not a whole number"),
        ('{"value": NaN}', "NaN is not a number"),
        ('{"value": -Infinity}', "-Infinity is not a number"),
        ('{"value": ' + "9" * 79 + "}", "a number of 79 digits"),
        ('{"value": ' + "9" * 10_000 + "}", "a number of 10000 digits"),
        ('{"a": 1, "value": 1, "value": 2}', "the key 'value' stands twice"),
        ('{"value": 1', "not JSON"),
        ("", "not JSON"),
        ("<html>502 Bad gateway</html>", "not JSON"),
        ('{"a": 1} {"a": 2}', "not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
    ],
)
def test_json_that_another_reader_might_read_otherwise_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        parse_json(text, "a.jsonl, line 3")
    assert str(caught.value).startswith("a.jsonl, line 3: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("units", EDGES)
def test_whole_numbers_of_json_keep_every_digit(units: int) -> None:
    assert parse_json(json.dumps({"units": units}), "x") == {"units": units}
    assert units_in({"units": units}, "units") == units
    assert units_in({"units": str(units)}, "units") == units


@given(st.text(max_size=40))
def test_no_text_makes_the_json_reader_crash(text: str) -> None:
    try:
        parse_json(text, "x")
    except BadRow as error:
        assert str(error).startswith("x: ")  # noqa: PT017  most texts are not JSON, the few that are may pass


@pytest.mark.parametrize("value", ["-1", -1, "1.0", "1e18", "0x10", "", " 1", "٣", str(10**80), 10**80, str(2**256)])
def test_an_amount_that_is_none_names_its_field(value: object) -> None:
    with pytest.raises(BadAmount, match="units: "):
        units_in({"units": value}, "units")


@pytest.mark.parametrize("value", [True, 1.5, ["1"], {"a": "1"}])
def test_a_field_of_the_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(BadRow, match="units is"):
        units_in({"units": value}, "units")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(BadRow, match="block is missing"):
        number_in({}, "block")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2009-01-03T18:15:05Z", 1231006505),
        ("2022-03-23 13:29:09Z", 1648042149),
        ("2022-03-23T13:29:09+00:00", 1648042149),
        ("1648042149", 1648042149),
        ("2099-12-31T23:59:59Z", 4102444799),
    ],
)
def test_a_time_is_utc_seconds(text: str, seconds: int) -> None:
    assert moment_in({"time": text}, "time") == seconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2022-03-23T13:29:09", "time zone"),
        ("2022-03-23T13:29:09+02:00", "not a time"),
        ("2022-02-30T13:29:09Z", "no calendar"),
        ("2022-03-23", "not a time"),
        ("1648042149.5", "not a time"),
        ("-5", "not a time"),
        ("0", "outside"),
        ("2009-01-02T23:59:59Z", "outside"),
        ("2100-01-01T00:00:00Z", "outside"),
        ("9" * 30, "not a time"),
        ("", "not a time"),
    ],
)
def test_a_time_nobody_can_be_sure_of_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadRow, match=reason):
        moment_in({"time": text}, "time")


def test_milliseconds_are_refused_with_a_hint() -> None:
    with pytest.raises(BadRow, match="outside") as caught:
        moment_in({"time": "1648042149000"}, "time")
    assert "milliseconds" in caught.value.hint


def test_foreign_words_are_cut_and_cannot_steer_a_terminal() -> None:
    shown = plain("\x1b[2J\r\n" + "x" * 1000)
    assert len(shown) == 200
    assert shown.isprintable()
