"""Which blocks recorded Etherscan answers cover: whole lists, cut ones, windows, and kinds of movement."""

from __future__ import annotations

from pathlib import Path

import pytest

from etherscan_rows import (
    EMPTY,
    ETH,
    LIMIT,
    A,
    B,
    C,
    answer,
    coverage_of,
    internal,
    ok,
    pages_of,
    recorded,
    row,
    token,
    transfers_of,
)
from tracer.coverage import Kind, State
from tracer.values import Chain

# --- answers


def test_a_whole_list_is_read_up_to_the_newest_block_of_its_day(tmp_path: Path) -> None:
    """Confirmations tell it: block 7 with 994 of them was written when 1000 was the newest."""
    said = coverage_of(recorded(tmp_path, answer(ok(row(7), row(9)))))
    assert (said.state, said.first, said.last, said.as_of, said.rows) == (State.READ, 0, 1000, 1695295183, 2)
    assert said.kinds == {Kind.NATIVE}
    assert said.reason == ""


def test_a_list_that_was_asked_up_to_a_block_is_read_up_to_it(tmp_path: Path) -> None:
    said = coverage_of(recorded(tmp_path, answer(ok(row(7)), startblock="5", endblock="600")))
    assert (said.state, said.first, said.last) == (State.READ, 5, 600)


def test_a_block_that_was_not_there_yet_is_not_claimed(tmp_path: Path) -> None:
    assert coverage_of(recorded(tmp_path, answer(ok(row(7)), endblock="5000"))).last == 1000


def test_nothing_found_is_an_answer_and_not_an_error(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(EMPTY, endblock="600"))
    said = coverage_of(source)
    assert (said.state, said.last, said.rows, said.reason) == (State.EMPTY, 600, 0, "")
    assert pages_of(source)[0].problems == ()
    assert coverage_of(recorded(tmp_path, answer(EMPTY))).state is State.EMPTY


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (LIMIT, "Max rate limit reached"),
        ({"status": "0", "message": "NOTOK", "result": "Error! Invalid address format"}, "Invalid address format"),
        ({"status": "0", "message": "NOTOK", "result": []}, "NOTOK"),
        ({"status": "0", "message": "No transactions found", "result": [row(7)]}, "No transactions found"),
        ({"status": "1", "message": "OK", "result": None}, "OK"),
        ({"status": "2", "message": "not yet processed", "result": []}, "not yet processed"),
        ({}, "None"),
        ("<html><h1>502 Bad gateway</h1></html>", "502 Bad gateway"),
        ([], "not an answer"),
        (None, "null"),
        (5, "not an answer"),
    ],
)
def test_an_error_is_told_in_the_providers_words(tmp_path: Path, body: object, words: str) -> None:
    source = recorded(tmp_path, answer(body))
    said = coverage_of(source)
    assert (said.state, said.last) == (State.FAILED, None)
    assert words in said.reason
    (page,) = pages_of(source)
    assert page.transfers == ()
    assert words in page.problems[0].text


def test_a_long_error_is_cut_and_cannot_steer_a_terminal(tmp_path: Path) -> None:
    reason = coverage_of(recorded(tmp_path, answer("\x1b[2J" + "x" * 9999))).reason
    assert len(reason) < 260
    assert reason.isprintable()


def test_a_bad_http_status_is_an_error_whatever_the_body(tmp_path: Path) -> None:
    said = coverage_of(recorded(tmp_path, answer(ok(row(7))) | {"http_status": 503}))
    assert said.state is State.FAILED
    assert "HTTP status 503" in said.reason


def test_no_answer_is_not_an_empty_answer(tmp_path: Path) -> None:
    (page,) = pages_of(recorded(tmp_path, answer(EMPTY)), B)
    assert page.coverage is not None
    assert (page.coverage.state, page.evidence) == (State.NOT_RECORDED, None)


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        (10_000, {}),
        (3, {"offset": "3", "page": "1"}),
        (1_000, {"chainid": "1"}),
        (1_000, {"chainid": "1", "offset": "10000", "page": "1"}),
        (10_000, {"chainid": "1", "offset": "20000", "page": "1"}),
    ],
)
def test_an_answer_as_long_as_its_cap_is_cut_before_its_last_block(
    tmp_path: Path, rows: int, asked: dict[str, str]
) -> None:
    said = coverage_of(
        recorded(tmp_path, answer(ok(*(row(n, confirmations="5") for n in range(1, rows + 1))), **asked))
    )
    assert (said.state, said.first, said.last) == (State.CUT, 0, rows - 1)
    assert f"ends at {rows:,} rows" in said.reason


@pytest.mark.parametrize(("rows", "asked"), [(1_000, {}), (9_999, {}), (2, {"offset": "3", "page": "1"})])
def test_an_answer_shorter_than_its_cap_is_whole(tmp_path: Path, rows: int, asked: dict[str, str]) -> None:
    said = coverage_of(recorded(tmp_path, answer(ok(*(row(n) for n in range(1, rows + 1))), **asked)))
    assert said.state is State.READ


def test_a_cut_answer_that_began_with_the_newest_lacks_the_oldest(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(ok(row(9), row(8), row(7)), sort="desc", offset="3"))
    said = coverage_of(source)
    assert (said.state, said.first, said.last) == (State.CUT, 8, 1000)


