"""How addresses behave is told from columns, and stops early where it can; told line by line it is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.behaviour import Behaviour
from graphs.deposits import deposit
from graphs.stops import DAY, StopRules, suspected_service
from graphs.venues import Venues
from notation import ETH, ETHEREUM, address, ledger, transfers
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import Address, Asset, Slot

TOKEN = Asset(ETHEREUM, "0xt", "T", 6)
WALLETS = tuple(f"w{number}" for number in range(4))
HOT = ("hot", "cold", "rival")
NAMES = (*WALLETS, "collector", *HOT, *(f"s{number}" for number in range(14)))
LABELS = LabelBook(
    Label(address(name), entity, f"{entity} {name}", Role.EXCHANGE, "test", date(2024, 1, 1), 50, f"labels#{name}")
    for name, entity in zip(HOT, ("Acme", "Acme", "Rival"), strict=True)
)


@st.composite
def drawn(draw: st.DrawFn) -> Ledger:
    """Wallets that pay exchanges and a collector of theirs, mostly: what deposit addresses and services look like."""
    payer = st.sampled_from((*WALLETS, "collector", *NAMES))
    payee = st.sampled_from(("collector", "collector", "hot", "hot", *NAMES))
    row = st.tuples(payer, payee, st.sampled_from((0, 1, 5, 96, 2000, 2**70)), st.integers(0, 4), st.booleans())
    rows = draw(st.lists(row, max_size=60))
    rows += [(f"s{at}", "collector", 10, 0, False) for at in range(draw(st.sampled_from((0, 9, 10, 14))))]
    coin, token = (
        "\n".join(
            f"{at} {one} -> {two} {units} @{1_600_000_000 + day * DAY + at}"
            for at, (one, two, units, day, is_token) in enumerate(rows, start=1)
            if is_token is wanted
        )
        for wanted in (False, True)
    )
    return Ledger.of([*transfers(coin, ETH), *transfers(token, TOKEN)])


@given(drawn())
def test_what_is_not_worked_out_could_not_have_been_a_deposit_address(of: Ledger) -> None:
    for least in (1, 60, 80):
        behaviour = Behaviour(of, LABELS, StopRules(deposit_score=least))
        for name in NAMES:
            whole = deposit(of, LABELS, address(name), StopRules())
            early = deposit(of, LABELS, address(name), StopRules(), least=least)
            if whole is not None and whole.score >= least:
                assert early == whole
                assert behaviour.stop(address(name)) == whole.stop()
            else:
                assert early is None or early == whole or early.score < least


@given(drawn(), st.integers(0, 8), st.integers(0, 6), st.integers(0, 4))
def test_who_may_be_a_service_is_told_as_line_by_line(of: Ledger, parties: int, daily: int, days: int) -> None:
    rules = StopRules(service_counterparties=parties, service_daily=daily, service_days=days)
    for name in NAMES:
        stop = suspected_service(of, address(name), rules)
        assert (stop.why.partition(": it may")[0] if stop else None) == _plainly(of, address(name), rules)


def _plainly(of: Ledger, address: Address, rules: StopRules) -> str | None:
    """Counterparties counted one line after the other."""
    lines = [(entry, of.address(entry.other)) for hid in of.holdings_of(address) for entry in of.entries(hid)]
    if len(lines) < min(rules.service_counterparties, rules.service_daily * rules.service_days):
        return None
    if len({entry.other for entry, _ in lines}) < min(rules.service_counterparties, rules.service_daily):
        return None
    lines = [(entry, other) for entry, other in lines if entry.units and other not in (None, address)]
    everyone, paid = {other for _, other in lines}, {other for entry, other in lines if entry.out}
    if len(everyone) >= rules.service_counterparties:
        return f"not labelled, but {len(everyone):,} counterparties are recorded ({len(paid):,} of them paid)"
    by_day = {entry.time // DAY: {o for e, o in lines if e.time // DAY == entry.time // DAY} for entry, _ in lines}
    busy = sum(1 for others in by_day.values() if len(others) >= rules.service_daily)
    told = f"not labelled, but {rules.service_daily} or more counterparties a day on {busy} days"
    return told if busy >= rules.service_days else None


@pytest.mark.parametrize(("elsewhere", "found"), [(5, True), (6, False)])
def test_five_percent_may_go_elsewhere_and_no_more(elsewhere: int, found: bool) -> None:
    text = f"1 u -> d 100\n2 d -> hot {50 - elsewhere}\n3 d -> hot 50\n4 d -> friend {elsewhere}\n"
    of = ledger(text)
    assert (deposit(of, LABELS, address("d"), StopRules(), least=1) is not None) is found


def test_what_an_exchange_without_a_name_gets_is_not_joined_with_what_strangers_get() -> None:
    label = next(iter(LABELS.of(address("hot"))))
    nameless = LabelBook([replace(label, entity="", name="")])
    text = "\n".join(f"{at} s{at} -> collector 10" for at in range(1, 13))
    text += "\n20 collector -> hot 1\n21 collector -> strangers 119\n22 u -> d 9\n23 d -> collector 9"
    assert deposit(ledger(text), nameless, address("d"), StopRules()) is None


@given(drawn())
def test_a_collector_is_who_pays_nearly_all_to_one_exchange(of: Ledger) -> None:
    venues = Venues(of, LABELS, 20)
    for name in ("collector", *WALLETS):
        for asset in (ETH, TOKEN):
            hid = of.hid(Slot(address(name), asset))
            if hid is not None:
                venue = venues.of(hid, asset)
                assert (venue.entity if venue else None) == _entity(of, hid)


def _entity(of: Ledger, hid: int) -> str | None:
    lines = [entry for entry in of.entries(hid) if not of.is_sink(entry.other)]
    senders = {entry.other for entry in lines if not entry.out and entry.units}
    out: dict[str, int] = {}
    for entry in lines:
        if entry.out:
            claim = LABELS.deciding(of.address(entry.other) or address("nobody"))
            entity = claim.entity if claim else "nobody"
            out[entity] = out.get(entity, 0) + entry.units
    best = max(out.keys() - {"nobody"}, key=lambda entity: out[entity], default=None)
    if best is None or len(senders) < 10 or len(of.entries(hid)) <= 10:
        return None
    return best if out[best] * 100 >= 95 * sum(out.values()) > 0 else None


@pytest.mark.parametrize("pieces", [0, 1, 5])
@pytest.mark.parametrize(("elsewhere", "found"), [(100, True), (105, False)])
def test_a_collector_pays_at_most_five_percent_elsewhere(pieces: int, elsewhere: int, found: bool) -> None:
    text = "\n".join(f"{at} s{at} -> collector 200" for at in range(1, 13))
    others = {f"friend{at}": elsewhere // pieces for at in range(pieces)} or {"rival": elsewhere}
    text += "\n" + "\n".join(
        f"{20 + at} collector -> {name} {units}" for at, (name, units) in enumerate(others.items())
    )
    of = ledger(f"{text}\n30 collector -> hot 900\n31 collector -> cold {1_100 - elsewhere}\n32 collector -> rival 0")
    hid = of.hid(Slot(address("collector"), ETH))
    assert hid is not None
    assert (Venues(of, LABELS, 20).of(hid, ETH) is not None) is found
    assert _entity(of, hid) == ("Acme" if found else None)


@pytest.mark.parametrize(("others", "suspected"), [(2, False), (3, True)])
def test_counterparties_count_a_day_and_not_payments(others: int, suspected: bool) -> None:
    rules = StopRules(service_counterparties=50, service_daily=3, service_days=2)
    rows = [(day, number) for day in range(2) for number in range(6)]
    text = "\n".join(
        f"{6 * day + number + 1} x -> f{day}{number % others} 1 @{1_600_000_000 // DAY * DAY + day * DAY + number}"
        for day, number in rows
    )
    assert (suspected_service(ledger(text), address("x"), rules) is not None) is suspected
    assert (_plainly(ledger(text), address("x"), rules) is not None) is suspected


@given(drawn())
def test_exchanges_are_found_alike_by_who_is_paid_and_by_who_is_labelled(of: Ledger) -> None:
    hids = {leg for at in range(len(of)) for leg, _ in of.outputs(at) if of.outputs(at)}
    coins = {hid for hid in hids if of.holding(hid) == Slot(of.address(hid) or address("nobody"), ETH)}
    one, other = Venues(of, LABELS, 20), Venues(of, LABELS, 20)
    found = {hid for hid in coins if one.exchanges([hid], ETH)}  # few are paid: each is asked whose it is
    assert set(other.exchanges(coins, ETH)) == found == coins & other.labelled(ETH).keys()
    assert set(other.exchanges(coins, ETH)) == found  # now it is known where the labels' holdings are
