"""Each CoinJoin rule at its edges, the worked examples Cn, and what holds for every transaction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from graphs.coinjoins import COORDINATORS, POOLS, WASABI_2_DENOMINATIONS, coinjoin, verdicts
from mixes import BITCOIN, GENERAL, ONE, coins, mix, owner, spend, yes
from tracer.addresses import parse

# The worked examples of the design, section 6, Cn.


def test_a_whirlpool_mix_is_known_to_both_its_rules_and_not_to_blocksci() -> None:
    drawn = mix([5_000_000] * 3 + [5_050_000] * 2, [5_000_000] * 5)
    assert yes(drawn) == {"whirlpool-dumplings", "whirlpool-graphsense"}
    found = coinjoin(drawn)
    assert found is not None
    assert (found.protocol, found.mixes) == ("whirlpool", True)
    assert found.rules == ("whirlpool-dumplings", "whirlpool-graphsense")
    assert (found.denominations, found.anonymity) == ((5_000_000,), ((5_000_000, 5),))
    assert found.why == (
        "it looks like a Whirlpool mix by the rules whirlpool-dumplings, whirlpool-graphsense: "
        "5 inputs from 5 scripts, 5 spendable outputs, of which 5 hold exactly 0.05 BTC"
    )


def test_three_equal_outputs_and_three_changes_of_four_payers_are_a_coinjoin() -> None:
    drawn = mix(
        [ONE * 13 // 10, ONE * 12 // 10, ONE, ONE * 71 // 100],
        [ONE, ONE, ONE, ONE * 3 // 10, ONE * 4 // 10, ONE * 5 // 10],
    )
    assert yes(drawn) == set(GENERAL)
    found = coinjoin(drawn)
    assert found is not None
    assert (found.protocol, found.anonymity) == ("equal-output", ((ONE, 3),))


@pytest.mark.parametrize("spent", [1, 30])
def test_an_exchange_that_pays_twenty_customers_from_one_address_is_no_coinjoin(spent: int) -> None:
    paid = [(30 * ONE // spent, owner("exchange"))] * spent
    drawn = spend(paid, coins([ONE] * 20 + [9 * ONE], "out"))
    assert yes(drawn) == set()
    assert coinjoin(drawn) is None


def test_a_stonewall_withdraws_the_general_rules() -> None:
    drawn = mix([ONE * 2, ONE * 2], [ONE, ONE, ONE * 9 // 10, ONE * 8 // 10])
    assert yes(drawn) == {"blocksci", "stonewall"}  # the larger input exceeds what Dumplings lets a payer bring
    assert coinjoin(drawn) is None
    within = mix([ONE * 18 // 10, ONE * 18 // 10], [ONE, ONE, ONE * 9 // 10, ONE * 6 // 10])
    assert yes(within) == {"blocksci", "joinmarket-dumplings", "stonewall"}
    assert coinjoin(within) is None


@pytest.mark.parametrize(("low", "high", "holds"), [(100_000, 200_000, True), (546, 200_000, False)])
def test_of_two_most_frequent_amounts_the_lower_one_counts_in_any_order(low: int, high: int, holds: bool) -> None:
    paid = coins([300_000, 300_000], "in")
    for got in set(permutations([low, low, high, high])):
        drawn = spend(paid, coins(got, "out"))
        assert verdicts(drawn)["blocksci"] is holds
        found = coinjoin(drawn)
        assert (found.denominations if found else None) == ((low,) if holds else None)


def test_the_five_times_ten_series_is_among_the_wasabi_2_denominations() -> None:
    assert 50_000 in WASABI_2_DENOMINATIONS
    by_hand = set()
    for value in range(5_000, 10_001):  # the lowest of every series, found by division
        for times, base in ((1, 2), (1, 3), (2, 3), (1, 10), (2, 10), (5, 10)):
            rest = value // times if value % times == 0 else 0
            while rest and rest % base == 0:
                rest //= base
            if rest == 1:
                by_hand.add(value)
    assert {value for value in WASABI_2_DENOMINATIONS if value <= 10_000} == by_hand == {5_000, 6_561, 8_192, 10_000}
    assert max(WASABI_2_DENOMINATIONS) == 100_000_000_000
    assert {2**36, 3**23, 2 * 3**22, 2 * 10**10, 5 * 10**10} <= WASABI_2_DENOMINATIONS
    assert not {2**37, 3**24, 2 * 3**23, 2 * 10**11, 2**12, 3**7, 2_000, 134_375_000_000} & WASABI_2_DENOMINATIONS


# Each rule at its edges.


@pytest.mark.parametrize(
    ("paid", "got", "holds"),
    [
        ([3, 4], [2, 2, 1], True),
        ([7], [2, 2, 1], False),  # one input
        ([3, 4], [2, 2], False),  # two outputs
        ([3, 4], [2, 2, 2], False),  # three, where two of three are due
        ([3, 4], [2, 2, 1, 1], True),
        ([3, 4], [3, 2, 1], False),
        ([3, 4], [1, 1, 1, 2, 1], False),  # three inputs are due
        ([3, 4, 1], [1, 1, 1, 2, 3], True),
        ([3000, 4000], [546, 546, 1], False),
        ([3000, 4000], [547, 547, 1], True),
        ([3000, 4000], [2730, 2730, 1], False),
        ([3000, 4000], [2729, 2729, 1], True),
    ],
)
def test_blocksci_wants_an_equal_output_and_an_input_for_each_payer(
    paid: list[int], got: list[int], holds: bool
) -> None:
    assert verdicts(mix(paid, got))["blocksci"] is holds


def test_blocksci_counts_the_scripts_that_pay_and_not_the_coins() -> None:
    got = coins([2, 2, 1], "out")
    assert not verdicts(spend([(3, owner("one")), (4, owner("one"))], got))["blocksci"]
    assert verdicts(spend([(3, None), (4, None)], got))["blocksci"]  # two scripts without address are two


@pytest.mark.parametrize(
    ("height", "equal", "holds"),
    [(530_499, 3, False), (530_500, 3, True), (530_500, 2, False), (609_999, 3, True), (610_000, 3, False)],
)
@pytest.mark.parametrize("coordinator", sorted(COORDINATORS))
def test_early_wasabi_rounds_pay_a_known_coordinator(height: int, equal: int, holds: bool, coordinator: str) -> None:
    got = [*coins([77] * equal + [5], "out"), (1, parse(coordinator, BITCOIN))]
    assert verdicts(spend([(500, owner("all"))], got, height))["wasabi-1-dumplings"] is holds
    assert not verdicts(spend([(500, owner("all"))], got[:-1], height))["wasabi-1-dumplings"]


@pytest.mark.parametrize(
    ("inputs", "equal", "value", "unique", "holds"),
    [
        (10, 10, 10_000_000, 2, True),
        (9, 10, 10_000_000, 2, False),
        (10, 9, 10_000_000, 2, False),
        (11, 10, 8_000_000, 2, True),
        (11, 10, 7_999_999, 2, False),
        (11, 10, 12_000_000, 2, True),
        (11, 10, 12_000_001, 2, False),
        (11, 10, 10_000_000, 1, False),
    ],
)
def test_later_wasabi_1_rounds_by_dumplings(inputs: int, equal: int, value: int, unique: int, holds: bool) -> None:
    paid, got = [20_000_000] * inputs, [value] * equal + [3_000_000 + n for n in range(unique)]
    assert verdicts(mix(paid, got, 610_000))["wasabi-1-dumplings"] is holds
    for kind in ("taproot", "script hash", "legacy", "script", "bare"):
        foreign = [*coins(got[1:], "out"), (got[0], owner("other", kind))]
        assert not verdicts(spend(coins(paid, "in"), foreign, 610_000))["wasabi-1-dumplings"]


@pytest.mark.parametrize(
    ("inputs", "equal", "value", "others", "holds"),
    [
        (10, 5, 10_000_000, 6, True),
        (10, 5, 10_000_000, 7, False),  # less than half but for the coordinator
        (9, 4, 10_000_000, 4, False),
        (10, 3, 10_000_000, 1, True),
        (10, 2, 10_000_000, 1, False),
        (21, 3, 10_000_000, 1, True),
        (22, 3, 10_000_000, 1, False),  # more than seven scripts for each
        (10, 10, 10_000_000, 1, True),
        (10, 11, 10_000_000, 1, False),
        (10, 5, 9_500_000, 6, True),
        (10, 5, 9_499_999, 6, False),
        (10, 5, 10_500_000, 6, True),
        (10, 5, 10_500_001, 6, False),
    ],
)
def test_wasabi_1_0_by_graphsense(inputs: int, equal: int, value: int, others: int, holds: bool) -> None:
    drawn = mix([15_000_000] * inputs, [value] * equal + [1_234_567 + n for n in range(others)])
    assert verdicts(drawn)["wasabi-1.0-graphsense"] is holds


def test_a_wasabi_1_round_repeats_no_output_script_and_no_input_script_too_often() -> None:
    got = coins([10_000_000] * 5 + [1_234_567 + n for n in range(5)], "out")
    paid = coins([9_000_000] * 20, "in")
    assert verdicts(spend(paid, got))["wasabi-1.0-graphsense"]
    assert not verdicts(spend(paid, [*got[:-1], (got[-1][0], got[0][1])]))["wasabi-1.0-graphsense"]
    assert verdicts(spend([paid[1], *paid[1:]], got))["wasabi-1.0-graphsense"]  # two of twenty
    assert not verdicts(spend([paid[2], paid[2], *paid[2:]], got))["wasabi-1.0-graphsense"]  # three


@pytest.mark.parametrize(
    ("last", "holds"),
    [
        (5_001, True),  # 5.0005001 of them: further than 1 in 10,000 of the total from five
        (5_000, False),
        (9_994_000, True),  # so much less than six
        (9_994_001, False),
        (10_000_000, False),
    ],
)
def test_a_small_wasabi_1_round_is_no_even_split(last: int, holds: bool) -> None:
    got = [10_000_000] * 5 + [last]
    assert verdicts(mix([7_000_000] * 19, got))["wasabi-1.0-graphsense"] is holds
    assert verdicts(mix([7_000_000] * 20, got))["wasabi-1.0-graphsense"]


@pytest.mark.parametrize(
    ("got", "holds"),
    [
        ([20_000_000] * 3 + [40_000_000] * 2 + [1_111_111] * 5, True),
        ([20_000_000] * 2 + [40_000_000] * 2 + [1_111_111] * 5, False),  # three at one level, once
        ([21_000_000, 19_000_000, 20_500_000, 1_111_111], True),
        ([21_000_001, 19_000_000, 20_500_000, 1_111_111], False),
        ([20_000_000] * 3 + [1_111_111] * 13, True),  # enough against the scripts that pay
        ([20_000_000] * 3 + [1_111_111] * 14, False),
    ],
)
def test_wasabi_1_1_counts_the_levels_of_two_to_the_n(got: list[int], holds: bool) -> None:
    drawn = mix([20_000_000] * 13, [*got, 333_333])
    assert verdicts(drawn)["wasabi-1.1-graphsense"] is holds


def wabisabi(inputs: int, standard: Sequence[int], others: Sequence[int]) -> tuple[list[int], list[int]]:
    return [10 * ONE - n for n in range(inputs)], sorted([*standard, *others], reverse=True)


@pytest.mark.parametrize(
    ("inputs", "standard", "others", "height", "holds"),
    [
        (50, [50_000] * 9, [77], 741_213, True),
        (49, [50_000] * 9, [77], 741_213, False),
        (50, [50_000] * 9, [77], 741_212, False),
        (50, [50_000] * 8, [77, 78], 741_213, False),  # four of five are not more than that
        (50, [65_536, 50_000, 19_683, 13_122, 20_000, 20_000], [77], 741_213, True),
        (50, [65_536, 50_000, 19_683, 13_122, 20_000, 10_000], [77], 741_213, False),  # no two are equal
        (50, [49_999] * 9, [77], 741_213, False),
    ],
)
def test_wasabi_2_by_dumplings(inputs: int, standard: list[int], others: list[int], height: int, holds: bool) -> None:
    paid, got = wabisabi(inputs, standard, others)
    assert verdicts(mix(paid, got, height))["wasabi-2-dumplings"] is holds
    assert not verdicts(mix(paid[::-1], got, height))["wasabi-2-dumplings"]  # sorted, or it is not one
    assert not verdicts(mix(paid, got[::-1], height))["wasabi-2-dumplings"]


@pytest.mark.parametrize(("others", "holds"), [(13, True), (14, False)])
def test_half_of_a_wasabi_1_1_round_is_mixed_but_for_the_coordinator(others: int, holds: bool) -> None:
    # Ten scripts pay, which is too few for the other measure: 12 mixed outputs are less than 25 without 10 and 1.
    paid = [(20_000_000, owner(("in", n % 10))) for n in range(100)]
    got = [20_000_000] * 6 + [40_000_000] * 6 + [1_234_567 + n for n in range(others)]
    assert verdicts(spend(paid, coins(got, "out")))["wasabi-1.1-graphsense"] is holds


@pytest.mark.parametrize(
    ("kind", "holds"), [("taproot", True), ("script hash", False), ("legacy", False), ("script", False)]
)
def test_wasabi_2_takes_key_hashes_and_taproot(kind: str, holds: bool) -> None:
    paid, got = wabisabi(50, [50_000] * 9, [77])
    inputs = [(paid[0], owner("other", kind)), *coins(paid[1:], "in")]
    assert verdicts(spend(inputs, coins(got, "out", "legacy")))["wasabi-2-dumplings"] is holds


THREE_TIERS = [50_000] * 2 + [65_536] * 2 + [100_000] * 2


@pytest.mark.parametrize(
    ("inputs", "got", "holds"),
    [
        (20, [*THREE_TIERS, 5_000], True),
        (19, [*THREE_TIERS, 5_000], False),
        (20, [*THREE_TIERS, 4_999], False),
        (20, THREE_TIERS, False),  # no output that is not one of them
        (20, [50_000] * 3 + [65_536] * 3 + [5_000], False),  # two tiers
        (20, THREE_TIERS + [7_000 + n for n in range(7)], True),
        (20, THREE_TIERS + [7_000 + n for n in range(8)], False),
    ],
)
def test_wasabi_2_by_graphsense(inputs: int, got: list[int], holds: bool) -> None:
    paid = coins([1_000_000 + n for n in range(inputs)], "in", "legacy")
    drawn = spend(paid, coins(got, "out"))
    assert verdicts(drawn)["wasabi-2-graphsense"] is holds
    assert not verdicts(spend(paid, [*coins(got[1:], "out"), (got[0], owner(("out", 0)))]))["wasabi-2-graphsense"]
    twice = spend([(1_000_000, paid[0][1])] * 2 + paid[2:], coins(got, "out"))  # two of twenty are not too many
    assert verdicts(twice)["wasabi-2-graphsense"] is holds
    often = spend([(1_000_000, paid[0][1])] * 3 + paid[3:], coins(got, "out"))
    assert not verdicts(often)["wasabi-2-graphsense"]


@pytest.mark.parametrize("pool", sorted(POOLS))
@pytest.mark.parametrize(
    ("premiums", "dumplings", "graphsense"),
    [
        ([0, 0, 0, 0, 110_000], True, True),
        ([0, 0, 0, 0, 110_001], False, False),
        ([0, 0, 0, 0, 100], True, True),
        ([0, 0, 0, 0, 99], True, False),
        ([0, 100, 100, 100, 100], True, True),
        ([100] * 5, False, False),  # nobody was there before
        ([0] * 5, True, False),  # nobody is new
        ([0] * 4, False, False),
        ([0] * 7 + [100], True, True),
        ([0] * 8 + [100], True, False),
        ([0] * 9 + [100], True, False),
        ([0] * 10 + [100], False, False),
        ([0] * 3 + [100] * 5, True, False),
        ([0, 0, 0, 100, -100], True, False),
    ],
)
def test_whirlpool_mixes(pool: int, premiums: list[int], dumplings: bool, graphsense: bool) -> None:
    drawn = mix([pool + premium for premium in premiums], [pool] * len(premiums), 570_000)
    said = verdicts(drawn)
    assert (said["whirlpool-dumplings"], said["whirlpool-graphsense"]) == (dumplings, graphsense)
    early = verdicts(mix([pool + premium for premium in premiums], [pool] * len(premiums), 569_999))
    assert (early["whirlpool-dumplings"], early["whirlpool-graphsense"]) == (False, graphsense)
    near = verdicts(mix([pool + premium + 1 for premium in premiums], [pool + 1] * len(premiums), 570_000))
    assert not near["whirlpool-dumplings"]
    assert not near["whirlpool-graphsense"]


def test_a_whirlpool_mix_has_key_hashes_for_dumplings_and_five_owners_for_graphsense() -> None:
    paid, got = coins([100_000] * 4 + [100_100], "in"), coins([100_000] * 5, "out")
    for side, other in (("in", "taproot"), ("out", "legacy")):
        foreign = [(100_000, owner("other", other))]
        drawn = spend(foreign + paid[1:], got) if side == "in" else spend(paid, foreign + got[1:])
        assert yes(drawn) & {"whirlpool-dumplings", "whirlpool-graphsense"} == {"whirlpool-graphsense"}
    assert yes(spend([paid[1], *paid[1:]], got)) == {"whirlpool-dumplings"}
    assert yes(spend(paid, [got[1], *got[1:]])) == {"whirlpool-dumplings"}


@pytest.mark.parametrize(
    ("got", "marks", "holds"),
    [
        ([100_100] * 2 + [5_000, 999_999], 1, True),
        ([100_100] * 2 + [5_000, 999_999], 0, False),
        ([100_100] * 2 + [5_000, 999_999], 2, False),
        ([100_099] * 2 + [5_000, 999_999], 1, False),
        ([210_000] * 2 + [5_000, 999_999], 1, True),
        ([210_001] * 2 + [5_000, 999_999], 1, False),
        ([100_100] * 2 + [2_500, 999_999], 1, True),
        ([100_100] * 2 + [2_499, 999_999], 1, False),
        ([100_100] * 2 + [15_000, 999_999], 1, True),
        ([100_100] * 2 + [15_001, 999_999], 1, False),
        ([100_100] * 2 + [5_000, 5_001], 1, False),  # two that may be the fee
        ([100_100] * 2 + [5_000, 999_999, 1], 1, False),  # one change at most
        ([100_100] * 70 + [5_000, 999_999], 1, True),
        ([100_100] * 71 + [5_000, 999_999], 1, False),
        ([100_100, 5_000], 1, True),
        ([100_100], 1, False),
        ([50_000_100] * 3 + [1_750_000], 1, True),
        ([5_000_100] * 3 + [175_000], 1, True),
        ([1_000_100] * 3 + [50_000], 1, True),
        ([1_000_100] * 3 + [5_000], 1, False),  # the fee of another pool
    ],
)
def test_whirlpool_tx0(got: list[int], marks: int, holds: bool) -> None:
    drawn = mix([200_000_000], got, marks=marks)
    assert verdicts(drawn)["whirlpool-tx0-graphsense"] is holds
    found = coinjoin(drawn)
    assert (found is not None) is holds
    if found:
        assert (found.protocol, found.mixes, found.anonymity) == ("whirlpool-tx0", False, ())


def test_a_tx0_that_also_looks_like_a_stonewall_stays_a_tx0() -> None:
    drawn = mix([200_000, 200_000], [100_100, 100_100, 5_000, 60_000], marks=1)
    assert yes(drawn) == {"blocksci", "stonewall", "whirlpool-tx0-graphsense"}
    found = coinjoin(drawn)
    assert found is not None
    assert (found.protocol, found.rules) == ("whirlpool-tx0", ("whirlpool-tx0-graphsense",))


def test_a_tx0_before_whirlpool_existed_is_a_plain_payment() -> None:
    drawn = mix([200_000], [100_100, 5_000], 569_999, marks=1)
    assert yes(drawn) == {"whirlpool-tx0-graphsense"}
    assert coinjoin(drawn) is None


@pytest.mark.parametrize("scale", [ONE, 2**53 + 1, 2**63, 2**64, 2**128, 2**250])
def test_dumplings_lets_a_payer_bring_what_one_share_and_the_largest_change_take(scale: int) -> None:
    got = [scale, scale, 100_000, 50_000]
    most = scale + 100_000 - 10_000
    for largest, holds in ((most, True), (most + 1, False)):
        drawn = mix([largest, scale + 70_000], got)
        assert verdicts(drawn)["joinmarket-dumplings"] is holds


@pytest.mark.parametrize(
    ("got", "holds"),
    [
        ([9, 9, 9, 50_001, 50_002, 50_003], True),
        ([9, 9, 9, 50_001, 50_002], False),
        ([9, 9, 9, 50_001, 50_002, 50_003, 50_004], False),
        ([9, 9, 9, 50_001, 50_001, 50_003], False),  # a second group
        ([9, 9, 9, 9, 50_001, 50_002, 50_003, 50_004], False),  # three scripts pay four
    ],
)
def test_dumplings_wants_one_group_as_large_as_the_rest(got: list[int], holds: bool) -> None:
    drawn = mix([30_000, 30_000, sum(got)], got)
    assert not verdicts(drawn)["joinmarket-dumplings"]  # the largest brings too much
    share = -(-sum(got) // 3)
    paid = [share] * 3 if share <= 9 + max(got) - 10_000 else [40_000] * 3
    if sum(paid) >= sum(got):
        assert verdicts(mix(paid, got))["joinmarket-dumplings"] is holds
    spread = [40_000] * 3 + [40_000] * 20
    twenty = spend([(units, owner(("in", n % 3))) for n, units in enumerate(spread)], coins(got, "out"))
    assert verdicts(twenty)["joinmarket-dumplings"] is holds


def test_dumplings_wants_a_script_for_each_equal_output() -> None:
    paid, got = coins([90_000] * 4, "in"), coins([50_000] * 3 + [60_000, 61_000, 62_000], "out")
    assert verdicts(spend(paid, got))["joinmarket-dumplings"]
    same = [(units, got[0][1]) for units, _ in got]
    assert verdicts(spend(paid, same[:4] + got[4:]))["joinmarket-dumplings"]  # three scripts are left
    assert not verdicts(spend(paid, same[:5] + got[5:]))["joinmarket-dumplings"]


@pytest.mark.parametrize(
    ("inputs", "got", "holds"),
    [
        (3, [2_731] * 3 + [1, 2, 3], True),
        (3, [2_730] * 3 + [1, 2, 3], False),
        (3, [2_731] * 2 + [1, 2], False),
        (2, [2_731] * 3 + [1, 2, 3], False),
        (3, [2_731] * 3, False),  # nobody got change
        (3, [2_731] * 3 + [1, 2, 3, 4], False),
        (49, [5_000] * 10 + [1], True),
        (50, [5_000] * 10 + [1], False),
        (50, [5_000] * 10 + [1, 2, 3, 4, 5, 6, 7], True),
        (50, [5_000] * 10 + [1, 2, 3, 4, 5, 6], False),
        (60, [5_000] * 3 + [1, 2, 3], True),
        (61, [5_000] * 3 + [1, 2, 3], False),
    ],
)
def test_joinmarket_by_graphsense(inputs: int, got: list[int], holds: bool) -> None:
    paid = coins([50_000] * inputs, "in", "script")
    assert verdicts(spend(paid, coins(got, "out", "script")))["joinmarket-graphsense"] is holds
    twice = [*coins(got[1:], "out"), (got[0], owner(("out", 0)))]
    assert not verdicts(spend(paid, twice))["joinmarket-graphsense"]


def test_an_exchange_among_the_payers_silences_that_rule_alone() -> None:
    drawn = mix([2 * ONE] * 3, [ONE] * 3 + [ONE // 2, ONE // 3, ONE // 4])
    exchange = owner(("in", 1))
    assert exchange is not None
    assert {name for name, holds in verdicts(drawn, {exchange}).items() if holds} == {"blocksci"}
    found = coinjoin(drawn, {exchange})
    assert found is not None
    assert found.rules == ("blocksci",)
    stranger = owner("stranger")
    assert stranger is not None
    assert verdicts(drawn, {stranger}) == verdicts(drawn)


@pytest.mark.parametrize(
    ("paid", "got", "holds"),
    [
        ([9_000, 9_000], [5_000, 5_000, 1], True),
        ([9_000, 9_000], [4_999, 4_999, 1], False),
        ([9_000, 9_000], [5_000, 5_000, 1, 2], True),
        ([9_000, 9_000], [5_000, 5_000, 1, 1], False),
        ([9_000, 9_000], [5_000, 5_000, 5_000, 2], False),
        ([9_000, 9_000], [5_000, 5_000, 5_000], False),
        ([9_000, 9_000], [5_000, 5_000], False),
        ([9_000, 9_000], [5_000, 5_000, 1, 2, 3], False),
        ([18_000], [5_000, 5_000, 1], False),
    ],
)
def test_a_stonewall_has_one_pair_among_three_or_four(paid: list[int], got: list[int], holds: bool) -> None:
    assert verdicts(mix(paid, got))["stonewall"] is holds
    twice = [*coins(got[1:], "out"), (got[0], owner(("out", 0)))]
    assert not verdicts(spend(coins(paid, "in"), twice))["stonewall"]