def test_a_cut_answer_in_no_order_claims_no_block(tmp_path: Path) -> None:
    said = coverage_of(recorded(tmp_path, answer(ok(row(9), row(7), row(8)), offset="3")))
    assert (said.state, said.last) == (State.CUT, None)


def test_pages_of_one_listing_are_one(tmp_path: Path) -> None:
    pages = [
        answer(ok(row(1), row(2)), offset="2", page="1"),
        answer(ok(row(3), row(4)), offset="2", page="2"),
        answer(ok(row(5)), offset="2", page="3"),
    ]
    source = recorded(tmp_path, *pages)
    assert coverage_of(source).state is State.READ
    assert [t.units for t in transfers_of(source) if t.id.position == "tx"] == [1, 2, 3, 4, 5]
    assert [page.cursor for page in pages_of(source)] == ["1", "2", ""]
    assert coverage_of(recorded(tmp_path, *pages[:2])).state is State.CUT
    assert coverage_of(recorded(tmp_path, *pages[:2])).last == 3
    gap = coverage_of(recorded(tmp_path, pages[0], pages[2]))
    assert (gap.state, gap.last, gap.reason) == (State.CUT, None, "native: pages of the answer are missing")


def test_like_token_events_on_two_pages_stay_two(tmp_path: Path) -> None:
    pages = [answer(ok(token(5)), action="tokentx", offset="1", page=str(n)) for n in (1, 2)]
    assert len({t.id for t in transfers_of(recorded(tmp_path, *pages))}) == 2


def test_windows_side_by_side_are_one_range(tmp_path: Path) -> None:
    windows = [answer(ok(row(7)), endblock="10"), answer(ok(row(15)), startblock="11", endblock="20")]
    said = coverage_of(recorded(tmp_path, *windows))
    assert (said.state, said.first, said.last, said.rows) == (State.READ, 0, 20, 2)


def test_a_gap_between_windows_is_told(tmp_path: Path) -> None:
    windows = [answer(ok(row(7)), endblock="10"), answer(ok(row(15)), startblock="12", endblock="20")]
    said = coverage_of(recorded(tmp_path, *windows))
    assert (said.state, said.first, said.last) == (State.CUT, 0, 10)
    assert said.reason == "native: blocks 11 to 11 are not recorded"


def test_a_cut_answer_is_mended_by_the_window_after_it(tmp_path: Path) -> None:
    cut = answer(ok(row(7), row(8)), offset="2")
    rest = answer(ok(row(8), row(9)), startblock="8", offset="10")
    said = coverage_of(recorded(tmp_path, cut, rest))
    assert (said.state, said.first, said.last) == (State.READ, 0, 1000)


def test_a_retry_mends_an_error_and_both_are_kept(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(LIMIT), answer(ok(row(7)), at="2023-09-21T11:19:50+00:00"))
    assert coverage_of(source).state is State.READ
    first, second = pages_of(source)
    assert "Max rate limit" in first.problems[0].text
    assert second.problems == ()


def test_a_window_that_failed_leaves_the_address_incomplete(tmp_path: Path) -> None:
    said = coverage_of(recorded(tmp_path, answer(ok(row(7)), endblock="10"), answer(LIMIT, startblock="11")))
    assert (said.state, said.last) == (State.CUT, 10)
    assert "Max rate limit" in said.reason


def test_kinds_that_were_asked_are_stated_and_the_worst_of_them_counts(tmp_path: Path) -> None:
    native, inner = answer(ok(row(7))), answer(EMPTY, action="txlistinternal")
    both = coverage_of(recorded(tmp_path, native, inner))
    assert (both.state, both.kinds, both.last) == (State.READ, frozenset({Kind.NATIVE, Kind.INTERNAL}), 1000)
    cut = answer(ok(internal("0"), internal("1")), action="txlistinternal", offset="2")
    worst = coverage_of(recorded(tmp_path, native, cut))
    assert (worst.state, worst.last) == (State.CUT, 8)
    failed = coverage_of(recorded(tmp_path, native, answer(LIMIT, action="tokentx")))
    assert (failed.state, failed.kinds) == (State.READ, frozenset({Kind.NATIVE}))


def test_kinds_read_over_different_blocks_are_not_read_together(tmp_path: Path) -> None:
    native = answer(ok(row(7)), endblock="8")
    inner = answer(ok(internal("0")), action="txlistinternal", startblock="9", endblock="20")
    said = coverage_of(recorded(tmp_path, native, inner))
    assert (said.state, said.last) == (State.CUT, None)
    assert said.reason == "no block was read for all of native, internal"


def test_a_list_of_one_token_does_not_count_as_all_tokens(tmp_path: Path) -> None:
    said = coverage_of(recorded(tmp_path, answer(ok(token(5)), action="tokentx", contractaddress=C)))
    assert (said.state, said.last) == (State.UNSTATED, None)


def test_v2_names_the_chain_and_v1_means_ethereum(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(ok(row(7)), chainid="137"), answer(ok(row(7)), B))
    assert source.chains == {ETH, Chain.named("polygon")}
    assert coverage_of(source).state is State.NOT_RECORDED
    assert coverage_of(source, A, Chain.named("polygon")).state is State.READ


def test_fees_on_chains_that_charge_twice_are_said_to_be_too_low(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(ok(row(7)), chainid="10"))
    assert "too low" in pages_of(source, A, Chain.named("optimism"))[-1].problems[0].text
