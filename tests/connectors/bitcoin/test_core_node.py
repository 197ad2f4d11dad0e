"""A real node (litecoind, regtest): what `core:` reads of it is what the test sent, to the base unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.bitcoin import core as core_source
from connectors.bitcoin import finding
from connectors.bitcoin.core import Core
from connectors.contract import ConnectorContract
from connectors.protocol import Connector, Page
from connectors.sources import open_source
from litecoin_node import COIN, INDEXED, REGTEST, LitecoinNode, litecoin_node
from modern_node import ModernNode
from tracer.addresses import parse
from tracer.addresses.scripts import address_of
from tracer.balances import counted
from tracer.coverage import State
from tracer.errors import InputError, SourceSkipped, SourceUnusable
from tracer.values import Address, Chain, Leg, Sink, SinkKind, Transfer

FEE = 10_000
Sent = dict[str, list[tuple[str, int]]]  # transaction -> (address, base units) of its outputs


@dataclass
class World:
    """What the test sent: `paid` the outputs of each transaction, `spent` what its inputs were, in their order."""

    node: LitecoinNode
    people: dict[str, str] = field(default_factory=dict)
    paid: Sent = field(default_factory=dict)
    spent: Sent = field(default_factory=dict)

    def send(self, inputs: list[tuple[str, int]], *outputs: tuple[str, int]) -> str:
        named = [(self.people.get(who, who), units) for who, units in outputs]
        tx = self.node.spend(inputs, named)
        self.paid[tx] = named
        self.spent[tx] = [self.paid[made][n] for made, n in inputs]
        return tx

    def reward(self, height: int) -> tuple[str, int]:
        """The coin that block made."""
        block = self.node.call("getblock", self.node.call("getblockhash", height), 2)
        tx = block["tx"][0]["txid"]
        self.paid[tx] = [(self.node.miner, int(block["tx"][0]["vout"][0]["value"] * COIN))]
        return tx, 0

    def address(self, name: str) -> Address:
        return parse(self.people[name], REGTEST)


def build(node: LitecoinNode) -> World:
    """Fan-out to thirty, consolidation, change to oneself, a spend in its own block, a note in OP_RETURN."""
    node.mine(110)
    world = World(node)
    kinds = {"old": "legacy", "wrapped": "p2sh-segwit", "hub": "bech32", "joiner": "bech32", "self": "bech32"}
    world.people = {name: node.address(kind) for name, kind in kinds.items()}
    world.people |= {f"mule{n}": node.address() for n in range(30)}
    first = world.send([world.reward(1)], ("hub", 20 * COIN), ("old", 10 * COIN), ("wrapped", 20 * COIN - FEE))
    node.mine()
    shares = [(f"mule{n}", COIN // 3 + n) for n in range(30)]
    left = 20 * COIN - sum(units for _, units in shares) - FEE
    fan = world.send([(first, 0)], *shares, ("hub", left), ("data", 0))
    own = world.send([(first, 1)], ("self", 4 * COIN), ("old", 6 * COIN - FEE))
    world.send([(own, 0)], ("self", 4 * COIN - FEE))  # in the same block
    node.mine()
    total = sum(units for _, units in shares)
    world.send([(fan, n) for n in range(30)], ("joiner", total - 7 * FEE))
    node.mine(2)
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with litecoin_node(tmp_path_factory.mktemp("litecoin"), *INDEXED) as node:
        yield build(node)


def core(node: LitecoinNode, cache: Path | None = None) -> Core:
    source = open_source(f"core:{node.url}", node.network(cache))
    assert isinstance(source, Core)
    return source


def history(source: Connector, address: Address, after: str = "") -> tuple[list[Transfer], Page]:
    pages = list(source.history(address, after))
    return [one for page in pages for one in page.transfers], pages[-1]


def told(legs: tuple[Leg, ...]) -> list[tuple[str, int]]:
    """Legs as the test wrote them down."""
    found = []
    for leg in legs:
        if isinstance(leg.holding, Sink):
            found.append(("data" if leg.holding.kind is SinkKind.UNSPENDABLE else str(leg.holding.kind), leg.units))
        else:
            assert leg.address is not None
            found.append((leg.address.text, leg.units))
    return found


def is_what_was_sent(world: World, source: Connector) -> None:
    for name in ("old", "wrapped", "hub", "joiner", "self", "mule0", "mule29"):
        text = world.people[name]
        wanted = {tx for tx in world.paid if text in {who for who, _ in world.paid[tx] + world.spent.get(tx, [])}}
        transfers, last = history(source, world.address(name))
        assert last.problems == ()
        assert last.coverage is not None
        assert (last.coverage.state, last.coverage.rows) == (State.READ, len(wanted))
        assert {one.id.tx for one in transfers} == wanted, name
        assert [one.order for one in transfers] == sorted(one.order for one in transfers)
        for one in transfers:
            fee = sum(units for _, units in world.spent[one.id.tx]) - sum(units for _, units in world.paid[one.id.tx])
            assert told(one.inputs) == world.spent[one.id.tx]
            assert told(one.outputs) == [*world.paid[one.id.tx], ("fee", fee)]


class TestCoreOfAnOldNode(ConnectorContract):
    """litecoind 0.21: no prevouts in its blocks, no scanblocks. Its blocks are read into an index."""

    KIND = "core"
    SUPPORTS: ClassVar[dict[str, str]] = {
        "native": "yes",
        "internal": "no: there are none on such a chain",
        "token": "no: only the chain's own coin",
        "order": "yes",
        "balances": "yes: at the newest block, by scantxoutset",
        "completeness proof": "yes: every block is read, or matched by the node's own filters",
    }

    @pytest.fixture
    def connector(self, world: World) -> Connector:
        return core(world.node)

    @pytest.fixture
    def address(self, world: World) -> Address:
        return parse(world.node.miner, REGTEST)  # a hundred rows: several pages

    @pytest.fixture
    def unknown_address(self) -> Address:
        return address_of(bytes.fromhex("0014" + "ab" * 20), REGTEST) or pytest.fail("a script with an address")


class TestCoreOfANewNode(TestCoreOfAnOldNode):
    """Core 29: scanblocks, getdescriptoractivity, and what inputs spent told with each transaction."""

    @pytest.fixture(params=["hub", pytest.param("", marks=pytest.mark.slow)], ids=["a few rows", "a hundred rows"])
    def address(self, world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Address:
        if request.param:
            monkeypatch.setattr(core_source, "A_PAGE", 1)
            return world.address(request.param)
        return parse(world.node.miner, REGTEST)

    @pytest.fixture
    def connector(self, world: World) -> Connector:
        node = world.node
        return open_source(f"core:{node.url}", node.network(transport=ModernNode(node)))


def test_an_old_node_tells_what_was_sent(world: World) -> None:
    is_what_was_sent(world, core(world.node))


@pytest.mark.parametrize("without", [(), ("getdescriptoractivity",)])
def test_a_newer_node_tells_what_was_sent_by_its_filters(world: World, without: tuple[str, ...]) -> None:
    newer = ModernNode(world.node, without=without, false_blocks=range(0, 100, 7))
    is_what_was_sent(world, open_source(f"core:{world.node.url}", world.node.network(transport=newer)))
    assert "scanblocks" in newer.asked


@pytest.mark.parametrize(("synced", "reach"), [(False, 114), (True, 113)])
def test_filters_that_are_still_being_built_are_not_asked(world: World, synced: bool, reach: int) -> None:
    """A node passes over blocks that it has no filters of, without a word."""
    newer = ModernNode(world.node, filters={"synced": synced, "best_block_height": reach})
    is_what_was_sent(world, open_source(f"core:{world.node.url}", world.node.network(transport=newer)))
    assert "scanblocks" not in newer.asked


def test_a_coinbase_makes_coins_and_collects_the_fees_of_its_block(world: World) -> None:
    source = core(world.node)
    mined = {one.block.number: one for one in history(source, parse(world.node.miner, REGTEST))[0] if not one.index}
    assert told(mined[1].inputs) == [("issue", 50 * COIN)]
    assert told(mined[112].inputs) == [("issue", 50 * COIN), ("fee", 3 * FEE)]


def test_the_balance_is_the_sum_of_what_was_read(world: World) -> None:
    source = core(world.node)
    for name in ("hub", "old", "self", "mule0"):
        transfers, last = history(source, world.address(name))
        assert last.coverage is not None
        assert last.coverage.last is not None
        sums = counted(world.address(name), transfers)
        assert source.balances(world.address(name), [REGTEST.coin], last.coverage.last)[0] == sums
        assert source.balances(world.address(name), [REGTEST.coin], last.coverage.last - 1)[0] == {}


def test_a_transaction_is_found_by_its_hash_and_one_that_is_none_is_not(world: World) -> None:
    source = core(world.node)
    tx = next(reversed(world.spent))
    (found,) = source.transaction(REGTEST, tx)
    assert told(found.inputs) == world.spent[tx]
    assert (found.block.number, found.index) == (113, 1)
    assert source.transaction(REGTEST, "00" * 32) == ()


def test_an_address_is_not_looked_for_in_more_blocks_than_the_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_UNINDEXED", 50)
    with pytest.raises(SourceSkipped, match=r"115 blocks would have to be read one by one.*-blockfilterindex=1"):
        list(core(world.node).history(world.address("hub")))


def test_blocks_are_read_once_for_all_addresses_and_runs(world: World, tmp_path: Path) -> None:
    door = Counting(world.node)
    for name in ("hub", "joiner"):
        source = open_source(f"core:{world.node.url}", world.node.network(tmp_path, transport=door))
        history(source, world.address(name))
    assert door.blocks_read == 115


class Counting(ModernNode):
    """A node of which it is counted how many whole blocks were asked for; as old as litecoind."""

    def __init__(self, node: LitecoinNode) -> None:
        super().__init__(node, without=("scanblocks", "getdescriptoractivity"))
        self.blocks_read = 0

    def _one(self, request, call):  # type: ignore[no-untyped-def]
        self.blocks_read += call["method"] == "getblock" and call["params"][1:] == [3]
        return super()._one(request, call)


def test_another_chain_than_was_asked_for_is_refused(world: World) -> None:
    source = open_source(f"core:{world.node.url}", world.node.network(), Chain.named("bitcoin"))
    with pytest.raises(SourceUnusable, match="is of litecoin-regtest, not of bitcoin"):
        _ = source.chains
    with pytest.raises(InputError, match="not of ethereum"):
        open_source(f"core:{world.node.url}", world.node.network(), Chain.named("ethereum"))


def test_a_refused_login_says_where_to_set_it_and_does_not_repeat_it(world: World) -> None:
    network = world.node.network()
    network.settings.environ["BITCOIN_RPC_LOGIN"] = "tester:another-secret"  # type: ignore[index]
    with pytest.raises(SourceUnusable, match="refuses the login") as error:
        _ = open_source(f"core:{world.node.url}", network).chains
    assert "BITCOIN_RPC_LOGIN" in error.value.hint
    assert "another-secret" not in str(error.value) + error.value.hint


def test_the_cookie_file_is_a_login(world: World, tmp_path: Path) -> None:
    network = world.node.network()
    (tmp_path / ".cookie").write_text(network.settings.environ["BITCOIN_RPC_LOGIN"])
    network.settings.environ["BITCOIN_RPC_LOGIN"] = str(tmp_path / ".cookie")  # type: ignore[index]
    assert open_source(f"core:{world.node.url}", network).chains == {REGTEST}
    network.settings.environ["BITCOIN_RPC_LOGIN"] = str(tmp_path / "missing")  # type: ignore[index]
    with pytest.raises(InputError, match="is none"):
        open_source(f"core:{world.node.url}", network)


# A chain that changes, and nodes that know less


@pytest.mark.slow
def test_a_reorganisation_is_noticed_and_what_it_undid_is_not_told_again(tmp_path: Path) -> None:
    with litecoin_node(tmp_path, *INDEXED) as node:
        node.mine(105)
        world = World(node, {"thief": node.address(), "victim": node.address()})
        tx = world.send([world.reward(1)], ("thief", 5 * COIN), ("victim", 45 * COIN - FEE))
        (undone,) = node.mine()
        source, thief = core(node, tmp_path / "cache"), world.address("thief")
        before, last = history(source, thief)
        assert [(one.id.tx, one.block.number, one.block.hash) for one in before] == [(tx, 106, undone)]
        cursor = source.cursor_from(REGTEST, 0)
        node.call("invalidateblock", undone)
        assert source.block_hash(REGTEST, 106) == ""
        with pytest.raises(SourceSkipped, match="reorganised"):
            history(source, thief, cursor)
        node.call("generateblock", node.miner, [])  # the payment is in no block now
        node.call("generateblock", node.miner, [])
        assert last.coverage is not None
        assert source.block_hash(REGTEST, 106) not in ("", last.coverage.tip)
        again, last = history(source, thief)
        assert again == []
        assert last.coverage is not None
        assert (last.coverage.state, last.coverage.last) == (State.EMPTY, 107)
        node.mine()
        assert [(one.id.tx, one.block.number) for one in history(source, thief)[0]] == [(tx, 108)]


@pytest.mark.slow
def test_without_txindex_what_an_old_node_does_not_tell_is_a_problem_that_says_so(tmp_path: Path) -> None:
    with litecoin_node(tmp_path) as node:
        node.mine(105)
        world = World(node, {"thief": node.address(), "mule": node.address()})
        tx = world.send([world.reward(1)], ("thief", 50 * COIN - FEE))
        node.mine()
        transfers, last = history(core(node), world.address("thief"))
        assert transfers == []
        assert last.coverage is not None
        assert (last.coverage.state, last.coverage.last) == (State.FAILED, 105)
        (problem,) = last.problems
        assert tx in problem.where
        assert "-txindex=1" in problem.text
        with pytest.raises(SourceSkipped, match=r"(?i)txindex"):
            core(node).transaction(REGTEST, tx)
        newer = ModernNode(node)  # tells what inputs spent, and needs none
        source = open_source(f"core:{node.url}", node.network(transport=newer))
        assert told(history(source, world.address("thief"))[0][0].inputs) == [(node.miner, 50 * COIN)]


@pytest.mark.slow
def test_a_pruned_node_says_from_which_block_on_it_knows(tmp_path: Path) -> None:
    with litecoin_node(tmp_path, *INDEXED) as node:
        node.mine(110)
        world = World(node, {"thief": node.address()})
        world.send([world.reward(1)], ("thief", 50 * COIN - FEE))
        node.mine()
        pruned = Pruned(node, 100)
        transfers, last = history(
            open_source(f"core:{node.url}", node.network(transport=pruned)), world.address("thief")
        )
        assert len(transfers) == 1
        assert last.coverage is not None
        assert (last.coverage.state, last.coverage.first, last.coverage.last) == (State.CUT, 100, 111)
        assert "no block before 100" in last.coverage.reason
        pruned = Pruned(node, 100, tells_prevouts=False)
        source = open_source(f"core:{node.url}", node.network(transport=pruned))
        with pytest.raises(SourceSkipped, match="pruned, and does not tell what inputs spend"):
            history(source, world.address("thief"))


class Pruned(ModernNode):
    """A node that has dropped its blocks below `lowest`, and has no filters."""

    def __init__(self, node: LitecoinNode, lowest: int, *, tells_prevouts: bool = True) -> None:
        super().__init__(node, without=("scanblocks", "getindexinfo"))
        self._lowest, self._tells = lowest, tells_prevouts

    def _one(self, request, call):  # type: ignore[no-untyped-def]
        answer = super()._one(request, call)
        if call["method"] == "getblockchaininfo":
            answer["result"] |= {"pruned": True, "pruneheight": self._lowest}
        if call["method"] == "getblock" and answer["result"]["height"] < self._lowest:
            error = {"code": -1, "message": "Block not available (pruned data)"}
            return {"result": None, "error": error, "id": call["id"]}
        return answer

    def _with_prevouts(self, tx):  # type: ignore[no-untyped-def]
        return super()._with_prevouts(tx) if self._tells else tx
