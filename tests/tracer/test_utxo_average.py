"""Pro rata on coins is the exact average but for what must be rounded, whatever the order."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from math import lcm

from hypothesis import example, given
from hypothesis import strategies as st

from stolen_coins import alone
from tracer.lots import Fees, Rule
from utxo import EVERYTHING, Drawn, Tx, chains, entered, few, large, times


def average(of: Drawn, fees: Fees) -> tuple[dict[str, Fraction], int]:
    """Stolen value at each coin and sink by exact shares, and what to multiply all amounts by so that none rounds."""
    coins: dict[str, Fraction] = {}
    collected: dict[int, list[Fraction]] = {}  # block -> fees, and what of them is stolen
    rests: dict[str, Fraction] = {}
    scale = 1
    for tx in of.in_order:
        total = sum(units for _, units in tx.inputs)
        sources = [coins.pop(what, Fraction(0)) for what, _ in tx.inputs]
        if fees is Fees.IN_RATIO and any(what == "fees" for what, _ in tx.inputs):
            sources.append(collected.pop(tx.block)[1])
        stolen = Fraction(total) if tx.name in of.paid else sum(sources, Fraction(0))
        shares = [stolen * units / total if total else Fraction(0) for _, units in tx.outputs]
        fee = stolen * tx.fee / total if total else Fraction(0)
        scale = lcm(scale, *(share.denominator for share in (*shares, fee)))
        # Shares of the fee are taken of each lot, so these must be whole too.
        scale = lcm(scale, *((one * tx.fee / (total or 1)).denominator for one in sources))
        scale = lcm(scale, *((Fraction(units * tx.fee, total or 1)).denominator for _, units in tx.inputs))
        for at, (who, _) in enumerate(tx.outputs):
            if who == "burn" or who in of.outside:
                rests[tx.coin(at)] = rests.get(tx.coin(at), Fraction(0)) + shares[at]
            else:
                coins[tx.coin(at)] = shares[at]
        if fees is Fees.IN_RATIO:
            known = collected.setdefault(tx.block, [Fraction(0), Fraction(0)])
            known[0] += tx.fee
            known[1] += fee
        else:
            rests["fee"] = rests.get("fee", Fraction(0)) + fee
    rests["fee"] = rests.get("fee", Fraction(0)) + sum((stolen for _, stolen in collected.values()), Fraction(0))
    return {name: units for name, units in {**rests, **coins}.items() if units}, scale


@few
@given(entered(st.one_of(chains(), chains(mined=True))), st.sampled_from(Fees))
def test_the_average_is_exact_where_no_share_must_be_rounded(of: Drawn, fees: Fees) -> None:
    exact, scale = average(of, fees)
    assert times(of, scale).stolen(Rule.PRO_RATA, fees) == {name: units * scale for name, units in exact.items()}


@few
@given(entered(st.one_of(chains(), chains(units=large()))))
def test_the_average_is_exact_but_for_a_satoshi_at_each_output_on_the_way(of: Drawn) -> None:
    """Each output and fee rounds by less than one; what was rounded before is shared out, and never grows."""
    exact, _ = average(of, Fees.LAST)
    found = of.stolen(Rule.PRO_RATA)
    rounded = sum(len(tx.outputs) + 1 for tx in of.txs)
    assert all(abs(found.get(name, 0) - exact.get(name, Fraction(0))) <= rounded for name in {*found, *exact})


@few
@given(entered(chains(), losses=3))
def test_the_average_of_several_losses_is_the_sum_of_each_alone(of: Drawn) -> None:
    singles = [alone(of, label) for label in (1, 2, 3)]
    scale = lcm(*(average(one, Fees.LAST)[1] for one in (of, *singles)))
    together = times(of, scale).rests(Rule.PRO_RATA)
    for label, one in enumerate(singles, start=1):
        mine = {name: units[label] for name, units in together.items() if label in units}
        assert times(one, scale).stolen(Rule.PRO_RATA) == mine


@few
@given(entered(chains(), losses=3))
def test_the_average_of_several_losses_is_that_sum_but_for_two_satoshis_an_output(of: Drawn) -> None:
    """Together an output rounds twice, the whole and its share of each loss; alone it rounds once."""
    together = of.rests(Rule.PRO_RATA)
    most = 3 * sum(len(tx.outputs) + 1 for tx in of.txs)
    for label in (1, 2, 3):
        single = alone(of, label).stolen(Rule.PRO_RATA)
        assert all(
            abs(together.get(name, {}).get(label, 0) - single.get(name, 0)) <= most for name in {*together, *single}
        )


# 7. Permutation and scale


def turned(of: Drawn, chance: random.Random) -> tuple[Drawn, dict[str, str]]:
    """The same with inputs and outputs of every transaction in another order, and each coin's new name."""
    now: dict[str, str] = {}
    found = []
    for tx in of.txs:
        places = chance.sample(range(len(tx.outputs)), len(tx.outputs))
        inputs = chance.sample(tx.inputs, len(tx.inputs))
        found.append(
            tx._replace(
                inputs=tuple((now.get(what, what), units) for what, units in inputs),
                outputs=tuple(tx.outputs[at] for at in places),
            )
        )
        for new, at in enumerate(places):
            now[f"{tx.name}.{at}"] = f"{tx.name}.{new}"
    return replace(of, txs=tuple(found)), now


