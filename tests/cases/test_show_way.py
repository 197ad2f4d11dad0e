"""What a person reads of the way: victims side by side, where the rules part, leads as odds, and no name that obeys."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from cases.exports import hops_of
from cases.show import show, show_commingling, show_exchanges, show_leads, show_losses
from cases.show_parts import AssetFigures, Figures
from cases.show_way import show_comparison, show_hops
from cases.visible import cells, visible
from drawn_answer import drawn, end_of
from hostile import HOSTILE
from notation import ETH, address, payment
from tracer.losses import Loss
from tracer.lots import Rule

TWO = "1 anna -> w 50\n2 berta -> w 50\n3 w -> shop 50\n4 w -> x 20"
LOSSES = (Loss("first", ETH, "Anna", paid=payment(1)), Loss("second", ETH, "Berta", paid=payment(2)))


def token(name: str, symbol: str, decimals: int = 6) -> dict[str, Any]:
    """An asset as an answer names it."""
    return {"asset": f"ethereum/{address(name).text}", "symbol": symbol, "decimals": decimals}


def converted(told: dict[str, Any], symbol: str = "USDT") -> dict[str, Any]:
    """The answer with its first end exchanged for a token, three units for one."""
    told = copy.deepcopy(told)
    end = told["ends"][0]
    end |= token("usdt", symbol)
    end["amounts"] = {rule: str(3 * int(units)) for rule, units in end["amounts"].items()}
    end |= {"least": str(3 * int(end["least"])), "most": str(3 * int(end["most"]))}
    return told


def exchanged(symbol: str = "USDT", why: str = "it is labelled", *, trusted: bool = True) -> dict[str, Any]:
    """An exchange of ether for a token."""
    mine = {"address": address("mule").text}
    ether = mine | {"asset": "ethereum", "symbol": "ETH", "decimals": 18, "units": str(10**18)}
    got = mine | token("usdt", symbol) | {"units": "3000000000"}
    return {
        "transaction": f"ethereum:{payment(3).tx}", "block": 3, "time": 1_600_000_000,
        "kind": "swap" if trusted else "unproven", "trusted": trusted, "why": why, "evidence": [],
        "conversions": [{"gave": [ether], "got": [got]}],
    }  # fmt: skip


def lead(number: int, why: str = "not spent in what was read") -> dict[str, Any]:
    """A lead, with these odds."""
    tx = f"{number:064x}"
    output = {"coinjoin": f"bitcoin:{1:064x}", "output": f"bitcoin:{tx}:0", "address": None, "path": [tx]}
    return {**output, "one_in": number, "labelled": False, "why": why}


# Whose it is


def test_of_several_losses_each_has_a_column_with_the_least_and_the_most_over_the_rules() -> None:
    """The shop got 50 of 50 and 50: under fifo all of them Anna's, under lifo Berta's, otherwise half and half."""
    case = drawn(TWO, [], losses=LOSSES)
    lines = show_losses(case.answer).splitlines()
    heading = next(line for line in lines if line.startswith("address"))
    assert heading.split() == ["address", "stop", "Anna", "Berta"]
    [shop] = [line for line in lines if line.startswith(address("shop").text)]
    assert shop.count("0.000000 .. <0.000001") == 2
    assert "between losses: pari_passu" in lines[0]


def test_the_columns_are_the_parts_of_the_answer_in_the_stolen_asset() -> None:
    case = drawn(TWO.replace(" 50", f" {50 * 10**18}").replace(" 20", f" {20 * 10**18}"), [], losses=LOSSES)
    by_loss = end_of(case.answer, "shop")["by_loss"]
    for name, column in (("first", 0), ("second", 1)):
        parts = [int(by_loss[rule].get(name, "0")) // 10**18 for rule in case.answer["rules"]]
        assert (min(parts), max(parts)) == (0, 50)
        [shop] = [line for line in show_losses(case.answer).splitlines() if line.startswith(address("shop").text)]
        assert re.findall(r"([\d.]+) \.\. ([\d.]+)", shop)[column] == ("0.0000", "50.0000")


def test_one_loss_needs_no_table_of_losses() -> None:
    assert show_losses(drawn().answer) == ""


def test_losses_of_one_victim_go_by_their_names() -> None:
    same = [Loss("first", ETH, "Anna", paid=payment(1)), Loss("second", ETH, "Anna", paid=payment(2))]
    assert "first" in show_losses(drawn(TWO, [], losses=same).answer)


def test_more_losses_than_columns_share_one_whose_sum_is_right() -> None:
    text = "\n".join(f"{n} v{n} -> w {10**18}" for n in range(1, 16)) + f"\n20 w -> shop {15 * 10**18}"
    losses = [Loss(f"loss-{n}", ETH, paid=payment(n)) for n in range(1, 16)]
    lines = show_losses(drawn(text, [], losses=losses).answer).splitlines()
    assert any("3 other losses" in line for line in lines)
    [shop] = [line for line in lines if line.startswith(address("shop").text)]
    assert shop.split()[2:] == [*["1.0000"] * 12, "3.0000"]


# Where the rules part


def test_a_place_where_rules_part_is_told_by_its_first_payment() -> None:
    case = drawn(
        f"1 victim -> w {6 * 10**18}\n2 friend -> w {4 * 10**18}\n3 w -> a {5 * 10**18}\n4 w -> b {10**18}", []
    )
    (point,) = case.answer["commingling"]
    [told] = [line for line in show_commingling(case.answer).splitlines() if line.startswith(address("w").text)]
    figures = [point["choices"][0]["stolen_taken"][rule] for rule in case.answer["rules"]]
    assert [int(units) // 10**18 for units in figures] == [5, 1, 3, 5, 1]
    assert f"{len(point['choices'])} payments from it   {payment(3)}" in told
    assert told.split()[-8:] == ["5.0000", "10.0000", "6.0000", "5.0000", "1.0000", "3.0000", "5.0000", "1.0000"]


def test_where_all_rules_agree_there_is_nothing_to_tell() -> None:
    told = drawn("1 victim -> w 6\n2 w -> a 5", []).answer
    assert show_commingling(told) == ""
    assert "The rules part nowhere." in show_comparison(told)


def test_of_many_places_ten_are_told_and_the_others_counted() -> None:
    told = drawn("1 victim -> w 6\n2 friend -> w 4\n3 w -> a 5", []).answer
    (point,) = told["commingling"]
    told["commingling"] = [{**point, "address": f"0x{n:040x}", "choices": point["choices"] * n} for n in range(1, 14)]
    lines = show_commingling(told).splitlines()
    assert any(line.startswith(f"0x{10:040x}") for line in lines)
    assert not any(line.startswith(f"0x{11:040x}") for line in lines)
    assert re.sub(" +", " ", lines[-1]) == "and 3 more, see --json 36 payments"


def test_the_comparison_says_partial_first_and_names_every_rule() -> None:
    text = show_comparison(drawn().answer)
    assert text.startswith("PARTIAL")
    assert "Rules compared: fifo, lifo, pro_rata, taint_first, clean_first." in text


def test_an_end_is_independent_only_where_the_envelope_says_so() -> None:
    told = drawn().answer
    lines = show_comparison(told).splitlines()
    for end in told["ends"]:
        if end["address"]:
            [row] = [line for line in lines if line.startswith(end["address"]) and line.endswith(("yes", "no"))]
            assert row.endswith("yes") == end["rule_independent"]


def test_of_many_ends_the_smallest_are_counted_in_the_comparison() -> None:
    told = drawn().answer
    told["ends"] = [{**told["ends"][0], "address": f"0x{n:040x}"} for n in range(45)]
    lines = show_comparison(told).splitlines()
    assert len([line for line in lines if line.startswith("0x000") and line.endswith(("yes", "no"))]) == 40
    assert "and 5 more, see --json" in lines


# Exchanges


def test_an_exchange_carried_out_and_one_that_is_not_are_told_apart() -> None:
    told = drawn().answer | {"exchanges": [exchanged(), exchanged(why="nobody says so", trusted=False)]}
    text = show_exchanges(told)
    done, doubted = text.split("1 NOT carried out")
    assert "1 carried out" in done
    assert f"{address('mule').text} gave 1.0000 ETH" in done
    assert f"{address('mule').text} got 3000.0000 USDT" in done
    assert "why: it is labelled" in done
    assert "why: nobody says so" in doubted


def test_no_exchange_no_section() -> None:
    assert show_exchanges(drawn().answer) == ""


def test_of_many_exchanges_ten_of_each_kind_are_told() -> None:
    many = [exchanged() for _ in range(15)] + [exchanged(trusted=False) for _ in range(12)]
    text = show_exchanges(drawn().answer | {"exchanges": many})
    assert (text.count("why:"), text.count("  and 5 more, see --json"), text.count("  and 2 more, see --json")) == (
        20,
        1,
        1,
    )


def test_a_converted_end_has_a_line_below_with_what_it_stands_for() -> None:
    told = converted(drawn(f"1 victim -> mule {10**18}\n2 mule -> shop {10**18}", []).answer)
    lines = show(told).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(address("shop").text))
    assert lines[at].split()[-14:] == ["3000000000000.0000", "USDT"] * 7
    assert lines[at + 1].split() == ["stands", "for", *["1.0000", "ETH"] * 7]


def test_what_was_exchanged_there_and_back_is_not_taken_for_what_was_stolen() -> None:
    """All ends are of the stolen asset again, but 3 ether are not the 1 that was given for them."""
    told = converted(drawn(f"1 victim -> mule {10**18}\n2 mule -> shop {10**18}", []).answer)
    told["ends"][0] |= {"asset": "ethereum", "symbol": "ETH", "decimals": 18}
    lines = show(told).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(address("shop").text))
    assert lines[at].split()[-2:] == ["3.0000", "ETH"]
    assert lines[at + 1].split()[:4] == ["stands", "for", "1.0000", "ETH"]


def test_the_ends_left_out_are_added_up_in_the_stolen_asset() -> None:
    told = converted(drawn(f"1 victim -> mule {10**18}\n2 mule -> shop {10**18}", []).answer)
    first = told["ends"][0]
    told["ends"] = [{**first, "address": f"0x{n:040x}"} for n in range(45)]
    [rest] = [line for line in show(told).splitlines() if "see --json: stand for" in line]
    assert rest.split()[-12:] == [*["5.0000", "ETH"] * 5, "-", "-"]


# Symbols and figures


def test_symbols_that_read_alike_are_numbered_and_explained() -> None:
    assets = [token("usdt", "USDT"), token("fake", "usdt"), token("none", " "), token("none2", "")]
    figures = AssetFigures((one, "1500000") for one in assets)
    assert [figures.of(one, "1500000").split()[1] for one in assets] == ["USDT", "usdt#2", "token", "token#2"]
    assert f"usdt#2 is ethereum/{address('fake').text}" in figures.note


def test_a_symbol_cannot_take_the_number_of_another() -> None:
    assets = [token("one", "X"), token("two", "X#2"), token("three", "X")]
    figures = AssetFigures((one, "1") for one in assets)
    shown = [figures.of(one, "0").split()[1] for one in assets]
    assert len(set(shown)) == 3


@pytest.mark.parametrize(("decimals", "places"), [(0, 0), (2, 2), (6, 6), (8, 8), (9, 6), (18, 6)])
def test_one_base_unit_is_shown_where_the_asset_has_no_more_than_eight_decimals(decimals: int, places: int) -> None:
    asset = token("x", "X", decimals)
    shown = Figures(asset, ["1"]).of("1")
    assert shown == ("1" if not decimals else f"0.{1:0{places}}" if decimals <= 8 else "<0.000001")


# Leads


def test_leads_are_odds_and_say_that_they_prove_nothing() -> None:
    told = drawn().answer
    assert show_leads(told) == ""
    told["leads"] = {"says": "no amount follows from them", "found": [lead(5), lead(1_000)]}
    text = show_leads(told)
    assert "no amount follows from them" in text
    assert "1 in 5 " in text
    assert "1 in 1,000 " in text
    told["leads"]["found"] = []
    assert "no CoinJoin ends this trace" in show_leads(told)
    told["leads"]["found"] = [lead(n) for n in range(1, 26)]
    assert "  and 5 more, see --json" in show_leads(told)


# Hostile names


@pytest.mark.parametrize("width", [None, 80])
def test_no_hostile_name_reaches_the_terminal_by_the_way(width: int | None) -> None:
    case = drawn(TWO, [], losses=LOSSES, requested=[Rule.FIFO, Rule.LIFO])
    calm = show(_hostile(case.answer, "x"), width=width).splitlines()
    for name in HOSTILE:
        text = show(_hostile(case.answer, name), width=width)
        assert visible(text.replace("\n", "")) == text.replace("\n", "")
        if width is None:
            # A name may make a note wrap once more; it never starts a row.
            assert [line for line in text.splitlines() if line[:2] == "0x"] != []
            assert len([line for line in text.splitlines() if line[:1] not in (" ", "")]) == len(
                [line for line in calm if line[:1] not in (" ", "")]
            )


def test_hostile_symbols_in_hops_are_made_visible() -> None:
    case = drawn(requested=[Rule.FIFO])
    for name in HOSTILE:
        hops = hops_of(case.answer, case.following)
        hops[1] |= token("fake", name)
        text = show_hops(case.answer, hops)
        assert visible(text.replace("\n", "")) == text.replace("\n", "")
        assert len([line for line in text.splitlines() if line.startswith("0x")]) == len(
            [hop for hop in hops if hop["source"]]
        )


@pytest.mark.parametrize("width", [120, 80])
def test_lines_keep_to_the_width(width: int) -> None:
    told = _hostile(drawn(TWO, [], losses=LOSSES).answer, "Tether USD")
    wide = [line for line in show(told, width=width).splitlines() if cells(line) > width]
    assert not [line for line in wide if len(line.split()) > 1]


def _hostile(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """The answer with `name` wherever somebody else chooses a text."""
    told = converted(answer, name)
    told["exchanges"] = [exchanged(name, name), exchanged(name, name, trusted=False)]
    told["leads"] = {"says": "odds", "found": [lead(5, name)]}
    for point in told["commingling"]:
        point.update(token("fake", name))
    for loss, other in zip(told["losses"], ("1", "2"), strict=True):
        loss["victim"] = name + other
    told["not_in_data"] = [
        {
            "address": address("w").text,
            **token("fake", name),
            "loss": None,
            "amounts": dict.fromkeys(told["rules"], "5"),
        }
    ]
    return told
