"""Columns as numbers, hashes and amounts, against Python's own integers, dates and CSV."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Context, Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bulk import readers_columns as columns
from connectors.bulk import readers_kernels as kernels
from connectors.bulk.readers_columns import BAD, EMPTY, OK, ZERO
from tracer.errors import InputError

PINNED = sorted(
    {0, 1, 10**21, 2**256 - 1}
    | {2**power + step for power in (32, 53, 63, 64, 96, 127, 128) for step in (-1, 0, 1)}
    | {10**power + step for power in (9, 18, 19, 27, 36, 38) for step in (-1, 0, 1)}
)
WIDE = Context(prec=100)
AMOUNTS = st.one_of(st.sampled_from(PINNED), st.integers(0, 2**256 - 1), st.integers(0, 2**70))


def units_in(array: pa.Array) -> list[int | None]:
    """The amounts as the columns hold them, None where the fast way leaves the row to the slow one."""
    low, high, states = columns.units(columns.column_of(array, "value"))
    return [
        int(upper) * 2**64 + int(lower) if state == OK else None
        for lower, upper, state in zip(low, high, states, strict=True)
    ]


def left_over(amounts: list[int]) -> list[int | None]:
    return [amount if amount < 2**128 else None for amount in amounts]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_pinned_amounts_are_read_exactly_from_text(kind: pa.DataType) -> None:
    assert units_in(pa.array([str(one) for one in PINNED]).cast(kind)) == left_over(PINNED)


@given(st.lists(AMOUNTS, max_size=30))
def test_any_amount_comes_back_from_its_text_or_is_left_to_the_slow_way(amounts: list[int]) -> None:
    assert units_in(pa.array([str(one) for one in amounts], pa.string())) == left_over(amounts)


@given(st.lists(AMOUNTS, max_size=30), st.integers(0, 9))
def test_any_amount_comes_back_from_a_decimal_column(amounts: list[int], scale: int) -> None:
    fit = [one for one in amounts if len(str(one)) + scale <= 76]
    array = pa.array([Decimal(one) for one in fit], pa.decimal256(76, scale))
    assert units_in(array) == left_over(fit)
    fit = [one for one in fit if len(str(one)) + scale <= 38]
    assert units_in(pa.array([Decimal(one) for one in fit], pa.decimal128(38, scale))) == fit


@pytest.mark.parametrize("bits", [32, 64])
def test_small_decimals_are_read_too(bits: int) -> None:
    kind = pa.decimal32(9, 2) if bits == 32 else pa.decimal64(18, 2)
    assert units_in(pa.array([Decimal(7), Decimal(1234567), Decimal("0.5"), None], kind)) == [7, 1234567, None, None]


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=9, allow_nan=False))
def test_a_decimal_with_a_fraction_or_a_minus_is_never_taken(value: Decimal) -> None:
    whole = value == value.to_integral_value() and value >= 0
    assert units_in(pa.array([value], pa.decimal128(38, 9))) == [int(value) if whole else None]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64()])
def test_integers_are_amounts_as_they_are(kind: pa.DataType) -> None:
    assert units_in(pa.array([0, 1, None, 127], kind)) == [0, 1, None, 127]


def test_the_largest_integers_do_not_wrap() -> None:
    assert units_in(pa.array([2**63 - 1, -1, -(2**63)], pa.int64())) == [2**63 - 1, None, None]
    assert units_in(pa.array([2**64 - 1, 2**63, 2**53 + 1], pa.uint64())) == [2**64 - 1, 2**63, 2**53 + 1]


@given(st.text(max_size=45))
def test_only_plain_digits_are_an_amount(text: str) -> None:
    text = "".join(letter for letter in text if not 0xD800 <= ord(letter) < 0xE000)
    plain = re.fullmatch("[0-9]{1,39}", text, re.ASCII) and int(text) < 2**128
    assert units_in(pa.array([text], pa.string())) == [int(text) if plain else None]


@pytest.mark.parametrize("text", ["", "1e18", "1.0", "-1", "+1", " 1", "1 ", "0x10", "1,000", "١٢", "/", ":", "1" * 40])
def test_what_is_no_amount_is_left_to_the_slow_way(text: str) -> None:
    assert units_in(pa.array([text], pa.string())) == [None]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64(), pa.dictionary(pa.int8(), pa.float64())])
def test_a_column_of_floats_is_refused_as_a_whole(kind: pa.DataType) -> None:
    with pytest.raises(InputError, match="value holds floating point numbers"):
        columns.refuse_type("value", kind)


@pytest.mark.parametrize("kind", [pa.bool_(), pa.binary(), pa.date32(), pa.timestamp("us", "UTC"), pa.time64("us")])
def test_a_column_of_a_type_that_is_no_amount_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(InputError, match="the column value is of type"):
        columns.column_of(pa.nulls(1, kind), "value")


def test_slices_and_nulls_of_a_column_are_respected() -> None:
    for kind in (pa.string(), pa.decimal128(38, 9), pa.int64()):
        array = pa.array([9, 1, None, 3, 9], pa.int64())
        array = (array.cast(pa.string()) if pa.types.is_string(kind) else array.cast(kind, safe=False)).slice(1, 3)
        assert units_in(array) == [1, None, 3]


@given(st.lists(st.binary(min_size=20, max_size=20), max_size=20))
def test_addresses_become_their_bytes(raw: list[bytes]) -> None:
    texts = pa.array(["0x" + one.hex() for one in raw], pa.string())
    found, states = columns.addresses(columns.column_of(texts, "from_address"))
    assert [row.tobytes() for row in found] == raw
    assert states.tolist() == [ZERO if one == bytes(20) else OK for one in raw]


@pytest.mark.parametrize("place", [2, 9, 10, 41])
def test_every_other_byte_amid_an_address_is_noticed(place: int) -> None:
    digits = b"0x" + b"0123456789" * 4
    raw = [digits[:place] + bytes([byte]) + digits[place + 1 :] for byte in range(256)]
    data = np.frombuffer(b"".join(raw), np.uint8)
    at = np.arange(257) * 42
    found, states = columns.addresses(columns.Cells(data, at[:-1], at[1:]))
    for byte, row, state in zip(range(256), found, states, strict=True):
        assert state == (OK if byte in b"0123456789abcdefABCDEF" else BAD), byte
        if state == OK:
            assert row.tobytes() == bytes.fromhex(raw[byte].decode()[2:])


def test_mixed_case_carries_a_checksum_and_is_left_to_the_slow_way() -> None:
    digits = "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
    texts = ["0x" + digits, "0x" + digits.upper(), "0X" + digits, "0x5aA" + digits[3:], digits, "0x" + digits[1:], ""]
    texts += ["0x" + "g" * 40, "0x" + digits + "0", "0x" + digits[:-1] + "/"]
    _, states = columns.addresses(columns.column_of(pa.array(texts), "from_address"))
    assert states.tolist() == [OK, OK, OK, BAD, BAD, BAD, EMPTY, BAD, BAD, BAD]


def test_a_hash_may_lack_its_0x_and_has_no_checksum() -> None:
    texts = ["0x" + "aB" * 32, "ab" * 32, "0x" + "ab" * 20, None]
    found, states = columns.hashes(columns.column_of(pa.array(texts), "hash"))
    assert found[0].tobytes() == found[1].tobytes() == bytes.fromhex("ab" * 32)
    assert states.tolist() == [OK, OK, BAD, EMPTY]


@given(st.datetimes(datetime(2009, 1, 4), datetime(2099, 12, 31)), st.sampled_from(["Z", " UTC", "+00:00", ".000 UTC"]))  # noqa: DTZ001  a zone is put behind them
def test_a_written_time_is_the_second_it_names(moment: datetime, zone: str) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    texts = [moment.strftime("%Y-%m-%d %H:%M:%S") + zone, moment.strftime("%Y-%m-%dT%H:%M:%S") + zone]
    texts.append(str(int(moment.timestamp())))
    found, states = columns.times(columns.column_of(pa.array(texts), "time"))
    assert found.tolist() == [int(moment.timestamp())] * 3
    assert states.tolist() == [OK] * 3


@pytest.mark.parametrize(
    "text",
    [
        "2022-02-29T00:00:00Z",
        "2022-13-01T00:00:00Z",
        "2022-00-01T00:00:00Z",
        "2022-01-01T24:00:00Z",
        "2022-01-01T00:00:00",
        "2022-01-01T00:00:00+01:00",
        "2022-01-01T00:00:00.5Z",
        "1970-01-01T00:00:00Z",
        "1648042149000",
        "-1",
        "x",
    ],
)
def test_a_time_that_no_block_has_is_left_to_the_slow_way(text: str) -> None:
    assert columns.times(columns.column_of(pa.array([text]), "time"))[1].tolist() == [BAD]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_timestamp_in_utc_is_read_and_one_without_zone_refused(unit: str) -> None:
    array = pa.array([1648042149, None], pa.int64()).cast(pa.timestamp("s"))
    found, states = columns.times(columns.column_of(array.cast(pa.timestamp(unit, "UTC")), "block_timestamp"))
    assert found[0] == 1648042149
    assert states.tolist() == [OK, EMPTY]
    with pytest.raises(InputError, match="which time zone"):
        columns.column_of(array.cast(pa.timestamp(unit)), "block_timestamp")


WORDS = st.one_of(st.sampled_from(PINNED[:40]).filter(lambda one: one < 2**64), st.integers(0, 2**64 - 1))


@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), min_size=1, max_size=20))
def test_products_are_added_exactly_or_said_not_to_fit(rows: list[tuple[int, int, int, int]]) -> None:
    one, two, low, high = (np.array(column, np.uint64) for column in zip(*rows, strict=True))
    fits = np.ones(len(rows), np.bool_)
    kernels.add_product(one, two, low, high, fits)
    for at, (a, b, lower, upper) in enumerate(rows):
        exact = a * b + lower + upper * 2**64
        assert bool(fits[at]) == (exact < 2**128)
        assert int(high[at]) * 2**64 + int(low[at]) == exact % 2**128


CELL = st.text(st.characters(codec="ascii", exclude_characters='\r\n"\0'), max_size=8)
QUOTED = st.text(st.characters(codec="ascii", exclude_characters='\r\n"\0'), max_size=8).map(lambda one: f'"{one}"')
PLAIN = CELL.map(lambda one: one.replace(",", ""))


@given(st.lists(st.tuples(*[st.one_of(QUOTED, PLAIN)] * 3), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_lines_are_split_as_they_were_joined(rows: list[tuple[str, ...]], end: str) -> None:
    text = "".join(",".join(row) + end for row in rows).encode()
    starts, ends = np.zeros((2, len(rows)), np.int64), np.zeros((2, len(rows)), np.int64)
    lines, states = np.zeros(len(rows) + 1, np.int64), np.zeros(len(rows), np.uint8)
    slots = np.array([1, -1, 0], np.int64)
    count, stop = kernels.split_lines(np.frombuffer(text, np.uint8), len(text), slots, starts, ends, lines, states)
    assert (count, stop) == (len(rows), len(text))
    assert states.tolist() == [OK] * len(rows)
    for at, row in enumerate(rows):
        cells = [text[starts[slot, at] : ends[slot, at]].decode() for slot in (1, 0)]
        assert cells == [row[0].strip('"'), row[2].strip('"')]


def test_a_broken_line_spoils_no_other() -> None:
    text = b'a,b\n"a,b\na\n\n"a"x,b\na,b,c\n"a ""q"" a",b\n  \nx,y\n'
    rows = text.count(b"\n")
    starts, ends = np.zeros((2, rows), np.int64), np.zeros((2, rows), np.int64)
    lines, states = np.zeros(rows + 1, np.int64), np.zeros(rows, np.uint8)
    kernels.split_lines(np.frombuffer(text, np.uint8), len(text), np.arange(2), starts, ends, lines, states)
    broken = [kernels.OPEN_QUOTE, kernels.WRONG_COUNT, kernels.BLANK_LINE, kernels.AFTER_QUOTE, kernels.WRONG_COUNT]
    assert states.tolist() == [OK, *broken, OK, kernels.BLANK_LINE, OK]
    assert text[starts[1, 8] : ends[1, 8]] == b"y"
