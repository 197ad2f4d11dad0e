"""What a person reads: whole addresses, figures that line up, what is missing first, and nothing that obeys a name."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from cases import show as sections
from cases.exports import hops_of
from cases.show import (
    show,
    show_books,
    show_coverage,
    show_decisions,
    show_ends,
    show_hops,
    show_not_in_data,
    show_partial,
    show_reasons,
    show_venues,
)
from cases.visible import cells, visible
from drawn_answer import claim, drawn, end_of, story_labels
from hostile import HOSTILE
from notation import ETH, address, payment
from tracer.coverage import State
from tracer.labels import Role
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.values import Asset, Chain

WIDTHS = [None, 200, 120, 80, 40, 20]
ETHER = 10**18


def scaled(told: dict[str, Any], units: list[int]) -> dict[str, Any]:
    """An answer with as many ends as `units`, all of the first one's kind."""
    told = copy.deepcopy(told)
    first = told["ends"][0]
    told["ends"] = []
    for number, amount in enumerate(units):
        by_rule, text = dict.fromkeys(told["rules"], str(amount)), str(amount)
        end = {**first, "address": f"0x{number:040x}", "amounts": by_rule, "basis_amounts": by_rule}
        told["ends"].append({**end, "least": text, "most": text, "basis_least": text, "basis_most": text})
    return told


@pytest.mark.parametrize("width", WIDTHS)
def test_every_address_is_whole_and_on_one_line_at_any_width(width: int | None) -> None:
    told = drawn().answer
    lines = show(told, width=width).splitlines()
    for end in told["ends"]:
        if end["address"]:
            assert any(line.startswith(end["address"]) for line in lines)


@pytest.mark.parametrize("width", [200, 120, 80])
def test_lines_keep_to_the_width(width: int) -> None:
    wide = [line for line in show(drawn().answer, width=width).splitlines() if cells(line) > width]
    assert not [line for line in wide if len(line.split()) > 1]  # a transaction's id alone may be wider than the screen


def test_figures_stand_under_their_rule_to_the_right() -> None:
    told = scaled(drawn().answer, [2499 * ETHER, 7 * ETHER])
    _, _, heading, _, *rows = show_ends(told).splitlines()
    for rule in told["rules"]:
        edge = re.search(rf"(?<![a-z_]){rule}(?![a-z_])", heading)
        assert edge
        for row in rows:
            assert row[: edge.end()].endswith(".0000")


def test_a_partial_answer_says_so_before_anything_else() -> None:
    text = show(drawn().answer)
    assert text.startswith(
        "PARTIAL: part of what this answer needs is not read\n  - not read, so not followed: 1 address"
    )
    assert not show_partial(drawn(coverage={}).answer)
    assert "PARTIAL" not in show(drawn(coverage={}).answer)


def test_what_is_not_read_and_what_was_not_seen_are_never_one_word() -> None:
    words = {state.word: sections._STATES[state.word] for state in State}
    assert words["empty"] == "read, none seen"
    assert {word for word, said in words.items() if "none seen" in said} == {"empty"}
    assert {word for word, said in words.items() if "not read" in said} == {
        "cut",
        "failed",
        "not recorded",
        "not asked",
    }
    hidden = address("hidden").text
    [row] = [line for line in show_coverage(drawn().answer).splitlines() if line.startswith(hidden)]
    assert row.removeprefix(hidden).strip().startswith("not read: the source has no answer")


def test_claims_inferences_and_decisions_are_worded_apart() -> None:
    told = drawn(labels=story_labels()).answer
    text = show(told)
    assert "labelled Mixer by a list" in text
    assert "by its behaviour a deposit address of Exchange 1" in text
    assert "swept to it (recorded)" in text
    assert "(inferred" in show_ends(told).splitlines()[0]
    assert show_decisions(told).startswith("Decided (as stated, not inferred)")
    assert "belong" not in text


def test_a_suspected_service_is_consistent_with_one_and_not_called_one() -> None:
    told = drawn().answer
    end = {**end_of(told, "hidden"), "basis": "behaviour", "stop": "suspected service", "label": ""}
    assert "by its behaviour consistent with a service" in show_ends({**told, "ends": [end]})


def test_the_books_say_that_they_close_and_would_say_if_they_did_not() -> None:
    told = copy.deepcopy(drawn().answer)
    assert "they close to the base unit" in show_books(told)
    told["books"]["lifo"]["held"] = str(int(told["books"]["lifo"]["held"]) + 1)
    assert "THEY DO NOT CLOSE under lifo" in show_books(told)


def test_forty_ends_are_all_shown_and_of_more_the_smallest_are_one_row_with_their_exact_sum() -> None:
    few = show_ends(scaled(drawn().answer, [n * ETHER for n in range(1, 41)]))
    assert "more, see --json" not in few
    many = show_ends(scaled(drawn().answer, [n * ETHER for n in range(1, 51)]))
    assert f"0x{9:040x}" not in many
    assert f"0x{10:040x}" in many
    [rest] = [line for line in many.splitlines() if "more, see --json" in line]
    assert rest.split() == ["and", "10", "more,", "see", "--json", *["55.0000"] * 5, "-", "-"]


