"""Contents for the tests of exports: hostile words in every field, or facts drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

from hypothesis import strategies as st

from cases.codec import judgement_id
from cases.exporting.contents import Contents, contents_told
from connectors.protocol import Evidence, Problem
from drawn_answer import claim, drawn
from notation import ETHEREUM, START, address, payment
from tracer.balances import Balance
from tracer.coverage import Coverage, Kind, State
from tracer.judgements import Judgement, Withdrawal
from tracer.labels import Label, Role
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.values import MAX_UNITS, Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

BITCOIN = Chain.named("bitcoin")
EDGES = (
    0,
    1,
    2**53 - 1,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**63 + 1,
    2**64,
    10**21,
    2**127,
    2**128 - 1,
    2**128,
    2**256 - 1,
)
COINS = Address(BITCOIN, "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S")
BYTES = Evidence(b'{"rows": []}\x00\xff', "source", "request")


def token(symbol: str, number: int = 7, decimals: int = 6) -> Asset:
    """A token whose contract calls itself `symbol`."""
    return Asset(ETHEREUM, f"0x{number:040x}", symbol, decimals)


def paid(number: int, asset: Asset, units: int, method: str = "", cited: str = f"{BYTES.id}#1") -> Transfer:
    """A payment of a token between two drawn addresses."""
    legs = (Leg.slot(address("a"), asset, units),), (Leg.slot(address("b"), asset, units),)
    block = Block(number + 1, START + number, f"0x{number:064x}")
    return Transfer(payment(number + 1, position=f"log:{number}"), block, 0, asset, *legs, (cited,), method)


def coins(number: int, units: int, more: int) -> Transfer:
    """A Bitcoin transaction of two inputs, an output, a bare script and a fee."""
    a, b = (
        Address(BITCOIN, "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"),
        Address(BITCOIN, "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3"),
    )
    tx = f"{number:064x}"
    fee = 1 if units > 1 else 0
    inputs = Leg.coin("a" * 64, number, BITCOIN, units, a), Leg.coin("b" * 64, 2**31, BITCOIN, more, a)
    outputs = (
        Leg.coin(tx, 0, BITCOIN, units - fee, b), Leg.coin(tx, 1, BITCOIN, more, None),
        Leg.sink(BITCOIN.coin, SinkKind.FEE, fee),
    )  # fmt: skip
    block = Block(number, START + number)
    return Transfer(TransferId(BITCOIN, tx), block, -1, BITCOIN.coin, inputs, outputs, (f"{BYTES.id}#{number}",))


@cache
def hostile_contents(texts: tuple[str, ...]) -> Contents:
    """Each of the texts in every field that anybody else fills: one row, label, loss, problem and source for each."""
    names = [f"shop{number}" for number in range(len(texts))]
    story = "\n".join(f"{2 + number} mule -> {name} 1" for number, name in enumerate(names))
    claims = [claim(name, Role.SERVICE, text or "-", entity=text) for name, text in zip(names, texts, strict=True)]
    case = drawn(f"1 victim -> mule {len(texts)}\n{story}", claims, requested=[Rule.FIFO])
    told = contents_told(case.answer, case.following)
    evidence = tuple(Evidence(str(number).encode(), text, text) for number, text in enumerate(texts))
    cited = [one.id for one in evidence]
    first = len(texts) + 10
    return Contents(
        (*told.transfers, *(
            paid(first + n, token(text, first + n), n, text, f"{cited[n]}#1") for n, text in enumerate(texts)
        )),
        evidence,
        tuple(
            (text, Coverage(address(names[n]), State.CUT, frozenset(Kind), text, cited[n], reason=text, tip=text))
            for n, text in enumerate(texts)
        ),
        tuple(Problem(text, text) for text in texts),
        tuple(
            Label(address(names[n]), text, text, Role.SERVICE, text or "-", date(2024, 5, 1), 50, f"{cited[n]}#1", text)
            for n, text in enumerate(texts)
        ),
        tuple(Loss(text, ETHEREUM.coin, text, paid=payment(1)) for text in texts),
        told.answer,
        told.hops,
        judged := tuple(
            Judgement(address("mule"), address(names[n]), text, (payment(1),), n % 101, text, 1)
            for n, text in enumerate(texts)
        ),
        tuple(Withdrawal(one, one.rule, one.author) for one in judged[::3]),
    )  # fmt: skip


words = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    [
        "",
        "=1+1",
        "'",
        "''=",
        "\\",
        "\\x41",
        "a\\\\nb",
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\ud800",
        "\r\n",
        " ",
        "[",
        "[]",
        "a b",
        "\ufeff",
    ]
)
blocks = st.integers(0, 2**64)
units = st.sampled_from(EDGES) | st.integers(0, MAX_UNITS)


@st.composite
def contents(draw: st.DrawFn) -> Contents:
    """Facts, claims, decisions and judgements of every shape, without an answer."""
    transfers: list[Transfer] = []
    for number in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            decimals = draw(st.integers(0, 2**70))
            transfers.append(paid(number, token(draw(words), number, decimals), draw(units), draw(words)))
        else:
            one, more = draw(units), draw(units)
            transfers.append(coins(number, one // 2, more // 2))
    labels = [
        Label(
            address("a"), draw(words), draw(words), draw(st.sampled_from(Role)), draw(words) or "-",
            draw(st.none() | st.dates()), draw(st.integers(0, 100)), f"{BYTES.id}#{number}", draw(words),
        )
        for number in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    balances = tuple(
        Balance(token(draw(words)), 7, draw(units), draw(st.integers(-MAX_UNITS, MAX_UNITS)))
        for _ in range(draw(st.integers(0, 2)))
    )
    coverage = Coverage(
        address("a"), draw(st.sampled_from(State)), draw(st.frozensets(st.sampled_from(Kind))), draw(words), BYTES.id,
        draw(st.integers(0, 2**64)), draw(st.none() | st.integers(0, 2**64)), draw(st.integers(0, 2**40)),
        draw(st.integers(0, 9)), draw(words), draw(st.none() | st.integers(0, 9)), draw(words), balances,
    )  # fmt: skip
    losses = [
        Loss(f"by wallet {draw(words)}", token(draw(words)), draw(words), wallet=address("a"), since=draw(blocks)),
        Loss(draw(words), BITCOIN.coin, paid=TransferId(BITCOIN, "c" * 64), units=draw(units) or None, output=3),
    ]  # fmt: skip
    cited = st.sampled_from([*(one.id for one in transfers), TransferId(BITCOIN, "d" * 64, "tx"), payment(9)])
    drawn_here = [
        Judgement(
            address(draw(st.sampled_from("abc"))), draw(st.sampled_from((address("d"), COINS))), draw(words),
            tuple(draw(st.lists(cited, max_size=2))), draw(st.integers(0, 100)), draw(words), draw(blocks),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    judgements = tuple({judgement_id(one): one for one in drawn_here}.values())
    withdrawn = draw(st.lists(st.sampled_from(judgements), max_size=2)) if judgements else []
    return Contents(
        tuple(transfers), (BYTES,), ((draw(words), coverage),), (Problem(draw(words), draw(words)),), tuple(labels),
        tuple(losses), judgements=judgements,
        withdrawals=tuple(Withdrawal(one, draw(words), draw(words)) for one in withdrawn),
    )  # fmt: skip


def texts_in(pieces: Sequence[str]) -> tuple[str, ...]:
    """Those that a case can hold: two halves of one character become that character in its JSON."""
    import json

    return tuple(dict.fromkeys(json.loads(json.dumps(piece)) for piece in pieces))
