"""bitcoin-etl's JSON lines by columns: the same as row by row, and no laxer than the strict reader of JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coin_records import (
    BITCOIN,
    CASH,
    DOGE,
    LITECOIN,
    A,
    B,
    Columns,
    Row,
    T,
    alike,
    lines,
    odd_rows,
    on,
    paid,
    record,
    told,
)
from connectors.bulk.readers_json_kernels import hashed
from tracer.values import Chain

#: What stands in the text of a line, and what is put there instead: plain JSON no more, or other JSON than it was.
EDITS = {
    '"fee": 4': [
        '"fee": 4.0', '"fee": 4e0', '"fee": "4"', '"fee": ""', '"fee": 4, "fee": 4', '"fee": 4, "f\\u0065e": 4',
        '"fee": 04', '"fee": -0', '"fee": null', '"fee": true', '"fee": NaN', '"fee": [4]',
        '"other": {"deep": [1, {"x": 2}]}', '"other": [1, "x", null, true]', '"other": 1.5',
        '"other": 1, "other": 2', '"other": [1, 1.5]', '"other": "é"', '"other": "\\n"', '"other": "\t"',
        '"other": []', '"fee": ' + "9" * 79, '"fee" : 4 ', '"fee": 4,', '"fee": {}',
        '"other": ' + "[" * 2000 + "]" * 2000, '"other": -5', '"other": - 5',
        '"other": ' + "9" * 78, '"other": ' + "9" * 79,
    ],
    '"is_coinbase": false': [
        '"is_coinbase": 0', '"is_coinbase": "false"', '"is_coinbase": ""', '"is_coinbase": null',
        '"is_coinbase": true', '"is_coinbase": [false]',
    ],
    '"value": 2}': [
        '"value": 2, "value": 2}', '"value": "2"}', '"value": 2.0}',
        '"value": 2, "script_asm": "x", "script_asm": "x"}', '"value": 2, "x": {"y": 1}}', '"value": 2, "x": []}',
        '"value": 2, "addresses ": null}', '"value": true}', '"value": 2,}', '"value": 2}, 5', '"value": 2},', '}',
    ],
    '"type": "nulldata"': [
        '"type": ["nulldata"]', '"type": 6', '"type": false',
    ],
    '"addresses": ["nonstandard12"]': [
        '"addresses": "x"', '"addresses": [1]', '"addresses": {}', '"addresses": [ ]',
    ],
    f'["{A}"]': [
        f'[ "{A}" ]', f'["{A}", "{B}"]', f'["{A}", 5]', 'null', f'["{A}",]', f'"{A}"',
    ],
    f'"hash": "{T[0]}"': [
        '"hash": ' + "1" * 64, f'"hash": "{T[0]}", "hash": "{T[1]}"',
    ],
    '"inputs": [': [
        '"inputs": {"a": [', '"inputs": [null, ', '"inputs": [], "inputs": [', '"inputs": null, "more": [',
        '"inputs": "x", "more": [', '"inputs":\r[\t',
    ],
    '{': [
        ' {', '\ufeff{', '[{', '{}{', '\x0b{',
    ],
    '}': [
        '}}',
    ],
    '"index": 4': [
        '"index": ""', '"index": null', '"Index": 4', '"index": 4294967301',
    ],
}  # fmt: skip
NO_ROWS = ["", "  ", "null", "[]", "5", '"x"', "{}", "{", "nonsense", '{"a": 1', '{"a" 1}', "\x00"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd_rows(), st.data(), st.sampled_from([BITCOIN, LITECOIN, CASH, DOGE]), st.integers(0, 9))
def test_json_by_columns_says_what_each_row_by_itself_says(
    tmp_path: Path, rows: list[Row], data: st.DataObject, chain: Chain, skip: int
) -> None:
    texts: list[Row | str] = [*on(chain, [record()])]
    for row in on(chain, rows):
        text = json.dumps(row, ensure_ascii=data.draw(st.booleans()))
        if data.draw(st.booleans()):
            at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 2))
            text = (
                text[:at] + data.draw(st.sampled_from(["", " ", ",", "}", '"', "1", "-", "\\"])) + text[at + length :]
            )
        texts.append(text)
    alike(lines(tmp_path, texts), chain, skip)


@pytest.mark.parametrize(("there", "instead"), [(there, one) for there, many in EDITS.items() for one in many])
def test_json_that_is_not_plain_is_read_or_refused_as_by_itself(tmp_path: Path, there: str, instead: str) -> None:
    text = json.dumps(record())
    assert there in text
    rows: list[Row | str] = [record(), text.replace(there, instead, 1), record(hash=T[2])]
    found, bad = alike(lines(tmp_path, rows))
    assert {1, 3} <= {row[0] for row in found}
    assert len(found) + len(bad) == 3


def test_lines_that_are_no_transactions_are_refused_as_by_themselves(tmp_path: Path) -> None:
    found, bad = alike(lines(tmp_path, [record(), *NO_ROWS, record(hash=T[2])]))
    assert [row[0] for row in found] == [1, 14]
    assert sorted(bad) == list(range(4, 14))  # two are blank


@pytest.mark.parametrize("other", ["cost", "tax"])
def test_a_key_that_only_has_the_hash_of_a_name_is_left_to_the_slow_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    path = lines(tmp_path, [record(), json.dumps(record(hash=T[2])).replace('"fee": 4', f'"{other}": 4')])
    colliding = "connectors.bulk.readers_coins_json.hashed"
    monkeypatch.setattr(colliding, lambda name: hashed(name.replace(b"fee", other.encode())))
    reader = Columns(BITCOIN)
    found, _, _ = told(reader, path)
    assert (len(found), reader.sure) == (2, 1)  # the first has "fee", which is now no name that is looked for


@pytest.mark.parametrize("end", ["}", " }", ",", ", ", " 5", "{}", "x", "]", '"', "\t\r ", "\x0b", "\0"])
def test_what_comes_after_a_record_is_not_overlooked(tmp_path: Path, end: str) -> None:
    found, bad = alike(lines(tmp_path, [record(), json.dumps(record(hash=T[3])) + end, record(hash=T[2])]))
    assert len(found) + len(bad) == 3
    assert (2 in bad) == bool(end.strip())


def test_more_legs_than_there_is_room_for_are_read_by_themselves(tmp_path: Path) -> None:
    shortest = [{"type": "nulldata", "value": 0}] * 6000
    full = record(hash=T[2], inputs=[paid(0)], outputs=shortest, output_count=6000, fee=0)
    path = lines(tmp_path, [record(), json.dumps(full, separators=(",", ":")), record(hash=T[4])])
    reader = Columns(BITCOIN)
    found, bad, _ = told(reader, path)
    assert ([row[0] for row in found], bad, reader.sure) == ([1, 2, 3], {}, 2)
    alike(path)


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", "é".encode(), b"\x7f", b"\xed\xa0\x80"])
def test_bytes_that_are_not_ascii_are_read_or_refused_as_by_themselves(tmp_path: Path, text: bytes) -> None:
    path = lines(tmp_path, [record(), record(type="here"), record(hash=T[2])])
    path.write_bytes(path.read_bytes().replace(b"here", b"he" + text))
    found, bad = alike(path)
    assert len(found) + len(bad) == 3
    assert (2 in bad) == (text not in ("é".encode(), b"\x7f"))
