"""The promises of `protocol.GraphStore` as tests: inherit, give an empty store, and a new one is held to them all.

    class TestMyStore(GraphStoreContract):
        @pytest.fixture
        def store(self): ...      # empty, of one case
        @pytest.fixture
        def other(self): ...      # another case, empty, in the same database where one can hold several

It ships with the package and imports no pytest.
"""

# ruff: noqa: S101  asserts are what this file is for

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from cases.codec import transfer_text
from cases.graph import questions
from cases.graph.clusters import clusters_of
from cases.graph.nouns import Flow, Place, Rest, TraceRecord, order_of
from cases.graph.protocol import GraphStore
from tracer.errors import CaseConflict
from tracer.judgements import Judgement
from tracer.labels import Label, Role
from tracer.losses import Loss
from tracer.values import MAX_UNITS, Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

ETHEREUM, BITCOIN = Chain.named("ethereum"), Chain.named("bitcoin")
ETH, BTC = ETHEREUM.coin, BITCOIN.coin
USDT = Asset(ETHEREUM, "0x" + "d" * 40, "USDT", 6)
#: Where integers of 53, 63, 64, 128 and 256 bits end.
PINNED = (0, 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**128, 2**256 - 1)
HOSTILE = (
    "",
    "'}) DETACH DELETE n //",
    "`x`",
    "a\x00b",
    "\ud800",
    "\\u0041",
    "\u202e",
    "=1+1",
    "<script>",
    "x" * 20_000,
)


def who(name: str, chain: Chain = ETHEREUM) -> Address:
    """The address of a name."""
    return Address(chain, f"0x{name.encode().hex():0>40}" if chain is ETHEREUM else f"bc1{name}")


def paid(
    n: int, source: Address | None, target: Address | None, units: int, asset: Asset = ETH, *, position: str = "tx",
    place: int = 0,
) -> Transfer:  # fmt: skip
    """A payment in block `n`; None is the fee, or an issue."""
    sink = Leg.sink(asset, SinkKind.FEE if source else SinkKind.ISSUE, units)
    one, two = (sink if side is None else Leg.slot(side, asset, units) for side in (source, target))
    id = TransferId(ETHEREUM, f"0x{n:060x}{place:04x}", position)
    return Transfer(id, Block(n, 1_600_000_000 + n, f"0x{n:064x}"), place, asset, (one,), (two,), (f"sha256:e#{n}",))


def coins(
    n: int, spent: Iterable[tuple[int, int, str, int]], made: Iterable[tuple[str | None, int]], fee: int
) -> Transfer:
    """A transaction in block `n`: (transaction, output, whose, units) in; (whose or nobody's, units) and `fee` out."""
    tx = f"{n:064x}"
    inputs = [Leg.coin(f"{t:064x}", i, BITCOIN, units, who(name, BITCOIN)) for t, i, name, units in spent]
    outputs = [
        Leg.coin(tx, i, BITCOIN, units, who(name, BITCOIN) if name else None) for i, (name, units) in enumerate(made)
    ]
    outputs += [Leg.sink(BTC, SinkKind.FEE, fee)] if fee else []
    inputs = inputs or [Leg.sink(BTC, SinkKind.ISSUE, sum(leg.units for leg in outputs))]
    block = Block(n, 1_600_000_000 + 600 * n, f"{n:064x}")
    return Transfer(TransferId(BITCOIN, tx), block, 1, BTC, tuple(inputs), tuple(outputs), ("sha256:b#1", "sha256:c#2"))


