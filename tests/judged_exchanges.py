"""Exchanges as tests draw them, and what is found of one."""

from __future__ import annotations

from drawn_exchanges import labels, ledger, said, step
from graphs.conversions import Exchange, ExchangeRules, Worth, exchange
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger

SWAP = """
    9 x calls router
    9 x -> pool 900 USDT
    9 pool -> x 45 WETH
"""
ROUTER = {"router": Role.PROTOCOL}

LENIENT = ExchangeRules(unlabelled=1)  # most reasons here are such as anybody can make up


def judged(
    text: str,
    book: LabelBook | None = None,
    worth: Worth | None = None,
    rules: ExchangeRules | None = None,
    at: int = 9,
    keep: tuple[str, ...] = (),
) -> tuple[Ledger, Exchange | None]:
    drawing = ledger(text, keep)
    return drawing, exchange(drawing, book or labels(), step(drawing, at), rules or LENIENT, worth)


def found(text: str, book: LabelBook | None = None, worth: Worth | None = None, **more: object) -> Exchange:
    result = judged(text, book, worth, **more)[1]  # type: ignore[arg-type]  # settings of several types, by name
    assert result is not None
    return result


def legs(text: str, book: LabelBook | None = None, worth: Worth | None = None) -> list[tuple[list[str], list[str]]]:
    drawing, result = judged(text, book, worth)
    assert result is not None
    assert result.trusted, result
    return said(drawing, result.conversions)
