"""A whole trace as one call: start, read, follow, bound, answer, keep; and the same again from what the case holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from cases.answer import FORMAT, Requests, answer
from cases.asking import ask_each
from cases.case_file import Case
from cases.codec import readable, sha256
from cases.investigation import Progress, concluded, read
from cases.starting import start
from connectors.protocol import Connector
from graphs.follow import follow
from graphs.following import Following
from graphs.leads import Lead, leads
from graphs.origins import BACKWARD_RULES, Origins, originate
from graphs.stops import StopRules
from tracer.coverage import State
from tracer.errors import CaseConflict, CaseDamaged, InputError
from tracer.labels import LabelBook
from tracer.ledger import Ledger, Order
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.values import Address, Amount, Asset, Chain, TransferId

Traced = Following | Origins


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a case: the start as the user has it, and under which rules it is to be followed.

    `rules` empty means all there are. `since` is a block number. `amount` is in whole units, as people write it.
    """

    start: str
    chain: Chain | None = None
    asset: Asset | None = None
    amount: str | None = None
    since: int = 0
    victim: str = ""
    rules: tuple[Rule, ...] = ()
    between: Between = Between.PARI_PASSU
    fees: Fees = Fees.LAST
    order: Order = Order.ATOMIC
    backward: bool = False
    leads: bool = False
    stops: StopRules = field(default_factory=StopRules)
    max_requests: int = 1_000
    max_pages: int = 25


