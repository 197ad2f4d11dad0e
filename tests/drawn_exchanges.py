"""Transactions of many transfers and assets as drawings, for tests of exchanges.

One transfer a line, `TX PAYER -> PAYEE UNITS ASSET`; a transaction is a block of its own. `issue`, `burn` and `fee` are
sinks, a token's name is also its contract. `TX SIGNER calls CONTRACT` and `TX SIGNER signs` say who sent it;
`TX HOLDER has UNITS -> UNITS ASSET` is a rebase; `... UNITS ASSET lost N` a token that keeps N of each payment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from notation import ETH, ETHEREUM, START, address, name_of
from tracer.conversions import Conversion, Exchanged
from tracer.labels import Label, LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import Address, Asset, Block, Leg, Sink, SinkKind, Slot, Transfer, TransferId

SINKS = {kind.value: kind for kind in SinkKind}


def asset(name: str) -> Asset:
    """The coin, or the token whose contract has that name."""
    return ETH if name == "ETH" else Asset(ETHEREUM, address(name).text, name, 0)


def tx(number: int, position: str = "tx") -> TransferId:
    """The id of a drawn transaction's part."""
    return TransferId(ETHEREUM, f"0x{number:064x}", position)


def drawn(text: str) -> list[Transfer]:
    """The transfers of a drawing, positions in the order of the lines."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return [_transfer(words, place) for place, words in enumerate(lines) if words]


def ledger(text: str, keep: Iterable[str] = ()) -> Ledger:
    """The ledger of a drawing."""
    return Ledger.of(drawn(text), keep=[address(name) for name in keep])


def step(drawing: Ledger, number: int) -> int:
    """Where the step of transaction `number` stands."""
    mine = (at for at in range(len(drawing)) if drawing.transfer(at).id.tx == tx(number).tx)
    return next(at for at in mine if any(units for one in drawing.movements(at) for _, units in one.inputs))


def labels(**roles: Role) -> LabelBook:
    """A book of one claim an address."""
    day = date(2026, 1, 1)
    return LabelBook(
        Label(address(name), name, name, role, "drawing", day, 50, f"drawing:{name}") for name, role in roles.items()
    )


def prices(**each: int) -> Callable[[Asset, int, int], int | None]:
    """What units of the named assets are worth; of others it is not known."""
    return lambda of, units, time: units * each[of.symbol] if of.symbol in each else None


def said(drawing: Ledger, conversions: Iterable[Conversion]) -> list[tuple[list[str], list[str]]]:
    """Conversions by name: `x 900 USDT`, with `*weight` where one side has several legs."""
    return [(_legs(drawing, one.gave), _legs(drawing, one.got)) for one in conversions]


def _legs(drawing: Ledger, legs: tuple[Exchanged, ...]) -> list[str]:
    found = []
    for leg in legs:
        holding = drawing.holding(leg.hid)
        assert isinstance(holding, Slot)
        weight = f" *{leg.weight}" if len(legs) > 1 else ""
        found.append(f"{name_of(holding.address)} {leg.units} {holding.asset}{weight}")
    return found


def _transfer(words: list[str], place: int) -> Transfer:
    number, who, verb = int(words[0]), words[1], words[2]
    block, evidence = Block(number, START + 12 * number), (f"drawing#{place}",)

    def made(position: str, of: Asset, paid: tuple[Leg, ...], got: tuple[Leg, ...]) -> Transfer:
        return Transfer(tx(number, position), block, 0, of, paid, got, evidence)

    if verb in ("calls", "signs"):
        other, units = (words[3], 0) if verb == "calls" else ("fee", 1)
        position = "tx" if verb == "calls" else "fee"
        return made(position, ETH, (_leg(who, ETH, units),), (_leg(other, ETH, units),))
    if verb == "has":
        before, after, of = int(words[3]), int(words[5]), asset(words[6])
        paid, got = [_leg(who, of, before)], [_leg(who, of, after)]
        if after > before:
            paid.append(Leg.sink(of, SinkKind.ISSUE, after - before))
        elif after < before:
            got.append(Leg.sink(of, SinkKind.BURN, before - after))
        return made(f"log:{place}", of, tuple(paid), tuple(got))
    target, units, of = words[3], int(words[4]), asset(words[5])
    lost = int(words[7]) if words[6:7] == ["lost"] else 0
    keeps = (Leg.sink(of, SinkKind.FEE, lost),) if lost else ()
    return made(f"log:{place}", of, (_leg(who, of, units),), (_leg(target, of, units - lost), *keeps))


def _leg(name: str, of: Asset, units: int) -> Leg:
    if name in SINKS:
        return Leg.sink(of, SINKS[name], units)
    return Leg.slot(Address(ETHEREUM, "0x" + "0" * 40) if name == "zero" else address(name), of, units)


def hid(drawing: Ledger, name: str, of: str) -> int:
    """The small integer of what `name` holds of an asset; a sink's where it is one's name."""
    found = drawing.hid(Sink(asset(of), SINKS[name]) if name in SINKS else Slot(address(name), asset(of)))
    assert found is not None, f"{name} has no {of}"
    return found
