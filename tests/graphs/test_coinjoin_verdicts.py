"""What a verdict on a transaction may claim, and what holds for every transaction."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.coinjoins import coinjoin, payjoin_suspect, verdicts
from mixes import BITCOIN, ETHEREUM, GENERAL, LITECOIN, ONE, TX, coins, mix, owner, spend, yes
from tracer.values import Address, Block, Leg, Outpoint, SinkKind, Transfer, TransferId

# What a verdict may claim.


def test_a_rule_does_not_give_its_name_to_what_came_before_the_protocol() -> None:
    got = [10_000_000] * 5 + [1_234_567 + n for n in range(6)]
    for height, protocol in ((530_499, "equal-output"), (530_500, "wasabi-1")):
        found = coinjoin(mix([9_000_000] * 10, got, height))
        assert found is not None
        assert (found.protocol, "wasabi-1.0-graphsense" in found.rules) == (protocol, True)


def test_wasabi_and_whirlpool_are_not_looked_for_on_other_chains() -> None:
    paid, got = coins([5_000_000] * 4 + [5_000_100], "in"), coins([5_000_000] * 5, "out")
    assert coinjoin(spend(paid, got)) is not None
    assert coinjoin(spend(paid, got, chain=LITECOIN)) is None
    general = coins([3 * ONE] * 3, "in"), coins([2 * ONE] * 3 + [ONE, ONE // 2, ONE // 3], "out")
    assert yes(spend(*general, chain=LITECOIN)) == {"blocksci", "joinmarket-graphsense"}


def test_new_coins_and_account_transfers_are_never_a_mix() -> None:
    got = tuple(Leg.coin(TX, n, BITCOIN, ONE, owner(n)) for n in range(5))
    issue = (Leg.sink(BITCOIN.coin, SinkKind.ISSUE, 5 * ONE),)
    coinbase = Transfer(TransferId(BITCOIN, TX), Block(9, 1), 0, BITCOIN.coin, issue, got, ("drawn#1",))
    slot = (Leg.slot(Address(ETHEREUM, "0x" + "1" * 40), ETHEREUM.coin, 5),)
    account = Transfer(TransferId(ETHEREUM, "0x1"), Block(9, 1), 0, ETHEREUM.coin, slot, slot, ("drawn#1",))
    burnt = mix([5], [], marks=1)
    for transfer in (coinbase, account, burnt):
        assert yes(transfer) == set()
        assert coinjoin(transfer) is None
        assert not payjoin_suspect(transfer)
    assert verdicts(coinbase).keys() == verdicts(mix([5], [5])).keys()


@pytest.mark.parametrize(
    ("paid", "got", "suspect"),
    [
        ([60, 50], [58, 50], True),  # fee 2: without the 50 there are 60, which the larger output and the fee take
        ([60, 50], [59, 49], False),
        ([60], [30, 20], False),
        ([60, 60], [30, 20, 1], False),
        ([60, 60], [30], False),
        ([2**128, 2**128], [2**128, 2**128], True),
        ([2**128, 2**128], [2**128 + 1, 2**128 - 1], False),
    ],
)
def test_an_input_that_was_not_needed_is_a_hint_of_a_payjoin(paid: list[int], got: list[int], suspect: bool) -> None:
    assert payjoin_suspect(mix(paid, got)) is suspect
    one = [(units, owner("one")) for units in paid]
    assert not payjoin_suspect(spend(one, coins(got, "out")))


# What holds for every transaction.

amounts = st.sampled_from(
    [0, 1, 546, 2_730, 5_000, 50_000, 65_536, 100_000, 100_100, 5_000_000, 10_000_000, 20_000_000, 2**53 + 1, 2**128]
)
owners = st.builds(
    owner, st.integers(0, 40), st.sampled_from(["key hash", "key hash", "taproot", "legacy", "script", "bare"])
)
heights = st.sampled_from([300_000, 530_500, 600_000, 650_000, 741_213])


@st.composite
def transactions(draw: st.DrawFn) -> Transfer:
    paid = draw(st.lists(st.tuples(amounts, owners), min_size=1, max_size=12))
    got = draw(st.lists(st.tuples(amounts, owners), min_size=1, max_size=12))
    short = sum(units for units, _ in got) - sum(units for units, _ in paid)
    paid[0] = (paid[0][0] + max(0, short), paid[0][1])
    return spend(paid, got, draw(heights), draw(st.integers(0, 2)))


@given(transactions(), st.randoms(use_true_random=False))
def test_no_verdict_but_the_sorted_one_depends_on_the_order(transfer: Transfer, chance: Random) -> None:
    inputs, outputs = list(transfer.inputs), list(transfer.outputs)
    chance.shuffle(inputs)
    chance.shuffle(outputs)
    again = Transfer(transfer.id, transfer.block, 0, transfer.asset, tuple(inputs), tuple(outputs), transfer.evidence)
    assert {**verdicts(again), "wasabi-2-dumplings": None} == {**verdicts(transfer), "wasabi-2-dumplings": None}
    assert coinjoin(again) == coinjoin(transfer)  # too few inputs here for the sorted rule
    assert payjoin_suspect(again) == payjoin_suspect(transfer)


@given(amounts, amounts, owners, owners, owners, heights)
def test_a_plain_payment_with_change_is_never_a_mix(
    one: int, two: int, payer: Address | None, payee: Address | None, change: Address | None, height: int
) -> None:
    drawn = spend([(one + two, payer)], [(one, payee), (two, change)], height)
    assert yes(drawn) == set()
    assert coinjoin(drawn) is None


@given(transactions())
def test_the_verdict_is_the_union_of_the_rules_less_what_a_stonewall_explains(transfer: Transfer) -> None:
    said = yes(transfer)
    kept = said - {"stonewall"} - (set(GENERAL) if "stonewall" in said else set())
    kept -= {"whirlpool-tx0-graphsense"} if transfer.block.number < 570_000 else set()
    found = coinjoin(transfer)
    assert (set(found.rules) if found else set()) == kept
    if found:
        got = [leg.units for leg in transfer.outputs if isinstance(leg.holding, Outpoint)]
        assert found.denominations
        for units, n in found.anonymity:
            assert got.count(units) == n > 1
        assert all(name in found.why for name in found.rules)


@given(transactions())
def test_what_few_coins_of_one_owner_pay_is_never_a_mix(transfer: Transfer) -> None:
    # Few: in Whirlpool and Wasabi Dumplings counts the coins that are spent, and not whose they are.
    total = sum(leg.units for leg in transfer.inputs)
    got = [(leg.units, leg.address) for leg in transfer.outputs if isinstance(leg.holding, Outpoint)]
    assert yes(spend([(total, owner("one")), (1, owner("one"))], got)) <= {"stonewall"}