FACTS = (
    paid(1, who("victim"), who("thief"), 1_000),
    paid(1, who("victim"), None, 3, position="fee"),
    paid(2, who("thief"), who("mule"), 600),
    paid(3, who("mule"), who("till"), 250),
    paid(3, who("thief"), who("till"), 100, place=1),
    paid(4, who("mule"), who("thief"), 5),
    paid(5, who("friend"), who("till"), 80, USDT, position="log:7"),
    paid(5, who("friend"), who("till"), 81, USDT, position="log:8"),
    paid(6, who("till"), who("bank"), MAX_UNITS, USDT, position="trace:0_1"),
    paid(7, who("early"), who("late"), 1),
    paid(6, who("late"), who("never"), 1, place=9),
    paid(8, None, who("mint"), 9, USDT, position="log:1"),
    coins(1, [], [("miner", 5_000)], 0),
    coins(2, [(1, 0, "miner", 5_000)], [("ann", 3_000), ("ann", 1_000), (None, 0)], 1_000),
    coins(3, [(2, 0, "ann", 3_000), (2, 1, "ann", 1_000), (9, 9, "bob", 70)], [("shop", 4_000), ("bob", 60)], 10),
)
LABELS = (
    Label(who("till"), "HTX", "HTX 35", Role.EXCHANGE, "us", None, 50, "sha256:l#1", "said so"),
    Label(who("till"), "Huobi", "Huobi 35", Role.EXCHANGE, "them", None, 20, "sha256:l#2"),
    Label(who("nobody"), "X", "", Role.MIXER, "us", None, 100, "sha256:l#3"),
)
JUDGEMENTS = (
    Judgement(who("ann", BITCOIN), who("bob", BITCOIN), "common input", (FACTS[-1].id,), 70, "rule/1", 3),
    Judgement(who("thief"), who("mule"), "a person says", (), 30, "A. Person", 4),
    Judgement(who("mule"), who("aunt"), "deposit reuse", (FACTS[3].id, FACTS[2].id), 60, "rule/2", 5),
)
LOSSES = (
    Loss("first", ETH, "A. Victim", paid=FACTS[0].id, units=1_000),
    Loss("wallet", ETH, wallet=who("thief"), since=1),
)


def flow(fact: Transfer, units: int, loss: str = "first") -> Flow:
    """Stolen units that a fact of one leg a side moved, the same under both rules."""
    source, target = Place.of_leg(fact.inputs[0]), Place.of_leg(fact.outputs[0])
    both = ("fifo", units), ("lifo", units)
    shares = ("fifo", loss, units), ("lifo", loss, units)
    return Flow(
        order_of(fact), str(fact.id), source, target, fact.asset.name, fact.block.number, fact.block.time, both, both,
        shares,
    )  # fmt: skip


def rest(name: str, units: int, stop: str = "exchange") -> Rest:
    """An end."""
    both = ("fifo", units), ("lifo", units)
    return Rest(
        Place.of(who(name)), "ethereum", 18, stop, "ends", "HTX 35", "label", "a label says so", both, both,
        (("fifo", "first", units), ("lifo", "first", units)), units, None,
    )  # fmt: skip


def trace(id: str, at: int, till: int) -> TraceRecord:
    """A trace of the facts: what came to the till over the mule, and what stayed there."""
    flows = flow(FACTS[2], 600), flow(FACTS[3], till)
    ends = rest("till", till), rest("mule", max(0, 600 - till), "unspent")
    return TraceRecord(
        id, at, "forward", "ethereum", 18, True, ("first",), ("fifo", "lifo"), flows, tuple(e for e in ends if e.units)
    )


TRACES = (trace("a" * 64, 10, 250), trace("b" * 64, 20, 200))


def fill(store: GraphStore) -> None:
    """Everything above."""
    store.write_transfers(FACTS)
    store.write_addresses([who("alone")])
    store.write_labels(LABELS)
    store.write_judgements(JUDGEMENTS)
    store.write_clusters(clusters_of(JUDGEMENTS))
    store.write_losses(LOSSES)
    for one in TRACES:
        store.write_trace(one)


def dump(store: GraphStore) -> dict[str, list[str]]:
    """All that a store holds as texts, the same for two stores that hold the same."""
    everywhere = sorted({place for fact in store.transfers() for leg in fact.inputs + fact.outputs
                         for place in [Place.of_leg(leg)]})  # fmt: skip
    return {
        "transfers": [told(one) for one in store.transfers()],
        "addresses": [repr(one) for one in store.addresses()],
        "labels": sorted(repr(one) for one in store.labels()),
        "judgements": [repr(one) for one in store.judgements()],
        "clusters": [repr(one) for one in store.clusters()],
        "losses": [told_loss(one) for one in store.losses()],
        "traces": [repr(store.trace(id)) for _, id in store.traces()],
        "paid": [repr(one) for one in store.payments(everywhere, out=True)],
        "got": [repr(one) for one in store.payments(everywhere, out=False)],
    }


