"""A drawn case followed to its end, and its answer: what the tests of answers, tables, exports and views start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cases.answer import Requests, answer
from graphs.follow import follow
from graphs.following import Following
from graphs.stops import StopRules
from notation import ETH, address, ledger, payment
from tracer.coverage import State
from tracer.labels import Label, LabelBook, Role
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.values import Asset

#: A mule mixes 60 stolen with 40 of its own and pays a deposit address, somebody nobody recorded, and a mixer.
STORY = """
    1 victim  -> mule      60
    2 salary  -> mule      40
    3 mule    -> deposit   50 gas 1
    4 deposit -> exchange  49 gas 1
    5 mule    -> hidden    20
    6 mule    -> mixer     10
"""


@dataclass(frozen=True)
class Drawn:
    """A case: what was followed, and the answer to it."""

    following: Following
    labels: LabelBook
    answer: dict[str, Any]


def claim(name: str, role: Role, label: str = "", source: str = "a list", entity: str = "") -> Label:
    """A label of the drawn `name`."""
    label = label or name.title()
    return Label(address(name), entity or label, label, role, source, date(2024, 5, 1), 50, "sha256:label")


def story_labels(exchange: str = "Exchange 1", mixer: str = "Mixer") -> list[Label]:
    """Who is who in `STORY`."""
    return [claim("exchange", Role.EXCHANGE, exchange, entity="Exchange"), claim("mixer", Role.MIXER, mixer)]


def drawn(
    text: str = STORY,
    labels: Sequence[Label] | None = None,
    *,
    losses: Sequence[Loss] | None = None,
    coverage: Mapping[str, State] | None = None,
    requested: Sequence[Rule] | None = None,
    asset: Asset = ETH,
) -> Drawn:
    """Follow what was lost (the first payment, if nothing is said) and answer. What was not asked ends as budget."""
    stated = {"hidden": State.NOT_RECORDED} if coverage is None else coverage
    book, claims, rules = (
        ledger(text, asset, stated),
        LabelBook(story_labels() if labels is None else labels),
        StopRules(),
    )
    following = follow(book, claims, losses or [Loss("theft", asset, "the victim", paid=payment(1))], rules, spent=True)
    asked = Requests(asked=5, budget=9, sources=("drawing:here",))
    told = answer(
        following, following.bounds(), claims, rules=rules, requested=requested, requests=asked, head="sha256:head"
    )
    return Drawn(following, claims, told)


def end_of(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The end at the drawn `name`."""
    [found] = [end for end in told["ends"] if end["address"] == address(name).text]
    return dict(found)