@few
@given(entered(st.one_of(chains(), chains(mined=True))), st.randoms(use_true_random=False), st.sampled_from(Fees))
def test_the_order_of_inputs_and_outputs_is_nothing_to_the_average(
    of: Drawn, chance: random.Random, fees: Fees
) -> None:
    of = times(of, average(of, fees)[1])
    other, now = turned(of, chance)
    expected = {now.get(name, name): units for name, units in of.stolen(Rule.PRO_RATA, fees).items()}
    assert other.stolen(Rule.PRO_RATA, fees) == expected


SINGLES = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=8)
PENNIES = [(stolen, 1) for stolen in (True,) * 4 + (False,) * 4]


@few
@given(came=SINGLES, fee=st.integers(0, 12), chance=st.randoms(use_true_random=False), fees=st.sampled_from(Fees))
@example(came=PENNIES, fee=4, chance=random.Random(0), fees=Fees.LAST)
@example(came=PENNIES, fee=4, chance=random.Random(0), fees=Fees.PRORATA)
def test_in_one_transaction_the_order_moves_the_average_by_a_satoshi_an_output_at_most(
    came: list[tuple[bool, int]], fee: int, chance: random.Random, fees: Fees
) -> None:
    """Whatever the order, what an output and the fee get is less than one away from the exact share at each rounding.

    With the fee apart there are two: the fee's own, and the output's of what the fee has left.
    """
    total = sum(units for _, units in came)
    fee = min(fee, total)
    sources = [Tx(f"t{at}", 1, (("old", units),), (("a", units),)) for at, (_, units) in enumerate(came)]
    first = (total - fee) // 3
    outputs = (("b", first), ("?", total - fee - first))
    joined = Tx("joined", 2, tuple((f"t{at}.0", units) for at, (_, units) in enumerate(came)), outputs)
    of = Drawn((*sources, joined), paid={f"t{at}": (1, EVERYTHING) for at, (stolen, _) in enumerate(came) if stolen})
    exact, _ = average(of, fees)
    for one in (of, *(turned(of, chance)[0] for _ in range(3))):
        found = one.stolen(Rule.PRO_RATA, fees)
        step = one.txs[-1]
        shares = {step.coin(at): exact.get(of.txs[-1].coin(of.txs[-1].outputs.index(step.outputs[at])), Fraction(0))
                  for at in range(2)} | {"fee": exact.get("fee", Fraction(0))}  # fmt: skip
        if outputs[0][1] != outputs[1][1]:
            roundings = 1 if fees is Fees.LAST else 2
            assert all(abs(found.get(name, 0) - share) < roundings for name, share in shares.items())