def trace(
    case: Case,
    question: Question,
    connectors: Sequence[Connector],
    *,
    now: Callable[[], int],
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Follow what `question` names through `connectors` into `case`, and give the answer, which the case keeps.

    Interrupted anywhere, asking again goes on where it was; asking twice gives the same answer and reads nothing.
    """
    if question.backward and question.amount is not None:
        raise InputError("an amount does not go with backward", "leave it out: all that came in is asked about")
    for connector in connectors:
        case.met(connector.name, getattr(connector, "problems", ()), at=now())
    before = case.requests()
    loss = start(
        case, question.start, chain=question.chain, asset=question.asset, amount=question.amount, since=question.since,
        victim=question.victim, connectors=connectors, now=now, keep=not question.backward,
        max_pages=question.max_pages,
    )  # fmt: skip
    if question.backward and loss.wallet is None:
        raise InputError("backward starts from a wallet, not from a transaction", "give the address it was paid to")
    able = Rule.of(loss.asset.chain.family)
    unsaid = [rule for rule in question.rules if rule not in able]
    if unsaid:
        why = f"{unsaid[0]} says nothing of its own on {loss.asset.chain}: a payment there has one receiver"
        raise InputError(why, f"the rules there: {', '.join(able)}")
    found = read(
        case,
        connectors,
        partial(_either, loss if question.backward else None, question.fees),
        rules=question.stops,
        between=question.between,
        order=question.order,
        max_requests=question.max_requests - (case.requests() - before),
        max_pages=question.max_pages,
        now=now,
        progress=progress,
    )
    backward = loss if question.backward else None
    traced = found or _conclude(case, backward, question)
    if question.leads:
        left = question.max_requests - (case.requests() - before)
        traced = _read_leads(case, traced, question, backward, connectors, left, now)
    return _issue(case, traced, question, now)


def retraced(case: Case, given: dict[str, Any]) -> Traced:
    """The trace behind an answer that the case gave, computed again from what the case holds; nobody is asked."""
    with readable("the answer"):
        loss, question = _asked(given)
    return _conclude(case, loss, question)


def _asked(given: dict[str, Any]) -> tuple[Loss | None, Question]:
    """The question that an answer was given to."""
    loss = None
    if given["direction"] == "backward":
        stated = given["losses"][0]
        chain = Chain.named(given["asset"]["chain"])
        contract = given["asset"]["name"].partition("/")[2]
        asset = Asset(chain, contract, given["asset"]["symbol"], given["asset"]["decimals"])
        units = None if stated["units"] is None else int(stated["units"])
        wallet = Address(chain, stated["start"])
        loss = Loss(stated["name"], asset, stated["victim"], wallet=wallet, units=units, since=stated["since"])
    return loss, Question(
        "", between=Between(given["between"]), fees=Fees(given["fees"]), order=Order(given["order"]),
        stops=StopRules(**given["settings"]),
    )  # fmt: skip


def latest(case: Case) -> dict[str, Any]:
    """The answer that the case gave last. Raises `CaseConflict` if it gave none."""
    issued = case.issued()
    if not issued:
        raise CaseConflict("no trace was made in this case yet", "make one: fundtrail trace START --case FILE")
    if sha256(issued[-1].text) != issued[-1].hash:
        raise CaseDamaged("the answer was changed after it was given", "run `fundtrail case verify` on the case")
    with readable("the answer"):
        found: dict[str, Any] = json.loads(issued[-1].text)
        form = found["format"]
    if form != FORMAT:
        raise CaseConflict(f"the last answer is of format {form!r:.40}; this program writes {FORMAT}", "trace again")
    return found


def _either(
    backward: Loss | None, fees: Fees, ledger: Ledger, labels: LabelBook, losses: Sequence[Loss],
    rules: StopRules | None = None, *, between: Between = Between.PARI_PASSU, known: Iterable[Address] = (),
    spent: bool = False,
) -> Traced:  # fmt: skip
    if backward is None:
        return follow(ledger, labels, losses, rules, between=between, fees=fees, known=known, spent=spent)
    return originate(ledger, labels, (backward,), rules, between=between, known=known, spent=spent)


def _conclude(case: Case, backward: Loss | None, asked: Question) -> Traced:
    follows = partial(_either, backward, asked.fees)
    return concluded(case, follows, rules=asked.stops, between=asked.between, order=asked.order)


def _issue(case: Case, traced: Traced, question: Question, now: Callable[[], int]) -> dict[str, Any]:
    family = traced.losses[0].asset.chain.family
    rules = question.rules or (BACKWARD_RULES if question.backward else Rule.of(family))
    given = answer(
        traced,
        traced.bounds(),
        case.labels(),
        rules=question.stops,
        requested=rules,
        requests=Requests(case.requests(), question.max_requests, case.sources()),
        problems=case.problems(),
        leads=_leads(case, traced, question) if question.leads else None,
    )
    _must_have_lost(given, question)
    settings = {"start": question.start, "settings": given["settings"], "direction": given["direction"]}
    case.issue(given, settings, at=now())
    return given


def _read_leads(
    case: Case, traced: Traced, question: Question, backward: Loss | None, connectors: Sequence[Connector], left: int,
    now: Callable[[], int],
) -> Traced:  # fmt: skip
    """Read whom leads point to, while the budget lasts; the trace is made anew, since more is known then."""
    while left > 0:
        known = traced.ledger.coverage
        wanted = dict.fromkeys(
            lead.address
            for lead in _leads(case, traced, question)
            if lead.address is not None and not lead.labelled and known.of(lead.address).state is State.NOT_ASKED
        )
        if not wanted:
            break
        for address in wanted:
            asked = ask_each(case, connectors, address, now, question.max_pages)
            left -= sum(1 for _ in islice(asked, max(left, 0)))
        traced = _conclude(case, backward, question)
    return traced


def _leads(case: Case, traced: Traced, question: Question) -> tuple[Lead, ...]:
    coinjoins = [spot for spot in traced.stops if isinstance(spot, TransferId)]
    return leads(traced.ledger, case.labels(), coinjoins, question.stops)


def _must_have_lost(given: dict[str, Any], question: Question) -> None:
    """A wallet that nobody could read has lost nothing that can be told: say so, rather than answer "0"."""
    if any(units != "0" for loss in given["losses"] for units in loss["lost"].values()):
        return
    told = "; ".join(f"{one['address']}: {one['state']}, {one['reason']}" for one in given["coverage"]["incomplete"])
    asked = [f" from block {question.since} on"] if question.since else []
    if question.max_requests == 0:
        asked.append(", with --max-requests 0")
    raise InputError(
        f"nothing is recorded to have come to {question.start}{''.join(asked)}{f' ({told})' if told else ''}",
        "check the address, the chain, the source and the limits given; without a loss there is nothing to follow",
    )


def amount_shown(units: str, asset: dict[str, Any]) -> str:
    """An amount of an answer as a person reads it, exactly.

    >>> amount_shown("1500000", {"chain": "tron", "name": "tron", "symbol": "TRX", "decimals": 6})
    '1.5 TRX'
    """
    return str(Amount(int(units), Asset(Chain.named(asset["chain"]), "", asset["symbol"], asset["decimals"])))


__all__ = ["Question", "Traced", "amount_shown", "latest", "retraced", "trace"]