def told(one: Transfer) -> str:
    """A transfer, with what equality leaves out."""
    return f"{one.id} {one.evidence} {transfer_text(one)}"


def told_loss(one: Loss) -> str:
    """A loss, with what equality leaves out."""
    return f"{one!r} {one.asset.symbol} {one.asset.decimals}"


class GraphStoreContract:
    """Inherit this in a test class whose name begins with Test."""

    def test_what_was_written_is_read_back_in_order(self, store: GraphStore) -> None:
        fill(store)
        assert list(map(told, store.transfers())) == [told(one) for one in sorted(FACTS, key=order_of)]
        assert sorted(store.labels(), key=repr) == sorted(LABELS, key=repr)
        assert list(store.judgements()) == sorted(JUDGEMENTS)
        assert list(map(told_loss, store.losses())) == list(map(told_loss, LOSSES))
        assert store.traces() == [(one.at, one.id) for one in TRACES]
        assert [store.trace(one.id) for one in TRACES] == list(TRACES)
        found = list(store.addresses())
        assert found == sorted(set(found))
        assert {who("alone"), who("nobody"), who("aunt"), who("till"), who("shop", BITCOIN)} <= set(found)

    def test_writing_again_changes_nothing(self, store: GraphStore) -> None:
        fill(store)
        once = dump(store)
        fill(store)
        assert dump(store) == once

    def test_the_order_of_writing_does_not_matter(self, store: GraphStore, other: GraphStore) -> None:
        fill(store)
        for one in reversed(TRACES):
            other.write_trace(one)
        other.write_losses(reversed(LOSSES))
        other.write_clusters(reversed(clusters_of(JUDGEMENTS)))
        other.write_judgements(reversed(JUDGEMENTS))
        other.write_labels(reversed(LABELS))
        other.write_addresses([who("alone")])
        other.write_transfers(reversed(FACTS))
        assert dump(other) == dump(store)

    def test_a_transfer_written_again_with_more_evidence_replaces_what_was_there(self, store: GraphStore) -> None:
        for fact in (FACTS[0], FACTS[-1]):
            more = replace(fact, evidence=(*fact.evidence, "sha256:z#1"), index=5, method="0xca11ca11")
            store.write_transfers([replace(fact, index=-1)])
            store.write_transfers([more])
            assert told(more) in map(told, store.transfers())
        assert len(list(store.transfers())) == 2

    def test_deleted_transfers_are_gone_and_nothing_else(self, store: GraphStore, other: GraphStore) -> None:
        fill(store)
        fill(other)
        before, gone = dump(store), [FACTS[0], FACTS[6], FACTS[-1]]
        missing = TransferId(ETHEREUM, "0xnone")
        for _ in range(2):
            store.delete_transfers([missing, *(one.id for one in gone)])
            after = dump(store)
            lost = {str(one.id) for one in gone}
            assert after["transfers"] == [told(one) for one in sorted(FACTS, key=order_of) if str(one.id) not in lost]
            assert not [line for line in after["paid"] + after["got"] for id in lost if id in line]
            same = "addresses", "labels", "judgements", "clusters", "losses", "traces"
            assert {name: after[name] for name in same} == {name: before[name] for name in same}
        assert dump(other) == before, "those of another case stay"
        store.write_transfers(gone)
        assert dump(store) == before

    def test_a_deleted_transfer_may_be_written_otherwise(self, store: GraphStore) -> None:
        """A reorganised chain may have the same transaction in another block, and do other things in it."""
        coin = coins(9, [(1, 0, "ann", 5), (1, 1, "bob", 6)], [("shop", 11)], 0)
        store.write_transfers([paid(1, who("a"), who("b"), 5), coin])
        one = replace(paid(8, who("c"), who("a"), 7, USDT), id=paid(1, who("a"), who("b"), 5).id)
        other = replace(coins(9, [(1, 0, "ann", 5)], [("shop", 4), ("ann", 1)], 0), block=Block(10, 10, "0x10"))
        store.delete_transfers([one.id, other.id])
        store.write_transfers([one, other])
        store.delete_unnamed_places()
        assert sorted(map(told, store.transfers())) == sorted([told(one), told(other)])
        assert set(store.addresses()) == {who("a"), who("c"), who("ann", BITCOIN), who("shop", BITCOIN)}
        everywhere = list(map(Place.of, store.addresses()))
        found = [(one.source.address, one.target.address, one.units, one.block, one.asset)
                 for one in store.payments(everywhere, out=True)]  # fmt: skip
        assert found == [
            (who("c"), who("a"), 7, 8, USDT.name), (who("ann", BITCOIN), who("shop", BITCOIN), 4, 10, "bitcoin"),
        ]  # fmt: skip
        assert not store.payments([Place.of(who("b"))], out=False)

    def test_places_that_nothing_names_go_and_others_stay(self, store: GraphStore, other: GraphStore) -> None:
        fill(store)
        fill(other)
        before = dump(store)
        store.delete_unnamed_places()
        after = dump(store)
        assert set(before.pop("addresses")) - set(after.pop("addresses")) == {repr(who("alone"))}
        assert after == before
        store.delete_transfers(one.id for one in FACTS)
        store.delete_unnamed_places()
        named = {who(name) for name in ("till", "nobody", "thief", "mule", "aunt")}
        assert set(store.addresses()) == named | {who(name, BITCOIN) for name in ("ann", "bob")}
        for one in TRACES:
            store.delete_trace(one.id)
        store.write_judgements([])
        store.write_clusters([])
        store.delete_unnamed_places()
        assert set(store.addresses()) == {who("till"), who("nobody"), who("thief")}, "what labels and losses name"
        store.write_trace(replace(TRACES[0], flows=(flow(FACTS[9], 1),), ends=()))
        store.delete_unnamed_places()
        assert {who("early"), who("late")} <= set(store.addresses()), "what a traced way goes through"
        assert repr(who("alone")) in dump(other)["addresses"]
        fill(store)
        assert dump(store) == dump(other)

    def test_another_case_is_neither_seen_nor_touched(self, store: GraphStore, other: GraphStore) -> None:
        fill(store)
        before = dump(store)
        assert not any(dump(other).values())
        other.write_trace(TRACES[0])
        other.write_clusters([])
        assert other.delete_trace(TRACES[0].id)
        assert dump(store) == before

    def test_every_amount_is_exact(self, store: GraphStore) -> None:
        facts = [paid(n, who("a"), who("b"), units) for n, units in enumerate(PINNED)]
        facts += [
            coins(n + 100, [(n, 0, "ann", units)], [("shop", units)], 0)
            for n, units in enumerate(PINNED)
        ]  # fmt: skip
        store.write_transfers(facts)
        assert [one.units for one in store.transfers()] == [*PINNED, *PINNED]
        assert sorted(one.units for one in store.payments([Place.of(who("a"))], out=True)) == sorted(PINNED)
        (sum_of,) = questions.neighbours(store, Place.of(who("shop", BITCOIN)), out=False)
        assert sum_of.units == sum(PINNED)
        big = trace("c" * 64, 1, MAX_UNITS)
        store.write_trace(big)
        assert store.trace(big.id) == big

    def test_hostile_texts_come_back_as_they_were(self, store: GraphStore) -> None:
        self.survives(store, HOSTILE)

    def survives(self, store: GraphStore, texts: Iterable[str]) -> None:
        """Every text through every field that can hold one."""
        facts, labels, judgements, losses, flows, ends = hostile(texts)
        record = replace(TRACES[0], flows=tuple(flows), ends=tuple(ends), losses=tuple(dict.fromkeys(texts)))
        store.write_transfers(facts)
        store.write_labels(labels)
        store.write_judgements(judgements)
        store.write_clusters(clusters_of(judgements))
        store.write_losses(losses)
        store.write_trace(record)
        assert sorted(map(told, store.transfers())) == sorted(map(told, facts))
        assert sorted(map(repr, store.labels())) == sorted(map(repr, labels))
        assert sorted(map(repr, store.judgements())) == sorted(map(repr, judgements))
        assert sorted(map(told_loss, store.losses())) == sorted(map(told_loss, losses))
        assert store.trace(record.id) == record
        for fact in facts:
            source = Place.of_leg(fact.inputs[0])
            found = [one.transfer for one in store.payments([source], out=True)]
            assert str(fact.id) in found or source == Place.of_leg(fact.outputs[0])
        store.delete_unnamed_places()
        assert sorted(map(told, store.transfers())) == sorted(map(told, facts)), "all of it is named"
        store.delete_transfers(one.id for one in facts)
        assert not list(store.transfers())
        assert store.trace(record.id) == record

    # Questions.

    def test_neighbours_come_by_value_within_a_time(self, store: GraphStore) -> None:
        fill(store)
        till = Place.of(who("till"))
        told = [(one.place.address, one.asset, one.units, one.payments) for one in questions.neighbours(
            store, till, out=False)]  # fmt: skip
        assert told == [
            (who("mule"), "ethereum", 250, 1), (who("thief"), "ethereum", 100, 1),
            (who("friend"), USDT.name, 161, 2),
        ]  # fmt: skip
        assert not questions.neighbours(store, till, out=False, since=6)
        assert len(questions.neighbours(store, till, out=False, until=3)) == 2
        assert len(questions.neighbours(store, till, out=False, asset=USDT.name)) == 1

    def test_ways_respect_time_forward_and_backward(self, store: GraphStore) -> None:
        fill(store)
        forward = questions.paths(store, Place.of(who("thief")), hops=3, asset="ethereum")
        assert [[one.target.address for one in way] for way in forward] == [
            [who("mule")], [who("till")], [who("mule"), who("till")],
        ]  # fmt: skip
        back = questions.paths(store, Place.of(who("till")), out=False, hops=3, asset="ethereum")
        assert [who("mule"), who("thief"), who("victim")] in [[one.source.address for one in way] for way in back]
        late = questions.paths(store, Place.of(who("early")), hops=3)
        assert [[one.target.address for one in way] for way in late] == [[who("late")]], "block 6 is before block 7"

    def test_ways_go_through_transactions_of_coins(self, store: GraphStore) -> None:
        fill(store)
        shop = Place.of(who("shop", BITCOIN))
        ways = questions.paths(store, Place.of(who("miner", BITCOIN)), to=shop, hops=2)
        assert [[(one.target.text, one.units, one.pooled) for one in way] for way in ways] == [
            [("bc1ann", 4_000, False), ("bc1shop", 4_000, True)],
        ]  # fmt: skip

    def test_the_way_of_a_loss_to_an_end_is_told_with_amounts(self, store: GraphStore) -> None:
        fill(store)
        way = questions.way_of(store, TRACES[0].id, "first", Place.of(who("till")), "fifo")
        assert [(one.source.address, one.target.address, units) for one, units in way] == [
            (who("thief"), who("mule"), 600), (who("mule"), who("till"), 250),
        ]  # fmt: skip
        for loss, rule in (("none", "fifo"), ("first", "none")):
            with suppress(CaseConflict):
                raise AssertionError(questions.way_of(store, TRACES[0].id, loss, Place.of(who("till")), rule))

    def test_who_else_touched_a_place_is_told(self, store: GraphStore) -> None:
        fill(store)
        found = questions.touched(store, Place.of(who("till")))
        assert {one.place.address for one in found.payers} == {who("mule"), who("thief"), who("friend")}
        assert {one.place.address for one in found.paid} == {who("bank")}
        assert ("a" * 64, "first", "fifo", 250) in found.stolen

    def test_shared_counterparties_of_two_are_told(self, store: GraphStore) -> None:
        fill(store)
        friend, victim = Place.of(who("friend")), Place.of(who("victim"))
        assert questions.shared(store, friend, victim) == ()
        assert (Place.of(who("till")), 1, 2) in questions.shared(store, friend, victim, hops=2)
        assert questions.shared(store, friend, Place.of(who("mule"))) == ((Place.of(who("till")), 1, 1),)

    def test_a_cluster_has_its_reasons(self, store: GraphStore) -> None:
        fill(store)
        found = questions.cluster_of(store, who("aunt"))
        assert found == next(one for one in clusters_of(JUDGEMENTS) if who("aunt") in one.members)
        assert len(found.judgements) == 2
        assert questions.cluster_of(store, who("till")) is None
        assert questions.clusters_again(store, confidence=50) == clusters_of(JUDGEMENTS, confidence=50)

    def test_judgements_are_replaced_as_a_whole_and_nothing_else_is_touched(
        self, store: GraphStore, other: GraphStore
    ) -> None:
        fill(store)
        fill(other)
        before = dump(store)
        store.write_judgements(JUDGEMENTS[:1])
        assert list(store.judgements()) == list(JUDGEMENTS[:1])
        assert {name: lines for name, lines in dump(store).items() if name != "judgements"} == {
            name: lines for name, lines in before.items() if name != "judgements"
        }
        store.write_judgements([])
        assert not list(store.judgements())
        assert dump(other) == before, "those of another case stay"

    def test_clusters_are_replaced_as_a_whole_and_judgements_stay(self, store: GraphStore) -> None:
        fill(store)
        store.write_clusters(clusters_of(JUDGEMENTS, confidence=65))
        assert [len(one.members) for one in store.clusters()] == [2]
        assert list(store.judgements()) == sorted(JUDGEMENTS)

    def test_what_changed_between_two_traces_is_told(self, store: GraphStore) -> None:
        fill(store)
        found = questions.changes(store, TRACES[0].id, TRACES[1].id)
        assert sorted((one and one.units[0], two and two.units[0]) for one, two in found.ends) == [
            (("fifo", 250), ("fifo", 200)), (("fifo", 350), ("fifo", 400)),
        ]  # fmt: skip
        assert [(one and one.units[0][1], two and two.units[0][1]) for one, two in found.flows] == [(250, 200)]
        assert questions.changes(store, TRACES[0].id, TRACES[0].id) == questions.Changes((), ())

    def test_deleting_a_trace_removes_it_and_nothing_else(self, store: GraphStore) -> None:
        fill(store)
        before = dump(store)
        assert store.delete_trace(TRACES[0].id)
        after = dump(store)
        assert after.pop("traces") == before.pop("traces")[1:]
        assert after == before
        assert not store.delete_trace(TRACES[0].id)
        with suppress(CaseConflict):
            raise AssertionError(store.trace(TRACES[0].id))