def test_decimals_are_as_few_as_let_nothing_read_as_nothing_and_at_most_six() -> None:
    told = drawn().answer
    assert " 1.5000 " in show_ends(scaled(told, [ETHER * 3 // 2])) + " "
    assert "0.0003" in show_ends(scaled(told, [ETHER, 3 * ETHER // 10_000]))
    assert "<0.000001" in show_ends(scaled(told, [1]))
    assert "<" not in show_ends(scaled(told, [0]))


def test_figures_are_cut_and_never_rounded_up() -> None:
    assert "175099.99" in show_ends(scaled(drawn().answer, [175_100 * ETHER - 1]))


def test_an_asset_without_decimals_is_shown_in_whole_units() -> None:
    points = Asset(Chain.named("ethereum"), address("points").text, "PTS", 0)
    told = drawn("1 victim -> mule 60\n2 mule -> shop 25", [], asset=points).answer
    assert re.search(r" 25 +25 +25 +25 +25 +25 +25$", show_ends(told), re.MULTILINE)


@pytest.mark.parametrize("units", [2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1])
def test_amounts_of_every_width_are_shown_to_the_last_whole_unit(units: int) -> None:
    assert f"{units // ETHER}." in show_ends(scaled(drawn().answer, [units]))


def test_venues_name_the_deposit_addresses_on_lines_of_their_own() -> None:
    lines = show_venues(drawn().answer).splitlines()
    assert f"  through {address('deposit').text}" in lines
    assert not show_venues(drawn("1 victim -> mule 5", []).answer)


def test_inflow_that_is_not_in_the_data_is_told_apart_from_what_came_as_seen() -> None:
    text = show_not_in_data(drawn("1 w -> e 30", [], losses=[Loss("all", ETH, wallet=address("w"))]).answer)
    assert "How it came is not in the data" in text
    assert "loss all" in text
    assert not show_not_in_data(drawn(coverage={}).answer | {"not_in_data": []})


def test_the_evidence_for_and_against_a_behaviour_is_shown() -> None:
    text = show_reasons(drawn().answer)
    assert "for: outflow goes to one exchange" in text
    assert "against: siblings sweep to the same wallet" in text


def test_hops_are_shown_in_order_with_whole_addresses_and_a_time_of_utc() -> None:
    case = drawn(requested=[Rule.FIFO])
    lines = show_hops(case.answer, hops_of(case.answer, case.following)).splitlines()
    assert lines[4].startswith(
        f"{address('victim').text}   {address('mule').text}   2020-09-13 12:26:52   {payment(1)}"
    )
    assert len(lines) == 4 + len(hops_of(case.answer, case.following))
    narrow = show_hops(case.answer, hops_of(case.answer, case.following), width=80).splitlines()
    assert address("victim").text in narrow


def test_a_time_that_no_calendar_has_is_shown_as_the_number_it_is() -> None:
    case = drawn("1 victim -> mule 5 @9999999999999999999999", [])
    assert "9999999999999999999999" in show_hops(case.answer, hops_of(case.answer, case.following))


def test_claims_that_conflict_are_shown_with_their_sources() -> None:
    labels = [*story_labels(), claim("mixer", Role.SERVICE, "Shop", "another list")]
    assert "claims conflict: Mixer of Mixer, by a list; Shop of Shop, by another list" in show_reasons(
        drawn(labels=labels).answer
    )


def test_without_colour_there_is_no_escape_and_with_it_the_words_are_the_same() -> None:
    told = drawn().answer
    plain, styled = show(told), show(told, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1m" in styled
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", styled).splitlines()] == plain.splitlines()


@pytest.mark.parametrize("variable", ["COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM", "TTY_COMPATIBLE"])
def test_the_environment_changes_nothing(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = drawn().answer
    before = show(told)
    monkeypatch.setenv(variable, "30")
    assert show(told) == before


@pytest.mark.parametrize("width", [None, 80])
def test_no_hostile_name_reaches_the_terminal(width: int | None) -> None:
    for name in HOSTILE:
        told = drawn(labels=story_labels(name or "-", name or "-"), requested=[Rule.FIFO]).answer
        told["problems"] = [{"text": name, "where": name}]
        told["asset"] = {**told["asset"], "symbol": name}
        told["losses"][0]["victim"] = name
        text = show(told, width=width)
        assert visible(text.replace("\n", "")) == text.replace("\n", "")
        assert len(show_ends(told).splitlines()) == 9  # no name starts a line of its own


def test_markup_in_a_name_is_text() -> None:
    text = show_ends(drawn(labels=story_labels(mixer="[red]x[/red] :skull:")).answer)
    assert "labelled [red]x[/red] :skull: by a list" in text