def hostile(
    texts: Iterable[str],
) -> tuple[list[Transfer], list[Label], list[Judgement], list[Loss], list[Flow], list[Rest]]:
    """For each text, one of every noun with the text wherever the noun can hold one."""
    facts, labels, judgements, losses, flows, ends = [], [], [], [], list[Flow](), list[Rest]()
    for n, text in enumerate(texts):
        asset = Asset(ETHEREUM, text, text, 6)
        mine = Address(ETHEREUM, text)
        id = TransferId(ETHEREUM, f"0x{n:x}{text}", "tx")
        moved = (Leg.slot(mine, asset, 5),), (Leg.slot(who("b"), asset, 5),)
        facts.append(Transfer(id, Block(n, n, text), n, asset, *moved, (f"{text}#1", text or "-"), text))
        spent, made = Leg.coin(text, 1, BITCOIN, 5, None), Leg.coin(f"{n}{text}", 0, BITCOIN, 5, Address(BITCOIN, text))
        coin = TransferId(BITCOIN, f"{n}{text}")
        facts.append(Transfer(coin, Block(n, n, text), n, BTC, (spent,), (made,), (text or "-",), text))
        labels.append(Label(mine, text, text, Role.OTHER, text or "-", None, 1, f"{n}{text}", text))
        judgements.append(Judgement(mine, who("z"), text, (id, coin), 1, text, n))
        losses.append(Loss(text, asset, text, paid=id))
        place = Place("ethereum", text)
        flows.append(Flow(f"{n:09d}", f"{text}", place, Place("bitcoin", text, "output"), text, n, n, ((text, n),),
                          ((text, n),), ((text, text, n),)))  # fmt: skip
        ends.append(Rest(place, text, 6, text, text, text, text, text, ((text, n),), (), ((text, text, n),), None, n))
    return facts, labels, judgements, losses, flows, ends


def each(store: GraphStore) -> Iterator[str]:
    """Every line of `dump`, to compare two stores as multisets."""
    yield from (f"{kind} {line}" for kind, lines in dump(store).items() for line in lines)
